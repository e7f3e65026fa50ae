//! The SQL that is installed: its plans are those of `ms-dupes`, byte for byte, on a million rows with hostile names.

#[path = "../support/mod.rs"]
mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use support::{Sandbox, index_line, needs};

const ROWS: &str = "1000000";

/// Which file of `share/sql` makes what of which rows, with which quarantine. The first two have all rows of a million but
/// few, and are all that Spark is given, which takes its time.
const RUNS: [(&str, &str, &str); 4] = [
    ("dupes", "hosts", "/q"),
    ("unique", "here", "duplicates"),
    ("dupes", "here", "/q"),
    ("unique", "relative", "duplicates"),
];

/// How many of the runs an engine is given.
fn runs(engine: &str) -> usize {
    if engine == "spark" { 2 } else { RUNS.len() }
}

/// What is protected of the rows of one kind.
fn protected(kind: &str) -> &'static [&'static str] {
    match kind {
        "relative" => &["Archive"],
        "hosts" => &["nas:/Archive"],
        _ => &["/Archive"],
    }
}

fn tree(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// Whether Python has a module. Where not: a loud line, and a failure in CI.
#[allow(clippy::print_stderr, reason = "what is skipped is said loudly")]
fn has_module(name: &str) -> bool {
    let found = Command::new("python3").args(["-c", &format!("import {name}")]).output();
    let found = found.is_ok_and(|output| output.status.success());
    if !found {
        assert!(std::env::var_os("CI").is_none(), "in CI nothing is skipped: python3 has no {name}");
        eprintln!("SKIPPED: python3 has no {name}");
    }
    found
}

#[track_caller]
fn python(script: &str, args: &[&str], dir: &Path) {
    let output = Command::new("python3").arg(tree(script)).args(args).current_dir(dir).output().expect("python3");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{script}:\n{said}");
}

/// What `ms-dupes` makes of the rows of one kind.
fn expected(sandbox: &Sandbox, what: &str, kind: &str, quarantine: &str) -> Vec<u8> {
    let mut args = vec!["-q", "--to", quarantine];
    if what == "unique" {
        args.push("-u");
    }
    args.extend(protected(kind).iter().flat_map(|dir| ["--protect", *dir]));
    let files: Vec<String> = (0..3).map(|part| format!("{kind}.{part}.tsv")).collect();
    args.extend(files.iter().map(String::as_str));
    // Paths whose records disagree are named.
    let outcome = sandbox.run("ms-dupes", &args, b"").expect_status(1).expect_stderr("its records disagree");
    assert!(memchr::memchr_iter(b'\n', &outcome.stdout).count() > 1000, "too few rows to prove anything");
    outcome.stdout
}

/// The settings of all runs for an engine, as its script reads them.
fn spec(sandbox: &Sandbox, engine: &str) -> String {
    let runs: Vec<serde_json::Value> = RUNS[..runs(engine)]
        .iter()
        .map(|(what, kind, quarantine)| {
            serde_json::json!({
                "sql": tree(&format!("share/sql/{what}.{engine}.sql")),
                "index": sandbox.path(format!("{kind}.*.tsv")),
                "plan": sandbox.path(format!("{engine}-{what}-{kind}")),
                "quarantine": quarantine,
                "protect": protected(kind),
            })
        })
        .collect();
    serde_json::Value::from(runs).to_string()
}

#[test]
fn every_engine_makes_the_plan_of_ms_dupes() {
    let engines = [("duckdb", "duck.py", "duckdb"), ("spark", "spark.py", "pyspark")];
    let is_there = |module| has_module(module) && (module != "pyspark" || needs("java"));
    let engines: Vec<_> = engines.into_iter().filter(|(_, _, module)| is_there(module)).collect();
    if engines.is_empty() {
        return;
    }
    let sandbox = Sandbox::new();
    python("tests/sql/rows.py", &[ROWS, "1", "."], &sandbox.work());
    let plans = RUNS.map(|(what, kind, quarantine)| expected(&sandbox, what, kind, quarantine));
    for (engine, script, _) in engines {
        sandbox.write("spec.json", spec(&sandbox, engine));
        python(&format!("tests/sql/{script}"), &["spec.json"], &sandbox.work());
        for ((what, kind, _), plan) in RUNS.iter().zip(&plans).take(runs(engine)) {
            let made = sandbox.read(format!("{engine}-{what}-{kind}.tsv"));
            let same = made.iter().zip(plan).take_while(|(one, other)| one == other).count();
            let line = memchr::memchr_iter(b'\n', &plan[..same]).count() + 1;
            assert!(made == *plan, "{engine}: {what} of {kind}: line {line} differs");
        }
    }
}

#[test]
fn destinations_that_could_meet_are_refused_by_duckdb() {
    if !has_module("duckdb") {
        return;
    }
    for (paths, problem) in
        [(["a", "b", "/c"], "could be sent to one place"), (["a", "b/../x", "c"], "could be sent to one place")]
    {
        let sandbox = Sandbox::new();
        let index = paths.map(|path| index_line(path, "same", 4, "-", "-")).concat();
        sandbox.write("hosts.0.tsv", index.replace("/c", "nas:/c"));
        sandbox.write("spec.json", spec(&sandbox, "duckdb"));
        let mut command = Command::new("python3");
        command.arg(tree("tests/sql/duck.py")).arg("spec.json").current_dir(sandbox.work());
        let output = command.output().expect("python3");
        assert!(!output.status.success() && String::from_utf8_lossy(&output.stderr).contains(problem), "{paths:?}");
        assert!(!sandbox.exists("duckdb-dupes-hosts.tsv"));
    }
}

#[test]
fn both_files_of_an_engine_read_rows_in_the_same_way() {
    for (engine, from) in [("duckdb", "\nSET VARIABLE index"), ("spark", "\n-- The bytes of a path")] {
        let common = |what: &str| {
            let text = fs::read_to_string(tree(&format!("share/sql/{what}.{engine}.sql"))).expect("SQL");
            let (_, rest) = text.split_once(from).expect("a beginning");
            let (common, _) = rest.split_once("\n-- Of each content").expect("an end");
            common.to_owned()
        };
        assert_eq!(common("dupes"), common("unique"), "{engine}");
    }
}
