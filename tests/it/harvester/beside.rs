//! The file is read beside another listener, and when that is switched on and off.

use serde_json::json;

use super::{POLL_MS, assert_once, file};
use crate::support::harvester::Writer;
use crate::support::http::Request;
use crate::support::scene::watching_with;
use crate::support::server::Launch;
use crate::support::twitch::{ADA, Twitch};

fn beside() -> Launch {
    let launch = Launch::new();
    let path = file(&launch).display().to_string();
    launch.env("GNASTY_SINK_SQLITE_PATH", &path).env("ELORA_TAILER_POLL_MS", POLL_MS)
}

#[tokio::test]
async fn what_both_hear_comes_once() {
    let twitch = Twitch::start().await;
    let launch = beside().twitch(&twitch, &["room"]).env("ELORA_DB_TAIL_ENABLED", "1");
    let mut writer = Writer::start(&file(&launch)).await;
    let (server, mut feed) = watching_with(&twitch, launch, &["room"]).await;

    for n in 0..20 {
        let id = twitch.say("room", &ADA, &format!("said {n}")).await;
        let row = format!(
            "insert into messages (platform, platform_msg_id, ts, username, text)
             values ('Twitch', '{id}', 1{n:03}, 'Ada', 'said {n}')"
        );
        writer.sql(&row).await;
    }
    writer.say("only-theirs", "heard by the harvester alone").await;
    feed.event("only-theirs").await;

    assert_once(&feed);
    assert_eq!(feed.message_ids().len(), 21);
    let sources = server.sources().await;
    assert_eq!((sources.len(), &sources[0]["state"]), (1, &json!("live")), "{sources:?}");
}

#[tokio::test]
async fn it_is_switched_on_and_off_while_the_server_runs() {
    let launch = beside().env("ELORA_INGEST_DRIVER", "none");
    let mut writer = Writer::start(&file(&launch)).await;
    let server = launch.start().await;
    let mut feed = server.feed("?last=0").await;
    let switch = |enabled: bool| Request::new("PUT", "/api/config").json(&json!({ "tailer": { "enabled": enabled } }));

    assert_eq!(server.ask(switch(true)).await.status, 200);
    server.until_it_says("harvester: reading").await;
    writer.say("a", "while it reads").await;
    feed.event("a").await;
    assert_eq!(server.ask(switch(false)).await.status, 200);
    server.until_it_says("harvester: not reading any more").await;
    writer.say("b", "while it rests").await;
    assert_eq!(server.ask(switch(true)).await.status, 200);
    feed.event("b").await;

    assert_eq!(feed.message_ids(), ["a", "b"]);
}
