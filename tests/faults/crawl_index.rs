//! `ms-crawl --index`: FILE is the old one or the new one, whole, and what was hashed is not hashed again.

use crate::support;

use support::faults::{BROKEN, DEATH, FORBIDDEN, FULL, Fault, INTERRUPTED, Stage, at_every_step, expect_told, files};
use support::index::{COMPANION, FILE, crawl, expect_index_of, sorted_crawl, watch};
use support::{Sandbox, needs};

const NOTHING: [&str; 0] = [];

const ARGS: [&str; 5] = ["-j", "1", "--index", FILE, "d"];

/// A tree with its index, and then a file more.
fn grown() -> Stage {
    let sandbox = Sandbox::new();
    sandbox.old_file("d/old", "old");
    crawl(&sandbox, &["d"]).expect_status(0);
    sandbox.old_file("d/young", "young");
    Stage::new(sandbox, "ms-crawl", &ARGS, Vec::new())
}

/// A tree that nobody has crawled.
fn fresh() -> Stage {
    let sandbox = Sandbox::new();
    sandbox.old_file("d/a", "one");
    sandbox.old_file("d/e/b", "two");
    Stage::new(sandbox, "ms-crawl", &ARGS, Vec::new())
}

/// Whatever `faults` a crawl meets, FILE is whole, the tree is as it was, and the next crawl completes it.
fn check(name: &str, stage: &dyn Fn() -> Stage, faults: &[Fault], least: usize) {
    if !needs("strace") {
        return;
    }
    let tried = at_every_step(name, faults, stage, &|stage, met| {
        let sandbox = &stage.sandbox;
        expect_told("ms-crawl", met);
        let new = sorted_crawl(sandbox, &["d"]);
        // The index without the file that came later.
        let old: String =
            new.lines().filter(|line| line.starts_with("d/old\t")).flat_map(|line| [line, "\n"]).collect();
        let index = sandbox.index();
        assert!(index == new || index == old, "{index}\nafter {met}");
        assert_eq!(sandbox.exists(FILE), !index.is_empty(), "an empty FILE after {met}");
        if met.is_fine() {
            assert_eq!(index, new, "{met}");
        }

        let watched = watch(sandbox, "ms-crawl", &ARGS);

        assert_eq!(watched.outcome.status, 0, "the same again: {}\nafter {met}", watched.outcome.stderr);
        assert!(!watched.opened.contains(&"d/old".to_owned()), "FILE was not believed after {met}");
        if index == new {
            assert_eq!(watched.opened, NOTHING, "the new FILE was not believed after {met}");
        }
        expect_index_of(sandbox, &["d"]);
        let names = files(stage.tree());
        let strangers = names.keys().filter(|path| !path.starts_with("d"));
        assert!(
            strangers.map(|path| path.to_str()).eq([Some(FILE), Some(COMPANION)]),
            "{:?} after {met}",
            names.keys()
        );
    });
    assert!(tried >= least, "only {tried} points");
}

const AGAIN: &str = "ms-crawl --index of a FILE";
const FIRST: &str = "ms-crawl --index of none yet";

#[test]
fn wherever_a_crawl_dies_file_is_the_old_or_the_new_one_and_is_believed() {
    check(AGAIN, &grown, &DEATH, 20);
}

#[test]
fn wherever_a_first_crawl_dies_there_is_no_file_or_a_whole_one() {
    check(FIRST, &fresh, &DEATH, 20);
}

#[test]
fn wherever_a_disk_is_full_file_is_the_old_or_the_new_one() {
    check(AGAIN, &grown, &FULL, 40);
    check(FIRST, &fresh, &FULL, 40);
}

#[test]
fn wherever_a_disk_fails_file_is_the_old_or_the_new_one() {
    check(AGAIN, &grown, &BROKEN, 20);
    check(FIRST, &fresh, &BROKEN, 20);
}

#[test]
fn wherever_a_crawl_is_refused_file_is_the_old_or_the_new_one() {
    check(AGAIN, &grown, &FORBIDDEN, 20);
}

#[test]
fn wherever_a_call_is_interrupted_file_is_the_old_or_the_new_one() {
    check(AGAIN, &grown, &INTERRUPTED, 20);
}
