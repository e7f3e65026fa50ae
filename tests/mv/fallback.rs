//! What `ms-mv` does where the kernel lacks a call or the disk says no, forced with strace(1). An error at every single step is in
//! tests/faults.

use crate::support;

use support::plan::{Row, plan, undo};
use support::trace::traced;
use support::{Mount, Sandbox, needs, needs_root, snapshot};

/// `the-source` here, and another filesystem at `far`. Nothing without root or strace.
fn across() -> Option<(Sandbox, Mount)> {
    if !needs("strace") || !needs_root() {
        return None;
    }
    let sandbox = Sandbox::new();
    sandbox.write("the-source", CONTENT);
    let mount = Mount::far("8m", &sandbox.path("far"));
    Some((sandbox, mount))
}

static CONTENT: [u8; 300_000] = [b'x'; 300_000];

fn across_row(sandbox: &Sandbox) -> Vec<u8> {
    plan(&[Row::new(sandbox, "the-source", "far/the-dest")])
}

/// Asserts that the content is whole under its old or its new name, and that nothing else lies in `far`.
#[track_caller]
fn expect_whole(sandbox: &Sandbox) {
    let far = snapshot(&sandbox.path("far"));
    for (path, seen) in &far {
        assert_eq!(path.to_str(), Some("the-dest"), "litter");
        assert!(seen.content == CONTENT, "a part under the final name");
    }
    if sandbox.exists("the-source") {
        assert!(sandbox.read("the-source") == CONTENT);
    } else {
        assert_eq!(far.len(), 1, "the content is gone");
    }
}

#[test]
fn without_noreplace_a_move_still_works() {
    if !needs("strace") {
        return;
    }
    for error in ["EINVAL", "ENOSYS"] {
        let sandbox = Sandbox::new();
        sandbox.write("a", "alpha");
        let before = snapshot(&sandbox.work());
        let stream = plan(&[Row::new(&sandbox, "a", "new/a")]);
        let inject = format!("inject=renameat2:error={error}");
        traced(&sandbox, &["-e", &inject], "ms-mv", &[], &stream).expect_status(0);
        assert_eq!(sandbox.read("new/a"), b"alpha");
        assert!(!sandbox.exists("a"));
        undo(&sandbox).expect_status(0);
        assert_eq!(snapshot(&sandbox.work()), before);
    }
}

#[test]
fn without_noreplace_nothing_is_replaced() {
    if !needs("strace") {
        return;
    }
    for error in ["EINVAL", "ENOSYS"] {
        let sandbox = Sandbox::new();
        for name in ["a", "b", "c"] {
            sandbox.write(name, name);
        }
        sandbox.write("file", "precious");
        std::fs::create_dir(sandbox.path("dir")).expect("dir");
        std::os::unix::fs::symlink("nowhere", sandbox.path("dangling")).expect("link");
        let before = snapshot(&sandbox.work());
        let stream = plan(&[
            Row::new(&sandbox, "a", "file"),
            Row::new(&sandbox, "b", "dir"),
            Row::new(&sandbox, "c", "dangling"),
        ]);
        let inject = format!("inject=renameat2:error={error}");
        traced(&sandbox, &["-e", &inject], "ms-mv", &[], &stream).expect_status(1);
        assert_eq!(snapshot(&sandbox.work()), before);
    }
}

#[test]
fn without_noreplace_a_move_across_filesystems_still_works_and_replaces_nothing() {
    let Some((sandbox, _mount)) = across() else {
        return;
    };
    sandbox.write("other", "other");
    sandbox.write("far/taken", "precious");
    let mut stream = across_row(&sandbox);
    stream.extend(plan(&[Row::new(&sandbox, "other", "far/taken")]));
    let inject = ["-e", "inject=renameat2:error=EINVAL"];
    traced(&sandbox, &inject, "ms-mv", &[], &stream).expect_status(1);
    assert!(sandbox.read("far/the-dest") == CONTENT);
    assert!(!sandbox.exists("the-source"));
    assert_eq!(sandbox.read("other"), b"other");
    assert_eq!(sandbox.read("far/taken"), b"precious");
    assert_eq!(snapshot(&sandbox.path("far")).len(), 2, "litter");
}

#[test]
fn without_rename_and_without_links_the_source_stays() {
    if !needs("strace") {
        return;
    }
    let sandbox = Sandbox::new();
    sandbox.write("a", "alpha");
    let before = snapshot(&sandbox.work());
    let stream = plan(&[Row::new(&sandbox, "a", "b")]);
    let calls = "?rename,?renameat,renameat2,?link,linkat";
    let inject = format!("inject={calls}:error=EACCES");
    let outcome = traced(&sandbox, &["-e", &inject], "ms-mv", &[], &stream);
    // 2 if these calls are also needed for the journal.
    assert!(matches!(outcome.status, 1 | 2), "{}", outcome.status);
    assert_eq!(snapshot(&sandbox.work()), before);
}

#[test]
fn a_copy_works_without_the_calls_that_copy_in_the_kernel() {
    for error in ["ENOSYS", "EXDEV", "EINVAL"] {
        let Some((sandbox, _mount)) = across() else {
            return;
        };
        let inject = format!("inject=copy_file_range,sendfile,splice:error={error}");
        let stream = across_row(&sandbox);
        traced(&sandbox, &["-e", &inject], "ms-mv", &[], &stream).expect_status(0);
        assert!(sandbox.read("far/the-dest") == CONTENT);
        assert!(!sandbox.exists("the-source"));
    }
}

#[test]
fn a_source_that_cannot_be_unlinked_is_named_and_stays() {
    let Some((sandbox, _mount)) = across() else {
        return;
    };
    let stream = across_row(&sandbox);
    let inject = ["-e", "inject=?unlink,unlinkat:error=EBUSY:when=1"];
    let outcome = traced(&sandbox, &inject, "ms-mv", &[], &stream);
    assert!(matches!(outcome.status, 1 | 2), "{}", outcome.status);
    assert!(outcome.stderr.contains("ms-mv: "), "{}", outcome.stderr);
    assert!(sandbox.read("the-source") == CONTENT);
    expect_whole(&sandbox);
}

#[test]
fn a_journal_that_cannot_be_synced_stops_the_run_before_the_first_move() {
    if !needs("strace") {
        return;
    }
    let sandbox = Sandbox::new();
    sandbox.write("a", "alpha");
    let before = snapshot(&sandbox.work());
    let stream = plan(&[Row::new(&sandbox, "a", "b")]);
    let inject = ["-e", "inject=fsync,fdatasync,syncfs:error=EIO"];
    traced(&sandbox, &inject, "ms-mv", &[], &stream).expect_status(2).expect_stderr("journal");
    assert_eq!(snapshot(&sandbox.work()), before);
}
