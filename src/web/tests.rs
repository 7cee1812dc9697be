//! The whole door: guard, routes and pages, asked as a stranger, a browser or a program would ask.

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use axum::response::Response;
use tower::ServiceExt as _;

use super::{Guard, Json, Owner, Routes, finish, key, routes};
use crate::config::{Config, Current, Settings, Store};
use crate::store;
use crate::telemetry::Metrics;

/// A server with one reading and one changing route of a feature, and the things a test needs to know of it.
struct House {
    router: Router,
    guard: Guard,
    token: String,
    folder: tempfile::TempDir,
    /// The writer ends with the last of these.
    _queue: tokio::sync::mpsc::Sender<store::Entry>,
}

fn house(change: impl FnOnce(&mut Config)) -> House {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut config = Config::default();
    config.store = Store { path: folder.path().join("elora.db"), ..config.store };
    change(&mut config);
    let opened = store::open(&config.store, 16, &Metrics::new()).expect("a store in a new folder opens");
    let owner = Owner::open(&config.store, opened.db.clone()).expect("the folder is writable");
    let guard = Guard::new(&config.http, Current::fixed(Settings::of(&config)), owner);
    let metrics = Metrics::new();
    let feature = Routes::new()
        .get("/api/chat", || async { "chat" })
        .post("/api/change", |Json(body): Json<serde_json::Value>| async move { body.to_string() })
        .get("/api/panic", || async { panic!("on purpose") as String });
    let all = routes(&opened.db, &guard, &metrics).merge(feature);
    let token = key::read(&key::path(&config.store)).expect("the token is good").expect("the token is there");
    House { router: finish(all, &guard, &metrics), guard, token, folder, _queue: opened.queue }
}

impl House {
    async fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Response {
        let mut request = Request::builder().method(method).uri(path);
        if !headers.iter().any(|(name, _)| *name == "host") {
            request = request.header(header::HOST, "127.0.0.1:8080");
        }
        if !body.is_empty() {
            request = request.header(header::CONTENT_LENGTH, body.len());
        }
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        let request = request.body(Body::from(body.to_owned())).expect("a good request");
        self.router.clone().oneshot(request).await.expect("the router answers everything")
    }

    async fn status(&self, method: &str, path: &str, headers: &[(&str, &str)]) -> u16 {
        self.ask(method, path, headers, "").await.status().as_u16()
    }

    fn bearer(&self) -> String {
        format!("Bearer {}", self.token)
    }

    /// Follows a one-time link, as a browser does.
    async fn sign_in(&self) -> String {
        let link = self.guard.link("http://x");
        let path = link.strip_prefix("http://x").expect("the link begins with the address given");
        let response = self.ask("GET", path, &[], "").await;
        assert_eq!(response.status(), StatusCode::SEE_OTHER);
        assert_eq!(response.headers()[header::LOCATION], "/");
        let cookie = response.headers()[header::SET_COOKIE].to_str().expect("text").to_owned();
        assert!(cookie.ends_with("; Path=/; Max-Age=7776000; HttpOnly; SameSite=Lax"), "{cookie}");
        cookie.split(';').next().expect("a pair").to_owned()
    }
}

async fn text(response: Response) -> String {
    let bytes = to_bytes(response.into_body(), 1 << 20).await.expect("the body is in memory");
    String::from_utf8_lossy(&bytes).into_owned()
}

#[tokio::test]
async fn on_loopback_everybody_reads_and_only_the_owner_changes() {
    let house = house(|_| {});

    assert_eq!(house.status("GET", "/api/chat", &[]).await, 200);
    assert_eq!(house.status("HEAD", "/metrics", &[]).await, 200);
    assert_eq!(house.status("POST", "/api/change", &[]).await, 401);
    assert_eq!(house.status("POST", "/api/change", &[("authorization", "Bearer wrong")]).await, 401);
    assert_eq!(house.status("POST", "/api/change", &[("cookie", "session_token=wrong")]).await, 401);
    assert_eq!(house.status("POST", "/api/change", &[("authorization", &house.bearer())]).await, 200);
    assert_eq!(house.status("POST", "/api/change", &[("cookie", &house.sign_in().await)]).await, 200);
}

#[tokio::test]
async fn off_loopback_reading_needs_the_owner_and_the_answer_names_the_ways() {
    let house = house(|config| config.http.addr = "0.0.0.0:8080".parse().expect("an address"));

    for path in ["/api/chat", "/metrics"] {
        let refused = house.ask("GET", path, &[], "").await;
        assert_eq!(refused.status(), StatusCode::UNAUTHORIZED, "{path}");
        assert_eq!(refused.headers()[header::WWW_AUTHENTICATE], "Bearer");
        let problem = text(refused).await;
        for way in ["elora-chat token --link", "Authorization: Bearer", "ELORA_PUBLIC_READ=1"] {
            assert!(problem.contains(way), "{problem}");
        }
        assert_eq!(house.status("GET", path, &[("authorization", &house.bearer())]).await, 200, "{path}");
    }
    for path in ["/", "/login", "/healthz", "/readyz", "/api/session"] {
        assert_eq!(house.status("GET", path, &[]).await, 200, "{path}");
    }
}

#[tokio::test]
async fn public_reading_opens_reading_alone() {
    let house = house(|config| {
        config.http.addr = "0.0.0.0:8080".parse().expect("an address");
        config.http.public_read = true;
    });

    assert_eq!(house.status("GET", "/api/chat", &[]).await, 200);
    assert_eq!(house.status("POST", "/api/change", &[]).await, 401);
}

#[tokio::test]
async fn open_local_is_for_this_machine_and_not_for_proxies() {
    let local = house(|config| config.http.open_local = true);
    let public = house(|config| {
        config.http.open_local = true;
        config.http.addr = "0.0.0.0:8080".parse().expect("an address");
    });

    assert_eq!(local.status("POST", "/api/change", &[]).await, 200);
    assert_eq!(local.status("POST", "/api/change", &[("x-forwarded-for", "10.0.0.1")]).await, 401);
    assert_eq!(local.status("POST", "/api/change", &[("origin", "https://evil.test")]).await, 403);
    let page = [("origin", "http://127.0.0.1:8080"), ("content-type", "text/plain")];
    assert_eq!(local.ask("POST", "/api/change", &page[1..], "{}").await.status(), 200);
    assert_eq!(local.ask("POST", "/api/change", &page, "{}").await.status(), 415);
    assert_eq!(local.status("POST", "/api/session/link", &[]).await, 401);
    assert_eq!(public.status("POST", "/api/change", &[]).await, 401);
}

#[tokio::test]
async fn another_host_or_a_foreign_page_is_refused_before_anything_else() {
    let house = house(|_| {});
    let owner = house.bearer();

    for path in ["/", "/healthz", "/api/chat", "/nothing", "/assets/x.js", "/api/session"] {
        assert_eq!(house.status("GET", path, &[("host", "evil.test")]).await, 421, "{path}");
    }
    let foreign = ("origin", "https://evil.test");
    let upgrade = ("upgrade", "websocket");
    assert_eq!(house.status("POST", "/api/change", &[foreign, ("authorization", &owner)]).await, 403);
    assert_eq!(house.status("POST", "/nothing", &[foreign]).await, 403);
    assert_eq!(house.status("GET", "/api/chat", &[foreign, upgrade]).await, 403);
    assert_eq!(house.status("GET", "/api/chat", &[("origin", "null"), upgrade]).await, 403);
    assert_eq!(house.status("GET", "/api/chat", &[("origin", "http://127.0.0.1:8080"), upgrade]).await, 200);
    assert_eq!(house.status("GET", "/api/chat", &[upgrade]).await, 200);
}

#[tokio::test]
async fn a_cookie_sends_json_and_a_token_sends_anything() {
    let house = house(|_| {});
    let (bearer, cookie) = (house.bearer(), house.sign_in().await);
    let by_token = ("authorization", bearer.as_str());
    let by_cookie = ("cookie", cookie.as_str());
    let types = ["", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "application/jsonx"];

    for content_type in types {
        let headers = [by_cookie, ("content-type", content_type)];
        assert_eq!(house.ask("POST", "/api/change", &headers, "{\"a\":1}").await.status(), 415, "{content_type}");
        let headers = [by_token, ("content-type", content_type)];
        assert_eq!(house.ask("POST", "/api/change", &headers, "{\"a\":1}").await.status(), 200, "{content_type}");
    }
    for content_type in ["application/json", "Application/JSON; charset=utf-8"] {
        let headers = [by_cookie, ("content-type", content_type)];
        assert_eq!(text(house.ask("POST", "/api/change", &headers, "{\"a\":1}").await).await, "{\"a\":1}");
    }
    assert_eq!(text(house.ask("POST", "/api/change", &[by_cookie], "").await).await, "{}");
    let endless = [by_cookie, ("transfer-encoding", "chunked")];
    assert_eq!(house.ask("POST", "/api/change", &endless, "").await.status(), 415);
    let long = "x".repeat(70_000);
    assert_eq!(house.ask("POST", "/api/change", &[by_token], &long).await.status(), 413);
}

#[tokio::test]
async fn a_link_works_once_and_a_head_does_not_use_it_up() {
    let house = house(|_| {});
    let link = house.guard.link("");

    assert_eq!(house.status("HEAD", &link, &[]).await, 200);
    assert_eq!(house.status("GET", &link, &[]).await, 303);
    for path in [link.as_str(), "/login?code=", "/login?code=guess"] {
        let again = house.ask("GET", path, &[], "").await;
        assert_eq!(again.status(), StatusCode::UNAUTHORIZED, "{path}");
        assert_eq!(again.headers()[header::CONTENT_TYPE], "text/html; charset=utf-8");
        assert!(again.headers().get(header::SET_COOKIE).is_none());
    }
    assert_eq!(house.status("GET", "/login", &[]).await, 200);
}

#[tokio::test]
async fn only_the_newest_links_wait() {
    let house = house(|_| {});

    let links: Vec<String> = (0..9).map(|_| house.guard.link("")).collect();

    assert_eq!(house.status("GET", &links[0], &[]).await, 401);
    assert_eq!(house.status("GET", &links[1], &[]).await, 303);
    assert_eq!(house.status("GET", &links[8], &[]).await, 303);
}

#[tokio::test]
async fn a_program_with_the_token_gets_a_new_link() {
    let house = house(|_| {});

    let response = house.ask("POST", "/api/session/link", &[("authorization", &house.bearer())], "").await;

    assert_eq!(response.status(), StatusCode::CREATED);
    let link: serde_json::Value = serde_json::from_str(&text(response).await).expect("JSON");
    let link = link["link"].as_str().expect("a link").to_owned();
    let path = link.strip_prefix("http://127.0.0.1:8080").expect("the address asked at");
    assert_eq!(house.status("GET", path, &[]).await, 303);
    let cookie = house.sign_in().await;
    let refused = house.ask("POST", "/api/session/link", &[("cookie", &cookie)], "").await;
    assert_eq!(refused.status(), StatusCode::UNAUTHORIZED);
    let words = text(refused).await;
    assert!(words.contains("`elora-chat token --link`") && words.contains("Bearer"), "a way is not named: {words}");
}

#[tokio::test]
async fn a_session_ends_when_its_owner_signs_out() {
    let house = house(|_| {});
    let cookie = house.sign_in().await;
    let other = house.sign_in().await;

    let session = text(house.ask("GET", "/api/session", &[("cookie", &cookie)], "").await).await;
    assert_eq!(session, "{\"owner\":true,\"can_read\":true,\"link_hint\":\"elora-chat token --link\"}\n");
    let gone = house.ask("DELETE", "/api/session", &[("cookie", &cookie)], "").await;
    assert_eq!(gone.status(), StatusCode::NO_CONTENT);
    assert!(
        gone.headers()[header::SET_COOKIE].to_str().expect("text").starts_with("session_token=; Path=/; Max-Age=0")
    );
    let session = text(house.ask("GET", "/api/session", &[("cookie", &cookie)], "").await).await;
    assert!(session.starts_with("{\"owner\":false,\"can_read\":true"), "{session}");
    assert_eq!(house.status("POST", "/api/change", &[("cookie", &cookie)]).await, 401);
    assert_eq!(house.status("POST", "/api/change", &[("cookie", &format!("a=b; {other}"))]).await, 200);
}

#[tokio::test]
async fn another_owner_token_ends_every_session() {
    let house = house(|_| {});
    let (old, cookie) = (house.bearer(), house.sign_in().await);

    let token = key::rotate(&house.folder.path().join("owner.token")).expect("the folder is writable");

    assert_eq!(house.status("POST", "/api/change", &[("authorization", &old)]).await, 401);
    assert_eq!(house.status("POST", "/api/change", &[("cookie", &cookie)]).await, 401);
    let new = format!("Bearer {token}");
    assert_eq!(house.status("POST", "/api/change", &[("authorization", &new)]).await, 200);
}

#[tokio::test]
async fn behind_https_the_cookie_stays_on_https() {
    let house = house(|config| config.http.deployed_url = "https://chat.test".parse().ok());
    let link = || house.guard.link("");

    assert!(link().starts_with("https://chat.test/login?code="));
    let path = || link().replace("https://chat.test", "");
    let by = async |headers: &[(&str, &str)]| {
        let response = house.ask("GET", &path(), headers, "").await;
        response.headers()[header::SET_COOKIE].to_str().expect("text").ends_with("; Secure")
    };
    assert!(by(&[("host", "chat.test")]).await);
    assert!(by(&[("x-forwarded-proto", "https")]).await);
    assert!(!by(&[]).await);
}

#[tokio::test]
async fn every_answer_protects_its_page_and_names_its_request() {
    let house = house(|_| {});

    for (method, path) in
        [("GET", "/"), ("GET", "/nothing"), ("GET", "/api/chat"), ("POST", "/api/change"), ("GET", "/api/panic")]
    {
        let response = house.ask(method, path, &[("x-correlation-id", "trace-7")], "").await;
        let said = |name: &str| response.headers().get(name).map(|value| value.to_str().expect("text").to_owned());
        assert_eq!(said("x-correlation-id").as_deref(), Some("trace-7"), "{path}");
        assert_eq!(said("x-content-type-options").as_deref(), Some("nosniff"), "{path}");
        assert_eq!(said("referrer-policy").as_deref(), Some("no-referrer"), "{path}");
        assert!(said("content-security-policy").expect(path).contains("script-src 'self';"), "{path}");
    }
    let refused = house.ask("GET", "/", &[("host", "evil.test")], "").await;
    assert!(refused.headers().contains_key(header::CONTENT_SECURITY_POLICY));
}

#[tokio::test]
async fn a_panic_is_an_answer_without_its_reason() {
    let house = house(|_| {});

    let response = house.ask("GET", "/api/panic", &[], "").await;

    assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
    assert!(!text(response).await.contains("purpose"));
    assert_eq!(house.status("GET", "/api/chat", &[]).await, 200);
}

#[tokio::test]
async fn probes_answer_as_they_always_did() {
    let house = house(|_| {});

    for method in [Method::GET, Method::POST, Method::PUT] {
        assert_eq!(text(house.ask(method.as_str(), "/healthz", &[], "").await).await, "ok");
    }
    assert_eq!(text(house.ask("GET", "/readyz", &[], "").await).await, "ready");
    let details = text(house.ask("GET", "/readyz", &[("accept", "application/json")], "").await).await;
    assert!(details.starts_with("{\"ready\":true,\"last_commit\":"), "{details}");
    let wrong = house.ask("POST", "/metrics", &[], "").await;
    assert_eq!(wrong.status(), StatusCode::METHOD_NOT_ALLOWED);
    assert!(wrong.headers()[header::ALLOW].to_str().expect("text").starts_with("GET"));
    let metrics = text(house.ask("GET", "/metrics", &[], "").await).await;
    assert!(metrics.contains("elora_http_requests_total{route=\"/healthz\",status=\"200\"} 3\n"), "{metrics}");
}

#[tokio::test]
async fn the_owners_token_lies_in_no_answer() {
    let house = house(|_| {});
    let token = house.token.clone();

    for path in ["/", "/metrics", "/api/session", "/readyz"] {
        let response = house.ask("GET", path, &[("authorization", &house.bearer())], "").await;
        let headers: &HeaderMap = response.headers();
        assert!(!format!("{headers:?}").contains(&token), "{path}");
        assert!(!text(response).await.contains(&token), "{path}");
    }
    assert!(house.folder.path().join("owner.token").exists());
}

#[tokio::test]
async fn however_many_ask_whether_the_store_is_ready_it_is_tried_once() {
    let house = house(|_| {});
    let ask = || async {
        let answer = text(house.ask("GET", "/readyz", &[("accept", "application/json")], "").await).await;
        serde_json::from_str::<serde_json::Value>(&answer).expect("an answer in JSON")["last_commit"].clone()
    };

    let answers = futures_util::future::join_all((0..200).map(|_| ask())).await;

    assert!(answers[0].is_string(), "{answers:?}");
    assert!(answers.iter().all(|one| *one == answers[0]), "{answers:?}");
}
