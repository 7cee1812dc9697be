//! The log: one line per event on stderr, as text or JSON.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::io::{self, Write};

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

use crate::config::{self, Config, Log, LogFormat, Settings};

/// Starts the log of this process. A second call changes nothing.
pub fn start(log: &Log) {
    let filter = EnvFilter::builder().parse_lossy(directives(&log.level));
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_ansi(false).with_writer(Lines(io::stderr));
    let started = match log.format {
        LogFormat::Text => lines.try_init(),
        LogFormat::Json => lines.json().flatten_event(true).try_init(),
    };
    if started.is_ok() {
        std::panic::set_hook(Box::new(|panic| {
            let place = panic.location().map_or_else(String::new, ToString::to_string);
            let cause = panic.payload_as_str().unwrap_or("no message");
            tracing::error!(place, cause, "a task panicked");
        }));
    }
}

/// Says what this process starts with. Scripts look for the beginnings of these lines.
pub fn announce(config: &Config) {
    for remark in &config.remarks {
        tracing::warn!("{remark}");
    }
    tracing::info!("ingest: selected driver=\"{}\"", config.ingest.driver.as_str());
}

/// The same of what is in force, once the store has said what was changed.
pub fn summarize(config: &Config, settings: &Settings) {
    tracing::info!("config_summary={}", config::summary(config, settings));
}

/// A plain level is for this program; libraries stay at `info`, for their finer logs quote what they carry.
fn directives(level: &str) -> String {
    match level {
        "debug" | "trace" => format!("info,elora_chat={level}"),
        _ => level.to_owned(),
    }
}

/// Makes text safe for a terminal and a line-based log: control characters and those that turn the direction of
/// writing become `\u001b` and the like. JSON stays the same JSON.
pub fn escape(text: &str) -> Cow<'_, str> {
    let risky = |c: char| {
        c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    if !text.contains(risky) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if risky(c) {
            let _ = write!(safe, "\\u{:04x}", u32::from(c));
        } else {
            safe.push(c);
        }
    }
    Cow::Owned(safe)
}

/// Escapes every line but its end before it goes out.
struct Lines<W>(fn() -> W);

struct Line<W>(W);

impl<'a, W: Write + 'a> MakeWriter<'a> for Lines<W> {
    type Writer = Line<W>;

    fn make_writer(&'a self) -> Line<W> {
        Line((self.0)())
    }
}

impl<W: Write> Write for Line<W> {
    /// The subscriber writes each event in one piece, so that what is no line's end came from a value.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(line);
        let body = text.strip_suffix('\n').unwrap_or(&text);
        let mut safe = escape(body).into_owned();
        if body.len() < text.len() {
            safe.push('\n');
        }
        self.0.write_all(safe.as_bytes())?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_cannot_break_the_line_or_drive_the_terminal() {
        let mut out = Vec::new();

        Line(&mut out).write_all("name=\u{1b}[2Jx\r\ny\u{202e}z\u{9b}1m\n".as_bytes()).expect("memory takes all");

        assert_eq!(String::from_utf8_lossy(&out), "name=\\u001b[2Jx\\u000d\\u000ay\\u202ez\\u009b1m\n");
    }

    #[test]
    fn escaped_json_means_the_same() {
        let json = "{\"name\":\"a\u{202e}b\"}";

        let safe = escape(json);

        assert_eq!(safe, "{\"name\":\"a\\u202eb\"}");
        let value = |text: &str| serde_json::from_str::<serde_json::Value>(text).ok();
        assert_eq!(value(&safe), value(json));
    }

    #[test]
    fn libraries_stay_quiet_at_finer_levels() {
        assert_eq!(directives("debug"), "info,elora_chat=debug");
        assert_eq!(directives("warn"), "warn");
        assert_eq!(directives("info,hyper=debug"), "info,hyper=debug");
    }
}
