//! The lines of a recording, from its first or from its last. However long the file and whatever is in it, no more than
//! one line and one block are held.

use std::io;

use memchr::{memchr, memrchr};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncSeek, AsyncSeekExt as _, SeekFrom};

/// Read at once.
const BLOCK: usize = 64 * 1024;
/// A longer line is none of ours: the longest event takes a few KiB.
const LONGEST: usize = 1024 * 1024;

/// Where lines come from.
pub trait Source: AsyncRead + AsyncSeek + Send + Unpin {}

impl<S: AsyncRead + AsyncSeek + Send + Unpin> Source for S {}

/// Which line comes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// As they stand in the file.
    Written,
    /// The last one first.
    Reversed,
}

/// A line without its end.
#[derive(Debug, PartialEq, Eq)]
pub enum Line {
    Whole(String),
    TooLong,
}

/// A reader of lines. Empty lines are left out.
pub struct Lines {
    source: Box<dyn Source>,
    order: Order,
    /// Bytes that are read. As written: those from `given` on are not given yet.
    held: Vec<u8>,
    given: usize,
    /// Reversed: bytes of the file that lie before those. As written: unused.
    before: u64,
    /// A part of the line at hand was too long to hold.
    is_cut: bool,
}

impl Lines {
    pub async fn new(mut source: Box<dyn Source>, order: Order) -> io::Result<Self> {
        let before = match order {
            Order::Written => source.seek(SeekFrom::Start(0)).await?,
            Order::Reversed => source.seek(SeekFrom::End(0)).await?,
        };
        Ok(Self { source, order, held: Vec::new(), given: 0, before, is_cut: false })
    }

    pub async fn next(&mut self) -> io::Result<Option<Line>> {
        loop {
            let piece = match self.take() {
                Some(piece) => piece,
                None if self.read().await? => continue,
                None if self.held.is_empty() && !self.is_cut => return Ok(None),
                None => std::mem::take(&mut self.held),
            };
            if std::mem::take(&mut self.is_cut) || piece.len() > LONGEST {
                return Ok(Some(Line::TooLong));
            }
            let line = String::from_utf8_lossy(piece.strip_suffix(b"\r").unwrap_or(&piece));
            if !line.trim_ascii().is_empty() {
                return Ok(Some(Line::Whole(line.into_owned())));
            }
        }
    }

    /// The next line, if both its ends are held.
    fn take(&mut self) -> Option<Vec<u8>> {
        match self.order {
            Order::Written => {
                let rest = &self.held[self.given..];
                let end = memchr(b'\n', rest)?;
                let line = rest[..end].to_vec();
                self.given += end + 1;
                Some(line)
            }
            Order::Reversed => {
                let end = memrchr(b'\n', &self.held)?;
                let line = self.held.split_off(end + 1);
                self.held.truncate(end);
                Some(line)
            }
        }
    }

    /// Holds one block more; false where there is none.
    async fn read(&mut self) -> io::Result<bool> {
        self.held.drain(..std::mem::take(&mut self.given));
        if self.held.len() > LONGEST {
            self.is_cut = true;
            self.held.clear();
        }
        match self.order {
            Order::Written => {
                let held = self.held.len();
                self.held.resize(held + BLOCK, 0);
                let read = self.source.read(&mut self.held[held..]).await?;
                self.held.truncate(held + read);
                Ok(read > 0)
            }
            Order::Reversed => {
                let from = self.before.saturating_sub(BLOCK as u64);
                let length = (self.before - from) as usize;
                let mut block = vec![0; length];
                self.source.seek(SeekFrom::Start(from)).await?;
                self.source.read_exact(&mut block).await?;
                self.before = from;
                block.append(&mut self.held);
                self.held = block;
                Ok(length > 0)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    async fn lines(text: impl Into<Vec<u8>>, order: Order) -> Vec<Line> {
        let source = Box::new(Cursor::new(text.into()));
        let mut lines = Lines::new(source, order).await.expect("memory can be read");
        let mut all = Vec::new();
        while let Some(line) = lines.next().await.expect("memory can be read") {
            all.push(line);
        }
        all
    }

    fn whole(text: &str) -> Line {
        Line::Whole(text.to_owned())
    }

    #[tokio::test]
    async fn lines_come_in_either_order() {
        for text in ["one\ntwo\r\n\n \nthree\n", "\none\ntwo\nthree"] {
            assert_eq!(lines(text, Order::Written).await, [whole("one"), whole("two"), whole("three")]);
            assert_eq!(lines(text, Order::Reversed).await, [whole("three"), whole("two"), whole("one")]);
        }
        for nothing in ["", "\n", "\r\n\r\n"] {
            assert_eq!(lines(nothing, Order::Written).await, []);
            assert_eq!(lines(nothing, Order::Reversed).await, []);
        }
    }

    #[tokio::test]
    async fn lines_of_every_length_are_found_across_blocks() {
        let text: Vec<String> = (0..400).map(|n| format!("{n} {}", "é".repeat(n * 7 % 1_000))).collect();

        let mut expected: Vec<Line> = text.iter().map(|line| whole(line)).collect();
        assert_eq!(lines(text.join("\n"), Order::Written).await, expected);
        expected.reverse();
        assert_eq!(lines(text.join("\n"), Order::Reversed).await, expected);
    }

    #[tokio::test]
    async fn a_line_too_long_to_hold_is_left_out_alone() {
        let fits = "x".repeat(LONGEST);
        for length in [LONGEST + 1, LONGEST + BLOCK, 3 * LONGEST] {
            let text = format!("a\n{}\n{fits}\nb\n{}", "y".repeat(length), "z".repeat(length));

            let mut expected = [whole("a"), Line::TooLong, whole(&fits), whole("b"), Line::TooLong];
            assert_eq!(lines(text.as_str(), Order::Written).await, expected);
            expected.reverse();
            assert_eq!(lines(text.as_str(), Order::Reversed).await, expected);
        }
    }

    #[tokio::test]
    async fn what_is_no_text_is_read_as_well_as_it_goes() {
        assert_eq!(lines(&b"a\xFFb\nc"[..], Order::Written).await, [whole("a\u{FFFD}b"), whole("c")]);
    }
}
