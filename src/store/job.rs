//! What the writer is asked to do beside taking events: a closure that brings its reply along.

use rusqlite::Connection;
use tokio::sync::oneshot;

use super::append::Appender;
use super::{Error, connection};
use crate::config::Synchronous;

/// A closure with its reply inside; gets what the writer writes with, or the reason why it cannot run. Calls back
/// between its commit and its answer.
pub type Job = Box<dyn FnOnce(Result<Tools<'_>, Error>, &mut dyn FnMut()) + Send>;

/// What the writer writes with.
pub struct Tools<'a> {
    pub connection: &'a Connection,
    pub appender: &'a mut Appender,
}

/// Wraps a change so that it runs in its own transaction and answers after the commit.
pub fn change<T, F>(change: F, reply: oneshot::Sender<Result<T, Error>>) -> Job
where
    T: Send + 'static,
    F: FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
{
    answered(|tools| transact(tools.connection, change), reply)
}

/// The same for a change that is on disk when it answers.
pub fn durable<T, F>(usual: Synchronous, change: F, reply: oneshot::Sender<Result<T, Error>>) -> Job
where
    T: Send + 'static,
    F: FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
{
    let change = move |connection: &Connection| transact(connection, change);
    answered(move |tools| connection::durably(tools.connection, usual, change), reply)
}

/// What needs the writer's connection, and no transaction.
pub fn bare<F>(task: F, reply: oneshot::Sender<Result<(), Error>>) -> Job
where
    F: FnOnce(&Connection) + Send + 'static,
{
    answered(
        |tools| {
            task(tools.connection);
            Ok(())
        },
        reply,
    )
}

/// The same for events, which are stored as the queue's are.
pub fn append<T, F>(change: F, reply: oneshot::Sender<Result<T, Error>>) -> Job
where
    T: Send + 'static,
    F: FnOnce(&Connection, &mut Appender) -> rusqlite::Result<T> + Send + 'static,
{
    answered(
        |Tools { connection, appender }| {
            let appended = transact(connection, |tx| change(tx, appender));
            if appended.is_err() {
                appender.forget();
            }
            appended
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
    F: FnOnce(Tools<'_>) -> rusqlite::Result<T> + Send + 'static,
{
    Box::new(move |tools, committed| {
        let answer = tools.and_then(|tools| change(tools).map_err(Error::Sqlite));
        if answer.is_ok() {
            committed();
        }
        // Nobody may be waiting for the answer any more.
        let _ = reply.send(answer);
    })
}
