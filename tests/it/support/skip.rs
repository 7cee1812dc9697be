//! What this machine cannot show: said aloud, and again at the end of `make test`.

use std::io::Write;

/// Where `scripts/test` collects what was skipped.
const COLLECTED: &str = "TESTS_SKIPPED";

/// Says that a claim was not tested here, and why.
pub fn skipped(why: &str) {
    let notice = format!("SKIPPED: {why}\n");
    // Past the test harness, which keeps what a passing test prints to itself.
    std::io::stderr().write_all(notice.as_bytes()).expect("stderr is open");
    if let Some(path) = std::env::var_os(COLLECTED) {
        let mut list = std::fs::File::options().append(true).create(true).open(path).expect("the list can be written");
        list.write_all(notice.as_bytes()).expect("the list can be written");
    }
}
