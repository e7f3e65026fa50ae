//! Taking a run back.

use crate::moves::{Moves, cut_journals, parts};
use crate::support;

use support::faults::{
    BROKEN, DEATH, FORBIDDEN, FULL, Fault, INTERRUPTED, Stage, at_every_step, expect_told, expect_tree,
};
use support::plan::{Row, mv, undo_everything};
use support::{Mount, Sandbox, needs, needs_root, set_mtime};

const NAMES: [(&str, &str); 3] = [("src/a", "new/a"), ("src/d/b", "far/deep/b"), ("src/d/dup", "new/dup")];

/// Files that are renamed and one that is copied to another filesystem, out of directories that are removed then.
fn files() -> (Sandbox, Mount, [Row; 3]) {
    let sandbox = Sandbox::new();
    let mount = Mount::tmpfs("size=2m", &sandbox.path("far"));
    for (name, content) in
        [("src/a", "alpha"), ("src/d/b", "beta"), ("src/d/dup", "twice"), ("keep/dup", "twice"), ("far/other", "other")]
    {
        set_mtime(&sandbox.write(name, content), 1_000_000, 5);
    }
    let mut rows = NAMES.map(|(old, new)| Row::new(&sandbox, old, new));
    rows[2] = rows[2].clone().keep(&sandbox, "keep/dup");
    (sandbox, mount, rows)
}

/// A run with these options is done, and is about to be undone.
fn done(args: &[&str]) -> Stage {
    let (sandbox, mount, mut rows) = files();
    if args == ["--link"] {
        "new/b".clone_into(&mut rows[1].dest);
    }
    mv(&sandbox, args, &rows).expect_status(0);
    Stage::new(sandbox, "ms-mv", &["--undo"], Vec::new()).with(mount)
}

/// Whatever `faults` an undo of such a run meets, undoing again restores the start.
#[track_caller]
fn expect_undone(name: &'static str, args: &[&str], faults: &[Fault], cut: &dyn Fn(&Stage)) -> usize {
    let start = {
        let (sandbox, _mount, _) = files();
        support::faults::tree(&sandbox.work())
    };
    let stage = || done(args);
    let mut names = NAMES;
    if args == ["--link"] {
        names[1].1 = "new/b";
    }
    let moves = Moves { name, stage: &stage, names: &names, sources_stay: args != ["--prune=src"], is_copy: true };
    at_every_step(name, faults, &stage, &|stage, met| {
        expect_told("ms-mv", met);
        moves.expect_whole(stage, met, &start);
        if met.is_fine() {
            expect_tree(&stage.tree(), &start, met);
        }
        if !met.is_death() {
            assert!(parts(stage).is_empty(), "an unfinished copy is left after {met}");
        }
        cut(stage);
        undo_everything(&stage.sandbox);
        expect_tree(&stage.tree(), &start, &format!("undone again after {met}"));
    })
}

fn check(args: &[&str], faults: &[Fault], least: usize) {
    if needs("strace") && needs_root() {
        let name = match args {
            ["--copy"] => "ms-mv --undo of --copy",
            ["--link"] => "ms-mv --undo of --link",
            _ => "ms-mv --undo",
        };
        let tried = expect_undone(name, args, faults, &|_| {});
        assert!(tried >= least, "only {tried} points");
    }
}

const MOVED: [&str; 1] = ["--prune=src"];

#[test]
fn dying_at_any_step_costs_nothing() {
    check(&MOVED, &DEATH, 35);
}

#[test]
fn a_power_cut_at_any_step_costs_nothing() {
    if needs("strace") && needs_root() {
        let tried = expect_undone("ms-mv --undo in a power cut", &MOVED, &DEATH, &cut_journals);
        assert!(tried >= 35, "only {tried} points");
    }
}

#[test]
fn a_full_disk_at_any_step_costs_nothing() {
    check(&MOVED, &FULL, 70);
}

#[test]
fn a_failing_disk_at_any_step_costs_nothing() {
    check(&MOVED, &BROKEN, 35);
}

#[test]
fn a_refusal_at_any_step_costs_nothing() {
    check(&MOVED, &FORBIDDEN, 35);
}

#[test]
fn an_interrupted_call_at_any_step_costs_nothing() {
    check(&MOVED, &INTERRUPTED, 35);
}

#[test]
fn neither_death_nor_a_failing_disk_costs_anything_when_copies_or_links_are_undone() {
    for args in [["--copy"], ["--link"]] {
        check(&args, &DEATH, 12);
        check(&args, &BROKEN, 12);
    }
}
