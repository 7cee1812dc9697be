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
