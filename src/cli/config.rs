//! `config`: what the server would start with.

use std::process::ExitCode;

use clap::Args;

use super::client;
use crate::config::{self, Config};

#[derive(Debug, Args)]
pub struct Arguments {
    /// Only say whether it is good
    #[arg(long)]
    check: bool,
}

/// A configuration that could be read is good: what is wrong was told while reading it.
pub fn run(arguments: &Arguments, settings: &Config) -> anyhow::Result<ExitCode> {
    for remark in &settings.remarks {
        eprintln!("elora-chat: {remark}");
    }
    if arguments.check {
        client::print("the configuration is good");
    } else {
        client::print(&format!("{:#}", config::everything(settings)));
    }
    Ok(ExitCode::SUCCESS)
}
