//! `elora-chat import`: the store and its list of sources without a server around them.

use std::path::PathBuf;

use anyhow::Context as _;
use tokio_util::sync::CancellationToken;

use crate::config::{Config, Mode};
use crate::features::import::{Given, Outcome, Step, Stopped, bring};
use crate::features::sources::Sources;
use crate::feed::Hub;
use crate::ingest::Board;
use crate::store::{self, OpenError};
use crate::telemetry::Metrics;

/// Brings files into the store, one after another, until `stop`. `tell` hears how far it has come.
pub async fn import(
    config: &Config,
    files: &[PathBuf],
    stop: &CancellationToken,
    tell: impl FnMut(&Step<'_>),
) -> anyhow::Result<Outcome> {
    anyhow::ensure!(
        config.store.mode == Mode::Persistent,
        "ELORA_DB_MODE=ephemeral keeps nothing: set ELORA_DB_PATH to the store's file"
    );
    let mut given = Vec::new();
    for file in files {
        let one = Given::look(file)?;
        one.prove()?;
        given.push(one);
    }
    let opened = store::open(&config.store, config.ingest.queue, &Metrics::new());
    let store::Opened { db, queue, mut writer } = opened.map_err(with_remedy)?;
    let brought = carry(config, db, given, stop, tell).await;
    // The writer ends when nobody can send it anything any more.
    drop(queue);
    writer.ended().await;
    brought
}

/// What is at fault, so that the exit code can tell.
fn cause(stopped: Stopped) -> anyhow::Error {
    match stopped {
        Stopped::Origin(trouble) => trouble.into(),
        Stopped::Store(error) => error.into(),
    }
}

/// A server that runs has the file's history by itself, if the file is where its store was configured.
fn with_remedy(error: OpenError) -> anyhow::Error {
    match error {
        OpenError::InUse { .. } => {
            anyhow::Error::new(error).context("a server must be stopped while files are imported")
        }
        error => error.into(),
    }
}

async fn carry(
    config: &Config,
    db: store::Db,
    given: Vec<Given>,
    stop: &CancellationToken,
    mut tell: impl FnMut(&Step<'_>),
) -> anyhow::Result<Outcome> {
    let hub = Hub::new(db.committed().borrow().last, *db.purged().borrow());
    let sources = Sources::open(db.clone(), hub, Board::default(), config.sources.clone(), Default::default());
    let wanted = sources.await.context("the list of sources cannot be read")?.channels();
    let mut outcome = Outcome::default();
    for one in given {
        bring(&db, one, wanted.clone(), &mut outcome, stop, &mut tell).await.map_err(cause)?;
    }
    Ok(outcome)
}
