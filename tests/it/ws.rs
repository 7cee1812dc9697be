//! `elora-chat ws`, which `make ws-twitch` runs: chat as lines for a terminal, whatever the server is set to.

use crate::support::http::Request;
use crate::support::scene::watching;
use crate::support::server::{Launch, Server};
use crate::support::twitch::{ADA, BOB, MEI};

/// What the command prints before it ends.
async fn printed(server: &Server, args: &[&str]) -> Vec<String> {
    let (url, path) = (format!("http://{}", server.addr), server.launch().db_path().to_string_lossy().into_owned());
    let all = [&["--db-path", &path, "ws", "--url", &url], args].concat();
    let ended = server.launch().run_command(&all).await;
    assert_eq!(ended.code, Some(0), "{}", ended.said);
    ended.said.lines().map(str::to_owned).collect()
}

#[tokio::test]
async fn chat_is_printed_as_readable_lines_in_the_default_configuration() {
    let (twitch, server, mut feed) = watching(&["room"]).await;
    twitch.say("room", &ADA, "first Kappa").await;
    twitch.say("room", &MEI, "{\"not\":\"a frame\"}").await;
    let last = twitch.say("room", &BOB, "last").await;
    feed.event(&last).await;

    let lines = printed(&server, &["--platform", "twitch", "--limit", "3"]).await;

    assert_eq!(lines, ["[Twitch] Ada_L: first Kappa", "[Twitch] 芽衣: {\"not\":\"a frame\"}", "[Twitch] bob: last"]);
}

#[tokio::test]
async fn a_platform_is_printed_alone() {
    let server = Launch::new().env("ELORA_DEV_SEED_ENABLED", "1").start().await;
    server.ask(Request::new("POST", "/api/dev/seed/burst")).await;
    let mut feed = server.feed("").await;
    feed.until("six lines", |feed| feed.events.len() == 6).await;

    let lines = printed(&server, &["--platform", "youtube", "--limit", "2"]).await;

    assert_eq!(lines.len(), 2);
    assert!(lines.iter().all(|line| line.starts_with("[YouTube] @Demo")), "{lines:?}");
}
