//! `parcelctl install`

use std::collections::BTreeMap;

use parcel::ParcelName;
use parcel::install::{Installer, Replace};

use crate::args::InstallArgs;
use crate::failure::Failure;
use crate::output::{ExitStatus, Printer};
use crate::progress::Bars;

pub(crate) fn run(args: &InstallArgs, printer: &Printer) -> Result<ExitStatus, Failure> {
    if !args.root.is_dir() {
        let error = anyhow::anyhow!("--root {} is not a folder", args.root.display());
        let hint = "Give the folder that will be / of the image or host.".to_owned();
        return Err(Failure::could_not_run(error).hint(Some(hint)));
    }
    let mut installer = Installer::new(&args.root)
        .parcels_directory(&args.parcels_dir)
        .replace(if args.replace {
            Replace::Yes
        } else {
            Replace::No
        })
        .activate(!args.no_activate);
    if let Some(sha256) = args.sha256 {
        if args.parcels.len() > 1 {
            let error =
                anyhow::anyhow!("--sha256 is the checksum of one parcel, and several are given");
            return Err(Failure::could_not_run(error));
        }
        installer = installer.expect(sha256);
    }
    one_distro_each(args)?;
    for parcel in &args.parcels {
        let bars = Bars::new(printer);
        let installation = installer.install(parcel, &bars)?;
        drop(bars);
        if !installation.verified {
            printer.warn(&format!(
                "{} has no .sha or .sha256 beside it, so nothing vouches for it",
                parcel.display()
            ));
        }
        let meta = &installation.meta;
        let left = [
            (
                !meta.parcel.users.is_empty() || !meta.parcel.groups.is_empty(),
                "users and groups",
            ),
            (meta.permissions.is_some(), "permissions"),
            (meta.alternatives.is_some(), "alternatives"),
        ];
        let left: Vec<&str> = left
            .into_iter()
            .filter(|(is_there, _)| *is_there)
            .map(|(_, what)| what)
            .collect();
        if !left.is_empty() {
            printer.warn(&format!(
                "{} of {} were not applied; parcelctl does not do that yet",
                left.join(", "),
                meta.parcel.name
            ));
        }
        let what = if installation.changed {
            "Installed"
        } else {
            "Unchanged:"
        };
        let link = installation
            .link
            .as_ref()
            .map(|link| format!(", active as {}", link.display()));
        printer.say(&format!(
            "{what} {} {}{}",
            installation.meta.parcel.name,
            installation.meta.parcel.version,
            link.unwrap_or_default()
        ));
        printer.data(&installation.directory.display().to_string())?;
    }
    Ok(ExitStatus::Done)
}

/// Two files of one version for two distros cannot both be installed under a root.
fn one_distro_each(args: &InstallArgs) -> Result<(), Failure> {
    let mut seen: BTreeMap<String, String> = BTreeMap::new();
    for path in &args.parcels {
        let name = path.file_name().and_then(|name| name.to_str());
        let Some(name) = name.and_then(|name| name.parse::<ParcelName>().ok()) else {
            continue;
        };
        let distro = name.distro().to_string();
        if let Some(other) = seen.insert(name.directory(), distro.clone())
            && other != distro
        {
            let directory = name.directory();
            let error = anyhow::anyhow!("{directory} is given for {other} and for {distro}");
            let hint = "Give the one file that fits the root.".to_owned();
            return Err(Failure::could_not_run(error).hint(Some(hint)));
        }
    }
    Ok(())
}
