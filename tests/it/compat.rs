//! What clients of old find beside chat: the addresses, who is signed in, and a clear word where something is not
//! built yet.

use crate::support::http::Request;
use crate::support::scene::watching;
use crate::support::server::Launch;

#[tokio::test]
async fn the_addresses_of_a_deployment_are_told() {
    let server = Launch::new()
        .env("VITE_PUBLIC_API_BASE", "https://chat.example.com/")
        .env("DEPLOYED_URL", "https://stream.example.com")
        .env("ELORA_UI_SHOW_BADGES", "0")
        .start()
        .await;

    for method in ["GET", "POST"] {
        let answer = Request::new(method, "/config.json").send(server.addr).await;
        assert_eq!(answer.status, 200, "{method}");
        let document = answer.json();
        assert_eq!(document["apiBase"], "https://chat.example.com");
        assert_eq!(document["wsUrl"], "wss://chat.example.com/ws/chat");
        assert_eq!(document["deployedUrl"], "https://stream.example.com");
        assert_eq!(document["hideYouTubeAt"], true);
        assert_eq!(document["showBadges"], false);
    }
}

#[tokio::test]
async fn without_settings_the_addresses_are_those_of_this_machine() {
    let (_twitch, server, _feed) = watching(&["room"]).await;

    let document = server.get("/config.json").await.json();

    assert!(document["apiBase"].as_str().is_some_and(|base| base.starts_with("http://localhost:")), "{document}");
    assert!(document["wsUrl"].as_str().is_some_and(|url| url.starts_with("ws://localhost:")), "{document}");
    assert_eq!(document["deployedUrl"], document["apiBase"]);
}

#[tokio::test]
async fn nobody_is_signed_in_with_a_platform() {
    let (_twitch, server, _feed) = watching(&["room"]).await;

    let session =
        Request::get("/check-session").header("Cookie", "session_token=service:twitch").send(server.addr).await;

    assert_eq!(session.status, 200);
    assert_eq!(session.text(), "{\"services\":[]}\n");
}

#[tokio::test]
async fn what_is_not_built_yet_says_so() {
    let (_twitch, server, _feed) = watching(&["room"]).await;

    for path in ["/auth/twitch/start", "/login/twitch", "/callback/twitch?code=x", "/auth/twitch/callback"] {
        let answer = server.get(path).await;
        assert_eq!(answer.status, 501, "{path}");
        assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{path}");
        assert!(answer.text().contains("not built yet"), "{path}");
    }
    let message = || Request::new("POST", "/auth/send-message").json(&serde_json::json!({ "message": "hi" }));
    for answer in [message().send(server.addr).await, server.ask(message()).await] {
        assert_eq!(answer.status, 501, "{}", answer.text());
    }
}

#[tokio::test]
async fn a_wrong_method_is_told_the_right_ones_and_head_is_answered() {
    let (_twitch, server, _feed) = watching(&["room"]).await;

    for (method, path, allowed) in [
        ("PUT", "/api/messages", "GET,HEAD"),
        ("POST", "/configz", "GET,HEAD"),
        ("PATCH", "/api/sources", "GET,HEAD,POST"),
        ("GET", "/auth/send-message", "POST"),
    ] {
        let answer = server.ask(Request::new(method, path)).await;
        assert_eq!(answer.status, 405, "{method} {path}");
        let mut said: Vec<&str> = answer.header("allow").unwrap_or_default().split(',').collect();
        said.sort_unstable();
        assert_eq!(said.join(","), allowed, "{method} {path}");
        assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{method} {path}");
    }
    for path in ["/api/messages", "/api/messages/export", "/healthz", "/configz", "/"] {
        let answer = Request::new("HEAD", path).send(server.addr).await;
        assert_eq!((answer.status, answer.text().len()), (200, 0), "{path}");
    }
}
