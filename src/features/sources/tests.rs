//! The room with a store of its own: what everybody is told after changes that cross.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::Poll;

use tokio::sync::mpsc;

use super::*;
use crate::chat::EventId;
use crate::{config, store};

struct Scene {
    room: Sources,
    /// The writer ends with the last of these.
    _queue: mpsc::Sender<store::Entry>,
    _folder: tempfile::TempDir,
}

async fn scene() -> Scene {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let config = config::Store { path: folder.path().join("elora.db"), ..config::Store::default() };
    let opened = store::open(&config, 16, &Metrics::new()).expect("a store in a new folder opens");
    let (hub, board) = (Hub::new(EventId(0), EventId(0)), Board::default());
    let room = Sources::open(opened.db, hub, board, Vec::new(), BTreeSet::from([Platform::TWITCH]))
        .await
        .expect("the store takes it");
    Scene { room, _queue: opened.queue, _folder: folder }
}

fn channel(source: &str) -> Channel {
    source.parse().expect("a source")
}

/// Asks once, and does not wait for the answer. The store may be quick enough to give one.
async fn begin<T>(mut request: Pin<&mut impl Future<Output = T>>) -> Option<T> {
    poll_fn(|cx| match request.as_mut().poll(cx) {
        Poll::Ready(answer) => Poll::Ready(Some(answer)),
        Poll::Pending => Poll::Ready(None),
    })
    .await
}

fn logins(room: &Sources) -> Vec<String> {
    room.list().sources.into_iter().map(|source| source.login).collect()
}

#[tokio::test]
async fn an_answer_that_comes_late_does_not_bring_an_older_list_back() {
    let Scene { room, _queue, _folder } = scene().await;

    // Nobody else runs here meanwhile, so the first cannot tell its list before the second has.
    let mut first = pin!(room.add(channel("twitch:ada")));
    let mut second = pin!(room.add(channel("twitch:bob")));
    let early = begin(first.as_mut()).await;
    let (_, is_new) = second.as_mut().await.expect("the store takes it");
    let late = match early {
        Some(answer) => answer,
        None => first.as_mut().await,
    };
    let (late, _) = late.expect("the store takes it");

    assert!(is_new);
    assert_eq!(late.login, "ada");
    assert_eq!(logins(&room), ["ada", "bob"]);
}

#[tokio::test]
async fn a_change_is_told_even_when_its_request_went_away() {
    let Scene { room, _queue, _folder } = scene().await;
    {
        let mut gone = pin!(room.add(channel("twitch:ada")));
        begin(gone.as_mut()).await;
    }
    // Changes run one after another: when this one is done, so is that one.
    room.db.write(|_| Ok(())).await.expect("the store takes it");

    room.catch_up(&CancellationToken::new()).await;

    assert_eq!(logins(&room), ["ada"]);
}
