//! What was said before: a page at a time, and all of it as a file. And the end of it, on request.

mod export;
mod item;
mod page;
mod purge;
mod raw;

use crate::config;
use crate::stages::Stage;
use crate::store::{Db, Error};
use crate::web::Routes;

use purge::{Purges, Unfinished};

pub use purge::Neighbor;

/// The room.
pub struct History {
    db: Db,
    purges: Purges,
}

impl History {
    /// Notes what an earlier run has left to delete. What is deleted is deleted in the stage's time.
    pub async fn open(db: Db, stage: Stage, neighbor: Neighbor) -> Result<Self, Error> {
        let (ours, shared) = (db.unfinished_purges().await?, db.unfinished_shared_purges().await?);
        Ok(Self { purges: Purges::new(db.clone(), stage, Unfinished { ours, shared }, neighbor), db })
    }

    /// Goes on with what was left when the program last ended.
    pub fn resume(&self) {
        self.purges.resume();
    }

    pub fn routes(&self, dev: &config::Dev) -> Routes {
        let mut reading =
            Routes::new().get("/api/messages", page::messages).get("/api/messages/export", export::export);
        if dev.allows_raw_messages() {
            reading = reading.get("/api/debug/raw-messages", raw::raw_messages);
        }
        let deleting = Routes::new().post("/api/messages/purge", purge::purge);
        reading.with_state(self.db.clone()).merge(deleting.with_state(self.purges.clone()))
    }
}
