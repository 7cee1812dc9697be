//! Readers: a pool behind permits, so that a busy store makes async callers wait instead of blocking their thread.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use r2d2_sqlite::SqliteConnectionManager;
use rusqlite::Connection;
use tokio::sync::Semaphore;

use super::{Error, connection};
use crate::config;

/// How long a query waits for a free reader.
pub const PATIENCE: Duration = Duration::from_secs(10);

#[derive(Clone)]
pub struct Readers {
    pool: r2d2::Pool<SqliteConnectionManager>,
    permits: Arc<Semaphore>,
}

impl Readers {
    /// Opens no connection yet: the first query does.
    pub fn new(path: &Path, config: &config::Store) -> Self {
        let size = config.max_conns.max(1);
        let settings = config.clone();
        let manager = SqliteConnectionManager::file(path)
            .with_flags(connection::reader_flags())
            .with_init(move |connection| connection::prepare_reader(connection, &settings));
        let pool = r2d2::Pool::builder()
            .max_size(u32::try_from(size).unwrap_or(1))
            .min_idle(Some(0))
            .idle_timeout(None)
            .max_lifetime(None)
            .test_on_check_out(false)
            .connection_timeout(PATIENCE)
            .build_unchecked(manager);
        Self { pool, permits: Arc::new(Semaphore::new(size)) }
    }

    pub async fn read<T, F>(&self, query: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    {
        let permit = tokio::time::timeout(PATIENCE, self.permits.clone().acquire_owned())
            .await
            .map_err(|_| Error::Busy)?
            .map_err(|_| Error::Closed)?;
        let pool = self.pool.clone();
        let answer = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            let connection = pool.get().map_err(|_| Error::Busy)?;
            query(&connection).map_err(Error::Sqlite)
        });
        answer.await.map_err(|_| Error::Closed)?
    }
}
