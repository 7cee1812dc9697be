//! What was said before: a page at a time, and all of it as a file.

mod export;
mod item;
mod page;

use crate::store::Db;
use crate::web::Routes;

pub fn routes(db: &Db) -> Routes {
    Routes::new()
        .get("/api/messages", page::messages)
        .get("/api/messages/export", export::export)
        .with_state(db.clone())
}
