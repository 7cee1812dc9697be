//! The queries of the table of sources.

use rusqlite::{Connection, OptionalExtension, Row, named_params};

use super::{AddedBy, Wanted};
use crate::chat::{Channel, Platform};
use crate::store;

/// The key in `meta` under which the configured list lies as it was last read.
const CONFIGURED: &str = "configured_sources";

/// Every source that is wanted, in the order they were added.
pub fn wanted(connection: &Connection) -> rusqlite::Result<Vec<Wanted>> {
    let mut query = connection.prepare_cached(
        "select id, platform, login, added_by from sources where removed = 0 order by coalesce(place, id), id",
    )?;
    query.query_map([], read)?.collect()
}

fn read(row: &Row<'_>) -> rusqlite::Result<Wanted> {
    let platform: String = row.get(1)?;
    let platform = Platform::new(&platform)
        .map_err(|error| rusqlite::Error::FromSqlConversionFailure(1, rusqlite::types::Type::Text, Box::new(error)))?;
    let added_by: String = row.get(3)?;
    Ok(Wanted {
        id: row.get(0)?,
        channel: Channel::new(platform, row.get::<_, String>(2)?),
        added_by: if added_by == AddedBy::Config.as_str() { AddedBy::Config } else { AddedBy::Hand },
    })
}

/// Makes the configured list hold where it has changed: what it names is wanted, what it named before is not.
pub fn adopt(tx: &Connection, configured: &[Channel]) -> rusqlite::Result<()> {
    let list = configured.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
    if store::meta(tx, CONFIGURED)?.as_deref() == Some(list.as_str()) {
        return Ok(());
    }
    tx.prepare_cached("delete from sources where added_by = 'config'")?.execute([])?;
    for channel in configured {
        tx.prepare_cached(
            "insert into sources (platform, login, added_by) values (:platform, :login, 'config')
             on conflict (workspace_id, platform, login) do update set removed = 0",
        )?
        .execute(named_params! { ":platform": channel.platform.as_str(), ":login": channel.login })?;
    }
    store::set_meta(tx, CONFIGURED, &list)
}

/// Adds a source by hand. The id, and false if it was there already.
pub fn add(tx: &Connection, channel: &Channel) -> rusqlite::Result<(i64, bool)> {
    let address = named_params! { ":platform": channel.platform.as_str(), ":login": channel.login };
    let known = tx
        .prepare_cached("select id from sources where platform = :platform and login = :login and removed = 0")?
        .query_row(address, |row| row.get(0))
        .optional()?;
    if let Some(id) = known {
        return Ok((id, false));
    }
    let id = tx
        .prepare_cached(
            "insert into sources (platform, login, added_by) values (:platform, :login, 'hand')
             on conflict (workspace_id, platform, login) do update set removed = 0, added_by = 'hand'
             returning id",
        )?
        .query_row(address, |row| row.get(0))?;
    Ok((id, true))
}

/// Marks a source as unwanted. False if there is no such source.
pub fn remove(tx: &Connection, id: i64) -> rusqlite::Result<bool> {
    let changed = tx
        .prepare_cached("update sources set removed = 1 where id = :id and removed = 0")?
        .execute(named_params! { ":id": id })?;
    Ok(changed > 0)
}

/// The first source of a platform in the list: its id, where it stands, and its channel.
pub fn first(connection: &Connection, platform: &Platform) -> rusqlite::Result<Option<(i64, i64, Channel)>> {
    connection
        .prepare_cached(
            "select id, coalesce(place, id), login from sources where platform = :platform and removed = 0
             order by coalesce(place, id), id limit 1",
        )?
        .query_row(named_params! { ":platform": platform.as_str() }, |row| {
            Ok((row.get(0)?, row.get(1)?, Channel::new(platform.clone(), row.get::<_, String>(2)?)))
        })
        .optional()
}

/// Puts a channel in the place of the first source of its platform, or at the end where there is none. That source is
/// gone altogether, so that it stands last if it ever comes back.
pub fn replace_first(tx: &Connection, platform: &Platform, channel: Option<&Channel>) -> rusqlite::Result<()> {
    let first = first(tx, platform)?;
    if let Some((id, ..)) = first {
        tx.prepare_cached("delete from sources where id = :id")?.execute(named_params! { ":id": id })?;
    }
    let Some(channel) = channel else { return Ok(()) };
    let address = named_params! { ":platform": channel.platform.as_str(), ":login": channel.login };
    tx.prepare_cached("delete from sources where platform = :platform and login = :login")?.execute(address)?;
    let (id, _) = add(tx, channel)?;
    tx.prepare_cached("update sources set place = :place where id = :id")?
        .execute(named_params! { ":place": first.map(|(_, place, _)| place), ":id": id })?;
    Ok(())
}
