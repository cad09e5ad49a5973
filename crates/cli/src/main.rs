//! `parcelctl`: conda environments as Cloudera parcels.
//!
//! This file parses, runs one command and maps what came of it to an exit code: 0 done, 1 looked
//! and found errors, 2 could not run.

mod args;
mod commands;
mod failure;
mod folder;
mod init;
mod output;
mod progress;
mod report;

use std::process::ExitCode;

use clap::Parser;

use crate::args::{Cli, Command, RepoCommand};
use crate::failure::Failure;
use crate::output::{ExitStatus, Printer};

fn main() -> ExitCode {
    let cli = Cli::parse();
    let printer = Printer::new(&cli.global);
    // Unfinished files go when a signal ends the program; 130 is what shells say of an interrupt.
    let handler = ctrlc::set_handler(|| {
        parcel::scratch::sweep();
        std::process::exit(130);
    });
    let result = match handler {
        Ok(()) => run(&cli, &printer),
        Err(error) => Err(Failure::could_not_run(error)),
    };
    // What failed then may have failed because its files went: the handler has the last word.
    parcel::scratch::wait_if_interrupted();
    match result {
        Ok(status) => status.into(),
        // Who reads our output has read enough.
        Err(failure) if failure.is_broken_pipe() => ExitStatus::Done.into(),
        Err(failure) => {
            printer.failure(&failure);
            failure.status().into()
        }
    }
}

fn run(cli: &Cli, printer: &Printer) -> Result<ExitStatus, Failure> {
    match &cli.command {
        Command::Init(args) => commands::init::run(args, printer),
        Command::Build(args) => commands::build::run(args, printer),
        Command::Validate(args) => commands::validate::run(args, printer),
        Command::Explain(args) => commands::rules::explain_rule(args, printer),
        Command::Rules(args) => commands::rules::list(args, printer),
        Command::Inspect(args) => commands::inspect::run(args, printer),
        Command::Repo(RepoCommand::Index(args)) => commands::repo::index(args, printer),
        Command::Install(args) => commands::install::run(args, printer),
        Command::Completions(args) => commands::manual::completions(args),
        Command::Man(args) => commands::manual::man(args, printer),
    }
}
