//! Progress bars, drawn on a terminal only.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use parcel::progress::Step;
use recipe::progress::Phase;

use crate::output::Printer;

/// Draws one bar for each step under way.
pub(crate) struct Bars {
    all: MultiProgress,
    drawn: Mutex<HashMap<&'static str, ProgressBar>>,
    /// The bar of the present step of the `parcel` crate, which does one thing at a time.
    current: Mutex<&'static str>,
    printer: Printer,
}

/// What is counted.
enum Unit {
    Bytes,
    Things,
}

impl Bars {
    pub(crate) fn new(printer: &Printer) -> Self {
        let target = if printer.bars {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        };
        Self {
            all: MultiProgress::with_draw_target(target),
            drawn: Mutex::default(),
            current: Mutex::new(""),
            printer: printer.clone(),
        }
    }

    fn bars(&self) -> MutexGuard<'_, HashMap<&'static str, ProgressBar>> {
        self.drawn.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn start(&self, name: &'static str, total: Option<u64>, unit: &Unit) {
        let template = match (unit, total) {
            (Unit::Bytes, Some(_)) => {
                "{prefix:>12} [{bar:30}] {binary_bytes}/{binary_total_bytes} {binary_bytes_per_sec}"
            }
            (Unit::Bytes, None) => "{prefix:>12} {binary_bytes} {binary_bytes_per_sec}",
            (Unit::Things, _) => "{prefix:>12} [{bar:30}] {pos}/{len}",
        };
        let style = ProgressStyle::with_template(template).expect("the templates are valid");
        let bar = self.all.add(ProgressBar::new(total.unwrap_or(0)));
        bar.set_style(style.progress_chars("=> "));
        bar.set_prefix(name);
        bar.enable_steady_tick(Duration::from_millis(200));
        if let Some(old) = self.bars().insert(name, bar) {
            old.finish_and_clear();
        }
    }

    fn advance_by(&self, name: &'static str, by: u64) {
        if let Some(bar) = self.bars().get(name) {
            bar.inc(by);
        }
    }

    fn finish(&self, name: &'static str) {
        if let Some(bar) = self.bars().remove(name) {
            bar.finish_and_clear();
        }
    }

    fn current(&self) -> MutexGuard<'_, &'static str> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn phase(phase: Phase) -> (&'static str, Unit) {
    match phase {
        Phase::Metadata => ("Indexes", Unit::Bytes),
        Phase::Download => ("Packages", Unit::Bytes),
        Phase::Link => ("Installing", Unit::Things),
        Phase::Compile => ("Compiling", Unit::Things),
        Phase::Scan => ("Checking", Unit::Bytes),
        Phase::Pack => ("Packing", Unit::Bytes),
        _ => ("Working", Unit::Things),
    }
}

fn step(step: Step) -> &'static str {
    match step {
        Step::Scan => "Checking",
        Step::Pack => "Packing",
        Step::Read => "Reading",
        Step::Unpack => "Unpacking",
        _ => "Working",
    }
}

impl recipe::progress::Progress for Bars {
    fn begin(&self, of: Phase, total: Option<u64>) {
        let (name, unit) = phase(of);
        self.start(name, total, &unit);
    }

    fn advance(&self, of: Phase, by: u64) {
        self.advance_by(phase(of).0, by);
    }

    fn end(&self, of: Phase) {
        self.finish(phase(of).0);
    }

    fn message(&self, text: &str) {
        self.all.suspend(|| self.printer.say(text));
    }
}

impl parcel::progress::Progress for Bars {
    fn begin(&self, of: Step, total_bytes: Option<u64>) {
        *self.current() = step(of);
        self.start(step(of), total_bytes, &Unit::Bytes);
    }

    fn advance(&self, bytes: u64) {
        let name = *self.current();
        self.advance_by(name, bytes);
    }

    fn end(&self) {
        let name = *self.current();
        self.finish(name);
    }
}

impl Drop for Bars {
    fn drop(&mut self) {
        for (_, bar) in self.bars().drain() {
            bar.finish_and_clear();
        }
    }
}
