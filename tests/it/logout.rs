//! `POST /logout`, the one route open to everybody that changes something: it ends the caller's own session and nothing else.

use crate::guard::cookie;
use crate::support::http::{Answer, Request};
use crate::support::server::{Launch, Server};

const FORM: &str = "application/x-www-form-urlencoded";
/// Every attribute of the cookie that was set, and both ways to say that it is over.
const OVER: &str = "session_token=; Path=/; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT; HttpOnly; SameSite=Lax";

async fn serving() -> Server {
    Launch::new().env("ELORA_INGEST_DRIVER", "none").start().await
}

async fn is_owner(server: &Server, cookie: &str) -> bool {
    Request::get("/api/session").header("Cookie", cookie).send(server.addr).await.json()["owner"] == true
}

fn assert_out(answer: &Answer) {
    assert_eq!((answer.status, answer.header("location")), (302, Some("/")), "{}", answer.text());
    assert_eq!(answer.header("set-cookie"), Some(OVER));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
}

#[tokio::test]
async fn our_own_form_ends_the_session_it_belongs_to() {
    let server = serving().await;
    let mine = cookie(&server).await;
    assert!(is_owner(&server, &mine).await);

    let request = Request::new("POST", "/logout").body(FORM, "bye=1").header("Cookie", &mine);
    let answer = request.header("Origin", format!("http://{}", server.addr)).send(server.addr).await;

    assert_out(&answer);
    assert!(!is_owner(&server, &mine).await);
    assert_eq!(server.column::<i64>("select count(*) from sessions"), [0]);
}

#[tokio::test]
async fn a_foreign_page_signs_nobody_out() {
    let server = serving().await;
    let mine = cookie(&server).await;

    for origin in ["https://evil.test", "null", "http://127.0.0.1:1"] {
        for kind in [FORM, "text/plain", "application/json"] {
            let request = Request::new("POST", "/logout").body(kind, "{}").header("Cookie", &mine);
            let answer = request.header("Origin", origin).send(server.addr).await;
            assert_eq!((answer.status, answer.header("set-cookie")), (403, None), "{origin} {kind}");
        }
    }
    let image = Request::get("/logout").header("Cookie", &mine).send(server.addr).await;
    assert_eq!((image.status, image.header("allow")), (405, Some("POST")), "an address alone is not enough");

    assert!(is_owner(&server, &mine).await);
}

#[tokio::test]
async fn who_is_not_signed_in_is_sent_home_and_ends_nobodys_session() {
    let server = serving().await;
    let mine = cookie(&server).await;

    for stranger in ["", "session_token=", "session_token=guess", "session_token=oauth-state:x", "other=1"] {
        assert_out(&Request::new("POST", "/logout").header("Cookie", stranger).send(server.addr).await);
    }
    assert_out(&Request::new("POST", "/logout").send(server.addr).await);
    assert_out(&server.ask(Request::new("POST", "/logout")).await);

    assert!(is_owner(&server, &mine).await);
    assert_eq!(server.ask(Request::new("POST", "/api/session/link")).await.status, 201, "a token is no session");
}
