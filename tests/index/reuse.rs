//! `ms-crawl --index`: what is unchanged is not read, and everything else is.

use crate::support;

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::process::Command;
use support::index::{COMPANION, FILE, LONG_AGO, crawl, expect_index_of, sorted_crawl, stream, watch, watch_crawl};
use support::plan::escape;
use support::{Sandbox, bin, hash, name, needs, set_mtime};

const NOTHING: [&str; 0] = [];

/// Three files of one size and one time of last change, and their index in FILE. Nothing without strace.
fn three() -> Option<Sandbox> {
    if !needs("strace") {
        return None;
    }
    let sandbox = Sandbox::new();
    for (name, content) in [("d/a", "one"), ("d/deep/b", "two"), ("d/deep/c", "six")] {
        sandbox.old_file(name, content);
    }
    crawl(&sandbox, &["d"]).expect_status(0);
    Some(sandbox)
}

fn rename(sandbox: &Sandbox, from: &str, to: &str) {
    fs::rename(sandbox.path(from), sandbox.path(to)).expect("rename");
}

/// Other bytes of the same length under the same time of last change: what a crawl can only notice by reading.
fn rot(sandbox: &Sandbox, name: &str, content: &str) {
    let path = sandbox.path(name);
    let meta = path.metadata().expect("metadata");
    sandbox.write(name, content);
    set_mtime(&path, meta.mtime(), u32::try_from(meta.mtime_nsec()).expect("nanoseconds"));
    assert_eq!(path.metadata().expect("metadata").len(), meta.len());
}

#[test]
fn an_unchanged_tree_is_not_read() {
    let Some(sandbox) = three() else { return };
    let before = sandbox.index();

    let watched = watch(&sandbox, "ms-crawl", &["--index", FILE, "d"]);

    assert_eq!(watched.opened, NOTHING);
    let outcome = watched.outcome.expect_status(0);
    assert_eq!(sandbox.index(), before);
    let mut lines = outcome.lines();
    lines.sort();
    assert_eq!(lines, before.lines().collect::<Vec<_>>());
    expect_index_of(&sandbox, &["d"]);
}

#[test]
fn the_summary_tells_what_was_read_and_what_was_not() {
    let Some(sandbox) = three() else { return };
    sandbox.old_file("d/new", "12345");
    sandbox.edit("d/a", "other");
    let outcome = crawl(&sandbox, &["d"]).expect_status(0);
    let summary = outcome.stderr.lines().last().expect("a summary");
    assert!(summary.starts_with("ms-crawl: 4 files, "), "{summary}");
    assert!(summary.contains("; 2 read (") && summary.ends_with(", 2 unchanged"), "{summary}");
    assert_eq!(crawl(&sandbox, &["-q", "d"]).expect_status(0).stderr, "");
}

#[test]
fn hostile_names_and_all_sizes_are_remembered() {
    if !needs("strace") {
        return;
    }
    let sandbox = Sandbox::new();
    let names: [&[u8]; 8] =
        [b"tab\there", b"line\nend", b"back\\slash", b"\xff\xfe raw", b" spaces ", b"-", "\u{FEFF}é".as_bytes(), b"#"];
    for (i, bytes) in names.iter().enumerate() {
        let path = sandbox.path("d").join(name(bytes));
        sandbox.old_file(&path, vec![7; i * 700_001]);
    }
    crawl(&sandbox, &["d"]).expect_status(0);
    expect_index_of(&sandbox, &["d"]);
    assert_eq!(watch_crawl(&sandbox, &["d"]), NOTHING);
    for bytes in names {
        let new = [b"moved ", bytes].concat();
        fs::rename(sandbox.path("d").join(name(bytes)), sandbox.path("d").join(name(&new))).expect("rename");
    }
    assert_eq!(watch_crawl(&sandbox, &["d"]), NOTHING);
    expect_index_of(&sandbox, &["d"]);
}

#[test]
fn file_is_what_a_sorted_crawl_prints() {
    let options: [&[&str]; 9] = [
        &[],
        &["-a"],
        &["-j", "1"],
        &["--sort"],
        &["--mmap"],
        &["--hash", "dups"],
        &["--exclude", "deep"],
        &["--include", "*.jpg", "--min-size", "2", "--max-size", "1M"],
        &["--no-junk", "-x", "-L"],
    ];
    for options in options {
        let sandbox = Sandbox::new();
        for (i, path) in ["d/a-b", "d/a/b", "d/a.jpg", "d/deep/x.jpg", "d/Z", "d/.DS_Store", "d/\u{e9}", "e/a"]
            .into_iter()
            .enumerate()
        {
            sandbox.old_file(path, [b'x'].repeat(i % 3));
        }
        let args = [options, &["d", "e"]].concat();
        crawl(&sandbox, &args).expect_status(0);
        expect_index_of(&sandbox, &args);
        // And once more, from what is remembered.
        crawl(&sandbox, &args).expect_status(0);
        expect_index_of(&sandbox, &args);
    }
}

#[test]
fn other_written_forms_are_for_standard_output_only() {
    for form in [&["--csv"][..], &["--header"], &["--csv", "--no-header"]] {
        let sandbox = Sandbox::new();
        sandbox.old_file("d/a,b", "x");
        let outcome = crawl(&sandbox, &[form, &["d"]].concat()).expect_status(0);
        let plain = sandbox.run("ms-crawl", &[form, &["d"]].concat(), b"").expect_status(0);
        assert_eq!(outcome.stdout, plain.stdout, "{form:?}");
        expect_index_of(&sandbox, &["d"]);
    }
}

#[test]
fn a_renamed_file_and_a_moved_directory_are_not_read() {
    let Some(sandbox) = three() else { return };
    rename(&sandbox, "d/a", "d/z");
    rename(&sandbox, "d/deep", "d/elsewhere");
    assert_eq!(watch_crawl(&sandbox, &["d"]), NOTHING);
    assert_eq!(sandbox.indexed_paths(), ["d/elsewhere/b", "d/elsewhere/c", "d/z"]);
    expect_index_of(&sandbox, &["d"]);
}

#[test]
fn another_size_or_another_time_of_last_change_is_read() {
    let Some(sandbox) = three() else { return };
    let file = sandbox.write("d/a", "longer");
    set_mtime(&file, LONG_AGO.0, LONG_AGO.1);
    set_mtime(&sandbox.path("d/deep/b"), LONG_AGO.0, LONG_AGO.1 + 1);
    assert_eq!(watch_crawl(&sandbox, &["d"]), ["d/a", "d/deep/b"]);
    expect_index_of(&sandbox, &["d"]);
    set_mtime(&sandbox.path("d/deep/c"), LONG_AGO.0 - 1, LONG_AGO.1);
    assert_eq!(watch_crawl(&sandbox, &["d"]), ["d/deep/c"], "a time that went back is another time");
    expect_index_of(&sandbox, &["d"]);
}

#[test]
fn only_what_is_new_is_read_and_what_is_gone_leaves() {
    let Some(sandbox) = three() else { return };
    sandbox.old_file("d/0", "new");
    fs::remove_file(sandbox.path("d/a")).expect("removal");
    fs::remove_file(sandbox.path("d/deep/c")).expect("removal");
    assert_eq!(watch_crawl(&sandbox, &["d"]), ["d/0"]);
    assert_eq!(sandbox.indexed_paths(), ["d/0", "d/deep/b"]);
    fs::remove_dir_all(sandbox.path("d/deep")).expect("removal");
    assert_eq!(watch_crawl(&sandbox, &["d"]), NOTHING);
    assert_eq!(sandbox.indexed_paths(), ["d/0"]);
}

#[test]
fn files_that_swap_their_names_are_told_apart() {
    let Some(sandbox) = three() else { return };
    rename(&sandbox, "d/deep/b", "d/tmp");
    rename(&sandbox, "d/deep/c", "d/deep/b");
    rename(&sandbox, "d/tmp", "d/deep/c");
    watch_crawl(&sandbox, &["d"]);
    assert_eq!(sandbox.indexed("d/deep/b", 1), hash(b"six"));
    assert_eq!(sandbox.indexed("d/deep/c", 1), hash(b"two"));
    expect_index_of(&sandbox, &["d"]);
}

#[test]
fn directories_that_take_turns_are_told_apart() {
    let sandbox = Sandbox::new();
    for (path, content) in [("d/1/f", "one"), ("d/2/f", "two"), ("d/3/f", "six")] {
        sandbox.old_file(path, content);
    }
    crawl(&sandbox, &["d"]).expect_status(0);
    for (from, to) in [("d/1", "d/tmp"), ("d/2", "d/1"), ("d/3", "d/2"), ("d/tmp", "d/3")] {
        rename(&sandbox, from, to);
    }
    crawl(&sandbox, &["d"]).expect_status(0);
    assert_eq!(
        ["d/1/f", "d/2/f", "d/3/f"].map(|path| sandbox.indexed(path, 1)),
        [b"two", b"six", b"one"].map(|c| hash(c))
    );
    expect_index_of(&sandbox, &["d"]);
}

#[test]
fn a_copy_with_the_size_and_time_of_another_file_is_read() {
    let Some(sandbox) = three() else { return };
    sandbox.old_file("d/copy", "ten");
    assert_eq!(watch_crawl(&sandbox, &["d"]), ["d/copy"]);
    assert_eq!(sandbox.indexed("d/copy", 1), hash(b"ten"));
}

#[test]
fn a_tree_restored_from_a_copy_is_not_read() {
    let Some(sandbox) = three() else { return };
    sandbox.shell("cp -a d copy && mv d old && mv copy d").expect_status(0);
    assert_eq!(watch_crawl(&sandbox, &["d"]), NOTHING, "the paths are the same, and the ids need not be");
    expect_index_of(&sandbox, &["d"]);
}

#[test]
fn hard_links_share_what_is_known() {
    let Some(sandbox) = three() else { return };
    sandbox.hard_link("d/a", "d/link");
    assert_eq!(watch_crawl(&sandbox, &["d"]), NOTHING);
    expect_index_of(&sandbox, &["d"]);
    fs::remove_file(sandbox.path("d/a")).expect("removal");
    assert_eq!(watch_crawl(&sandbox, &["d"]), NOTHING);
    assert_eq!(sandbox.indexed_paths(), ["d/deep/b", "d/deep/c", "d/link"]);
    expect_index_of(&sandbox, &["d"]);
}

#[test]
fn an_inode_number_that_is_used_again_does_not_lend_its_hash() {
    let mut met = false;
    for attempt in 0..20 {
        let sandbox = Sandbox::new();
        let old = sandbox.old_file("d/old", "old content");
        let id = old.metadata().expect("metadata").ino();
        crawl(&sandbox, &["d"]).expect_status(0);
        fs::remove_file(old).expect("removal");
        let new = sandbox.old_file("d/new", "new content");
        met |= new.metadata().expect("metadata").ino() == id;
        crawl(&sandbox, &["d"]).expect_status(0);
        assert_eq!(sandbox.indexed("d/new", 1), hash(b"new content"), "attempt {attempt}");
        if met {
            return;
        }
    }
}

#[test]
fn rehash_reads_everything_and_finds_what_no_time_tells() {
    let Some(sandbox) = three() else { return };
    rot(&sandbox, "d/a", "bad");
    assert_eq!(watch_crawl(&sandbox, &["d"]), NOTHING);
    assert_eq!(sandbox.indexed("d/a", 1), hash(b"one"), "same size and time: held for unchanged");
    assert_eq!(watch_crawl(&sandbox, &["--rehash", "d"]), ["d/a", "d/deep/b", "d/deep/c"]);
    assert_eq!(sandbox.indexed("d/a", 1), hash(b"bad"));
    expect_index_of(&sandbox, &["d"]);
    assert_eq!(watch_crawl(&sandbox, &["d"]), NOTHING);
}

#[test]
fn hash_none_reads_nothing_and_forgets_nothing() {
    let Some(sandbox) = three() else { return };
    sandbox.old_file("d/new", "new");
    let before = sandbox.index();
    let watched = watch(&sandbox, "ms-crawl", &["--index", FILE, "--hash", "none", "--sort", "d"]);
    assert_eq!(watched.opened, NOTHING);
    let outcome = watched.outcome.expect_status(0);
    assert_eq!(outcome.stdout, sandbox.index().as_bytes());
    assert_eq!(sandbox.indexed("d/new", 1), "-");
    let known = stream(sandbox.index().lines().filter(|line| !line.starts_with("d/new\t")));
    assert_eq!(known, before);
    assert_eq!(watch_crawl(&sandbox, &["d"]), ["d/new"], "only what has no hash yet");
    expect_index_of(&sandbox, &["d"]);
}

#[test]
fn after_hash_none_all_files_are_read() {
    if !needs("strace") {
        return;
    }
    let sandbox = Sandbox::new();
    sandbox.old_file("d/a", "one");
    sandbox.old_file("d/b", "two");
    crawl(&sandbox, &["--hash", "none", "d"]).expect_status(0);
    assert_eq!(sandbox.indexed("d/a", 1), "-");
    assert_eq!(watch_crawl(&sandbox, &["d"]), ["d/a", "d/b"]);
    expect_index_of(&sandbox, &["d"]);
}

#[test]
fn hash_dups_keeps_what_is_known_and_what_was_told_apart() {
    if !needs("strace") {
        return;
    }
    let sandbox = Sandbox::new();
    for (path, content) in
        [("d/a", "one"), ("d/b", "two"), ("d/single", "alone in its size"), ("d/x", "twin"), ("d/y", "twin")]
    {
        sandbox.old_file(path, content);
    }
    let dups = ["--hash", "dups", "d"];
    crawl(&sandbox, &dups).expect_status(0);
    assert_eq!(sandbox.indexed("d/x", 1), hash(b"twin"));
    assert_eq!(watch_crawl(&sandbox, &dups), NOTHING);
    assert_eq!(sandbox.indexed("d/x", 1), hash(b"twin"));

    sandbox.old_file("d/again", "two");
    let opened = watch_crawl(&sandbox, &dups);
    assert!(!opened.iter().any(|path| ["d/single", "d/x", "d/y"].contains(&path.as_str())), "{opened:?}");
    for path in ["d/again", "d/b"] {
        assert_eq!(sandbox.indexed(path, 1), hash(b"two"), "{path}: both have it, or a duplicate is missed");
    }
    assert_eq!(watch_crawl(&sandbox, &dups), NOTHING);
}

#[test]
fn hash_dups_after_hash_all_reads_nothing() {
    let Some(sandbox) = three() else { return };
    assert_eq!(watch_crawl(&sandbox, &["--hash", "dups", "d"]), NOTHING);
    assert_eq!(sandbox.indexed("d/a", 1), hash(b"one"));
}

#[test]
fn other_operands_and_options_use_what_is_known() {
    let Some(sandbox) = three() else { return };
    sandbox.old_file("e/new", "new");
    assert_eq!(watch_crawl(&sandbox, &["d", "e"]), ["e/new"]);
    assert_eq!(watch_crawl(&sandbox, &["d/deep", "e"]), NOTHING);
    assert_eq!(sandbox.indexed_paths(), ["d/deep/b", "d/deep/c", "e/new"]);
    assert_eq!(watch_crawl(&sandbox, &["d"]), ["d/a"], "what FILE did not cover is not remembered");
    for args in [&["./d"][..], &["-a", "d"], &["--no-junk", "-L", "d"]] {
        assert_eq!(watch_crawl(&sandbox, args), NOTHING, "{args:?}");
        expect_index_of(&sandbox, args);
    }
}

#[test]
fn the_same_relative_path_in_another_directory_is_another_file() {
    let sandbox = Sandbox::new();
    sandbox.old_file("here/d/f", "one");
    sandbox.old_file("there/d/f", "two");
    let index = sandbox.path(FILE);
    for (place, content) in [("here", "one"), ("there", "two"), ("here", "one")] {
        let mut command = Command::new(bin("ms-crawl"));
        command.arg("--index").arg(&index).arg("d").current_dir(sandbox.path(place));
        support::finish(command, b"").expect_status(0);
        assert_eq!(sandbox.indexed("d/f", 1), hash(content.as_bytes()), "{place}");
    }
}

#[test]
fn a_file_that_cannot_be_read_has_no_record_and_the_rest_is_kept() {
    let Some(sandbox) = three() else { return };
    sandbox.old_file("d/bad", "cannot be read");
    let outcome = sandbox.shell(&format!(
        "strace -f -qq -o ../trace -P \"$PWD/d/bad\" -P d/bad -e trace=read,readv,pread64,preadv,preadv2,mmap \
         -e inject=read,readv,pread64,preadv,preadv2,mmap:error=EIO ms-crawl --index {FILE} d"
    ));
    outcome.expect_status(1).expect_stderr("d/bad: ");
    assert_eq!(sandbox.indexed_paths(), ["d/a", "d/deep/b", "d/deep/c"]);
    assert_eq!(watch_crawl(&sandbox, &["d"]), ["d/bad"]);
    expect_index_of(&sandbox, &["d"]);
}

#[test]
fn an_empty_tree_has_an_index_too() {
    let Some(sandbox) = three() else { return };
    sandbox.mkdir("empty");
    crawl(&sandbox, &["empty"]).expect_status(0);
    assert_eq!(sandbox.index(), "");
    crawl(&sandbox, &["d"]).expect_status(0);
    expect_index_of(&sandbox, &["d"]);
}

#[test]
fn the_companion_is_private_and_no_stream_and_file_keeps_its_mode() {
    let sandbox = Sandbox::new();
    sandbox.old_file("d/a", "one");
    let mode = |path: &str| sandbox.path(path).metadata().expect("metadata").mode() & 0o7777;
    sandbox.shell(&format!("umask 027; ms-crawl --index {FILE} d")).expect_status(0);
    assert_eq!(mode(FILE), 0o640, "0666 without the umask");
    assert_eq!(mode(COMPANION), 0o600);
    support::index::chmod(&sandbox.path(FILE), 0o604);
    sandbox.old_file("d/b", "two");
    sandbox.shell(&format!("umask 077; ms-crawl --index {FILE} d")).expect_status(0);
    assert_eq!((mode(FILE), mode(COMPANION)), (0o604, 0o600));

    let companion = String::from_utf8(sandbox.read(COMPANION)).expect("text");
    assert_eq!(companion.lines().next(), Some("mediastruct-crawl 1"));
    sandbox.run("ms-dupes", &[COMPANION], b"").expect_status(2);
    let paths: Vec<_> = sandbox.index().lines().map(str::to_owned).collect();
    assert_eq!(paths.len(), sorted_crawl(&sandbox, &["d"]).lines().count());
    assert!(!paths.iter().any(|line| line.contains(&escape(COMPANION.as_bytes()))));
}
