//! Nobody but the owner changes anything: not without a token, not from a foreign page, not by a rebound name,
//! not with a form, not through a proxy that makes everybody look local.

use serde_json::{Value, json};

use crate::support::feed::upgrade;
use crate::support::http::{Answer, Request};
use crate::support::nginx::Nginx;
use crate::support::server::{Launch, Server};

const METHODS: [&str; 5] = ["GET", "POST", "PUT", "PATCH", "DELETE"];
/// Foreign pages, and the spellings with which they try to look like ours.
const FOREIGN: [&str; 14] = [
    "https://evil.test",
    "http://evil.test:PORT",
    "null",
    "http://127.0.0.1",
    "http://127.0.0.1:1",
    "http://127.0.0.1:PORT.evil.test",
    "http://127.0.0.1.evil.test:PORT",
    "http://evil.test/127.0.0.1:PORT",
    "http://127.0.0.1:PORT@evil.test",
    "http://localhost:PORT",
    "file://",
    "chrome-extension://127.0.0.1:PORT",
    "http://xn--127-0-0-1.test:PORT",
    "http://127.0.0.1:PORT http://evil.test",
];

/// One line of the program's own table of routes.
#[derive(Debug)]
pub struct Route {
    pub method: String,
    pub path: String,
    pub access: String,
}

/// The table, as the program prints it.
pub async fn routes(launch: &Launch) -> Vec<Route> {
    let printed = launch.run_command(&["routes"]).await;
    assert_eq!(printed.code, Some(0), "{}", printed.said);
    let line = |line: &str| match line.split_whitespace().collect::<Vec<_>>()[..] {
        [method, path, access] => {
            Some(Route { method: method.to_owned(), path: path.replace("{id}", "1"), access: access.to_owned() })
        }
        _ => None,
    };
    let routes: Vec<Route> = printed.said.lines().filter_map(line).collect();
    for known in ["POST /api/sources owner", "DELETE /api/sources/1 owner", "GET /api/feed read", "GET /ws/chat read"] {
        let is_listed = |route: &Route| format!("{} {} {}", route.method, route.path, route.access) == known;
        assert!(routes.iter().any(is_listed), "`{known}` is not in the table: {routes:#?}");
    }
    routes
}

/// Everything a stranger could have changed.
fn state(server: &Server) -> Vec<String> {
    let mut state: Vec<String> =
        server.column("select login || ' ' || removed || ' ' || added_by from sources order by id");
    state.push(server.token());
    state
}

pub async fn serving(change: impl FnOnce(Launch) -> Launch) -> Server {
    let launch = Launch::new().env("TWITCH_CHANNELS", "room").env("ELORA_INGEST_DRIVER", "none");
    // Doors that are usually not there at all are walked, too.
    let launch = launch.env("ELORA_DEV_SEED_ENABLED", "1").env("ELORA_DEBUG_RAW_MESSAGES", "1");
    change(launch).start().await
}

/// A body that the route would take from its owner.
fn wanted(path: &str) -> Value {
    if path.starts_with("/api/sources") { json!({ "source": "twitch:intruder" }) } else { json!({}) }
}

pub fn changing(method: &str, path: &str) -> Request {
    Request::new(method, path).json(&wanted(path))
}

/// Opens the one-time link that the server printed, and gives the cookie it sets.
pub async fn cookie(server: &Server) -> String {
    let answer = server.get(&login_path(server).await).await;
    assert_eq!(answer.status, 303, "{}", answer.text());
    let set = answer.header("set-cookie").expect("the link sets a cookie").to_owned();
    set.split(';').next().expect("a cookie has a value").to_owned()
}

async fn login_path(server: &Server) -> String {
    server.until_it_says("/login?code=").await;
    let said = server.said();
    let (_, rest) = said.split_once("/login?code=").expect("just seen");
    format!("/login?code={}", rest.split_whitespace().next().expect("a code"))
}

#[tokio::test]
async fn without_a_token_no_route_changes_anything() {
    let server = serving(|launch| launch).await;
    let before = state(&server);
    let strangers: [&[(&str, &str)]; 5] = [
        &[],
        &[("Authorization", "Bearer wrong")],
        &[("Authorization", "Bearer ")],
        &[("Authorization", "Basic b3duZXI6b3duZXI=")],
        &[("Cookie", "session_token=wrong")],
    ];

    for route in routes(server.launch()).await.iter().filter(|route| route.access == "owner") {
        for headers in strangers {
            let request = changing(&route.method, &route.path);
            let request = headers.iter().fold(request, |request, (name, value)| request.header(name, *value));
            let answer = request.send(server.addr).await;
            assert_eq!(answer.status, 401, "{route:?} {headers:?}: {}", answer.text());
            assert_names_both_ways(&answer);
        }
    }
    assert_eq!(state(&server), before);
}

fn assert_names_both_ways(answer: &Answer) {
    let text = answer.text();
    assert!(text.contains("token --link"), "the link is not named: {text}");
    assert!(text.contains("Bearer") && text.contains("owner.token"), "the token is not named: {text}");
}

#[tokio::test]
async fn no_method_on_any_address_slips_past_the_table() {
    let server = serving(|launch| launch).await;
    let before = state(&server);
    let routes = routes(server.launch()).await;
    let mut paths: Vec<&str> = routes.iter().map(|route| route.path.as_str()).collect();
    paths.extend(["/", "/overlay/chat", "/api", "/api/nothing", "/assets/x.js", "/api/sources/", "//api/sources"]);
    paths.sort_unstable();
    paths.dedup();

    for path in paths {
        for method in METHODS.into_iter().filter(|method| *method != "GET") {
            let answer = changing(method, path).send(server.addr).await;
            let is_open = routes.iter().any(|route| {
                route.path == path && ["*", method].contains(&route.method.as_str()) && route.access == "open"
            });
            let refused = (400..500).contains(&answer.status);
            assert!(refused || is_open, "{method} {path} is answered with {}", answer.status);
        }
    }
    assert_eq!(state(&server), before);
}

#[tokio::test]
async fn what_everybody_may_send_changes_nothing_but_the_senders_own_session() {
    let server = serving(|launch| launch).await;

    let routes = routes(server.launch()).await;

    let open = routes.iter().filter(|route| route.access == "open" && !["GET", "*"].contains(&route.method.as_str()));
    let open: Vec<String> = open.map(|route| format!("{} {}", route.method, route.path)).collect();
    assert_eq!(open, ["POST /logout", "POST /auth/send-message"]);
}

#[tokio::test]
async fn the_owner_may_by_token_and_by_cookie() {
    let server = serving(|launch| launch).await;

    let by_token = server.add_source("twitch:bytoken").await;
    assert_eq!(by_token.status, 201, "{}", by_token.text());
    let cookie = cookie(&server).await;
    let by_cookie = changing("POST", "/api/sources").header("Cookie", &cookie).send(server.addr).await;
    assert_eq!(by_cookie.status, 201, "{}", by_cookie.text());
    let same_page = changing("POST", "/api/sources")
        .header("Cookie", &cookie)
        .header("Origin", format!("http://{}", server.addr))
        .send(server.addr)
        .await;
    assert_eq!(same_page.status, 200, "{}", same_page.text());

    let session = Request::get("/api/session").header("Cookie", &cookie).send(server.addr).await.json();
    assert_eq!(session["owner"], true);
    assert_eq!(server.get("/api/session").await.json()["owner"], false);
}

#[tokio::test]
async fn the_link_works_once_and_its_cookie_is_kept_from_scripts() {
    let server = serving(|launch| launch).await;
    let path = login_path(&server).await;

    let first = server.get(&path).await;
    let second = server.get(&path).await;
    let wrong = server.get("/login?code=guess").await;

    assert_eq!((first.status, first.header("location")), (303, Some("/")));
    let set = first.header("set-cookie").expect("a cookie");
    assert!(set.starts_with("session_token=") && set.contains("HttpOnly") && set.contains("SameSite=Lax"), "{set}");
    assert!(!set.contains("Secure"), "plain http would not send it back: {set}");
    for used in [second, wrong] {
        assert_eq!((used.status, used.header("set-cookie")), (401, None));
    }
}

#[tokio::test]
async fn the_token_lies_beside_the_store_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let server = serving(|launch| launch).await;

    let file = server.launch().db_path().with_file_name("owner.token");

    assert_eq!(std::fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(server.token().len() >= 32);
    assert!(!server.said().contains(&server.token()), "the token stands in the log");
}

#[tokio::test]
async fn a_foreign_page_changes_nothing_and_hears_nothing_even_with_the_owners_cookie() {
    let server = serving(|launch| launch).await;
    let cookie = cookie(&server).await;
    let before = state(&server);
    let port = server.addr.port().to_string();
    let routes = routes(server.launch()).await;

    for origin in FOREIGN.map(|origin| origin.replace("PORT", &port)) {
        for route in routes.iter().filter(|route| route.access == "owner") {
            let request = changing(&route.method, &route.path).header("Origin", &origin).header("Cookie", &cookie);
            assert_eq!(request.send(server.addr).await.status, 403, "{origin} {route:?}");
            let with_token = changing(&route.method, &route.path).header("Origin", &origin);
            assert_eq!(server.ask(with_token).await.status, 403, "{origin} {route:?} with the token");
        }
        for socket in ["/api/feed", "/ws/chat"] {
            let headers = [("Origin", origin.as_str()), ("Cookie", cookie.as_str())];
            assert_eq!(upgrade(server.addr, socket, &headers).await.err(), Some(403), "{origin} {socket}");
        }
    }
    assert_eq!(state(&server), before);
}

#[tokio::test]
async fn a_rebound_name_gets_nothing_from_any_route() {
    let server = serving(|launch| launch).await;
    let before = state(&server);
    let mut paths: Vec<(String, String)> =
        routes(server.launch()).await.into_iter().map(|route| (route.method.replace('*', "GET"), route.path)).collect();
    paths.extend(["/", "/overlay/chat", "/assets/x.js", "/nothing"].map(|path| ("GET".to_owned(), path.to_owned())));

    for (method, path) in &paths {
        for host in ["evil.test", "evil.test:8080", "127.0.0.1.evil.test", "localhost.evil.test"] {
            let answer = server.ask(changing(method, path).header("Host", host)).await;
            assert_eq!(answer.status, 421, "{method} {path} as {host}");
        }
    }
    for socket in ["/api/feed", "/ws/chat"] {
        assert_eq!(upgrade(server.addr, socket, &[("Host", "evil.test")]).await.err(), Some(421));
    }
    assert_eq!(state(&server), before);
    for ours in [format!("localhost:{}", server.addr.port()), "127.0.0.1".to_owned(), "[::1]:1".to_owned()] {
        let answer = Request::get("/api/sources").header("Host", &ours).send(server.addr).await;
        assert_eq!(answer.status, 200, "{ours}");
    }
}

#[tokio::test]
async fn names_the_owner_lists_are_ours() {
    let server =
        serving(|launch| launch.env("ELORA_HOSTS", "studio-pc").env("DEPLOYED_URL", "https://chat.example.com")).await;

    for (host, status) in [("studio-pc:8080", 200), ("chat.example.com", 200), ("other.example.com", 421)] {
        assert_eq!(Request::get("/api/sources").header("Host", host).send(server.addr).await.status, status, "{host}");
    }
}

#[tokio::test]
async fn a_form_changes_nothing_with_the_owners_cookie() {
    let server = serving(|launch| launch).await;
    let cookie = cookie(&server).await;
    let before = state(&server);
    let json = json!({ "source": "twitch:intruder" }).to_string();
    let forms = [
        ("application/x-www-form-urlencoded", "source=twitch:intruder"),
        ("application/x-www-form-urlencoded", json.as_str()),
        ("text/plain", json.as_str()),
        (
            "multipart/form-data; boundary=x",
            "--x\r\nContent-Disposition: form-data; name=\"source\"\r\n\r\na\r\n--x--\r\n",
        ),
        ("text/plain; application/json", json.as_str()),
        ("application/jsonp", json.as_str()),
    ];

    for route in routes(server.launch()).await.iter().filter(|route| route.access == "owner") {
        for (content_type, body) in forms {
            let request = Request::new(&route.method, &route.path).body(content_type, body).header("Cookie", &cookie);
            let answer = request.send(server.addr).await;
            assert_eq!(answer.status, 415, "{route:?} {content_type}: {}", answer.text());
        }
    }
    assert_eq!(state(&server), before);
    let with_token = Request::new("POST", "/api/sources").body("text/plain", json.as_str());
    assert_eq!(server.ask(with_token).await.status, 201, "with the token a body is JSON whatever its type");
}

#[tokio::test]
async fn through_a_stock_nginx_nothing_can_be_changed() {
    let server = serving(|launch| launch).await;
    let nginx = Nginx::before(server.addr).await;
    let before = state(&server);
    let cookie = cookie(&server).await;
    let routes = routes(server.launch()).await;

    for route in routes.iter().filter(|route| route.access == "owner") {
        for host in ["chat.example.com", "localhost", "127.0.0.1"] {
            let request = changing(&route.method, &route.path).header("Host", host);
            assert_eq!(request.send(nginx.addr).await.status, 401, "{route:?} as {host}");
        }
        let spoofed = changing(&route.method, &route.path)
            .header("X-Forwarded-For", "127.0.0.1")
            .header("Forwarded", "for=127.0.0.1");
        assert_eq!(spoofed.send(nginx.addr).await.status, 401, "{route:?}");
        for origin in ["https://evil.test", "null", "http://localhost"] {
            let request = changing(&route.method, &route.path).header("Cookie", &cookie).header("Origin", origin);
            assert_eq!(request.send(nginx.addr).await.status, 403, "{route:?} from {origin}");
        }
        let form = Request::new(&route.method, &route.path).body("text/plain", "{}").header("Cookie", &cookie);
        assert_eq!(form.send(nginx.addr).await.status, 415, "{route:?}");
    }

    assert_eq!(state(&server), before);
    let forwarded = Request::get("/healthz").send(nginx.addr).await;
    assert_eq!(forwarded.text(), "ok", "nginx does forward");
    assert!(forwarded.header("server").is_some_and(|server| server.starts_with("nginx")), "{forwarded:?}");
    let owner = changing("POST", "/api/sources").bearer(&server.token());
    assert_eq!(owner.send(nginx.addr).await.status, 201, "the owner may, also through nginx");
}

#[tokio::test]
async fn off_the_loopback_only_the_owner_reads() {
    let server = serving(|launch| launch.arg("--http-addr").arg("0.0.0.0:0")).await;
    let routes = routes(server.launch()).await;

    for route in routes.iter().filter(|route| route.access == "read") {
        let answer = Request::new(&route.method, &route.path).send(server.addr).await;
        assert_eq!(answer.status, 401, "{route:?}");
        assert_names_both_ways(&answer);
    }
    for socket in ["/api/feed", "/ws/chat"] {
        assert_eq!(upgrade(server.addr, socket, &[]).await.err(), Some(401));
        let bearer = format!("Bearer {}", server.token());
        assert!(upgrade(server.addr, socket, &[("Authorization", &bearer)]).await.is_ok());
    }
    for open in ["/healthz", "/readyz", "/", "/overlay/chat"] {
        assert_ne!(server.get(open).await.status, 401, "{open}");
    }
    assert_eq!(server.ask(Request::get("/api/messages")).await.status, 200);
}

#[tokio::test]
async fn off_the_loopback_everybody_reads_where_the_owner_says_so() {
    let server = serving(|launch| launch.arg("--http-addr").arg("0.0.0.0:0").env("ELORA_PUBLIC_READ", "1")).await;

    for path in ["/api/messages", "/api/sources", "/metrics", "/configz"] {
        assert_eq!(server.get(path).await.status, 200, "{path}");
    }
    assert_eq!(changing("POST", "/api/sources").send(server.addr).await.status, 401);
}

#[tokio::test]
async fn an_open_loopback_is_the_owners_choice_and_never_reaches_further() {
    let server = serving(|launch| launch.env("ELORA_OPEN_LOCAL", "1")).await;
    assert_eq!(changing("POST", "/api/sources").send(server.addr).await.status, 201);
    let foreign = changing("POST", "/api/sources").header("Origin", "https://evil.test");
    assert_eq!(foreign.send(server.addr).await.status, 403, "a foreign page is refused all the same");
    assert!(server.said().contains("ELORA_OPEN_LOCAL") && server.said().contains("proxy"), "{}", server.said());

    let ended = Launch::new().env("ELORA_OPEN_LOCAL", "1").arg("--http-addr").arg("0.0.0.0:0").run().await;

    assert_eq!(ended.code, Some(64), "{}", ended.said);
    assert!(ended.said.contains("ELORA_OPEN_LOCAL"), "{}", ended.said);
}

#[tokio::test]
async fn an_open_loopback_is_not_open_to_every_page_that_a_browser_there_shows() {
    let origins = "*,https://friend.test";
    let server = serving(|launch| launch.env("ELORA_OPEN_LOCAL", "1").env("ELORA_WS_ALLOWED_ORIGINS", origins)).await;
    let before = state(&server);
    let own = format!("http://{}", server.addr);

    for route in routes(server.launch()).await.iter().filter(|route| route.access == "owner") {
        for origin in ["https://anybody.test", "null", "http://localhost"] {
            let answer = changing(&route.method, &route.path).header("Origin", origin).send(server.addr).await;
            assert_eq!(answer.status, 401, "{route:?} from {origin}: {}", answer.text());
        }
    }
    let session = Request::get("/api/session").header("Origin", "https://anybody.test").send(server.addr).await;
    assert_eq!(session.json()["owner"], false);
    assert_eq!(state(&server), before);
    for (origin, status) in [(own.as_str(), 201), ("https://friend.test", 200)] {
        let answer = changing("POST", "/api/sources").header("Origin", origin).send(server.addr).await;
        assert_eq!(answer.status, status, "{origin}: {}", answer.text());
    }
}

#[tokio::test]
async fn a_program_on_an_open_loopback_may_send_any_type_and_a_browser_may_not() {
    let server = serving(|launch| launch.env("ELORA_OPEN_LOCAL", "1")).await;
    let own = format!("http://{}", server.addr);
    let form = || {
        let body = json!({ "before_ts": 1 }).to_string();
        Request::new("POST", "/api/messages/purge").body("application/x-www-form-urlencoded", body.as_str())
    };

    let answer = form().send(server.addr).await;
    assert_eq!((answer.status, answer.json()), (200, json!({ "deleted": 0 })), "{}", answer.text());
    for (name, value) in [("Origin", own.as_str()), ("Cookie", "session_token=old")] {
        let answer = form().header(name, value).send(server.addr).await;
        assert_eq!(answer.status, 415, "{name}");
        assert!(answer.text().contains("application/json"), "{}", answer.text());
    }
}

#[tokio::test]
async fn what_is_too_big_or_broken_is_refused_and_not_repeated() {
    let server = serving(|launch| launch).await;
    let before = state(&server);

    let huge = Request::new("POST", "/api/sources").body("application/json", vec![b' '; 2 * 1024 * 1024]);
    assert_eq!(server.ask(huge).await.status, 413);
    for broken in ["{", "[]", "null", "{\"source\":1}", "{\"source\":\"<script>alert(1)</script>\"}"] {
        let answer = server.ask(Request::new("POST", "/api/sources").body("application/json", broken)).await;
        assert!((400..=422).contains(&answer.status), "{broken}: {}", answer.status);
        assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{broken}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{broken}");
    }
    assert_eq!(state(&server), before);
}
