//! Twitch's lines, through the parser's public door: snapshots of our fixtures, properties on hostile lines, and other
//! people's parsers as witnesses on real captures.

mod disagreements;
mod facts;
mod properties;
mod snapshots;
mod witnesses;

use std::fs;
use std::path::{Path, PathBuf};

use elora_chat::chat::Millis;

use crate::support::skip::skipped;

/// When every line of these tests was received.
pub const RECEIVED: Millis = Millis(1_767_225_599_000);

/// Our fixtures: file name without its ending, and its lines.
pub fn fixtures() -> Vec<(String, Vec<String>)> {
    let files = lines_of(&manifest().join("tests/fixtures/twitch"), "irc");
    assert!(files.len() > 30, "only {} fixture files", files.len());
    files
}

/// Real lines that lie beside the project and are no part of it. None, and loudly, where they are absent.
pub fn captures() -> Option<Vec<String>> {
    let folder =
        std::env::var_os("ELORA_CAPTURES").map_or_else(|| manifest().join("../shared/captures"), PathBuf::from);
    let folder = folder.join("twitch");
    if !folder.is_dir() {
        skipped(&format!("no captures at {}: set ELORA_CAPTURES to their folder", folder.display()));
        return None;
    }
    let lines: Vec<_> = lines_of(&folder, "txt").into_iter().flat_map(|(_, lines)| lines).collect();
    assert!(lines.len() > 200, "only {} captured lines in {}", lines.len(), folder.display());
    Some(lines)
}

fn manifest() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn lines_of(folder: &Path, ending: &str) -> Vec<(String, Vec<String>)> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|found| found == ending));
    paths.sort();
    let read = |path: &PathBuf| {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let text = fs::read_to_string(path).unwrap();
        (name, text.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect())
    };
    paths.iter().map(read).collect()
}
