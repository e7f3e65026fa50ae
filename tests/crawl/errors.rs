//! `ms-crawl` where something is wrong: what cannot be read is named, and the crawl goes on.

use crate::support;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixListener;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;
use support::{Sandbox, bin, finish, hash, is_root, needs};

fn chmod(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("chmod");
}

fn fifo(path: &Path) {
    use rustix::fs::{CWD, FileType, Mode, mknodat};
    mknodat(CWD, path, FileType::Fifo, Mode::RWXU, 0).expect("FIFO");
}

/// A crawl that permissions bind: root would read everything.
fn unprivileged_crawl(sandbox: &Sandbox, args: &[&str]) -> support::Outcome {
    let home = sandbox.work().parent().expect("sandbox").to_owned();
    chmod(&home, 0o755);
    // The built binary may lie where another user cannot reach it. It is copied by another process, because a
    // descriptor open for writing here would leak into what other tests start, and a busy program cannot be run.
    let tool = home.join("ms-crawl");
    let copied = Command::new("cp").arg(bin("ms-crawl")).arg(&tool).status().expect("cp(1)");
    assert!(copied.success(), "cp to {}", tool.display());
    let mut command = Command::new(tool);
    command.args(args).current_dir(sandbox.work());
    if is_root() {
        command.uid(65_534).gid(65_534);
    }
    finish(command, b"")
}

#[test]
fn an_unreadable_directory_is_named_and_the_rest_goes_on() {
    let sandbox = Sandbox::new();
    sandbox.write("d/a", "a");
    sandbox.write("d/locked/b", "b");
    sandbox.write("d/z/c", "c");
    chmod(&sandbox.path("d/locked"), 0o000);

    let outcome = unprivileged_crawl(&sandbox, &["d"]);

    chmod(&sandbox.path("d/locked"), 0o755);
    let outcome = outcome.expect_status(1).expect_stderr("d/locked: ");
    assert_eq!(outcome.column(0), ["d/a", "d/z/c"]);
}

#[test]
fn an_unreadable_operand_is_named_and_the_rest_goes_on() {
    let sandbox = Sandbox::new();
    sandbox.write("locked/b", "b");
    sandbox.write("open/a", "a");
    chmod(&sandbox.path("locked"), 0o000);

    let outcome = unprivileged_crawl(&sandbox, &["locked", "open"]);

    chmod(&sandbox.path("locked"), 0o755);
    let outcome = outcome.expect_status(1).expect_stderr("locked: ");
    assert_eq!(outcome.column(0), ["open/a"]);
}

#[test]
fn an_unreadable_file_has_no_record() {
    let sandbox = Sandbox::new();
    sandbox.write("d/a", "a");
    chmod(&sandbox.write("d/locked", "b"), 0o000);
    chmod(&sandbox.write("d/locked-large", vec![7; 9 << 20]), 0o000);
    for how in ["all", "dups"] {
        // Copies make both of them candidates for `--hash dups` as well.
        sandbox.write("d/twin", "B");
        sandbox.write("d/twin-large", vec![7; 9 << 20]);
        let outcome = unprivileged_crawl(&sandbox, &["--hash", how, "d"]).expect_status(1);
        assert_eq!(outcome.column(0), ["d/a", "d/twin", "d/twin-large"], "--hash {how}");
        assert!(
            outcome.stderr.contains("d/locked: ") && outcome.stderr.contains("d/locked-large: "),
            "{}",
            outcome.stderr
        );
    }
}

#[test]
fn a_directory_that_may_be_listed_but_not_entered_is_named() {
    let sandbox = Sandbox::new();
    sandbox.write("d/a", "a");
    sandbox.write("d/listed/b", "b");
    chmod(&sandbox.path("d/listed"), 0o444);

    let outcome = unprivileged_crawl(&sandbox, &["d"]);

    chmod(&sandbox.path("d/listed"), 0o755);
    let outcome = outcome.expect_status(1).expect_stderr("d/listed/b");
    assert_eq!(outcome.column(0), ["d/a"]);
}

#[test]
fn an_excluded_directory_may_be_unreadable() {
    let sandbox = Sandbox::new();
    sandbox.write("d/a", "a");
    sandbox.write("d/locked/b", "b");
    chmod(&sandbox.path("d/locked"), 0o000);

    let outcome = unprivileged_crawl(&sandbox, &["--exclude", "locked", "d"]);

    chmod(&sandbox.path("d/locked"), 0o755);
    assert_eq!(outcome.expect_status(0).column(0), ["d/a"]);
}

#[test]
fn a_fifo_and_a_socket_are_named_and_never_opened() {
    let sandbox = Sandbox::new();
    sandbox.write("d/a", "a");
    fifo(&sandbox.path("d/pipe"));
    let _socket = UnixListener::bind(sandbox.path("d/socket")).expect("socket");
    let mut command = sandbox.guarded("ms-crawl");
    command.arg("d");

    let outcome = finish(command, b"").expect_status(1).expect_stderr("d/pipe: ").expect_stderr("d/socket: ");

    assert_eq!(outcome.column(0), ["d/a"]);
}

#[test]
fn special_files_as_operands_are_named_and_the_rest_goes_on() {
    let sandbox = Sandbox::new();
    sandbox.write("a", "a");
    fifo(&sandbox.path("pipe"));
    sandbox.symlink("pipe", "to-pipe");
    for operand in ["pipe", "to-pipe", "/dev/null"] {
        let mut command = sandbox.guarded("ms-crawl");
        command.args([operand, "a"]);
        let outcome = finish(command, b"").expect_status(1).expect_stderr(&format!("{operand}: "));
        assert_eq!(outcome.column(0), ["a"], "{operand}");
    }
}

#[test]
fn messages_escape_control_bytes_of_names() {
    let sandbox = Sandbox::new();
    sandbox.mkdir("d");
    fifo(&sandbox.path("d/a\n\x1b[2Jb"));
    let outcome = sandbox.run("ms-crawl", &["-q", "d"], b"").expect_status(1).expect_stderr("d/a\\n\\x1b[2Jb: ");
    assert_eq!(outcome.stderr.lines().count(), 1, "{}", outcome.stderr);
    assert!(outcome.stderr.starts_with("ms-crawl: "), "{}", outcome.stderr);
}

#[test]
fn a_file_that_holds_more_than_its_size_says_is_not_hashed_as_empty() {
    // procfs says 0 bytes for files that have content, as a file does that grows after it was listed.
    if !Path::new("/proc/version").exists() {
        return;
    }
    let sandbox = Sandbox::new();
    sandbox.write("a", "a");
    let outcome =
        sandbox.run("ms-crawl", &["/proc/version", "a"], b"").expect_status(1).expect_stderr("/proc/version: ");
    assert_eq!(outcome.column(0), ["a"]);
}

#[test]
fn a_short_read_is_a_read_error() {
    // sysfs says a whole page for files that hold a few bytes, as a file does that shrinks after it was listed.
    let short = "/sys/devices/system/cpu/online";
    if fs::metadata(short).map_or(0, |meta| meta.len()) != 4096 {
        return;
    }
    let sandbox = Sandbox::new();
    sandbox.write("a", "a");
    let outcome = sandbox.run("ms-crawl", &[short, "a"], b"").expect_status(1).expect_stderr("cpu/online: ");
    assert_eq!(outcome.column(0), ["a"]);
}

#[test]
fn a_read_error_never_yields_a_hash() {
    if !needs("strace") {
        return;
    }
    let sandbox = Sandbox::new();
    sandbox.write("d/bad", "content that cannot be read");
    // Every way of reading fails on this very file; that the loader and the crawl need reads, too, is why -P is given.
    let outcome = sandbox.shell(
        "strace -f -qq -o trace -P \"$PWD/d/bad\" -P d/bad -e trace=read,readv,pread64,preadv,preadv2,mmap \
         -e inject=read,readv,pread64,preadv,preadv2,mmap:error=EIO ms-crawl d",
    );
    let trace = String::from_utf8_lossy(&sandbox.read("trace")).into_owned();
    assert!(trace.contains("INJECTED"), "the fault was never met: {trace}");
    let outcome = outcome.expect_status(1).expect_stderr("d/bad: ");
    assert!(outcome.stdout.is_empty());
}

#[test]
fn a_full_device_under_the_output_is_exit_2() {
    let sandbox = Sandbox::new();
    sandbox.write("d/a", "a");
    for options in ["", "--sort", "--csv", "--hash dups"] {
        let outcome = sandbox.shell(&format!("ms-crawl {options} d > /dev/full")).expect_status(2);
        let errors = outcome
            .stderr
            .lines()
            .filter(|line| line.starts_with("ms-crawl: ") && line.contains("No space left"))
            .count();
        assert_eq!(errors, 1, "{options}: {}", outcome.stderr);
    }
}

#[test]
fn a_closed_output_pipe_ends_the_crawl_quietly() {
    let sandbox = Sandbox::new();
    let long = "n".repeat(200);
    for i in 0..3000 {
        sandbox.write(format!("d/{i}{long}"), "");
    }
    for options in ["", "--sort", "--csv", "--hash dups"] {
        let outcome = sandbox.shell(&format!("ms-crawl -q {options} d | head -1; echo \"${{PIPESTATUS[0]}}\""));
        let lines = outcome.lines();
        assert_eq!(lines.len(), 2, "{options}");
        assert_eq!(lines[1], "0", "{options}: {}", outcome.stderr);
        assert_eq!(outcome.stderr, "", "{options}");
    }
}

#[test]
fn one_bad_file_among_many_costs_one_message() {
    let sandbox = Sandbox::new();
    for i in 0..500 {
        sandbox.write(format!("d/{i}"), i.to_string());
    }
    fifo(&sandbox.path("d/pipe"));
    let outcome = sandbox.run("ms-crawl", &["-q", "d"], b"").expect_status(1);
    assert_eq!(outcome.rows().len(), 500);
    assert_eq!(outcome.stderr.lines().count(), 1, "{}", outcome.stderr);
    assert!(outcome.rows().iter().all(|row| row[1] == hash(&row[0].as_bytes()[2..])));
}

#[test]
fn fewer_threads_than_asked_for_do_all_the_work() {
    if !needs("strace") {
        return;
    }
    let sandbox = Sandbox::new();
    for i in 0..200 {
        sandbox.write(format!("d/{i}"), (i / 2).to_string());
    }
    for how in ["all", "dups"] {
        let few = sandbox.shell(&format!(
            "strace -f -qq -o trace -e trace=clone,clone3 -e inject=clone,clone3:error=EAGAIN:when=2+ \
             ms-crawl -j 4 --hash {how} d"
        ));
        assert!(String::from_utf8_lossy(&sandbox.read("trace")).contains("INJECTED"), "{how}: no thread was refused");
        let rows = few.expect_status(0).column(1);
        assert!(rows.len() == 200 && !rows.contains(&"-".to_owned()), "{how}");
    }
    let none =
        sandbox.shell("strace -f -qq -o trace -e trace=clone,clone3 -e inject=clone,clone3:error=EAGAIN ms-crawl d");
    let none = none.expect_status(2).expect_stderr("ms-crawl: starting a thread: Resource temporarily unavailable");
    assert!(none.stdout.is_empty() && !none.stderr.contains("panicked"), "{}", none.stderr);
}
