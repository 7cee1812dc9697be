//! History into the store, beside the writer's queue: a little at a time, and with how far it has come in the same
//! transaction. Knows nothing of where it is from.

use std::ops::AddAssign;

use rusqlite::Connection;
use sha2::{Digest as _, Sha256};
use tokio::sync::oneshot;

use super::append::{Appended, Appender};
use super::{Db, Error, body, entry, job};
use crate::chat::NewEvent;

/// What became of events that were brought in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Brought {
    pub stored: u64,
    /// Those that were here.
    pub known: u64,
    /// Those from a time that was purged.
    pub outdated: u64,
    /// Those that no database can take.
    pub refused: u64,
}

impl AddAssign for Brought {
    fn add_assign(&mut self, more: Self) {
        self.stored += more.stored;
        self.known += more.known;
        self.outdated += more.outdated;
        self.refused += more.refused;
    }
}

impl Db {
    /// Stores events as history, newest first, with a mark, and says what became of them. Chat waits for it, so there
    /// should be few. The same event is stored once, however often it comes.
    pub async fn bring_in(&self, events: Vec<NewEvent>, mark: Option<(String, String)>) -> Result<Brought, Error> {
        let (reply, answer) = oneshot::channel();
        let bring = move |tx: &Connection, appender: &mut Appender| {
            let mut brought = Brought::default();
            for event in events {
                brought.count(appender.append_or_skip(tx, &as_history(event))?);
            }
            if let Some((name, value)) = &mark {
                entry::set(tx, name, value)?;
            }
            Ok(brought)
        };
        self.ask(job::append(bring, reply), answer).await
    }

    /// Puts into the file what bringing in has written, so that nobody has to while chat waits: now and then.
    pub async fn settle(&self) -> Result<(), Error> {
        self.empty_log().await
    }
}

impl Brought {
    fn count(&mut self, appended: Option<Appended>) {
        match appended {
            Some(Appended::Stored(_)) => self.stored += 1,
            Some(Appended::Duplicate) => self.known += 1,
            Some(Appended::Outdated) => self.outdated += 1,
            None => self.refused += 1,
        }
    }
}

/// The event as history: it was received when it happened, as far as anybody knows, and it has an id by which it is
/// known again.
pub fn as_history(mut event: NewEvent) -> NewEvent {
    event.backfill = true;
    event.received_at = event.happened_at();
    if event.native_id.as_deref().is_none_or(str::is_empty) {
        event.native_id = Some(made_id(&event));
    }
    event
}

/// Bytes of a made id: enough that two events never share one.
const ID_BYTES: usize = 16;

fn made_id(event: &NewEvent) -> String {
    let (text, body) = body::encode(&event.kind);
    let at = event.happened_at().0.to_string();
    let mut hash = Sha256::new();
    for part in [event.channel.key(), &at, text.unwrap_or_default(), &body] {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    let digest = hash.finalize();
    digest.iter().take(ID_BYTES).fold("old-".to_owned(), |id, byte| format!("{id}{byte:02x}"))
}
