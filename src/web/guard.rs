//! The guard at the door: every request passes it, and what the table of routes does not open stays shut.

use std::sync::Arc;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use url::Url;

use super::cors::{self, Grant};
use super::extract::{LONGEST_BODY, too_long};
use super::hosts::{Host, Hosts, Now, Sender};
use super::owner::{self, Identity, Owner};
use super::routes::{Access, Route, access};
use super::{Problem, layers};
use crate::config::{Current, Http};

/// Headers that a proxy adds. Behind one, a request from this machine says nothing about who sent it.
const OF_PROXIES: [&str; 8] = [
    "forwarded",
    "via",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-real-ip",
    "cf-connecting-ip",
    "true-client-ip",
];

const OWNER_ONLY: &str = "only the owner may do this: open the link that `elora-chat token --link` prints, \
    or send the content of owner.token as `Authorization: Bearer …`. To let every program on this machine do it, start the \
    server on loopback with ELORA_OPEN_LOCAL=1";

const READERS_ONLY: &str = "reading needs the owner here, because the listener is not on loopback: open the link that \
    `elora-chat token --link` prints, or send the content of owner.token as `Authorization: Bearer …`. \
    To let everybody read, start the server with ELORA_PUBLIC_READ=1";

const FOREIGN_PAGE: &str = "pages of another origin may not do this: ELORA_WS_ALLOWED_ORIGINS lists those that may";

/// What the guard knows. Cloning is cheap.
#[derive(Clone)]
pub struct Guard(Arc<Inner>);

struct Inner {
    hosts: Hosts,
    owner: Owner,
    reads_open: bool,
    open_local: bool,
    deployed: Option<Url>,
}

impl Guard {
    pub fn new(http: &Http, settings: Current, owner: Owner) -> Self {
        let reads_open = http.public_read || http.is_loopback();
        // The configuration refuses this off loopback; whoever builds one by hand is refused here.
        let open_local = http.open_local && http.is_loopback();
        Self(Arc::new(Inner {
            hosts: Hosts::new(http, settings),
            owner,
            reads_open,
            open_local,
            deployed: http.deployed_url.clone(),
        }))
    }

    pub fn owner(&self) -> &Owner {
        &self.0.owner
    }

    /// The public address, where one is configured.
    pub fn deployed(&self) -> Option<&Url> {
        self.0.deployed.as_ref()
    }

    /// A new link that signs a browser in once: at the public address, or else at the one given.
    pub fn link(&self, here: &str) -> String {
        let base = self.deployed().map_or(here, Url::as_str).trim_end_matches('/');
        format!("{base}/login?code={}", self.0.owner.new_code())
    }

    /// Whether the sender may change things.
    pub async fn is_owner(&self, sender: Sender, headers: &HeaderMap) -> Result<bool, Problem> {
        Ok(self.opens_local(sender, headers) || self.0.owner.identify(headers).await?.is_owner())
    }

    /// Whether the sender may read chat.
    pub async fn may_read(&self, sender: Sender, headers: &HeaderMap) -> Result<bool, Problem> {
        Ok(self.0.reads_open || self.is_owner(sender, headers).await?)
    }

    /// A program on this machine is what was opened to. Any page there is also runs in a browser on this machine.
    fn opens_local(&self, sender: Sender, headers: &HeaderMap) -> bool {
        self.0.open_local
            && matches!(sender, Sender::Unnamed | Sender::Friend)
            && !OF_PROXIES.iter().any(|name| headers.contains_key(*name))
    }

    /// The access check for one route.
    async fn check_access(&self, access: Access, sender: Sender, headers: &HeaderMap) -> Result<(), Problem> {
        match access {
            Access::Open => Ok(()),
            Access::Read if self.may_read(sender, headers).await? => Ok(()),
            Access::Read => Err(Problem::unauthorized(READERS_ONLY)),
            Access::Owner => {
                let identity = self.0.owner.identify(headers).await?;
                if !identity.is_owner() && !self.opens_local(sender, headers) {
                    return Err(Problem::unauthorized(OWNER_ONLY));
                }
                check_body(identity, sender, headers)
            }
        }
    }
}

/// Wraps the whole router: nothing answers that the guard has not let through. Rooms find the [`Sender`] among the
/// extensions.
pub async fn watch(State((guard, table)): State<(Guard, Arc<[Route]>)>, mut request: Request, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    let hosts = guard.0.hosts.now();
    let (host, sender) = match check_address(&hosts, &request) {
        Ok(known) => known,
        Err(problem) => {
            let mut refused = problem.into_response();
            layers::protect(&path, "", refused.headers_mut());
            return refused;
        }
    };
    let grant = hosts.grant(sender, request.headers());
    request.extensions_mut().insert(sender);
    if sender == Sender::Anybody {
        // Nobody named this page: whatever its visitor may do, it may not.
        request.headers_mut().remove(header::COOKIE);
    }
    let mut response = match (cors::is_preflight(&request), &grant) {
        (true, Some(_)) => cors::preflight(),
        (true, None) => Problem::forbidden(FOREIGN_PAGE).into_response(),
        (false, _) => {
            let access = allowed(&table, &request);
            match guard.check_access(access, sender, request.headers()).await {
                Ok(()) => next.run(request).await,
                Err(problem) => problem.into_response(),
            }
        }
    };
    if hosts.differs_by_page() || matches!(grant, Some(Grant::Page(_))) {
        cors::vary(response.headers_mut());
    }
    if let Some(grant) = grant {
        grant.mark(response.headers_mut());
    }
    layers::protect(&path, &hosts.socket_sources(&host), response.headers_mut());
    response
}

/// The address check. It needs no route, so nothing gets past it by being unknown.
fn check_address(hosts: &Now<'_>, request: &Request) -> Result<(Host, Sender), Problem> {
    let host = hosts.check_host(request.uri(), request.headers()).map_err(|host| misdirected(host.as_deref()))?;
    let sender = hosts.sender(&host, request.headers());
    let acts = !request.method().is_safe() || request.headers().contains_key(header::UPGRADE);
    if acts && sender == Sender::Foreign {
        return Err(Problem::forbidden(FOREIGN_PAGE));
    }
    Ok((host, sender))
}

/// What a request needs. Outside the table there are only pages and refusals, which are open.
fn allowed(table: &[Route], request: &Request) -> Access {
    let route = request.extensions().get::<MatchedPath>();
    let known = route.and_then(|route| access(table, request.method(), route.as_str()));
    known.unwrap_or(Access::Open)
}

/// A form on a foreign page can send a cookie along, but never JSON. A program may send what it likes.
fn check_body(identity: Identity, sender: Sender, headers: &HeaderMap) -> Result<(), Problem> {
    let length = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    if length.is_some_and(|length| length > LONGEST_BODY) {
        return Err(too_long());
    }
    let is_empty = length.unwrap_or(0) == 0 && !headers.contains_key(header::TRANSFER_ENCODING);
    let is_program = sender == Sender::Unnamed && !owner::has_session(headers);
    if is_empty || identity == Identity::Bearer || is_program || is_json(headers) {
        return Ok(());
    }
    let problem =
        "a body that a page sends, or that comes with a session's cookie, must be `Content-Type: application/json`";
    Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, problem))
}

fn is_json(headers: &HeaderMap) -> bool {
    let mut types = headers.get_all(header::CONTENT_TYPE).iter();
    let (Some(content_type), None) = (types.next(), types.next()) else { return false };
    let essence = content_type.to_str().unwrap_or_default().split(';').next().unwrap_or_default();
    essence.trim().eq_ignore_ascii_case("application/json")
}

fn misdirected(host: Option<&str>) -> Problem {
    let detail = match host {
        Some(host) => format!("this server does not answer to `{host}`: if it should, set ELORA_HOSTS={host}"),
        None => "the request does not say in one way which host it is for".to_owned(),
    };
    Problem::new(StatusCode::MISDIRECTED_REQUEST, detail)
}
