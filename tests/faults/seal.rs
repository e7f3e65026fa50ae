//! `ms-seal`: whatever happens to a run, the same again finishes it, and all is as if nothing had happened.

use crate::support;

use std::path::PathBuf;
use support::archive::{expect_standing, moved, standing};
use support::faults::{BROKEN, DEATH, FORBIDDEN, FULL, Fault, INTERRUPTED, Met, Stage, at_every_step, expect_told};
use support::plan::{Row, plan};
use support::{Sandbox, needs};

const PICTURES: [&str; 4] = ["0001/2012/a.jpg", "0001/2012/b.jpg", "0002/2013/c.jpg", "0003/2014/d.jpg"];

/// Two volumes to be sealed, and one that stays open.
fn archive() -> Stage {
    let sandbox = Sandbox::new();
    for name in PICTURES {
        sandbox.put_archived(name, name);
    }
    let unhashed = Row { hash: "-".into(), ..moved(&sandbox, PICTURES[1], (2, 2)) };
    let rows = [moved(&sandbox, PICTURES[0], (1, 2)), unhashed, moved(&sandbox, PICTURES[2], (1, 1))];
    let stream = plan(&rows);
    Stage::new(sandbox, "ms-seal", &["Archive"], stream)
}

#[track_caller]
fn expect_pictures(sandbox: &Sandbox, met: &Met<'_>) {
    for name in PICTURES {
        assert!(sandbox.read(format!("Archive/{name}")) == name.as_bytes(), "{name} after {met}");
    }
}

/// Whatever `faults` a run meets, the same again seals.
fn check(faults: &[Fault], least: usize) {
    if !needs("strace") {
        return;
    }
    let expected = {
        let stage = archive();
        stage.run().expect_status(0);
        standing(&stage.sandbox)
    };
    let tried = at_every_step("ms-seal", faults, &archive, &|stage, met| {
        expect_told("ms-seal", met);
        expect_pictures(&stage.sandbox, met);
        // The catalogue comes last, so what it calls sealed is.
        let is_told = |number: &u64| stage.sandbox.entry(*number).is_some_and(|entry| entry["state"] == "sealed");
        [1, 2].into_iter().filter(is_told).for_each(|number| stage.sandbox.expect_sealed(number));
        if met.is_fine() {
            expect_standing(&stage.sandbox, &expected, met);
        }
        let again = stage.run();
        assert_eq!(again.status, 0, "the same again: {}\nafter {met}", again.stderr);
        expect_standing(&stage.sandbox, &expected, met);
    });
    assert!(tried >= least, "only {tried} points");
}

#[test]
fn wherever_a_run_dies_the_same_again_seals() {
    check(&DEATH, 80);
}

#[test]
fn wherever_a_disk_is_full_the_same_again_seals() {
    check(&FULL, 160);
}

#[test]
fn wherever_a_disk_fails_the_same_again_seals() {
    check(&BROKEN, 80);
}

#[test]
fn wherever_a_run_is_refused_the_same_again_seals() {
    check(&FORBIDDEN, 80);
}

#[test]
fn wherever_a_call_is_interrupted_the_same_again_seals() {
    check(&INTERRUPTED, 80);
}

#[test]
fn wherever_a_run_dies_what_was_begun_is_finished_by_an_empty_stream() {
    if !needs("strace") {
        return;
    }
    let tried = at_every_step("ms-seal, then an empty stream", &DEATH, &archive, &|stage, met| {
        let sandbox = &stage.sandbox;
        let has = |volume: &str, name: &str| sandbox.exists(format!("Archive/{volume}/{name}"));
        let is_begun = |volume: &&str| ["index.json", "B3SUMS", "README.txt"].iter().any(|name| has(volume, name));
        let begun: Vec<_> = ["0001", "0002"].into_iter().filter(is_begun).collect();
        sandbox.run_seal(&[]).expect_status(0);
        for volume in ["0001", "0002"] {
            let is_sealed = ["B3SUMS", "index.json"].iter().all(|name| has(volume, name));
            assert_eq!(is_sealed, begun.contains(&volume), "{volume} after {met}");
            assert_eq!(sandbox.exists(format!("Archive/{volume}.UNBURNED")), is_sealed, "{volume} after {met}");
        }
        sandbox.shell("ms-seal --cat Archive | ms-verify --failed").expect_status(0).expect_stdout("");
        // And the rest is sealed by --all.
        sandbox.run_seal(&["--all"]).expect_status(0);
        let is_litter = |path: &PathBuf| path.ends_with(".ms-seal.tmp");
        assert!(!standing(sandbox).keys().any(is_litter), "litter after {met}");
        let indexes = ["0001", "0002", "0003"].map(|volume| format!("Archive/{volume}/index.json"));
        sandbox.run("ms-verify", &indexes, b"").expect_status(0);
    });
    assert!(tried >= 80, "only {tried} points");
}

/// A sealed archive, in which a burn is about to be recorded.
fn unburned() -> Stage {
    let Stage { sandbox, stdin, .. } = archive();
    sandbox.run("ms-seal", &["Archive"], &stdin).expect_status(0);
    Stage::new(sandbox, "ms-seal", &["--burned", "1", "--copy", "home", "Archive"], Vec::new())
}

#[test]
fn wherever_the_recording_of_a_burn_ends_it_is_recorded_once() {
    if !needs("strace") {
        return;
    }
    let faults = [&DEATH[..], &BROKEN, &FULL, &INTERRUPTED].concat();
    let tried = at_every_step("ms-seal --burned", &faults, &unburned, &|stage, met| {
        let sandbox = &stage.sandbox;
        expect_told("ms-seal", met);
        // Without its marker the burn is recorded, and whoever says so again has burned another.
        if sandbox.exists("Archive/0001.UNBURNED") {
            assert!(!met.is_fine(), "{met}");
            stage.run().expect_status(0);
        }
        let burns = sandbox.cataloged(1)["burns"].as_array().expect("burns").len();
        assert_eq!(burns, 1, "{met}");
        assert!(!sandbox.exists("Archive/0001.UNBURNED") && !sandbox.exists("Archive/.ms-seal.tmp"), "{met}");
    });
    assert!(tried >= 35, "only {tried} points");
}
