//! The black-box kit: starts the real program, speaks to it over its sockets, and stands in for its upstreams.
//! Knows the program by its wire alone: nothing here imports it.

pub mod archive;
pub mod classic;
pub mod curl;
pub mod feed;
pub mod gql;
pub mod harvester;
pub mod http;
pub mod nginx;
pub mod node;
pub mod program;
pub mod scene;
pub mod server;
pub mod skip;
pub mod source;
pub mod twitch;
pub mod upstream;

use std::future::Future;
use std::time::Duration;

/// How long anything awaited may take on a busy two-core machine before the test gives up.
pub const DEADLINE: Duration = Duration::from_secs(20);

/// Awaits `what`, or fails naming it.
pub async fn soon<T>(what: &str, awaited: impl Future<Output = T>) -> T {
    within(DEADLINE, what, awaited).await
}

/// Awaits `what` for at most `limit`, or fails naming it.
pub async fn within<T>(limit: Duration, what: &str, awaited: impl Future<Output = T>) -> T {
    match tokio::time::timeout(limit, awaited).await {
        Ok(value) => value,
        Err(_) => panic!("waited {} s in vain: {what}", limit.as_secs_f32()),
    }
}
