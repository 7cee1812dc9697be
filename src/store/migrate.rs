//! The schema: numbered files, forward only, one transaction each, never edited once merged.

use std::path::Path;

use rusqlite::Connection;

use super::{OpenError, refused};

/// Every migration in order. Adding one is one file and one line.
const MIGRATIONS: &[(&str, &str)] = &[
    ("0001_events", include_str!("../../migrations/0001_events.sql")),
    ("0002_sessions", include_str!("../../migrations/0002_sessions.sql")),
    ("0003_sources", include_str!("../../migrations/0003_sources.sql")),
    ("0004_copies", include_str!("../../migrations/0004_copies.sql")),
    ("0005_workspaces", include_str!("../../migrations/0005_workspaces.sql")),
    ("0006_settings", include_str!("../../migrations/0006_settings.sql")),
    ("0007_alerts", include_str!("../../migrations/0007_alerts.sql")),
    ("0008_alert_ids", include_str!("../../migrations/0008_alert_ids.sql")),
    ("0009_edits", include_str!("../../migrations/0009_edits.sql")),
];

/// Brings the store up to date. A store that is newer than this program is left alone.
pub fn run(connection: &mut Connection, path: &Path) -> Result<(), OpenError> {
    let sqlite = |source| refused(path, source);
    let found = assert_known(connection, path)?;
    let missing = &MIGRATIONS[usize::try_from(found).unwrap_or(0)..];
    if found > 0 && !missing.is_empty() {
        keep_copy(connection, path, found)?;
    }
    for (number, (name, sql)) in (found + 1..).zip(missing) {
        let step = connection.transaction().and_then(|tx| {
            tx.execute_batch(sql)?;
            tx.pragma_update(None, "user_version", number)?;
            tx.commit()
        });
        step.map_err(sqlite)?;
        tracing::debug!(migration = name, "the schema was brought forward");
    }
    Ok(())
}

/// The version of a store, unless it is newer than this program.
pub fn assert_known(connection: &Connection, path: &Path) -> Result<i64, OpenError> {
    let version = connection.pragma_query_value(None, "user_version", |row| row.get(0));
    let found: i64 = version.map_err(|source| refused(path, source))?;
    let known = MIGRATIONS.len() as i64;
    if found > known { Err(OpenError::Newer { path: path.to_owned(), found, known }) } else { Ok(found) }
}

/// A copy of the store as it was, beside it, before anything is changed.
fn keep_copy(connection: &Connection, path: &Path, version: i64) -> Result<(), OpenError> {
    let copy = super::place::beside(path, &format!(".v{version}.bak"));
    if copy.exists() {
        return Ok(());
    }
    // Under another name until it is whole: a copy that was cut short must not pass for one.
    let part = super::place::beside(&copy, ".part");
    let io = |source| OpenError::Io { path: copy.clone(), source };
    if part.exists() {
        std::fs::remove_file(&part).map_err(io)?;
    }
    let target = part.to_string_lossy().into_owned();
    connection.execute("vacuum into ?1", [&target]).map_err(|source| refused(&copy, source))?;
    std::fs::rename(&part, &copy).map_err(io)?;
    tracing::info!(copy = %copy.display(), "the store was copied before its schema changes");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;
    use crate::store::connection;

    /// A store as a program left it that knew this many migrations.
    fn store_of(path: &Path, version: usize) -> Connection {
        let store = connection::writer(path, &config::Store::default()).expect("a new store opens");
        for (_, sql) in &MIGRATIONS[..version] {
            store.execute_batch(sql).expect("the schema is made");
        }
        store.pragma_update(None, "user_version", version as i64).expect("the store takes it");
        store
    }

    #[test]
    fn alerts_of_before_are_found_like_later_ones() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("elora.db");
        let before = MIGRATIONS.iter().position(|(name, _)| name.ends_with("alerts")).expect("it is there");
        let mut store = store_of(&path, before);
        let author = r#""author":{"id":"7","login":"ada","name":"Ada"}"#;
        let rows = [
            ("alert", r#"{"alert":{"type":"gift","bulk_id":"b"}}"#.to_owned(), Some("bulk_gift")),
            ("alert", r#"{"alert":{"type":"gift"}}"#.to_owned(), Some("gift")),
            ("alert", r#"{"alert":{"type":"raid","viewers":7}}"#.to_owned(), Some("raid")),
            ("message", format!(r#"{{{author},"bits":100}}"#), Some("cheer")),
            ("message", format!(r#"{{{author},"bits":0}}"#), None),
            (
                "message",
                format!(r#"{{{author},"money":{{"amount_micros":5,"currency":"EUR","display":"5"}}}}"#),
                Some("paid"),
            ),
            ("message", format!(r#"{{{author}}}"#), None),
            ("message", r#""bits": no JSON"#.to_owned(), None),
            ("removed", r#"{"target":{}}"#.to_owned(), None),
        ];
        store
            .execute("insert into channels (id, platform, key, login) values (1, 'twitch', 'ada', 'ada')", [])
            .expect("the store takes it");
        for (kind, body, _) in &rows {
            let sql = "insert into events (platform, kind, channel_id, at, received_at, text, body)
                 values ('twitch', ?1, 1, 0, 0, '', ?2)";
            store.execute(sql, [kind, &body.as_str()]).expect("the store takes it");
        }

        run(&mut store, &path).expect("the schema is brought forward");

        let mut query = store.prepare("select kind, body, alert from events order by id").expect("the column is there");
        let read = |row: &rusqlite::Row<'_>| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, row.get(2)?));
        let found: Vec<(String, String, Option<String>)> =
            query.query_map([], read).and_then(Iterator::collect).expect("the rows are there");
        for ((kind, body, alert), (_, _, expected)) in found.iter().zip(&rows) {
            assert_eq!(alert.as_deref(), *expected, "{kind} {body}");
            let later = crate::store::body::decode(kind, Some(String::new()), body);
            assert_eq!(later.alert(), *expected, "the program says the same of {body}");
        }
        assert_eq!(found.len(), rows.len());
    }

    #[test]
    fn rows_of_before_the_workspaces_belong_to_the_first() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("elora.db");
        let mut store = store_of(&path, 4);
        let message = "insert into events (workspace_id, platform, kind, native_id, channel_id, at, received_at, body)
             values (:workspace, 'twitch', 'message', 'm-1', 1, 0, 0, '{}')";
        store
            .execute_batch(
                "insert into channels (id, platform, key, login) values (1, 'twitch', 'ada', 'ada');
                 insert into removals (platform, native_id, channel_id, event_id) values ('twitch', 'm-1', 1, 1);
                 insert into clears (channel_id, author_id, until, event_id) values (1, 0, 1, 1);",
            )
            .expect("the store takes it");
        store.execute(message, [1]).expect("the store takes it");

        run(&mut store, &path).expect("the schema is brought forward");

        for table in ["removals", "clears"] {
            let sql = format!("select group_concat(workspace_id) from {table}");
            assert_eq!(store.query_row(&sql, [], |row| row.get(0)), Ok("1".to_owned()), "{table}");
        }
        assert!(store.execute(message, [1]).is_err(), "the same message twice");
        assert_eq!(store.execute(message, [2]), Ok(1), "the same message, heard by somebody else");
        assert!(folder.path().join("elora.db.v4.bak").exists());
    }
}
