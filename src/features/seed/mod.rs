//! Demo rows: lines that nobody typed, for whoever works on a page or a script. They go the way of every other line,
//! through the writer's queue, and so are stored and shown once. The routes exist only where a developer switched them on.

mod api;
mod rows;

use tokio::sync::mpsc::WeakSender;

use crate::config;
use crate::store::Entry;
use crate::web::Routes;

/// The queue of the writer, which ends when nobody holds a sender: so this one is weak.
#[derive(Debug, Clone)]
pub struct Seed {
    queue: WeakSender<Entry>,
}

impl Seed {
    pub fn new(queue: WeakSender<Entry>) -> Self {
        Self { queue }
    }

    pub fn routes(self, dev: &config::Dev) -> Routes {
        let routes = match dev.allows_seed() {
            true => Routes::new().post("/api/dev/seed/marker", api::marker).post("/api/dev/seed/burst", api::burst),
            false => Routes::new(),
        };
        routes.with_state(self)
    }
}
