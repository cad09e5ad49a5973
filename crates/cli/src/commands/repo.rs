//! `parcelctl repo`

use parcel::repository::{self, ManifestJson};

use crate::args::RepoIndexArgs;
use crate::failure::Failure;
use crate::output::{ExitStatus, Printer};
use crate::progress::Bars;

pub(crate) fn index(args: &RepoIndexArgs, printer: &Printer) -> Result<ExitStatus, Failure> {
    let bars = Bars::new(printer);
    let manifest = repository::index(&args.directory, &bars)?;
    drop(bars);
    if manifest.parcels.is_empty() {
        printer.warn(&format!(
            "there is no parcel in {}",
            args.directory.display()
        ));
    }
    printer.say(&format!("Indexed {} parcels", manifest.parcels.len()));
    printer.data(
        &args
            .directory
            .join(ManifestJson::NAME)
            .display()
            .to_string(),
    )?;
    Ok(ExitStatus::Done)
}
