//! `/api/config`: settings that are changed while the server runs, checked whole, and kept.

mod effects;
mod gnasty;
mod kept;

use serde_json::{Value, json};

use crate::support::http::{Answer, Request};
use crate::support::server::{Launch, Server};

/// A server that listens to nothing and whose sources may be anything.
fn launch() -> Launch {
    Launch::new().env("ELORA_INGEST_DRIVER", "none")
}

async fn get(server: &Server) -> Value {
    let answer = server.get("/api/config").await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()["config"].clone()
}

async fn put(server: &Server, body: &Value) -> Answer {
    server.ask(Request::new("PUT", "/api/config").json(body)).await
}

/// Puts what must be taken, and gives the answer.
async fn set(server: &Server, body: Value) -> Value {
    let answer = put(server, &body).await;
    assert_eq!(answer.status, 200, "{body}: {}", answer.text());
    answer.json()
}

/// A whole object as a client of old sends it, other than the defaults in every field that may change.
fn whole(server_config: &Value) -> Value {
    json!({
        "schemaVersion": 2,
        "apiBaseUrl": "https://chat.example.com",
        "wsUrl": "wss://chat.example.com/ws/chat",
        "allowedOrigins": ["https://b.example.com", "https://a.example.com"],
        "twitchChannel": "dayoman",
        "youtubeSourceUrl": "https://www.youtube.com/watch?v=jfKfPfyJRdk",
        "features": { "showBadges": false, "hideYouTubeAt": false, "wsEnvelope": false, "wsDropEmpty": false },
        "tailer": { "enabled": true, "pollIntervalMs": 25, "maxBatch": 250, "maxLagMs": 50, "persistOffsets": true,
                    "offsetPath": server_config["tailer"]["offsetPath"] },
        "websocket": { "pingIntervalMs": 20000, "pongWaitMs": 40000, "writeDeadlineMs": 1000, "maxMessageBytes": 65536 },
        "ingest": { "gnastyBin": "", "gnastyArgs": [], "backoffBaseMs": 2000, "backoffMaxMs": 60000 },
        "gnasty": {
            "sinks": { "enabled": ["sqlite"], "batchSize": 10, "flushMaxMs": 20 },
            "twitch": { "nick": "reader", "tls": false, "debugDrops": true, "backoffMinMs": 1, "backoffMaxMs": 2,
                        "refreshBackoffMinMs": 3, "refreshBackoffMaxMs": 4 },
            "youtube": { "retrySeconds": 5, "dumpUnhandled": true, "pollTimeoutSecs": 0, "pollIntervalMs": 6,
                         "debug": true },
        },
    })
}

#[tokio::test]
async fn a_new_server_tells_every_setting() {
    let server = launch().start().await;

    let answer = server.get("/api/config").await.json();

    let config = &answer["config"];
    assert_eq!(config["schemaVersion"], 2);
    assert!(config["apiBaseUrl"].as_str().is_some_and(|url| url.starts_with("http://")), "{config}");
    assert!(config["wsUrl"].as_str().is_some_and(|url| url.ends_with("/ws/chat")), "{config}");
    assert_eq!((&answer["changed"], &answer["reconnectWs"]), (&json!(false), &json!(false)));
    assert_eq!(answer["restartRequired"], Value::Null);
    assert_eq!(shape(config), shape(&whole(config)), "the keys and kinds of the document of old");
    assert_eq!(server.get("/api/config/defaults").await.json(), answer, "nothing was changed yet");
}

/// A document with every value replaced by its kind.
fn shape(value: &Value) -> Value {
    match value {
        Value::Object(fields) => fields.iter().map(|(key, value)| (key.clone(), shape(value))).collect(),
        Value::Array(_) => json!("list"),
        Value::Bool(_) => json!("switch"),
        Value::Number(_) => json!("number"),
        Value::String(_) => json!("text"),
        Value::Null => json!("null"),
    }
}

#[tokio::test]
async fn a_whole_object_comes_back_as_it_was_put_also_after_a_restart() {
    let server = launch().start().await;
    let before = get(&server).await;
    let sent = whole(&before);

    let answer = set(&server, sent.clone()).await;
    let after = get(&server).await;
    let again = set(&server, after.clone()).await;
    let launch = server.kill().await;
    let server = launch.start().await;

    assert_eq!(answer["config"], sent);
    assert_eq!(answer["changed"], true);
    assert_eq!(answer["reconnectWs"], true);
    assert_eq!(answer["restartRequired"], json!(["ingest"]));
    assert_eq!(after, sent);
    assert_eq!((&again["changed"], &again["restartRequired"]), (&json!(false), &Value::Null));
    assert_eq!(get(&server).await, sent);
    assert_eq!(server.get("/api/config/defaults").await.json()["config"], before);
}

#[tokio::test]
async fn messy_values_are_put_into_their_one_spelling() {
    let server = launch().start().await;
    let offset_path = get(&server).await["tailer"]["offsetPath"].as_str().expect("a path").to_owned();

    let answer = set(
        &server,
        json!({
            "apiBaseUrl": " HTTPS://example.com/// ",
            "wsUrl": "WSS://example.com/ws/chat///",
            "twitchChannel": " https://www.twitch.tv/DayoMan ",
            "youtubeSourceUrl": "jfKfPfyJRdk",
            "allowedOrigins": [" https://a.test/ ", "", "https://a.test", "http://b.test:3000///"],
            "tailer": { "offsetPath": format!("  {offset_path} ") },
            "gnasty": { "sinks": { "enabled": ["SQLite", " sqlite "] }, "twitch": { "nick": " reader " } },
        }),
    )
    .await;

    let config = &answer["config"];
    assert_eq!(answer["changed"], true);
    assert_eq!(config["apiBaseUrl"], "https://example.com");
    assert_eq!(config["wsUrl"], "wss://example.com/ws/chat");
    assert_eq!(config["twitchChannel"], "dayoman");
    assert_eq!(config["youtubeSourceUrl"], "https://www.youtube.com/watch?v=jfKfPfyJRdk");
    assert_eq!(config["allowedOrigins"], json!(["https://a.test", "http://b.test:3000"]));
    assert_eq!(config["tailer"]["offsetPath"], offset_path);
    assert_eq!(config["gnasty"]["sinks"]["enabled"], json!(["sqlite"]));
    assert_eq!(config["gnasty"]["twitch"]["nick"], "reader");
    assert_eq!(get(&server).await, *config);
    assert_eq!(
        set(&server, json!({ "wsUrl": "wss://example.com" })).await["changed"],
        false,
        "its path is the usual one"
    );
}

/// What every rule has something to say about.
fn wrong() -> Value {
    json!({
        "apiBaseUrl": "example.com",
        "wsUrl": "https://example.com",
        "allowedOrigins": ["https://fine.test", "https://a.test/path", "chat"],
        "twitchChannel": "not a channel",
        "youtubeSourceUrl": "https://www.youtube.com/watch?v=bad",
        "features": { "showBadges": false },
        "tailer": { "pollIntervalMs": 24, "maxBatch": 5001, "maxLagMs": -1, "offsetPath": "/etc/passwd" },
        "websocket": { "pingIntervalMs": 499, "pongWaitMs": 120_001, "writeDeadlineMs": -1, "maxMessageBytes": 1023 },
        "ingest": { "gnastyBin": "/bin/sh", "gnastyArgs": ["-c"], "backoffBaseMs": 99, "backoffMaxMs": 600_001 },
        "gnasty": {
            "sinks": { "enabled": ["stdout"], "batchSize": 0, "flushMaxMs": -1 },
            "twitch": { "backoffMinMs": 60_001, "refreshBackoffMinMs": 0, "refreshBackoffMaxMs": 4_294_967_296_i64 },
            "youtube": { "retrySeconds": 0, "pollTimeoutSecs": -1, "pollIntervalMs": -1 },
        },
    })
}

/// The fields of [`wrong`].
const WRONG: [&str; 26] = [
    "apiBaseUrl",
    "wsUrl",
    "allowedOrigins",
    "twitchChannel",
    "youtubeSourceUrl",
    "tailer.pollIntervalMs",
    "tailer.maxBatch",
    "tailer.maxLagMs",
    "tailer.offsetPath",
    "websocket.pingIntervalMs",
    "websocket.pongWaitMs",
    "websocket.writeDeadlineMs",
    "websocket.maxMessageBytes",
    "ingest.gnastyBin",
    "ingest.gnastyArgs",
    "ingest.backoffBaseMs",
    "ingest.backoffMaxMs",
    "gnasty.sinks.enabled",
    "gnasty.sinks.batchSize",
    "gnasty.sinks.flushMaxMs",
    "gnasty.twitch.backoffMaxMs",
    "gnasty.twitch.refreshBackoffMinMs",
    "gnasty.twitch.refreshBackoffMaxMs",
    "gnasty.youtube.retrySeconds",
    "gnasty.youtube.pollTimeoutSecs",
    "gnasty.youtube.pollIntervalMs",
];

#[tokio::test]
async fn everything_that_is_wrong_is_told_at_once_and_nothing_is_changed() {
    let server = launch().env("GNASTY_BIN", "/bin/gnasty").env("GNASTY_ARGS", "--stdout").start().await;
    let before = get(&server).await;

    let answer = put(&server, &wrong()).await;

    assert_eq!(answer.status, 400);
    let answer = answer.json();
    assert_eq!(answer["error"], "validation_failed");
    assert!(answer["message"].is_string());
    let details = answer["details"].as_array().expect("a list");
    let mut fields: Vec<&str> = details.iter().filter_map(|detail| detail["field"].as_str()).collect();
    fields.sort_unstable();
    let mut wrong = WRONG.to_vec();
    wrong.sort_unstable();
    assert_eq!(fields, wrong);
    let message = |field: &str| {
        let detail = details.iter().find(|detail| detail["field"] == field).expect("it is among them");
        detail["message"].as_str().expect("a text").to_owned()
    };
    assert!(message("tailer.offsetPath").contains("ELORA_TAILER_OFFSET_PATH"));
    assert!(message("ingest.gnastyBin").contains("GNASTY_BIN"));
    assert!(message("ingest.gnastyArgs").contains("GNASTY_ARGS"));
    assert!(message("allowedOrigins").contains("a.test/path") && message("allowedOrigins").contains("chat"));
    assert_eq!(get(&server).await, before, "not even what was right");
}

#[tokio::test]
async fn what_is_no_object_of_settings_is_refused_by_name() {
    let server = launch().start().await;
    let envelope = server.get("/api/config").await.text();

    for (body, named) in [
        (envelope.as_str(), "under `config`"),
        (r#"{"config":{}}"#, "under `config`"),
        (r#"{"apiBase":"https://x.test"}"#, "apiBase"),
        (r#"{"features":{"badges":true}}"#, "features.badges"),
        (r#"{"gnasty":{"youtube":{"url":""}}}"#, "gnasty.youtube.url"),
        (r#"{"features":{"showBadges":"yes"}}"#, "features.showBadges"),
        (r#"{"features":true}"#, "features"),
        (r#"{"tailer":{"maxBatch":1.5}}"#, "tailer.maxBatch"),
        (r#"{"tailer":{"maxBatch":99999999999999999999}}"#, "tailer.maxBatch"),
        (r#"{"tailer":{"maxBatch":"5"}}"#, "tailer.maxBatch"),
        (r#"{"allowedOrigins":"https://x.test"}"#, "allowedOrigins"),
        (r#"{"allowedOrigins":[1]}"#, "allowedOrigins"),
        (r#"{"twitchChannel":["a"]}"#, "twitchChannel"),
        ("[]", "object"),
        ("7", "object"),
        ("", "JSON"),
        ("{", "JSON"),
        ("{} {}", "JSON"),
        ("apiBaseUrl=x", "JSON"),
    ] {
        let answer = server.ask(Request::new("PUT", "/api/config").body("application/json", body)).await;
        let document = answer.json();
        assert_eq!((answer.status, &document["error"]), (400, &json!("invalid_payload")), "{body}");
        assert!(document["message"].as_str().is_some_and(|message| message.contains(named)), "{body}: {document}");
    }
    assert_eq!(server.get("/api/config").await.text(), envelope);
}

#[tokio::test]
async fn what_is_not_sent_stays_and_null_empties_a_list() {
    let server = launch().env("ELORA_WS_ALLOWED_ORIGINS", "https://a.test").start().await;
    let before = get(&server).await;

    let nothing = set(&server, json!({})).await;
    let nulls = set(&server, json!({ "twitchChannel": null, "features": null, "tailer": { "maxBatch": null } })).await;
    let emptied = set(&server, json!({ "allowedOrigins": null, "schemaVersion": 7 })).await;

    assert_eq!((&nothing["changed"], &nothing["config"]), (&json!(false), &before));
    assert_eq!((&nulls["changed"], &nulls["config"]), (&json!(false), &before));
    assert_eq!((&emptied["changed"], &emptied["config"]["allowedOrigins"]), (&json!(true), &json!([])));
    assert_eq!(emptied["config"]["schemaVersion"], 2);
    let launch = server.kill().await;
    assert_eq!(get(&launch.start().await).await["allowedOrigins"], json!([]), "what was emptied stays empty");
}

#[tokio::test]
async fn values_of_the_environment_that_a_client_could_not_set_are_no_hindrance() {
    let server = launch()
        .env("ELORA_TAILER_POLL_MS", "0")
        .env("ELORA_TAILER_MAX_BATCH", "100000")
        .env("ELORA_WS_PING_INTERVAL_MS", "100")
        .env("GNASTY_SINKS", "stdout")
        .env("GNASTY_TWITCH_BACKOFF_MIN_MS", "5")
        .env("GNASTY_TWITCH_BACKOFF_MAX_MS", "1")
        .start()
        .await;
    let before = get(&server).await;
    let mut sent = before.clone();
    sent["features"]["showBadges"] = json!(false);

    let answer = set(&server, sent.clone()).await;

    assert_eq!(before["tailer"]["pollIntervalMs"], 0);
    assert_eq!(before["gnasty"]["sinks"]["enabled"], json!(["stdout"]));
    assert_eq!((&answer["changed"], &answer["config"]), (&json!(true), &sent));
}

#[tokio::test]
async fn only_the_owner_may_change_settings() {
    let server = launch().start().await;

    let request = Request::new("PUT", "/api/config").json(&json!({ "features": { "showBadges": false } }));
    let stranger = request.clone().send(server.addr).await;
    let foreign = server.ask(request.header("Origin", "https://evil.test")).await;
    let long = server.ask(Request::new("PUT", "/api/config").json(&json!({ "wsUrl": "x".repeat(70_000) }))).await;

    for (answer, status) in [(stranger, 401), (foreign, 403), (long, 413)] {
        assert_eq!(answer.status, status);
        assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{status}");
    }
    assert_eq!(get(&server).await["features"]["showBadges"], true);
}

#[tokio::test]
async fn secrets_are_in_no_answer_and_not_in_the_store() {
    let server = launch()
        .env("TWITCH_OAUTH_CLIENT_ID", "canary-id")
        .env("TWITCH_OAUTH_CLIENT_SECRET", "canary-secret")
        .env("TWITCH_OAUTH_REDIRECT_URL", "https://me:canary-url@chat.test/callback/twitch")
        .env("YOUTUBE_API_KEY", "canary-key")
        .env("TWITCH_OAUTH_TOKEN", "oauth:canary-token")
        .env("GNASTY_ARGS", "--stdout,--token=canary-arg,--auth,-canary-value,--url,http://me:canary-word@x.test")
        .env("ELORA_GNASTY_ADMIN_BASE", "http://me:canary-base@127.0.0.1:9")
        .start()
        .await;
    let config = get(&server).await;
    let mut sent = config.clone();
    sent["features"]["showBadges"] = json!(false);
    let changed = put(&server, &sent).await;
    server.until_it_says("config: gnasty bulk sync warning").await;

    for path in ["/api/config", "/api/config/defaults", "/configz", "/config.json", "/metrics"] {
        let answer = server.get(path).await;
        assert_eq!(answer.status, 200, "{path}");
        assert!(!answer.text().contains("canary"), "{path}: {}", answer.text());
    }
    assert_eq!(changed.status, 200, "{}", changed.text());
    assert!(!changed.text().contains("canary"));
    assert_eq!(
        config["ingest"]["gnastyArgs"],
        json!(["--stdout", "--token=***", "--auth", "***", "--url", "http://***@x.test"])
    );
    let secrets = &server.get("/api/config").await.json()["envOnlySecrets"];
    let there = json!({ "configured": true, "value": "[redacted]", "source": "env" });
    assert_eq!(*secrets, json!({ "twitchClientSecret": there, "youtubeApiKey": there }));
    let stored: Vec<String> = server.column("select document from settings");
    assert!(stored.len() == 1 && !stored[0].contains("canary") && !stored[0].contains("gnastyArgs"), "{stored:?}");
    assert!(!server.said().contains("canary"));
}

#[tokio::test]
async fn without_secrets_none_is_said_to_be_there() {
    let server = launch().start().await;

    let secrets = &server.get("/api/config").await.json()["envOnlySecrets"];

    let absent = json!({ "configured": false, "value": "", "source": "env" });
    assert_eq!(*secrets, json!({ "twitchClientSecret": absent, "youtubeApiKey": absent }));
}

#[tokio::test]
async fn an_edit_of_the_same_length_is_a_change() {
    let server = launch().env("ELORA_WS_ALLOWED_ORIGINS", "https://a.test").start().await;

    let answer = set(&server, json!({ "allowedOrigins": ["https://b.test"] })).await;

    assert_eq!((&answer["changed"], &answer["config"]["allowedOrigins"]), (&json!(true), &json!(["https://b.test"])));
    assert_eq!(get(&server).await["allowedOrigins"], json!(["https://b.test"]));
}

#[tokio::test]
async fn a_kept_document_that_cannot_be_read_leaves_the_environment_in_force() {
    let server = launch().start().await;
    set(&server, json!({ "features": { "showBadges": false }, "tailer": { "maxBatch": 7 } })).await;
    let stored: Vec<String> = server.column("select document from settings");
    let mut launch = server.kill().await;
    let newer = stored[0].replace("\"schemaVersion\":2", "\"schemaVersion\":9");
    let foreign = stored[0].replace("\"maxBatch\"", "\"manyAtOnce\"");

    for text in ["", "{", "[]", &newer, &foreign] {
        let server = restarted_with(launch, text).await;
        let config = get(&server).await;
        assert_eq!(config["features"]["showBadges"], true, "{text}");
        server.until_it_says("the settings that were kept cannot be used").await;
        let answer = set(&server, json!({ "tailer": { "maxBatch": 8 } })).await;
        assert_eq!(answer["config"]["tailer"]["maxBatch"], 8, "{text}");
        launch = server.kill().await;
    }
    let server = restarted_with(launch, &stored[0].replace(":7", ":0")).await;
    let config = get(&server).await;
    assert_eq!(config["features"]["showBadges"], false, "one bad value does not spoil the others");
    assert_eq!(config["tailer"]["maxBatch"], 200);
}

/// Starts again with another text in the place of the document.
async fn restarted_with(launch: Launch, text: &str) -> Server {
    let store = rusqlite::Connection::open(launch.db_path()).expect("the store opens");
    store.execute("update settings set document = ?1", [text]).expect("the store takes it");
    drop(store);
    launch.start().await
}
