//! Hard links.

use crate::moves::{Moves, stage};
use crate::support;

use support::faults::{BROKEN, FORBIDDEN, FULL, Fault, INTERRUPTED, Stage};
use support::plan::Row;
use support::{Sandbox, needs, set_mtime};

const NAMES: [(&str, &str); 2] = [("src/a", "new/a"), ("src/d/b", "there/deep/b")];

fn before() -> Stage {
    let sandbox = Sandbox::new();
    for (name, content) in [("src/a", "alpha"), ("src/d/b", "beta"), ("there/other", "other")] {
        set_mtime(&sandbox.write(name, content), 1_000_000, 5);
    }
    let rows = NAMES.map(|(old, new)| Row::new(&sandbox, old, new));
    stage(sandbox, &["--link"], &rows)
}

fn moves() -> Moves<'static> {
    Moves { name: "ms-mv --link", stage: &before, names: &NAMES, sources_stay: true, is_copy: false }
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
        assert!(tried >= 40, "only {tried} points");
    }
}

#[test]
fn a_power_cut_at_any_step_costs_nothing() {
    if needs("strace") {
        let tried = moves().lose_power();
        assert!(tried >= 40, "only {tried} points");
    }
}

#[test]
fn an_error_at_any_step_costs_nothing() {
    fail(&FULL, 40);
    fail(&BROKEN, 20);
    fail(&FORBIDDEN, 20);
    fail(&INTERRUPTED, 20);
}
