//! `token`: the owner's token, for scripts and for lost links.

use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;
use serde::Deserialize;
use url::Url;

use super::client;
use crate::config::Config;
use crate::web::key;

#[derive(Debug, Args)]
pub struct Arguments {
    /// Make a new token; every browser is signed out
    #[arg(long, conflicts_with = "link")]
    rotate: bool,
    /// Ask the running server for a link that signs a browser in once
    #[arg(long)]
    link: bool,
    /// The running server, if it is not the configured one
    #[arg(long, requires = "link", value_name = "URL")]
    url: Option<Url>,
}

#[derive(Deserialize)]
struct NewLink {
    link: String,
}

pub fn run(arguments: &Arguments, config: &Config) -> anyhow::Result<ExitCode> {
    let path = key::path(&config.store);
    let text = if arguments.link {
        client::wait(link(&client::base(arguments.url.as_ref(), config), config))?
    } else if arguments.rotate {
        key::rotate(&path).with_context(|| format!("{} cannot be written", path.display()))?
    } else {
        let missing = || format!("{} does not exist: start the server once, or use --rotate", path.display());
        key::read(&path)?.with_context(missing)?
    };
    client::print(&text);
    Ok(ExitCode::SUCCESS)
}

async fn link(base: &Url, config: &Config) -> anyhow::Result<String> {
    let token = client::token(base, config)?;
    let token =
        token.context("the owner's token is only sent to the server of this machine, and there is none here")?;
    let asked = client::http()?.post(base.join("/api/session/link")?).bearer_auth(token).send();
    let response = asked.await.with_context(|| format!("nothing answers at {base}"))?;
    if !response.status().is_success() {
        return Err(client::refusal(response).await);
    }
    Ok(response.json::<NewLink>().await?.link)
}
