//! `ms-verify` between other tools: order, plans, closed pipes, interrupts, and what the archive proves.

use crate::support;

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::process::Stdio;
use support::{Sandbox, exit_status, hash, set_mtime};

/// Three originals in `photos`, of which two are in `Archive`, and copies of all in the quarantine.
fn photos() -> Sandbox {
    let sandbox = Sandbox::new();
    for (name, content) in [
        ("Archive/0001/2012/a.jpg", "picture a"),
        ("Archive/0001/2012/b.jpg", "picture b"),
        ("photos/a.jpg", "picture a"),
        ("photos/b.jpg", "picture b"),
        ("photos/c.jpg", "picture c"),
        ("photos/again/a.jpg", "picture a"),
        ("photos/again/b.jpg", "picture b"),
        ("photos/again/c.jpg", "picture c"),
    ] {
        set_mtime(&sandbox.write(name, content), 1_500_000_000, 5);
    }
    sandbox
}

#[test]
fn records_come_out_in_the_order_of_the_input_whatever_the_number_of_threads() {
    let sandbox = Sandbox::new();
    for number in 0..2000 {
        sandbox.write(format!("d/{number}"), number.to_string());
    }
    let large = fs::File::create(sandbox.path("d/large")).expect("file");
    large.set_len(70 << 20).expect("length");
    let index = sandbox.shell("ms-crawl -q d | sort -k 2,2 | tee index").expect_status(0).stdout;
    for number in (0..2000).step_by(7) {
        sandbox.write(format!("d/{number}"), "another content");
    }
    let one = sandbox.run("ms-verify", &["-j", "1"], &index).expect_status(1);
    let many = sandbox.run("ms-verify", &["-j", "5"], &index).expect_status(1);
    assert_eq!(one.stdout, many.stdout);
    assert_eq!(one.stderr, many.stderr, "messages come in order, too");
    let failed = sandbox.run("ms-verify", &["--failed", "-q"], &index).expect_status(1);
    let held: Vec<_> = one.rows().into_iter().map(|row| row[0].clone()).collect();
    let failed: Vec<_> = failed.rows().into_iter().map(|row| row[0].clone()).collect();
    assert_eq!((held.len(), failed.len()), (2001 - 286, 286));
    let all: Vec<String> = String::from_utf8(index)
        .expect("UTF-8")
        .lines()
        .map(|line| line[..line.find('\t').expect("tab")].to_owned())
        .collect();
    for part in [held, failed] {
        let mut from = all.iter();
        assert!(part.iter().all(|path| from.any(|known| known == path)), "not in the order of the input");
    }
}

#[test]
fn more_records_than_a_portion_has_come_out_whole() {
    let sandbox = Sandbox::new();
    sandbox.write("a", "a");
    let line = format!("a\t{}\t1\n", hash(b"a"));
    let index = line.repeat(40_000) + &format!("b\t-\t1\n{line}");
    let outcome = sandbox.run("ms-verify", &[] as &[&str], index.as_bytes()).expect_status(1);
    assert!(outcome.stdout == line.repeat(40_001).as_bytes());
    outcome.expect_stderr("40,002 records: 40,001 hold (40.0 kB read), 1 missing");
}

#[test]
fn a_plan_stays_a_plan() {
    let sandbox = photos();
    let plan = sandbox.shell("ms-crawl -q photos | ms-dupes -q | tee plan.tsv").expect_status(0).stdout;
    let same = sandbox.run("ms-verify", &["plan.tsv"], b"").expect_status(0);
    assert_eq!(same.stdout, plan);
    assert_eq!(same.rows()[0].len(), 8);
    // What goes through CSV is the same plan.
    let moved =
        sandbox.shell("ms-verify -q --csv plan.tsv | ms-verify -q --header | ms-mv -q | ms-verify -q").expect_status(0);
    assert_eq!(moved.rows().len(), 3);
    assert!(moved.rows().iter().all(|row| row.len() == 8 && row[0].starts_with("duplicates/photos/")));
    assert!(!sandbox.exists("photos/b.jpg") && sandbox.exists("photos/again/b.jpg"));
    // A ninth column means nothing, and fewer columns than a plan has stay few.
    let odd = format!("photos/a.jpg\t{}\t9\t-\t-\td\tk\tn\tnine\nphotos/again/b.jpg\t-\t9\t-\n", hash(b"picture a"));
    let outcome = sandbox.run("ms-verify", &["-q"], odd.as_bytes()).expect_status(0);
    assert_eq!(outcome.stdout, odd.replace("\tnine", "").as_bytes());
    let failed = "gone\t-\t9\t-\t-\tdest\tkeep\tnote\n";
    let outcome = sandbox.run("ms-verify", &["-q", "--failed"], failed.as_bytes()).expect_status(1);
    assert_eq!(outcome.stdout, failed.replace("note", "missing").as_bytes());
}

#[test]
fn quarantined_files_that_are_proved_to_be_in_the_archive_are_listed() {
    let sandbox = photos();
    sandbox.shell("ms-crawl -q photos | ms-dupes -q | ms-mv -q").expect_status(0);
    sandbox.shell("ms-crawl -q Archive > archive.tsv").expect_status(0);
    let proved = |archive: &str| {
        sandbox
            .shell(&format!("{{ ms-crawl -q duplicates; {archive}; }} | ms-dupes -q --protect Archive --to proved"))
            .column(0)
    };
    // By default, what is in the quarantine is not considered; where that leaves nothing, it is said.
    let nothing = sandbox.shell("{ ms-crawl -q duplicates; cat archive.tsv; } | ms-dupes --protect Archive");
    assert!(nothing.stdout.is_empty());
    nothing.expect_stderr("records in the quarantine, duplicates, are not considered; --to names another");
    let both = ["duplicates/photos/a.jpg", "duplicates/photos/b.jpg"]
        .map(|path| if sandbox.exists(path) { path.to_owned() } else { path.replace("photos/", "photos/again/") });
    assert_eq!(proved("cat archive.tsv"), both);
    // An index that was true once proves less than one that still holds.
    sandbox.write("Archive/0001/2012/a.jpg", "pictuRe a");
    set_mtime(&sandbox.path("Archive/0001/2012/a.jpg"), 1_500_000_000, 5);
    assert_eq!(proved("cat archive.tsv"), both);
    assert_eq!(proved("ms-verify -q archive.tsv"), both[1..]);
    // From anywhere but beside the quarantine, --to is not needed.
    let line =
        "cd photos && { ms-crawl -q -a ../duplicates; ms-crawl -q -a ../Archive; } | ms-dupes -q --protect ../Archive";
    assert_eq!(sandbox.shell(line).expect_status(0).rows().len(), 1);
}

#[test]
fn a_good_copy_of_what_has_rotted_is_found() {
    let sandbox = photos();
    sandbox.shell("ms-crawl -q Archive > archive.tsv; ms-crawl -q photos > live.tsv").expect_status(0);
    sandbox.write("Archive/0001/2012/a.jpg", "pictuRe a");
    set_mtime(&sandbox.path("Archive/0001/2012/a.jpg"), 1_500_000_000, 5);
    let line = "ms-verify -q --failed archive.tsv | cut -f 2 | grep -F -f - live.tsv | ms-verify -q";
    // The rot is in the exit status of the first.
    let mut found = sandbox.shell(line).expect_status(1).column(0);
    found.sort();
    assert_eq!(found, ["photos/a.jpg", "photos/again/a.jpg"]);
}

#[test]
fn what_has_rotted_is_no_reason_to_move_a_good_copy() {
    let sandbox = photos();
    sandbox.shell("ms-crawl -q Archive > archive.tsv; ms-crawl -q photos > live.tsv").expect_status(0);
    sandbox.write("Archive/0001/2012/a.jpg", "pictuRe a");
    set_mtime(&sandbox.path("Archive/0001/2012/a.jpg"), 1_500_000_000, 5);
    let line = "{ ms-verify -q --failed archive.tsv; ms-verify -q live.tsv; } | ms-dupes --protect Archive";
    let outcome = sandbox.shell(line).expect_status(0).expect_stderr("1 record left out: ms-verify has found");
    assert!(outcome.column(6).iter().all(|keep| keep != "Archive/0001/2012/a.jpg"), "{:?}", outcome.rows());
}

#[test]
fn where_no_file_is_there_it_says_what_may_be_the_matter() {
    let sandbox = photos();
    sandbox.shell("ms-crawl -q photos > live.tsv; mkdir elsewhere").expect_status(0);
    sandbox.shell("cd elsewhere && ms-verify ../live.tsv").expect_status(1).expect_stderr("--root DIR");
}

#[test]
fn what_does_not_hold_can_be_crawled_again() {
    let sandbox = photos();
    sandbox.shell("ms-crawl -q photos > index.tsv").expect_status(0);
    sandbox.write("photos/a.jpg", "picture a, edited");
    let line = "{ ms-verify -q index.tsv; ms-verify -q --failed --quick index.tsv | cut -f 1 | ms-crawl -q --files-from -; } 2> errors | sort > new.tsv; ms-crawl -q photos | sort | cmp - new.tsv";
    sandbox.shell(line).expect_status(0);
}

#[test]
fn a_closed_output_ends_it_quietly() {
    let sandbox = Sandbox::new();
    sandbox.write("a", "a");
    let line = format!("a\t{}\t1\n", hash(b"a"));
    sandbox.write("index", line.repeat(60_000));
    for options in ["", "--csv", "--header"] {
        let outcome = sandbox.shell(&format!("ms-verify {options} index | head -1; echo \"${{PIPESTATUS[0]}}\""));
        let lines = outcome.lines();
        assert_eq!((lines.len(), &*lines[1]), (2, "0"), "{options}: {}", outcome.stderr);
        assert_eq!(outcome.stderr, "", "{options}");
    }
    sandbox
        .shell("ms-verify -q index > /dev/full")
        .expect_status(2)
        .expect_stderr("ms-verify: writing: standard output: No space");
}

#[test]
fn ctrl_c_ends_it_with_whole_lines_and_says_what_was_done() {
    let sandbox = Sandbox::new();
    let file = fs::File::create(sandbox.path("large")).expect("file");
    // Far more than can be read before the signal comes.
    file.set_len(1 << 40).expect("length");
    sandbox.write("a", "a");
    let line = format!("a\t{}\t1\n", hash(b"a"));
    // A whole portion, and then a file that takes for ever.
    let index = line.repeat(1 << 14) + &format!("large\t{}\t{}\n", hash(b""), 1_u64 << 40);
    sandbox.write("index", &index);
    let mut child = sandbox
        .command("ms-verify")
        .args(["-j", "2", "index"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the tool starts");
    let mut stdout = BufReader::new(child.stdout.take().expect("stdout"));
    let mut text = String::new();
    stdout.read_line(&mut text).expect("a line");
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::INT).expect("kill(2)");
    stdout.read_to_string(&mut text).expect("lines");
    let output = child.wait_with_output().expect("the tool ends");
    assert_eq!(exit_status(output.status), 130);
    assert!(text == line.repeat(1 << 14), "{} bytes", text.len());
    let stderr = String::from_utf8(output.stderr).expect("UTF-8");
    assert!(stderr.starts_with("ms-verify: interrupted after 16,384 records: 16,384 hold (16.4 kB read)"), "{stderr}");
}

#[test]
fn progress_tells_how_much_is_left() {
    let sandbox = Sandbox::new();
    sandbox.write("a", vec![7; 100_000]);
    let outcome = sandbox.shell("ms-crawl -q a | ms-verify --progress always").expect_status(0);
    outcome.expect_stderr("ms-verify: 1 file, 100 kB, ");
}

#[test]
fn an_index_that_is_changed_meanwhile_is_not_trusted() {
    let sandbox = Sandbox::new();
    let file = fs::File::create(sandbox.path("large")).expect("file");
    file.set_len(1 << 40).expect("length");
    sandbox.write("a", "a");
    let line = format!("a\t{}\t1\n", hash(b"a"));
    sandbox.write("index", line.repeat(1 << 14) + &format!("b\t-\t{}\n", 5).repeat(1 << 14) + &line);
    // Whoever reads along changes the index after the first line.
    let outcome = sandbox.shell(
        "ms-verify --quick -q index 2> errors | { read -r line; echo x >> index; cat > /dev/null; }; echo \"${PIPESTATUS[0]}\"",
    );
    assert_eq!(outcome.lines(), ["2"]);
    let errors = String::from_utf8(sandbox.read("errors")).expect("UTF-8");
    assert!(errors.contains("ms-verify: reading: index: it was changed meanwhile"), "{errors}");
}

#[test]
fn a_file_that_is_cut_short_while_it_is_read_has_changed() {
    for jobs in ["1", "3"] {
        let sandbox = Sandbox::new();
        // It would be read for hours.
        let file = fs::File::create(sandbox.path("large")).expect("file");
        file.set_len(1 << 40).expect("length");
        let large = sandbox.path("large").canonicalize().expect("path");
        sandbox.write("index", format!("large\t{}\t{}\n", hash(b""), 1_u64 << 40));
        let mut command = sandbox.command("ms-verify");
        command.args(["-j", jobs, "--failed", "index"]).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the tool starts");
        let open = std::path::PathBuf::from(format!("/proc/{}/fd", child.id()));
        let is_open = || {
            let mut open = fs::read_dir(&open).into_iter().flatten().flatten();
            open.any(|entry| fs::read_link(entry.path()).is_ok_and(|target| target == large))
        };
        while !is_open() && child.try_wait().expect("state of the tool").is_none() {
            std::thread::yield_now();
        }
        file.set_len(1 << 20).expect("length");
        let output = child.wait_with_output().expect("the tool ends");
        let stderr = String::from_utf8(output.stderr).expect("UTF-8");
        assert_eq!(exit_status(output.status), 1, "{stderr}");
        assert!(output.stdout.ends_with(b"\tchanged\n"), "-j {jobs}: {stderr}");
        assert!(stderr.contains("verifying: large: changed: it changed while it was read\n"), "{stderr}");
    }
}
