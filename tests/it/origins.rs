//! Pages of other origins: which may listen, read answers and act, and in whose name.

use serde_json::json;

use crate::guard::{changing, cookie, serving};
use crate::support::feed::upgrade;
use crate::support::http::Request;

#[tokio::test]
async fn trusted_pages_and_no_page_at_all_may_listen() {
    let server = serving(|launch| launch.env("ELORA_WS_ALLOWED_ORIGINS", "https://friend.test")).await;
    let own = format!("http://{}", server.addr);

    for socket in ["/api/feed", "/ws/chat"] {
        for origin in ["https://friend.test", own.as_str()] {
            assert!(upgrade(server.addr, socket, &[("Origin", origin)]).await.is_ok(), "{origin} {socket}");
        }
        assert!(upgrade(server.addr, socket, &[]).await.is_ok(), "{socket}");
        assert_eq!(upgrade(server.addr, socket, &[("Origin", "https://enemy.test")]).await.err(), Some(403));
    }
    let request = changing("POST", "/api/sources").header("Origin", "https://friend.test");
    assert_eq!(server.ask(request).await.status, 201);
}

#[tokio::test]
async fn trusted_pages_may_read_answers_and_foreign_ones_may_not() {
    let server = serving(|launch| launch.env("ELORA_WS_ALLOWED_ORIGINS", "https://friend.test")).await;
    let read = async |origin: &str| Request::get("/api/messages").header("Origin", origin).send(server.addr).await;
    let ask_first = async |origin: &str| {
        let request = Request::new("OPTIONS", "/api/sources").header("Origin", origin);
        request.header("Access-Control-Request-Method", "POST").send(server.addr).await
    };

    let friend = read("https://friend.test").await;
    assert_eq!(friend.header("access-control-allow-origin"), Some("https://friend.test"));
    assert_eq!(friend.header("access-control-allow-credentials"), Some("true"));
    assert_eq!(friend.header("vary"), Some("Origin"), "a cache must not hand it to another page");
    let allowed = ask_first("https://friend.test").await;
    assert_eq!(allowed.status, 204);
    assert!(allowed.header("access-control-allow-methods").is_some_and(|methods| methods.contains("POST")));
    assert!(allowed.header("access-control-allow-headers").is_some_and(|headers| headers.contains("Authorization")));

    let enemy = read("https://enemy.test").await;
    assert_eq!((enemy.status, enemy.header("access-control-allow-origin")), (200, None));
    let refused = ask_first("https://enemy.test").await;
    assert_eq!((refused.status, refused.header("access-control-allow-origin")), (403, None));
    assert_eq!(server.get("/api/messages").await.header("access-control-allow-origin"), None, "no page, no word");
}

#[tokio::test]
async fn where_every_page_may_read_none_may_with_its_visitors_cookies() {
    let server = serving(|launch| launch.env("ELORA_WS_ALLOWED_ORIGINS", "*")).await;

    let answer = Request::get("/api/messages").header("Origin", "https://anybody.test").send(server.addr).await;

    assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
    assert_eq!(answer.header("access-control-allow-credentials"), None);
}

#[tokio::test]
async fn where_every_page_may_act_none_may_in_its_visitors_name() {
    let server = serving(|launch| launch.env("ELORA_WS_ALLOWED_ORIGINS", "*,https://listed.example")).await;
    let cookie = cookie(&server).await;
    let ask = |method, path, origin| {
        let request = Request::new(method, path).header("Cookie", &cookie).header("Origin", origin);
        let request = if path == "/logout" { request } else { request.json(&json!({ "source": "twitch:somebody" })) };
        request.send(server.addr)
    };

    for origin in ["https://anybody.test", "null"] {
        assert_eq!(ask("POST", "/api/sources", origin).await.status, 401, "{origin}");
        assert_eq!(ask("POST", "/logout", origin).await.status, 302, "{origin}");
    }

    let listed = ask("POST", "/api/sources", "https://listed.example").await;
    assert_eq!(listed.status, 201, "the session goes on, and a listed page may: {}", listed.text());
}

#[tokio::test]
async fn every_origin_may_where_the_owner_says_so_and_is_warned() {
    let server = serving(|launch| launch.env("ELORA_WS_ALLOWED_ORIGINS", "*")).await;

    assert!(upgrade(server.addr, "/api/feed", &[("Origin", "https://anybody.test")]).await.is_ok());
    assert!(server.said().contains("WARN") && server.said().contains("ELORA_WS_ALLOWED_ORIGINS"), "{}", server.said());
    let stranger = changing("POST", "/api/sources").header("Origin", "https://anybody.test");
    assert_eq!(stranger.send(server.addr).await.status, 401, "an allowed page still needs the owner");
}
