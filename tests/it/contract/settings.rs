//! The two sources that clients of old know as settings, in every spelling their servers took.

use serde_json::{Value, json};

use crate::support::http::{Answer, Request};
use crate::support::server::{Launch, Server};

const VIDEO: &str = "https://www.youtube.com/watch?v=jfKfPfyJRdk";
const HANDLE: &str = "https://www.youtube.com/@lofigirl/live";

async fn put(server: &Server, body: &Value) -> Answer {
    server.ask(Request::new("PUT", "/api/config").json(body)).await
}

#[tokio::test]
async fn every_spelling_of_a_source_becomes_its_one_name() {
    let server = Launch::new().env("ELORA_INGEST_DRIVER", "none").start().await;

    for (field, sent, expected) in [
        ("twitchChannel", "dagnel", "dagnel"),
        ("twitchChannel", "@Dagnel", "dagnel"),
        ("twitchChannel", "twitch.tv/dagnel", "dagnel"),
        ("twitchChannel", "https://m.twitch.tv/Dagnel/videos", "dagnel"),
        ("twitchChannel", "", ""),
        ("youtubeSourceUrl", "@lofigirl", HANDLE),
        ("youtubeSourceUrl", "lofigirl", HANDLE),
        ("youtubeSourceUrl", "https://www.youtube.com/@lofigirl", HANDLE),
        ("youtubeSourceUrl", "https://youtube.com/@lofigirl/live", HANDLE),
        ("youtubeSourceUrl", "jfKfPfyJRdk", VIDEO),
        ("youtubeSourceUrl", "https://youtu.be/jfKfPfyJRdk?t=7", VIDEO),
        ("youtubeSourceUrl", "https://www.youtube.com/watch?v=jfKfPfyJRdk&t=7s", VIDEO),
        ("youtubeSourceUrl", "", ""),
    ] {
        let answer = put(&server, &json!({ field: sent })).await;
        assert_eq!(answer.status, 200, "{sent}: {}", answer.text());
        assert_eq!(answer.json()["config"][field], expected, "{sent}");
    }
    for (field, sent) in [("youtubeSourceUrl", "https://www.youtube.com/watch?v=bad"), ("twitchChannel", "a b")] {
        let answer = put(&server, &json!({ field: sent })).await;
        assert_eq!((answer.status, &answer.json()["details"][0]["field"]), (400, &field.into()), "{sent}");
    }
}
