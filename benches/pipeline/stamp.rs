//! What a message carries as its native id, in the shape of a UUID: which one it is, and when it was written.

use std::io::Write as _;
use std::time::Instant;

/// Characters of a stamp.
pub const LENGTH: usize = 36;

/// The time that all stamps of this run count from.
#[derive(Clone, Copy)]
pub struct Clock(Instant);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    pub number: u32,
    /// Microseconds of the clock.
    pub at: u64,
}

impl Clock {
    pub fn start() -> Self {
        Self(Instant::now())
    }

    pub fn now(self) -> u64 {
        u64::try_from(self.0.elapsed().as_micros()).expect("a run takes no centuries")
    }
}

impl Stamp {
    /// The first eight digits are scattered, so that an index of ids has the work that real ids give it.
    pub fn write(self, out: &mut Vec<u8>) {
        let scattered = self.number.wrapping_mul(0x9E37_79B1).rotate_left(15).wrapping_mul(0x85EB_CA77);
        let (high, low) = (self.number >> 16, self.number & 0xffff);
        let (early, late) = (self.at >> 48, self.at & 0xffff_ffff_ffff);
        write!(out, "{scattered:08x}-{high:04x}-{low:04x}-{early:04x}-{late:012x}")
            .expect("memory takes what is written");
    }

    /// Reads a stamp back; none where the text is something else.
    pub fn read(text: &[u8]) -> Option<Self> {
        let number = hex(text.get(9..13)?)? << 16 | hex(text.get(14..18)?)?;
        let at = hex(text.get(19..23)?)? << 48 | hex(text.get(24..LENGTH)?)?;
        Some(Self { number: u32::try_from(number).ok()?, at })
    }
}

fn hex(digits: &[u8]) -> Option<u64> {
    digits.iter().try_fold(0, |sum, digit| {
        let value = match digit {
            b'0'..=b'9' => digit - b'0',
            b'a'..=b'f' => digit - b'a' + 10,
            _ => return None,
        };
        Some(sum << 4 | u64::from(value))
    })
}
