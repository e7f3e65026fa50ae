//! `ms-crawl`: which files are let in, by size, by name, by list.

use crate::support;

use support::Sandbox;

/// The paths that a crawl prints, sorted; the crawl must succeed.
#[track_caller]
fn paths(sandbox: &Sandbox, args: &[&str]) -> Vec<String> {
    sandbox.run("ms-crawl", args, b"").expect_status(0).column(0)
}

fn fifo(sandbox: &Sandbox, name: &str) {
    use rustix::fs::{CWD, FileType, Mode, mknodat};
    mknodat(CWD, sandbox.path(name), FileType::Fifo, Mode::RWXU, 0).expect("FIFO");
}

#[test]
fn size_limits_include_their_bounds() {
    let sandbox = Sandbox::new();
    for size in [0, 999, 1000, 1001, 1023, 1024, 1025] {
        sandbox.write(format!("d/{size}"), vec![7; size]);
    }
    assert_eq!(paths(&sandbox, &["--min-size", "1K", "d"]), ["d/1000", "d/1001", "d/1023", "d/1024", "d/1025"]);
    assert_eq!(paths(&sandbox, &["--max-size", "1K", "d"]), ["d/0", "d/1000", "d/999"]);
    assert_eq!(paths(&sandbox, &["--min-size=1Ki", "d"]), ["d/1024", "d/1025"]);
    assert_eq!(
        paths(&sandbox, &["--min-size", "1000", "--max-size", "1Ki", "d"]),
        ["d/1000", "d/1001", "d/1023", "d/1024"]
    );
    assert_eq!(paths(&sandbox, &["--max-size", "0", "d"]), ["d/0"]);
}

#[test]
fn exclude_takes_bare_names_at_every_depth() {
    let sandbox = Sandbox::new();
    for name in ["a.tmp", "a.jpg", "s/b.tmp", "s/b.jpg", "s/t/c.tmp"] {
        sandbox.write(format!("d/{name}"), name);
    }
    assert_eq!(paths(&sandbox, &["--exclude", "*.tmp", "d"]), ["d/a.jpg", "d/s/b.jpg"]);
    assert_eq!(paths(&sandbox, &["--exclude", "*.tmp", "--exclude", "s", "d"]), ["d/a.jpg"]);
}

#[test]
fn exclude_takes_the_path_below_the_operand() {
    let sandbox = Sandbox::new();
    for name in ["s/a", "s/b", "t/s/a"] {
        sandbox.write(format!("d/{name}"), name);
    }
    assert_eq!(paths(&sandbox, &["--exclude", "s/a", "d"]), ["d/s/b", "d/t/s/a"]);
    assert_eq!(paths(&sandbox, &["--exclude", "d/s/a", "d"]), ["d/s/a", "d/s/b", "d/t/s/a"]);
}

#[test]
fn an_excluded_directory_is_not_entered() {
    let sandbox = Sandbox::new();
    sandbox.write("d/keep", "k");
    sandbox.write("d/cache/x", "x");
    fifo(&sandbox, "d/cache/pipe");
    sandbox.run("ms-crawl", &["d"], b"").expect_status(1).expect_stderr("d/cache/pipe");
    assert_eq!(paths(&sandbox, &["--exclude", "cache", "d"]), ["d/keep"]);
}

#[test]
fn include_lets_in_matching_files_only_and_exclude_still_wins() {
    let sandbox = Sandbox::new();
    for name in ["a.jpg", "a.txt", "s/b.jpg", "s/b.txt", "s/t/c.jpg"] {
        sandbox.write(format!("d/{name}"), name);
    }
    assert_eq!(paths(&sandbox, &["--include", "*.jpg", "d"]), ["d/a.jpg", "d/s/b.jpg", "d/s/t/c.jpg"]);
    assert_eq!(paths(&sandbox, &["--include", "*.jpg", "--exclude", "t", "d"]), ["d/a.jpg", "d/s/b.jpg"]);
    assert_eq!(
        paths(&sandbox, &["--include", "a.*", "--include", "s/b.txt", "d"]),
        ["d/a.jpg", "d/a.txt", "d/s/b.txt"]
    );
}

#[test]
fn globs_reach_names_that_are_not_utf_8() {
    let sandbox = Sandbox::new();
    sandbox.write("d/a", "a");
    sandbox.write(support::name(b"d/\xff.bin"), "b");
    assert_eq!(paths(&sandbox, &["--exclude", "*.bin", "d"]), ["d/a"]);
    assert_eq!(paths(&sandbox, &["--include", "*.bin", "d"]), ["d/\\xff.bin"]);
}

#[test]
fn no_junk_leaves_out_what_desktops_litter() {
    let sandbox = Sandbox::new();
    let junk = [".DS_Store", "._a.jpg", "Thumbs.db", "desktop.ini", "@eaDir/thumb.jpg"];
    for name in junk {
        sandbox.write(format!("d/s/{name}"), name);
    }
    sandbox.write("d/s/a.jpg", "a");
    sandbox.write("d/s/.hidden", "h");
    assert_eq!(paths(&sandbox, &["--no-junk", "d"]), ["d/s/.hidden", "d/s/a.jpg"]);
    assert_eq!(paths(&sandbox, &["d"]).len(), junk.len() + 2);
}

#[test]
fn files_from_takes_one_name_a_line_untrimmed() {
    let sandbox = Sandbox::new();
    for name in ["a ", " b", "c\r", "s/d"] {
        sandbox.write(name, name);
    }
    // The last line has no newline, as printf or an editor may leave it.
    sandbox.write("list", "a \n b\nc\r\ns/d");
    assert_eq!(paths(&sandbox, &["--files-from", "list"]), [" b", "a ", "c\\r", "s/d"]);
}

#[test]
fn files_from_with_nul_takes_any_name() {
    let sandbox = Sandbox::new();
    sandbox.write("a\nb", "1");
    sandbox.write(support::name(b"\xfe"), "2");
    let outcome = sandbox.run("ms-crawl", &["-0", "--files-from", "-"], b"a\nb\0\xfe\0").expect_status(0);
    assert_eq!(outcome.column(0), ["\\xfe", "a\\nb"]);
}

#[test]
fn an_empty_list_of_files_crawls_nothing() {
    let sandbox = Sandbox::new();
    sandbox.write("a", "a");
    assert_eq!(paths(&sandbox, &["--files-from", "-"]), [""; 0]);
}

#[test]
fn a_name_in_the_list_that_is_gone_is_named_and_the_rest_goes_on() {
    let sandbox = Sandbox::new();
    sandbox.write("a", "a");
    sandbox.write("z", "z");
    let outcome =
        sandbox.run("ms-crawl", &["--files-from", "-"], b"a\ngone\nz\n").expect_status(1).expect_stderr("gone");
    assert_eq!(outcome.column(0), ["a", "z"]);
}
