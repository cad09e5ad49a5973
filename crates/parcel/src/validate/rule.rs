//! What a rule is, and how findings are made. Knows no rule.

use std::borrow::Cow;

use super::context::Context;
use super::document::{DocKind, Document, Place};
use super::json::Span;
use super::report::{Excerpt, Finding, Severity};

/// One rule of the book.
pub struct Rule {
    /// A letter for the subject and three digits. Never renumbered, never used again.
    pub code: &'static str,
    /// What is wrong, in kebab case.
    pub name: &'static str,
    /// How bad it is, unless a [`Policy`](super::Policy) says otherwise.
    pub severity: Severity,
    /// The doc comment above the rule, line by line, as the compiler hands it over.
    lines: &'static [&'static str],
    /// Documents without which the rule cannot run.
    pub(crate) needs: &'static [DocKind],
    pub(crate) check: fn(&Context<'_>, &mut Findings<'_>),
}

impl std::fmt::Debug for Rule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.code, self.name)
    }
}

impl Rule {
    pub(crate) const fn new(
        code: &'static str,
        name: &'static str,
        severity: Severity,
        lines: &'static [&'static str],
        needs: &'static [DocKind],
        check: fn(&Context<'_>, &mut Findings<'_>),
    ) -> Self {
        Self {
            code,
            name,
            severity,
            lines,
            needs,
            check,
        }
    }

    /// The explanation: Markdown with the headings of [`HEADINGS`], in their order.
    pub fn explanation(&self) -> String {
        let mut text = String::new();
        for line in self.lines {
            text.push_str(line.strip_prefix(' ').unwrap_or(line));
            text.push('\n');
        }
        text
    }

    /// The first paragraph of the explanation, on one line.
    pub fn summary(&self) -> String {
        let body = self
            .lines
            .iter()
            .skip_while(|line| line.trim().is_empty() || line.trim().starts_with('#'));
        let words: Vec<&str> = body
            .map(|line| line.trim())
            .take_while(|line| !line.is_empty())
            .collect();
        words.join(" ")
    }
}

/// The headings of every explanation.
pub const HEADINGS: [&str; 5] = [
    "## What it checks",
    "## Why it matters",
    "## Example",
    "## How to fix",
    "## Source",
];

/// Turns rules with doc comments into a table. The doc comment is the explanation that
/// `parcelctl explain`, `docs/rules.md` and the editor show.
macro_rules! rules {
    ($(
        $(#[doc = $line:literal])+
        $code:literal $name:literal $severity:ident [$($need:ident),*] => $check:path;
    )+) => {
        /// The rules of this subject.
        pub(in crate::validate) const RULES: &[$crate::validate::rule::Rule] = &[$(
            $crate::validate::rule::Rule::new(
                $code,
                $name,
                $crate::validate::report::Severity::$severity,
                &[$($line),+],
                &[$($crate::validate::document::DocKind::$need),*],
                $check,
            ),
        )+];
    };
}
pub(crate) use rules;

/// More findings of one rule in one subject are counted, not kept: a million files with one
/// mistake are one mistake.
const MOST_FINDINGS: usize = 100;

/// Takes the findings of one rule.
pub(crate) struct Findings<'a> {
    rule: &'static Rule,
    severity: Severity,
    kept: &'a mut Vec<Finding>,
    start: usize,
    dropped: usize,
    /// Where findings past the limit go, so that a check need not ask.
    scrap: Finding,
}

impl<'a> Findings<'a> {
    pub(crate) fn new(rule: &'static Rule, severity: Severity, kept: &'a mut Vec<Finding>) -> Self {
        let start = kept.len();
        let scrap = Finding::new(rule, severity, String::new());
        Self {
            rule,
            severity,
            kept,
            start,
            dropped: 0,
            scrap,
        }
    }

    /// Reports what is wrong: one sentence, lower case, no full stop.
    pub(crate) fn report(&mut self, message: impl Into<String>) -> &mut Finding {
        if self.kept.len() - self.start >= MOST_FINDINGS {
            self.dropped += 1;
            return &mut self.scrap;
        }
        self.kept
            .push(Finding::new(self.rule, self.severity, message.into()));
        self.kept.last_mut().expect("just pushed")
    }

    /// The check is over.
    pub(crate) fn finish(self) {
        if self.dropped > 0 {
            let message = format!("{} more findings of this rule are not shown", self.dropped);
            self.kept
                .push(Finding::new(self.rule, self.severity, message));
        }
    }
}

impl Finding {
    fn new(rule: &Rule, severity: Severity, message: String) -> Self {
        Self {
            code: rule.code,
            rule: rule.name,
            severity,
            message,
            file: None,
            pointer: None,
            line: None,
            column: None,
            hint: None,
            excerpt: None,
        }
    }

    /// In this file.
    pub(crate) fn file(&mut self, file: impl Into<String>) -> &mut Self {
        self.file = Some(file.into());
        self
    }

    /// At a value of a document.
    pub(crate) fn at(&mut self, place: &Place<'_>) -> &mut Self {
        self.in_document(place.doc, &place.pointer, place.value.span)
    }

    /// At a span of a document.
    pub(crate) fn in_document(&mut self, doc: &Document, pointer: &str, span: Span) -> &mut Self {
        let position = doc.parsed.position(span);
        self.file = Some(doc.file.clone());
        self.pointer = Some(pointer.to_owned());
        self.line = Some(position.line);
        self.column = Some(position.column);
        self.excerpt = Some(position.excerpt);
        self
    }

    /// At a line of a text, both from 1.
    pub(crate) fn in_line(&mut self, file: &str, line: usize, text: &str) -> &mut Self {
        self.file = Some(file.to_owned());
        self.line = u32::try_from(line).ok();
        self.column = Some(1);
        let length = u32::try_from(text.trim_end().chars().count()).unwrap_or(1);
        self.excerpt = Some(Excerpt::of_line(text, 0, length));
        self
    }

    /// What to do about it.
    pub(crate) fn hint<'h>(&mut self, hint: impl Into<Cow<'h, str>>) -> &mut Self {
        self.hint = Some(hint.into().into_owned());
        self
    }
}
