//! Exit codes, after sysexits: a supervisor can tell what is worth another try.

use std::io;
use std::process::ExitCode;

use crate::config;
use crate::features::import;
use crate::store::{self, OpenError};

/// The configuration is wrong.
const CONFIG: u8 = 64;
/// The store was written by a newer version or another program.
const FOREIGN: u8 = 65;
/// The port is taken.
const TAKEN: u8 = 69;
/// What is to be imported holds no chat, or cannot be read.
const NOTHING_TO_READ: u8 = 66;
/// Somebody pressed Ctrl-C before it was done.
pub const STOPPED: u8 = 130;
/// The store cannot be written.
const NOT_WRITABLE: u8 = 73;
/// Another server uses the store.
const IN_USE: u8 = 75;

/// Says on stderr what went wrong, with every cause below it, and gives the code that tells which kind it was.
pub fn report(error: &anyhow::Error) -> ExitCode {
    eprintln!("elora-chat: {error:#}");
    ExitCode::from(code(error))
}

fn code(error: &anyhow::Error) -> u8 {
    error.chain().find_map(code_of).unwrap_or(1)
}

fn code_of(cause: &(dyn std::error::Error + 'static)) -> Option<u8> {
    if cause.is::<config::Errors>() {
        return Some(CONFIG);
    }
    if cause.is::<import::Trouble>() {
        return Some(NOTHING_TO_READ);
    }
    if let Some(error) = cause.downcast_ref::<OpenError>() {
        return match error {
            OpenError::Newer { .. } | OpenError::Foreign { .. } => Some(FOREIGN),
            OpenError::NotWritable { .. } => Some(NOT_WRITABLE),
            OpenError::InUse { .. } => Some(IN_USE),
            _ => None,
        };
    }
    if cause.downcast_ref::<store::Error>().is_some_and(store::Error::is_outage) {
        return Some(NOT_WRITABLE);
    }
    let taken = cause.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::AddrInUse);
    taken.then_some(TAKEN)
}

#[cfg(test)]
mod tests {
    use anyhow::Context as _;

    use super::*;

    #[test]
    fn each_kind_of_failure_has_its_code() {
        let path = || "elora.db".into();
        let full = rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_FULL), None);
        let cases = [
            (anyhow::Error::from(config::Errors(Vec::new())), 64),
            (OpenError::Newer { path: path(), found: 9, known: 3 }.into(), 65),
            (OpenError::Foreign { path: path(), what: "not a SQLite file" }.into(), 65),
            (io::Error::from(io::ErrorKind::AddrInUse).into(), 69),
            (OpenError::NotWritable { path: path(), uid: 1, cause: "read-only".to_owned() }.into(), 73),
            (store::Error::Sqlite(full).into(), 73),
            (OpenError::InUse { path: path(), pid: "7".to_owned() }.into(), 75),
            (io::Error::from(io::ErrorKind::NotFound).into(), 1),
        ];
        for (error, expected) in cases {
            assert_eq!(code(&error), expected, "{error}");
            let wrapped = Err::<(), _>(error).context("serving").expect_err("it was an error");
            assert_eq!(code(&wrapped), expected, "{wrapped:#}");
        }
    }
}
