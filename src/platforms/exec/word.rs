//! What the keeper tells the server: one line each, over the socket between them.

use std::fmt;
use std::io;
use std::str::FromStr;

use rustix::process::WaitStatus;

/// What became of a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Word {
    Started,
    /// It could not be started; the system's number of the reason.
    Failed(i32),
    /// It ended by itself, with this code.
    Exited(i32),
    /// A signal ended it.
    Killed(i32),
}

impl Word {
    pub fn failed(error: &io::Error) -> Self {
        Self::Failed(error.raw_os_error().unwrap_or_default())
    }

    pub fn ended(how: WaitStatus) -> Self {
        match (how.exit_status(), how.terminating_signal()) {
            (Some(code), _) => Self::Exited(code),
            (None, signal) => Self::Killed(signal.unwrap_or_default()),
        }
    }
}

impl fmt::Display for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Started => f.write_str("started 0"),
            Self::Failed(number) => write!(f, "failed {number}"),
            Self::Exited(code) => write!(f, "exited {code}"),
            Self::Killed(signal) => write!(f, "killed {signal}"),
        }
    }
}

impl FromStr for Word {
    type Err = ();

    fn from_str(line: &str) -> Result<Self, ()> {
        let (word, number) = line.trim_end().split_once(' ').ok_or(())?;
        let number = number.parse().map_err(|_| ())?;
        match word {
            "started" => Ok(Self::Started),
            "failed" => Ok(Self::Failed(number)),
            "exited" => Ok(Self::Exited(number)),
            "killed" => Ok(Self::Killed(number)),
            _ => Err(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_understood() {
        for word in [Word::Started, Word::Failed(2), Word::Exited(0), Word::Killed(9)] {
            assert_eq!(word.to_string().parse(), Ok(word));
        }
        for line in ["", "exited", "exited x", "danced 1"] {
            assert_eq!(line.parse::<Word>(), Err(()));
        }
    }
}
