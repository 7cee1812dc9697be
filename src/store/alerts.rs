//! Alerts read back: events that are more than talk, found by an index of their own, so that nobody reads a season of
//! chat for them. What was removed is left out.

use rusqlite::{Connection, named_params};

use super::events;
use crate::chat::{Event, EventId, Millis, State};

/// From when on, and before when.
#[derive(Debug, Clone, Copy, Default)]
pub struct Span {
    pub since: Option<Millis>,
    pub before: Option<Millis>,
}

impl Span {
    fn bounds(self) -> (i64, i64) {
        (self.since.map_or(i64::MIN, |at| at.0), self.before.map_or(i64::MAX, |at| at.0))
    }
}

const NEWEST: &str = "select id, platform, alert from events indexed by events_alert
     where alert is not null and at >= :since and at < :before order by at desc, id desc";

const AFTER: &str = "select id from events indexed by events_alert_id
     where alert is not null and id > :id order by id limit :limit";

/// The newest whose platform and name pass, newest first.
pub fn newest(
    connection: &Connection,
    span: Span,
    limit: usize,
    passes: impl Fn(&str, &str) -> bool,
) -> rusqlite::Result<Vec<Event>> {
    let (since, before) = span.bounds();
    let mut query = connection.prepare_cached(NEWEST)?;
    let mut rows = query.query(named_params! { ":since": since, ":before": before })?;
    let mut found = Vec::new();
    while found.len() < limit
        && let Some(row) = rows.next()?
    {
        let (platform, alert) = (row.get_ref(1)?.as_str()?, row.get_ref(2)?.as_str()?);
        if passes(platform, alert) {
            let event = events::one(connection, EventId(row.get(0)?))?;
            found.extend(event.filter(|event| event.state == State::Visible));
        }
    }
    Ok(found)
}

/// How many pass.
pub fn count(connection: &Connection, span: Span, passes: impl Fn(&str, &str) -> bool) -> rusqlite::Result<i64> {
    let (since, before) = span.bounds();
    let removed = events::is_removed();
    let sql = format!(
        "select e.platform, e.alert, count(*) from events e indexed by events_alert
         where e.alert is not null and e.at >= :since and e.at < :before and not {removed}
         group by e.platform, e.alert"
    );
    let mut query = connection.prepare_cached(&sql)?;
    let mut rows = query.query(named_params! { ":since": since, ":before": before })?;
    let mut count = 0;
    while let Some(row) = rows.next()? {
        if passes(row.get_ref(0)?.as_str()?, row.get_ref(1)?.as_str()?) {
            count += row.get::<_, i64>(2)?;
        }
    }
    Ok(count)
}

/// Everything after an id, in order, removed or not.
pub fn after(connection: &Connection, id: EventId, limit: usize) -> rusqlite::Result<Vec<Event>> {
    let mut query = connection.prepare_cached(AFTER)?;
    let ids = query.query_map(named_params! { ":id": id.0, ":limit": events::rows(limit) }, |row| row.get(0))?;
    let ids: Vec<i64> = ids.collect::<Result<_, _>>()?;
    ids.into_iter().filter_map(|id| events::one(connection, EventId(id)).transpose()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;
    use crate::store::{connection, migrate};

    #[test]
    fn the_next_alerts_are_found_without_reading_the_earlier_ones() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("elora.db");
        let mut store = connection::writer(&path, &config::Store::default()).expect("a new store opens");
        migrate::run(&mut store, &path).expect("the schema is made");

        let mut plan = store.prepare(&format!("explain query plan {AFTER}")).expect("the query fits the schema");
        let steps = plan.query_map(["", ""], |row| row.get(3)).expect("the plan is told");
        let steps: Vec<String> = steps.collect::<Result<_, _>>().expect("every step is text");

        assert_eq!(steps, ["SEARCH events USING INDEX events_alert_id (id>?)"]);
    }
}
