//! What `ms-mv` and its `--undo` must not take away or overlook, however a run was cut off before.

use crate::support;

use support::plan::{Row, journals, plan, undo};
use support::trace::traced;
use support::{Mount, Sandbox, needs, needs_root, set_mtime};

#[test]
fn undo_leaves_a_file_that_somebody_moved_to_a_refused_destination() {
    if !needs("strace") {
        return;
    }
    let sandbox = Sandbox::new();
    sandbox.write("a", "precious");
    sandbox.write("b", "another");
    let stream = plan(&[Row::new(&sandbox, "a", "new/a"), Row::new(&sandbox, "b", "new/b")]);
    let inject = ["-e", "inject=renameat2:error=EINVAL", "-e", "inject=linkat:error=EACCES:when=1"];
    traced(&sandbox, &inject, "ms-mv", &[], &stream).expect_status(1);
    std::fs::rename(sandbox.path("a"), sandbox.path("new/a")).expect("moved by hand");
    sandbox.write("a", "a new file of the same name");
    undo(&sandbox).expect_status(0);
    assert_eq!(sandbox.read("new/a"), b"precious");
}

#[test]
fn a_copy_stays_when_its_source_was_taken_away_meanwhile() {
    if !needs("strace") || !needs_root() {
        return;
    }
    let sandbox = Sandbox::new();
    sandbox.write("a", "precious");
    let far = Mount::far("1m", &sandbox.path("far"));
    let stream = plan(&[Row::new(&sandbox, "a", "far/a")]);
    let source = sandbox.path("a");
    // The last fsync before the source goes is that of the directory of its copy.
    let taker = std::thread::spawn({
        let copy = sandbox.path("far/a");
        move || {
            while !copy.exists() {
                std::thread::sleep(std::time::Duration::from_millis(10));
            }
            std::fs::remove_file(source).expect("the source");
        }
    });
    let inject = ["-e", "inject=fsync:delay_enter=700000"];
    traced(&sandbox, &inject, "ms-mv", &[], &stream).expect_status(1);
    taker.join().expect("taken away");
    assert_eq!(sandbox.read("far/a"), b"precious");
    drop(far);
}

#[test]
fn undo_leaves_a_copy_that_stood_there_before_the_run() {
    if !needs("strace") {
        return;
    }
    let sandbox = Sandbox::new();
    for name in ["a", "b", "new/b"] {
        sandbox.write(name, "the same");
        set_mtime(&sandbox.path(name), 1_000_000_000, 0);
    }
    let stream = plan(&[Row::new(&sandbox, "a", "new/a"), Row::new(&sandbox, "b", "new/b")]);
    let inject = ["-e", "inject=renameat2:signal=SIGKILL:when=1"];
    traced(&sandbox, &inject, "ms-mv", &["--copy"], &stream);
    sandbox.run("ms-mv", &["--copy"], &stream).expect_status(0);
    assert_eq!(journals(&sandbox).len(), 1);
    undo(&sandbox).expect_status(0);
    assert!(!sandbox.exists("new/a"));
    assert_eq!(sandbox.read("new/b"), b"the same");
}

#[test]
fn a_filesystem_below_a_protected_directory_is_protected_through_its_other_mount() {
    if !needs_root() {
        return;
    }
    let sandbox = Sandbox::new();
    let volume = Mount::tmpfs("size=1m", &sandbox.path("archive/0007"));
    let elsewhere = Mount::bind(&sandbox.path("archive/0007"), &sandbox.path("elsewhere"));
    sandbox.write("archive/0007/f", "precious");
    let stream = plan(&[Row::new(&sandbox, "elsewhere/f", "out/f")]);
    let named = ["--protect", "archive"];
    sandbox.run("ms-mv", &named, &stream).expect_status(1).expect_stderr("protected");
    sandbox.write("archive/.ms-protect", "");
    sandbox.run::<&str>("ms-mv", &[], &stream).expect_status(1).expect_stderr("protected");
    assert_eq!(sandbox.read("archive/0007/f"), b"precious");
    drop(elsewhere);
    drop(volume);
}

#[test]
fn a_move_cut_off_before_its_line_is_complete_without_a_hash() {
    if !needs("strace") || !needs_root() {
        return;
    }
    let sandbox = Sandbox::new();
    sandbox.write("a", "precious");
    let far = Mount::far("1m", &sandbox.path("far"));
    let line = plan(&[Row::new(&sandbox, "a", "far/a")]);
    let mut fields: Vec<Vec<u8>> = line.split(|byte| *byte == b'\t').map(<[u8]>::to_vec).collect();
    fields[1] = b"-".to_vec();
    let stream = fields.join(&b'\t');
    // The plan from the pipe, its rows, two lines of the unfinished copy, its content, the line of the row.
    let inject = ["-e", "trace=write", "-e", "inject=write:error=EIO:signal=SIGKILL:when=6"];
    traced(&sandbox, &inject, "ms-mv", &[], &stream);
    assert!(!sandbox.exists("a"));
    sandbox.run::<&str>("ms-mv", &[], &stream).expect_status(0);
    undo(&sandbox).expect_status(0);
    assert_eq!(sandbox.read("a"), b"precious");
    drop(far);
}

#[test]
fn a_row_without_an_id_is_undone_although_a_crash_swallowed_its_last_line() {
    if !needs("strace") {
        return;
    }
    // Every write from the journal's beginning on, one of which is the line that says done.
    let mut moved = 0;
    for turn in 1..8 {
        let sandbox = Sandbox::new();
        sandbox.write("a", "precious");
        let mut row = Row::new(&sandbox, "a", "b");
        row.id = "-".to_owned();
        row.hash = "-".to_owned();
        let inject = format!("inject=write:signal=SIGKILL:when={turn}");
        traced(&sandbox, &["-e", &inject], "ms-mv", &[], &plan(&[row]));
        moved += usize::from(sandbox.exists("b"));
        undo(&sandbox);
        assert_eq!(sandbox.read("a"), b"precious", "killed at write {turn}");
        assert!(!sandbox.exists("b"), "killed at write {turn}");
    }
    assert!(moved >= 2, "the kill came after the move only {moved} times");
}

#[test]
fn undo_takes_nothing_out_of_a_sealed_volume() {
    let sandbox = Sandbox::new();
    sandbox.write("a", "photo");
    sandbox.run("ms-mv", &["-q"], &plan(&[Row::new(&sandbox, "a", "Archive/0001/a")])).expect_status(0);
    sandbox.write("Archive/0001/index.json", "{}");
    sandbox.write("Archive/0001/B3SUMS", "");
    undo(&sandbox).expect_status(2).expect_stderr("sealed");
    assert!(sandbox.exists("Archive/0001/a") && !sandbox.exists("a"));
}

#[test]
fn a_fifo_among_the_journals_makes_nobody_wait() {
    let sandbox = Sandbox::new();
    sandbox.write("a", "photo");
    let dir = sandbox.state().join("mediastruct");
    std::fs::create_dir_all(&dir).expect("state");
    let fifo = dir.join("99999999.journal");
    assert!(std::process::Command::new("mkfifo").arg(&fifo).status().expect("mkfifo").success());
    sandbox.run("ms-mv", &["-q"], &plan(&[Row::new(&sandbox, "a", "b")])).expect_status(0);
    undo(&sandbox).expect_status(0);
    assert!(sandbox.exists("a"));
    sandbox.run("ms-mv", &["--undo", &fifo.to_string_lossy()], b"").expect_status(2).expect_stderr("99999999.journal");
}

#[test]
fn a_pruned_tree_keeps_its_own_directory_also_through_a_bind_mount() {
    if !needs_root() {
        return;
    }
    let sandbox = Sandbox::new();
    sandbox.write("tree/base/a", "photo");
    let bound = Mount::bind(&sandbox.path("tree"), &sandbox.path("bound"));
    let stream = plan(&[Row::new(&sandbox, "bound/base/a", "bound/a")]);
    sandbox.run("ms-mv", &["-q", "--prune=tree/base"], &stream).expect_status(0);
    assert!(sandbox.exists("tree/base") && sandbox.exists("tree/a"));
    drop(bound);
}

#[test]
fn a_run_is_undone_after_its_disk_was_mounted_as_another_device() {
    if !needs_root() || !needs("mkfs.ext4") {
        return;
    }
    let sandbox = Sandbox::new();
    let (first, second) = (sandbox.path("first.img"), sandbox.path("second.img"));
    std::fs::File::create(&first).and_then(|file| file.set_len(4 << 20)).expect("image");
    let made = std::process::Command::new("mkfs.ext4").arg("-q").arg(&first).status().expect("mkfs");
    assert!(made.success());
    let disk = sandbox.path("disk");
    let mount = Mount::new(&["-o".as_ref(), "loop".as_ref(), first.as_os_str()], &disk);
    sandbox.write("disk/a", "photo");
    sandbox.run("ms-mv", &["-q"], &plan(&[Row::new(&sandbox, "disk/a", "disk/b")])).expect_status(0);
    drop(mount);
    std::fs::rename(&first, &second).expect("the image");
    // Another image takes the first loop device, so that this one gets the next.
    let other = sandbox.path("other.img");
    std::fs::copy(&second, &other).expect("copy");
    let holder = Mount::new(&["-o".as_ref(), "loop".as_ref(), other.as_os_str()], &sandbox.path("holder"));
    let mount = Mount::new(&["-o".as_ref(), "loop".as_ref(), second.as_os_str()], &disk);
    undo(&sandbox).expect_status(0);
    assert!(sandbox.exists("disk/a") && !sandbox.exists("disk/b"));
    drop(mount);
    drop(holder);
}

/// Three copies were begun together when the run died; all that is left of them is empty.
fn begun_and_dead() -> Option<(Sandbox, Mount, Vec<u8>)> {
    if !needs("strace") || !needs_root() {
        return None;
    }
    let sandbox = Sandbox::new();
    let far = Mount::tmpfs("size=1m", &sandbox.path("far"));
    let names = [("a", "far/a"), ("b", "far/b"), ("c", "far/c")];
    for (name, _) in names {
        sandbox.write(name, "precious");
    }
    let stream = plan(&names.map(|(old, new)| Row::new(&sandbox, old, new)));
    traced(&sandbox, &["-e", "inject=fadvise64:signal=KILL:when=1"], "ms-mv", &[], &stream);
    assert_eq!(support::snapshot(&sandbox.path("far")).len(), 3);
    Some((sandbox, far, stream))
}

#[test]
fn copies_that_were_begun_before_a_crash_go_also_where_their_rows_are_refused_now() {
    let Some((sandbox, _far, stream)) = begun_and_dead() else { return };
    sandbox.write("b", "changed by its owner");
    std::fs::remove_file(sandbox.path("c")).expect("removal");
    sandbox.run("ms-mv", &[] as &[&str], &stream).expect_status(1).expect_stderr("b: it was changed");
    let left: Vec<_> = support::snapshot(&sandbox.path("far")).into_keys().collect();
    assert_eq!(left, [std::path::PathBuf::from("a")]);
}

#[test]
fn undo_takes_away_copies_that_were_begun_also_where_their_sources_are_gone() {
    let Some((sandbox, _far, _)) = begun_and_dead() else { return };
    std::fs::remove_file(sandbox.path("c")).expect("removal");
    undo(&sandbox).expect_status(0);
    assert!(support::snapshot(&sandbox.path("far")).is_empty());
}

#[test]
fn a_row_that_was_begun_late_does_not_make_a_crash_forget_the_next_ones() {
    if !needs("strace") || !needs_root() {
        return;
    }
    // The second cannot be begun together with the first, which makes room for its directory; the third can.
    let names = [("far/x", "near/x"), ("a", "far/x/a"), ("b", "far/b")];
    let mut died = 0;
    for (call, turn) in ["fsync", "unlinkat"].into_iter().flat_map(|call| (1..20).map(move |turn| (call, turn))) {
        let sandbox = Sandbox::new();
        let _far = Mount::tmpfs("size=1m", &sandbox.path("far"));
        for (name, _) in names {
            sandbox.write(name, name);
        }
        let start = support::snapshot(&sandbox.work());
        let stream = plan(&names.map(|(old, new)| Row::new(&sandbox, old, new)));
        let inject = format!("inject={call}:signal=KILL:when={turn}");
        if traced(&sandbox, &["-e", &inject], "ms-mv", &[], &stream).status == 0 {
            continue;
        }
        died += 1;
        let again = sandbox.run("ms-mv", &[] as &[&str], &stream);
        assert_eq!(again.status, 0, "{call} {turn}: {}", again.stderr);
        let files = support::snapshot(&sandbox.work()).into_iter().filter(|(_, seen)| seen.kind == 'f');
        let files: Vec<_> = files.map(|(path, _)| path.to_string_lossy().into_owned()).collect();
        assert_eq!(files, ["far/b", "far/x/a", "near/x"], "{call} {turn}");
        undo(&sandbox).expect_status(0);
        assert_eq!(support::snapshot(&sandbox.work()).len(), start.len(), "{call} {turn}");
    }
    assert!(died >= 10, "only {died} points");
}
