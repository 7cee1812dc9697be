//! What the end of a program means: whether it is worth another try, and in which words it is told.

use std::fmt;
use std::io::{self, ErrorKind};
use std::path::Path;

use serde::Deserialize;

use super::complaints::Complaint;
use super::ear::beginning;
use super::recipe::Recipe;
use super::word::Word;
use crate::config::{DriverKind, without_secrets};
use crate::ingest::DriverError;

/// How much of a program's last words a source's card shows.
const SHOWN: usize = 200;
/// "Exec format error": neither a program nor a script.
const NO_PROGRAM: i32 = 8;

/// What `chat_downloader` calls errors that another try will not mend.
const FINAL: [&str; 8] = [
    "InvalidURL",
    "URLNotProvided",
    "SiteNotSupported",
    "LoginRequired",
    "CookieError",
    "UserNotFound",
    "VideoNotFound",
    "NoChatReplay",
];
/// What Python calls a package that is not there.
const MISSING: [&str; 2] = ["ImportError", "ModuleNotFoundError"];

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// By itself.
    Alone(Word),
    /// It was told to.
    Asked,
    /// It had closed its output and went on, until it was ended.
    Mute,
}

/// The error as our script prints it.
#[derive(Deserialize)]
struct Told {
    error: String,
    message: String,
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Alone(Word::Killed(signal)) => write!(f, "signal={signal}"),
            Self::Alone(Word::Exited(code) | Word::Failed(code)) => write!(f, "code={code}"),
            Self::Alone(Word::Started) | Self::Mute => f.write_str("mute"),
            Self::Asked => f.write_str("as asked"),
        }
    }
}

impl End {
    pub fn verdict(self, recipe: &Recipe, last: Option<&Complaint>) -> Result<(), DriverError> {
        let how = match self {
            Self::Asked => return Ok(()),
            Self::Alone(word) => how(word, last),
            Self::Mute => "the program closed its output and went on, so it was ended".to_owned(),
        };
        let is_ours = recipe.driver == DriverKind::Chatdownloader;
        let told = last.filter(|_| is_ours).and_then(|last| serde_json::from_str::<Told>(&last.text).ok());
        Err(match told {
            Some(Told { error, .. }) if MISSING.contains(&error.as_str()) => {
                DriverError::Refused(format!("{} has no chat_downloader: {}", recipe.path(), recipe.remedy()))
            }
            Some(Told { error, message }) => {
                let is_final = FINAL.contains(&error.as_str());
                let words = short(&format!("chat_downloader: {error}: {message}"));
                if is_final { DriverError::Refused(words) } else { DriverError::Lost(words) }
            }
            None => DriverError::Lost(how),
        })
    }
}

/// Why a program did not even start. What is not there will not come by waiting.
pub fn not_started(recipe: &Recipe, error: &io::Error) -> DriverError {
    let path = recipe.path();
    let is_final = matches!(error.kind(), ErrorKind::NotFound | ErrorKind::PermissionDenied)
        || error.raw_os_error() == Some(NO_PROGRAM);
    if !is_final {
        return DriverError::Lost(format!("{path} cannot be started: {error}"));
    }
    let is_there = error.kind() == ErrorKind::NotFound && path.contains('/') && Path::new(path).exists();
    let why = if is_there { "it is there, but not what its first line names".to_owned() } else { error.to_string() };
    DriverError::Refused(format!("{path} cannot be run ({why}): {}", recipe.remedy()))
}

fn how(word: Word, last: Option<&Complaint>) -> String {
    let how = match word {
        Word::Exited(0) => match last.filter(|last| last.is_error) {
            Some(_) => "the program ended with code 0 after an error",
            None => return "the program ended by itself, with code 0".to_owned(),
        }
        .to_owned(),
        Word::Killed(signal) => format!("the program was ended by signal {signal}"),
        Word::Exited(code) | Word::Failed(code) => format!("the program ended with code {code}"),
        Word::Started => "the program ended".to_owned(),
    };
    match last {
        Some(last) => format!("{how}: {}", short(&last.text)),
        None => how,
    }
}

/// As readers may see it, who are more people than those who see the log.
fn short(text: &str) -> String {
    beginning(without_secrets(text).as_bytes(), SHOWN)
}
