//! A place in the feed: which database, and after which event.

use std::fmt;
use std::str::FromStr;

use crate::chat::EventId;

/// `<epoch>:<id>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    pub epoch: String,
    pub after: EventId,
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.epoch, self.after)
    }
}

/// The text is no cursor of any database.
#[derive(Debug, PartialEq, Eq)]
pub struct Malformed;

impl FromStr for Cursor {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let (epoch, after) = text.split_once(':').ok_or(Malformed)?;
        let is_number = !after.is_empty() && after.bytes().all(|byte| byte.is_ascii_digit());
        let after = after.parse().ok().filter(|_| is_number && !epoch.is_empty()).ok_or(Malformed)?;
        Ok(Self { epoch: epoch.to_owned(), after: EventId(after) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_read_back_and_nothing_else_is() {
        let cursor = Cursor { epoch: "ab".to_owned(), after: EventId(7) };
        assert_eq!(cursor.to_string().parse(), Ok(cursor));
        for wrong in ["", ":", "ab", "ab:", ":7", "ab:-7", "ab:+7", "ab:x", "ab:7:8", "ab:99999999999999999999"] {
            assert_eq!(wrong.parse::<Cursor>(), Err(Malformed), "{wrong}");
        }
    }
}
