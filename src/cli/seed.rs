//! `seed`: has the running server put demo rows into its store.

use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use reqwest::StatusCode;
use serde::Deserialize;
use url::Url;

use super::client;
use crate::config::Config;

#[derive(Debug, Args)]
pub struct Arguments {
    what: Rows,
    /// The running server, if it is not the configured one
    #[arg(long, value_name = "URL")]
    url: Option<Url>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Rows {
    /// One line that shows where chat stands
    Marker,
    /// Six lines on two platforms
    Burst,
}

#[derive(Deserialize)]
struct Answer {
    inserted: u64,
}

pub fn run(arguments: &Arguments, config: &Config) -> anyhow::Result<ExitCode> {
    let base = client::base(arguments.url.as_ref(), config);
    let path = match arguments.what {
        Rows::Marker => "/api/dev/seed/marker",
        Rows::Burst => "/api/dev/seed/burst",
    };
    let Answer { inserted } = client::wait(ask(&base, path, config))?;
    client::print(&format!("inserted {inserted} {}", if inserted == 1 { "row" } else { "rows" }));
    Ok(ExitCode::SUCCESS)
}

async fn ask(base: &Url, path: &str, config: &Config) -> anyhow::Result<Answer> {
    let mut request = client::http()?.post(base.join(path)?);
    if let Some(token) = client::token(base, config)? {
        request = request.bearer_auth(token);
    }
    let response = request.send().await.with_context(|| format!("nothing answers at {base}"))?;
    match response.status() {
        status if status.is_success() => Ok(response.json().await?),
        StatusCode::NOT_FOUND => anyhow::bail!(
            "the server takes no demo rows: start it with ELORA_DEV_SEED_ENABLED=1, and with no ELORA_ENV, GO_ENV or ENVIRONMENT \
             that says production"
        ),
        _ => Err(client::refusal(response).await),
    }
}
