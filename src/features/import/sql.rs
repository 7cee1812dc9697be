//! What the earlier elora's file holds beside messages.

use rusqlite::{Connection, OptionalExtension as _};

/// The document of its settings, with its version.
pub fn runtime_config(connection: &Connection) -> rusqlite::Result<Option<(i64, String)>> {
    let has_table: bool = connection.query_row(
        "select exists (select 1 from sqlite_schema where type = 'table' and name = 'config_kv')",
        [],
        |row| row.get(0),
    )?;
    if !has_table {
        return Ok(None);
    }
    let mut query =
        connection.prepare_cached("select version, value_json from config_kv where key = 'runtime_config'")?;
    query.query_row([], |row| Ok((row.get(0)?, row.get(1)?))).optional()
}
