//! Lines out of frames: a frame may hold several lines, a line may span frames, and no line may grow without bound.

/// No line is longer than this: tags reach 8 KB, text 500 characters. What goes on is cut, up to the next line.
const LONGEST: usize = 16 * 1024;

/// What has come of a line whose end has not.
#[derive(Default)]
pub struct Lines {
    partial: Vec<u8>,
    /// The rest of a line that was cut is still coming.
    is_cut: bool,
}

/// What was wrong with the bytes of one frame.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Odd {
    pub cut: usize,
    pub not_utf8: usize,
}

impl Lines {
    /// Calls `each` with every line that these bytes complete, without its end; empty lines are left out.
    pub fn feed(&mut self, mut bytes: &[u8], mut each: impl FnMut(&str)) -> Odd {
        let mut odd = Odd::default();
        while let Some(end) = memchr::memchr(b'\n', bytes) {
            let (tail, rest) = (&bytes[..end], &bytes[end + 1..]);
            bytes = rest;
            if self.partial.is_empty() && tail.len() <= LONGEST {
                if !std::mem::take(&mut self.is_cut) {
                    say(tail, &mut odd, &mut each);
                }
                continue;
            }
            self.hold(tail, &mut odd, &mut each);
            self.is_cut = false;
            say(&self.partial, &mut odd, &mut each);
            self.partial.clear();
        }
        self.hold(bytes, &mut odd, &mut each);
        odd
    }

    /// Keeps what fits; once it does not, the line so far is said and the rest skipped.
    fn hold(&mut self, bytes: &[u8], odd: &mut Odd, each: &mut impl FnMut(&str)) {
        if self.is_cut {
            return;
        }
        let room = LONGEST - self.partial.len();
        if bytes.len() <= room {
            self.partial.extend_from_slice(bytes);
            return;
        }
        self.partial.extend_from_slice(&bytes[..room]);
        let whole = self.partial.len() - broken_tail(&self.partial);
        odd.cut += 1;
        say(&self.partial[..whole], odd, each);
        self.partial.clear();
        self.is_cut = true;
    }
}

/// How many bytes at the end belong to a character that the cut went through.
fn broken_tail(bytes: &[u8]) -> usize {
    std::str::from_utf8(bytes)
        .err()
        .filter(|error| error.error_len().is_none())
        .map_or(0, |error| bytes.len() - error.valid_up_to())
}

fn say(line: &[u8], odd: &mut Odd, each: &mut impl FnMut(&str)) {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    if line.is_empty() {
        return;
    }
    match std::str::from_utf8(line) {
        Ok(line) => each(line),
        Err(_) => {
            odd.not_utf8 += 1;
            each(&String::from_utf8_lossy(line));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn feed(frames: &[&[u8]]) -> (Vec<String>, Odd) {
        let (mut lines, mut said, mut all) = (Lines::default(), Vec::new(), Odd::default());
        for frame in frames {
            let odd = lines.feed(frame, |line| said.push(line.to_owned()));
            all.cut += odd.cut;
            all.not_utf8 += odd.not_utf8;
        }
        (said, all)
    }

    #[test]
    fn a_frame_may_hold_several_lines() {
        assert_eq!(feed(&[b"one\r\ntwo\r\n\r\nthree\n"]).0, ["one", "two", "three"]);
    }

    #[test]
    fn a_line_may_span_frames_even_inside_a_character() {
        let snowman = "☃".as_bytes();
        let frames = [b"one\r\ntw", &snowman[..1], &snowman[1..], b"o\r", b"\nthree"];
        assert_eq!(feed(&frames).0, ["one", "tw☃o"]);
    }

    #[test]
    fn every_split_of_the_bytes_gives_the_same_lines() {
        let bytes = "first ☃\r\n\r\nsecond\r\n".as_bytes();
        for at in 0..=bytes.len() {
            assert_eq!(feed(&[&bytes[..at], &bytes[at..]]).0, ["first ☃", "second"], "split at {at}");
        }
    }

    #[test]
    fn a_line_without_end_is_cut_once_and_the_next_one_is_whole() {
        let long = "é".repeat(LONGEST).into_bytes();
        for frames in [
            vec![[b"x", &long[..], b"\r\nnext\r\n"].concat()],
            vec![b"x".to_vec(), long.clone(), long.clone(), b"\r\nnext\r\n".to_vec()],
        ] {
            let frames: Vec<&[u8]> = frames.iter().map(Vec::as_slice).collect();
            let (said, odd) = feed(&frames);
            assert_eq!(said.len(), 2);
            assert_eq!((said[0].len(), said[1].as_str()), (LONGEST - 1, "next"));
            assert_eq!(odd, Odd { cut: 1, not_utf8: 0 });
        }
    }

    #[test]
    fn the_longest_line_is_not_cut() {
        let longest = vec![b'x'; LONGEST];
        let (said, odd) = feed(&[&longest, b"\nnext\n"]);
        assert_eq!((said[0].len(), said[1].as_str(), odd), (LONGEST, "next", Odd::default()));
    }

    #[test]
    fn bytes_that_are_no_text_are_replaced_and_counted() {
        let (said, odd) = feed(&[b"a\xFFb\r\n"]);
        assert_eq!((said[0].as_str(), odd), ("a\u{FFFD}b", Odd { cut: 0, not_utf8: 1 }));
    }
}
