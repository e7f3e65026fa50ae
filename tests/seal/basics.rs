//! `ms-seal`: volumes are described, and the archive remembers them.

use crate::support;

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use support::archive::{moved, told};
use support::index::chmod;
use support::plan::plan;
use support::{Mount, Sandbox, hash, name, needs, needs_root, snapshot, trace};

/// Two photos of volume 7.
fn seven() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.put_archived("0007/2012/03/a.jpg", "first");
    sandbox.put_archived("0007/2013/b.jpg", "second photo");
    sandbox
}

#[test]
fn what_was_moved_to_a_volume_is_sealed() {
    let sandbox = seven();
    let rows = [moved(&sandbox, "0007/2012/03/a.jpg", (1, 2)), moved(&sandbox, "0007/2013/b.jpg", (2, 2))];
    let outcome = sandbox.seal_rows(&rows).expect_status(0);
    assert_eq!(outcome.stdout, b"");
    assert_eq!(outcome.stderr, "ms-seal: sealed 1 volume: 0007 (2 files, 17 bytes)\n");

    let (first, second) = (hash(b"first"), hash(b"second photo"));
    let index = format!(
        "{{\"format\":\"mediastruct-volume/1\",\"volume\":7,\"label\":\"MS_0007\",\"files\":[\n\
         {{\"path\":\"2012/03/a.jpg\",\"hash\":\"{first}\",\"size\":5,\"mtime\":\"1330948800.123456789\"}},\n\
         {{\"path\":\"2013/b.jpg\",\"hash\":\"{second}\",\"size\":12,\"mtime\":\"1330948800.123456789\"}}\n]}}\n"
    );
    assert_eq!(String::from_utf8_lossy(&sandbox.read("Archive/0007/index.json")), index);
    let sums = format!("{first}  2012/03/a.jpg\n{second}  2013/b.jpg\n");
    assert_eq!(String::from_utf8_lossy(&sandbox.read("Archive/0007/B3SUMS")), sums);
    let listing = format!(
        "0007/2012/03/a.jpg\t{first}\t5\t1330948800.123456789\t-\n0007/2013/b.jpg\t{second}\t12\t1330948800.123456789\t-\n"
    );
    assert_eq!(String::from_utf8_lossy(&sandbox.read("Archive/catalog/0007.tsv")), listing);
    assert_eq!(sandbox.read("Archive/0007.UNBURNED"), b"");
    assert_eq!(sandbox.read("Archive/.ms-protect"), b"");
    let readme = String::from_utf8(sandbox.read("Archive/0007/README.txt")).expect("ASCII");
    assert!(readme.starts_with("MS_0007\n") && readme.contains("2 files, 17 bytes"), "{readme}");

    let volume = sandbox.cataloged(7);
    assert_eq!(sandbox.catalogue_now()["format"], "mediastruct-archive/1");
    for (member, expected) in [
        ("label", serde_json::json!("MS_0007")),
        ("state", "sealed".into()),
        ("files", 2.into()),
        ("bytes", 17.into()),
        ("capacity", 24_220_008_448_u64.into()),
        ("first_date", "2012-03-05".into()),
        ("last_date", "2013".into()),
        ("burns", serde_json::json!([])),
    ] {
        assert_eq!(volume[member], expected, "{member}");
    }
    let image = volume["image_bytes"].as_u64().expect("a number");
    assert!(image > 184 * 2048 && image.is_multiple_of(2048) && image < 1_000_000, "{image}");
}

#[test]
fn described_files_have_the_permissions_of_usual_files() {
    let sandbox = seven();
    sandbox.shell("umask 027; ms-seal --all Archive").expect_status(0);
    for name in ["0007/index.json", "0007/B3SUMS", "0007/README.txt", "0007.UNBURNED", "index.json", "catalog/0007.tsv"]
    {
        let mode = sandbox.path("Archive").join(name).metadata().expect("metadata").permissions().mode();
        assert_eq!(mode & 0o777, 0o640, "{name}");
    }
}

#[test]
fn an_empty_stream_seals_nothing() {
    let sandbox = seven();
    let before = snapshot(&sandbox.work());
    sandbox.run_seal(&[]).expect_status(0).expect_stderr("ms-seal: nothing to seal\n");
    assert_eq!(snapshot(&sandbox.work()), before);
}

#[test]
fn all_finds_and_reads_what_is_not_sealed() {
    let sandbox = seven();
    sandbox.put_archived("0009/x", "x");
    sandbox.put_archived("notes/y", "y");
    sandbox.put_archived("10/z", "z");
    let outcome = sandbox.run_seal(&["--all"]).expect_status(0);
    assert_eq!(outcome.stderr, "ms-seal: sealed 2 volumes: 0007, 0009 (3 files, 18 bytes)\n");
    assert_eq!(sandbox.indexed_in("0007"), ["2012/03/a.jpg", "2013/b.jpg"]);
    assert!(String::from_utf8_lossy(&sandbox.read("Archive/catalog/0009.tsv")).contains(&hash(b"x")));
    assert_eq!(sandbox.cataloged(9)["capacity"], serde_json::Value::Null);
    assert!(!sandbox.is_described("notes") && !sandbox.is_described("10"));

    let before = snapshot(&sandbox.work());
    sandbox.run_seal(&["--all"]).expect_status(0).expect_stderr("nothing to seal");
    assert_eq!(snapshot(&sandbox.work()), before, "sealed is sealed");
}

#[test]
fn the_same_volume_is_described_alike_by_a_stream_and_by_all() {
    let mut seen = Vec::new();
    for all in [false, true] {
        let sandbox = seven();
        let rows = [told(&sandbox, "0007/2013/b.jpg"), told(&sandbox, "0007/2012/03/a.jpg")];
        if all { sandbox.run_seal(&["--all", "-j1"]) } else { sandbox.seal_rows(&rows) }.expect_status(0);
        let files = ["0007/index.json", "0007/B3SUMS", "0007/README.txt", "catalog/0007.tsv", "index.json"];
        seen.push(files.map(|name| sandbox.read(format!("Archive/{name}"))));
    }
    assert_eq!(seen[0], seen[1]);
}

#[test]
fn what_was_in_a_volume_before_is_included() {
    let sandbox = seven();
    sandbox.seal_rows(&[moved(&sandbox, "0007/2013/b.jpg", (1, 1))]).expect_status(0);
    assert_eq!(sandbox.indexed_in("0007"), ["2012/03/a.jpg", "2013/b.jpg"]);
}

#[test]
fn a_volume_without_files_is_not_sealed() {
    let sandbox = seven();
    sandbox.mkdir("Archive/0008/2012");
    sandbox.run_seal(&["--all"]).expect_status(0).expect_stderr("sealing: Archive/0008: no files, so it is not sealed");
    assert!(!sandbox.is_described("0008") && sandbox.is_described("0007"));
}

#[test]
fn what_is_no_regular_file_keeps_a_volume_open_and_the_others_go_on() {
    let sandbox = seven();
    sandbox.put_archived("0008/x", "x");
    sandbox.symlink("x", "Archive/0008/link");
    sandbox.put_archived("0009/2012/.ms-mv-1-2.part", "half");
    sandbox.put_archived("0010/x", "x");
    assert!(
        std::process::Command::new("mkfifo").arg(sandbox.path("Archive/0010/fifo")).status().expect("mkfifo").success()
    );
    sandbox.put_archived("0011/B3SUMS/x", "x");
    let outcome = sandbox.run_seal(&["--all"]).expect_status(1);
    for message in [
        "ms-seal: sealing: Archive/0008/link: a symbolic link: a volume has regular files only\n",
        "ms-seal: sealing: Archive/0009/2012/.ms-mv-1-2.part: an unfinished copy",
        "ms-seal: sealing: Archive/0010/fifo: a FIFO, not a regular file",
        "ms-seal: sealing: Archive/0011/B3SUMS: a directory has the name of a file that describes the volume\n",
        "ms-seal: sealed 1 volume: 0007 (2 files, 17 bytes); not sealed: 4 volumes: 0008, 0009, 0010, 0011\n",
    ] {
        assert!(outcome.stderr.contains(message), "{message} is not in {}", outcome.stderr);
    }
    assert!(["0008", "0009", "0010"].iter().all(|volume| !sandbox.is_described(volume)));
    // The catalogue tells of them, as far as anybody can.
    assert_eq!(sandbox.cataloged(8)["state"], "open");
    assert_eq!(sandbox.cataloged(8)["files"], 1);
}

#[test]
fn a_file_that_stands_in_the_way_is_left_as_it_is() {
    for blocker in ["index.json", "B3SUMS", "README.txt"] {
        let sandbox = seven();
        sandbox.put_archived(format!("0007/{blocker}"), "mine");
        let outcome = sandbox.run_seal(&["--all"]).expect_status(1);
        outcome.expect_stderr(&format!("sealing: Archive/0007/{blocker}: something else stands there already"));
        assert_eq!(sandbox.read(format!("Archive/0007/{blocker}")), b"mine");
        assert!(!sandbox.exists("Archive/0007.UNBURNED") && !sandbox.exists("Archive/catalog"));
        fs::remove_file(sandbox.path(format!("Archive/0007/{blocker}"))).expect("removal");
        sandbox.run_seal(&[]).expect_status(0);
        assert!(!sandbox.exists("Archive/0007.UNBURNED"), "nothing was begun");
    }
}

#[test]
fn hostile_names_are_listed_and_checked_by_b3sum_and_ms_verify() {
    let sandbox = Sandbox::new();
    let names: [&[u8]; 16] = [
        b"-",
        b"a b",
        b" lead",
        b"trail ",
        b"tab\there",
        b"new\nline",
        b"cr\rin",
        b"end\r",
        b"back\\slash",
        b"\\n",
        b"\xff\xfe",
        "u\u{fffd}".as_bytes(),
        "caf\u{e9}".as_bytes(),
        "cafe\u{301}\u{2028}".as_bytes(),
        b"quote\"'$x",
        b"#; rm -rf",
    ];
    for bytes in names {
        sandbox.put_archived(Path::new("0001").join(name(bytes)), bytes);
        sandbox.put_archived(Path::new("0001/d\n\\").join(name(bytes)), bytes);
    }
    let outcome = sandbox.run_seal(&["--all"]).expect_status(0);
    assert!(outcome.stderr.contains("6 files"), "those that b3sum cannot check: {}", outcome.stderr);
    let verified = sandbox.shell("cd Archive/0001 && ms-verify --root . index.json").expect_status(0);
    assert_eq!(verified.rows().len(), 2 * names.len());
    sandbox.shell("ms-verify Archive/0001/B3SUMS | wc -l").expect_status(0).expect_stdout("26");
    sandbox.shell("ms-seal --cat Archive | ms-verify --failed").expect_status(0).expect_stdout("");
    if needs("b3sum") {
        let checked = sandbox.shell("cd Archive/0001 && b3sum --check B3SUMS").expect_status(0);
        assert_eq!(checked.lines().len(), 2 * names.len() - 6);
    }
    let readme = String::from_utf8(sandbox.read("Archive/0001/README.txt")).expect("ASCII");
    assert!(readme.contains("B3SUMS leaves out 6 files"), "{readme}");
    // The order is that of the bytes.
    let expected: Vec<_> =
        snapshot(&sandbox.path("Archive/0001")).into_iter().filter(|(_, seen)| seen.kind == 'f').collect();
    let mut expected: Vec<_> = expected.iter().map(|(path, _)| path.as_os_str().as_bytes()).collect();
    expected.retain(|path| ![b"index.json".as_slice(), b"B3SUMS", b"README.txt"].contains(path));
    expected.sort_unstable();
    let listed: Vec<_> = sandbox.indexed_in("0001").iter().map(|path| support::unescape(path)).collect();
    let listed: Vec<&[u8]> = listed.iter().map(|path| path.strip_prefix(b"./").unwrap_or(path)).collect();
    assert_eq!(listed, expected);
}

#[test]
fn a_volume_must_fit_its_disc() {
    let sandbox = seven();
    let outcome = sandbox.run_seal(&["--all", "--capacity", "400K"]).expect_status(1);
    outcome
        .expect_stderr("sealing: Archive/0007: its image takes ")
        .expect_stderr("and its disc has 399,360: move files");
    assert!(!sandbox.is_described("0007") && !sandbox.exists("Archive/.ms-protect"));
    let mut small = moved(&sandbox, "0007/2013/b.jpg", (1, 1));
    small.note = "volume=7 file=1/1 fs=iso capacity=399360".into();
    sandbox.seal_rows(&[small.clone()]).expect_status(1).expect_stderr("its disc has 399,360");
    small.note = "volume=7 file=1/1 fs=raw capacity=399360".into();
    sandbox.seal_rows(&[small]).expect_status(0);
    assert_eq!(sandbox.cataloged(7)["capacity"], 399_360);
}

#[test]
fn the_plan_tells_the_disc_and_the_options_where_there_is_none() {
    let sandbox = seven();
    sandbox.put_archived("0008/x", "x");
    let rows = plan(&[moved(&sandbox, "0007/2013/b.jpg", (1, 1)), told(&sandbox, "0008/x")]);
    sandbox.run("ms-seal", &["--media", "dvd", "--fs", "udf", "Archive"], &rows).expect_status(0);
    assert_eq!(sandbox.cataloged(7)["capacity"], 24_220_008_448_u64);
    assert_eq!(sandbox.cataloged(8)["capacity"], 2_295_104_u64 * 2048);
    let images = [7, 8].map(|number| sandbox.cataloged(number)["image_bytes"].as_u64().expect("a number"));
    assert!(images[1] > images[0] + 200 * 2048, "a UDF bridge takes more: {images:?}");
}

#[test]
fn a_plan_that_was_not_carried_out_to_its_end_keeps_the_volume_open() {
    let sandbox = seven();
    let outcome = sandbox.seal_rows(&[moved(&sandbox, "0007/2013/b.jpg", (1, 1234))]).expect_status(1);
    outcome.expect_stderr("sealing: Archive/0007: 1 of 1,234 rows that were planned is told, and 1,233 are");
    assert!(!sandbox.is_described("0007"));
    // The last alone does not matter, either: those before it may have been refused.
    sandbox.seal_rows(&[moved(&sandbox, "0007/2013/b.jpg", (1234, 1234))]).expect_status(1);
    assert!(!sandbox.is_described("0007"));
}

#[test]
fn all_seals_what_an_unfinished_plan_has_left() {
    let sandbox = seven();
    sandbox.seal_rows(&[moved(&sandbox, "0007/2013/b.jpg", (1, 2))]).expect_status(1);
    sandbox.run_seal(&["--all"]).expect_status(0);
}

#[test]
fn a_volume_behind_a_link_is_sealed_where_it_is() {
    let sandbox = Sandbox::new();
    sandbox.write("disk/0007/2012/a.jpg", "first");
    sandbox.mkdir("Archive");
    sandbox.symlink(sandbox.path("disk/0007"), "Archive/0007");
    let rows = [support::plan::Row::new(&sandbox, "Archive/0007/2012/a.jpg", "photos/a.jpg")];
    sandbox.seal_rows(&rows).expect_status(0);
    assert!(sandbox.exists("disk/0007/index.json") && sandbox.exists("Archive/0007.UNBURNED"));
}

#[test]
fn an_archive_that_is_not_there_is_named() {
    let sandbox = Sandbox::new();
    sandbox.write("file", "");
    for args in [&["--all", "nowhere"][..], &["--list", "nowhere"], &["--cat", "nowhere"], &["--burned=1", "nowhere"]] {
        let outcome = sandbox.run("ms-seal", args, b"").expect_status(2);
        assert_eq!(outcome.stderr, "ms-seal: opening the archive: nowhere: No such file or directory\n");
    }
    sandbox.run("ms-seal", &["--all", "file"], b"").expect_status(2).expect_stderr("file: Not a directory");
}

#[test]
fn an_archive_without_volumes_stays_as_it_is() {
    let sandbox = Sandbox::new();
    sandbox.put_archived("notes", "x");
    let before = snapshot(&sandbox.work());
    sandbox.run_seal(&["--all"]).expect_status(0).expect_stderr("nothing to seal");
    assert_eq!(snapshot(&sandbox.work()), before);
}

#[test]
fn a_tree_of_years_is_not_sealed() {
    let sandbox = Sandbox::new();
    sandbox.put_archived("2012/03/a.jpg", "first");
    let before = snapshot(&sandbox.work());
    sandbox.run_seal(&["--all"]).expect_status(2).expect_stderr("Archive/2012: a tree that is sorted by years");
    sandbox.seal_rows(&[told(&sandbox, "2012/03/a.jpg")]).expect_status(2);
    assert_eq!(snapshot(&sandbox.work()), before);
}

#[test]
fn two_runs_exclude_each_other() {
    let sandbox = seven();
    let lock = fs::File::open(sandbox.path("Archive")).expect("directory");
    rustix::fs::flock(&lock, rustix::fs::FlockOperation::LockExclusive).expect("lock");
    for args in [&["--all"][..], &["--burned", "7"]] {
        sandbox
            .run_seal(args)
            .expect_status(2)
            .expect_stderr("locking the archive: Archive: another ms-seal is at work there");
    }
    sandbox.run_seal(&["--list"]).expect_status(0);
    assert!(!sandbox.is_described("0007"));
    drop(lock);
    sandbox.run_seal(&["--all"]).expect_status(0);
}

#[test]
fn a_file_that_cannot_be_read_keeps_its_volume_open() {
    if !needs("cp") {
        return;
    }
    let sandbox = seven();
    chmod(&sandbox.path("Archive/0007/2013/b.jpg"), 0o000);
    let mut command = support::index::as_nobody(&sandbox, "ms-seal");
    command.args(["--all", "Archive"]);
    let outcome = support::finish(command, b"").expect_status(1);
    outcome
        .expect_stderr("reading: Archive/0007/2013/b.jpg: Permission denied")
        .expect_stderr("not sealed: 1 volume: 0007");
    assert!(!sandbox.is_described("0007"));
}

#[test]
fn a_full_disk_leaves_nothing_behind() {
    if !needs_root() {
        return;
    }
    let sandbox = Sandbox::new();
    let mount = Mount::tmpfs("size=1m", &sandbox.path("Archive"));
    for number in 0..400 {
        sandbox.put_archived(format!("0001/{}/{number}", "n".repeat(200)), "");
    }
    let room = fs::File::create(sandbox.path("Archive/room")).expect("file");
    drop(std::io::copy(&mut std::io::repeat(0), &mut { room }));
    let outcome = sandbox.run_seal(&["--all"]).expect_status(1);
    outcome.expect_stderr("sealing: Archive/0001/").expect_stderr(": No space left on device; run ms-seal again");
    assert!(!sandbox.exists("Archive/0001/.ms-seal.tmp") && !sandbox.exists("Archive/0001/index.json"));
    fs::remove_file(sandbox.path("Archive/room")).expect("removal");
    sandbox.run_seal(&["--all"]).expect_status(0);
    assert_eq!(sandbox.indexed_in("0001").len(), 400);
    drop(mount);
}

#[test]
fn everything_is_on_the_disk_before_the_catalogue_tells_of_it() {
    if !needs("strace") {
        return;
    }
    let sandbox = seven();
    let args = ["-y", "--trace=syncfs,fsync,renameat2,?rename,renameat,mkdirat,?mkdir"];
    trace::traced(&sandbox, &args, "ms-seal", &["--all", "Archive"], b"").expect_status(0);
    let log = fs::read_to_string(trace::log(&sandbox)).expect("log");
    let calls: Vec<String> = log.lines().filter_map(call).collect();
    let file = |name: &str| [format!("fsync {name}/.ms-seal.tmp"), format!("rename {name}"), format!("fsync {name}/")];
    let mut expected: Vec<String> = Vec::new();
    expected.extend(file("Archive"));
    expected.push("syncfs 0007".into());
    (0..3).for_each(|_| expected.extend(file("0007")));
    expected.extend(["mkdir".into(), "fsync Archive/".into()]);
    expected.extend(file("catalog"));
    expected.extend(file("Archive"));
    expected.extend(file("Archive"));
    assert_eq!(calls, expected, "{log}");
}

/// One call of strace's log: what it does, and in which directory.
fn call(line: &str) -> Option<String> {
    let (_, call) = line.split_once(' ')?;
    let (verb, rest) = call.trim_start().split_once('(')?;
    let verb = if verb.starts_with("rename") { "rename" } else { verb.trim_end_matches("at") };
    if verb == "mkdir" {
        return Some(verb.into());
    }
    let path = Path::new(rest.split_once('<')?.1.split_once('>')?.0);
    let last = |path: &Path| path.file_name().unwrap_or(OsStr::new("")).to_string_lossy().into_owned();
    Some(match (verb, last(path)) {
        ("fsync", name) if name == ".ms-seal.tmp" => format!("fsync {}/{name}", last(path.parent()?)),
        ("fsync", name) => format!("fsync {name}/"),
        (verb, name) => format!("{verb} {name}"),
    })
}
