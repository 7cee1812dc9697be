//! Where the lines of all connections come together on their way to the sink: copies of an overlap are held back,
//! restrictions merged, and what a line leaves out about its channel is filled in. Awaiting the sink is the
//! back-pressure.

use std::collections::BTreeMap;

use tokio::sync::mpsc;

use super::overlap::{Incoming, Overlap};
use super::room::{Modes, RoomState};
use super::roster::ConnId;
use crate::chat::Millis;
use crate::ingest::{Closed, Sink};

/// What a connection puts into the funnel, in this order: it opens, says things, and is gone.
#[expect(clippy::large_enum_variant, reason = "nearly all are events; boxing them would cost each one an allocation")]
pub enum Item {
    Opened { follows: Option<ConnId> },
    Incoming(Incoming),
    Gone,
}

/// What is known of channels by their login. It outlives a lost connection, so that what changed meanwhile is noticed.
pub type Known = BTreeMap<String, KnownChannel>;

/// One channel as Twitch last described it.
#[derive(Default)]
pub struct KnownChannel {
    id: Option<String>,
    modes: Option<Modes>,
}

pub struct Funnel<'a> {
    known: &'a mut Known,
    overlap: Overlap,
    sink: Sink,
}

impl<'a> Funnel<'a> {
    pub fn new(known: &'a mut Known, sink: Sink) -> Self {
        Self { known, overlap: Overlap::default(), sink }
    }

    /// Passes on what comes, until the last connection has put down its sender or the sink is closed.
    pub async fn pour(mut self, mut items: mpsc::Receiver<(ConnId, Item)>) {
        while let Some((id, item)) = items.recv().await {
            if self.take(id, item).await.is_err() {
                return;
            }
        }
    }

    async fn take(&mut self, id: ConnId, item: Item) -> Result<(), Closed> {
        match item {
            Item::Opened { follows } => self.overlap.opened(id, follows),
            Item::Incoming(incoming) => {
                if let Some(incoming) = self.overlap.hear(id, incoming) {
                    self.pass(incoming).await?;
                }
            }
            Item::Gone => {
                for incoming in self.overlap.gone(id) {
                    self.pass(incoming).await?;
                }
            }
        }
        Ok(())
    }

    async fn pass(&mut self, incoming: Incoming) -> Result<(), Closed> {
        match incoming {
            Incoming::Event(mut event) => {
                let id = &mut event.channel.id;
                match self.known.get_mut(&event.channel.login) {
                    Some(last) if id.is_none() => id.clone_from(&last.id),
                    Some(last) if last.id != *id => last.id.clone_from(id),
                    _ => {}
                }
                self.sink.send(event).await
            }
            Incoming::RoomState(state) => self.describe(state).await,
        }
    }

    /// The first description is remembered; a later one that differs is an event.
    async fn describe(&mut self, state: RoomState) -> Result<(), Closed> {
        let RoomState { mut channel, modes } = state;
        let last = self.known.entry(channel.login.clone()).or_default();
        match &channel.id {
            Some(_) => last.id.clone_from(&channel.id),
            None => channel.id.clone_from(&last.id),
        }
        match &mut last.modes {
            None => last.modes = Some(modes),
            Some(known) => {
                if known.merge(&modes) {
                    let event = known.to_event(channel, Millis::now());
                    return self.sink.send(event).await;
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::{Kind, NewEvent};
    use crate::ingest::Board;
    use crate::platforms::twitch::{Heard, decode};

    const ONE: ConnId = ConnId(1);

    /// What comes out of the funnel for these lines on one connection.
    async fn pour(known: &mut Known, lines: &[&str]) -> Vec<NewEvent> {
        let (queue, mut events) = mpsc::channel(100);
        let (items, receiver) = mpsc::channel(100);
        for line in lines {
            let incoming = match decode(line, Millis::now()) {
                Heard::Event(event) => Incoming::Event(event),
                Heard::RoomState(state) => Incoming::RoomState(state),
                other => panic!("{line}: {other:?}"),
            };
            items.try_send((ONE, Item::Incoming(incoming))).map_err(drop).expect("there is room");
        }
        drop(items);
        Funnel::new(known, Sink::new(queue, Board::default())).pour(receiver).await;
        std::iter::from_fn(|| events.try_recv().ok()?.into_event()).collect()
    }

    const FULL: &str =
        "@emote-only=0;followers-only=-1;r9k=0;room-id=42;slow=0;subs-only=0 :tmi.twitch.tv ROOMSTATE #a";

    #[tokio::test]
    async fn the_first_description_is_only_remembered_and_a_change_is_an_event() {
        let mut known = Known::default();

        let events = pour(&mut known, &[FULL, FULL, "@room-id=42;slow=10 :tmi.twitch.tv ROOMSTATE #a"]).await;

        assert_eq!(events.len(), 1);
        let Kind::Status(status) = &events[0].kind else { panic!("{:?}", events[0]) };
        assert_eq!((status.topic.as_str(), &status.values["slow"]), ("modes", &10.into()));
        assert_eq!(events[0].channel.id.as_deref(), Some("42"));
    }

    #[tokio::test]
    async fn a_change_during_an_outage_is_noticed() {
        let mut known = Known::default();
        pour(&mut known, &[FULL]).await;

        let events = pour(&mut known, &[&FULL.replace("subs-only=0", "subs-only=1")]).await;

        assert_eq!(events.len(), 1);
    }

    #[tokio::test]
    async fn a_line_that_leaves_out_the_id_of_its_channel_gets_it() {
        let line = "@login=p;room-id=;target-msg-id=x;tmi-sent-ts=1 :tmi.twitch.tv CLEARMSG #a :gone";

        let events = pour(&mut Known::default(), &[FULL, line]).await;

        assert_eq!(events[0].channel.id.as_deref(), Some("42"));
    }
}
