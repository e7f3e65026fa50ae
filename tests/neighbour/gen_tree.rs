//! Links that somebody puts into the tree that `ms-gen` makes.

use crate::support;

use std::fs::rename;
use support::hold::{At, hold};
use support::{Sandbox, needs, snapshot};

#[test]
fn a_directory_that_becomes_a_link_leads_nowhere_else() {
    if !needs("strace") {
        return;
    }
    let sandbox = Sandbox::new();
    sandbox.mkdir("outside");
    let args = ["--files", "30", "-j", "1", "tree"];
    // The first file has its date.
    let held = hold(&sandbox, At::first("utimensat"), "ms-gen", &args, b"");
    let mut led = 0;
    for entry in std::fs::read_dir(sandbox.path("tree")).expect("the tree") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            let (away, outside) =
                (path.with_extension("away"), sandbox.path("outside").join(path.file_name().expect("a name")));
            rename(&path, &away).expect("rename");
            // The same directories are there, so that every file would find its place.
            for dir in walkdir::WalkDir::new(&away).into_iter().flatten().filter(|entry| entry.file_type().is_dir()) {
                let below = dir.path().strip_prefix(&away).expect("below");
                std::fs::create_dir_all(outside.join(below)).expect("directories");
            }
            std::os::unix::fs::symlink(&outside, &path).expect("symbolic link");
            led += 1;
        }
    }
    assert!(led > 0, "a tree without directories");
    held.go().expect_status(1);
    assert!(snapshot(&sandbox.path("outside")).into_values().all(|seen| seen.kind == 'd'));
}
