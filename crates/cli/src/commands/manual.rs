//! `parcelctl completions` and `parcelctl man`: made from the arguments themselves.

use std::io::{self, Write};

use clap::CommandFactory;

use crate::args::{Cli, CompletionsArgs, ManArgs};
use crate::failure::Failure;
use crate::output::{ExitStatus, Printer};

pub(crate) fn completions(args: &CompletionsArgs) -> Result<ExitStatus, Failure> {
    // Into memory first: the generator panics where its writer fails, as a closed pipe does.
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "parcelctl", &mut script);
    io::stdout().lock().write_all(&script)?;
    Ok(ExitStatus::Done)
}

pub(crate) fn man(args: &ManArgs, printer: &Printer) -> Result<ExitStatus, Failure> {
    if let Some(folder) = &args.out {
        fs_err::create_dir_all(folder)?;
        clap_mangen::generate_to(Cli::command(), folder)?;
        printer.data(&folder.display().to_string())?;
        return Ok(ExitStatus::Done);
    }
    let mut page = Vec::new();
    clap_mangen::Man::new(Cli::command()).render(&mut page)?;
    io::stdout().lock().write_all(&page)?;
    Ok(ExitStatus::Done)
}
