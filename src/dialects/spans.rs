//! Where the emotes of a stored text stand. Programs count in three ways: Twitch in code points with the last one
//! included, gnasty's YouTube in UTF-16 units with the end excluded, clients of old in code points. An emote's name
//! tells which of them fits.

use std::ops::Range;

use serde_json::Value;

use crate::chat::Fragment;
use crate::chat::fragments::Placed;
use crate::platforms::twitch::emotes::{self, EmoteRange};

use super::fields::{Fields, first_label, label};

/// The emotes of a column as fragments of `text`. What fits nowhere is left out alone.
pub fn place(text: &str, emotes: &[Value], provider: &str) -> Vec<Placed> {
    let ranges: Vec<EmoteRange<'_>> = emotes.iter().filter_map(Value::as_str).flat_map(emotes::ranges).collect();
    let mut placed = emotes::place(text, &ranges);
    let mut ruler = None;
    for emote in emotes.iter().filter_map(Value::as_object) {
        let ruler = ruler.get_or_insert_with(|| Ruler::new(text));
        placed.extend(each(ruler, emote, provider));
    }
    placed
}

fn each(ruler: &Ruler<'_>, emote: &Fields, provider: &str) -> Vec<Placed> {
    let name = label(emote, "name").unwrap_or_default();
    let Some(id) = first_label(emote, &["id", "emote_id", "name"]) else { return Vec::new() };
    let places = emote.get("locations").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let range = |place: &Value| ruler.range(&Span::read(place)?, &name);
    places
        .iter()
        .filter_map(range)
        .map(|range| {
            let text = ruler.text[range.clone()].to_owned();
            Placed { range, fragment: fragment(text, id.clone(), &name, provider) }
        })
        .collect()
}

/// An emote's fragment; one without a name is called what it is written as.
pub fn fragment(text: String, id: String, name: &str, provider: &str) -> Fragment {
    let name = if name.is_empty() { text.clone() } else { name.to_owned() };
    Fragment::Emote { text, id, name, provider: provider.to_owned(), animated: false, zero_width: false }
}

/// Two numbers, and what the form they came in says about them.
struct Span {
    start: usize,
    end: usize,
    form: Form,
}

enum Form {
    /// `"0-4"`: code points, the last one included.
    Text,
    /// `{"start":0,"end":5}`: both ways of counting are in use.
    Bounds,
    /// `{"startIndex":0,"endIndex":5}`: the end is excluded.
    Indexes,
}

impl Span {
    fn read(value: &Value) -> Option<Self> {
        if let Value::String(text) = value {
            let (start, end) = text.split_once('-')?;
            return Some(Self { start: start.trim().parse().ok()?, end: end.trim().parse().ok()?, form: Form::Text });
        }
        let number = |key: &str| value.get(key).and_then(Value::as_u64).and_then(|number| usize::try_from(number).ok());
        if let (Some(start), Some(end)) = (number("start"), number("end")) {
            return Some(Self { start, end, form: Form::Bounds });
        }
        let start = number("startIndex").or_else(|| number("start_index"))?;
        let end = number("endIndex").or_else(|| number("end_index"))?;
        Some(Self { start, end, form: Form::Indexes })
    }
}

/// Where each code point and each UTF-16 unit of a text begins, in bytes.
struct Ruler<'a> {
    text: &'a str,
    points: Vec<usize>,
    /// None in the middle of a pair.
    units: Vec<Option<usize>>,
}

impl<'a> Ruler<'a> {
    fn new(text: &'a str) -> Self {
        let (mut points, mut units) = (Vec::with_capacity(text.len() + 1), Vec::with_capacity(text.len() + 1));
        for (at, letter) in text.char_indices() {
            points.push(at);
            units.push(Some(at));
            if letter.len_utf16() == 2 {
                units.push(None);
            }
        }
        points.push(text.len());
        units.push(Some(text.len()));
        Self { text, points, units }
    }

    /// The bytes that a span means for an emote of this name.
    fn range(&self, span: &Span, name: &str) -> Option<Range<usize>> {
        let (start, end) = (span.start, span.end);
        let after = end.checked_add(1)?;
        let usual = end.checked_sub(start).is_some_and(|length| length == name.encode_utf16().count());
        let ways = match span.form {
            Form::Text => [self.points(start, after), self.units(start, after), None],
            Form::Bounds if usual => [self.units(start, end), self.points(start, end), self.points(start, after)],
            Form::Bounds => [self.points(start, after), self.units(start, after), self.points(start, end)],
            Form::Indexes => [self.units(start, end), self.points(start, end), None],
        };
        let named = ways.iter().flatten().find(|range| self.text[(*range).clone()] == *name).cloned();
        named.or_else(|| ways[0].clone()).filter(|range| !range.is_empty())
    }

    fn points(&self, start: usize, end: usize) -> Option<Range<usize>> {
        let (start, end) = (*self.points.get(start)?, *self.points.get(end)?);
        (start <= end).then_some(start..end)
    }

    fn units(&self, start: usize, end: usize) -> Option<Range<usize>> {
        let (start, end) = ((*self.units.get(start)?)?, (*self.units.get(end)?)?);
        (start <= end).then_some(start..end)
    }
}
