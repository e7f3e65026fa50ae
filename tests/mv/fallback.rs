//! What `ms-mv` does where the kernel lacks a call or the disk says no, forced with strace(1).

use crate::support;

use support::plan::{Row, journals, plan, undo};
use support::trace::{log, traced};
use support::{Mount, Sandbox, needs, needs_root, snapshot};

/// Calls that a mover may use to put a name in place or take one away, and to sync. A leading question
/// mark lets strace pass over what this architecture does not have.
const STEPS: &str = "trace=fsync,fdatasync,syncfs,?rename,?renameat,renameat2,?link,linkat,?unlink,unlinkat";

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

/// What strace wrote, line by line.
fn steps(sandbox: &Sandbox) -> Vec<String> {
    let text = std::fs::read(log(sandbox)).expect("what strace wrote");
    String::from_utf8_lossy(&text).lines().map(str::to_owned).collect()
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
fn the_source_is_unlinked_only_after_the_copy_and_its_directory_are_synced() {
    let Some((sandbox, _mount)) = across() else {
        return;
    };
    let stream = across_row(&sandbox);
    traced(&sandbox, &["-y", "-e", STEPS], "ms-mv", &[], &stream).expect_status(0);
    let far = sandbox.path("far").canonicalize().expect("far");
    let (inside, itself) = (format!("<{}/", far.display()), format!("<{}>", far.display()));

    let steps = steps(&sandbox);
    let is = |step: &str, call: &str, what: &str| step.contains(call) && step.contains(what);
    let position = |start: usize, calls: [&str; 2], what: &str| {
        let found = (start..steps.len()).find(|&i| calls.iter().any(|c| is(&steps[i], c, what)));
        found.unwrap_or_else(|| panic!("no {calls:?} of {what} in:\n{}", steps.join("\n")))
    };
    let copied = position(0, ["sync(", "syncfs("], &inside);
    let named = position(copied, ["rename", "link"], "the-dest\"");
    let synced = position(named, ["sync(", "syncfs("], &itself);
    let unlinked = position(0, ["unlink(", "unlinkat("], "the-source\"");
    assert!(synced < unlinked, "{}", steps.join("\n"));
}

/// Lets the `turn`-th `call` of a run across filesystems fail. What strace wrote of the failure, if there was
/// such a call; by then the content must be whole.
fn fail_sync(sandbox: &Sandbox, call: &str, turn: usize) -> Option<String> {
    let trace = format!("trace={call}");
    let inject = format!("inject={call}:error=EIO:when={turn}");
    let args = ["-y", "-e", &trace, "-e", &inject];
    let outcome = traced(sandbox, &args, "ms-mv", &[], &across_row(sandbox));
    expect_whole(sandbox);
    let hit = steps(sandbox).into_iter().find(|step| step.contains("INJECTED"));
    if hit.is_none() {
        outcome.expect_status(0);
    }
    hit
}

#[test]
fn a_failing_sync_never_costs_the_source_its_content() {
    // Each sync fails in its turn: of the journal, of the copy, of the directory.
    let mut hits_in_target = 0;
    for call in ["fsync", "fdatasync", "syncfs"] {
        for turn in 1.. {
            let Some((sandbox, _mount)) = across() else {
                return;
            };
            let far = sandbox.path("far").canonicalize().expect("far");
            let Some(hit) = fail_sync(&sandbox, call, turn) else {
                break;
            };
            if hit.contains(&*far.to_string_lossy()) {
                hits_in_target += 1;
                assert!(sandbox.exists("the-source"), "unlinked after: {hit}");
            }
        }
    }
    assert!(hits_in_target >= 2, "the copy and its directory are synced");
}

#[test]
fn an_error_while_the_copy_is_written_leaves_the_source_and_no_litter() {
    for error in ["ENOSPC", "EIO", "EDQUOT"] {
        let Some((sandbox, _mount)) = across() else {
            return;
        };
        let calls = format!("inject=copy_file_range,sendfile,splice:error={error}");
        let stream = across_row(&sandbox);
        let outcome = traced(&sandbox, &["-e", &calls], "ms-mv", &[], &stream);
        // A mover may try in another way what the kernel would not do for it.
        assert!(matches!(outcome.status, 0 | 1), "{}", outcome.stderr);
        expect_whole(&sandbox);
        assert_eq!(sandbox.exists("the-source"), outcome.status == 1);
    }
}

#[test]
fn a_source_that_cannot_be_unlinked_is_named_and_stays() {
    let Some((sandbox, _mount)) = across() else {
        return;
    };
    let stream = across_row(&sandbox);
    let inject = ["-e", "inject=?unlink,unlinkat:error=EBUSY"];
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

#[test]
fn a_journal_stands_before_the_first_rename() {
    if !needs("strace") {
        return;
    }
    let sandbox = Sandbox::new();
    sandbox.write("a", "alpha");
    let stream = plan(&[Row::new(&sandbox, "a", "b")]);
    // Dies on the way into the first rename.
    let inject = ["-e", "inject=renameat2:signal=SIGKILL"];
    traced(&sandbox, &inject, "ms-mv", &[], &stream).expect_status(137);
    let found = journals(&sandbox);
    assert_eq!(found.len(), 1);
    assert_ne!(found[0].metadata().expect("journal").len(), 0);
}
