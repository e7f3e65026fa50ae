//! Nothing leaves a protected directory, however it is spelled.

use crate::support;

use std::os::unix::fs::symlink;
use std::path::Path;
use support::plan::{Row, mv, plan, undo};
use support::{Mount, Outcome, Sandbox, finish, needs, needs_root, snapshot};

const NONE: &[&str] = &[];
const MARKER: &str = "arch/.ms-protect";

/// `arch/sub/f` to be protected, `live/f` free to go, and `link`, which leads to `arch`.
fn archive() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("arch/sub/f", "kept for ever");
    sandbox.write("live/f", "free to go");
    symlink("arch", sandbox.path("link")).expect("link");
    sandbox
}

fn marked_archive() -> Sandbox {
    let sandbox = archive();
    sandbox.write(MARKER, "");
    sandbox
}

/// Runs a plan that takes `source` out of the archive and `live/f` elsewhere; only the latter may happen.
#[track_caller]
fn expect_protected(sandbox: &Sandbox, args: &[&str], source: &str) -> Outcome {
    let rows = [Row::new(sandbox, source, "out"), Row::new(sandbox, "live/f", "live/g")];
    let mut before = snapshot(&sandbox.work());
    let outcome = mv(sandbox, args, &rows).expect_status(1).expect_stderr(source);
    assert_eq!(outcome.column(0), ["live/g"]);
    let free = before.remove(Path::new("live/f")).expect("live/f");
    before.insert("live/g".into(), free);
    assert_eq!(snapshot(&sandbox.work()), before);
    outcome
}

#[test]
fn a_protected_directory_is_known_in_every_spelling() {
    for spelling in [
        "arch",
        "arch/",
        "./arch",
        "live/../arch",
        "../desk/arch",
        "link",
        "link/",
        "link/sub/..",
        "arch/sub",
        ".//arch/./sub",
    ] {
        expect_protected(&archive(), &["--protect", spelling], "arch/sub/f");
    }
}

#[test]
fn a_protected_directory_is_known_by_its_absolute_path() {
    let sandbox = archive();
    let absolute = sandbox.path("arch").display().to_string();
    expect_protected(&sandbox, &["--protect", &absolute], "arch/sub/f");
}

#[test]
fn a_file_in_a_protected_directory_is_known_in_every_spelling() {
    for source in
        ["./arch/sub/f", "arch/sub/../sub/f", "live/../arch/sub/f", "../desk/arch/sub/f", "link/sub/f", "link/./sub//f"]
    {
        expect_protected(&archive(), &["--protect", "arch"], source);
        expect_protected(&marked_archive(), NONE, source);
    }
}

#[test]
fn a_link_deep_inside_the_live_tree_does_not_open_the_archive() {
    for (sandbox, args) in [(archive(), &["--protect", "arch"][..]), (marked_archive(), NONE)] {
        symlink("../arch/sub", sandbox.path("live/year")).expect("link");
        expect_protected(&sandbox, args, "live/year/f");
    }
}

#[test]
fn the_working_directory_can_be_protected_as_a_dot() {
    let sandbox = archive();
    let rows = [Row::new(&sandbox, "arch/sub/f", "../out")];
    let before = snapshot(&sandbox.work());
    for source in ["sub/f", "./sub/f", "../arch/sub/f"] {
        let row = Row { path: source.to_owned(), ..rows[0].clone() };
        let mut command = sandbox.command("ms-mv");
        command.args(["--protect", "."]).current_dir(sandbox.path("arch"));
        finish(command, &plan(&[row])).expect_status(1).expect_stderr(source);
        assert_eq!(snapshot(&sandbox.work()), before);
    }
}

#[test]
fn several_directories_can_be_protected() {
    let sandbox = archive();
    let before = snapshot(&sandbox.work());
    let rows = [Row::new(&sandbox, "arch/sub/f", "x"), Row::new(&sandbox, "live/f", "y")];
    mv(&sandbox, &["--protect", "live", "--protect", "arch"], &rows).expect_status(1);
    assert_eq!(snapshot(&sandbox.work()), before);
}

#[test]
fn a_directory_whose_name_only_begins_alike_is_free() {
    let sandbox = archive();
    sandbox.write("archive-not/f", "free");
    sandbox.write("arch.old", "free too");
    let rows = [Row::new(&sandbox, "archive-not/f", "x"), Row::new(&sandbox, "arch.old", "y")];
    mv(&sandbox, &["--protect", "arch"], &rows).expect_status(0);
    assert!(sandbox.exists("x") && sandbox.exists("y"));
}

#[test]
fn a_marker_protects_its_directory_and_all_below() {
    let sandbox = marked_archive();
    sandbox.write("arch/top", "top");
    sandbox.write("arch/sub/deep/er/f", "deep");
    for source in ["arch/top", "arch/sub/deep/er/f"] {
        let before = snapshot(&sandbox.work());
        mv(&sandbox, NONE, &[Row::new(&sandbox, source, "out")]).expect_status(1).expect_stderr(source);
        assert_eq!(snapshot(&sandbox.work()), before);
    }
}

#[test]
fn the_marker_itself_does_not_leave() {
    let sandbox = marked_archive();
    expect_protected(&sandbox, NONE, MARKER);
}

#[test]
fn a_marker_beside_a_directory_does_not_protect_it() {
    let sandbox = archive();
    sandbox.write("arch/other/.ms-protect", "");
    let row = Row::new(&sandbox, "arch/sub/f", "out");
    mv(&sandbox, NONE, &[row]).expect_status(0);
    assert_eq!(sandbox.read("out"), b"kept for ever");
}

#[test]
fn a_bind_mount_of_the_archive_is_the_archive() {
    if !needs_root() {
        return;
    }
    for (sandbox, args) in
        [(archive(), &["--protect", "arch"][..]), (archive(), &["--protect", "bound"]), (marked_archive(), NONE)]
    {
        let _mount = Mount::bind(&sandbox.path("arch"), &sandbox.path("bound"));
        for source in ["bound/sub/f", "arch/sub/f"] {
            let before = snapshot(&sandbox.work());
            let row = Row::new(&sandbox, source, "live/out");
            mv(&sandbox, args, &[row]).expect_status(1).expect_stderr(source);
            assert_eq!(snapshot(&sandbox.work()), before);
        }
    }
}

#[test]
fn a_bind_mount_of_a_part_of_the_archive_belongs_to_the_archive() {
    if !needs_root() {
        return;
    }
    for (sandbox, args) in
        [(archive(), &["--protect", "arch"][..]), (archive(), &["--protect", "link"]), (marked_archive(), NONE)]
    {
        // Going up from the mount leads to `live`, never to `arch`.
        let _mount = Mount::bind(&sandbox.path("arch/sub"), &sandbox.path("live/bound"));
        let before = snapshot(&sandbox.work());
        let row = Row::new(&sandbox, "live/bound/f", "live/out");
        mv(&sandbox, args, &[row]).expect_status(1).expect_stderr("live/bound/f");
        assert_eq!(snapshot(&sandbox.work()), before);
    }
}

#[test]
fn protecting_a_bind_mount_of_a_part_protects_the_part_itself() {
    if !needs_root() {
        return;
    }
    let sandbox = archive();
    let _mount = Mount::bind(&sandbox.path("arch/sub"), &sandbox.path("bound"));
    let before = snapshot(&sandbox.work());
    let row = Row::new(&sandbox, "arch/sub/f", "out");
    mv(&sandbox, &["--protect", "bound"], &[row]).expect_status(1).expect_stderr("arch/sub/f");
    assert_eq!(snapshot(&sandbox.work()), before);
}

#[test]
fn a_filesystem_mounted_below_the_archive_belongs_to_it() {
    if !needs_root() {
        return;
    }
    for (sandbox, args) in [(archive(), &["--protect", "arch"][..]), (marked_archive(), NONE)] {
        let _mount = Mount::tmpfs("size=1m", &sandbox.path("arch/disc"));
        sandbox.write("arch/disc/f", "on another disc");
        expect_protected(&sandbox, args, "arch/disc/f");
    }
}

#[test]
fn a_filesystem_mounted_below_the_archive_belongs_to_it_wherever_else_it_is_mounted() {
    if !needs_root() {
        return;
    }
    for marked in [false, true] {
        let sandbox = if marked { marked_archive() } else { archive() };
        let _disc = Mount::tmpfs("size=1M", &sandbox.path("arch/disc"));
        let _elsewhere = Mount::bind(&sandbox.path("arch/disc"), &sandbox.path("elsewhere"));
        sandbox.write("elsewhere/sub/f", "content");
        let args: &[&str] = if marked { &[] } else { &["--protect", "arch"] };
        expect_protected(&sandbox, args, "elsewhere/sub/f");
    }
}

#[test]
fn check_and_dry_run_respect_protection_too() {
    for flag in ["-n", "--check=content", "--prune"] {
        let sandbox = marked_archive();
        let before = snapshot(&sandbox.work());
        let row = Row::new(&sandbox, "arch/sub/f", "out");
        mv(&sandbox, &[flag], &[row]).expect_status(1);
        assert_eq!(snapshot(&sandbox.work()), before);
    }
}

#[test]
fn moving_into_a_protected_directory_is_allowed_and_undo_takes_it_back() {
    for (sandbox, args) in [(archive(), &["--protect", "arch"][..]), (marked_archive(), NONE)] {
        let before = snapshot(&sandbox.work());
        let row = Row::new(&sandbox, "live/f", "arch/new/f");
        mv(&sandbox, args, &[row]).expect_status(0);
        assert_eq!(sandbox.read("arch/new/f"), b"free to go");
        undo(&sandbox).expect_status(0);
        assert_eq!(snapshot(&sandbox.work()), before);
    }
}

#[test]
fn output_fed_back_as_a_plan_does_not_get_anything_out_of_the_archive() {
    let sandbox = marked_archive();
    let row = Row::new(&sandbox, "live/f", "arch/f");
    let moved = mv(&sandbox, NONE, &[row]).expect_status(0);
    let after = snapshot(&sandbox.work());
    sandbox.run("ms-mv", NONE, &moved.stdout).expect_status(1).expect_stderr("arch/f");
    assert_eq!(snapshot(&sandbox.work()), after);
}

#[test]
fn a_keeper_in_the_archive_serves_and_stays() {
    let sandbox = marked_archive();
    sandbox.write("live/dup", "kept for ever");
    let row = Row::new(&sandbox, "live/dup", "q/dup").keep(&sandbox, "arch/sub/f");
    mv(&sandbox, NONE, &[row]).expect_status(0);
    assert_eq!(sandbox.read("q/dup"), b"kept for ever");
    assert_eq!(sandbox.read("arch/sub/f"), b"kept for ever");
}

#[test]
fn it_is_told_where_a_bind_mount_may_lead_to_a_protected_directory_unseen() {
    if !needs_root() || !needs("unshare") {
        return;
    }
    let sandbox = Sandbox::new();
    sandbox.write("protected/a", "a");
    std::fs::write(sandbox.path("plan"), plan(&[Row::new(&sandbox, "protected/a", "b")])).expect("plan");
    for tool in ["ms-mv --protect protected plan", "ms-dupes --protect protected plan"] {
        let known = sandbox.shell(tool);
        assert!(!known.stderr.contains("mounted where is not known"), "{}", known.stderr);
        let unknown = sandbox.shell(&format!("unshare --mount sh -c 'umount -l /proc && {tool}'"));
        unknown.expect_stderr("what is mounted where is not known");
    }
    assert_eq!(sandbox.read("protected/a"), b"a");
}
