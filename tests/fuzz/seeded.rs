//! The seeded run of all targets, and what keeps them in step with those of cargo-fuzz.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::guard::{Watchdog, guarded};
use super::mutate::Random;
use super::targets::Target;
use super::{seeds, targets};

/// Rounds of each target, where no time is given.
const ROUNDS: u64 = 1000;

fn survives(name: &str) {
    let (_, target) = *targets::ALL.iter().find(|(known, _)| *known == name).expect("a target");
    let seeds = seeds::of(name);
    let seconds = std::env::var("MEDIASTRUCT_FUZZ_SECONDS").ok().and_then(|seconds| seconds.parse().ok());
    let limit = seconds.map(|seconds| Instant::now() + Duration::from_secs(seconds));
    let watchdog = Watchdog::new();
    for (number, seed) in seeds.iter().enumerate() {
        watchdog.begin(format!("{name}, seed {number}"));
        run(target, seed, &format!("{name}, seed {number}"));
    }
    let mut round = 0;
    while limit.map_or(round < ROUNDS, |limit| Instant::now() < limit) {
        let input = Random::of(name, round).damaged(&seeds);
        watchdog.begin(format!("{name}, round {round}"));
        run(target, &input, &format!("{name}, round {round}"));
        round += 1;
    }
    if seconds.is_some() {
        eprintln!("{name}: {round} inputs");
    }
}

/// What a target fails at is kept, so that cargo-fuzz or a test can have it again.
fn run(target: Target, input: &[u8], name: &str) {
    let result = catch_unwind(AssertUnwindSafe(|| guarded(target, input)));
    if let Err(panic) = result {
        let kept = std::env::temp_dir().join(format!("mediastruct-{}", name.replace([',', ' '], "-")));
        std::fs::write(&kept, input).expect("a place for the input");
        eprintln!("{name}: its input of {} bytes is in {}", input.len(), kept.display());
        resume_unwind(panic);
    }
}

/// A test for each target, so that they run side by side.
macro_rules! survive {
    ($($name:ident)*) => {
        $(#[test] fn $name() { survives(stringify!($name)); })*

        #[test]
        fn every_target_is_run_here_and_by_cargo_fuzz() {
            let names: Vec<&str> = targets::ALL.iter().map(|(name, _)| *name).collect();
            assert_eq!(names, [$(stringify!($name)),*]);
            let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
            let manifest = std::fs::read_to_string(dir.join("Cargo.toml")).expect("the manifest of cargo-fuzz");
            for name in &names {
                let source = std::fs::read_to_string(dir.join(format!("fuzz_targets/{name}.rs"))).expect(name);
                assert!(source.contains(&format!("\"{name}\"")), "{name}");
                assert!(manifest.contains(&format!("name = \"{name}\"")), "{name}");
            }
            let sources = std::fs::read_dir(dir.join("fuzz_targets")).expect("the targets of cargo-fuzz").count();
            assert_eq!(sources, names.len());
        }
    };
}

survive!(stream volume sums catalogue journal companion picture video xmp takeout name note template glob);

/// Writes the seeds of each target to a directory of its own below `MEDIASTRUCT_FUZZ_CORPUS`, for cargo-fuzz.
#[test]
#[ignore = "it only writes files, where MEDIASTRUCT_FUZZ_CORPUS says"]
fn the_seeds_are_written() {
    let root = PathBuf::from(std::env::var_os("MEDIASTRUCT_FUZZ_CORPUS").expect("MEDIASTRUCT_FUZZ_CORPUS"));
    for (name, _) in targets::ALL {
        let dir = root.join(name);
        std::fs::create_dir_all(&dir).expect("a directory");
        for seed in seeds::of(name) {
            std::fs::write(dir.join(&blake3::hash(&seed).to_hex()[..16]), seed).expect("a seed");
        }
    }
}
