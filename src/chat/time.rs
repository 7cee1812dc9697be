//! Points in time: milliseconds since the Unix epoch inside, RFC 3339 in JSON.

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A point in time in milliseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Millis(pub i64);

impl Millis {
    /// The wall clock, now.
    pub fn now() -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }

    /// Reads RFC 3339 (`2026-11-21T14:02:11.384Z`, any offset) or bare milliseconds.
    pub fn parse(text: &str) -> Option<Self> {
        if let Ok(ms) = text.parse::<i64>() {
            return Some(Self(ms));
        }
        text.parse::<Timestamp>().ok().map(|at| Self(at.as_millisecond()))
    }

    /// Milliseconds from `earlier` to this point, never negative.
    pub fn since(self, earlier: Self) -> u64 {
        u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0)
    }

    /// RFC 3339 in UTC with the fraction trimmed (`…:12.5Z`, `…:12Z`), as the classic history route writes it.
    pub fn to_rfc3339_trimmed(self) -> String {
        self.timestamp().to_string()
    }

    /// Bogus stamps outside of what a calendar can show fall back to the epoch.
    fn timestamp(self) -> Timestamp {
        Timestamp::from_millisecond(self.0).unwrap_or(Timestamp::UNIX_EPOCH)
    }
}

/// RFC 3339 in UTC with three digits of fraction: `2026-11-21T14:02:11.384Z`.
impl fmt::Display for Millis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.3}", self.timestamp())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_json_form_always_has_three_digits() {
        assert_eq!(Millis(1_767_225_600_000).to_string(), "2026-01-01T00:00:00.000Z");
        assert_eq!(Millis(1_767_225_600_005).to_string(), "2026-01-01T00:00:00.005Z");
    }

    #[test]
    fn the_classic_form_trims_the_fraction() {
        assert_eq!(Millis(1_767_225_612_500).to_rfc3339_trimmed(), "2026-01-01T00:00:12.5Z");
        assert_eq!(Millis(1_767_225_612_000).to_rfc3339_trimmed(), "2026-01-01T00:00:12Z");
    }

    #[test]
    fn both_spellings_of_a_time_are_read() {
        assert_eq!(Millis::parse("1767225612500"), Some(Millis(1_767_225_612_500)));
        assert_eq!(Millis::parse("2026-01-01T01:00:12.5+01:00"), Some(Millis(1_767_225_612_500)));
        assert_eq!(Millis::parse("yesterday"), None);
    }

    #[test]
    fn a_stamp_no_calendar_can_show_prints_the_epoch() {
        assert_eq!(Millis(i64::MIN).to_string(), "1970-01-01T00:00:00.000Z");
    }
}
