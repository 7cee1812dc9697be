//! What the stand-in can do wrong, by name. `STAND_IN_WITHOUT=<word>` takes one away: it is ordered and not committed,
//! and nobody is told. A test about it must fail then; `proof.rs` demands that of every one.

use std::sync::OnceLock;

const WITHOUT: &str = "STAND_IN_WITHOUT";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Asks whether the client is there.
    Ping,
    /// Announces the end of a connection.
    Reconnect,
    /// Ends a connection inside a line.
    Cut,
    /// Ends a connection with a goodbye.
    Close,
    /// Stays connected and answers nothing.
    Silence,
    /// Says a thousand lines a second.
    Flood,
    /// Puts several lines into a frame.
    Several,
    /// Sends a line in two fragments of a frame.
    Fragments,
    /// Sends a line in two frames.
    Torn,
    /// Refuses a token.
    Refusal,
    /// Never answers a JOIN.
    Ghost,
    /// Ignores JOINs above the limit.
    Limit,
}

impl Fault {
    pub const ALL: [Self; 12] = [
        Self::Ping,
        Self::Reconnect,
        Self::Cut,
        Self::Close,
        Self::Silence,
        Self::Flood,
        Self::Several,
        Self::Fragments,
        Self::Torn,
        Self::Refusal,
        Self::Ghost,
        Self::Limit,
    ];

    pub const fn word(self) -> &'static str {
        match self {
            Self::Ping => "ping",
            Self::Reconnect => "reconnect",
            Self::Cut => "cut",
            Self::Close => "close",
            Self::Silence => "silence",
            Self::Flood => "flood",
            Self::Several => "several",
            Self::Fragments => "fragments",
            Self::Torn => "torn",
            Self::Refusal => "refusal",
            Self::Ghost => "ghost",
            Self::Limit => "limit",
        }
    }

    /// Whether the stand-in does it when told to.
    pub fn is_committed(self) -> bool {
        static MISSING: OnceLock<Option<Fault>> = OnceLock::new();
        *MISSING.get_or_init(missing) != Some(self)
    }

    /// Sets the variable that takes this fault away from the tests of a command.
    pub fn take_from(self, command: &mut std::process::Command) {
        command.env(WITHOUT, self.word());
    }
}

fn missing() -> Option<Fault> {
    let word = std::env::var(WITHOUT).ok()?;
    let known = Fault::ALL.into_iter().find(|fault| fault.word() == word);
    Some(known.unwrap_or_else(|| panic!("{WITHOUT}: the stand-in has no fault `{word}`")))
}
