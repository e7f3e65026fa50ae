//! `ms-dupes --shard`: what the shards say together is what one run over all records says.

use crate::support;

use proptest::prelude::*;
use support::{Outcome, Sandbox, index_line};

const MTIME: &str = "1.000000000";

const OPTIONS: [&[&str]; 6] =
    [&[], &["-u"], &["-g"], &["--empty", "--keep", "newest"], &["--protect", "d1", "-u"], &["--prefer", "d2", "-g"]];

/// Lines of few paths and few contents, so that paths come twice: agreeing, contradicting, and without a hash.
fn lines() -> impl Strategy<Value = Vec<String>> {
    let line =
        (0..12u8, 0..8u64, any::<bool>(), 0..4i64, 0..10u8).prop_map(|(path, content, has_hash, seconds, id)| {
            let id = if id == 9 { "-".to_owned() } else { format!("9:{path}") };
            let line = index_line(
                &format!("d{}/{path}", path % 3),
                &content.to_string(),
                content * 10,
                &format!("{seconds}.000000000"),
                &id,
            );
            if has_hash { line } else { no_hash(&line) }
        });
    prop::collection::vec(line, 0..40)
}

fn no_hash(line: &str) -> String {
    let mut fields: Vec<&str> = line.split('\t').collect();
    fields[1] = "-";
    fields.join("\t")
}

fn sorted_lines(outcomes: &[Outcome]) -> Vec<String> {
    let mut lines: Vec<String> = outcomes.iter().flat_map(Outcome::lines).collect();
    lines.sort();
    lines
}

/// The files that messages say are left out.
fn left_out(outcomes: &[Outcome]) -> Vec<String> {
    let lines = outcomes.iter().flat_map(|outcome| outcome.stderr.lines());
    let mut lines: Vec<String> = lines.filter(|line| line.contains("records disagree")).map(str::to_owned).collect();
    lines.sort();
    lines
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn the_shards_together_are_the_whole(lines in lines(), of in 1..6u32) {
        let sandbox = Sandbox::new();
        (0..3).for_each(|number| drop(sandbox.mkdir(format!("d{number}"))));
        let index = lines.concat();
        for args in OPTIONS {
            let whole = [sandbox.run("ms-dupes", args, index.as_bytes())];
            let shards: Vec<Outcome> = (1..=of)
                .map(|number| {
                    let shard = format!("--shard={number}/{of}");
                    sandbox.run("ms-dupes", &[args, &[shard.as_str()]].concat(), index.as_bytes())
                })
                .collect();
            prop_assert_eq!(sorted_lines(&shards), sorted_lines(&whole), "{:?}", args);
            prop_assert_eq!(left_out(&shards), left_out(&whole), "{:?}", args);
            let status = shards.iter().map(|shard| shard.status).max();
            prop_assert_eq!(status, Some(whole[0].status), "{:?}", args);
        }
    }
}

#[test]
fn shards_count_their_own_records() {
    let sandbox = Sandbox::new();
    let index: String = (0..200).map(|n| index_line(&format!("f{n}"), &(n / 2).to_string(), 5, MTIME, "-")).collect();
    let mut records = 0;
    for number in 1..=4 {
        let outcome = sandbox.run("ms-dupes", &[format!("--shard={number}/4")], index.as_bytes()).expect_status(0);
        let (count, _) =
            outcome.stderr.strip_prefix("ms-dupes: ").and_then(|text| text.split_once(' ')).expect("count");
        let count: usize = count.parse().expect("a number");
        assert!((20..80).contains(&count), "uneven: {count}");
        assert_eq!(outcome.lines().len(), count / 2);
        records += count;
    }
    assert_eq!(records, 200);
}

#[test]
fn records_without_a_hash_are_told_of_by_one_shard() {
    let sandbox = Sandbox::new();
    let index = "a\t-\t5\nb\t-\t5\n";
    sandbox
        .run("ms-dupes", &["--shard=1/3"], index.as_bytes())
        .expect_status(0)
        .expect_stderr("2 records without a hash");
    let second = sandbox.run("ms-dupes", &["--shard=2/3"], index.as_bytes()).expect_status(0);
    assert!(!second.stderr.contains("without a hash"), "{}", second.stderr);
}

#[test]
fn destinations_that_could_meet_in_another_shard_are_refused() {
    let sandbox = Sandbox::new();
    for odd in ["/abs", "x/../a"] {
        let index = index_line("b", "1", 5, MTIME, "-") + &index_line(odd, "2", 5, MTIME, "-");
        let outcome = sandbox.run("ms-dupes", &["--shard=1/2"], index.as_bytes()).expect_status(2);
        assert!(outcome.stdout.is_empty());
        outcome.expect_stderr("--shard: ").expect_stderr("ms-crawl -a");
        sandbox.run("ms-dupes", &["--shard=1/2", "-u"], index.as_bytes()).expect_status(0);
    }
}

#[test]
fn a_marker_in_any_shard_protects() {
    let sandbox = Sandbox::new();
    let index = [("keep/x", "same"), ("a", "same"), ("keep/.ms-protect", "marker")];
    let index: String = index.iter().map(|(path, content)| index_line(path, content, 4, MTIME, "-")).collect();
    let rows: Vec<String> = (1..=7)
        .flat_map(|number| sandbox.run("ms-dupes", &[format!("--shard={number}/7")], index.as_bytes()).column(0))
        .collect();
    assert_eq!(rows, ["a"]);
}

#[test]
fn what_is_no_shard_is_wrong_usage() {
    let sandbox = Sandbox::new();
    for value in ["0/3", "4/3", "x", "1"] {
        sandbox
            .run("ms-dupes", &["--shard", value], b"")
            .expect_status(2)
            .expect_stderr(&format!("ms-dupes: --shard: \"{value}\" is not K/N"));
    }
}
