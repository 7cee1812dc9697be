//! `healthcheck`: is the configured server ready?

use std::process::ExitCode;

use anyhow::Context as _;

use super::client;
use crate::config::Config;

pub fn run(config: &Config) -> anyhow::Result<ExitCode> {
    let url = client::base(None, config).join("/readyz")?;
    client::wait(async {
        let response =
            client::http()?.get(url.clone()).send().await.with_context(|| format!("nothing answers at {url}"))?;
        if !response.status().is_success() {
            return Err(client::refusal(response).await);
        }
        client::print("ready");
        Ok(ExitCode::SUCCESS)
    })
}
