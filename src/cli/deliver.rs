//! Files to a running server, a request after the other.

use std::path::PathBuf;

use anyhow::Context as _;
use reqwest::header::CONTENT_TYPE;
use tokio_util::sync::CancellationToken;
use url::Url;

use super::client;
use crate::config::Config;
use crate::features::import::{Answer, Given, Outcome, Parcels, Step};

/// Sends everything in the files, until `stop`.
pub async fn deliver(
    config: &Config,
    files: &[PathBuf],
    stop: &CancellationToken,
    mut tell: impl FnMut(&Step<'_>),
) -> anyhow::Result<Outcome> {
    let (base, http, mut outcome) = (client::base(None, config), client::http()?, Outcome::default());
    let token = client::token(&base, config)?.context("there is no owner's token beside the store")?;
    for file in files {
        let (given, wanted) = (Given::look(file)?, config.sources.iter().cloned().collect());
        let name = file.display().to_string();
        let opening = tokio::task::spawn_blocking(move || Parcels::open(&given, wanted));
        let Some(parcels) = stop.run_until_cancelled(opening).await else { return Ok(outcome) };
        let mut parcels = parcels??;
        loop {
            let read = tokio::task::spawn_blocking(move || {
                let parcel = parcels.take();
                (parcels, parcel)
            });
            let Some(read) = stop.run_until_cancelled(read).await else { return Ok(outcome) };
            let (back, parcel) = read?;
            parcels = back;
            let Some(parcel) = parcel? else { break };
            let answer = post(&http, &base, &token, parcel.lines).await?;
            outcome.note(&name, &answer);
            outcome.note(&name, &Answer { unreadable: parcel.unreadable, first: parcel.first, ..Answer::default() });
            tell(&Step { name: &name, done: parcel.done, total: parcel.total });
        }
    }
    Ok(outcome)
}

async fn post(http: &reqwest::Client, base: &Url, token: &str, lines: String) -> anyhow::Result<Answer> {
    if lines.is_empty() {
        return Ok(Answer::default());
    }
    let request = http.post(base.join("/api/import")?).bearer_auth(token).header(CONTENT_TYPE, "application/x-ndjson");
    let response = request.body(lines).send().await.with_context(|| format!("nothing answers at {base}"))?;
    if response.status().is_success() { Ok(response.json().await?) } else { Err(client::refusal(response).await) }
}
