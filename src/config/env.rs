//! From what the process was given to clean pairs: trimmed, without comments and blanks, one value per field.
//! Knows nothing of what the values mean.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Display;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::keys::{self, KEYS};
use super::{Error, REDACTED, Secret};

/// The file read when no other is named, from the working directory.
const DOTENV: &str = ".env";

/// The clean names and values of the process and of the `.env` file.
pub struct Layers {
    process: HashMap<String, String>,
    file: HashMap<String, String>,
    file_path: PathBuf,
}

/// A field with the value that won, and where it came from.
#[derive(Debug, Clone)]
pub struct Pair {
    pub field: &'static str,
    pub name: String,
    pub value: String,
    /// The file's path; none for the process's own environment and for flags.
    pub file: Option<PathBuf>,
}

impl Pair {
    /// The error that this value is wrong, without the value of a secret.
    pub fn wrong(&self, problem: &dyn Display) -> Error {
        let secret = keys::is_secret(self.field);
        let value = if secret { REDACTED.to_owned() } else { self.value.clone() };
        // A parser may quote what it was given.
        let problem = if secret { problem.to_string().replace(&self.value, REDACTED) } else { problem.to_string() };
        Error { name: self.name.clone(), value: Some(value), file: self.file.clone(), problem }
    }
}

impl Layers {
    /// The environment of this process, and the named file or `.env` where there is one.
    pub fn gather(config: Option<&Path>) -> Result<Self, Error> {
        let process = std::env::vars_os()
            .map(|(name, value)| (name.to_string_lossy().into_owned(), value.to_string_lossy().into_owned()));
        let path = config.unwrap_or(Path::new(DOTENV));
        match std::fs::read_to_string(path) {
            Ok(text) => Self::new(process, path, &text),
            Err(error) if error.kind() == ErrorKind::NotFound && config.is_none() => Self::new(process, path, ""),
            Err(error) => Err(unreadable(path, format!("cannot be read: {error}"))),
        }
    }

    /// From the raw pairs of a process and the text of a file.
    pub fn new(
        process: impl IntoIterator<Item = (String, String)>,
        file_path: &Path,
        file: &str,
    ) -> Result<Self, Error> {
        let process = process.into_iter().filter_map(|(name, value)| Some((name, clean(&value)?))).collect();
        let file = parse(file).map_err(|line| unreadable(file_path, format!("line {line} is not NAME=value")))?;
        Ok(Self { process, file, file_path: file_path.to_owned() })
    }

    /// The winning pair of every field that is set.
    pub fn pairs(&self) -> Vec<Pair> {
        KEYS.iter().filter_map(|key| self.statements(key.field, key.names).into_iter().next()).collect()
    }

    /// Everything said about one field, the strongest first: the process before the file, then by the order of names.
    pub fn statements(&self, field: &'static str, names: &[&str]) -> Vec<Pair> {
        let layers = [(&self.process, None), (&self.file, Some(&self.file_path))];
        let said = layers.into_iter().flat_map(|(values, file)| {
            names.iter().filter_map(move |name| {
                let value = values.get(*name)?.clone();
                Some(Pair { field, name: (*name).to_owned(), value, file: file.cloned() })
            })
        });
        said.collect()
    }

    /// The values of all names that satisfy, whoever reads them. They may be secrets.
    pub fn passed(&self, is_wanted: impl Fn(&str) -> bool) -> BTreeMap<String, Secret<String>> {
        let values = self.file.iter().chain(&self.process).filter(|(name, _)| is_wanted(name));
        values.map(|(name, value)| (name.clone(), Secret::new(value.clone()))).collect()
    }

    /// What is worth saying about names that no section reads, sorted.
    pub fn remarks(&self) -> Vec<String> {
        let names = self.process.keys().chain(self.file.keys());
        let mut remarks: Vec<String> = names.filter_map(|name| keys::remark(name)).collect();
        remarks.sort();
        remarks.dedup();
        remarks
    }
}

fn unreadable(path: &Path, problem: String) -> Error {
    Error { name: path.display().to_string(), value: None, file: None, problem }
}

/// A value without its ` # comment` and surrounding blanks; none if nothing is left.
///
/// Container runtimes hand over the comment with the value, so this is done to every value. In `#one, #two` the second
/// channel is no comment.
pub fn clean(raw: &str) -> Option<String> {
    let starts_comment = |at: usize| {
        let (before, after) = (raw[..at].trim_end(), &raw[at + 1..]);
        let apart = raw[..at].is_empty() || raw[..at].ends_with(char::is_whitespace);
        let spaced = after.is_empty() || after.starts_with(char::is_whitespace);
        apart && (spaced || !(before.is_empty() || before.ends_with(',')))
    };
    let end = raw.match_indices('#').map(|(at, _)| at).find(|at| starts_comment(*at)).unwrap_or(raw.len());
    let value = raw[..end].trim();
    (!value.is_empty()).then(|| value.to_owned())
}

/// Reads `NAME=value` lines; quotes keep blanks and `#`. The error is the number of the line that is none.
fn parse(text: &str) -> Result<HashMap<String, String>, usize> {
    let mut values = HashMap::new();
    for (line, number) in text.trim_start_matches('\u{feff}').lines().zip(1..) {
        let line = line.trim();
        let line = line.strip_prefix("export ").unwrap_or(line).trim_start();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (name, value) = line.split_once('=').ok_or(number)?;
        let name = name.trim();
        if name.is_empty() || name.contains(char::is_whitespace) {
            return Err(number);
        }
        if let Some(value) = unquote(value.trim()).ok_or(number)? {
            values.insert(name.to_owned(), value);
        }
    }
    Ok(values)
}

/// The inside of a quoted value as it stands, or the clean value. The outer none says that a quote is not closed.
fn unquote(value: &str) -> Option<Option<String>> {
    let Some(quote) = value.chars().next().filter(|c| matches!(c, '"' | '\'')) else { return Some(clean(value)) };
    let (inside, after) = value[1..].split_once(quote)?;
    let after = after.trim_start();
    let inside = Some(inside.trim().to_owned()).filter(|inside| !inside.is_empty());
    (after.is_empty() || after.starts_with('#')).then_some(inside)
}

/// How many letters must be put in, left out or changed to turn one name into the other.
pub fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in one.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in other.iter().enumerate() {
            let changed = diagonal + usize::from(a != *b);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(row[j] + 1).min(row[j + 1] + 1);
        }
    }
    row[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_blanks_are_stripped_from_every_value() {
        let cases = [
            ("1", Some("1")),
            ("  1  ", Some("1")),
            ("1   # on by default", Some("1")),
            ("1 #on", Some("1")),
            ("1\t# on", Some("1")),
            ("wal#2", Some("wal#2")),
            ("#forsen", Some("#forsen")),
            ("#forsen, #xqc", Some("#forsen, #xqc")),
            ("#forsen, #xqc # two of them", Some("#forsen, #xqc")),
            ("https://x.test/#part", Some("https://x.test/#part")),
            ("# nothing set", None),
            ("   # nothing set", None),
            ("#", None),
            ("", None),
            (" \t ", None),
        ];
        for (raw, expected) in cases {
            assert_eq!(clean(raw).as_deref(), expected, "{raw:?}");
        }
    }

    #[test]
    fn a_file_may_export_quote_and_comment() {
        let text = "\u{feff}# head\r\nA=1\r\nexport B = two words # c\nC=\"x # y\" # z\nD='$HOME'\n\nE=\nA=2\n";

        let values = parse(text).expect("every line is good");

        let value = |name| values.get(name).map(String::as_str);
        assert_eq!(value("A"), Some("2"));
        assert_eq!(value("B"), Some("two words"));
        assert_eq!(value("C"), Some("x # y"));
        assert_eq!(value("D"), Some("$HOME"));
        assert_eq!(value("E"), None);
    }

    #[test]
    fn a_bad_line_is_named_by_its_number() {
        for (text, number) in [("A=1\nwhat", 2), ("=1", 1), ("\n\nA B=1", 3), ("A=\"open", 1), ("A='b' c", 1)] {
            assert_eq!(parse(text), Err(number), "{text:?}");
        }
    }
}
