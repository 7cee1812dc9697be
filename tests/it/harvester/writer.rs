//! The entrance of the process that writes.

use std::path::Path;

use crate::support::harvester;

#[test]
fn a_process_with_the_role_writes_until_its_input_ends() {
    if let Some(path) = std::env::var_os(harvester::ROLE) {
        harvester::run(Path::new(&path));
    }
}
