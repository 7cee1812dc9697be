//! Tells gnasty what it is to do: at the start, a little later, and after every change. Only where somebody named it.

use std::time::Duration;

use serde::Serialize;
use serde_json::{Value, json};
use tokio::sync::{mpsc, watch};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use url::Url;

use super::desk::Book;
use super::document::Document;
use crate::chat::Millis;
use crate::config::Config;
use crate::config::settings::{text, tidy};
use crate::store::Db;
use crate::telemetry::escape;
use crate::web::upstream::Upstream;

/// Where it takes its configuration, under its base.
const ROUTE: &str = "admin/config";
/// How often it is tried, how long one try may take, and the pause between two.
const TRIES: usize = 3;
const PATIENCE: Duration = Duration::from_secs(2);
const PAUSE: Duration = Duration::from_millis(300);
/// A harvester that is started together with us may listen a little later.
const SECOND_TIME: Duration = Duration::from_secs(5);
/// Rings that may wait.
const RINGS: usize = 64;
/// The longest answer that is read, in bytes, and how much of it is told at most.
const LONGEST_ANSWER: usize = 64 * 1024;
const LONGEST_WORD: usize = 512;
const CUT: &str = "…";

/// How the last word to gnasty was taken.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Status {
    #[serde(skip_serializing_if = "Option::is_none")]
    last_attempt_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_success_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_error: Option<String>,
    target_base: String,
}

pub struct Gnasty {
    upstream: Upstream,
    target: Url,
    db: Db,
    book: Book,
    rings: mpsc::Receiver<()>,
    status: watch::Sender<Status>,
}

/// The bell for others, the one who answers it, and what is known of gnasty.
pub type Opened = (mpsc::Sender<()>, Option<Gnasty>, watch::Receiver<Status>);

pub fn open(config: &Config, db: &Db, book: Book, upstream: Upstream) -> Opened {
    let (resync, rings) = mpsc::channel(RINGS);
    let Some(base) = &config.gnasty.admin_base else {
        return (resync, None, watch::channel(Status::default()).1);
    };
    let shown = text(&tidy(base.clone()));
    let target = Upstream::address(base, ROUTE);
    let (status, known) = watch::channel(Status { target_base: shown, ..Status::default() });
    (resync, Some(Gnasty { upstream, target, db: db.clone(), book, rings, status }), known)
}

impl Gnasty {
    /// Tells until `stop`.
    pub async fn run(mut self, stop: CancellationToken) {
        let _ = stop.run_until_cancelled(self.tell_all()).await;
    }

    async fn tell_all(&mut self) {
        self.tell().await;
        let second_time = sleep(SECOND_TIME);
        tokio::pin!(second_time);
        let mut was_told_twice = false;
        loop {
            tokio::select! {
                ring = self.rings.recv() => if ring.is_none() { return },
                () = &mut second_time, if !was_told_twice => was_told_twice = true,
            }
            self.tell().await;
        }
    }

    async fn tell(&self) {
        let mut told = Ok(());
        for attempt in 0..TRIES {
            if attempt > 0 {
                sleep(PAUSE).await;
            }
            told = self.attempt().await;
            if told.is_ok() {
                break;
            }
        }
        if let Err(problem) = &told {
            tracing::warn!("config: gnasty bulk sync warning: {problem}");
        }
        self.status.send_modify(|status| status.last_error = told.err());
    }

    async fn attempt(&self) -> Result<(), String> {
        let now = || Some(Millis::now().to_string());
        self.status.send_modify(|status| status.last_attempt_at = now());
        let book = self.book.clone();
        let document = self.db.read(move |connection| book.show(connection)).await;
        let document = document.map_err(|error| format!("the settings cannot be read: {error}"))?;
        let client = self.upstream.client().map_err(|problem| problem.detail().to_owned())?;
        let request = client.post(self.target.clone()).json(&payload(&document));
        let answer = self.upstream.ask(request, PATIENCE, LONGEST_ANSWER).await;
        let answer = answer.map_err(|failed| format!("gnasty {failed}"))?;
        if !answer.status.is_success() {
            let said = String::from_utf8_lossy(&answer.body);
            return Err(cut(&format!("gnasty answered {}: {}", answer.status, escape(said.trim()))));
        }
        self.status.send_modify(|status| status.last_success_at = now());
        Ok(())
    }
}

fn cut(text: &str) -> String {
    if text.len() <= LONGEST_WORD {
        return text.to_owned();
    }
    format!("{}{CUT}", &text[..text.floor_char_boundary(LONGEST_WORD)])
}

/// What gnasty is told, as it spells it.
fn payload(document: &Document) -> Value {
    let (sinks, twitch, youtube) = (&document.gnasty.sinks, &document.gnasty.twitch, &document.gnasty.youtube);
    let mut payload = json!({
        "sinks": { "enabled": sinks.enabled, "batch_size": sinks.batch_size, "flush_max_ms": sinks.flush_max_ms },
        "twitch": {
            "channel": document.twitch_channel,
            "tls": twitch.tls,
            "debug_drops": twitch.debug_drops,
            "backoff_min_ms": twitch.backoff_min_ms,
            "backoff_max_ms": twitch.backoff_max_ms,
            "refresh_backoff_min_ms": twitch.refresh_backoff_min_ms,
            "refresh_backoff_max_ms": twitch.refresh_backoff_max_ms,
        },
        "youtube": {
            "url": document.youtube_source_url,
            "retry_seconds": youtube.retry_seconds,
            "dump_unhandled": youtube.dump_unhandled,
            "poll_timeout_secs": youtube.poll_timeout_secs,
            "poll_interval_ms": youtube.poll_interval_ms,
            "debug": youtube.debug,
        },
    });
    if !twitch.nick.is_empty() {
        payload["twitch"]["nick"] = json!(twitch.nick);
    }
    payload
}
