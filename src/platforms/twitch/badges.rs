//! Badges: `badges` names them, `badge-info` says what some of them mean.

use std::borrow::Cow;

use memchr::memchr;

use crate::chat::Badge;

use super::irc::unescape;

/// Twitch writes a comma inside a title as this, since commas part the list.
const COMMA_STAND_IN: char = '\u{2E1D}';

/// A badge as it stands in the line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadgeRef<'a> {
    pub set: &'a str,
    /// Not always a number: `predictions/blue-1`.
    pub version: &'a str,
    /// True months, or a prediction's title.
    pub title: Option<Cow<'a, str>>,
}

impl BadgeRef<'_> {
    pub fn to_badge(&self) -> Badge {
        Badge {
            set: self.set.to_owned(),
            version: unescape(self.version).into_owned(),
            title: self.title.as_deref().map(str::to_owned),
        }
    }
}

/// Reads both tags. What is no badge is left out; a badge without a version keeps its place.
pub fn read<'a>(badges: &'a str, info: &'a str) -> Vec<BadgeRef<'a>> {
    if badges.is_empty() {
        return Vec::new();
    }
    pairs(badges).map(|(set, version)| BadgeRef { set, version, title: title(info, set) }).collect()
}

fn title<'a>(info: &'a str, set: &str) -> Option<Cow<'a, str>> {
    let (_, raw) = pairs(info).find(|(name, title)| *name == set && !title.is_empty())?;
    let title = unescape(raw);
    Some(if title.contains(COMMA_STAND_IN) { Cow::Owned(title.replace(COMMA_STAND_IN, ",")) } else { title })
}

/// `set/rest,set/rest`, split at the first slash: titles hold slashes of their own.
fn pairs(list: &str) -> impl Iterator<Item = (&str, &str)> {
    let mut rest = list;
    std::iter::from_fn(move || {
        while !rest.is_empty() {
            let (pair, later) = match memchr(b',', rest.as_bytes()) {
                Some(end) => (&rest[..end], &rest[end + 1..]),
                None => (rest, ""),
            };
            rest = later;
            let (set, value) = pair.split_once('/').unwrap_or((pair, ""));
            if !set.is_empty() {
                return Some((set, value));
            }
        }
        None
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn badge<'a>(set: &'a str, version: &'a str, title: Option<&'a str>) -> BadgeRef<'a> {
        BadgeRef { set, version, title: title.map(Cow::Borrowed) }
    }

    #[test]
    fn a_badge_takes_its_title_from_its_own_set() {
        let read = read("subscriber/3012,founder/0,vip/1", "founder/17,subscriber/14");

        let expected =
            [badge("subscriber", "3012", Some("14")), badge("founder", "0", Some("17")), badge("vip", "1", None)];
        assert_eq!(read, expected);
    }

    #[test]
    fn a_title_keeps_its_slashes_and_gets_its_commas_back() {
        let read = read("predictions/blue-1", r"predictions/yes\sor\sno/maybe⸝really");

        assert_eq!(read, [badge("predictions", "blue-1", Some("yes or no/maybe,really"))]);
    }

    #[test]
    fn what_is_no_badge_is_left_out_singly() {
        assert_eq!(read("", "subscriber/1"), []);
        assert_eq!(read(",/7,vip,,turbo/1", "vip/"), [badge("vip", "", None), badge("turbo", "1", None)]);
    }
}
