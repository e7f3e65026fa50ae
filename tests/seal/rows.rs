//! `ms-seal` and the rows that it reads: which file each is about, and what of it can be trusted.

use crate::support;

use std::fs;
use support::archive::{MTIME, moved, told};
use support::plan::{Row, plan};
use support::{Mount, Outcome, Sandbox, hash, needs, needs_root, set_mtime, snapshot};

const PHOTO: &str = "0001/2012/a.jpg";

fn photo() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.put_archived(PHOTO, "photo");
    sandbox
}

fn row(sandbox: &Sandbox) -> Row {
    moved(sandbox, PHOTO, (1, 1))
}

/// Which files were read while these rows were sealed.
#[track_caller]
fn read_for(sandbox: &Sandbox, rows: &[Row]) -> Vec<String> {
    fs::write(sandbox.path("rows"), plan(rows)).expect("rows");
    let watched = watch_seal(sandbox, "ms-seal Archive < rows");
    assert_eq!(watched.0.status, 0, "{}", watched.0.stderr);
    watched.1
}

fn watch_seal(sandbox: &Sandbox, line: &str) -> (Outcome, Vec<String>) {
    let log = sandbox.work().parent().expect("the sandbox").join("watch.log");
    let trace = format!("strace -f -qq -o {} {}", log.display(), support::index::WATCH.join(" "));
    let outcome = sandbox.shell(&line.replace("ms-seal", &format!("{trace} {}", support::bin("ms-seal"))));
    let opened = support::index::opened(sandbox, &log).into_iter().map(|file| file.path);
    (outcome, opened.filter(|path| path.as_bytes().ends_with(b".jpg")).collect())
}

/// Nothing is written, the volume stays open, and the reason is named.
#[track_caller]
fn expect_refused(sandbox: &Sandbox, rows: &[Row], reason: &str) {
    let before = snapshot(&sandbox.work());
    let outcome = sandbox.seal_rows(rows).expect_status(1).expect_stderr(reason);
    assert!(outcome.stderr.ends_with("not sealed: 1 volume: 0001\n"), "{}", outcome.stderr);
    assert_eq!(snapshot(&sandbox.work()), before);
}

#[test]
fn a_hash_that_can_be_trusted_is_not_found_anew() {
    if !needs("strace") {
        return;
    }
    let sandbox = photo();
    assert_eq!(read_for(&sandbox, &[row(&sandbox)]), [""; 0]);
    assert!(String::from_utf8_lossy(&sandbox.read("Archive/0001/index.json")).contains(&hash(b"photo")));
}

#[test]
fn whatever_else_is_said_the_file_is_read() {
    if !needs("strace") {
        return;
    }
    let changes: [fn(&mut Row); 4] = [
        |row| row.hash = "-".into(),
        |row| row.mtime = "-".into(),
        |row| row.id = "1:1".into(),
        |row| row.note = "unreadable".into(),
    ];
    for change in changes {
        let sandbox = photo();
        let mut row = row(&sandbox);
        change(&mut row);
        assert_eq!(read_for(&sandbox, &[row]), ["Archive/0001/2012/a.jpg"]);
        assert!(String::from_utf8_lossy(&sandbox.read("Archive/0001/index.json")).contains(&hash(b"photo")));
    }
}

#[test]
fn what_is_read_must_be_what_is_said() {
    let changes: [fn(&mut Row); 3] =
        [|row| row.mtime = "-".into(), |row| row.id = "1:1".into(), |row| row.note = "rotten".into()];
    for change in changes {
        let sandbox = photo();
        let mut row = row(&sandbox);
        change(&mut row);
        row.hash = hash(b"other");
        expect_refused(&sandbox, &[row], "Archive/0001/2012/a.jpg: its content is not what its row says");
    }
    // Two that disagree are no proof either.
    let sandbox = photo();
    let other = Row { hash: hash(b"other"), ..row(&sandbox) };
    expect_refused(&sandbox, &[row(&sandbox), other], "its content is not what its row says");
}

#[test]
fn a_row_is_about_a_file_that_is_there_and_as_it_says() {
    let sandbox = photo();
    let gone = Row { path: "Archive/0001/2012/gone.jpg".into(), ..row(&sandbox) };
    expect_refused(&sandbox, &[row(&sandbox), gone], "sealing: Archive/0001/2012/gone.jpg: it is not there");
    let longer = Row { size: "6".into(), ..row(&sandbox) };
    expect_refused(&sandbox, &[longer], "it is not what its row says: its size differs");
    let row = row(&sandbox);
    set_mtime(&sandbox.path(format!("Archive/{PHOTO}")), MTIME + 1, 0);
    expect_refused(&sandbox, &[row], "it is not what its row says: its modification time differs");
}

#[test]
fn a_row_of_a_volume_that_is_gone_is_refused() {
    let sandbox = photo();
    sandbox.write("Archive/0002.UNBURNED", "");
    for volume in ["0002", "0003"] {
        let lost = Row { path: format!("Archive/{volume}/x"), note: "-".into(), ..row(&sandbox) };
        let outcome = sandbox.seal_rows(&[lost]).expect_status(1);
        outcome.expect_stderr(&format!("sealing: Archive/{volume}/x: it is not there"));
    }
}

#[test]
fn a_row_that_lies_in_no_volume_is_named_and_the_others_go_on() {
    let sandbox = photo();
    sandbox.put_archived("notes/b", "b");
    sandbox.write("elsewhere/c", "c");
    let rows = [told(&sandbox, "notes/b"), Row::new(&sandbox, "elsewhere/c", "-"), row(&sandbox)];
    let outcome = sandbox.seal_rows(&rows).expect_status(1);
    for path in ["Archive/notes/b", "elsewhere/c"] {
        assert!(
            outcome.stderr.contains(&format!("sealing: {path}: it lies in no volume of Archive\n")),
            "{}",
            outcome.stderr
        );
    }
    assert!(sandbox.exists("Archive/0001.UNBURNED"));
}

#[test]
fn a_volume_with_a_wrong_row_stays_open_and_the_others_go_on() {
    let sandbox = photo();
    sandbox.put_archived("0002/x", "x");
    let wrong = Row { size: "6".into(), ..row(&sandbox) };
    let outcome = sandbox.seal_rows(&[wrong, told(&sandbox, "0002/x")]).expect_status(1);
    outcome.expect_stderr("sealed 1 volume: 0002 (1 file, 1 byte); not sealed: 1 volume: 0001");
    assert!(!sandbox.is_described("0001") && sandbox.exists("Archive/0002.UNBURNED"));
}

#[test]
fn rows_are_matched_however_they_are_spelled() {
    if !needs("strace") {
        return;
    }
    let work = |sandbox: &Sandbox| sandbox.work().display().to_string();
    let spellings: [fn(String) -> String; 5] = [
        |work| format!("{work}/Archive/{PHOTO}"),
        |_| format!("./Archive/../Archive//{PHOTO}"),
        |_| format!("link/{PHOTO}"),
        |_| "inner/a.jpg".into(),
        |_| "Archive/0001/new/../2012/a.jpg".into(),
    ];
    for spell in spellings {
        let sandbox = photo();
        sandbox.symlink("Archive", "link");
        sandbox.symlink("Archive/0001/2012", "inner");
        sandbox.mkdir("Archive/0001/new");
        let row = Row { path: spell(work(&sandbox)), ..row(&sandbox) };
        assert_eq!(read_for(&sandbox, std::slice::from_ref(&row)), [""; 0], "{}", row.path);
        assert_eq!(sandbox.indexed_in("0001"), ["2012/a.jpg"]);
    }
}

#[test]
fn rows_are_matched_through_a_bind_mount() {
    if !needs("strace") || !needs_root() {
        return;
    }
    let sandbox = photo();
    let _mount = Mount::bind(&sandbox.path("Archive/0001/2012"), &sandbox.path("elsewhere"));
    let row = Row { path: "elsewhere/a.jpg".into(), ..row(&sandbox) };
    assert_eq!(read_for(&sandbox, &[row]), [""; 0]);
}

#[test]
fn the_same_row_twice_is_one_row() {
    let sandbox = photo();
    sandbox.seal_rows(&[row(&sandbox), row(&sandbox)]).expect_status(0);
    assert_eq!(sandbox.indexed_in("0001"), ["2012/a.jpg"]);
}

#[test]
fn a_malformed_line_seals_nothing_unless_it_is_skipped() {
    let sandbox = photo();
    let before = snapshot(&sandbox.work());
    let mut stream = plan(&[row(&sandbox)]);
    stream.extend_from_slice(b"Archive/0001/x\tno hash\t1\n");
    let outcome = sandbox.run("ms-seal", &["Archive"], &stream).expect_status(2);
    outcome
        .expect_stderr("reading: standard input:2: column 2 (hash)")
        .expect_stderr("nothing is done: 1 malformed line");
    let cut = &plan(&[row(&sandbox)])[..50];
    sandbox.run("ms-seal", &["Archive"], cut).expect_status(2).expect_stderr("cut off");
    assert_eq!(snapshot(&sandbox.work()), before);
    sandbox.run("ms-seal", &["--skip-bad-lines", "Archive"], &stream).expect_status(1);
    assert!(sandbox.exists("Archive/0001.UNBURNED"));
}

#[test]
fn a_stream_with_names_in_any_order_and_csv_are_read() {
    for csv in [false, true] {
        let sandbox = photo();
        let columns = ["size", "path", "dest", "hash", "mtime"];
        let Row { path, hash, size, mtime, dest, .. } = row(&sandbox);
        let separator = if csv { "," } else { "\t" };
        let lines = [columns.join(separator), [size, path, dest, hash, mtime].join(separator)];
        let stream = format!("{}\n", lines.join("\n"));
        sandbox.run("ms-seal", &["Archive"], stream.as_bytes()).expect_status(0);
        assert!(sandbox.exists("Archive/0001.UNBURNED"));
    }
}

#[test]
fn a_row_of_a_sealed_volume_must_be_in_its_list() {
    let sandbox = photo();
    let first = row(&sandbox);
    sandbox.seal_rows(std::slice::from_ref(&first)).expect_status(0);
    let before = snapshot(&sandbox.work());
    sandbox.seal_rows(std::slice::from_ref(&first)).expect_status(0).expect_stderr("nothing to seal");
    assert_eq!(snapshot(&sandbox.work()), before);
    sandbox.put_archived("0001/2012/late.jpg", "late");
    let late = told(&sandbox, "0001/2012/late.jpg");
    let outcome = sandbox.seal_rows(&[first.clone(), late]).expect_status(1);
    outcome.expect_stderr("sealing: Archive/0001/2012/late.jpg: its volume was sealed without it");
    let other = Row { hash: hash(b"other"), ..first };
    sandbox.seal_rows(&[other]).expect_status(1).expect_stderr("sealed with another content of this file");
}

#[test]
fn what_is_lost_of_a_sealed_volume_is_completed() {
    for lost in ["0001.UNBURNED", "catalog/0001.tsv", "index.json"] {
        let sandbox = photo();
        let row = row(&sandbox);
        sandbox.seal_rows(std::slice::from_ref(&row)).expect_status(0);
        let before = snapshot(&sandbox.work());
        fs::remove_file(sandbox.path("Archive").join(lost)).expect("removal");
        let outcome = sandbox.seal_rows(&[row]).expect_status(0);
        outcome.expect_stderr("completed what the archive tells of 1 volume: 0001");
        let after = snapshot(&sandbox.work());
        let contents = |seen: &std::collections::BTreeMap<_, support::Seen>| {
            seen.iter()
                .map(|(path, seen): (&std::path::PathBuf, _)| (path.clone(), seen.content.clone()))
                .collect::<Vec<_>>()
        };
        assert_eq!(contents(&after), contents(&before), "{lost}");
    }
}

#[test]
fn many_rows_are_matched_at_once() {
    // A small share of a million, and of the time.
    let sandbox = Sandbox::new();
    let mut stream = String::new();
    for number in 0..20_000 {
        let path = sandbox.put_archived(format!("0001/{}/{number}.jpg", number / 100), "");
        let meta = path.metadata().expect("metadata");
        let (mtime, id) = (support::plan::mtime(&meta), support::plan::id(&meta));
        let line = support::index_line(&format!("Archive/0001/{}/{number}.jpg", number / 100), "", 0, &mtime, &id);
        stream += &line.replace('\n', "\tphotos/x.jpg\n");
    }
    let start = std::time::Instant::now();
    sandbox.run("ms-seal", &["Archive"], stream.as_bytes()).expect_status(0);
    assert!(start.elapsed().as_secs() < 10, "{:?}", start.elapsed());
}
