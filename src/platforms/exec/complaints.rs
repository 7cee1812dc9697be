//! What a program says on standard error: logged within limits, and remembered for when it ends.

use std::time::Instant;

use tokio::io::AsyncRead;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::ear::{beginning, next};
use super::lines::Lines;
use super::quota::Quota;

/// How much of a line is shown.
const LONGEST: usize = 1000;
/// Lines in the log: so many at once, which is more than an error of a program has, and after that so many a second.
const BURST: u32 = 60;
const PER_SECOND: u32 = 5;

/// Listens to the complaints of one run of a program.
pub struct Complaints {
    tag: &'static str,
    quota: Quota,
    last: Option<Complaint>,
}

/// What a program said last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Complaint {
    pub text: String,
    /// Whether it calls itself an error.
    pub is_error: bool,
}

impl Complaints {
    pub fn new(tag: &'static str) -> Self {
        Self { tag, quota: Quota::new(BURST, PER_SECOND, Instant::now()), last: None }
    }

    /// Reads until the end, as [`Ear::listen`](super::ear::Ear::listen) does.
    pub async fn listen(&mut self, err: impl AsyncRead + Unpin, over: &CancellationToken) {
        let mut lines = Lines::new(err, LONGEST + 1);
        while let Some(line) = next(&mut lines, over).await {
            let text = beginning(&line.bytes, LONGEST);
            if !text.trim().is_empty() {
                self.log(&text);
                self.remember(text);
            }
        }
        let left_out = self.quota.settle();
        self.tell(left_out);
    }

    /// The last error, or else the last line.
    pub fn last(&self) -> Option<&Complaint> {
        self.last.as_ref()
    }

    fn log(&mut self, text: &str) {
        if let Some(left_out) = self.quota.take(Instant::now()) {
            self.tell(left_out);
            info!("ingest[{}] [stderr] {text}", self.tag);
        }
    }

    fn tell(&self, left_out: u64) {
        if left_out > 0 {
            warn!("ingest[{}] [stderr] {left_out} lines left out", self.tag);
        }
    }

    fn remember(&mut self, text: String) {
        let is_error = text.to_ascii_lowercase().contains("error");
        if is_error || !self.last.as_ref().is_some_and(|last| last.is_error) {
            self.last = Some(Complaint { text, is_error });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_last_error_is_remembered_and_else_the_last_line() {
        let cases = [
            ("one\n\ntwo\n", "two", false),
            ("one\n[ERROR] first\n[ERROR] second\n[INFO] bye\n", "[ERROR] second", true),
            ("Traceback\n  line 1\nValueError: x", "ValueError: x", true),
        ];
        for (said, text, is_error) in cases {
            let mut complaints = Complaints::new("exec");

            complaints.listen(said.as_bytes(), &CancellationToken::new()).await;

            assert_eq!(complaints.last(), Some(&Complaint { text: text.to_owned(), is_error }));
        }
    }
}
