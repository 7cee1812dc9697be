//! A file of lines as an origin: an export, a recording, or what another program printed. The lines come as they stand.

use std::collections::BTreeSet;
use std::io::{self, BufRead as _, BufReader, Read};

use super::origin::{Origin, Piece, Trouble};
use crate::chat::Channel;
use crate::dialects;

/// The longest line that is read, in bytes: no message is longer.
const LONGEST: u64 = 1024 * 1024;
/// Bytes in a piece, so that long lines make a short one.
const PER_PIECE: u64 = 2 * LONGEST;

/// Lines of which each is in some dialect.
pub struct Lines {
    input: BufReader<Box<dyn Read + Send>>,
    wanted: BTreeSet<Channel>,
    name: String,
    /// Lines and bytes that were read.
    line: u64,
    bytes: u64,
    total: Option<u64>,
    /// What was read to see whether it is chat at all.
    first: Option<Piece>,
}

/// One line, without its end.
enum Line {
    Text(String),
    TooLong,
}

impl Lines {
    /// Reads the first piece, and refuses what is no chat from its first line on.
    pub fn open(
        input: Box<dyn Read + Send>,
        name: String,
        total: Option<u64>,
        wanted: BTreeSet<Channel>,
        most: u32,
    ) -> Result<Self, Trouble> {
        let input = BufReader::new(input);
        let mut lines = Self { input, wanted, name, line: 0, bytes: 0, total, first: None };
        let first = lines.read(most)?;
        if first.events.is_empty()
            && let Some(why) = &first.first
        {
            let what = format!("none of its lines is chat that this program knows ({why})");
            return Err(Trouble::Foreign { file: lines.name, what });
        }
        lines.first = Some(first);
        Ok(lines)
    }

    fn read(&mut self, most: u32) -> Result<Piece, Trouble> {
        let (mut piece, begun) = (Piece::default(), self.bytes);
        for _ in 0..most {
            let next = self.next().map_err(|source| Trouble::Io { file: self.name.clone(), source })?;
            let Some(line) = next else {
                piece.is_last = true;
                break;
            };
            let number = self.line;
            match line {
                Line::Text(text) => {
                    piece.add(|| format!("line {number}"), dialects::read_line(&text, &self.wanted));
                }
                Line::TooLong => piece.refuse(format!("line {number}: it is longer than {LONGEST} bytes")),
            }
            if self.bytes - begun >= PER_PIECE {
                break;
            }
        }
        piece.done = self.bytes;
        Ok(piece)
    }

    fn next(&mut self) -> io::Result<Option<Line>> {
        let mut line = Vec::new();
        let length = (&mut self.input).take(LONGEST + 1).read_until(b'\n', &mut line)?;
        if length == 0 {
            return Ok(None);
        }
        (self.line, self.bytes) = (self.line + 1, self.bytes + length as u64);
        if length as u64 > LONGEST && line.last() != Some(&b'\n') {
            self.bytes += skip_line(&mut self.input)?;
            return Ok(Some(Line::TooLong));
        }
        Ok(Some(Line::Text(String::from_utf8_lossy(&line).into_owned())))
    }
}

/// Reads up to the end of the line, and keeps none of it.
fn skip_line(input: &mut BufReader<Box<dyn Read + Send>>) -> io::Result<u64> {
    let mut skipped = 0;
    loop {
        let there = input.fill_buf()?;
        let end = there.iter().position(|byte| *byte == b'\n').map(|at| at + 1);
        let length = end.unwrap_or(there.len());
        input.consume(length);
        skipped += length as u64;
        if end.is_some() || length == 0 {
            return Ok(skipped);
        }
    }
}

impl Origin for Lines {
    fn piece(&mut self, most: u32) -> Result<Piece, Trouble> {
        match self.first.take() {
            Some(first) => Ok(first),
            None => self.read(most),
        }
    }

    fn total(&self) -> Option<u64> {
        self.total
    }
}
