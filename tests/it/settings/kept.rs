//! What is kept of a change, and who wins when the environment says something else later.

use serde_json::{Value, json};

use super::{get, launch, put, set};
use crate::support::server::Server;

async fn defaults(server: &Server) -> Value {
    server.get("/api/config/defaults").await.json()["config"].clone()
}

#[tokio::test]
async fn the_defaults_name_the_first_configured_source_of_each_platform() {
    let urls = "twitch:second,https://www.youtube.com/@lofigirl/live,https://youtu.be/jfKfPfyJRdk";
    let server = launch().env("TWITCH_CHANNELS", "first").env("CHAT_URLS", urls).start().await;
    let before = get(&server).await;
    let named = defaults(&server).await;
    set(&server, json!({ "twitchChannel": "other", "youtubeSourceUrl": "" })).await;

    let reset = put(&server, &defaults(&server).await).await.json();

    assert_eq!(named["twitchChannel"], "first");
    assert_eq!(named["youtubeSourceUrl"], "https://www.youtube.com/@lofigirl/live");
    assert_eq!(before, named, "nothing was changed yet");
    assert_eq!(reset["config"]["twitchChannel"], "first", "a reset does not take the channel out");
    assert_eq!(reset["config"]["youtubeSourceUrl"], named["youtubeSourceUrl"]);
}

fn stored(server: &Server) -> Value {
    let rows: Vec<String> = server.column("select document from settings");
    serde_json::from_str(&rows[0]).expect("what is kept is JSON")
}

#[tokio::test]
async fn what_nobody_changed_follows_the_environment() {
    let server = launch().env("ELORA_WS_ALLOWED_ORIGINS", "https://old.test,https://b.test").start().await;
    set(&server, json!({ "twitchChannel": "other", "features": { "showBadges": false } })).await;
    let kept = stored(&server);
    let launch = server.kill().await.env("ELORA_WS_ALLOWED_ORIGINS", "https://b.test").env("GNASTY_YT_RETRY_SECS", "7");
    let server = launch.start().await;

    let config = get(&server).await;

    assert_eq!(kept, json!({ "schemaVersion": 2, "features": { "showBadges": false } }));
    assert_eq!(config["allowedOrigins"], json!(["https://b.test"]), "a page that was taken out is out");
    assert_eq!(config["gnasty"]["youtube"]["retrySeconds"], 7);
    assert_eq!((&config["features"]["showBadges"], &config["twitchChannel"]), (&json!(false), &json!("other")));
}

#[tokio::test]
async fn what_was_put_back_follows_the_environment_again() {
    let server = launch().env("ELORA_WS_ALLOWED_ORIGINS", "https://a.test").start().await;
    set(&server, json!({ "tailer": { "maxBatch": 7 }, "allowedOrigins": ["https://a.test", "https://b.test"] })).await;
    let changed = stored(&server);
    set(&server, json!({ "tailer": { "maxBatch": 200 } })).await;
    let part = stored(&server);
    let server = server.kill().await.env("ELORA_WS_ALLOWED_ORIGINS", "https://a.test,https://b.test").start().await;
    let same = set(&server, json!({ "allowedOrigins": ["https://a.test", "https://b.test"] })).await;
    let launch =
        server.kill().await.env("ELORA_WS_ALLOWED_ORIGINS", "https://c.test").env("ELORA_TAILER_MAX_BATCH", "9");

    let config = get(&launch.start().await).await;

    let pages = json!(["https://a.test", "https://b.test"]);
    assert_eq!(changed, json!({ "schemaVersion": 2, "tailer": { "maxBatch": 7 }, "allowedOrigins": pages }));
    assert_eq!(part, json!({ "schemaVersion": 2, "allowedOrigins": pages }));
    assert_eq!(same["changed"], false, "what is in force is the same, and the environment says it by itself now");
    assert_eq!((&config["allowedOrigins"], &config["tailer"]["maxBatch"]), (&json!(["https://c.test"]), &json!(9)));
}

#[tokio::test]
async fn the_start_names_what_wins_over_the_environment() {
    let line = "config: kept settings win over the environment: ";
    let server = launch().start().await;
    set(&server, json!({ "allowedOrigins": ["https://canary.test"], "websocket": { "pingIntervalMs": 700 } })).await;
    set(&server, json!({ "gnasty": { "youtube": { "debug": true } } })).await;
    let first = server.said();

    let server = server.kill().await.start().await;

    assert!(!first.contains(line), "{first}");
    let said = server.said();
    let told: Vec<&str> = said.lines().filter_map(|said| Some(said.split_once(line)?.1)).collect();
    assert_eq!(told, ["allowedOrigins, gnasty.youtube.debug, websocket.pingIntervalMs"], "{said}");
    assert!(!told[0].contains("canary"));
    let summary = said.lines().find_map(|said| Some(said.split_once("config_summary=")?.1)).expect("a summary");
    let summary: Value = serde_json::from_str(summary).expect("JSON");
    assert_eq!(summary["websocket"]["ping_interval_ms"], 700, "what is in force");
}
