//! The package `chat-downloader` itself, as it comes from PyPI, reads Twitch's chat for the server.
//!
//! It has its hosts built in: `irc.chat.twitch.tv:6667` and `https://gql.twitch.tv`. So the server runs where both names
//! lead to stand-ins, with a hosts file of its own in a mount namespace, on addresses of the loopback that no other test uses.
//! Nothing of the package is changed.

use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::gql;
use crate::support::program::Script;
use crate::support::scene::until_state;
use crate::support::server::{Launch, Server};
use crate::support::skip::skipped;
use crate::support::twitch::lines::privmsg_with;
use crate::support::twitch::{ADA, MEI, Twitch};

const IRC: &str = "irc.chat.twitch.tv";
const IRC_PORT: u16 = 6667;

struct Scene {
    twitch: Twitch,
    server: Server,
    script: Script,
}

fn python() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients/.venv/bin/python")
}

/// An address of the loopback for this test alone.
fn address() -> Ipv4Addr {
    let [a, b, c, ..] = *uuid::Uuid::new_v4().as_bytes();
    Ipv4Addr::new(127, 64 | a & 0x3f, b, c.max(1))
}

/// A wrapper that gives a program its own hosts file; none where the system grants no namespace.
fn with_hosts(folder: &Path, ip: Ipv4Addr) -> Option<Vec<String>> {
    let hosts = folder.join("hosts");
    std::fs::write(&hosts, format!("127.0.0.1 localhost\n{ip} {IRC} {}\n", gql::HOST)).unwrap();
    let script = format!("mount --bind '{}' /etc/hosts && exec \"$@\"", hosts.display());
    ["-m", "-Urm"].into_iter().find_map(|namespace| {
        let wrapper = ["unshare", namespace, "sh", "-c", &script, "sh"].map(str::to_owned).to_vec();
        let granted = Command::new(&wrapper[0]).args(&wrapper[1..]).arg("true").output();
        granted.is_ok_and(|tried| tried.status.success()).then_some(wrapper)
    })
}

/// A server that reads these channels by way of the package; none where that cannot be shown here.
async fn scene(channels: &[&str]) -> Option<Scene> {
    if !python().exists() {
        skipped("chat-downloader is not installed (scripts/setup check), so nothing is read through it");
        return None;
    }
    let launch = Launch::new();
    let ip = address();
    let Some(wrapper) = with_hosts(launch.dir(), ip) else {
        skipped("this system grants no mount namespace (unshare -m), so chat-downloader cannot be led to a stand-in");
        return None;
    };
    let certificate = match gql::start(ip, launch.dir()) {
        Ok(certificate) => certificate,
        Err(error) => {
            skipped(&format!("port 443 of {ip} cannot be listened on ({error}), so chat-downloader finds no Twitch"));
            return None;
        }
    };
    let twitch = Twitch::start().await;
    twitch.listen_plainly(ip, IRC_PORT).await.expect("a port of an address of our own");
    let script = Script::new(&launch, "unused", "");
    let launch = script
        .mark(launch)
        .env("ELORA_INGEST_DRIVER", "chatdownloader")
        .env("ELORA_PYTHON", python().to_str().expect("a path of ours"))
        .env("TWITCH_CHANNELS", &channels.join(","))
        .env("REQUESTS_CA_BUNDLE", certificate.to_str().expect("a path of ours"))
        .env("NO_PROXY", "*")
        .env("no_proxy", "*");
    let wrapper: Vec<&str> = wrapper.iter().map(String::as_str).collect();
    let server = launch.wrapped(&wrapper).start().await;
    Some(Scene { twitch, server, script })
}

#[tokio::test]
async fn the_real_chat_downloader_is_heard() {
    let Some(Scene { twitch, server, script }) = scene(&["room"]).await else { return };
    let mut feed = server.feed("?last=1000").await;
    twitch.joined("room").await;

    let emote = privmsg_with("room", &MEI, "Kappa 芽 <b>", "emotes=25:0-4");
    let id = emote.native_id();
    twitch.send(emote).await;
    let event = feed.event(&id).await;

    assert_eq!((&event["platform"], &event["channel"]["login"]), (&"twitch".into(), &"room".into()));
    assert_eq!((&event["author"]["id"], &event["author"]["name"]), (&"4103".into(), &"芽衣".into()));
    assert_eq!((&event["author"]["color"], &event["text"]), (&"#FF69B4".into(), &"Kappa 芽 <b>".into()));
    assert_eq!(event["fragments"][0]["type"], "emote", "{event}");
    until_state(&mut feed, "room", "live").await;

    let said = twitch.burst("room", 300, 1000).await;
    feed.until_all(&said).await;
    let mut once = feed.message_ids();
    once.sort();
    once.dedup();
    assert_eq!(once.len(), feed.message_ids().len(), "something came twice");

    let pid = server.pid();
    assert_eq!(server.stop().await.code, Some(0));
    script.until_gone(pid).await;
}

#[tokio::test]
async fn the_real_chat_downloader_comes_back_when_twitch_does() {
    let Some(Scene { twitch, server, .. }) = scene(&["room"]).await else { return };
    let mut feed = server.feed("?last=1000").await;
    twitch.joined("room").await;
    let before = twitch.say("room", &ADA, "before").await;
    feed.event(&before).await;

    twitch.close_all().await;
    twitch.until("a new connection has joined", |book| book.connections.len() >= 2 && book.has_listener("room")).await;

    let after = twitch.say("room", &ADA, "after").await;
    feed.event(&after).await;
}

#[tokio::test]
async fn the_real_chat_downloader_says_who_is_not_there() {
    let Some(Scene { server, .. }) = scene(&[gql::NOBODY]).await else { return };

    let source = until_state(&mut server.feed("").await, gql::NOBODY, "refused").await;

    let reason = source["reason"].as_str().expect("a reason");
    assert!(reason.starts_with("chat_downloader: UserNotFound: Unable to find user"), "{reason}");
    assert_eq!(server.get("/readyz").await.status, 200);
}
