//! `keep`: runs a program for the server, so that nothing of it outlives the server. Reads no configuration.

use std::ffi::OsString;
use std::process::ExitCode;

use anyhow::Context as _;

use crate::platforms::exec;

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The program and its arguments
    #[arg(last = true, required = true)]
    command: Vec<OsString>,
}

pub fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let (program, args) = arguments.command.split_first().context("no program given")?;
    exec::keep(program, args)?;
    Ok(ExitCode::SUCCESS)
}
