//! Twitch's own emotes: ranges in Unicode code points, inclusive, in any order, not always right.
//! A bad range is dropped alone; the others and the text stay.

use std::ops::Range;

use crate::chat::fragments::{Fragment, Placed};

const PROVIDER: &str = "twitch";

/// Where one emote stands, as the tag says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EmoteRange<'a> {
    pub id: &'a str,
    /// In code points.
    pub first: u32,
    /// In code points, inclusive.
    pub last: u32,
}

/// The ranges of an `emotes` tag: `id:0-4,6-10/id:12-16`. What is no range is left out.
pub fn ranges(tag: &str) -> impl Iterator<Item = EmoteRange<'_>> {
    tag.split('/')
        .filter_map(|emote| emote.split_once(':'))
        .filter(|(id, _)| !id.is_empty())
        .flat_map(|(id, ranges)| ranges.split(',').filter_map(move |range| read(id, range)))
}

fn read<'a>(id: &'a str, range: &str) -> Option<EmoteRange<'a>> {
    let (first, last) = range.split_once('-')?;
    let (first, last) = (first.parse().ok()?, last.parse().ok()?);
    (first <= last).then_some(EmoteRange { id, first, last })
}

/// The emotes as fragments with their byte ranges in `text`. Those that reach past its end are left out.
pub fn place(text: &str, ranges: &[EmoteRange<'_>]) -> Vec<Placed> {
    if ranges.is_empty() {
        return Vec::new();
    }
    if text.is_ascii() {
        return ranges
            .iter()
            .filter_map(|emote| placed(text, *emote, |at| Some(at).filter(|at| *at <= text.len())))
            .collect();
    }
    let starts: Vec<usize> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
    ranges.iter().filter_map(|emote| placed(text, *emote, |at| starts.get(at).copied())).collect()
}

fn placed(text: &str, emote: EmoteRange<'_>, byte_of: impl Fn(usize) -> Option<usize>) -> Option<Placed> {
    let start = byte_of(usize::try_from(emote.first).ok()?)?;
    let end = byte_of(usize::try_from(emote.last).ok()?.checked_add(1)?)?;
    let range: Range<usize> = start..end;
    let name = text.get(range.clone())?;
    let fragment = Fragment::Emote {
        text: name.to_owned(),
        id: emote.id.to_owned(),
        name: name.to_owned(),
        provider: PROVIDER.to_owned(),
        animated: false,
        zero_width: false,
    };
    Some(Placed { range, fragment })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str, tag: &str) -> Vec<String> {
        let ranges: Vec<_> = ranges(tag).collect();
        place(text, &ranges).iter().map(|placed| text[placed.range.clone()].to_owned()).collect()
    }

    #[test]
    fn ranges_count_code_points() {
        assert_eq!(names("Kappa 😂 Kappa", "25:0-4,8-12"), ["Kappa", "Kappa"]);
        assert_eq!(names("Kappa Keepo", "1902:6-10/25:0-4"), ["Keepo", "Kappa"]);
    }

    #[test]
    fn a_bad_range_is_dropped_alone() {
        let bad = "25:9-3,-1-2,x-2,0,99999999999-2,5-99,0-4294967295,0-4/:0-1/:/noranges/1902:";

        assert_eq!(names("Kappa", bad), ["Kappa"]);
        assert_eq!(names("", "25:0-0"), Vec::<String>::new());
    }

    #[test]
    fn modified_and_new_ids_are_kept_whole() {
        let ids: Vec<_> = ranges("300196486_TK:0-7/emotesv2_8811dd:9-10").map(|emote| emote.id).collect();

        assert_eq!(ids, ["300196486_TK", "emotesv2_8811dd"]);
    }
}
