//! Signing in and out: the one-time link, the session's cookie, and what a page may know about itself.

use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use url::Url;

use super::extract::Query;
use super::guard::Guard;
use super::hosts::Sender;
use super::owner::{COOKIE, Identity, SESSION_LENGTH};
use super::{Json, Problem, Routes, assets};

const TOKEN_ONLY: &str = "a new link is made for who holds owner.token, not for a session: run `elora-chat token --link`, \
    or send its content as `Authorization: Bearer …`";

/// How somebody who is not signed in gets in.
const LINK_HINT: &str = "elora-chat token --link";

/// What a page may know about who looks at it.
#[derive(Serialize)]
struct Session {
    owner: bool,
    can_read: bool,
    link_hint: &'static str,
}

#[derive(Serialize)]
struct NewLink {
    link: String,
}

#[derive(Deserialize)]
struct Login {
    code: Option<String>,
}

pub fn routes(guard: &Guard) -> Routes {
    Routes::new()
        .open("/login", login)
        .open("/api/session", show)
        .delete("/api/session", end)
        .open_post("/logout", logout)
        .post("/api/session/link", new_link)
        .with_state(guard.clone())
}

async fn show(
    State(guard): State<Guard>,
    Extension(sender): Extension<Sender>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let owner = guard.is_owner(sender, &headers).await?;
    let can_read = guard.may_read(sender, &headers).await?;
    let session = Session { owner, can_read, link_hint: LINK_HINT };
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(session)).into_response())
}

/// Follows a one-time link. Only a GET uses it up, so that a preview's HEAD does not.
async fn login(
    State(guard): State<Guard>,
    method: Method,
    headers: HeaderMap,
    Query(Login { code }): Query<Login>,
) -> Result<Response, Problem> {
    let Some(code) = code.filter(|_| method == Method::GET) else {
        return Ok(assets::page("login", &headers));
    };
    if !guard.owner().redeem(&code) {
        let mut page = assets::page("login", &HeaderMap::new());
        *page.status_mut() = StatusCode::UNAUTHORIZED;
        return Ok(page);
    }
    let token = guard.owner().sign_in().await?;
    let mut response = (StatusCode::SEE_OTHER, [(header::LOCATION, "/")]).into_response();
    set_cookie(&mut response, &token, is_https(&guard, &headers));
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

async fn end(State(guard): State<Guard>, headers: HeaderMap) -> Result<Response, Problem> {
    guard.owner().sign_out(&headers).await?;
    let mut response = StatusCode::NO_CONTENT.into_response();
    set_cookie(&mut response, "", is_https(&guard, &headers));
    Ok(response)
}

/// The same for a form of old clients, which also somebody may send who is not signed in.
async fn logout(State(guard): State<Guard>, headers: HeaderMap) -> Result<Response, Problem> {
    guard.owner().sign_out(&headers).await?;
    let onward = [(header::LOCATION, "/"), (header::CACHE_CONTROL, "no-store")];
    let mut response = (StatusCode::FOUND, onward).into_response();
    set_cookie(&mut response, "", is_https(&guard, &headers));
    Ok(response)
}

/// A new one-time link, for the program that knows the token. A browser that is signed in needs none, and a program
/// that is merely on this machine gets none.
async fn new_link(State(guard): State<Guard>, headers: HeaderMap) -> Result<Response, Problem> {
    if guard.owner().identify(&headers).await? != Identity::Bearer {
        return Err(Problem::unauthorized(TOKEN_ONLY));
    }
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or("localhost");
    let link = guard.link(&format!("http://{host}"));
    let headers = [(header::CACHE_CONTROL, "no-store")];
    Ok((StatusCode::CREATED, headers, Json(NewLink { link })).into_response())
}

/// Whether the browser came by https. A proxy's word is taken: a lie only makes the cookie useless to the liar.
fn is_https(guard: &Guard, headers: &HeaderMap) -> bool {
    let word = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok()).unwrap_or_default();
    let deployed = guard.deployed().filter(|url| url.scheme() == "https").and_then(Url::host_str);
    let host = word("host");
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    word("x-forwarded-proto") == "https" || deployed == Some(name)
}

/// Sets the session's cookie, or with an empty token takes it away.
fn set_cookie(response: &mut Response, token: &str, secure: bool) {
    // Some clients heed only the one, and some only the other.
    let length = match token {
        "" => "Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT".to_owned(),
        _ => format!("Max-Age={}", SESSION_LENGTH.as_secs()),
    };
    let secure = if secure { "; Secure" } else { "" };
    let cookie = format!("{COOKIE}={token}; Path=/; {length}; HttpOnly; SameSite=Lax{secure}");
    let cookie = HeaderValue::try_from(cookie).expect("hex digits and attributes");
    response.headers_mut().append(header::SET_COOKIE, cookie);
}
