//! The usual scene: a stand-in, a server that listens to it, and a viewer.

use std::collections::BTreeSet;

use serde_json::Value;

use super::feed::Feed;
use super::server::{Launch, Server};
use super::twitch::Twitch;

/// A stand-in, a server that has joined these channels, and a viewer that sees everything from the first event on.
pub async fn watching(channels: &[&str]) -> (Twitch, Server, Feed) {
    let twitch = Twitch::start().await;
    let launch = Launch::new().twitch(&twitch, channels);
    let (server, feed) = watching_with(&twitch, launch, channels).await;
    (twitch, server, feed)
}

pub async fn watching_with(twitch: &Twitch, launch: Launch, channels: &[&str]) -> (Server, Feed) {
    let server = launch.start().await;
    let feed = server.feed("?last=1000").await;
    for channel in channels {
        twitch.joined(channel).await;
    }
    (server, feed)
}

/// Waits until the feed's list of sources shows this one in this state.
pub async fn until_state(feed: &mut Feed, login: &str, state: &str) -> Value {
    let find = |feed: &Feed| {
        let sources = feed.state("sources")?["sources"].as_array()?.clone();
        sources.into_iter().find(|source| source["login"] == login && source["state"] == state)
    };
    feed.until(&format!("{login} is {state}"), |feed| find(feed).is_some()).await;
    find(feed).expect("it has just been seen")
}

/// How many lines each connection wrote in vain, given what is stored. Those are its last ones: a server that ends may
/// leave a tail unread, and loses nothing between two lines it kept.
pub fn unread_tails(twitch: &Twitch, channel: &str, stored: &[String]) -> Vec<usize> {
    let stored: BTreeSet<&String> = stored.iter().collect();
    let tail = |owed: Vec<String>| {
        let kept = owed.iter().take_while(|id| stored.contains(id)).count();
        let after_a_hole = owed[kept..].iter().filter(|id| stored.contains(id)).count();
        assert_eq!(after_a_hole, 0, "a hole after {kept} of {} lines", owed.len());
        owed.len() - kept
    };
    twitch.read(|book| (0..book.connections.len()).map(|number| tail(book.owed_on(number, channel))).collect())
}
