//! Makes the folder of built pages exist, so that `cargo build` works without Node, and notices when it changes.

use std::path::Path;

fn main() {
    let dist = Path::new(&std::env::var("CARGO_MANIFEST_DIR").expect("cargo sets it")).join("frontend/dist");
    std::fs::create_dir_all(&dist).expect("the source folder is writable, or frontend/dist exists");
    println!("cargo:rerun-if-changed=build.rs");
    // A debug build reads the pages from disk; only a release carries them.
    if std::env::var("PROFILE").as_deref() == Ok("release") {
        println!("cargo:rerun-if-changed=frontend/dist");
    }
}
