//! What a newcomer is told: what a tool waits for, what to write, and which command comes next.

use std::process::Command;

use crate::support::{Outcome, Sandbox, bin, finish, needs, snapshot};

/// Runs a line, and gives the command that its messages tell behind these words.
#[track_caller]
fn told(sandbox: &Sandbox, line: &str, words: &str) -> String {
    let outcome = sandbox.shell(line).expect_status(0);
    let (_, command) = outcome.stderr.split_once(words).unwrap_or_else(|| panic!("{line}: {}", outcome.stderr));
    command.lines().next().unwrap_or_default().to_owned()
}

#[test]
fn the_commands_that_are_told_lead_from_a_collection_to_moves_and_back() {
    let sandbox = Sandbox::new();
    let find = told(&sandbox, "ms-gen --files 20 'my photos' > /dev/null", "; next: ");
    assert_eq!(find, "ms-crawl 'my photos' | ms-dupes > plan.tsv");
    let before = snapshot(&sandbox.path("my photos"));
    let dupes = told(&sandbox, "ms-crawl 'my photos' > \"it's an index\"", "; to find duplicates: ");
    assert_eq!(dupes, r"ms-dupes 'it'\''s an index'");
    let same = told(&sandbox, &format!("{dupes} > $'a\\tplan'"), "; to move them: ");
    let mv = told(&sandbox, &find, "; to move them: ");
    assert_eq!((same.as_str(), mv.as_str()), (r"ms-mv $'a\011plan'", "ms-mv plan.tsv"));
    assert_eq!(sandbox.read("a\tplan"), sandbox.read("plan.tsv"));
    let undo = told(&sandbox, &format!("{same} > moved.tsv"), "; to undo: ");
    assert_ne!(snapshot(&sandbox.path("my photos")), before, "something was moved");
    sandbox.shell(&undo).expect_status(0);
    assert_eq!(snapshot(&sandbox.path("my photos")), before);
}

#[test]
fn the_commands_that_are_told_lead_from_an_index_to_a_burned_volume() {
    let sandbox = Sandbox::new();
    sandbox.shell("ms-gen -q --files 40 --total 4M photos; ms-crawl photos > i.tsv").expect_status(0);
    let pack = told(&sandbox, "ms-dupes -u i.tsv > unique.tsv", "; to archive them: ");
    assert_eq!(pack, "ms-pack --to ARCHIVE unique.tsv");
    let pack = pack.replace("ARCHIVE", "'the archive' --capacity 2M > pack.tsv");
    let seal = told(&sandbox, &pack, "ms-pack: to fill and seal them: ");
    assert_eq!(seal, "ms-mv pack.tsv | ms-seal 'the archive'");
    let burned = told(&sandbox, &format!("{seal} > /dev/null"), "; when a disc is burned (man 7 mediastruct): ");
    assert_eq!(burned, "ms-seal --burned 0001 'the archive'");
    let check = told(&sandbox, &format!("{burned} > /dev/null"), "; to check the disc, where it is mounted on /mnt: ");
    assert_eq!(check, "ms-verify --root /mnt 'the archive/0001/index.json'");
    sandbox.shell(&check.replace("/mnt", "'the archive/0001'")).expect_status(0).expect_stderr(" 0 missing, 0 changed");
}

#[test]
fn ingest_and_rehearsals_tell_how_to_go_on() {
    let sandbox = Sandbox::new();
    sandbox.shell("ms-gen -q --files 8 drop").expect_status(0);
    let mv = told(&sandbox, "ms-ingest --to photos drop > plan.tsv", "; to move them: ");
    assert_eq!(mv, "ms-mv plan.tsv");
    let rehearsal = sandbox.shell(&format!("{mv} --dry-run > /dev/null")).expect_status(0);
    assert!(rehearsal.stderr.ends_with("; to do it: the same without --dry-run\n"), "{}", rehearsal.stderr);
    sandbox.shell("ms-crawl drop > index.tsv; cut -f 1 index.tsv | xargs -d '\\n' touch").expect_status(0);
    let verified = sandbox.shell("ms-verify index.tsv > holds.tsv").expect_status(1);
    assert!(verified.stderr.ends_with("; what to do now: man 7 mediastruct\n"), "{}", verified.stderr);
    sandbox.shell("rm -r drop/*").expect_status(0);
    sandbox.shell("ms-verify index.tsv > /dev/null").expect_status(1).expect_stderr("is their disk mounted?");
}

#[test]
fn where_a_program_reads_the_output_no_command_is_told() {
    let sandbox = Sandbox::new();
    sandbox.shell("ms-gen -q --files 20 photos; ms-crawl -q photos > index.tsv").expect_status(0);
    let pipelines = [
        "ms-crawl photos | cat",
        "ms-dupes index.tsv | cat",
        "ms-dupes index.tsv > both 2>&1; cat both >&2",
        "ms-crawl photos > /dev/null",
        "ms-ingest --to to photos | cat",
        "ms-pack --to a --capacity 1M index.tsv | cat",
        "ms-crawl --hash none photos > sizes.tsv",
        "ms-crawl --min-size 1T photos > none.tsv",
    ];
    for line in pipelines {
        let stderr = sandbox.shell(line).expect_status(0).stderr;
        let messages: Vec<&str> = stderr.lines().filter(|line| line.starts_with("ms-")).collect();
        assert!(!messages.is_empty() && messages.iter().all(|line| !line[3..].contains("ms-")), "{line}: {stderr}");
    }
}

/// Runs a command on a terminal where nothing but Ctrl-D is typed.
fn at_terminal(sandbox: &Sandbox, tool: &str, args: &str) -> Outcome {
    let mut command = Command::new("timeout");
    command.args(["-s", "KILL", "60", "script", "-qec"]).arg(format!("{} {args}", bin(tool))).arg("/dev/null");
    command.current_dir(sandbox.work()).env("XDG_STATE_HOME", sandbox.state()).env("TERM", "dumb");
    finish(command, b"\x04")
}

#[test]
fn at_a_terminal_a_tool_says_what_it_waits_for() {
    if !needs("script") {
        return;
    }
    let sandbox = Sandbox::new();
    sandbox.mkdir("Archive");
    for (tool, args, what) in [
        ("ms-mv", "", "a plan"),
        ("ms-mv", "-", "a plan"),
        ("ms-dupes", "", "an index"),
        ("ms-verify", "", "an index"),
        ("ms-pack", "--to Archive", "an index"),
        ("ms-ingest", "--to photos", "an index"),
        ("ms-seal", "Archive", "the output of ms-mv"),
        ("ms-crawl", "--files-from -", "names of files"),
    ] {
        let outcome = at_terminal(&sandbox, tool, args).expect_status(0);
        let shown = String::from_utf8(outcome.stdout).expect("UTF-8");
        let expected =
            format!("{tool}: reading {what} from the terminal; Ctrl-D ends it; {tool} --help tells more\r\n");
        assert!(shown.contains(&expected), "{tool} {args}: {shown:?}");
        let piped = sandbox.run(tool, &args.split_whitespace().collect::<Vec<_>>(), b"").expect_status(0);
        assert!(!piped.stderr.contains("terminal"), "{}", piped.stderr);
    }
    for (tool, args) in [("ms-mv", "--undo"), ("ms-seal", "--all Archive"), ("ms-seal", "--list Archive")] {
        let outcome = at_terminal(&sandbox, tool, args);
        assert!(!String::from_utf8_lossy(&outcome.stdout).contains("Ctrl-D"), "{tool} {args}");
    }
}

#[test]
fn at_a_terminal_the_next_command_is_told() {
    if !needs("script") {
        return;
    }
    let sandbox = Sandbox::new();
    sandbox.shell("ms-gen -q --files 20 photos; ms-crawl -q photos > index.tsv").expect_status(0);
    for (tool, args, next) in [
        ("ms-crawl", "photos", "; to find duplicates: the same again with | ms-dupes"),
        ("ms-dupes", "index.tsv", "; to move them: the same again with | ms-mv"),
        ("ms-pack", "--to a --capacity 1M index.tsv", "to fill and seal them: the same again with | ms-mv | ms-seal a"),
    ] {
        let outcome = at_terminal(&sandbox, tool, args).expect_status(0);
        let shown = String::from_utf8(outcome.stdout).expect("UTF-8");
        assert!(shown.contains(&format!("{next}\r\n")), "{tool}: {shown}");
    }
}

#[test]
fn what_is_missing_is_told_with_a_command_that_has_it() {
    let sandbox = Sandbox::new();
    for (tool, missing, example) in [
        ("ms-ingest", "--to: the directory", "ms-ingest --to ~/photos /media/card | ms-mv"),
        ("ms-pack", "--to: the directory", "ms-crawl ~/photos | ms-pack --to /Archive | ms-mv | ms-seal /Archive"),
        ("ms-seal", "ARCHIVE: the directory", "ms-mv plan.tsv | ms-seal /Archive"),
        ("ms-gen", "DIR is missing", "ms-gen photos"),
    ] {
        let outcome = sandbox.run(tool, &[] as &[&str], b"").expect_status(2);
        assert!(outcome.stderr.starts_with(&format!("{tool}: {missing}")), "{}", outcome.stderr);
        outcome.expect_stderr(&format!("write, for instance: {example}\n"));
    }
}

#[test]
fn a_directory_in_place_of_a_stream_is_told_with_what_makes_one() {
    let sandbox = Sandbox::new();
    sandbox.mkdir("photos");
    for (tool, args, what) in [
        ("ms-mv", &["photos"][..], "a plan"),
        ("ms-dupes", &["photos"], "an index"),
        ("ms-verify", &["photos"], "an index"),
        ("ms-pack", &["--to", "a", "photos"], "an index"),
    ] {
        let outcome = sandbox.run(tool, args, b"").expect_status(2);
        let expected = format!("reading: photos: is a directory, not {what}; ms-crawl makes an index of one\n");
        outcome.expect_stderr(&expected);
    }
}

#[test]
fn a_photo_in_place_of_a_stream_is_told() {
    let sandbox = Sandbox::new();
    sandbox.write("a.jpg", b"\xff\xd8\xff\xe0\0\x10JFIF\n\0\x01\x01");
    for (tool, what) in [("ms-mv", "a plan"), ("ms-dupes", "an index"), ("ms-verify", "an index")] {
        let outcome = sandbox.run(tool, &["a.jpg"], b"").expect_status(2);
        outcome.expect_stderr(&format!("reading: a.jpg: is not a text, and so not {what}\n"));
    }
}

#[test]
fn an_index_that_would_be_sorted_like_a_photo_is_told() {
    let sandbox = Sandbox::new();
    sandbox.shell("ms-gen -q --files 4 photos; ms-crawl -q photos > 'an index.tsv'").expect_status(0);
    let outcome = sandbox.run("ms-ingest", &["--to", "to", "an index.tsv"], b"").expect_status(0);
    outcome.expect_stderr(
        "an index.tsv: is taken for a file to be sorted; as an index, it is read by: < 'an index.tsv'\n",
    );
    let outcome = sandbox.shell("ms-ingest --to to photos < 'an index.tsv'").expect_status(0);
    assert!(!outcome.stderr.contains("is taken for"), "{}", outcome.stderr);
}

#[test]
fn a_volume_that_does_not_exist_is_told_with_what_shows_those_that_do() {
    let sandbox = Sandbox::new();
    sandbox.sealed(1);
    let outcome = sandbox.run("ms-seal", &["--burned", "9", "Archive"], b"").expect_status(2);
    outcome.expect_stderr("volume 0009 does not exist; ms-seal --list Archive shows those that do\n");
}
