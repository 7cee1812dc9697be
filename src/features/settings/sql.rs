//! The query and the change of the one document that is kept.

use rusqlite::{Connection, OptionalExtension as _, named_params};

use crate::chat::Millis;

/// The document that was kept last.
pub fn document(connection: &Connection) -> rusqlite::Result<Option<String>> {
    connection
        .prepare_cached("select document from settings where workspace_id = 1")?
        .query_row([], |row| row.get(0))
        .optional()
}

pub fn keep(tx: &Connection, document: &str, now: Millis) -> rusqlite::Result<()> {
    tx.prepare_cached(
        "insert into settings (workspace_id, document, changed_at) values (1, :document, :now)
         on conflict (workspace_id) do update set document = excluded.document, changed_at = excluded.changed_at",
    )?
    .execute(named_params! { ":document": document, ":now": now.0 })?;
    Ok(())
}
