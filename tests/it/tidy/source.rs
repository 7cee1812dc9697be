//! Reading the project's own sources: which files there are, and Rust text parted into code and string literals.
//! A scanner, not a parser: it knows where comments and literals end, and nothing of what the code means.

use std::fs;
use std::path::{Path, PathBuf};

/// A file of the project: its path from the root, with `/`, and its text.
pub struct File {
    pub path: String,
    pub text: String,
}

/// Every file below `folders` that ends in one of `endings`, sorted by path. Folders that do not exist are empty.
pub fn files(folders: &[&str], endings: &[&str]) -> Vec<File> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    for folder in folders {
        collect(&root.join(folder), &mut found);
    }
    found.retain(|path| endings.iter().any(|ending| path.to_string_lossy().ends_with(ending)));
    found.sort();
    found
        .into_iter()
        .map(|path| File {
            path: path.strip_prefix(root).unwrap().to_string_lossy().replace('\\', "/"),
            text: fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display())),
        })
        .collect()
}

fn collect(folder: &Path, found: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries {
        let path = entry.unwrap().path();
        if !path.is_dir() {
            found.push(path);
        } else if !["node_modules", "dist", "test-results"].iter().any(|name| path.ends_with(name)) {
            collect(&path, found);
        }
    }
}

/// A Rust text in two parts. `code` has a blank for every character of a comment or literal, so places stay the same.
pub struct Scanned {
    pub code: Vec<char>,
    /// The string literals, each with the line it begins on.
    pub strings: Vec<(usize, String)>,
}

/// Parts a Rust text into code and string literals.
pub fn scan(text: &str) -> Scanned {
    let chars: Vec<char> = text.chars().collect();
    let mut code = chars.clone();
    let mut strings = Vec::new();
    let mut at = 0;
    while at < chars.len() {
        let (end, literal) = token(&chars, at);
        if let Some((from, to)) = literal {
            strings.push((line(&chars, at), chars[from..to].iter().collect()));
        }
        if end > at + 1 {
            code[at..end].iter_mut().filter(|c| **c != '\n').for_each(|c| *c = ' ');
        }
        at = end;
    }
    Scanned { code, strings }
}

/// Where the comment or literal that begins at `at` ends, and the bounds of a string's contents; one character else.
fn token(chars: &[char], at: usize) -> (usize, Option<(usize, usize)>) {
    let ahead = |n: usize| chars.get(at + n).copied().unwrap_or('\n');
    match chars[at] {
        '/' if ahead(1) == '/' => (find(chars, at, |c| c == '\n'), None),
        '/' if ahead(1) == '*' => (block_comment_end(chars, at), None),
        '"' => quoted(chars, at),
        'r' if (ahead(1) == '"' || ahead(1) == '#') && starts_word(chars, at) => raw(chars, at),
        '\'' if ahead(1) == '\\' => (find(chars, at + 3, |c| c == '\'') + 1, None),
        '\'' if ahead(2) == '\'' => (at + 3, None),
        _ => (at + 1, None),
    }
}

/// Whether what stands before `at` cannot be part of the same word; `b` and `c` may precede the `r` of a raw string.
fn starts_word(chars: &[char], at: usize) -> bool {
    let before = |n: usize| at.checked_sub(n).map(|i| chars[i]);
    let outside = |c: Option<char>| !c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    outside(before(1)) || (matches!(before(1), Some('b' | 'c')) && outside(before(2)))
}

fn quoted(chars: &[char], at: usize) -> (usize, Option<(usize, usize)>) {
    let mut end = at + 1;
    while end < chars.len() && chars[end] != '"' {
        end += if chars[end] == '\\' { 2 } else { 1 };
    }
    let end = end.min(chars.len());
    ((end + 1).min(chars.len()), Some((at + 1, end)))
}

fn raw(chars: &[char], at: usize) -> (usize, Option<(usize, usize)>) {
    let hashes = chars[at + 1..].iter().take_while(|c| **c == '#').count();
    if chars.get(at + 1 + hashes) != Some(&'"') {
        return (at + 1, None); // a raw identifier: r#type
    }
    let begin = at + 2 + hashes;
    let closes =
        |i: usize| chars[i] == '"' && chars[i + 1..].iter().take(hashes).filter(|c| **c == '#').count() == hashes;
    let end = (begin..chars.len()).find(|i| closes(*i)).unwrap_or(chars.len());
    ((end + 1 + hashes).min(chars.len()), Some((begin, end)))
}

fn block_comment_end(chars: &[char], at: usize) -> usize {
    let mut depth = 0;
    let mut i = at;
    while i + 1 < chars.len() {
        match (chars[i], chars[i + 1]) {
            ('/', '*') => (depth, i) = (depth + 1, i + 2),
            ('*', '/') => (depth, i) = (depth - 1, i + 2),
            _ => i += 1,
        }
        if depth == 0 {
            return i;
        }
    }
    chars.len()
}

fn find(chars: &[char], from: usize, wanted: impl Fn(char) -> bool) -> usize {
    (from..chars.len()).find(|i| wanted(chars[*i])).unwrap_or(chars.len())
}

/// The line, counted from 1, on which a place lies.
pub fn line(chars: &[char], at: usize) -> usize {
    1 + chars[..at].iter().filter(|c| **c == '\n').count()
}

/// Every place where `word` stands as a word of its own.
pub fn places(code: &[char], word: &str) -> Vec<usize> {
    let word: Vec<char> = word.chars().collect();
    let part = |i: usize| code.get(i).is_some_and(|c| c.is_alphanumeric() || *c == '_');
    (0..code.len().saturating_sub(word.len() - 1))
        .filter(|at| code[*at..].starts_with(&word) && !(*at > 0 && part(at - 1)) && !part(at + word.len()))
        .collect()
}

/// The place of the brace that closes the one at `open`.
pub fn closing(code: &[char], open: usize) -> usize {
    let mut depth = 0;
    for (at, c) in code.iter().enumerate().skip(open) {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return at;
        }
    }
    code.len().saturating_sub(1)
}

/// The code with every inline `#[cfg(test)] mod … { … }` blanked out.
pub fn without_tests(code: &[char]) -> Vec<char> {
    let mut code = code.to_vec();
    let mark: Vec<char> = "#[cfg(test)]".chars().collect();
    let marks: Vec<usize> = (0..code.len()).filter(|at| code[*at..].starts_with(&mark)).collect();
    for at in marks {
        let open = find(&code, at, |c| c == '{' || c == ';');
        if code.get(open) == Some(&'{') {
            let end = closing(&code, open);
            code[at..=end].iter_mut().filter(|c| **c != '\n').for_each(|c| *c = ' ');
        }
    }
    code
}

#[test]
fn comments_and_literals_are_no_code() {
    let text = "a /* x /* y */ \"z\" */ b // \"c\"\n\"d\\\"e\" r#\"f\"g\"# br\"h\" 'i' '\\'' &'j k r#type";
    let Scanned { code, strings } = scan(text);

    let words: String = code.iter().collect();
    assert_eq!(words.split_whitespace().collect::<Vec<_>>(), ["a", "b", "b", "&'j", "k", "r#type"]);
    assert_eq!(strings, [(2, "d\\\"e".into()), (2, "f\"g".into()), (2, "h".into())]);
}

#[test]
fn a_test_module_can_be_left_out() {
    let code = scan("fn a() {}\n#[cfg(test)]\nmod tests { fn b() { {} } }\nfn c() {}").code;

    let left: String = without_tests(&code).iter().collect();
    assert_eq!(left.split_whitespace().collect::<Vec<_>>(), ["fn", "a()", "{}", "fn", "c()", "{}"]);
}
