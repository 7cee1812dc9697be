//! What a program says: its lines become events, and tell that it is well.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use tokio::io::AsyncRead;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use super::NAME;
use super::lines::{Line, Lines};
use super::quota::Quota;
use crate::chat::Channel;
use crate::dialects;
use crate::ingest::{Closed, Oddity, Sink, SourceState, changed};

/// The longest line: a message with everything it can carry has a hundredth of it.
const LONGEST: usize = 1 << 20;
/// A program that ran so long has begun well, even if nobody has said anything yet.
const HEALTHY: Duration = Duration::from_secs(1);
/// How much of an unreadable line is shown in the log.
const SHOWN: usize = 240;
/// Unreadable lines in the log: so many at once, and after that one a second.
const BURST: u32 = 10;
const PER_SECOND: u32 = 1;
/// How long whatever is still in the pipe may take to come once the program has ended.
const DRAIN: Duration = Duration::from_millis(100);

/// Listens to one run of a program.
pub struct Ear {
    tag: &'static str,
    wanted: watch::Receiver<BTreeSet<Channel>>,
    sink: Sink,
    is_live: bool,
    lines: u64,
    quota: Quota,
}

impl Ear {
    pub fn new(tag: &'static str, wanted: watch::Receiver<BTreeSet<Channel>>, sink: Sink) -> Self {
        let quota = Quota::new(BURST, PER_SECOND, Instant::now());
        Self { tag, wanted, sink, is_live: false, lines: 0, quota }
    }

    /// Reads until the output ends, or nobody takes what is heard any more. `over` fires when the program has ended: its
    /// output normally ends with it.
    pub async fn listen(&mut self, out: impl AsyncRead + Unpin, over: &CancellationToken) {
        let mut lines = Lines::new(out, LONGEST);
        let mut wanted = self.wanted.clone();
        let healthy = tokio::time::sleep(HEALTHY);
        tokio::pin!(healthy);
        loop {
            tokio::select! {
                line = next(&mut lines, over) => match line {
                    Some(line) => if self.take(&line).await.is_err() { break },
                    None => break,
                },
                () = &mut healthy, if !self.is_live => self.begin(),
                () = changed(&mut wanted) => if self.is_live { self.begin() },
            }
        }
        let left_out = self.quota.settle();
        if left_out > 0 {
            warn!("ingest[{}]: {left_out} more lines could not be read", self.tag);
        }
    }

    /// How many lines were readable.
    pub fn lines(&self) -> u64 {
        self.lines
    }

    fn begin(&mut self) {
        self.is_live = true;
        for channel in self.wanted.borrow().iter() {
            self.sink.report(channel, SourceState::Live, None);
        }
    }

    async fn take(&mut self, line: &Line) -> Result<(), Closed> {
        if line.left_out > 0 {
            self.sink.odd(NAME, Oddity::LineCut);
            let length = line.bytes.len() + line.left_out;
            self.complain(&format!("it has {length} bytes, and {LONGEST} are the most"), line);
            return Ok(());
        }
        if line.bytes.iter().all(u8::is_ascii_whitespace) {
            return Ok(());
        }
        let text = line.text();
        if matches!(text, std::borrow::Cow::Owned(_)) {
            self.sink.odd(NAME, Oddity::NotUtf8);
        }
        let read = dialects::read_line(&text, &self.wanted.borrow());
        match read {
            Ok(events) => {
                debug!("ingest[{}]: line ok (len={})", self.tag, line.bytes.len());
                self.lines += 1;
                if !self.is_live {
                    self.begin();
                }
                for event in events {
                    self.sink.send(event).await?;
                }
            }
            Err(error) => {
                self.sink.odd(NAME, Oddity::Unreadable);
                self.complain(&error.to_string(), line);
            }
        }
        Ok(())
    }

    /// Operators are shown how such a line begins: without it nobody can tell what the program does wrong.
    fn complain(&mut self, why: &str, line: &Line) {
        let Some(left_out) = self.quota.take(Instant::now()) else { return };
        let tag = self.tag;
        if left_out > 0 {
            warn!("ingest[{tag}]: {left_out} more lines could not be read");
        }
        warn!("ingest[{tag}]: decode error: {why}: {}", beginning(&line.bytes, SHOWN));
    }
}

/// The next line; none at the end, or when the program is over and nothing comes any more.
pub async fn next<R: AsyncRead + Unpin>(lines: &mut Lines<R>, over: &CancellationToken) -> Option<Line> {
    // One reading of a flood brings thousands of lines, and others have to have their turn among them.
    tokio::task::coop::consume_budget().await;
    let silent = async {
        over.cancelled().await;
        tokio::time::sleep(DRAIN).await;
    };
    tokio::select! {
        line = lines.next() => line.ok().flatten(),
        () = silent => None,
    }
}

/// At most so many bytes of it, as text.
pub fn beginning(bytes: &[u8], most: usize) -> String {
    let mut shown = String::new();
    for c in String::from_utf8_lossy(&bytes[..bytes.len().min(most)]).trim_end().chars() {
        if shown.len() + c.len_utf8() > most {
            break;
        }
        shown.push(c);
    }
    if bytes.len() > most { shown + "…" } else { shown }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_long_line_no_more_than_its_beginning_is_shown() {
        assert_eq!(beginning(b"short \r", 240), "short");
        assert_eq!(beginning("äöü".as_bytes(), 4), "äö…");
        // The sign for what is no text is longer than what it stands for.
        let shown = beginning(&[0xff; 1000], 240);
        assert!(shown.len() <= 240 + '…'.len_utf8(), "{}", shown.len());
    }
}
