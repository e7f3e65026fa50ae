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
            rename(&path, path.with_extension("away")).expect("rename");
            std::os::unix::fs::symlink(sandbox.path("outside"), &path).expect("symbolic link");
            led += 1;
        }
    }
    assert!(led > 0, "a tree without directories");
    held.go();
    assert_eq!(snapshot(&sandbox.path("outside")).len(), 0);
}
