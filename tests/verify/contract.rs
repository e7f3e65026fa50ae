//! `ms-verify`: what holds comes out as it came in, and each way not to hold has its name.

use crate::support;

use std::fs;
use std::process::Stdio;
use std::time::Duration;
use support::index::{LONG_AGO, as_nobody, chmod, watch};
use support::{Outcome, Sandbox, finish, hash, needs, set_mtime};

const NONE: &[&str] = &[];

/// A tree and the index of it, as `ms-crawl --sort d` prints it.
fn indexed(names: &[&str]) -> (Sandbox, String) {
    let sandbox = Sandbox::new();
    for name in names {
        sandbox.old_file(name, format!("content of {name}"));
    }
    let outcome = sandbox.run("ms-crawl", &["--sort", "d"], b"").expect_status(0);
    (sandbox, String::from_utf8(outcome.stdout).expect("UTF-8"))
}

fn verify(sandbox: &Sandbox, args: &[&str], index: &str) -> Outcome {
    sandbox.run("ms-verify", args, index.as_bytes())
}

fn text(outcome: &Outcome) -> String {
    String::from_utf8(outcome.stdout.clone()).expect("UTF-8")
}

/// The lines of a stream that are about these paths, in its order.
fn lines_of(stream: &str, paths: &[&str]) -> String {
    let about = |line: &&str| paths.iter().any(|path| line.split('\t').next() == Some(path));
    support::index::stream(stream.lines().filter(about))
}

/// The same bytes in number under the same time of last change: the disk lies.
fn rot(sandbox: &Sandbox, name: &str) {
    let mut content = sandbox.read(name);
    content[0] ^= 1;
    sandbox.old_file(name, content);
}

/// All ways not to hold, each under its own name, and one that holds.
fn broken() -> (Sandbox, String) {
    let (sandbox, index) =
        indexed(&["d/fine", "d/gone", "d/grown", "d/rotten", "d/touched", "d/dir", "d/loop/x", "d/below/x"]);
    fs::remove_file(sandbox.path("d/gone")).expect("removal");
    fs::write(sandbox.path("d/grown"), "longer than what was there").expect("write");
    set_mtime(&sandbox.path("d/grown"), LONG_AGO.0, LONG_AGO.1);
    rot(&sandbox, "d/rotten");
    set_mtime(&sandbox.path("d/touched"), LONG_AGO.0 + 1, LONG_AGO.1);
    fs::remove_file(sandbox.path("d/dir")).expect("removal");
    sandbox.mkdir("d/dir");
    fs::remove_dir_all(sandbox.path("d/loop")).expect("removal");
    sandbox.symlink("loop", "d/loop");
    // No directory any more: the path leads nowhere.
    fs::remove_dir_all(sandbox.path("d/below")).expect("removal");
    sandbox.write("d/below", "now a file");
    (sandbox, index)
}

#[test]
fn what_holds_comes_out_exactly_as_it_came() {
    let (sandbox, index) = indexed(&["d/a", "d/b", "d/c"]);
    let outcome = verify(&sandbox, NONE, &index).expect_status(0);
    assert_eq!(text(&outcome), index);
    let summary = outcome.stderr.lines().last().expect("a summary");
    assert!(summary.starts_with("ms-verify: 3 records: 3 hold ("), "{summary}");
    assert!(summary.ends_with(" read), 0 missing, 0 changed, 0 rotten, 0 unreadable"), "{summary}");
    assert!(verify(&sandbox, &["--failed"], &index).expect_status(0).stdout.is_empty());
    assert_eq!(verify(&sandbox, &["-q"], &index).expect_status(0).stderr, "");
}

#[test]
fn each_way_not_to_hold_has_its_name() {
    let (sandbox, index) = broken();
    let outcome = verify(&sandbox, &["--failed"], &index).expect_status(1);
    let notes: Vec<_> = outcome.rows().iter().map(|row| (row[0].clone(), row[7].clone())).collect();
    let expected = [
        ("d/below/x", "missing"),
        ("d/dir", "changed"),
        ("d/gone", "missing"),
        ("d/grown", "changed"),
        ("d/loop/x", "unreadable"),
        ("d/rotten", "rotten"),
        ("d/touched", "changed"),
    ];
    assert_eq!(notes, expected.map(|(path, note)| (path.to_owned(), note.to_owned())));
    for (path, note) in &notes {
        assert!(outcome.stderr.contains(&format!("ms-verify: verifying: {path}: {note}")), "{}", outcome.stderr);
    }
    for (row, line) in outcome.rows().iter().zip(index.lines().filter(|line| !line.starts_with("d/fine\t"))) {
        let said: Vec<_> = line.split('\t').collect();
        assert_eq!(row.len(), 8);
        assert_eq!(row[..5], said, "as it came in");
        assert_eq!(row[5..7], ["-", "-"]);
    }
}

#[test]
fn without_failed_only_what_holds_comes_out_and_the_others_are_counted() {
    let (sandbox, index) = broken();
    let outcome = verify(&sandbox, NONE, &index).expect_status(1);
    assert_eq!(text(&outcome), lines_of(&index, &["d/fine"]));
    let summary = outcome.stderr.lines().last().expect("a summary");
    assert!(summary.starts_with("ms-verify: 8 records: 1 hold (") && summary.contains("), 2 missing, "), "{summary}");
    assert!(summary.contains(", 1 rotten, "), "{summary}");
    let quiet = verify(&sandbox, &["-q"], &index).expect_status(1);
    assert_eq!(quiet.stderr.lines().count(), 7, "failures are named all the same: {}", quiet.stderr);
}

#[test]
fn an_unreadable_file_is_told_from_a_missing_one() {
    let (sandbox, index) = indexed(&["d/a", "d/closed/b", "d/locked"]);
    let mut command = as_nobody(&sandbox, "ms-verify");
    chmod(&sandbox.path("d/locked"), 0o000);
    chmod(&sandbox.path("d/closed"), 0o000);
    command.arg("--failed");
    let outcome = finish(command, index.as_bytes());
    chmod(&sandbox.path("d/closed"), 0o755);
    let notes: Vec<_> = outcome.expect_status(1).rows().iter().map(|row| (row[0].clone(), row[7].clone())).collect();
    assert_eq!(
        notes,
        [("d/closed/b", "unreadable"), ("d/locked", "unreadable")].map(|(p, n)| (p.to_owned(), n.to_owned()))
    );
}

#[test]
fn a_read_error_is_an_unreadable_record_and_no_crash() {
    if !needs("strace") {
        return;
    }
    let (sandbox, index) = indexed(&["d/a", "d/bad", "d/z"]);
    sandbox.write("index.tsv", &index);
    for (calls, options) in [("read,readv,pread64,preadv,preadv2", ""), ("read,readv,pread64,preadv,preadv2", "-j 1")] {
        let line = format!(
            "strace -f -qq -o ../trace -P \"$PWD/d/bad\" -P d/bad -e trace={calls},mmap -e inject={calls}:error=EIO \
             ms-verify --failed {options} index.tsv"
        );
        let outcome = sandbox.shell(&line).expect_status(1).expect_stderr("verifying: d/bad: unreadable");
        let trace = String::from_utf8_lossy(&sandbox.read("../trace")).into_owned();
        assert!(trace.contains("INJECTED") && !trace.contains("mmap("), "read(2) and no map: {trace}");
        assert_eq!(
            outcome.rows().iter().map(|row| (&*row[0], &*row[7])).collect::<Vec<_>>(),
            [("d/bad", "unreadable")]
        );
    }
}

#[test]
fn a_plan_stays_a_plan_and_short_rows_stay_short() {
    let (sandbox, index) = indexed(&["d/a", "d/b", "d/c", "d/d"]);
    let rows: Vec<Vec<&str>> = index.lines().map(|line| line.split('\t').collect()).collect();
    let input = format!(
        "{}\n{}\n{}\tout/c\td/a\twhy\n{}\tout/d\t-\t-\tninth\ttenth\n",
        rows[0][..3].join("\t"),
        rows[1][..4].join("\t"),
        rows[2].join("\t"),
        rows[3].join("\t"),
    );
    let outcome = verify(&sandbox, NONE, &input).expect_status(0);
    assert_eq!(text(&outcome), input.replace("\tninth\ttenth", ""), "all columns it had, up to eight");
}

#[test]
fn order_and_repetition_are_those_of_the_input() {
    let sandbox = Sandbox::new();
    for i in 0..200 {
        // One takes so long that the others overtake it.
        sandbox.old_file(format!("d/{i}"), vec![7; if i == 100 { 9 << 20 } else { i }]);
    }
    let index = text(&sandbox.run("ms-crawl", &["--sort", "d"], b"").expect_status(0));
    let mut lines: Vec<_> = index.lines().rev().collect();
    lines.rotate_left(33);
    lines.push(lines[5]);
    let input = support::index::stream(lines.into_iter());
    for jobs in ["1", "8"] {
        assert_eq!(text(&verify(&sandbox, &["-j", jobs], &input).expect_status(0)), input, "-j {jobs}");
    }
}

#[test]
fn the_same_path_twice_is_verified_twice() {
    let (sandbox, index) = indexed(&["d/a"]);
    let wrong = index.replace(&hash(b"content of d/a"), &hash(b"other"));
    let input = format!("{index}{wrong}{index}");
    assert_eq!(text(&verify(&sandbox, NONE, &input).expect_status(1)), format!("{index}{index}"));
    assert_eq!(
        text(&verify(&sandbox, &["--failed"], &input).expect_status(1)),
        format!("{}\t-\t-\trotten\n", wrong.trim_end())
    );
}

#[test]
fn quick_opens_nothing_and_compares_size_and_time() {
    if !needs("strace") {
        return;
    }
    let (sandbox, index) = broken();
    sandbox.write("kept.tsv", &index);
    let watched = watch(&sandbox, "ms-verify", &["--quick", "kept.tsv"]);
    assert_eq!(watched.opened, ["kept.tsv"]);
    assert_eq!(text(&watched.outcome.expect_status(1)), lines_of(&index, &["d/fine", "d/rotten"]));
}

#[test]
fn a_record_without_a_hash_is_compared_by_size_and_time_with_a_warning() {
    if !needs("strace") {
        return;
    }
    let (sandbox, index) = indexed(&["d/a", "d/b", "d/c"]);
    let input = index.replace(&hash(b"content of d/b"), "-").replace(&hash(b"content of d/c"), "-");
    set_mtime(&sandbox.path("d/c"), LONG_AGO.0 + 5, 0);
    sandbox.write("kept.tsv", &input);
    let watched = watch(&sandbox, "ms-verify", &["kept.tsv"]);
    assert_eq!(watched.opened, ["d/a", "kept.tsv"]);
    let outcome = watched.outcome.expect_status(1).expect_stderr("verifying: d/c: changed").expect_stderr("hash");
    assert_eq!(text(&outcome), lines_of(&input, &["d/a", "d/b"]));
}

#[test]
fn what_is_not_known_is_not_compared() {
    let (sandbox, index) = indexed(&["d/a", "d/b"]);
    let input = index.replace("1500000000.123456789", "-");
    set_mtime(&sandbox.path("d/a"), 5, 0);
    assert_eq!(text(&verify(&sandbox, NONE, &input).expect_status(0)), input);
    rot(&sandbox, "d/b");
    let failed = verify(&sandbox, &["--failed"], &input).expect_status(1);
    assert_eq!(failed.rows()[0][7], "rotten", "what is known of size and time is the same");
}

#[test]
fn a_time_cut_down_by_a_coarse_filesystem_is_no_change() {
    // The record's time, the file's, and whether the second is the first on a coarser clock.
    for (said, (seconds, nanoseconds), holds) in [
        ("1500000001.123456789", (1_500_000_001, 123_456_789), true),
        ("1500000001.123456789", (1_500_000_001, 123_456_700), true),
        ("1500000001.123456789", (1_500_000_001, 123_456_000), true),
        ("1500000001.123456789", (1_500_000_001, 120_000_000), true),
        ("1500000001.123456789", (1_500_000_001, 0), true),
        ("1500000001.123456789", (1_500_000_000, 0), true),
        ("1500000001.000000000", (1_500_000_000, 0), true),
        ("1500000001.123456789", (1_500_000_002, 0), false),
        ("1500000001.123456789", (1_500_000_001, 123_456_788), false),
        ("1500000001.123456789", (1_500_000_001, 123_457_000), false),
        ("1500000001.123456789", (1_500_000_001, 130_000_000), false),
        ("1500000001.123456789", (1_499_999_999, 0), false),
        ("1500000002.123456789", (1_500_000_001, 0), false),
        ("1500000001.000000000", (1_500_000_001, 500_000_000), false),
    ] {
        let (sandbox, index) = indexed(&["d/a"]);
        set_mtime(&sandbox.path("d/a"), seconds, nanoseconds);
        let input = index.replace("1500000000.123456789", said);
        for mode in [NONE, &["--quick"]] {
            let outcome = verify(&sandbox, mode, &input);
            let found = format!("{said} found as {seconds}.{nanoseconds:09} {mode:?}: {}", outcome.stderr);
            assert_eq!((outcome.status == 0, text(&outcome) == input), (holds, holds), "{found}");
        }
    }
}

#[test]
fn another_id_is_no_failure() {
    let (sandbox, index) = indexed(&["d/a", "d/b"]);
    sandbox.shell("cp -a d copy && rm -r d && mv copy d").expect_status(0);
    assert_eq!(text(&verify(&sandbox, NONE, &index).expect_status(0)), index);
    let other =
        index.lines().map(|line| line.rsplit_once('\t').expect("columns").0.to_owned() + "\t1:1\n").collect::<String>();
    assert_eq!(text(&verify(&sandbox, NONE, &other).expect_status(0)), other);
}

#[test]
fn root_resolves_relative_paths_elsewhere_and_leaves_the_records_alone() {
    let (sandbox, index) = indexed(&["d/a", "d/deep/b"]);
    let absolute = sandbox.run("ms-crawl", &["--sort", "-a", "d"], b"").expect_status(0);
    sandbox.mkdir("mnt/disc");
    sandbox.shell("cp -a d mnt/disc/").expect_status(0);
    rot(&sandbox, "d/a");
    let disc = sandbox.path("mnt/disc").display().to_string();
    for root in ["mnt/disc", &disc, "mnt/disc/"] {
        assert_eq!(text(&verify(&sandbox, &["--root", root], &index).expect_status(0)), index, "{root}");
        let outcome = sandbox.run("ms-verify", &["--root", root, "--failed"], &absolute.stdout).expect_status(1);
        assert_eq!(outcome.rows().len(), 1, "absolute paths are used as they are");
    }
    verify(&sandbox, &["--root", "mnt"], &index).expect_status(1);
}

#[test]
fn csv_in_and_every_form_out() {
    let (sandbox, index) = indexed(&["d/a,b", "d/c\"d", "d/e"]);
    let csv = sandbox.run("ms-crawl", &["--sort", "--csv", "d"], b"").expect_status(0);
    let header = sandbox.run("ms-crawl", &["--sort", "--header", "d"], b"").expect_status(0);
    for input in [&csv.stdout, &header.stdout, &index.clone().into_bytes()] {
        assert_eq!(text(&sandbox.run("ms-verify", NONE, input).expect_status(0)), index);
        assert_eq!(sandbox.run("ms-verify", &["--csv"], input).expect_status(0).stdout, csv.stdout);
        let bare = text(&sandbox.run("ms-verify", &["--csv", "--no-header"], input).expect_status(0));
        assert_eq!(Some(&*bare), text(&csv).split_once('\n').map(|(_, rest)| rest));
    }
}

#[test]
fn hostile_names_come_back_byte_for_byte() {
    let sandbox = Sandbox::new();
    for bytes in [&b"tab\there"[..], b"line\nend", b"back\\slash", b"\xff raw", b" x ", b"\\", b"a  b"] {
        sandbox.old_file(sandbox.path("d").join(support::name(bytes)), bytes);
    }
    let index = sandbox.run("ms-crawl", &["d"], b"").expect_status(0);
    assert_eq!(sandbox.run("ms-verify", NONE, &index.stdout).expect_status(0).stdout, index.stdout);
}

#[test]
fn a_malformed_stream_is_not_acted_on_unless_told() {
    let (sandbox, index) = indexed(&["d/a", "d/b"]);
    let input = format!("{index}d/c\tno hash\t5\n");
    let outcome = verify(&sandbox, NONE, &input).expect_status(2);
    assert!(outcome.stdout.is_empty());
    let outcome = verify(&sandbox, &["--skip-bad-lines"], &input).expect_status(1);
    assert_eq!(text(&outcome), index);
    for option in [NONE, &["--skip-bad-lines"]] {
        let outcome = verify(&sandbox, option, index.trim_end()).expect_status(2);
        assert!(outcome.stdout.is_empty(), "cut off");
    }
    sandbox.run("ms-verify", &["no-such-index"], b"").expect_status(2).expect_stderr("no-such-index: ");
}

#[test]
fn an_empty_index_holds() {
    let sandbox = Sandbox::new();
    assert!(verify(&sandbox, NONE, "").expect_status(0).stdout.is_empty());
}

#[test]
fn a_closed_output_pipe_ends_it_quietly() {
    let (sandbox, index) = indexed(&["d/a"]);
    sandbox.write("index.tsv", index.repeat(3000));
    let outcome = sandbox.shell("ms-verify -q index.tsv | head -n 1; echo \"${PIPESTATUS[0]}\"");
    assert_eq!((outcome.lines().last().map(String::as_str), &*outcome.stderr), (Some("0"), ""));
}

#[test]
fn help_version_and_wrong_usage_are_as_everywhere() {
    let sandbox = Sandbox::new();
    let help = sandbox.run("ms-verify", &["--help"], b"").expect_status(0).lines().join("\n");
    let options = "--failed --quick --root --skip-bad-lines --csv --header --jobs --quiet --progress";
    let missing: Vec<_> = options.split(' ').filter(|option| !help.contains(option)).collect();
    assert_eq!(missing, [""; 0], "{help}");
    assert!(sandbox.run("ms-verify", &["-V"], b"").expect_status(0).lines()[0].contains("ms-verify"));
    for args in [&["--bogus"][..], &["--jobs", "0"], &["--root"]] {
        sandbox.run("ms-verify", args, b"").expect_status(2).expect_stderr(args[0]);
    }
}

#[test]
fn a_file_that_changes_while_it_is_read_is_changed() {
    for doubling in 0..5 {
        let sandbox = Sandbox::new();
        let path = sandbox.old_file("d/large", "");
        fs::File::options()
            .write(true)
            .open(&path)
            .and_then(|file| file.set_len(128 << (20 + doubling)))
            .expect("size");
        set_mtime(&path, LONG_AGO.0, LONG_AGO.1);
        let index = sandbox.run("ms-crawl", &["d"], b"").expect_status(0);
        sandbox.write("index.tsv", &index.stdout);
        let mut command = sandbox.command("ms-verify");
        command.args(["-j", "1", "--failed", "index.tsv"]);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("ms-verify starts");
        let open = format!("/proc/{}/fd", child.id());
        let is_open = || {
            fs::read_dir(&open)
                .into_iter()
                .flatten()
                .flatten()
                .any(|fd| fs::read_link(fd.path()).is_ok_and(|to| to.ends_with("d/large")))
        };
        while child.try_wait().expect("state").is_none() && !is_open() {
            std::thread::sleep(Duration::from_micros(200));
        }
        let append = fs::File::options().append(true).open(&path);
        append.and_then(|mut file| std::io::Write::write_all(&mut file, b"more")).expect("growth");
        let output = child.wait_with_output().expect("the end");
        let stdout = String::from_utf8(output.stdout).expect("UTF-8");
        if !stdout.is_empty() {
            assert!(stdout.ends_with("\tchanged\n"), "{stdout}");
            return;
        }
    }
    panic!("of five changes none was noticed");
}
