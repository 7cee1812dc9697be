//! `import`: brings history in from files that are named, and says how far it is and what became of it.

use std::io::{IsTerminal as _, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use clap::Args;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::deliver::deliver;
use super::{client, exit};
use crate::app;
use crate::config::Config;
use crate::features::import::{Outcome, Step};
use crate::store::OpenError;
use crate::telemetry::escape;

/// How often a terminal's line is written anew, and how often a line is added where there is no terminal.
const REWRITE_EVERY: Duration = Duration::from_millis(200);
const ADD_EVERY: Duration = Duration::from_secs(5);

#[derive(Debug, Args)]
pub struct Arguments {
    /// Files of the earlier elora-chat, of gnasty or of this program, exports as NDJSON, recordings; - is standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

pub fn run(arguments: &Arguments, config: &Config) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let runtime = runtime.context("no runtime")?;
    let mut screen = Screen::new();
    let stop = CancellationToken::new();
    let done = runtime.block_on(async {
        // From here on, also while the store is opened.
        let mut interrupt = signal(SignalKind::interrupt())?;
        let importing = import(config, &arguments.files, &stop, |step| screen.show(step));
        tokio::pin!(importing);
        tokio::select! {
            done = &mut importing => return done,
            Some(()) = interrupt.recv() => stop.cancel(),
        }
        importing.await
    });
    // Whoever still waits for what is piped in is left behind.
    runtime.shutdown_background();
    screen.clear();
    client::print(&sentence(&done?));
    if stop.is_cancelled() {
        client::print("stopped: the same command goes on");
        return Ok(ExitCode::from(exit::STOPPED));
    }
    Ok(ExitCode::SUCCESS)
}

/// Into the store itself, or through the server that has it open.
async fn import(
    config: &Config,
    files: &[PathBuf],
    stop: &CancellationToken,
    mut tell: impl FnMut(&Step<'_>),
) -> anyhow::Result<Outcome> {
    let own = app::import(config, files, stop, &mut tell).await;
    match own {
        Err(error) if error.chain().any(is_in_use) => {
            let sent = deliver(config, files, stop, tell).await;
            sent.map_err(|why| {
                error.context(format!("the server that runs could not be sent anything either: {why:#}"))
            })
        }
        own => own,
    }
}

fn is_in_use(cause: &(dyn std::error::Error + 'static)) -> bool {
    matches!(cause.downcast_ref(), Some(OpenError::InUse { .. }))
}

fn sentence(outcome: &Outcome) -> String {
    let Outcome { brought, unreadable, first } = outcome;
    let mut text = format!("imported {}, already there {}, unreadable {unreadable}", brought.stored, brought.known);
    if let Some(first) = first {
        text += &format!(" (first: {})", escape(first));
    }
    if brought.outdated > 0 {
        text += &format!(", older than the last purge and left out {}", brought.outdated);
    }
    text
}

/// Where progress is shown: one line that is written anew, or a line now and then.
struct Screen {
    is_terminal: bool,
    shown_at: Option<Instant>,
}

impl Screen {
    fn new() -> Self {
        Self { is_terminal: std::io::stderr().is_terminal(), shown_at: None }
    }

    fn show(&mut self, step: &Step<'_>) {
        let every = if self.is_terminal { REWRITE_EVERY } else { ADD_EVERY };
        let now = Instant::now();
        let begun = *self.shown_at.get_or_insert(now);
        if now.duration_since(begun) < every {
            return;
        }
        self.shown_at = Some(now);
        let line = line(step);
        // Nobody may be looking any more.
        let _ = match self.is_terminal {
            true => write!(std::io::stderr(), "\r\x1b[K{line}"),
            false => writeln!(std::io::stderr(), "{line}"),
        };
    }

    fn clear(&self) {
        if self.is_terminal && self.shown_at.is_some() {
            let _ = write!(std::io::stderr(), "\r\x1b[K");
        }
    }
}

fn line(step: &Step<'_>) -> String {
    let name = escape(step.name);
    match step.total {
        Some(total) => {
            let percent = step.done.saturating_mul(100).checked_div(total).unwrap_or(100).min(100);
            format!("{name}: {} of {} ({percent} %)", step.done, total.max(step.done))
        }
        None => format!("{name}: {}", step.done),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Brought;

    #[test]
    fn the_last_line_says_what_became_of_everything() {
        let brought = Brought { stored: 3, known: 2, outdated: 0, refused: 0 };
        let mut outcome = Outcome { brought, unreadable: 0, first: None };
        assert_eq!(sentence(&outcome), "imported 3, already there 2, unreadable 0");

        (outcome.unreadable, outcome.first) = (1, Some("a.ndjson line 17: it is not a JSON object".to_owned()));
        outcome.brought.outdated = 4;

        let expected = "imported 3, already there 2, unreadable 1 (first: a.ndjson line 17: it is not a JSON object), \
                        older than the last purge and left out 4";
        assert_eq!(sentence(&outcome), expected);
    }

    #[test]
    fn progress_never_says_more_than_everything() {
        let step = |done, total| line(&Step { name: "a.db", done, total });
        assert_eq!(step(350, Some(1000)), "a.db: 350 of 1000 (35 %)");
        assert_eq!(step(1100, Some(1000)), "a.db: 1100 of 1100 (100 %)");
        assert_eq!((step(0, Some(0)), step(5, None)), ("a.db: 0 of 0 (100 %)".to_owned(), "a.db: 5".to_owned()));
    }
}
