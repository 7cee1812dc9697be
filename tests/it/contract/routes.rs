//! Every address that clients of old know, with the methods they use: it answers as they expect, or says in a problem
//! what is not built yet.

use serde_json::{Value, json};

use crate::guard::{Route, routes};
use crate::support::feed::{Feed, upgrade};
use crate::support::http::{Answer, Request};
use crate::support::scene::watching_with;
use crate::support::server::{Launch, Server};
use crate::support::source::Source;
use crate::support::twitch::lines::privmsg_with;
use crate::support::twitch::{BOB, Twitch};
use crate::support::upstream::{Reply, Upstream};

/// What an address that takes any method is tried with.
const ANY: &[&str] = &["GET", "POST", "PUT", "DELETE"];
const GET: &[&str] = &["GET"];
const POST: &[&str] = &["POST"];

/// What is given back.
enum Given {
    /// Text that begins so.
    Text(&'static str),
    /// An object with these keys.
    Object(&'static [&'static str]),
    /// An array of at least one object with these keys, and no others.
    Entries(&'static [&'static str]),
    /// Lines of the export, which begin so, with this type.
    File(&'static str, &'static str),
    /// Bytes of this type.
    Typed(&'static str),
    /// The way home.
    Home,
    /// 501, and what is missing.
    NotBuilt(&'static str),
}

struct Row {
    methods: &'static [&'static str],
    path: &'static str,
    body: Value,
    given: Given,
}

fn row(methods: &'static [&'static str], path: &'static str, given: Given) -> Row {
    Row { methods, path, body: Value::Null, given }
}

fn with(body: Value, row: Row) -> Row {
    Row { body, ..row }
}

const ENVELOPE: Given = Given::Object(&["config", "envOnlySecrets", "changed", "reconnectWs"]);
const ITEM: &str = r#"{"id":""#;
const HEADER: &str = "id,ts,username,platform,text,emotes_json,raw_json\n";
const MARKER: &str = "/api/dev/seed/marker";

/// Each address but the sockets and the stream. `PORT` is the stand-in's.
fn table() -> Vec<Row> {
    use Given::{Entries, File, Home, NotBuilt, Object, Text, Typed};
    let sign_in = || NotBuilt("signing in with Twitch");
    vec![
        row(ANY, "/healthz", Text("ok")),
        row(ANY, "/readyz", Text("ready")),
        row(GET, "/configz", Object(&["db", "tailer", "ingest", "websocket"])),
        row(ANY, "/config.json", Object(&["deployedUrl", "apiBase", "wsUrl", "hideYouTubeAt", "showBadges"])),
        row(GET, "/imageproxy?url=http://127.0.0.1:PORT/emote", Typed("image/png")),
        row(POST, MARKER, Object(&["inserted"])),
        row(POST, "/api/dev/seed/burst", Object(&["inserted"])),
        row(GET, "/api/messages?limit=1", Object(&["items", "next_before_ts", "next_before_rowid"])),
        row(GET, "/api/messages/export", File("application/x-ndjson; charset=utf-8", ITEM)),
        row(GET, "/api/messages/export?format=csv", File("text/csv; charset=utf-8", HEADER)),
        row(GET, "/api/debug/raw-messages", Entries(&["rowid", "platform", "username", "text", "ts"])),
        row(GET, "/api/config", ENVELOPE),
        with(json!({ "features": { "showBadges": false } }), row(&["PUT"], "/api/config", ENVELOPE)),
        row(GET, "/api/config/defaults", ENVELOPE),
        row(GET, "/api/sources/top/twitch", Entries(&["login", "display_name", "viewer_count", "url"])),
        row(GET, "/api/sources/top/youtube", Entries(&["display_name", "url"])),
        row(
            GET,
            "/api/alerts?type=bits",
            Entries(&["id", "platform", "type", "username", "amount", "message", "source_channel", "ts"]),
        ),
        row(GET, "/api/alerts/count", Object(&["count"])),
        with(json!({ "before_ts": 1 }), row(POST, "/api/messages/purge", Object(&["deleted"]))),
        row(GET, "/auth/twitch/start", sign_in()),
        row(GET, "/login/twitch", sign_in()),
        row(ANY, "/callback/twitch?code=a&state=b", sign_in()),
        row(ANY, "/auth/twitch/callback?code=a&state=b", sign_in()),
        with(json!({ "message": "hi" }), row(POST, "/auth/send-message", NotBuilt("sending"))),
        row(GET, "/check-session", Object(&["services"])),
        row(POST, "/restart-server", Text("restarting")),
        row(POST, "/logout", Home),
        row(GET, "/", Typed("text/html; charset=utf-8")),
    ]
}

/// A server with chat, an alert, every door open, and an upstream for what it fetches.
async fn furnished(twitch: &Twitch, upstream: &Upstream) -> (Server, Feed) {
    let launch = Launch::new()
        .twitch(twitch, &["room"])
        .env("ELORA_DEV_SEED_ENABLED", "1")
        .env("ELORA_DEBUG_RAW_MESSAGES", "1")
        .env("ELORA_IMAGE_ORIGINS", &upstream.origin())
        .env("ELORA_TWITCH_API_URL", &upstream.origin())
        .env("ELORA_TWITCH_ID_URL", &upstream.origin())
        .env("TWITCH_OAUTH_CLIENT_ID", "app")
        .env("TWITCH_OAUTH_CLIENT_SECRET", "secret");
    let (server, mut feed) = watching_with(twitch, launch, &["room"]).await;
    let cheer = privmsg_with("room", &BOB, "Cheer100 well done", "bits=100");
    let id = cheer.native_id();
    twitch.send(cheer).await;
    feed.event(&id).await;
    (server, feed)
}

async fn elsewhere() -> Upstream {
    Upstream::start(|asked| match asked.path.split('?').next() {
        Some("/oauth2/token") => Reply::json(&json!({ "access_token": "x", "expires_in": 5000 })),
        Some("/helix/streams") => Reply::json(
            &json!({ "data": [{ "user_login": "ada_l", "user_name": "Ada", "viewer_count": 7, "title": "x" }] }),
        ),
        _ => Reply::new(200, "image/png", "a picture"),
    })
    .await
}

/// Scripts read a line at a time, and terminals show one.
pub fn is_one_line(body: &str) -> bool {
    body.ends_with('\n') && body.lines().count() == 1
}

fn check(what: &str, answer: &Answer, given: &Given) {
    let kind = answer.header("content-type").unwrap_or_default();
    let body = answer.text();
    let expected = match given {
        Given::NotBuilt(_) => 501,
        Given::Home => 302,
        _ => 200,
    };
    assert_eq!(answer.status, expected, "{what}: {body}");
    if kind.contains("json") && !kind.contains("ndjson") {
        assert!(is_one_line(&body), "{what}: {body:?}");
    }
    match given {
        Given::Text(start) => {
            assert!(kind.starts_with("text/plain") && body.starts_with(start), "{what}: {kind} {body}");
        }
        Given::Object(keys) => {
            assert!(kind.starts_with("application/json"), "{what}: {kind}");
            keys.iter().for_each(|key| assert!(answer.json().get(key).is_some(), "{what} has no {key}: {body}"));
        }
        Given::Entries(keys) => {
            assert_eq!(kind, "application/json", "{what}");
            let first = answer.json()[0].as_object().unwrap_or_else(|| panic!("{what} is empty: {body}")).clone();
            let (mut names, mut wanted): (Vec<&str>, Vec<&str>) =
                (first.keys().map(String::as_str).collect(), keys.to_vec());
            names.sort_unstable();
            wanted.sort_unstable();
            assert_eq!(names, wanted, "{what}: {body}");
        }
        Given::File(wanted, start) => {
            assert!(kind == *wanted && body.starts_with(start) && body.ends_with('\n'), "{what}: {kind} {body}");
            assert!(
                answer.header("content-disposition").is_some_and(|value| value.starts_with("attachment")),
                "{what}"
            );
        }
        Given::Typed(wanted) => assert_eq!(kind, *wanted, "{what}: {body}"),
        Given::Home => assert_eq!(answer.header("location"), Some("/"), "{what}"),
        Given::NotBuilt(named) => {
            assert_eq!(kind, "application/problem+json", "{what}");
            assert!(answer.json()["detail"].as_str().is_some_and(|detail| detail.contains(named)), "{what}: {body}");
        }
    }
}

/// Whether the program itself lists the address. Pages are in no list.
fn is_listed(routes: &[Route], method: &str, path: &str) -> bool {
    let path = path.split('?').next().unwrap_or_default();
    path == "/" || routes.iter().any(|route| route.path == path && [method, "*"].contains(&route.method.as_str()))
}

#[tokio::test]
async fn every_address_of_old_answers_as_it_did_or_says_what_is_missing() {
    let (twitch, upstream) = (Twitch::start().await, elsewhere().await);
    let (server, mut feed) = furnished(&twitch, &upstream).await;
    let listed = routes(server.launch()).await;
    let port = upstream.origin().rsplit_once(':').expect("it names its port").1.to_owned();

    for Row { methods, path, body, given } in table() {
        for method in methods {
            assert!(is_listed(&listed, method, path), "{method} {path} is in no table");
            let request = Request::new(method, &path.replace("PORT", &port));
            let request = if body.is_null() { request } else { request.json(&body) };
            check(&format!("{method} {path}"), &server.ask(request).await, &given);
            if path == MARKER {
                // What is asked for next needs it.
                feed.until("the marker is stored", |feed| feed.events.len() >= 2).await;
            }
        }
    }
}

#[tokio::test]
async fn the_sockets_and_the_stream_of_old_are_there() {
    let (twitch, upstream) = (Twitch::start().await, elsewhere().await);
    let (server, mut feed) = furnished(&twitch, &upstream).await;
    let mut alerts = Source::open(&server, "/api/alerts/stream", None).await;

    let cheer = privmsg_with("room", &BOB, "Cheer200 again", "bits=200");
    let id = cheer.native_id();
    twitch.send(cheer).await;
    feed.event(&id).await;
    alerts.until("the alert", |alerts| alerts.frames.iter().any(|alert| alert["amount"] == 200)).await;

    assert_eq!(alerts.names.last().map(String::as_str), Some("alert"));
    assert!(upgrade(server.addr, "/ws/chat", &[]).await.is_ok());
    let bare = server.get("/ws/chat").await;
    assert!((400..500).contains(&bare.status), "{bare:?}");
}
