//! Name colors: the platform's own, and the classic rule for names that have none.

use serde::{Deserialize, Serialize};

/// A color as `#RRGGBB`, upper case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Color([u8; 3]);

/// What an empty name gets.
const NAMELESS: Color = Color([0x94, 0xA3, 0xB8]);

/// Which colors a name without one may get.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Palette {
    /// Twitch's own.
    #[default]
    #[serde(rename = "15")]
    Fifteen,
    /// Those of the first versions.
    #[serde(rename = "8")]
    Eight,
}

impl Palette {
    const fn colors(self) -> &'static [Color] {
        match self {
            Self::Fifteen => &FIFTEEN,
            Self::Eight => &EIGHT,
        }
    }
}

/// Soft colors, in the order the classic hash counts them.
const EIGHT: [Color; 8] = [
    Color([0xF9, 0x73, 0x16]),
    Color([0x22, 0xD3, 0xEE]),
    Color([0xC0, 0x84, 0xFC]),
    Color([0x34, 0xD3, 0x99]),
    Color([0xFA, 0xCC, 0x15]),
    Color([0x38, 0xBD, 0xF8]),
    Color([0xF4, 0x72, 0xB6]),
    Color([0xA3, 0xE6, 0x35]),
];

/// Twitch's fifteen default name colors, in the order the classic hash counts them.
const FIFTEEN: [Color; 15] = [
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
    /// What YouTube paints its people in.
    pub const YOUTUBE_OWNER: Self = Self([0xFF, 0xD6, 0x00]);
    pub const YOUTUBE_MODERATOR: Self = Self([0x5E, 0x84, 0xF1]);
    pub const YOUTUBE_MEMBER: Self = Self([0x0F, 0x9D, 0x58]);

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
    pub fn of_name(name: &str, palette: Palette) -> Self {
        if name.is_empty() {
            return NAMELESS;
        }
        let hash = name
            .to_lowercase()
            .bytes()
            .fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
        let colors = palette.colors();
        colors[hash as usize % colors.len()]
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
            ("dayoman", "#8A2BE2", "#C084FC"),
            ("hp_az", "#9ACD32", "#38BDF8"),
            ("Tester", "#9ACD32", "#F472B6"),
            ("sampleuser", "#8A2BE2", "#FACC15"),
            ("tw-user", "#FF69B4", "#F97316"),
            ("taileruser", "#9999FF", "#34D399"),
            ("étoile", "#D2691E", "#F97316"),
            ("", "#94A3B8", "#94A3B8"),
        ];
        for (name, fifteen, eight) in cases {
            assert_eq!(Color::of_name(name, Palette::Fifteen).readable().to_string(), fifteen, "{name}");
            assert_eq!(Color::of_name(name, Palette::Eight).readable().to_string(), eight, "{name}");
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
