//! What holds for every address: HEAD, wrong methods, unknown addresses, and how answers are labeled.

use std::collections::{BTreeMap, BTreeSet};

use super::routes::is_one_line;
use crate::guard::{Route, routes};
use crate::support::http::{Answer, Request};
use crate::support::server::{Launch, Server};

const METHODS: [&str; 6] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];
/// What a browser sends with a typed address.
const BROWSER: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
/// Answers that have no end.
const ENDLESS: [&str; 3] = ["/api/feed", "/ws/chat", "/api/alerts/stream"];

async fn serving() -> (Server, Vec<Route>) {
    let launch = Launch::new().env("ELORA_INGEST_DRIVER", "none");
    let launch = launch.env("ELORA_DEV_SEED_ENABLED", "1").env("ELORA_DEBUG_RAW_MESSAGES", "1");
    let server = launch.start().await;
    let routes = routes(server.launch()).await;
    (server, routes)
}

/// The methods of each address. None where any is taken.
fn methods(routes: &[Route]) -> BTreeMap<&str, Option<BTreeSet<&str>>> {
    let mut all = BTreeMap::new();
    for route in routes {
        let known = all.entry(route.path.as_str()).or_insert_with(|| Some(BTreeSet::new()));
        match (route.method.as_str(), known.as_mut()) {
            ("*", _) => *known = None,
            (method, Some(known)) => {
                known.extend([method].into_iter().chain((method == "GET").then_some("HEAD")));
            }
            (_, None) => {}
        }
    }
    all
}

fn is_problem(answer: &Answer) -> bool {
    let is_labeled = answer.header("content-type") == Some("application/problem+json");
    is_labeled && answer.json()["status"] == answer.status && is_one_line(&answer.text())
}

#[tokio::test]
async fn every_address_that_is_read_answers_head() {
    let (server, routes) = serving().await;
    let readable = routes.iter().filter(|route| route.method == "GET" && !ENDLESS.contains(&route.path.as_str()));

    for route in readable.chain([&Route { method: "GET".into(), path: "/".into(), access: "open".into() }]) {
        let [head, get] = ["HEAD", "GET"].map(|method| server.ask(Request::new(method, &route.path)));
        let (head, get) = (head.await, get.await);
        assert_eq!((head.status, head.body.len()), (get.status, 0), "{}", route.path);
        assert_eq!(head.header("content-type"), get.header("content-type"), "{}", route.path);
    }
}

#[tokio::test]
async fn a_wrong_method_is_told_the_right_ones_everywhere() {
    let (server, routes) = serving().await;

    for (path, methods) in methods(&routes) {
        let Some(known) = methods else { continue };
        for method in METHODS.into_iter().filter(|method| !known.contains(method)) {
            let answer = server.ask(Request::new(method, path)).await;
            assert_eq!(answer.status, 405, "{method} {path}");
            let allowed: BTreeSet<&str> = answer.header("allow").unwrap_or_default().split(',').collect();
            assert_eq!(allowed, known, "{method} {path}");
            assert!(method == "HEAD" || is_problem(&answer), "{method} {path}: {}", answer.text());
        }
    }
}

#[tokio::test]
async fn what_is_not_there_is_a_page_to_people_and_a_problem_to_programs() {
    let (server, _) = serving().await;

    for (path, accept, is_page) in [
        ("/nothing", BROWSER, true),
        ("/overlay", BROWSER, true),
        ("/overlay/nothing/", BROWSER, true),
        ("/nothing", "*/*", false),
        ("/nothing", "application/json", false),
        ("/api/nothing", BROWSER, false),
        ("/api/nothing", "*/*", false),
        ("/api/", BROWSER, false),
        ("/api/messages/", "*/*", false),
        ("/api/messages/", BROWSER, false),
        ("/healthz/", "*/*", false),
    ] {
        let answer = server.ask(Request::get(path).header("Accept", accept)).await;
        assert_eq!(answer.status, 404, "{path} {accept}");
        let is_html = answer.header("content-type") == Some("text/html; charset=utf-8");
        assert_eq!((is_html, is_html || is_problem(&answer)), (is_page, true), "{path} {accept}: {answer:?}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{path}");
    }
    for (method, path) in [("POST", "/nothing"), ("PUT", "/api/nothing"), ("DELETE", "/assets/x.js")] {
        let answer = server.ask(Request::new(method, path).header("Accept", BROWSER)).await;
        assert!(answer.status == 404 && is_problem(&answer), "{method} {path}: {answer:?}");
    }
}

#[tokio::test]
async fn json_is_one_line_that_is_labeled_as_json_and_nothing_more() {
    let (server, routes) = serving().await;
    let quiet = ["/api/sources/top/twitch", "/imageproxy", "/api/messages/export", "/api/schema/event.json"];
    let documents = ["/configz", "/config.json", "/check-session"];

    let read = routes.iter().filter(|route| route.method == "GET" && !ENDLESS.contains(&route.path.as_str()));
    let paths = read.map(|route| route.path.as_str()).filter(|path| path.starts_with("/api/") && !quiet.contains(path));
    for path in paths.chain(documents) {
        let answer = server.ask(Request::get(path)).await;
        assert_eq!((answer.status, answer.header("content-type")), (200, Some("application/json")), "{path}");
        assert!(answer.json().is_object() || answer.json().is_array(), "{path}");
        assert!(is_one_line(&answer.text()), "{path}: {}", answer.text());
    }
}
