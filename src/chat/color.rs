//! Name colors: the platform's own, and the classic rule for names that have none.

use serde::{Deserialize, Serialize};

/// A color as `#RRGGBB`, upper case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Color([u8; 3]);

/// What an empty name gets.
const NAMELESS: Color = Color([0x94, 0xA3, 0xB8]);

/// Twitch's fifteen default name colors, in the order the classic hash counts them.
const PALETTE: [Color; 15] = [
    Color([0x00, 0x00, 0xFF]),
    Color([0x8A, 0x2B, 0xE2]),
    Color([0x5F, 0x9E, 0xA0]),
    Color([0xD2, 0x69, 0x1E]),
    Color([0xFF, 0x7F, 0x50]),
    Color([0x1E, 0x90, 0xFF]),
    Color([0xB2, 0x22, 0x22]),
    Color([0xDA, 0xA5, 0x20]),
    Color([0x00, 0x80, 0x00]),
    Color([0xFF, 0x69, 0xB4]),
    Color([0xFF, 0x45, 0x00]),
    Color([0xFF, 0x00, 0x00]),
    Color([0x2E, 0x8B, 0x57]),
    Color([0x00, 0xFF, 0x7F]),
    Color([0x9A, 0xCD, 0x32]),
];

/// Darker than this (WCAG relative luminance) is unreadable on black.
const MIN_LUMINANCE: f64 = 0.10;
const MAX_LIFTS: usize = 4;

impl Color {
    /// Reads `#RRGGBB` in any case; anything else is no color.
    pub fn parse(text: &str) -> Option<Self> {
        let hex = text.strip_prefix('#')?;
        if hex.len() != 6 || !hex.bytes().all(|b| b.is_ascii_hexdigit()) {
            return None;
        }
        let value = u32::from_str_radix(hex, 16).ok()?;
        let [_, r, g, b] = value.to_be_bytes();
        Some(Self([r, g, b]))
    }

    /// The palette color of a name: FNV-1a (32 bit) over its lower case, modulo the palette.
    pub fn of_name(name: &str) -> Self {
        if name.is_empty() {
            return NAMELESS;
        }
        let hash = name
            .to_lowercase()
            .bytes()
            .fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
        PALETTE[hash as usize % PALETTE.len()]
    }

    /// The same hue made readable on black: blended 60 % toward white until bright enough.
    pub fn readable(self) -> Self {
        let mut color = self;
        for _ in 0..MAX_LIFTS {
            if color.luminance() >= MIN_LUMINANCE {
                break;
            }
            color = Self(color.0.map(|c| (f64::from(c) + (255.0 - f64::from(c)) * 0.6).round() as u8));
        }
        color
    }

    fn luminance(self) -> f64 {
        let [r, g, b] = self.0.map(|c| {
            let c = f64::from(c) / 255.0;
            if c <= 0.03928 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) }
        });
        0.2126 * r + 0.7152 * g + 0.0722 * b
    }
}

impl std::fmt::Display for Color {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let [r, g, b] = self.0;
        write!(f, "#{r:02X}{g:02X}{b:02X}")
    }
}

impl TryFrom<String> for Color {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text).ok_or("a color is #RRGGBB")
    }
}

impl From<Color> for String {
    fn from(color: Color) -> Self {
        color.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_get_the_colors_they_always_had() {
        let cases = [
            ("dayoman", "#8A2BE2"),
            ("hp_az", "#9ACD32"),
            ("Tester", "#9ACD32"),
            ("sampleuser", "#8A2BE2"),
            ("tw-user", "#FF69B4"),
            ("taileruser", "#9999FF"),
            ("étoile", "#D2691E"),
            ("", "#94A3B8"),
        ];
        for (name, expected) in cases {
            assert_eq!(Color::of_name(name).readable().to_string(), expected, "{name}");
        }
    }

    #[test]
    fn dark_colors_are_lifted() {
        let lift = |text| Color::parse(text).map(|c| c.readable().to_string());
        assert_eq!(lift("#000000"), Some("#999999".to_owned()));
        assert_eq!(lift("#112233"), Some("#A0A7AD".to_owned()));
        assert_eq!(lift("#cc44ff"), Some("#CC44FF".to_owned()));
    }

    #[test]
    fn only_six_hex_digits_are_a_color() {
        for text in ["", "#fff", "red", "#12345g", "#1234567", "123456", "#+12345"] {
            assert_eq!(Color::parse(text), None, "{text}");
        }
    }
}
