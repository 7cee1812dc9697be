//! `/api/sources/top/*`: channels to begin with, asked of Twitch sparingly and never with more than it needs.

use futures_util::future::join_all;
use serde_json::json;

use crate::support::http::Answer;
use crate::support::server::{Launch, Server};
use crate::support::upstream::{Asked, Reply, Upstream};

const SECRET: &str = "canary-of-the-application";

/// A stand-in for both of Twitch's servers: tokens are numbered, and streams are as `streams` says.
async fn twitch(streams: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> Upstream {
    let tokens = std::sync::atomic::AtomicUsize::new(0);
    Upstream::start(move |asked| match (asked.method.as_str(), asked.path.as_str()) {
        ("POST", "/oauth2/token") => {
            let number = tokens.fetch_add(1, std::sync::atomic::Ordering::Relaxed) + 1;
            Reply::json(&json!({ "access_token": format!("app-{number}"), "expires_in": 5000, "token_type": "bearer" }))
        }
        ("GET", "/helix/streams?first=10") => streams(asked),
        _ => Reply::new(404, "text/plain", "what?"),
    })
    .await
}

fn two_streams(_: &Asked) -> Reply {
    Reply::json(&json!({
        "data": [
            { "user_id": "7", "user_login": "ada_l", "user_name": "Ada", "viewer_count": 1234, "title": "x" },
            { "user_id": "8", "user_login": "mei_mei", "user_name": "芽衣", "viewer_count": 7, "type": "live" },
        ],
        "pagination": {},
    }))
}

fn launch(upstream: &Upstream) -> Launch {
    let launch = Launch::new().env("ELORA_INGEST_DRIVER", "none");
    let launch = launch.env("ELORA_TWITCH_API_URL", &upstream.origin()).env("ELORA_TWITCH_ID_URL", &upstream.origin());
    launch.env("TWITCH_OAUTH_CLIENT_ID", "our-app").env("TWITCH_OAUTH_CLIENT_SECRET", SECRET)
}

async fn top(server: &Server) -> Answer {
    server.get("/api/sources/top/twitch").await
}

/// Refused in words that name what they should, and no secret.
fn assert_refused(answer: &Answer, named: &str) {
    assert_eq!(answer.status, 503, "{}", answer.text());
    assert_eq!(answer.header("content-type"), Some("application/problem+json"));
    assert!(answer.text().contains(named), "{}", answer.text());
    assert!(!answer.text().contains(SECRET) && !answer.text().contains("app-"), "{}", answer.text());
}

#[tokio::test]
async fn what_is_watched_most_is_told_as_clients_of_old_know_it() {
    let twitch = twitch(two_streams).await;
    let server = launch(&twitch).start().await;

    let answer = top(&server).await;

    assert_eq!((answer.status, answer.header("content-type")), (200, Some("application/json")));
    let expected = json!([
        { "login": "ada_l", "display_name": "Ada", "viewer_count": 1234, "url": "https://www.twitch.tv/ada_l" },
        { "login": "mei_mei", "display_name": "芽衣", "viewer_count": 7, "url": "https://www.twitch.tv/mei_mei" },
    ]);
    assert_eq!(answer.json(), expected);
    let [token, streams] = &twitch.asked()[..] else { panic!("{:#?}", twitch.asked()) };
    assert_eq!(token.header("content-type"), Some("application/x-www-form-urlencoded"));
    assert_eq!(token.body, format!("client_id=our-app&client_secret={SECRET}&grant_type=client_credentials"));
    assert_eq!(streams.header("authorization"), Some("Bearer app-1"));
    assert_eq!(streams.header("client-id"), Some("our-app"));
    assert!(!server.said().contains(SECRET));
}

#[tokio::test]
async fn however_many_ask_twitch_is_asked_once() {
    let twitch = twitch(two_streams).await;
    let server = launch(&twitch).start().await;

    let answers = join_all((0..30).map(|_| top(&server))).await;
    let late = top(&server).await;

    assert!(answers.iter().all(|answer| answer.status == 200 && answer.body == late.body));
    assert_eq!(twitch.asked().len(), 2, "{:#?}", twitch.asked());
}

#[tokio::test]
async fn a_failure_is_asked_for_once_too() {
    let twitch = twitch(|_| Reply::new(500, "text/plain", "oh")).await;
    let server = launch(&twitch).start().await;

    let answers = join_all((0..30).map(|_| top(&server))).await;

    answers.iter().for_each(|answer| assert_refused(answer, "Twitch answered 500"));
    assert_eq!(twitch.asked().len(), 2, "{:#?}", twitch.asked());
}

#[tokio::test]
async fn without_an_application_nobody_is_asked_and_the_settings_are_named() {
    let twitch = twitch(two_streams).await;
    let server = launch(&twitch).env("TWITCH_OAUTH_CLIENT_SECRET", "").start().await;

    let answer = top(&server).await;

    assert_refused(&answer, "TWITCH_OAUTH_CLIENT_ID");
    assert_refused(&answer, "TWITCH_OAUTH_CLIENT_SECRET");
    assert!(twitch.asked().is_empty());
}

#[tokio::test]
async fn a_token_that_was_taken_back_is_renewed_once() {
    let taken_back = |asked: &Asked| match asked.header("authorization") {
        Some("Bearer app-1") => Reply::new(401, "application/json", "{}"),
        _ => two_streams(asked),
    };
    let renewed = twitch(taken_back).await;
    let server = launch(&renewed).start().await;
    assert_eq!(top(&server).await.status, 200);
    assert_eq!(renewed.asked().len(), 4);

    let never = twitch(|_| Reply::new(401, "application/json", "{}")).await;
    let server = launch(&never).start().await;
    assert_refused(&top(&server).await, "TWITCH_OAUTH_CLIENT_ID");
    assert_eq!(never.asked().len(), 4, "{:#?}", never.asked());
}

#[tokio::test]
async fn what_twitch_should_not_send_is_an_outage() {
    let oversized = "x".repeat(300 * 1024);
    for (reply, named) in [
        (Reply::new(200, "application/json", "<html>"), "something else"),
        (Reply::new(200, "application/json", "{\"data\":7}"), "something else"),
        (Reply::new(200, "application/json", oversized), "262144 bytes"),
        (Reply::new(302, "text/plain", "").header("Location", "/elsewhere"), "answered 302"),
        (Reply::new(200, "application/json", "{\"data\":[]}").breaks_after(3), "away"),
    ] {
        let twitch = twitch(move |_| reply.clone()).await;
        let server = launch(&twitch).start().await;
        assert_refused(&top(&server).await, named);
    }
    let refusing =
        Upstream::start(|_| Reply::new(403, "application/json", "{\"message\":\"invalid client secret\"}")).await;
    let server = launch(&refusing).start().await;
    assert_refused(&top(&server).await, "renew them");
    let server = launch(&refusing).env("ELORA_TWITCH_ID_URL", "http://127.0.0.1:9").start().await;
    assert_refused(&top(&server).await, "away");
}

#[tokio::test]
async fn youtube_suggests_what_is_known_or_configured() {
    let suggested = async |json: &str| {
        let launch = Launch::new().env("ELORA_INGEST_DRIVER", "none").env("GNASTY_YT_SUGGESTIONS_JSON", json);
        let answer = launch.start().await.get("/api/sources/top/youtube").await;
        assert_eq!((answer.status, answer.header("content-type")), (200, Some("application/json")));
        (answer.json(), answer.header("x-suggestions-hint").is_some())
    };

    let (known, hint) = suggested("").await;
    assert!(!hint);
    assert_eq!(known.as_array().map(Vec::len), Some(4));
    for channel in known.as_array().unwrap() {
        assert!(channel["display_name"].is_string(), "{channel}");
        assert!(channel["url"].as_str().is_some_and(|url| url.starts_with("https://www.youtube.com/@")), "{channel}");
        assert_eq!(channel.as_object().unwrap().len(), 2);
    }
    let mixed =
        r#"[{"display_name":"A","url":"https://youtube.test/@a","x":1},{"url":"u"},{"display_name":" ","url":"u"},7]"#;
    let (chosen, hint) = suggested(mixed).await;
    assert_eq!((chosen, hint), (json!([{ "display_name": "A", "url": "https://youtube.test/@a" }]), false));
    assert_eq!(suggested("[]").await, (json!([]), true));

    let ended = Launch::new().env("GNASTY_YT_SUGGESTIONS_JSON", "{\"a\":1}").run().await;
    assert_eq!(ended.code, Some(64), "{}", ended.said);
    assert!(ended.said.contains("GNASTY_YT_SUGGESTIONS_JSON"), "{}", ended.said);
}
