//! The table of routes. Rooms hand over routes with who may use them, so that none is open by oversight.

use std::fmt;

use axum::Router;
use axum::handler::Handler;
use axum::http::Method;
use axum::routing::{self, MethodRouter};

/// Who may use a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Everybody: it carries no chat and changes nothing.
    Open,
    /// Whoever may read chat.
    Read,
    /// The owner: it changes something.
    Owner,
}

/// One line of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// None for any method.
    pub method: Option<Method>,
    /// axum's template, such as `/api/sources/{id}`.
    pub path: &'static str,
    pub access: Access,
}

impl Route {
    pub fn is_mutating(&self) -> bool {
        self.access == Access::Owner
    }
}

/// `POST /api/sources owner`
impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let access = match self.access {
            Access::Open => "open",
            Access::Read => "read",
            Access::Owner => "owner",
        };
        write!(f, "{} {} {access}", self.method.as_ref().map_or("*", Method::as_str), self.path)
    }
}

/// Routes with their handlers. There is no way in without an access: reading verbs are for readers, changing verbs for
/// the owner, and only what has `open` in its name says otherwise.
///
/// `S` is the state that handlers ask for with `State`, until [`Routes::with_state`] gives it.
#[derive(Debug)]
pub struct Routes<S = ()> {
    router: Router<S>,
    table: Vec<Route>,
}

impl<S: Clone + Send + Sync + 'static> Default for Routes<S> {
    fn default() -> Self {
        Self { router: Router::new(), table: Vec::new() }
    }
}

impl<S: Clone + Send + Sync + 'static> Routes<S> {
    pub fn new() -> Self {
        Self::default()
    }

    /// A page of data or a socket, for whoever may read chat.
    pub fn get<H: Handler<T, S>, T: 'static>(self, path: &'static str, handler: H) -> Self {
        self.add(Some(Method::GET), path, Access::Read, routing::get(handler))
    }

    /// A reading route for everybody. It must carry no chat and change nothing.
    pub fn open<H: Handler<T, S>, T: 'static>(self, path: &'static str, handler: H) -> Self {
        self.add(Some(Method::GET), path, Access::Open, routing::get(handler))
    }

    /// The same for every method, for probes that ask with any.
    pub fn open_to_any_method<H: Handler<T, S>, T: 'static>(self, path: &'static str, handler: H) -> Self {
        self.add(None, path, Access::Open, routing::any(handler))
    }

    /// A changing route for everybody. It may change nothing but what the request itself brings, such as its own session;
    /// pages of other origins are refused as ever, and a form may send it.
    pub fn open_post<H: Handler<T, S>, T: 'static>(self, path: &'static str, handler: H) -> Self {
        self.add(Some(Method::POST), path, Access::Open, routing::post(handler))
    }

    pub fn post<H: Handler<T, S>, T: 'static>(self, path: &'static str, handler: H) -> Self {
        self.add(Some(Method::POST), path, Access::Owner, routing::post(handler))
    }

    pub fn put<H: Handler<T, S>, T: 'static>(self, path: &'static str, handler: H) -> Self {
        self.add(Some(Method::PUT), path, Access::Owner, routing::put(handler))
    }

    pub fn delete<H: Handler<T, S>, T: 'static>(self, path: &'static str, handler: H) -> Self {
        self.add(Some(Method::DELETE), path, Access::Owner, routing::delete(handler))
    }

    /// Takes in the routes of another room.
    pub fn merge(mut self, other: Self) -> Self {
        self.router = self.router.merge(other.router);
        self.table.extend(other.table);
        self
    }

    pub fn table(&self) -> &[Route] {
        &self.table
    }

    /// Gives the handlers their state.
    pub fn with_state(self, state: S) -> Routes {
        Routes { router: self.router.with_state(state), table: self.table }
    }

    fn add(mut self, method: Option<Method>, path: &'static str, access: Access, handler: MethodRouter<S>) -> Self {
        self.router = self.router.route(path, handler);
        self.table.push(Route { method, path, access });
        self
    }
}

impl Routes {
    /// The bare router and the table that the guard needs. Only the web's own finish takes it apart.
    pub(super) fn into_parts(self) -> (Router, Vec<Route>) {
        (self.router, self.table)
    }
}

/// Who may use a route with this method. None means that nothing answers there, so nothing needs a guard.
pub(super) fn access(table: &[Route], method: &Method, path: &str) -> Option<Access> {
    // A reading handler also answers HEAD.
    let method = if method == Method::HEAD { &Method::GET } else { method };
    let fits = |route: &&Route| route.path == path && route.method.as_ref().is_none_or(|known| known == method);
    table.iter().find(fits).map(|route| route.access)
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn nothing() {}

    #[test]
    fn verbs_decide_who_may_use_a_route() {
        let routes = Routes::new()
            .open_to_any_method("/healthz", nothing)
            .merge(Routes::new().get("/api/sources", nothing).post("/api/sources", nothing))
            .delete("/api/sources/{id}", nothing);

        let (_, table) = routes.into_parts();
        let lines: Vec<String> = table.iter().map(ToString::to_string).collect();
        assert_eq!(
            lines,
            ["* /healthz open", "GET /api/sources read", "POST /api/sources owner", "DELETE /api/sources/{id} owner"]
        );
        assert_eq!(access(&table, &Method::HEAD, "/api/sources"), Some(Access::Read));
        assert_eq!(access(&table, &Method::POST, "/api/sources"), Some(Access::Owner));
        assert_eq!(access(&table, &Method::POST, "/healthz"), Some(Access::Open));
        assert_eq!(access(&table, &Method::PUT, "/api/sources"), None);
    }
}
