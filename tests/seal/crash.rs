//! `ms-seal` and sudden death, failing disks and signals: whenever it happens, running it again finishes the work, and all is as
//! if nothing had happened.

use crate::support;

use rustix::process::{Pid, Signal, kill_process};
use std::fs;
use std::process::Stdio;
use support::archive::{Standing, expect_standing, moved, standing};
use support::plan::{Row, plan};
use support::trace::traced;
use support::{Sandbox, needs, snapshot};

/// Two volumes to be sealed, and one that stays open.
fn archive() -> (Sandbox, Vec<u8>) {
    let sandbox = Sandbox::new();
    for name in ["0001/2012/a.jpg", "0001/2012/b.jpg", "0002/2013/c.jpg", "0003/2014/d.jpg"] {
        sandbox.put_archived(name, name);
    }
    let unhashed = Row { hash: "-".into(), ..moved(&sandbox, "0001/2012/b.jpg", (2, 2)) };
    let rows = [moved(&sandbox, "0001/2012/a.jpg", (1, 2)), unhashed, moved(&sandbox, "0002/2013/c.jpg", (1, 1))];
    let stream = plan(&rows);
    (sandbox, stream)
}

/// How all is once both volumes are sealed.
fn sealed() -> Standing {
    let (sandbox, stream) = archive();
    sandbox.run("ms-seal", &["Archive"], &stream).expect_status(0);
    standing(&sandbox)
}

#[test]
fn where_names_cannot_be_given_without_replacing_links_are_made() {
    if !needs("strace") {
        return;
    }
    let expected = sealed();
    let (sandbox, stream) = archive();
    let args = ["-e", "inject=renameat2:error=EINVAL"];
    traced(&sandbox, &args, "ms-seal", &["Archive"], &stream).expect_status(0);
    expect_standing(&sandbox, &expected, &"links");
    // Between the two names of a file, too, a run may die.
    for turn in 1..=7 {
        let (sandbox, stream) = archive();
        let kill = format!("inject=unlinkat:signal=SIGKILL:when={turn}");
        let outcome =
            traced(&sandbox, &["-e", "inject=renameat2:error=EINVAL", "-e", &kill], "ms-seal", &["Archive"], &stream);
        assert_eq!(outcome.status, 137, "{turn}");
        sandbox.run("ms-seal", &["Archive"], &stream).expect_status(0);
        expect_standing(&sandbox, &expected, &format!("unlinkat {turn}"));
    }
}

#[test]
fn neither_renaming_nor_linking_is_told() {
    if !needs("strace") {
        return;
    }
    let (sandbox, stream) = archive();
    let args = ["-e", "inject=renameat2:error=EINVAL", "-e", "inject=linkat:error=EPERM"];
    let outcome = traced(&sandbox, &args, "ms-seal", &["Archive"], &stream).expect_status(2);
    outcome.expect_stderr("this filesystem can neither rename without replacing nor make hard links");
    sandbox.run("ms-seal", &["Archive"], &stream).expect_status(0);
    expect_standing(&sandbox, &sealed(), &"a failure");
}

#[test]
fn a_signal_while_files_are_read_leaves_the_volume_open() {
    if !needs("strace") {
        return;
    }
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143), (Signal::HUP, 129)] {
        let sandbox = Sandbox::new();
        for number in 0..100 {
            sandbox.put_archived(format!("0001/{number}.jpg"), number.to_string());
        }
        let before = snapshot(&sandbox.work());
        let log = support::trace::log(&sandbox);
        let mut strace = std::process::Command::new("strace");
        strace.args(["-f", "-qq", "-o"]).arg(&log).args([
            "-e",
            "trace=pread64",
            "-e",
            "inject=pread64:delay_enter=20000",
        ]);
        strace.arg(support::bin("ms-seal")).args(["-j1", "--all", "Archive"]).current_dir(sandbox.work());
        let child = strace.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("strace");
        let process = loop {
            let text = fs::read_to_string(&log).unwrap_or_default();
            if text.lines().count() > 5 {
                break text
                    .split(' ')
                    .next()
                    .and_then(|pid| pid.parse().ok())
                    .and_then(Pid::from_raw)
                    .expect("a process");
            }
            std::thread::sleep(std::time::Duration::from_millis(5));
        };
        kill_process(process, signal).expect("kill");
        let output = child.wait_with_output().expect("the end");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(support::exit_status(output.status), code, "{stderr}");
        assert_eq!(stderr, "ms-seal: interrupted; the same command goes on where it stopped\n");
        assert_eq!(snapshot(&sandbox.work()), before);
    }
}

#[test]
fn what_changes_while_a_volume_is_sealed_keeps_it_open() {
    if !needs("strace") {
        return;
    }
    let (sandbox, stream) = archive();
    let log = support::trace::log(&sandbox);
    // The disk is slow to be in step, and meanwhile somebody is at work in the volume.
    let mut strace = std::process::Command::new("strace");
    strace.args(["-f", "-qq", "-o"]).arg(&log).args([
        "-e",
        "trace=syncfs",
        "-e",
        "inject=syncfs:delay_enter=1500000:when=1",
    ]);
    strace.arg(support::bin("ms-seal")).arg("Archive").current_dir(sandbox.work());
    fs::write(sandbox.state(), &stream).expect("rows");
    strace.stdin(fs::File::open(sandbox.state()).expect("rows"));
    let child = strace.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("strace");
    while fs::read_to_string(&log).unwrap_or_default().is_empty() && !sandbox.exists("Archive/.ms-protect") {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    std::thread::sleep(std::time::Duration::from_millis(300));
    sandbox.put_archived("0001/2012/late.jpg", "late");
    sandbox.write("Archive/0001/2012/a.jpg", "other");
    fs::remove_file(sandbox.path("Archive/0001/2012/b.jpg")).expect("removal");
    let output = child.wait_with_output().expect("the end");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    for message in [
        "0001/2012/a.jpg: it changed while the volume was being sealed",
        "0001/2012/b.jpg: it went away while the volume was being sealed",
        "0001/2012/late.jpg: it came while the volume was being sealed",
        "sealed 1 volume: 0002",
    ] {
        assert!(stderr.contains(message), "{message} is not in {stderr}");
    }
    assert!(!sandbox.exists("Archive/0001/index.json") && !sandbox.exists("Archive/0001.UNBURNED"));
}
