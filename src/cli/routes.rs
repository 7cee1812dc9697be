//! `routes`: the table of routes, for tests that try every door.

use std::process::ExitCode;

use crate::app;
use crate::config::Config;

pub fn run(config: &Config) -> anyhow::Result<ExitCode> {
    for route in app::table(config)? {
        println!("{route}");
    }
    Ok(ExitCode::SUCCESS)
}
