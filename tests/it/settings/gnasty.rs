//! That gnasty is told what changed, where it was named.

use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};

use super::{launch, put, set};
use crate::support::server::{Launch, Server, asked_until};
use crate::support::upstream::{Asked, Reply, Upstream};

/// gnasty, which answers its n-th question as `answer` says, and a server that knows of it.
async fn gnasty(answer: impl Fn(usize) -> Reply + Send + Sync + 'static) -> (Upstream, Launch) {
    let count = AtomicUsize::new(0);
    let upstream = Upstream::start(move |_| answer(count.fetch_add(1, Ordering::Relaxed))).await;
    let launch = launch().env("ELORA_GNASTY_ADMIN_BASE", &format!("{}/", upstream.origin()));
    (upstream, launch)
}

fn fine(_: usize) -> Reply {
    Reply::new(204, "text/plain", "")
}

fn body(asked: &Asked) -> Value {
    serde_json::from_str(&asked.body).expect("gnasty is told JSON")
}

async fn sync_status(server: &Server, is_so: impl Fn(&Value) -> bool) -> Value {
    let told = |answer: &crate::support::http::Answer| is_so(&answer.json()["gnasty_sync"]);
    asked_until("the status of the sync", server, "/configz", told).await.json()["gnasty_sync"].clone()
}

#[tokio::test]
async fn every_change_is_told_once_with_its_spelling() {
    let (gnasty, launch) = gnasty(fine).await;
    let server = launch.env("TWITCH_NICK", "reader").start().await;
    // At the start, and once more a little later.
    gnasty.until_asked(2).await;

    set(&server, json!({ "twitchChannel": "@DayoMan", "youtubeSourceUrl": "jfKfPfyJRdk" })).await;
    gnasty.until_asked(3).await;
    let again = set(&server, json!({})).await;
    gnasty.until_asked(4).await;
    let refused = put(&server, &json!({ "wsUrl": "x" })).await;
    set(&server, json!({ "gnasty": { "twitch": { "nick": "" } } })).await;
    gnasty.until_asked(5).await;
    let status = sync_status(&server, |status| status["last_success_at"].is_string()).await;

    assert_eq!((again["changed"].clone(), refused.status), (json!(false), 400));
    let asked = gnasty.asked();
    assert_eq!(asked.len(), 5, "once for each that was granted, and never for one that was refused");
    assert!(asked.iter().all(|asked| (asked.method.as_str(), asked.path.as_str()) == ("POST", "/admin/config")));
    assert_eq!(asked[2].header("content-type"), Some("application/json"));
    let mut expected = json!({
        "sinks": { "enabled": ["sqlite"], "batch_size": 1, "flush_max_ms": 0 },
        "twitch": { "channel": "dayoman", "nick": "reader", "tls": true, "debug_drops": false, "backoff_min_ms": 1000,
                    "backoff_max_ms": 60000, "refresh_backoff_min_ms": 1000, "refresh_backoff_max_ms": 60000 },
        "youtube": { "url": "https://www.youtube.com/watch?v=jfKfPfyJRdk", "retry_seconds": 30,
                     "dump_unhandled": false, "poll_timeout_secs": 15, "poll_interval_ms": 10000, "debug": false },
    });
    assert_eq!((body(&asked[2]), body(&asked[3])), (expected.clone(), expected.clone()));
    expected["twitch"].as_object_mut().expect("an object").remove("nick");
    assert_eq!(body(&asked[4]), expected);
    assert_eq!((&status["last_error"], &status["target_base"]), (&Value::Null, &json!(gnasty.origin())));
}

#[tokio::test]
async fn what_fails_twice_is_tried_a_third_time() {
    let (gnasty, launch) = gnasty(|n| if n < 2 { Reply::new(500, "text/plain", "not yet") } else { fine(n) }).await;
    let server = launch.start().await;

    gnasty.until_asked(3).await;

    let status = sync_status(&server, |status| status["last_success_at"].is_string()).await;
    assert_eq!(status["last_error"], Value::Null);
    assert!(!server.said().contains("gnasty bulk sync warning"));
}

#[tokio::test]
async fn a_gnasty_that_fails_holds_nobody_up_and_is_told_of() {
    let long = format!("broken\u{7}\nsecond line {}", "x".repeat(2000));
    let (gnasty, launch) = gnasty(move |_| Reply::new(500, "text/plain", long.clone())).await;
    let server = launch.start().await;
    gnasty.until_asked(3).await;

    let answer = set(&server, json!({ "twitchChannel": "one" })).await;
    server.until_it_says("config: gnasty bulk sync warning").await;
    let status = sync_status(&server, |status| status["last_error"].is_string()).await;

    assert_eq!(answer["changed"], true);
    let error = status["last_error"].as_str().expect("an error");
    assert!(error.contains("500") && error.contains("broken\\u0007\\u000asecond line"), "{error}");
    assert!(error.len() < 600 && error.ends_with('…'), "{} bytes", error.len());
    assert!(status["last_attempt_at"].is_string() && status["last_success_at"].is_null(), "{status}");
    let line = server.said().lines().find(|line| line.contains("bulk sync warning")).expect("it was said").to_owned();
    assert!(line.contains("broken") && line.len() < 800, "{line}");
}

#[tokio::test]
async fn a_gnasty_that_is_silent_does_not_keep_the_server_from_changing_and_stopping() {
    let (gnasty, launch) = gnasty(|_| fine(0).silent()).await;
    let server = launch.start().await;
    gnasty.until_asked(1).await;

    set(&server, json!({ "features": { "showBadges": false } })).await;
    let ended = server.stop().await;

    assert_eq!(ended.code, Some(0), "{}", ended.said);
}

#[tokio::test]
async fn one_that_is_away_is_shown() {
    let server = launch().env("ELORA_GNASTY_ADMIN_BASE", "http://127.0.0.1:9").start().await;

    let status = sync_status(&server, |status| status["last_error"].is_string()).await;

    assert_eq!(status["target_base"], "http://127.0.0.1:9");
    server.until_it_says("config: gnasty bulk sync warning: gnasty is away").await;
}
