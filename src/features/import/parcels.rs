//! What somebody imports by hand, as lines for a server that has the store open.

use std::collections::BTreeSet;

use super::Given;
use super::origin::{Origin, Piece, Trouble};
use crate::chat::{Channel, Event, EventId, NewEvent, State};
use crate::feed::wire;
use crate::store::{Marks, as_history};

/// Bytes in a parcel at most: a server takes 64 KiB.
const MOST: usize = 48 * 1024;
/// Rows or lines that are read at once.
const READ: u32 = 128;

/// Everything of one file, a parcel after the other. Reading blocks.
pub struct Parcels {
    origin: Option<Box<dyn Origin>>,
    waiting: Vec<String>,
    total: Option<u64>,
    done: u64,
}

/// Lines that go in one request.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Parcel {
    pub lines: String,
    /// What was read for it and could not be read or sent.
    pub unreadable: u64,
    pub first: Option<String>,
    /// How far reading has come, of so much.
    pub done: u64,
    pub total: Option<u64>,
}

impl Parcels {
    pub fn open(given: &Given, wanted: BTreeSet<Channel>) -> Result<Self, Trouble> {
        let origin = given.open(wanted, &Marks::new())?;
        let total = origin.as_ref().and_then(Origin::total);
        Ok(Self { origin, waiting: Vec::new(), total, done: 0 })
    }

    /// The next one; none at the end.
    pub fn take(&mut self) -> Result<Option<Parcel>, Trouble> {
        let mut parcel = Parcel::default();
        if self.waiting.is_empty() {
            let Some(origin) = &mut self.origin else { return Ok(None) };
            let Piece { events, done, unreadable, first, is_last, .. } = origin.piece(READ)?;
            (self.done, parcel.unreadable, parcel.first) = (done, unreadable, first);
            self.waiting = events.into_iter().map(line).rev().collect();
            if is_last {
                self.origin = None;
            }
        }
        while let Some(line) = self.waiting.pop_if(|line| parcel.lines.len() + line.len() < MOST) {
            parcel.lines += &line;
            parcel.lines.push('\n');
        }
        if parcel.lines.is_empty() && self.waiting.pop().is_some() {
            parcel.unreadable += 1;
            parcel.first.get_or_insert_with(|| format!("an event is longer than {MOST} bytes"));
        }
        (parcel.done, parcel.total) = (self.done, self.total);
        Ok(Some(parcel))
    }
}

/// The event as our own feed would write it.
fn line(event: NewEvent) -> String {
    let event = as_history(event);
    let (at, received_at) = (event.happened_at(), event.received_at);
    let NewEvent { channel, native_id, shared, kind, .. } = event;
    let id = EventId(0);
    wire::event(&Event { id, channel, native_id, at, received_at, shared, state: State::Visible, kind })
}
