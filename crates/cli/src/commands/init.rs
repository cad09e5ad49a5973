//! `parcelctl init`

use crate::args::InitArgs;
use crate::failure::Failure;
use crate::init::Starter;
use crate::output::{ExitStatus, Printer};

pub(crate) fn run(args: &InitArgs, printer: &Printer) -> Result<ExitStatus, Failure> {
    fs_err::create_dir_all(&args.directory)?;
    let name = fs_err::canonicalize(&args.directory)?;
    let name = name
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let starter = Starter::new(&name);
    let files = starter
        .files()
        .map(|(file, text)| (args.directory.join(file), text));
    if let Some((path, _)) = files
        .iter()
        .find(|(path, _)| path.symlink_metadata().is_ok())
    {
        let error = anyhow::anyhow!("{} is there already", path.display());
        let hint = "Give a new folder; nothing was written.".to_owned();
        return Err(Failure::could_not_run(error).hint(Some(hint)));
    }
    for (path, text) in files {
        fs_err::write(&path, text)?;
        printer.data(&path.display().to_string())?;
    }
    printer.say(&format!(
        "Now: parcelctl build {} -o out",
        args.directory.display()
    ));
    Ok(ExitStatus::Done)
}
