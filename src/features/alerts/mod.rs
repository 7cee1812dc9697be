//! `/api/alerts` and `/api/alerts/count`: what clients of old ask for beside the stream of alerts, which lies with the
//! other live forms of the feed.

mod api;

use crate::store::Db;
use crate::web::Routes;

pub fn routes(db: &Db) -> Routes {
    Routes::new().get("/api/alerts", api::list).get("/api/alerts/count", api::count).with_state(db.clone())
}
