//! A text measured in code points and in UTF-16 units, and the emotes it holds by either.

use std::ops::Range;

use serde_json::Value;

use crate::platforms::twitch::emotes;

use super::super::fields::{Fields, first_label, label};

/// Bytes of an emote's id or name; what is longer is none.
pub const LONGEST_NAME: usize = 256;

/// An emote and its place in bytes.
pub struct Found {
    pub range: Range<usize>,
    pub id: String,
    /// Empty where it is called what it is written as.
    pub name: String,
}

/// Where each code point and each UTF-16 unit of a text begins, in bytes.
pub struct Ruler<'a> {
    text: &'a str,
    points: Vec<usize>,
    /// None in the middle of a pair.
    units: Vec<Option<usize>>,
}

impl<'a> Ruler<'a> {
    pub fn new(text: &'a str) -> Self {
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

    /// Every place of an emote, in whichever form it came.
    pub fn find(&self, emote: &Value) -> Vec<Found> {
        match emote {
            Value::String(tag) => emotes::ranges(tag).filter_map(|emote| self.tagged(emote)).collect(),
            Value::Object(fields) => self.described(fields),
            _ => Vec::new(),
        }
    }

    fn tagged(&self, emote: emotes::EmoteRange<'_>) -> Option<Found> {
        let (first, last) = (usize::try_from(emote.first).ok()?, usize::try_from(emote.last).ok()?);
        let range = self.points(first, last.checked_add(1)?)?;
        Some(Found { range, id: emote.id.to_owned(), name: String::new() }).filter(|_| emote.id.len() <= LONGEST_NAME)
    }

    fn described(&self, emote: &Fields) -> Vec<Found> {
        let name = label(emote, "name").unwrap_or_default();
        let Some(id) = first_label(emote, &["id", "emote_id", "name"]) else { return Vec::new() };
        if id.len().max(name.len()) > LONGEST_NAME {
            return Vec::new();
        }
        let ranges: Vec<_> = match emote.get("locations").filter(|places| !places.is_null()) {
            Some(places) => Span::all(places).iter().filter_map(|span| self.range(span, &name)).collect(),
            None if is_shortcut(&name) => {
                self.text.match_indices(&name).map(|(at, found)| at..at + found.len()).collect()
            }
            None => Vec::new(),
        };
        ranges.into_iter().map(|range| Found { range, id: id.clone(), name: name.clone() }).collect()
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
        named.or_else(|| ways[0].clone())
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
    /// All places of an emote: a list, or `0-4,6-10`.
    fn all(value: &Value) -> Vec<Self> {
        match value {
            Value::String(text) => text.split(',').filter_map(Self::text).collect(),
            Value::Array(places) => places.iter().filter_map(Self::one).collect(),
            _ => Vec::new(),
        }
    }

    fn text(text: &str) -> Option<Self> {
        let (start, end) = text.split_once('-')?;
        Some(Self { start: start.trim().parse().ok()?, end: end.trim().parse().ok()?, form: Form::Text })
    }

    fn one(value: &Value) -> Option<Self> {
        let number = |key: &str| value.get(key).and_then(Value::as_u64).and_then(|number| usize::try_from(number).ok());
        if let Value::String(text) = value {
            return Self::text(text);
        }
        if let (Some(start), Some(end)) = (number("start"), number("end")) {
            return Some(Self { start, end, form: Form::Bounds });
        }
        let start = number("startIndex").or_else(|| number("start_index"))?;
        let end = number("endIndex").or_else(|| number("end_index"))?;
        Some(Self { start, end, form: Form::Indexes })
    }
}

/// `:name:`, which nobody writes by chance.
fn is_shortcut(name: &str) -> bool {
    name.len() > 2 && name.starts_with(':') && name.ends_with(':')
}
