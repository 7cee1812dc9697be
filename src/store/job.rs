//! What the writer is asked to do beside taking events: a closure that brings its reply along.

use rusqlite::Connection;
use tokio::sync::oneshot;

use super::{Error, connection};
use crate::config::Synchronous;

/// A closure with its reply inside; gets the connection, or the reason why it cannot run. Calls back between its
/// commit and its answer.
pub type Job = Box<dyn FnOnce(Result<&Connection, Error>, &mut dyn FnMut()) + Send>;

/// Wraps a change so that it runs in its own transaction and answers after the commit.
pub fn change<T, F>(change: F, reply: oneshot::Sender<Result<T, Error>>) -> Job
where
    T: Send + 'static,
    F: FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
{
    answered(|connection| transact(connection, change), reply)
}

/// The same for a change that is on disk when it answers.
pub fn durable<T, F>(usual: Synchronous, change: F, reply: oneshot::Sender<Result<T, Error>>) -> Job
where
    T: Send + 'static,
    F: FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
{
    answered(move |connection| connection::durably(connection, usual, |connection| transact(connection, change)), reply)
}

/// What needs the writer's connection, and no transaction.
pub fn bare<F>(task: F, reply: oneshot::Sender<Result<(), Error>>) -> Job
where
    F: FnOnce(&Connection) + Send + 'static,
{
    answered(
        |connection| {
            task(connection);
            Ok(())
        },
        reply,
    )
}

fn transact<T>(
    connection: &Connection,
    change: impl FnOnce(&Connection) -> rusqlite::Result<T>,
) -> rusqlite::Result<T> {
    let tx = rusqlite::Transaction::new_unchecked(connection, rusqlite::TransactionBehavior::Immediate)?;
    let value = change(&tx)?;
    tx.commit()?;
    Ok(value)
}

fn answered<T, F>(change: F, reply: oneshot::Sender<Result<T, Error>>) -> Job
where
    T: Send + 'static,
    F: FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
{
    Box::new(move |connection, committed| {
        let answer = connection.and_then(|connection| change(connection).map_err(Error::Sqlite));
        if answer.is_ok() {
            committed();
        }
        // Nobody may be waiting for the answer any more.
        let _ = reply.send(answer);
    })
}
