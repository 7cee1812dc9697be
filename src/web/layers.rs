//! What happens around every request: its name in the log, its count, its headers, and the net under a panic.

use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tracing::Instrument as _;

use super::Problem;
use crate::telemetry::Metrics;

/// Carries the name of a request through every program that takes part in it.
const CORRELATION: HeaderName = HeaderName::from_static("x-correlation-id");
/// A longer name is not a name.
const LONGEST_CORRELATION: usize = 128;

/// Emote pictures come from Twitch itself until this server keeps them.
const PICTURES: &str = "'self' data: https://static-cdn.jtvnw.net";

/// The name under which the log knows a request. Sockets take it along.
#[derive(Debug, Clone)]
pub struct Correlation(pub String);

/// Names, counts and logs a request.
pub async fn observe(State(metrics): State<Metrics>, mut request: Request, next: Next) -> Response {
    let begun = Instant::now();
    let corr = correlation(request.headers());
    let route = request.extensions().get::<MatchedPath>().map_or("(page)".to_owned(), |path| path.as_str().to_owned());
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    request.extensions_mut().insert(Correlation(corr.clone()));

    let span = tracing::info_span!("request", corr);
    let mut response = next.run(request).instrument(span.clone()).await;

    let status = response.status();
    metrics.answered(&route, status.as_u16(), begun.elapsed());
    span.in_scope(|| log(&method, &path, status, begun));
    if let Ok(corr) = HeaderValue::try_from(corr) {
        response.headers_mut().insert(CORRELATION, corr);
    }
    response
}

/// As much of a path as the log has room for; ours are much shorter.
const LONGEST_PATH: usize = 200;

/// What changes something is worth a line; what only looks is not. Queries stay out: they may hold a login code.
fn log(method: &axum::http::Method, path: &str, status: StatusCode, begun: Instant) {
    let (status, ms) = (status.as_u16(), begun.elapsed().as_millis());
    // Whatever a stranger asks for, a line stays a line.
    let path = &path[..path.floor_char_boundary(LONGEST_PATH)];
    if method.is_safe() {
        tracing::debug!(%method, path, status, ms, "answered");
    } else {
        tracing::info!(%method, path, status, ms, "answered");
    }
}

/// The name a caller gave, if it is one, or a new one.
fn correlation(headers: &HeaderMap) -> String {
    let given = headers.get(CORRELATION).and_then(|given| given.to_str().ok());
    let is_name =
        |given: &&str| (1..=LONGEST_CORRELATION).contains(&given.len()) && given.bytes().all(|b| b.is_ascii_graphic());
    given.filter(is_name).map_or_else(|| uuid::Uuid::new_v4().to_string(), str::to_owned)
}

/// Turns a panic into an answer. The panic itself is already in the log.
pub fn caught(_: Box<dyn std::any::Any + Send>) -> Response {
    Problem::internal("the code that answers this panicked").into_response()
}

/// Sets the headers that tell browsers what pages may do. `sockets` are the addresses pages may connect to. An answer
/// that brings a policy of its own keeps it.
pub fn protect(path: &str, sockets: &str, headers: &mut HeaderMap) {
    let is_overlay = path.starts_with("/overlay/");
    let framed_by = if is_overlay { "'self'" } else { "'none'" };
    // OBS puts its custom CSS into a style element, and the dashboard previews overlays.
    let styles = if is_overlay || path == "/" { "'self' 'unsafe-inline'" } else { "'self'" };
    let policy = format!(
        "default-src 'none'; script-src 'self'; style-src {styles}; img-src {PICTURES}; font-src 'self'; \
         connect-src 'self' {sockets}; worker-src 'self'; frame-src 'self'; manifest-src 'self'; \
         base-uri 'none'; form-action 'self'; frame-ancestors {framed_by}"
    );
    let policy = HeaderValue::try_from(policy).expect("its only variable part is a checked host name");
    headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(policy);
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    let framing = if is_overlay { "SAMEORIGIN" } else { "DENY" };
    headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static(framing));
    let resource = HeaderName::from_static("cross-origin-resource-policy");
    headers.entry(resource).or_insert(HeaderValue::from_static("same-origin"));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(corr: &str) -> String {
        let mut headers = HeaderMap::new();
        headers.insert(CORRELATION, HeaderValue::from_bytes(corr.as_bytes()).expect("a header's value"));
        correlation(&headers)
    }

    #[test]
    fn a_good_name_is_kept_and_a_bad_one_replaced() {
        let longest = "x".repeat(128);
        for good in ["a", "req-7/é".trim_end_matches("/é"), "{\"a\":1}", &longest] {
            assert_eq!(named(good), good);
        }
        for bad in ["", "two words", "\u{e9}t\u{e9}", &"x".repeat(129), "tab\tbed"] {
            let made = named(bad);
            assert_eq!(made.len(), 36, "{bad:?} became {made}");
        }
    }

    #[test]
    fn only_pages_that_need_it_may_style_inline_and_only_overlays_be_framed() {
        for (path, inline, framed) in [
            ("/", true, false),
            ("/overlay/chat", true, true),
            ("/login", false, false),
            ("/explorer", false, false),
            ("/api/messages", false, false),
        ] {
            let mut headers = HeaderMap::new();
            protect(path, "ws://localhost:8080", &mut headers);
            let policy = headers[header::CONTENT_SECURITY_POLICY].to_str().expect("text");
            assert_eq!(policy.contains("style-src 'self' 'unsafe-inline'"), inline, "{path}");
            assert_eq!(policy.contains("frame-ancestors 'self'"), framed, "{path}");
            assert!(policy.contains("script-src 'self';"), "{path}");
            assert!(policy.contains("connect-src 'self' ws://localhost:8080;"), "{path}");
        }
    }
}
