//! Copies: to another filesystem, after which the source goes, and `--copy`.

use crate::moves::{Moves, stage};
use crate::support;

use support::faults::{ATTRIBUTE, BROKEN, FORBIDDEN, FULL, Fault, INTERRUPTED, Stage, expect_tree};
use support::plan::{Row, journals, set_xattr, undo_everything};
use support::{Mount, Sandbox, needs, needs_root, set_mtime};

const ACROSS: [(&str, &str); 2] = [("src/d/b", "far/deep/b"), ("src/dup", "far/dup")];
const COPIED: [(&str, &str); 2] = [("src/d/b", "new/b"), ("src/dup", "far/dup")];

/// More than is copied in one step.
const LARGE: usize = (1 << 20) + 10_000;

/// A large file with an attribute, and a duplicate with a copy that stays; `far` is another filesystem.
fn before(args: &[&str], names: &[(&str, &str); 2]) -> Stage {
    let sandbox = Sandbox::new();
    let mount = Mount::tmpfs("size=8m", &sandbox.path("far"));
    let large = vec![b'x'; LARGE];
    for (name, content) in
        [("src/d/b", &large[..]), ("src/dup", b"twice"), ("keep/dup", b"twice"), ("far/other", b"other")]
    {
        set_mtime(&sandbox.write(name, content), 1_000_000, 5);
    }
    // Only where both filesystems have attributes can one be kept.
    if set_xattr(&sandbox.path("far/other"), ATTRIBUTE, b"far")
        && set_xattr(&sandbox.path("src/d/b"), ATTRIBUTE, b"kept")
    {
        set_mtime(&sandbox.path("src/d/b"), 1_000_000, 5);
    }
    let mut rows = names.map(|(old, new)| Row::new(&sandbox, old, new));
    rows[1] = rows[1].clone().keep(&sandbox, "keep/dup");
    stage(sandbox, args, &rows).with(mount)
}

fn across() -> Moves<'static> {
    let stage: &dyn Fn() -> Stage = &|| before(&["--prune=src"], &ACROSS);
    Moves { name: "ms-mv, across filesystems", stage, names: &ACROSS, sources_stay: false, is_copy: true }
}

fn copied() -> Moves<'static> {
    let stage: &dyn Fn() -> Stage = &|| before(&["--copy"], &COPIED);
    Moves { name: "ms-mv --copy", stage, names: &COPIED, sources_stay: true, is_copy: true }
}

fn can_run() -> bool {
    needs("strace") && needs_root()
}

fn fail(moves: &Moves<'_>, faults: &[Fault], least: usize) {
    if can_run() {
        let tried = moves.fail(faults);
        assert!(tried >= least, "only {tried} points");
    }
}

#[test]
fn dying_at_any_step_of_a_move_costs_nothing() {
    if can_run() {
        let tried = across().die();
        assert!(tried >= 80, "only {tried} points");
    }
}

#[test]
fn a_power_cut_at_any_step_of_a_move_costs_nothing() {
    if can_run() {
        let tried = across().lose_power();
        assert!(tried >= 80, "only {tried} points");
    }
}

#[test]
fn a_full_disk_at_any_step_of_a_move_costs_nothing() {
    fail(&across(), &FULL, 80);
}

#[test]
fn a_failing_disk_at_any_step_of_a_move_costs_nothing() {
    fail(&across(), &BROKEN, 40);
}

#[test]
fn a_refusal_at_any_step_of_a_move_costs_nothing() {
    fail(&across(), &FORBIDDEN, 40);
}

#[test]
fn an_interrupted_call_at_any_step_of_a_move_costs_nothing() {
    fail(&across(), &INTERRUPTED, 40);
}

/// What a run across filesystems leaves whose removal of the source, and end, did not reach the disk.
fn half_removed() -> (Stage, support::faults::Tree) {
    let stage = before(&["--prune=src"], &ACROSS);
    let start = stage.tree();
    let source = stage.sandbox.path("src/d/b");
    let kept = stage.sandbox.state().with_extension("kept");
    std::fs::hard_link(&source, &kept).expect("second name");
    stage.run().expect_status(0);
    std::fs::create_dir_all(source.parent().expect("a directory")).expect("directory");
    std::fs::rename(&kept, &source).expect("back");
    let journal = &journals(&stage.sandbox)[0];
    let text = std::fs::read_to_string(journal).expect("journal");
    std::fs::write(journal, text.strip_suffix("end\n").expect("its end")).expect("journal");
    (stage, start)
}

#[test]
fn a_source_whose_removal_did_not_reach_the_disk_goes_when_the_plan_is_run_again() {
    if !can_run() {
        return;
    }
    let (stage, start) = half_removed();
    stage.run().expect_status(0);
    assert!(!stage.sandbox.exists("src/d/b") && stage.sandbox.read("far/deep/b").len() == LARGE);
    undo_everything(&stage.sandbox);
    expect_tree(&stage.tree(), &start, &"undone");
}

#[test]
fn a_source_whose_removal_did_not_reach_the_disk_stays_when_the_run_is_undone() {
    if !can_run() {
        return;
    }
    let (stage, start) = half_removed();
    undo_everything(&stage.sandbox);
    expect_tree(&stage.tree(), &start, &"undone");
}

#[test]
fn dying_at_any_step_of_a_copy_costs_nothing() {
    if can_run() {
        let tried = copied().die();
        assert!(tried >= 80, "only {tried} points");
    }
}

#[test]
fn a_power_cut_at_any_step_of_a_copy_costs_nothing() {
    if can_run() {
        let tried = copied().lose_power();
        assert!(tried >= 80, "only {tried} points");
    }
}

#[test]
fn a_full_disk_at_any_step_of_a_copy_costs_nothing() {
    fail(&copied(), &FULL, 80);
}

#[test]
fn another_error_at_any_step_of_a_copy_costs_nothing() {
    fail(&copied(), &BROKEN, 40);
    fail(&copied(), &FORBIDDEN, 40);
    fail(&copied(), &INTERRUPTED, 40);
}
