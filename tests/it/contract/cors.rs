//! Which foreign pages may read answers, line by line: the same that may open sockets.

use crate::support::http::{Answer, Request};
use crate::support::server::{Launch, Server};

const FRIEND: &str = "https://friend.test";

async fn serving(origins: &str) -> Server {
    Launch::new().env("ELORA_INGEST_DRIVER", "none").env("ELORA_WS_ALLOWED_ORIGINS", origins).start().await
}

/// What an answer tells the browser: who may read, whether with cookies, and that it differs by page.
fn told(answer: &Answer) -> (Option<&str>, Option<&str>, Option<&str>) {
    // A built page says it a second time, for its compressed form.
    let vary = answer.headers.iter().find(|(name, value)| name == "vary" && value == "Origin");
    let vary = vary.map(|(_, value)| value.as_str());
    (answer.header("access-control-allow-origin"), answer.header("access-control-allow-credentials"), vary)
}

async fn read(server: &Server, path: &str, origin: Option<&str>) -> Answer {
    let request = origin.into_iter().fold(Request::get(path), |request, origin| request.header("Origin", origin));
    request.send(server.addr).await
}

#[tokio::test]
async fn who_may_read() {
    let own = |server: &Server| format!("http://{}", server.addr);
    let friend = (Some(FRIEND), Some("true"), Some("Origin"));
    // Where one page may read, a cache must not keep for it what another was given.
    let (nobody, stranger, everybody) = ((None, None, None), (None, None, Some("Origin")), (Some("*"), None, None));

    for (configured, origin, expected) in [
        ("", None, nobody),
        ("", Some(FRIEND), nobody),
        (FRIEND, None, stranger),
        (FRIEND, Some(FRIEND), friend),
        (FRIEND, Some("https://FRIEND.test"), stranger),
        (FRIEND, Some("https://friend.test:8443"), stranger),
        (FRIEND, Some("http://friend.test"), stranger),
        (FRIEND, Some("https://friend.test.evil.test"), stranger),
        (FRIEND, Some("null"), stranger),
        ("https://other.test,https://friend.test", Some(FRIEND), friend),
        ("*", None, nobody),
        ("*", Some("https://anybody.test"), everybody),
        ("*", Some("null"), everybody),
        ("https://friend.test,*", Some(FRIEND), everybody),
    ] {
        let server = serving(configured).await;
        for path in ["/api/messages", "/healthz", "/configz", "/api/nothing", "/"] {
            let answer = read(&server, path, origin).await;
            assert_eq!(told(&answer), expected, "{configured:?} {origin:?} {path}");
            let exposed = answer.header("access-control-expose-headers");
            assert_eq!(exposed.is_some(), expected.0.is_some(), "{configured:?} {origin:?} {path}");
            assert!(answer.status < 400 || path == "/api/nothing", "foreign pages are not kept from asking: {path}");
        }
        let page = own(&server);
        let mine = read(&server, "/api/messages", Some(&page)).await;
        let granted = told(&mine).0.expect("our own page may read");
        assert!(granted == page || configured.contains('*'), "{configured:?}: {granted}");
    }
}

#[tokio::test]
async fn refusals_are_readable_for_whom_answers_are() {
    let server = serving(FRIEND).await;

    let refused = Request::new("POST", "/api/sources").header("Origin", FRIEND).send(server.addr).await;
    assert_eq!((refused.status, told(&refused).0), (401, Some(FRIEND)));
    let foreign = Request::new("POST", "/api/sources").header("Origin", "https://evil.test").send(server.addr).await;
    assert_eq!((foreign.status, told(&foreign).0), (403, None));
}

#[tokio::test]
async fn what_a_page_may_send_is_told_beforehand() {
    let preflight = async |server: &Server, origin: &str, method: &str, headers: &str| {
        let request = Request::new("OPTIONS", "/api/sources").header("Origin", origin);
        let request = request.header("Access-Control-Request-Method", method);
        request.header("Access-Control-Request-Headers", headers).send(server.addr).await
    };
    let listed = |answer: &Answer, header: &str, item: &str| {
        let items = answer.header(header).unwrap_or_default().split(',').map(str::trim);
        items.map(str::to_ascii_lowercase).any(|known| known == item.to_ascii_lowercase())
    };

    for origins in [FRIEND, "*"] {
        let server = serving(origins).await;
        for (method, header, method_is_listed, header_is_listed) in [
            ("GET", "authorization", true, true),
            ("POST", "content-type", true, true),
            ("PUT", "Authorization", true, true),
            ("DELETE", "X-Correlation-ID", true, true),
            ("PATCH", "content-type", false, true),
            ("TRACE", "x-unknown", false, false),
            ("get", "cookie", false, false),
        ] {
            let answer = preflight(&server, FRIEND, method, header).await;
            // The lists are answer enough: a browser that does not find what it needs sends nothing.
            assert_eq!((answer.status, answer.body.len()), (204, 0), "{origins} {method}");
            let methods = answer.header("access-control-allow-methods").unwrap_or_default().to_owned();
            assert_eq!(
                methods.split(", ").any(|known| known == method),
                method_is_listed,
                "{origins} {method}: {methods}"
            );
            assert_eq!(listed(&answer, "access-control-allow-headers", header), header_is_listed, "{origins} {header}");
            assert_eq!(told(&answer).0, Some(if origins == "*" { "*" } else { FRIEND }), "{origins}");
        }
    }
    let server = serving(FRIEND).await;
    let stranger = preflight(&server, "https://evil.test", "GET", "authorization").await;
    assert_eq!((stranger.status, told(&stranger)), (403, (None, None, Some("Origin"))));
    assert_eq!(stranger.header("access-control-allow-methods"), None);
    let bare = Request::new("OPTIONS", "/api/sources").header("Origin", FRIEND).send(server.addr).await;
    assert_eq!(bare.status, 405, "an OPTIONS that is no preflight is a method like any other");
}

#[tokio::test]
async fn what_a_page_may_read_beside_the_body_is_told() {
    let server = serving(FRIEND).await;

    let export = read(&server, "/api/messages/export", Some(FRIEND)).await;

    let exposed = export.header("access-control-expose-headers").unwrap_or_default();
    for header in ["X-Correlation-ID", "Content-Disposition", "X-Suggestions-Hint", "Retry-After"] {
        assert!(exposed.split(", ").any(|known| known == header), "{header}: {exposed}");
    }
}
