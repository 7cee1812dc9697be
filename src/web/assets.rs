//! The built pages, which the program carries in itself. Knows folders, not features.

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use rust_embed::{EmbeddedFile, RustEmbed};

use super::Problem;

/// What the front end's build left. A debug build reads it from disk at every request.
#[derive(RustEmbed)]
#[folder = "frontend/dist"]
struct Dist;

/// Built names carry a digest of their content, so they never change.
const FOREVER: &str = "public, max-age=31536000, immutable";
/// Everything else is asked for again, and answered `304` while it is the same.
const ASK_AGAIN: &str = "no-cache";

// What is said without a build has no style of its own, so the browser is asked for its dark colors where wanted.
const NOT_BUILT: &str = "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
    <meta name=\"viewport\" content=\"width=device-width\">\n<meta name=\"color-scheme\" content=\"dark light\">\n\
    <title>elora-chat: no pages</title>\n<h1>The pages are not built</h1>\n\
    <p>The server runs. For its pages, run <code>make run</code> where its source is, or <code>make frontend</code> \
    and then build the program again.</p>\n";

const NO_SUCH_PAGE: &str = "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
    <meta name=\"viewport\" content=\"width=device-width\">\n<meta name=\"color-scheme\" content=\"dark light\">\n\
    <title>Not found</title>\n<p>There is no such page. <a href=\"/\">Go to the dashboard</a>.</p>\n";

const NOT_FOUND: &str = "pages/not-found/index.html";

/// Scenes and windows that were made for earlier versions open the front page with this key, whatever its value.
const POPOUT: &str = "popout";

/// Answers whatever no route answers.
pub fn answer(method: &Method, uri: &Uri, headers: &HeaderMap) -> Response {
    Files(Dist::get).answer(method, uri.path(), uri.query().unwrap_or_default(), headers)
}

/// One page by its folder's name, for a route that has something to say first.
pub fn page(name: &str, headers: &HeaderMap) -> Response {
    Files(Dist::get).page(name, headers)
}

/// Files by their path in the build's output.
struct Files(fn(&str) -> Option<EmbeddedFile>);

impl Files {
    fn answer(&self, method: &Method, path: &str, query: &str, headers: &HeaderMap) -> Response {
        if method != Method::GET && method != Method::HEAD {
            return self.wrong_method(method, path, query);
        }
        if path == "/index.html" {
            return (StatusCode::MOVED_PERMANENTLY, [(header::LOCATION, "./")]).into_response();
        }
        let name = path.trim_matches('/');
        if name.is_empty() {
            return self.page(front_page(query), headers);
        }
        if is_plain(name) {
            let is_public = name.starts_with("assets/") || !name.contains('/');
            if let Some(file) = (self.0)(name).filter(|_| is_public) {
                let caching = if name.starts_with("assets/") { FOREVER } else { ASK_AGAIN };
                return self.file(name, file, caching, headers);
            }
            let index = format!("pages/{name}/index.html");
            if let Some(file) = (self.0)(&index) {
                return self.file(&index, file, ASK_AGAIN, headers);
            }
        }
        self.not_found(path, headers)
    }

    fn page(&self, name: &str, headers: &HeaderMap) -> Response {
        let index = format!("pages/{name}/index.html");
        match (self.0)(&index) {
            Some(file) => self.file(&index, file, ASK_AGAIN, headers),
            None => html(StatusCode::OK, NOT_BUILT),
        }
    }

    /// A page says what may be done with it.
    fn wrong_method(&self, method: &Method, path: &str, query: &str) -> Response {
        if self.answer(&Method::GET, path, query, &HeaderMap::new()).status() == StatusCode::NOT_FOUND {
            return Problem::not_found(format!("nothing takes {method} here")).into_response();
        }
        let detail = format!("{path} does not answer {method}: the Allow header says what it does");
        let mut refused = Problem::new(StatusCode::METHOD_NOT_ALLOWED, detail).into_response();
        refused.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET,HEAD"));
        refused
    }

    /// The page that says so to people; a problem to programs, and wherever programs ask.
    fn not_found(&self, path: &str, headers: &HeaderMap) -> Response {
        let accepted = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok());
        if path.starts_with("/api/") || !accepted.is_some_and(|accept| accept.contains("text/html")) {
            return Problem::not_found("there is nothing at this address").into_response();
        }
        let Some(file) = (self.0)(NOT_FOUND) else { return html(StatusCode::NOT_FOUND, NO_SUCH_PAGE) };
        // Without the request's headers: what is kept for another address is not this one's.
        let mut page = self.file(NOT_FOUND, file, ASK_AGAIN, &HeaderMap::new());
        *page.status_mut() = StatusCode::NOT_FOUND;
        page
    }

    /// The file in the smallest form the client takes, or `304` if it has that already.
    fn file(&self, name: &str, plain: EmbeddedFile, caching: &'static str, headers: &HeaderMap) -> Response {
        let mimetype = plain.metadata.mimetype().to_owned();
        let packed = [("br", ".br"), ("gzip", ".gz")].into_iter().find_map(|(coding, ending)| {
            let wanted = takes(headers, coding);
            wanted.then(|| (self.0)(&format!("{name}{ending}"))).flatten().map(|file| (file, coding))
        });
        let (file, coding) = packed.map_or((plain, None), |(file, coding)| (file, Some(coding)));
        let tag = tag(&file);
        let fresh = headers.get(header::IF_NONE_MATCH).is_some_and(|known| names(known, &tag));

        let mut response = if fresh { StatusCode::NOT_MODIFIED.into_response() } else { body(file) };
        let answer = response.headers_mut();
        answer.insert(header::ETAG, HeaderValue::from_str(&tag).expect("hex digits in quotes"));
        answer.insert(header::CACHE_CONTROL, HeaderValue::from_static(caching));
        answer.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
        if !fresh {
            answer.insert(header::CONTENT_TYPE, content_type(&mimetype));
            if let Some(coding) = coding {
                answer.insert(header::CONTENT_ENCODING, HeaderValue::from_static(coding));
            }
        }
        response
    }
}

/// The page of `/`.
fn front_page(query: &str) -> &'static str {
    let mut keys = url::form_urlencoded::parse(query.as_bytes()).map(|(key, _)| key);
    if keys.any(|key| key == POPOUT) { "popout" } else { "dashboard" }
}

/// No hidden file, no parent folder, no character that somebody might read as a separator.
fn is_plain(name: &str) -> bool {
    let is_plain = |part: &str| {
        !part.starts_with('.') && part.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
    };
    name.split('/').all(|part| !part.is_empty() && is_plain(part))
}

fn body(file: EmbeddedFile) -> Response {
    let bytes = match file.data {
        std::borrow::Cow::Borrowed(bytes) => Bytes::from_static(bytes),
        std::borrow::Cow::Owned(bytes) => Bytes::from(bytes),
    };
    Response::new(Body::from(bytes))
}

fn html(status: StatusCode, text: &'static str) -> Response {
    let headers = [(header::CONTENT_TYPE, "text/html; charset=utf-8"), (header::CACHE_CONTROL, "no-cache")];
    (status, headers, text).into_response()
}

fn content_type(mimetype: &str) -> HeaderValue {
    let is_text = mimetype.starts_with("text/") || mimetype.ends_with("javascript") || mimetype.ends_with("json");
    let charset = if is_text { "; charset=utf-8" } else { "" };
    HeaderValue::try_from(format!("{mimetype}{charset}"))
        .unwrap_or(HeaderValue::from_static("application/octet-stream"))
}

/// Half of the file's SHA-256 tells any two builds apart.
fn tag(file: &EmbeddedFile) -> String {
    let digest: String = file.metadata.sha256_hash()[..16].iter().map(|byte| format!("{byte:02x}")).collect();
    format!("\"{digest}\"")
}

/// Whether an `If-None-Match` names the tag.
fn names(known: &HeaderValue, tag: &str) -> bool {
    let known = known.to_str().unwrap_or_default();
    known.split(',').map(|known| known.trim().trim_start_matches("W/")).any(|known| known == tag || known == "*")
}

/// Whether the client takes a coding; `;q=0` refuses it.
fn takes(headers: &HeaderMap, coding: &str) -> bool {
    let accepted = headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    let mut items = accepted.flat_map(|value| value.split(','));
    items.any(|item| {
        let (name, weight) = item.split_once(';').unwrap_or((item, "q=1"));
        let weight = weight.trim().strip_prefix("q=").and_then(|weight| weight.parse::<f32>().ok());
        name.trim().eq_ignore_ascii_case(coding) && weight.is_none_or(|weight| weight > 0.0)
    })
}

#[cfg(test)]
mod tests {
    use axum::body::to_bytes;

    use super::*;

    /// A small build: a dashboard, a pop-out, an overlay, a script with its packed forms.
    #[derive(RustEmbed)]
    #[folder = "tests/fixtures/dist"]
    struct Small;

    fn get(path: &str, headers: &[(&str, &str)]) -> Response {
        let value = |text: &str| HeaderValue::from_str(text).expect("a header's value");
        let headers = headers.iter().map(|(name, text)| (name.parse().expect("a header's name"), value(text)));
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        Files(Small::get).answer(&Method::GET, path, query, &headers.collect())
    }

    async fn text(response: Response) -> String {
        let bytes = to_bytes(response.into_body(), 65_536).await.expect("the body is in memory");
        String::from_utf8_lossy(&bytes).into_owned()
    }

    fn said<'a>(response: &'a Response, name: &str) -> &'a str {
        response.headers().get(name).map_or("", |value| value.to_str().unwrap_or_default())
    }

    #[tokio::test]
    async fn an_address_shows_its_folder() {
        for (path, words) in
            [("/", "dash"), ("/overlay/chat", "over"), ("/overlay/chat/", "over"), ("/icon.svg", "svg")]
        {
            let response = get(path, &[]);
            assert_eq!(response.status(), StatusCode::OK, "{path}");
            assert_eq!(said(&response, "cache-control"), "no-cache", "{path}");
            assert!(text(response).await.contains(words), "{path}");
        }
    }

    #[tokio::test]
    async fn the_front_page_is_the_pop_out_where_that_is_asked_for() {
        for (address, words) in [
            ("/?popout", "popout"),
            ("/?popout=", "popout"),
            ("/?popout=0", "popout"),
            ("/?theme=x&popout=true", "popout"),
            ("/?", "dash"),
            ("/?popouts", "dash"),
            ("/?x=popout", "dash"),
            ("/?Popout", "dash"),
            ("/overlay/chat?popout", "over"),
        ] {
            assert!(text(get(address, &[])).await.contains(words), "{address}");
        }
        let tag = said(&get("/", &[]), "etag").to_owned();
        assert_ne!(said(&get("/?popout", &[]), "etag"), tag);
    }

    #[test]
    fn the_old_name_of_the_front_page_leads_to_it() {
        let moved = get("/index.html", &[]);

        assert_eq!(moved.status(), StatusCode::MOVED_PERMANENTLY);
        assert_eq!(said(&moved, "location"), "./");
    }

    #[test]
    fn a_page_says_what_may_be_done_with_it() {
        let post = |path| Files(Small::get).answer(&Method::POST, path, "", &HeaderMap::new());

        assert_eq!(post("/").status(), StatusCode::METHOD_NOT_ALLOWED);
        assert_eq!(said(&post("/overlay/chat"), "allow"), "GET,HEAD");
        assert_eq!(post("/nothing").status(), StatusCode::NOT_FOUND);
    }

    #[test]
    fn nothing_else_is_shown() {
        for path in [
            "/nothing",
            "/pages/dashboard/index.html",
            "/overlay",
            "/../Cargo.toml",
            "/assets/../../Cargo.toml",
            "/.built",
            "/assets/.hidden",
            "//etc/passwd",
            "/assets//app-1.js",
            "/%2e%2e/Cargo.toml",
            "/assets",
            "/overlay\\chat",
        ] {
            assert_eq!(get(path, &[]).status(), StatusCode::NOT_FOUND, "{path}");
        }
        let page = get("/nothing", &[("accept", "text/html,*/*")]);
        assert_eq!(page.status(), StatusCode::NOT_FOUND);
        assert_eq!(said(&page, "content-type"), "text/html; charset=utf-8");
        assert_eq!(said(&get("/nothing", &[]), "content-type"), "application/problem+json");
    }

    #[tokio::test]
    async fn a_script_is_kept_forever_and_comes_in_the_smallest_form_taken() {
        let cases = [
            ("br, gzip", "br"),
            ("gzip", "gzip"),
            ("gzip;q=0.5, br;q=0", "gzip"),
            ("", ""),
            ("deflate", ""),
            ("BR", "br"),
        ];
        for (accepted, coding) in cases {
            let response = get("/assets/app-1.js", &[("accept-encoding", accepted)]);
            assert_eq!(said(&response, "content-encoding"), coding, "{accepted}");
            assert_eq!(said(&response, "content-type"), "text/javascript; charset=utf-8");
            assert_eq!(said(&response, "cache-control"), FOREVER);
            assert_eq!(said(&response, "vary"), "accept-encoding");
        }
    }

    #[tokio::test]
    async fn what_a_client_has_is_not_sent_again() {
        let tag = said(&get("/", &[]), "etag").to_owned();

        let again = get("/", &[("if-none-match", &format!("\"x\", W/{tag}"))]);

        assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
        assert_eq!(said(&again, "etag"), tag);
        assert_eq!(text(again).await, "");
        assert_eq!(get("/", &[("if-none-match", "\"other\"")]).status(), StatusCode::OK);
        assert_ne!(
            said(&get("/assets/app-1.js", &[("accept-encoding", "br")]), "etag"),
            said(&get("/assets/app-1.js", &[]), "etag")
        );
    }

    #[tokio::test]
    async fn without_a_build_the_page_says_what_to_run() {
        let nothing = Files(|_| None).answer(&Method::GET, "/", "", &HeaderMap::new());

        assert_eq!(nothing.status(), StatusCode::OK);
        assert!(text(nothing).await.contains("make frontend"));
    }
}
