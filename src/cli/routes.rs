//! `routes`: the table of routes, for tests that try every door.

use std::process::ExitCode;

use super::client;
use crate::app;
use crate::config::{Config, DriverKind, Mode};

/// Puts the rooms together around a store of its own, so that a running server is not disturbed.
pub fn run(settings: &Config) -> anyhow::Result<ExitCode> {
    let folder = std::env::temp_dir().join(format!("elora-chat-routes-{}", std::process::id()));
    let mut config = settings.clone();
    config.store.mode = Mode::Ephemeral;
    config.store.path = folder.join("elora.db");
    config.ingest.driver = DriverKind::None;
    let table = client::wait(app::table(&config));
    let _ = std::fs::remove_dir_all(&folder);
    for route in table? {
        client::print(&route.to_string());
    }
    Ok(ExitCode::SUCCESS)
}
