//! `parcelctl build`

use std::path::Path;
use std::sync::Arc;

use parcel::archive::{Level, WriteOptions};
use parcel::{Builder, Parcel, ParcelName};
use recipe::{BuildOptions, LockOutcome, Overrides, Recipe};

use crate::args::BuildArgs;
use crate::failure::Failure;
use crate::folder::{self, OutputFolder};
use crate::output::{ExitStatus, Printer, bytes};
use crate::progress::Bars;

pub(crate) fn run(args: &BuildArgs, printer: &Printer) -> Result<ExitStatus, Failure> {
    match (&args.recipe, &args.tree) {
        (_, Some(tree)) => build_tree(args, tree, printer),
        (Some(recipe), None) => build_recipe(args, recipe, printer),
        (None, None) => unreachable!("clap asks for one of the two"),
    }
}

fn build_recipe(args: &BuildArgs, path: &Path, printer: &Printer) -> Result<ExitStatus, Failure> {
    let overrides = Overrides {
        version: version(&args.set)?,
        parcels_directory: args.parcels_dir.clone(),
    };
    let recipe = Recipe::load(path, &overrides)?.select(&args.distro)?;
    let cache_directory = folder::cache()?;
    let work_directory = args
        .work_dir
        .clone()
        .unwrap_or_else(|| cache_directory.join("work"));
    let _out = OutputFolder::open(&args.out)?;
    let options = BuildOptions {
        out: args.out.clone(),
        work_directory,
        cache_directory,
        channels: args.channel.clone(),
        lock: args.lock.clone(),
        locked: args.locked,
        offline: args.offline,
        epoch: folder::source_date_epoch()?,
        level: level(args),
        search: folder::search(),
    };
    let bars: Arc<dyn recipe::progress::Progress> = Arc::new(Bars::new(printer));
    let built = recipe::build(&recipe, &options, &bars)?;
    drop(bars);
    for warning in &built.warnings {
        printer.warn(warning);
    }
    for parcel in &built.parcels {
        show(parcel, printer)?;
    }
    match built.lock {
        LockOutcome::Written(path) => printer.say(&format!("Wrote {}", path.display())),
        LockOutcome::NotWritten(reason) => printer.say(&format!("No lock: {reason}")),
        _ => {}
    }
    Ok(ExitStatus::Done)
}

fn build_tree(args: &BuildArgs, tree: &Path, printer: &Printer) -> Result<ExitStatus, Failure> {
    let absolute = fs_err::canonicalize(tree)?;
    let directory = absolute
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let name_error = |error: parcel::NameError| {
        let hint = error.hint();
        Failure::could_not_run(error).hint(hint)
    };
    let (product, version) = parcel::split_directory(&directory).map_err(|_| {
        Failure::could_not_run(anyhow::anyhow!(
            "{} is not called NAME-VERSION",
            tree.display()
        ))
        .hint(Some(
            "The directory's own name becomes the parcel's.".to_owned(),
        ))
    })?;
    let epoch = folder::source_date_epoch()?.unwrap_or_default();
    if std::path::absolute(&args.out)?.starts_with(&absolute) {
        let error = anyhow::anyhow!("{} is in the tree itself", args.out.display());
        let hint = "Give a folder outside with -o; the parcel would hold it.".to_owned();
        return Err(Failure::could_not_run(error).hint(Some(hint)));
    }
    let _out = OutputFolder::open(&args.out)?;
    for distro in &args.distro {
        let distro = distro.parse().map_err(name_error)?;
        let name = ParcelName::new(product.clone(), version.clone(), distro);
        let bars = Bars::new(printer);
        let parcel = Builder::new(&absolute, name)
            .options(WriteOptions {
                epoch,
                level: level(args),
                ..WriteOptions::default()
            })
            .build(&args.out, &bars)?;
        drop(bars);
        show(&parcel, printer)?;
    }
    Ok(ExitStatus::Done)
}

fn level(args: &BuildArgs) -> Level {
    Level::new(args.level).expect("clap lets only 1 to 9 through")
}

/// The one value that can be set so far.
fn version(set: &[String]) -> Result<Option<String>, Failure> {
    let mut version = None;
    for setting in set {
        let Some(("version", value)) = setting.split_once('=') else {
            let error = anyhow::anyhow!("--set {setting} is not known");
            let hint = "Write --set version=VERSION.".to_owned();
            return Err(Failure::could_not_run(error).hint(Some(hint)));
        };
        version = Some(value.to_owned());
    }
    Ok(version)
}

fn show(parcel: &Parcel, printer: &Printer) -> Result<(), Failure> {
    let warnings = crate::report::findings(&parcel.report);
    if !warnings.is_empty() {
        printer.say(warnings.trim_end());
    }
    if parcel.replaced {
        printer.warn(&format!(
            "{} was there with other content; hosts that have it keep the old one: a changed parcel needs a new version",
            parcel.path.display()
        ));
    }
    printer.say(&format!(
        "Built {}: {} entries, {} in {}",
        parcel.name,
        parcel.entries,
        bytes(parcel.unpacked_bytes),
        bytes(parcel.digests.size_bytes)
    ));
    printer.data(&parcel.path.display().to_string())?;
    Ok(())
}
