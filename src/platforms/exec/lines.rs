//! Lines of a program, of bounded length: what is longer is read past, and not kept.

use std::borrow::Cow;
use std::io;
use std::mem;

use tokio::io::{AsyncRead, AsyncReadExt as _};

/// What is asked of the system at once: as much as a pipe holds.
const CHUNK: usize = 64 * 1024;

/// Reads lines.
pub struct Lines<R> {
    stream: R,
    longest: usize,
    chunk: Box<[u8]>,
    /// What of the chunk was read and not looked at yet.
    unseen: std::ops::Range<usize>,
    line: Line,
}

/// A line without its end.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Line {
    /// Its beginning, at most as long as the longest line.
    pub bytes: Vec<u8>,
    /// How many bytes of it were left out.
    pub left_out: usize,
}

impl Line {
    /// The text, with a sign in the place of what is none.
    pub fn text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.bytes)
    }

    fn is_empty(&self) -> bool {
        self.bytes.is_empty() && self.left_out == 0
    }

    fn take(&mut self, part: &[u8], longest: usize) {
        let room = longest.saturating_sub(self.bytes.len()).min(part.len());
        self.bytes.extend_from_slice(&part[..room]);
        self.left_out += part.len() - room;
    }
}

impl<R: AsyncRead + Unpin> Lines<R> {
    pub fn new(stream: R, longest: usize) -> Self {
        Self { stream, longest, chunk: vec![0; CHUNK].into(), unseen: 0..0, line: Line::default() }
    }

    /// The next line, also one that the end of the stream cuts off; none after the last. A call that is given up loses
    /// nothing.
    pub async fn next(&mut self) -> io::Result<Option<Line>> {
        loop {
            if let Some(line) = self.finish() {
                return Ok(Some(line));
            }
            let read = self.stream.read(&mut self.chunk).await?;
            self.unseen = 0..read;
            if read == 0 {
                return Ok(Some(mem::take(&mut self.line)).filter(|line| !line.is_empty()));
            }
        }
    }

    /// The line that ends in what is unseen; all of it belongs to the line otherwise.
    fn finish(&mut self) -> Option<Line> {
        let unseen = &self.chunk[self.unseen.clone()];
        let end = memchr::memchr(b'\n', unseen);
        self.line.take(&unseen[..end.unwrap_or(unseen.len())], self.longest);
        self.unseen.start = end.map_or(self.unseen.end, |end| self.unseen.start + end + 1);
        end.map(|_| mem::take(&mut self.line))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONGEST: usize = 10;

    async fn read(bytes: &[u8]) -> Vec<(String, usize)> {
        let mut lines = Lines::new(bytes, LONGEST);
        let mut read = Vec::new();
        while let Some(line) = lines.next().await.expect("memory is readable") {
            read.push((line.text().into_owned(), line.left_out));
        }
        read
    }

    fn line(text: &str, left_out: usize) -> (String, usize) {
        (text.to_owned(), left_out)
    }

    #[tokio::test]
    async fn lines_end_where_they_end_and_the_last_one_with_the_stream() {
        assert_eq!(read(b"a\n\nbc").await, [line("a", 0), line("", 0), line("bc", 0)]);
        assert_eq!(read(b"a\n").await, [line("a", 0)]);
        assert_eq!(read(b"").await, []);
    }

    #[tokio::test]
    async fn of_a_longer_line_the_beginning_is_kept_and_reading_goes_on() {
        assert_eq!(
            read(b"0123456789\n0123456789ab\nc\n").await,
            [line("0123456789", 0), line("0123456789", 2), line("c", 0)]
        );
        let huge = [vec![b'x'; 5 << 20], b"\nafter\n".to_vec()].concat();
        assert_eq!(read(&huge).await, [line("xxxxxxxxxx", (5 << 20) - LONGEST), line("after", 0)]);
    }

    #[tokio::test]
    async fn what_is_no_text_leaves_a_sign() {
        assert_eq!(read(b"a\xffb\n").await, [line("a\u{fffd}b", 0)]);
    }

    #[tokio::test]
    async fn a_line_may_come_in_pieces() {
        let (mut write, stream) = tokio::io::duplex(2);
        let mut lines = Lines::new(stream, LONGEST);
        let written = async {
            tokio::io::AsyncWriteExt::write_all(&mut write, b"in pieces\n").await.expect("somebody reads");
            drop(write);
        };

        let (line, ()) = tokio::join!(lines.next(), written);

        assert_eq!(line.expect("memory is readable").expect("there is one").text(), "in pieces");
        assert_eq!(lines.next().await.expect("memory is readable"), None);
    }
}
