//! Moves across filesystems, copies and links.

use crate::support;

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::Path;
use support::plan::{Row, id, mv, mv_as_nobody, plan, set_xattr, undo, xattr};
use support::{Mount, Sandbox, hash, needs_root, set_mtime, snapshot};

const NONE: &[&str] = &[];

/// A sandbox with another filesystem at `far`. Nothing without root.
fn far(size: &str) -> Option<(Sandbox, Mount)> {
    if !needs_root() {
        return None;
    }
    let sandbox = Sandbox::new();
    let mount = Mount::far(size, &sandbox.path("far"));
    Some((sandbox, mount))
}

/// More than any buffer holds, and no two blocks alike.
fn large(bytes: usize) -> Vec<u8> {
    (0..bytes / 8).flat_map(|i| (i as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15).to_le_bytes()).collect()
}

fn chmod(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("mode");
}

#[test]
fn a_move_across_filesystems_keeps_content_mode_owner_and_mtime() {
    let Some((sandbox, _mount)) = far("32m") else {
        return;
    };
    let content = large(5 << 20);
    let path = sandbox.write("f", &content);
    std::os::unix::fs::chown(&path, Some(1234), Some(5678)).expect("chown");
    // Changing the owner takes the set-user-ID bit away, so the order matters to the mover.
    chmod(&path, 0o4750);
    set_mtime(&path, 1_234_567_890, 123_456_789);
    let before = snapshot(&sandbox.work());

    mv(&sandbox, NONE, &[Row::new(&sandbox, "f", "far/new/f")]).expect_status(0);

    let after = snapshot(&sandbox.work());
    let moved = &after[Path::new("far/new/f")];
    assert_eq!(moved.mode, before[Path::new("f")].mode);
    assert_eq!(moved.mtime, (1_234_567_890, 123_456_789));
    assert!(moved.content == content, "the content is another one");
    let meta = sandbox.path("far/new/f").metadata().expect("moved");
    assert_eq!((meta.uid(), meta.gid()), (1234, 5678));
    let names: Vec<_> = after.keys().map(|path| path.display().to_string()).collect();
    assert_eq!(names, ["far", "far/new", "far/new/f"], "no litter");
}

#[test]
fn a_move_across_filesystems_keeps_extended_attributes() {
    let Some((sandbox, _mount)) = far("4m") else {
        return;
    };
    let path = sandbox.write("f", "with attributes");
    let probe = sandbox.write("far/probe", "");
    let both = set_xattr(&path, "user.tag", b"summer\0\xff") && set_xattr(&probe, "user.x", b"");
    if !both {
        return;
    }
    assert!(set_xattr(&path, "user.empty", b""));
    mv(&sandbox, NONE, &[Row::new(&sandbox, "f", "far/f")]).expect_status(0);
    let moved = sandbox.path("far/f");
    assert_eq!(xattr(&moved, "user.tag").as_deref(), Some(&b"summer\0\xff"[..]));
    assert_eq!(xattr(&moved, "user.empty").as_deref(), Some(&b""[..]));
}

#[test]
fn a_read_only_file_with_a_time_before_1970_crosses_unchanged() {
    let Some((sandbox, _mount)) = far("4m") else {
        return;
    };
    let path = sandbox.write("f", "");
    set_mtime(&path, -1, 500_000_000);
    chmod(&path, 0o400);
    let before = snapshot(&sandbox.work());
    mv(&sandbox, NONE, &[Row::new(&sandbox, "f", "far/f")]).expect_status(0);
    let after = snapshot(&sandbox.work());
    assert_eq!(after[Path::new("far/f")], before[Path::new("f")]);
}

#[test]
fn the_output_tells_the_new_id_of_what_was_copied() {
    let Some((sandbox, _mount)) = far("4m") else {
        return;
    };
    sandbox.write("f", "content");
    let rows = mv(&sandbox, NONE, &[Row::new(&sandbox, "f", "far/f")]).expect_status(0).rows();
    let meta = sandbox.path("far/f").metadata().expect("moved");
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0][0], "far/f");
    assert_eq!(rows[0][1], hash(b"content"));
    assert_eq!(rows[0][4], id(&meta));
    assert_eq!(rows[0][5], "f");
}

#[test]
fn a_row_without_hash_crosses_with_its_content() {
    let Some((sandbox, _mount)) = far("4m") else {
        return;
    };
    sandbox.write("f", "content");
    let mut row = Row::new(&sandbox, "f", "far/f");
    row.hash = "-".to_owned();
    mv(&sandbox, NONE, &[row]).expect_status(0);
    assert_eq!(sandbox.read("far/f"), b"content");
    assert!(!sandbox.exists("f"));
}

#[test]
fn a_copy_that_does_not_have_the_hash_of_the_row_is_not_kept() {
    let Some((sandbox, _mount)) = far("4m") else {
        return;
    };
    let path = sandbox.write("f", "content");
    set_mtime(&path, 1000, 1);
    let row = Row::new(&sandbox, "f", "far/f");
    std::fs::write(&path, "CONTENT").expect("edit in place");
    set_mtime(&path, 1000, 1);
    let before = snapshot(&sandbox.work());
    mv(&sandbox, NONE, &[row]).expect_status(1).expect_stderr(": f: ");
    assert_eq!(snapshot(&sandbox.work()), before);
}

#[test]
fn no_space_on_the_target_leaves_the_source_and_no_litter() {
    if !needs_root() {
        return;
    }
    let sandbox = Sandbox::new();
    let _mount = Mount::tmpfs("size=1m", &sandbox.path("far"));
    sandbox.write("big", large(3 << 20));
    sandbox.write("small", "small");
    sandbox.write("far/there", "there before");
    let mut expected = snapshot(&sandbox.work());
    let rows = [Row::new(&sandbox, "big", "far/big"), Row::new(&sandbox, "small", "far/small")];

    let outcome = mv(&sandbox, NONE, &rows).expect_status(1).expect_stderr("big");

    assert_eq!(outcome.column(0), ["far/small"], "the rest goes on");
    let small = expected.remove(Path::new("small")).expect("small");
    expected.insert("far/small".into(), small);
    assert!(snapshot(&sandbox.work()) == expected, "litter, or a loss");
}

#[test]
fn a_destination_on_another_filesystem_is_never_replaced() {
    let Some((sandbox, _mount)) = far("4m") else {
        return;
    };
    for name in ["one", "two", "three"] {
        sandbox.write(name, "content");
    }
    sandbox.write("far/file", "precious");
    symlink("nowhere", sandbox.path("far/dangling")).expect("link");
    std::fs::create_dir(sandbox.path("far/dir")).expect("dir");
    let before = snapshot(&sandbox.work());
    let rows = [
        Row::new(&sandbox, "one", "far/file"),
        Row::new(&sandbox, "two", "far/dangling"),
        Row::new(&sandbox, "three", "far/dir"),
    ];
    let outcome = mv(&sandbox, NONE, &rows).expect_status(1);
    for name in ["far/file", "far/dangling", "far/dir"] {
        assert!(outcome.stderr.contains(name), "{name} is not named");
    }
    assert_eq!(snapshot(&sandbox.work()), before);
}

#[test]
fn a_source_that_cannot_be_removed_stays_after_it_was_copied() {
    let Some((sandbox, _mount)) = far("4m") else {
        return;
    };
    sandbox.write("fixed/f", "content");
    let row = Row::new(&sandbox, "fixed/f", "far/f");
    chmod(&sandbox.path("fixed"), 0o555);
    mv_as_nobody(&sandbox, &[row]).expect_status(1).expect_stderr("fixed/f");
    assert_eq!(sandbox.read("fixed/f"), b"content");
    for (path, seen) in snapshot(&sandbox.path("far")) {
        assert_eq!(path, Path::new("f"), "only the whole copy may be there");
        assert_eq!(seen.content, b"content");
    }
}

#[test]
fn undo_of_a_move_across_filesystems_restores_everything() {
    let Some((sandbox, _mount)) = far("4m") else {
        return;
    };
    let path = sandbox.write("d/f", "content");
    std::os::unix::fs::chown(&path, Some(1234), Some(5678)).expect("chown");
    chmod(&path, 0o2710);
    set_mtime(&path, 1_000_000, 999_999_999);
    let tagged = set_xattr(&path, "user.tag", b"summer");
    let before = snapshot(&sandbox.work());

    mv(&sandbox, &["--prune=."], &[Row::new(&sandbox, "d/f", "far/x/f")]).expect_status(0);
    assert!(!sandbox.exists("d"));
    undo(&sandbox).expect_status(0);

    assert_eq!(snapshot(&sandbox.work()), before);
    let meta = path.metadata().expect("back");
    assert_eq!((meta.uid(), meta.gid()), (1234, 5678));
    if tagged {
        assert_eq!(xattr(&path, "user.tag").as_deref(), Some(&b"summer"[..]));
    }
}

#[test]
fn a_plan_across_filesystems_run_again_is_done_already() {
    let Some((sandbox, _mount)) = far("4m") else {
        return;
    };
    sandbox.write("f", "content");
    let rows = [Row::new(&sandbox, "f", "far/f")];
    let first = mv(&sandbox, NONE, &rows).expect_status(0);
    let after = snapshot(&sandbox.work());
    let second = mv(&sandbox, NONE, &rows).expect_status(0);
    assert_eq!(second.lines(), first.lines());
    assert_eq!(snapshot(&sandbox.work()), after);
}

#[test]
fn two_bind_mounts_of_one_filesystem_are_crossed_by_a_copy() {
    // The device numbers are equal and yet rename(2) says EXDEV.
    if !needs_root() {
        return;
    }
    let sandbox = Sandbox::new();
    let path = sandbox.write("real/f", "content");
    set_mtime(&path, 1_000_000, 7);
    let before = snapshot(&sandbox.path("real"));
    std::fs::create_dir(sandbox.path("other")).expect("dir");
    let _mount = Mount::bind(&sandbox.path("other"), &sandbox.path("bound"));
    mv(&sandbox, NONE, &[Row::new(&sandbox, "real/f", "bound/f")]).expect_status(0);
    assert_eq!(snapshot(&sandbox.path("other"))[Path::new("f")], before[Path::new("f")]);
    assert!(!sandbox.exists("real/f"));
}

#[test]
fn hard_linked_names_that_cross_leave_no_name_behind() {
    let Some((sandbox, _mount)) = far("4m") else {
        return;
    };
    sandbox.write("a", "content");
    std::fs::hard_link(sandbox.path("a"), sandbox.path("b")).expect("link");
    let before = snapshot(&sandbox.work());
    let rows = [Row::new(&sandbox, "a", "far/a"), Row::new(&sandbox, "b", "far/b")];
    mv(&sandbox, NONE, &rows).expect_status(0);
    assert_eq!(sandbox.read("far/a"), b"content");
    assert_eq!(sandbox.read("far/b"), b"content");
    assert!(!sandbox.exists("a") && !sandbox.exists("b"));
    undo(&sandbox).expect_status(0);
    assert_eq!(snapshot(&sandbox.work()), before);
}

/// A place to copy `f` to. The mount comes first: fields are dropped in order, and a mount point cannot be
/// removed under its mount.
struct Target {
    _mount: Option<Mount>,
    sandbox: Sandbox,
    dest: &'static str,
}

/// A directory on the same filesystem, and where possible one on another.
fn targets() -> Vec<Target> {
    let mut all = vec![Target { _mount: None, sandbox: Sandbox::new(), dest: "near/f" }];
    if let Some((sandbox, mount)) = far("4m") {
        all.push(Target { _mount: Some(mount), sandbox, dest: "far/f" });
    }
    for target in &all {
        let path = target.sandbox.write("f", "content");
        chmod(&path, 0o640);
        set_mtime(&path, 1_000_000, 77);
    }
    all
}

#[test]
fn a_copy_leaves_the_source_and_is_another_file_like_it() {
    for target in targets() {
        let (sandbox, dest) = (&target.sandbox, target.dest);
        let before = snapshot(&sandbox.work());
        let rows = mv(sandbox, &["--copy"], &[Row::new(sandbox, "f", dest)]).expect_status(0).rows();
        let after = snapshot(&sandbox.work());
        assert_eq!(after[Path::new("f")], before[Path::new("f")]);
        assert_eq!(after[Path::new(dest)], before[Path::new("f")]);
        let meta = |name: &str| sandbox.path(name).metadata().expect("metadata");
        assert_ne!(id(&meta("f")), id(&meta(dest)));
        assert_eq!((rows[0][0].as_str(), rows[0][5].as_str()), (dest, "-"));
        assert_eq!(rows[0][4], id(&meta(dest)));
    }
}

#[test]
fn a_copy_made_twice_is_done_already() {
    for target in targets() {
        let (sandbox, dest) = (&target.sandbox, target.dest);
        let rows = [Row::new(sandbox, "f", dest)];
        let first = mv(sandbox, &["--copy"], &rows).expect_status(0);
        let after = snapshot(&sandbox.work());
        let second = mv(sandbox, &["--copy"], &rows).expect_status(0);
        assert_eq!(second.lines(), first.lines());
        assert_eq!(snapshot(&sandbox.work()), after);
    }
}

#[test]
fn a_copy_replaces_nothing() {
    for target in targets() {
        let (sandbox, dest) = (&target.sandbox, target.dest);
        sandbox.write(dest, "precious");
        let before = snapshot(&sandbox.work());
        mv(sandbox, &["--copy"], &[Row::new(sandbox, "f", dest)]).expect_status(1).expect_stderr(dest);
        assert_eq!(snapshot(&sandbox.work()), before);
    }
}

#[test]
fn undo_of_a_copy_restores_the_start() {
    for target in targets() {
        let (sandbox, dest) = (&target.sandbox, target.dest);
        let before = snapshot(&sandbox.work());
        mv(sandbox, &["--copy"], &[Row::new(sandbox, "f", dest)]).expect_status(0);
        undo(sandbox).expect_status(0);
        assert_eq!(snapshot(&sandbox.work()), before);
    }
}

#[test]
fn one_source_may_not_be_copied_to_two_places_by_one_plan() {
    let sandbox = Sandbox::new();
    sandbox.write("f", "content");
    let before = snapshot(&sandbox.work());
    let rows = [Row::new(&sandbox, "f", "x"), Row::new(&sandbox, "f", "y")];
    sandbox.run("ms-mv", &["--copy"], &plan(&rows)).expect_status(2);
    assert_eq!(snapshot(&sandbox.work()), before);
}

#[test]
fn a_link_is_another_name_of_the_same_file() {
    let sandbox = Sandbox::new();
    sandbox.write("f", "content");
    let rows = [Row::new(&sandbox, "f", "near/f")];
    let first = mv(&sandbox, &["--link"], &rows).expect_status(0);
    let meta = |name: &str| sandbox.path(name).metadata().expect("metadata");
    assert_eq!(id(&meta("f")), id(&meta("near/f")));
    assert_eq!(first.column(0), ["near/f"]);
    assert_eq!(first.column(5), ["-"]);
    let second = mv(&sandbox, &["--link"], &rows).expect_status(0);
    assert_eq!(second.lines(), first.lines());
    assert_eq!(meta("f").nlink(), 2);
}

#[test]
fn a_link_replaces_nothing() {
    let sandbox = Sandbox::new();
    sandbox.write("f", "content");
    sandbox.write("taken", "precious");
    let before = snapshot(&sandbox.work());
    mv(&sandbox, &["--link"], &[Row::new(&sandbox, "f", "taken")]).expect_status(1).expect_stderr("taken");
    assert_eq!(snapshot(&sandbox.work()), before);
}

#[test]
fn a_link_across_filesystems_is_refused_and_the_rest_goes_on() {
    let Some((sandbox, _mount)) = far("4m") else {
        return;
    };
    sandbox.write("f", "content");
    sandbox.write("g", "other");
    let rows = [Row::new(&sandbox, "f", "far/f"), Row::new(&sandbox, "g", "h")];
    mv(&sandbox, &["--link"], &rows).expect_status(1).expect_stderr(": f: ");
    assert_eq!(snapshot(&sandbox.path("far")).len(), 0);
    assert_eq!(sandbox.path("h").metadata().expect("h").nlink(), 2);
    assert_eq!(sandbox.path("f").metadata().expect("f").nlink(), 1);
}
