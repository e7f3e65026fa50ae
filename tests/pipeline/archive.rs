//! The whole way on real files: made, indexed, packed, moved, sealed, written to an image, read back and verified; then
//! the disc goes to the shelf.

use crate::support;

use std::path::{Path, PathBuf};
use std::process::Command;
use support::plan::undo;
use support::sealed::expect_same;
use support::{Outcome, Sandbox, contents, needs, snapshot, unescape};

/// Discs of 6 MB.
const CAPACITY: u64 = 6_000_000;

/// What is not archived yet goes to volumes.
const LINE: &str = "ms-crawl photos Archive | ms-dupes --protect Archive --unique \
    | ms-pack --to Archive --root photos --capacity 6M PACK | ms-mv | ms-seal Archive";

fn line(pack: &str) -> String {
    LINE.replace("PACK", pack)
}

/// A collection in `photos` and an empty archive.
fn collection(gen_args: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.mkdir("Archive");
    sandbox.shell(&format!("ms-gen -q {gen_args} photos")).expect_status(0);
    sandbox
}

/// A few volumes' worth of files of all kinds.
fn photos() -> Sandbox {
    collection("--seed 7 --files 300 --total 25M --min-size 8K --max-size 180K")
}

/// The numbers of the sealed volumes.
fn sealed(sandbox: &Sandbox) -> Vec<u64> {
    let catalogue = sandbox.catalogue().expect("a catalogue");
    let volumes = catalogue["volumes"].as_array().expect("volumes").iter();
    volumes.filter(|entry| entry["state"] != "open").map(|entry| entry["volume"].as_u64().expect("a number")).collect()
}

/// What a program printed; it must succeed.
#[track_caller]
fn program(mut command: Command) -> String {
    let output = command.output().expect("the program");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}:\n{said}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The image of a volume, made as the manual says.
#[track_caller]
fn image(sandbox: &Sandbox, number: u64) -> PathBuf {
    let file = sandbox.path(format!("../{number:04}.iso"));
    let mut command = Command::new("xorriso");
    command.args(["-as", "mkisofs", "-quiet", "-r", "-J", "-joliet-long", "-iso-level", "3", "-V"]);
    command.arg(format!("MS_{number:04}")).arg("-o").arg(&file).arg(sandbox.path(format!("Archive/{number:04}")));
    program(command);
    file
}

/// The tree of an image, as files again.
#[track_caller]
fn extract(image: &Path) -> PathBuf {
    let tree = image.with_extension("tree");
    let mut command = Command::new("xorriso");
    command.args(["-osirrox", "on", "-indev"]).arg(image).args(["-extract", "/"]).arg(&tree);
    program(command);
    // All that a disc holds is read-only, directories too.
    let mut writable = Command::new("chmod");
    writable.args(["-R", "u+w"]).arg(&tree);
    program(writable);
    tree
}

/// The image of every sealed volume is no larger than told, fits its disc, and gives every file back.
#[track_caller]
fn expect_discs_are_good(sandbox: &Sandbox) {
    for number in sealed(sandbox) {
        sandbox.expect_sealed(number);
        let entry = sandbox.entry(number).expect("the volume");
        let told = entry["image_bytes"].as_u64().expect("bytes");
        let image = image(sandbox, number);
        let real = image.metadata().expect("the image").len();
        assert!(real <= told, "volume {number}: an image of {real} bytes, {told} told");
        assert!(told <= entry["capacity"].as_u64().expect("bytes") && told <= CAPACITY, "{entry}");
        expect_tree_verifies(sandbox, number, &extract(&image));
    }
}

#[track_caller]
fn expect_tree_verifies(sandbox: &Sandbox, number: u64, tree: &Path) {
    let files = sandbox.entry(number).expect("the volume")["files"].as_u64().expect("a count");
    let root = tree.to_str().expect("UTF-8");
    let index = format!("Archive/{number:04}/index.json");
    let outcome = sandbox.run("ms-verify", &["--root", root, &index], b"").expect_status(0);
    assert_eq!(outcome.lines().len() as u64, files);
    let own = format!("{root}/index.json");
    let outcome = sandbox.run("ms-verify", &[&own], b"").expect_status(0);
    assert_eq!(outcome.lines().len() as u64, files, "the disc tells it, too");
    if needs("b3sum") {
        let checked = sandbox.b3sum_check(root);
        assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
    }
}

/// The contents of all files but those that seals are made of.
fn kept(sandbox: &Sandbox) -> Vec<Vec<u8>> {
    let mut all = contents(&sandbox.path("photos"));
    for number in (1..).take_while(|number| sandbox.exists(format!("Archive/{number:04}"))) {
        let mut files = snapshot(&sandbox.path(format!("Archive/{number:04}")));
        for name in ["index.json", "B3SUMS", "README.txt"] {
            files.remove(Path::new(name));
        }
        all.extend(files.into_values().filter(|seen| seen.kind == 'f').map(|seen| seen.content));
    }
    all.sort();
    all
}

#[test]
fn photos_go_to_full_discs_that_verify() {
    if !needs("xorriso") {
        return;
    }
    let sandbox = photos();
    let before = contents(&sandbox.path("photos"));
    sandbox.shell(&line("")).expect_status(0);
    let volumes = sealed(&sandbox);
    assert!(volumes.len() >= 2 && volumes == (1..=volumes.len() as u64).collect::<Vec<_>>(), "{volumes:?}");
    assert_eq!(kept(&sandbox), before, "no byte is lost, none is made");
    assert!(!contents(&sandbox.path("photos")).is_empty(), "what fills no disc stays");
    for number in &volumes {
        let entry = sandbox.entry(*number).expect("the volume");
        assert!(entry["image_bytes"].as_u64().expect("bytes") * 100 >= CAPACITY * 85, "{entry}");
    }
    expect_discs_are_good(&sandbox);
}

#[test]
fn what_is_left_is_flushed_and_nothing_is_left_to_archive() {
    if !needs("xorriso") {
        return;
    }
    let sandbox = photos();
    sandbox.shell(&line("")).expect_status(0);
    let (volumes, before) = (sealed(&sandbox), sandbox.archive_inodes());
    sandbox.shell(&line("--flush")).expect_status(0);
    assert!(sealed(&sandbox).len() > volumes.len());
    let mut after = sandbox.archive_inodes();
    after.retain(|path, _| before.contains_key(path) && path != Path::new("index.json"));
    let mut before = before;
    before.remove(Path::new("index.json"));
    assert!(after == before, "sealed volumes are not touched again");
    expect_discs_are_good(&sandbox);
    let rest = "ms-crawl photos Archive | ms-dupes --protect Archive --unique | grep -v README";
    assert!(sandbox.shell(rest).stdout.is_empty());
}

#[test]
fn hostile_names_come_back_from_the_disc() {
    if !needs("xorriso") {
        return;
    }
    let sandbox = collection("--hostile --seed 3 --files 240 --dup-share 0 --total 9M --min-size 8K --max-size 90K");
    let before = contents(&sandbox.path("photos"));
    sandbox.shell(&line("--flush")).expect_status(0);
    assert_eq!(kept(&sandbox), before);
    let volumes = sealed(&sandbox);
    let files: u64 =
        volumes.iter().map(|number| sandbox.entry(*number).expect("it")["files"].as_u64().expect("count")).sum();
    assert_eq!((volumes.len() > 1, files), (true, 240));
    for number in volumes {
        let image = image(&sandbox, number);
        let told = sandbox.entry(number).expect("the volume")["image_bytes"].as_u64().expect("bytes");
        assert!(image.metadata().expect("the image").len() <= told);
        let tree = extract(&image);
        let index = format!("Archive/{number:04}/index.json");
        let outcome =
            sandbox.run("ms-verify", &["--root", tree.to_str().expect("UTF-8"), &index], b"").expect_status(0);
        assert_eq!(outcome.lines().len() as u64, sandbox.entry(number).expect("it")["files"].as_u64().expect("count"));
        if needs("b3sum") {
            let checked = sandbox.b3sum_check(tree.to_str().expect("UTF-8"));
            assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
        }
    }
}

#[test]
fn a_disc_that_has_rotted_is_told() {
    if !needs("xorriso") {
        return;
    }
    let sandbox = photos();
    sandbox.shell(&line("")).expect_status(0);
    let tree = extract(&image(&sandbox, 1));
    let path = sandbox.json("0001/index.json")["files"][5]["path"].as_str().expect("a path").to_owned();
    let file = tree.join(&path);
    let mut content = std::fs::read(&file).expect("the file");
    let (mtime, middle) = (file.metadata().and_then(|meta| meta.modified()).expect("mtime"), content.len() / 2);
    content[middle] ^= 1;
    std::fs::write(&file, content).expect("write");
    std::fs::File::options().write(true).open(&file).and_then(|file| file.set_modified(mtime)).expect("mtime");
    let args = ["--failed", "--root", tree.to_str().expect("UTF-8"), "Archive/0001/index.json"];
    let outcome = sandbox.run("ms-verify", &args, b"").expect_status(1);
    let rows = outcome.rows();
    assert_eq!((rows.len(), &rows[0][7][..]), (1, "rotten"));
    assert!(rows[0][0].ends_with(&path));
}

#[test]
fn an_interrupted_run_is_completed_by_its_plan() {
    let sandbox = photos();
    let plan = "ms-crawl photos | ms-dupes --unique | ms-pack --to Archive --root photos --capacity 6M > ../plan";
    sandbox.shell(plan).expect_status(0);
    // Ends in the middle of the first volume.
    sandbox.shell("head -n 20 ../plan | ms-mv | ms-seal Archive").expect_status(1).expect_stderr("--all");
    assert!(!sandbox.is_sealed(1));
    sandbox.shell("ms-mv < /dev/null | ms-seal Archive").expect_status(0);
    assert!(!sandbox.is_sealed(1), "an empty stream seals nothing");
    let outcome = sandbox.shell("ms-mv ../plan > ../moved; ms-seal Archive < ../moved");
    outcome.expect_status(0);
    let planned = std::fs::read_to_string(sandbox.path("../plan")).expect("the plan");
    for number in sealed(&sandbox) {
        let rows = planned.lines().filter(|row| row.contains(&format!("\tArchive/{number:04}/"))).count();
        assert_eq!(sandbox.entry(number).expect("it")["files"], rows, "volume {number}");
    }
    assert!(sandbox.is_sealed(1) && sandbox.is_sealed(2));
}

#[test]
fn an_unsealed_volume_is_continued_by_a_new_plan() {
    let sandbox = photos();
    let line = "ms-crawl photos Archive | ms-dupes --protect Archive --unique | ms-pack --to Archive --root photos --capacity 6M";
    sandbox.shell(&format!("{line} | head -n 20 | ms-mv")).expect_status(0);
    sandbox.shell(&format!("{line} | ms-mv | ms-seal --capacity 6M Archive")).expect_status(0);
    let first = sandbox.entry(1).expect("volume 1");
    assert_eq!(first["state"], "sealed");
    assert!(first["files"].as_u64() > Some(20) && first["image_bytes"].as_u64() <= Some(CAPACITY), "{first}");
    if needs("xorriso") {
        expect_discs_are_good(&sandbox);
    }
}

#[test]
fn a_run_is_taken_back_until_its_volumes_are_sealed() {
    let sandbox = photos();
    let before = snapshot(&sandbox.path("photos"));
    let line =
        "ms-crawl photos | ms-dupes --unique | ms-pack --to Archive --root photos --capacity 6M | ms-mv > ../moved";
    sandbox.shell(line).expect_status(0);
    undo(&sandbox).expect_status(0);
    expect_same(&snapshot(&sandbox.path("photos")), &before, "nothing changes");
    sandbox.shell(&format!("{line}; ms-seal Archive < ../moved")).expect_status(0);
    let sealed = snapshot(&sandbox.work());
    assert_ne!(undo(&sandbox).status, 0);
    expect_same(&snapshot(&sandbox.work()), &sealed, "--undo");
}

/// The plan for the duplicates of what is archived, those on the shelf included.
fn duplicates(sandbox: &Sandbox, mv: &str) -> Outcome {
    sandbox.shell(&format!("{{ ms-crawl photos; ms-seal --cat Archive; }} | ms-dupes --protect Archive | {mv}"))
}

#[test]
fn what_is_on_the_shelf_is_known_and_its_duplicates_move_when_that_is_asked_for() {
    let sandbox = photos();
    sandbox.shell(&line("")).expect_status(0);
    // The copies among the generated files have a keeper in the archive; they go first.
    duplicates(&sandbox, "ms-mv").expect_status(0);

    let listed = sandbox.listing(1).remove(3);
    let archived = sandbox.path(std::ffi::OsStr::new("Archive")).join(path_of(&listed[0]));
    let content = std::fs::read(archived).expect("the archived file");
    sandbox.seal(&["--burned", "1", "--copy", "home", "--media-id", "x"], &[]).expect_status(0);
    std::fs::remove_dir_all(sandbox.path("Archive/0001")).expect("to the shelf");
    sandbox.write("photos/phone backup/again", &content);

    let found = duplicates(&sandbox, "cat").expect_status(0);
    assert_eq!(found.column(0), ["photos/phone backup/again"]);
    assert_eq!(found.column(6), [format!("Archive/{}", listed[0])]);

    duplicates(&sandbox, "ms-mv").expect_status(1).expect_stderr("photos/phone backup/again");
    assert!(sandbox.exists("photos/phone backup/again"));

    let moved = duplicates(&sandbox, "ms-mv --offline-keep").expect_status(0);
    assert_eq!(moved.column(0), ["duplicates/photos/phone backup/again"]);
    assert_eq!(sandbox.read("duplicates/photos/phone backup/again"), content);
    assert!(!sandbox.exists("photos/phone backup/again"));
    undo(&sandbox).expect_status(0);
    assert!(sandbox.exists("photos/phone backup/again"), "that, too, can be undone");
}

fn path_of(escaped: &str) -> PathBuf {
    PathBuf::from(support::name(&unescape(escaped)))
}

#[test]
fn numbers_of_discs_on_the_shelf_are_not_given_again() {
    let sandbox = photos();
    sandbox.shell(&line("")).expect_status(0);
    let volumes = sealed(&sandbox);
    for number in &volumes {
        sandbox.seal(&["--burned", &number.to_string()], &[]).expect_status(0);
        std::fs::remove_dir_all(sandbox.path(format!("Archive/{number:04}"))).expect("to the shelf");
    }
    sandbox.write("photos/2024/12/31/new.jpg", "something new");
    let line = "{ ms-crawl photos; ms-seal --cat Archive; } | ms-dupes --protect Archive --unique | grep 2024/12/31/new.jpg \
        | ms-pack --to Archive --root photos --capacity 6M --flush | ms-mv | ms-seal Archive";
    sandbox.shell(line).expect_status(0);
    let next = volumes.len() as u64 + 1;
    assert!(sandbox.exists(format!("Archive/{next:04}/2024/12/31/new.jpg")));
    sandbox.expect_sealed(next);
    assert_eq!(sealed(&sandbox).len(), volumes.len() + 1);
}
