//! Which foreign pages may read our answers: those that may open sockets, and no others.

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};

/// What pages may send, and with which headers of their own.
const METHODS: HeaderValue = HeaderValue::from_static("GET, HEAD, POST, PUT, DELETE");
const HEADERS: HeaderValue = HeaderValue::from_static("Authorization, Content-Type, X-Correlation-ID");
/// What pages may read beside the body.
const EXPOSED: HeaderValue =
    HeaderValue::from_static("X-Correlation-ID, Content-Disposition, X-Suggestions-Hint, Retry-After");

/// A page that may read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Grant {
    /// Every page may, but none with its visitor's cookies.
    Everybody,
    Page(HeaderValue),
}

/// A browser asks beforehand whether a page may send what it is about to.
pub fn is_preflight(request: &Request) -> bool {
    request.method() == Method::OPTIONS && request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
}

/// What a browser is told beforehand.
pub fn preflight() -> Response {
    let allowed = [(header::ACCESS_CONTROL_ALLOW_METHODS, METHODS), (header::ACCESS_CONTROL_ALLOW_HEADERS, HEADERS)];
    (StatusCode::NO_CONTENT, allowed).into_response()
}

impl Grant {
    /// Tells the browser that the page may read this answer.
    pub fn mark(self, headers: &mut HeaderMap) {
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
        match self {
            Self::Everybody => {
                headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
            }
            Self::Page(origin) => {
                headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
                headers.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
            }
        }
    }
}

/// Tells caches that another page gets another answer, also where this one went to no page.
pub fn vary(headers: &mut HeaderMap) {
    headers.append(header::VARY, HeaderValue::from_static("Origin"));
}
