//! Renames on one filesystem.

use crate::moves::{Moves, stage};
use crate::support;

use support::faults::{BROKEN, FORBIDDEN, FULL, Fault, INTERRUPTED, Stage};
use support::plan::Row;
use support::{Sandbox, needs, set_mtime};

const NAMES: [(&str, &str); 3] = [("src/a", "new/a"), ("src/d/dup", "new/deep/dup"), ("src/e/plain", "there/plain")];

/// A file, a duplicate with a copy that stays, one of which the plan tells no id, and one that nobody asked for.
fn before() -> Stage {
    let sandbox = Sandbox::new();
    for (name, content) in [
        ("src/a", "alpha"),
        ("src/d/dup", "twice"),
        ("keep/dup", "twice"),
        ("src/e/plain", "plain"),
        ("there/other", "other"),
    ] {
        set_mtime(&sandbox.write(name, content), 1_000_000, 5);
    }
    let mut rows = NAMES.map(|(old, new)| Row::new(&sandbox, old, new));
    rows[1] = rows[1].clone().keep(&sandbox, "keep/dup");
    "-".clone_into(&mut rows[2].id);
    stage(sandbox, &["--prune=src"], &rows)
}

fn moves() -> Moves<'static> {
    Moves { name: "ms-mv, renaming", stage: &before, names: &NAMES, sources_stay: false, is_copy: false }
}

fn fail(faults: &[Fault], least: usize) {
    if needs("strace") {
        let tried = moves().fail(faults);
        assert!(tried >= least, "only {tried} points");
    }
}

#[test]
fn dying_at_any_step_costs_nothing() {
    if needs("strace") {
        let tried = moves().die();
        assert!(tried >= 50, "only {tried} points");
    }
}

#[test]
fn a_power_cut_at_any_step_costs_nothing() {
    if needs("strace") {
        let tried = moves().lose_power();
        assert!(tried >= 50, "only {tried} points");
    }
}

#[test]
fn a_full_disk_at_any_step_costs_nothing() {
    fail(&FULL, 50);
}

#[test]
fn a_failing_disk_at_any_step_costs_nothing() {
    fail(&BROKEN, 25);
}

#[test]
fn a_refusal_at_any_step_costs_nothing() {
    fail(&FORBIDDEN, 25);
}

#[test]
fn an_interrupted_call_at_any_step_costs_nothing() {
    fail(&INTERRUPTED, 25);
}

/// As on NFS: a file gets its new name as a hard link, and then loses the old one.
#[test]
fn neither_death_nor_an_error_costs_anything_where_links_are_made() {
    if needs("strace") {
        let stage: &dyn Fn() -> Stage = &|| before().without("renameat2", "EINVAL");
        let moves = Moves { name: "ms-mv, linking and unlinking", stage, ..moves() };
        for tried in [moves.die(), moves.lose_power(), moves.fail(&BROKEN)] {
            assert!(tried >= 35, "only {tried} points");
        }
    }
}
