//! `ms-seal`: what a crash, a lost file, a slip of the hand or a stray file must not do to an archive.

use crate::support;

use std::fs;
use support::archive::{moved, told};
use support::plan::{Row, mv, plan, undo};
use support::{Sandbox, needs, snapshot};

/// Volumes 1 and 2 are sealed.
fn two() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.put_archived("0001/2012/a.jpg", "first");
    sandbox.put_archived("0002/2013/b.jpg", "second");
    let rows = [moved(&sandbox, "0001/2012/a.jpg", (1, 1)), moved(&sandbox, "0002/2013/b.jpg", (1, 1))];
    sandbox.seal_rows(&rows).expect_status(0);
    sandbox
}

fn remove(sandbox: &Sandbox, name: &str) {
    let path = sandbox.path(format!("Archive/{name}"));
    if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) }.expect("removal");
}

#[test]
fn a_text_of_an_earlier_try_is_replaced_and_one_of_somebody_else_is_not() {
    for (text, is_ours) in [
        ("MS_0001\n=======\n\n1 file, as another version says\n", true),
        ("MS_0002\n=======\n\nof another volume\n", false),
        ("Holidays\n========\n", false),
    ] {
        let sandbox = Sandbox::new();
        sandbox.put_archived("0001/2012/a.jpg", "first");
        sandbox.put_archived("0001/2012/late.jpg", "late");
        sandbox.put_archived("0001/README.txt", text);
        let outcome = sandbox.run_seal(&["--all"]).expect_status(i32::from(!is_ours));
        assert!(!outcome.stderr.contains("run ms-seal again"), "{}", outcome.stderr);
        let now = String::from_utf8(sandbox.read("Archive/0001/README.txt")).expect("text");
        if is_ours {
            assert!(now.starts_with("MS_0001\n") && now.contains("2 files"), "{now}");
            assert_eq!(sandbox.indexed_in("0001"), ["2012/a.jpg", "2012/late.jpg"]);
        } else {
            assert_eq!(now, text);
            assert!(!sandbox.exists("Archive/0001/index.json"));
        }
    }
}

#[test]
fn a_file_that_comes_while_others_are_read_leaves_no_text_behind() {
    if !needs("strace") {
        return;
    }
    let sandbox = Sandbox::new();
    sandbox.put_archived("0001/2012/a.jpg", "first");
    let log = support::trace::log(&sandbox);
    let mut strace = std::process::Command::new("strace");
    strace.args(["-f", "-qq", "-o"]).arg(&log);
    strace.args(["-e", "trace=syncfs", "-e", "inject=syncfs:delay_enter=1500000:when=1"]);
    strace.arg(support::bin("ms-seal")).args(["--all", "Archive"]).current_dir(sandbox.work());
    let mut child = strace.stderr(std::process::Stdio::piped()).spawn().expect("strace");
    // The protection is put right before the volume is brought to the disk.
    while !sandbox.exists("Archive/.ms-protect") && child.try_wait().expect("strace").is_none() {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    sandbox.put_archived("0001/2012/late.jpg", "late");
    let output = child.wait_with_output().expect("the end");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(stderr.contains("late.jpg: it came while the volume was being sealed"), "{stderr}");
    assert!(!sandbox.is_described("0001"), "nothing was begun");
    sandbox.run_seal(&["--all"]).expect_status(0);
    assert_eq!(sandbox.indexed_in("0001").len(), 2);
}

#[test]
fn no_burn_is_recorded_of_a_volume_whose_list_cannot_be_read() {
    let sandbox = two();
    remove(&sandbox, "catalog/0001.tsv");
    sandbox.write("Archive/0001/index.json", "{");
    let catalogue = String::from_utf8(sandbox.read("Archive/index.json")).expect("JSON").replace("sealed", "open");
    sandbox.write("Archive/index.json", catalogue);
    let outcome = sandbox.run_seal(&["--burned", "1"]).expect_status(2);
    outcome.expect_stderr("Archive/0001/index.json:1:1").expect_stderr("its burn is not recorded");
    assert_eq!(sandbox.cataloged(1)["burns"], serde_json::json!([]));
    assert!(sandbox.exists("Archive/0001.UNBURNED"));
}

#[test]
fn what_was_never_burned_and_is_gone_is_not_archived() {
    let sandbox = two();
    remove(&sandbox, "0001");
    let outcome = sandbox.run_seal(&["--cat"]).expect_status(1);
    let outcome = outcome
        .expect_stderr("listing: Archive/0001: its directory is gone and no disc of it is known, so its records");
    assert_eq!(outcome.lines().len(), 1);
    assert!(outcome.lines()[0].starts_with("Archive/0002/"));
    let refused = sandbox.run_seal(&["--burned", "1"]).expect_status(2);
    refused.expect_stderr("Archive/0001.UNBURNED tells that it was never burned: if it was, remove that file");
    assert_eq!(sandbox.cataloged(1)["burns"], serde_json::json!([]));
    remove(&sandbox, "0001.UNBURNED");
    let outcome = sandbox.run_seal(&["--burned", "1"]).expect_status(0);
    outcome.expect_stderr("volume 0001 has no directory, so this is believed");
    assert_eq!(sandbox.run_seal(&["--cat"]).expect_status(0).lines().len(), 2);
}

#[test]
fn the_same_burn_twice_is_a_slip_and_a_wrong_one_is_taken_back() {
    let sandbox = two();
    let burn = |args: &[&str], status| sandbox.run_seal(args).expect_status(status);
    burn(&["--burned", "1", "--copy", "home"], 0);
    burn(&["--burned", "1", "--copy", "home"], 2).expect_stderr("has that very burn of today already");
    burn(&["--burned", "2"], 0);
    burn(&["--burned", "2"], 2);
    assert_eq!(sandbox.cataloged(1)["burns"].as_array().map(Vec::len), Some(1));
    // Two discs in one place are not two places.
    burn(&["--burned", "1", "--copy", "home", "--media-id", "B"], 0).expect_stderr("a second copy in another place");
    burn(&["--burned", "1", "--copy", "away"], 0);

    burn(&["--unburned", "1", "--copy", "attic"], 2).expect_stderr("volume 0001 has no such burn");
    burn(&["--unburned", "3"], 2).expect_stderr("volume 0003 has no such burn");
    burn(&["--unburned", "1", "--copy", "home"], 0).expect_stderr("(home, B) is taken back; 2 burns left");
    assert_eq!(sandbox.cataloged(1)["burns"][1]["copy"], "away");
    burn(&["--unburned", "1"], 0);
    assert!(!sandbox.exists("Archive/0001.UNBURNED"));
    burn(&["--unburned=MS_0001"], 0).expect_stderr("0 burns left; never burned yet: 0001");
    assert_eq!((&sandbox.cataloged(1)["state"], sandbox.exists("Archive/0001.UNBURNED")), (&"sealed".into(), true));
    burn(&["--unburned", "1"], 2);
    burn(&["--burned", "1", "--unburned", "1"], 2).expect_stderr("exclude each other");
    burn(&["--burned", "1"], 0);
}

#[test]
fn a_sealed_volume_without_a_listing_is_streamed_from_its_own_index() {
    let sandbox = two();
    let whole = sandbox.run_seal(&["--cat"]).expect_status(0);
    remove(&sandbox, "catalog/0001.tsv");
    let outcome = sandbox.run_seal(&["--cat"]).expect_status(0);
    assert_eq!(outcome.lines(), whole.lines());
    sandbox.write("Archive/0001/index.json", "{");
    let outcome = sandbox.run_seal(&["--cat"]).expect_status(1).expect_stderr("Archive/0001/index.json:1:1");
    assert_eq!(outcome.lines(), whole.lines()[1..]);
}

#[test]
fn what_a_volume_was_made_for_outlives_a_crash_and_lost_files() {
    let sandbox = Sandbox::new();
    sandbox.put_archived("0001/2012/a.jpg", "first");
    let mut row = moved(&sandbox, "0001/2012/a.jpg", (1, 1));
    row.note = "volume=1 file=1/1 fs=udf capacity=4700000256".into();
    sandbox.seal_rows(&[row]).expect_status(0);
    let before = sandbox.cataloged(1);
    assert_eq!((&before["fs"], &before["capacity"]), (&"udf".into(), &4_700_000_256_u64.into()));
    for lost in ["0001.UNBURNED", "catalog/0001.tsv"] {
        remove(&sandbox, lost);
        sandbox.run_seal(&[]).expect_status(0).expect_stderr("completed");
        assert_eq!(sandbox.cataloged(1), before, "{lost}");
    }
}

#[test]
fn a_crash_before_the_catalogue_forgets_no_disc() {
    if !needs("strace") {
        return;
    }
    let sandbox = Sandbox::new();
    sandbox.put_archived("0001/2012/a.jpg", "first");
    let mut row = moved(&sandbox, "0001/2012/a.jpg", (1, 1));
    row.note = "volume=1 file=1/1 fs=udf capacity=4700000256".into();
    // The checksums come last in the volume, and nobody has told the archive of it then.
    let args = ["-e", "trace=mkdirat,?mkdir", "-e", "inject=mkdirat,?mkdir:signal=KILL"];
    support::trace::traced(&sandbox, &args, "ms-seal", &["Archive"], &plan(&[row])).expect_status(137);
    assert!(sandbox.exists("Archive/0001/B3SUMS") && !sandbox.exists("Archive/catalog"));
    sandbox.run_seal(&[]).expect_status(0);
    let entry = sandbox.cataloged(1);
    assert_eq!(
        (&entry["fs"], &entry["capacity"], &entry["state"]),
        (&"udf".into(), &4_700_000_256_u64.into(), &"sealed".into())
    );
}

#[test]
fn of_two_plans_the_smaller_disc_counts_in_any_order() {
    for turn in [false, true] {
        let sandbox = Sandbox::new();
        sandbox.put_archived("0001/2012/a.jpg", "first");
        sandbox.put_archived("0001/2012/b.jpg", "second");
        let mut rows = [moved(&sandbox, "0001/2012/a.jpg", (1, 1)), moved(&sandbox, "0001/2012/b.jpg", (2, 2))];
        rows[0].note = "volume=1 file=1/1 fs=iso capacity=4700000256".into();
        if turn {
            rows.reverse();
        }
        sandbox.seal_rows(&rows).expect_status(0);
        assert_eq!(sandbox.cataloged(1)["capacity"], 4_700_000_256_u64);
    }
}

#[test]
fn paths_that_lead_out_of_a_volume_come_into_no_listing() {
    for path in ["/etc/passwd", "../../x", "2012/../../x", "."] {
        let sandbox = two();
        remove(&sandbox, "catalog/0001.tsv");
        let index = String::from_utf8(sandbox.read("Archive/0001/index.json")).expect("JSON");
        sandbox.write("Archive/0001/index.json", index.replace("2012/a.jpg", path));
        let outcome = sandbox.run_seal(&[]).expect_status(1);
        outcome.expect_stderr(&format!("{path}: this path leads out of the volume"));
        assert!(!sandbox.exists("Archive/catalog/0001.tsv"), "{path}");
        assert!(!String::from_utf8_lossy(&sandbox.run_seal(&["--cat"]).expect_status(1).stdout).contains("/0001/"));
    }
}

#[test]
fn nobody_waits_for_a_fifo() {
    for name in ["index.json", "catalog/0001.tsv"] {
        let sandbox = two();
        remove(&sandbox, name);
        let path = sandbox.path(format!("Archive/{name}"));
        assert!(std::process::Command::new("mkfifo").arg(path).status().expect("mkfifo").success());
        let outcome = sandbox.run_seal(&["--cat"]);
        assert_ne!(outcome.status, 0);
        outcome.expect_stderr(name).expect_stderr("not a regular file");
    }
}

#[test]
fn a_file_that_came_into_a_sealed_volume_is_named_and_so_is_one_that_is_gone() {
    let sandbox = two();
    sandbox.run_seal(&["--all"]).expect_status(0);
    sandbox.put_archived("0002/2013/notes.txt", "mine");
    remove(&sandbox, "0001/2012/a.jpg");
    let outcome = sandbox.run_seal(&["--all"]).expect_status(1);
    outcome
        .expect_stderr("looking at the volume: Archive/0002/2013/notes.txt: it came after the volume was sealed")
        .expect_stderr("looking at the volume: Archive/0001/2012/a.jpg: it is not there");
    assert_eq!(sandbox.indexed_in("0002"), ["2013/b.jpg"]);
}

#[test]
fn a_lost_catalogue_is_made_anew_and_what_it_knew_is_said_to_be_lost() {
    let sandbox = two();
    sandbox.run_seal(&["--burned", "1"]).expect_status(0);
    sandbox.run_seal(&["--burned", "2"]).expect_status(0);
    remove(&sandbox, "0002");
    remove(&sandbox, "index.json");
    let outcome = sandbox.run_seal(&["--all"]).expect_status(0);
    outcome.expect_stderr(
        "the catalogue knew nothing of 2 volumes: 0001, 0002: burns and capacities are not known any more",
    );
    assert!(sandbox.exists("Archive/0001.UNBURNED"));
    assert!(!sandbox.exists("Archive/0002.UNBURNED"), "nothing is there to be burned");
    sandbox.run_seal(&["--burned", "2"]).expect_status(0);
    assert_eq!(sandbox.cataloged(2)["state"], "burned");
}

#[test]
fn an_archive_is_rebuilt_from_a_disc() {
    let sandbox = two();
    sandbox.shell("mkdir NEW && cp -a Archive/0002 NEW/0002 && ms-seal --all NEW").expect_status(0);
    let cat = sandbox.shell("ms-seal --cat NEW | cut -f 1").expect_status(0);
    cat.expect_stdout("NEW/0002/2013/b.jpg");
    sandbox.shell("ms-seal --burned 2 NEW && ms-seal --list NEW").expect_status(0);
}

#[test]
fn an_index_is_not_what_was_moved() {
    let sandbox = Sandbox::new();
    sandbox.put_archived("0001/2012/a.jpg", "first");
    let before = snapshot(&sandbox.work());
    let outcome = sandbox.shell("ms-crawl -q Archive | ms-seal Archive").expect_status(1);
    outcome.expect_stderr("Archive/0001: what was read is an index, and not what ms-mv wrote of it: --all seals");
    assert_eq!(snapshot(&sandbox.work()), before);
    sandbox.write("photos/b.jpg", "second");
    let row = Row {
        note: "volume=2 file=1/1 fs=iso capacity=24220008448".into(),
        ..Row::new(&sandbox, "photos/b.jpg", "Archive/0002/b.jpg")
    };
    let copied = mv(&sandbox, &["--copy"], &[row]).expect_status(0);
    sandbox.run("ms-seal", &["Archive"], &copied.stdout).expect_status(0);
}

#[test]
fn a_plan_that_is_not_carried_out_yet_is_named_once() {
    let sandbox = Sandbox::new();
    sandbox.mkdir("Archive");
    let rows: Vec<Row> = ["a", "b", "c"]
        .iter()
        .map(|name| {
            sandbox.write(format!("photos/{name}"), name);
            Row::new(&sandbox, format!("photos/{name}"), format!("Archive/0001/{name}"))
        })
        .collect();
    let outcome = sandbox.seal_rows(&rows).expect_status(1);
    let expected = "ms-seal: sealing: photos/a: it and 2 files more are not moved yet: ms-mv comes before ms-seal\n\
                    ms-seal: nothing to seal\n";
    assert_eq!(outcome.stderr, expected);
}

#[test]
fn a_volume_whose_packing_was_undone_is_empty_and_not_lost() {
    let sandbox = two();
    sandbox.write("photos/c.jpg", "third");
    mv(&sandbox, &[], &[Row::new(&sandbox, "photos/c.jpg", "Archive/0003/c.jpg")]).expect_status(0);
    sandbox.put_archived("0004/d.jpg", "fourth");
    sandbox.seal_rows(&[told(&sandbox, "0004/d.jpg")]).expect_status(0);
    undo(&sandbox).expect_status(0);
    assert!(!sandbox.exists("Archive/0003"));
    let outcome = sandbox.run_seal(&["--list"]).expect_status(0);
    assert!(outcome.lines()[3].contains("  empty  "), "{:#?}", outcome.lines());
}

#[test]
fn a_tree_of_years_is_not_listed_either() {
    let sandbox = Sandbox::new();
    sandbox.put_archived("2005/03/a.jpg", "first");
    for action in ["--list", "--cat"] {
        let outcome = sandbox.run_seal(&[action]).expect_status(2);
        outcome.expect_stderr("listing: Archive/2005: a tree that is sorted by years").expect_stdout("");
    }
}

#[test]
fn nothing_is_sealed_in_an_archive_that_is_not_there_yet() {
    let sandbox = Sandbox::new();
    sandbox.run("ms-seal", &["Archive"], b"").expect_status(0).expect_stderr("ms-seal: nothing to seal\n");
    assert!(!sandbox.exists("Archive"));
    sandbox.write("photos/a", "a");
    let outcome = sandbox.seal_rows(&[Row::new(&sandbox, "photos/a", "Archive/0001/a")]).expect_status(2);
    outcome.expect_stderr("opening the archive: Archive: No such file or directory");
}

#[test]
fn messages_say_what_to_do() {
    let sandbox = two();
    let outcome = sandbox.run("ms-seal", &["Archive", "moved.tsv"], b"").expect_status(2);
    outcome.expect_stderr("\"moved.tsv\": one ARCHIVE only; records come from standard input");
    sandbox.run_seal(&["--burned=1", "--copy="]).expect_status(2).expect_stderr("a name is missing");

    sandbox.mkdir("Archive/.ms-seal.tmp");
    let outcome = sandbox.run_seal(&[]).expect_status(2);
    outcome.expect_stderr("removing what an interrupted run left: Archive/.ms-seal.tmp: ms-seal has not written this");
    remove(&sandbox, ".ms-seal.tmp");

    sandbox.put_archived("0003/x", "x".repeat(700_000));
    let mut row = moved(&sandbox, "0003/x", (1, 1));
    row.note = "volume=3 file=1/1 fs=iso capacity=1000448".into();
    let outcome = sandbox.run("ms-seal", &["--media", "dvd", "Archive"], &plan(&[row])).expect_status(1);
    outcome.expect_stderr("move files out of it, or plan it for a larger disc");

    sandbox.write("Archive/index.json", "{\"format\":");
    let outcome = sandbox.run_seal(&["--list"]).expect_status(2);
    outcome.expect_stderr("put a good copy in its place, or move it away: ms-seal --all makes another");
}

#[test]
fn what_others_wrote_in_the_catalogue_keeps_every_digit() {
    let sandbox = two();
    let json = String::from_utf8(sandbox.read("Archive/index.json")).expect("JSON");
    let mine = "\"mine\":[1e400, 12345678901234567890123, 0.10]";
    sandbox.write("Archive/index.json", json.replace("\"burns\":[]", &format!("\"burns\":[],{mine}")));
    sandbox.run_seal(&["--burned", "1"]).expect_status(0);
    let json = String::from_utf8(sandbox.read("Archive/index.json")).expect("JSON");
    assert_eq!(json.matches(mine).count(), 2, "{json}");
}
