//! `ms-dupes` on random records and random trees: the plan depends on what the records say and on nothing else.

use crate::support;

use proptest::prelude::*;
use std::collections::BTreeMap;
use std::io::Read as _;
use std::process::{Child, Stdio};
use support::{Sandbox, hash, index_line};

/// A file of a made-up index: what it holds, when it was changed, and how many names it has.
#[derive(Debug, Clone)]
struct MadeUp {
    content: u8,
    seconds: i64,
    names: usize,
    has_id: bool,
}

fn files() -> impl Strategy<Value = Vec<MadeUp>> {
    let file = (0..6u8, -3..3i64, 1..4usize, any::<bool>()).prop_map(|(content, seconds, names, has_id)| MadeUp {
        content,
        seconds,
        // Without an id, two names cannot be told from two files.
        names: if has_id { names } else { 1 },
        has_id,
    });
    prop::collection::vec(file, 0..25)
}

/// One line for each name of each file; content 0 is the empty one.
fn lines_of(files: &[MadeUp]) -> Vec<String> {
    let mut lines = Vec::new();
    for (number, file) in files.iter().enumerate() {
        let size = u64::from(file.content) * 10;
        let id = if file.has_id { format!("9:{number}") } else { "-".to_owned() };
        for name in 0..file.names {
            let path = format!("d{}/{:02}", (number + name) % 4, (number * 7 + name * 31) % 100 + 100 * name);
            lines.push(index_line(&path, &file.content.to_string(), size, &format!("{}.000000000", file.seconds), &id));
        }
    }
    lines
}

/// What stays and what goes by the plain reading of the rules, for `--keep first` and no protection.
fn expected_moves(lines: &[String]) -> Vec<(String, String)> {
    let mut contents: BTreeMap<&str, BTreeMap<String, Vec<&str>>> = BTreeMap::new();
    for line in lines {
        let fields: Vec<&str> = line.trim_end().split('\t').collect();
        if fields[2] != "0" {
            let file = if fields[4] == "-" { fields[0].to_owned() } else { fields[4].to_owned() };
            contents.entry(fields[1]).or_default().entry(file).or_default().push(fields[0]);
        }
    }
    let mut moves = Vec::new();
    for files in contents.values() {
        let keeper = files.values().min_by_key(|names| names.iter().min()).expect("no content without a file");
        let keep = keeper.iter().min().expect("no file without a name");
        let losers = files.values().filter(|names| *names != keeper).flatten();
        moves.extend(losers.map(|path| ((*path).to_owned(), (*keep).to_owned())));
    }
    moves.sort();
    moves
}

const OPTIONS: [&[&str]; 9] = [
    &[],
    &["-u"],
    &["-g"],
    &["--empty"],
    &["--keep", "oldest", "-g"],
    &["--keep", "newest", "--prefer", "d2"],
    &["--protect", "d1", "--keep", "shortest"],
    &["--protect", "d3", "-u"],
    &["--prefer", "d3", "--prefer", "d0", "--to", "d1/q"],
];

/// A sandbox in which the directories of the made-up paths are real.
fn sandbox_with_directories() -> Sandbox {
    let sandbox = Sandbox::new();
    for number in 0..4 {
        sandbox.mkdir(format!("d{number}"));
    }
    sandbox
}

fn dupes(sandbox: &Sandbox, args: &[&str], index: &str) -> String {
    let outcome = sandbox.run("ms-dupes", args, index.as_bytes()).expect_status(0);
    String::from_utf8(outcome.stdout).expect("streams are UTF-8")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn any_order_of_the_records_gives_the_same_output(
        (sorted, shuffled) in files().prop_map(|files| lines_of(&files)).prop_flat_map(|lines| (Just(lines.clone()), Just(lines).prop_shuffle())),
    ) {
        let sandbox = sandbox_with_directories();
        for args in OPTIONS {
            let expected = dupes(&sandbox, args, &sorted.concat());
            prop_assert_eq!(&dupes(&sandbox, args, &shuffled.concat()), &expected, "{:?}", args);
            // Over several files the records come in pieces, and some of them twice.
            let (front, back) = shuffled.split_at(shuffled.len() / 2);
            sandbox.write("front.tsv", front.concat());
            sandbox.write("back.tsv", back.concat() + &front.concat());
            let args = [args, &["back.tsv", "front.tsv"]].concat();
            prop_assert_eq!(&dupes(&sandbox, &args, ""), &expected, "{:?}", args);
        }
    }

    #[test]
    fn the_plan_is_what_the_rules_say(lines in files().prop_map(|files| lines_of(&files)).prop_shuffle()) {
        let printed = dupes(&Sandbox::new(), &[], &lines.concat());
        let moves: Vec<_> = printed
            .lines()
            .map(|line| line.split('\t').collect::<Vec<_>>())
            .map(|fields| (fields[0].to_owned(), fields[6].to_owned()))
            .collect();
        prop_assert_eq!(moves, expected_moves(&lines));
    }
}

/// A file of a random tree: one of few sizes, and a byte changed at one of few places.
#[derive(Debug, Clone)]
enum Planted {
    File { size: usize, changed_at: Option<u8> },
    LinkTo(prop::sample::Index),
}

fn trees() -> impl Strategy<Value = Vec<Planted>> {
    let size = prop::sample::select(vec![0, 1, 2, 4095, 4096, 4097, 16_384, 70_000, 300_000]);
    let file = (size, prop::option::of(0..4u8)).prop_map(|(size, changed_at)| Planted::File { size, changed_at });
    let link = any::<prop::sample::Index>().prop_map(Planted::LinkTo);
    prop::collection::vec(prop_oneof![6 => file, 1 => link], 0..40)
}

fn content(size: usize, changed_at: Option<u8>) -> Vec<u8> {
    let mut bytes: Vec<u8> = (0..size).map(|i| (i % 241).to_le_bytes()[0]).collect();
    let at = match changed_at {
        Some(0) => 0,
        Some(1) => size / 2,
        Some(2) => size.saturating_sub(1),
        Some(_) => size.min(4097).saturating_sub(1),
        None => return bytes,
    };
    if let Some(byte) = bytes.get_mut(at) {
        *byte ^= 0xff;
    }
    bytes
}

fn plant(tree: &[Planted]) -> Sandbox {
    let sandbox = sandbox_with_directories();
    let name = |number: usize| format!("d{}/{:02}", number % 3, (number * 37) % 100);
    for (number, planted) in tree.iter().enumerate() {
        match planted {
            Planted::File { size, changed_at } => {
                drop(sandbox.write(name(number), content(*size, *changed_at)));
            }
            Planted::LinkTo(earlier) if number > 0 => {
                sandbox.hard_link(&name(earlier.index(number)), &name(number));
            }
            Planted::LinkTo(_) => {}
        }
    }
    sandbox
}

/// Output lines without the hash, which `--hash dups` leaves out where nothing needs it.
fn without_hashes(printed: &str) -> Vec<Vec<&str>> {
    let columns = |line| str::split(line, '\t').enumerate().filter(|&(i, _)| i != 1).map(|(_, field)| field).collect();
    printed.lines().map(columns).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20))]

    #[test]
    fn hashing_only_candidates_gives_the_plan_of_hashing_all(tree in trees()) {
        // A link needs a file before it.
        prop_assume!(!matches!(tree.first(), Some(Planted::LinkTo(_))));
        let sandbox = plant(&tree);
        let crawl = |how: &str| {
            let outcome = sandbox.run("ms-crawl", &["--hash", how, "d0", "d1", "d2"], b"").expect_status(0);
            String::from_utf8(outcome.stdout).expect("streams are UTF-8")
        };
        let (all, dups) = (crawl("all"), crawl("dups"));
        for args in OPTIONS {
            let (by_all, by_dups) = (dupes(&sandbox, args, &all), dupes(&sandbox, args, &dups));
            if args.contains(&"-u") {
                prop_assert_eq!(without_hashes(&by_dups), without_hashes(&by_all), "{:?}", args);
            } else {
                prop_assert_eq!(by_dups, by_all, "{:?}", args);
            }
        }
        for line in dups.lines() {
            let fields: Vec<_> = line.split('\t').collect();
            let read = sandbox.read(fields[0]);
            prop_assert!(fields[1] == "-" || fields[1] == hash(&read), "a wrong hash: {}", line);
        }
    }
}

/// The peak resident size in KiB, read while the tool still has output to hand over and so cannot have ended.
fn peak_while_reading(child: &mut Child) -> u64 {
    let mut stdout = child.stdout.take().expect("stdout");
    let mut block = vec![0; 1 << 16];
    let mut peak = 0;
    while stdout.read(&mut block).expect("output") > 0 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok());
        peak = peak.max(kib.unwrap_or(0));
    }
    peak
}

#[test]
fn memory_grows_by_little_more_than_the_index() {
    let sandbox = Sandbox::new();
    let records = 400_000_u64;
    let index: String = (0..records)
        .map(|i| {
            index_line(
                &format!("archive/{:02}/a-file-name-of-usual-length-{i:08}.jpg", i % 89),
                &(i / 2).to_string(),
                1000 + i / 2,
                "1500000000.000000000",
                &format!("2049:{i}"),
            )
        })
        .collect();
    sandbox.write("index.tsv", &index);
    let mut child = sandbox
        .command("ms-dupes")
        .args(["-q", "index.tsv"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the tool starts");

    let peak = peak_while_reading(&mut child);

    assert_eq!(support::exit_status(child.wait().expect("the tool ends")), 0);
    assert!(peak > 0, "the peak was never read");
    // Pages of the mapped index count as resident; the rest is 40 bytes a record, doubled for growth, and the program itself.
    let allowed = (index.len() as u64 + records * 80 + (32 << 20)) / 1024;
    assert!(peak <= allowed, "{peak} KiB for {records} records, {allowed} allowed");
}
