//! The order that survives a power cut, read from traces of clean runs.

use crate::support;

use std::path::{Path, PathBuf};
use support::plan::{Row, journals, plan};
use support::steps::{Link, Step, act, barrier, in_order, published, steps, watched};
use support::{Mount, Sandbox, needs, needs_root, set_mtime};

#[track_caller]
fn expect(steps: &[Step], checked: Result<(), String>) {
    checked.unwrap_or_else(|amiss| panic!("{amiss}\n{steps:#?}"));
}

/// A move to another filesystem.
struct Across {
    source: PathBuf,
    part: PathBuf,
    dest: PathBuf,
    journal: PathBuf,
    /// The directory that tells of the removal.
    emptied: PathBuf,
}

impl Across {
    /// All data written → the copy on the disk → read back → its name → that on the disk → the source goes → the journal
    /// tells → the names on the disk → the journal ends.
    fn check(&self, steps: &[Step]) -> Result<(), String> {
        let Self { source, part, dest, journal, emptied } = self;
        let far = dest.parent().expect("a directory");
        let named = Step::Rename(part.clone(), dest.clone());
        in_order(
            steps,
            &[
                act("writing of the copy", |step| step.alters(part)),
                barrier("fsync of the copy", |step| step.syncs(part)),
                barrier("reading back", |step| *step == Step::Read(part.clone())),
                act("name of the copy", |step| *step == named),
                barrier("fsync of its directory", |step| step.syncs(far)),
                act("removal of the source", |step| takes_away(step, source)),
                act("line that says done", |step| step.writes(journal, "done\\t")),
                barrier("fsync of the emptied directory", |step| step.syncs(emptied)),
                act("line that says end", |step| step.writes(journal, "end\\n")),
                barrier("fsync of the journal", |step| step.syncs(journal)),
            ],
        )?;
        // If the power fails once the source is gone, the journal must know which file the copy is.
        in_order(
            steps,
            &[
                act("lines of the copy", |step| step.writes(journal, "part\\t")),
                barrier("fsync of the journal", |step| step.syncs(journal)),
                act("name of the copy", |step| *step == named),
            ],
        )
    }
}

/// The journal, all its rows and its own name are on the disk before the first name changes below `work`.
fn check_beginning(steps: &[Step], journal: &Path, work: &Path) -> Result<(), String> {
    let dir = journal.parent().expect("a directory");
    let above = dir.parent().expect("a directory");
    in_order(
        steps,
        &[
            act("directory of journals", |step| *step == Step::Mkdir(dir.to_owned())),
            barrier("fsync of what holds it", |step| step.syncs(above)),
            act("making of the journal", |step| *step == Step::Make(journal.to_owned())),
            act("line that says start", |step| step.writes(journal, "start\\n")),
            barrier("fsync of the journal", |step| step.syncs(journal)),
            barrier("fsync of its directory", |step| step.syncs(dir)),
            act("change of names", |step| step.changes_names_in(work)),
        ],
    )
}

/// A file is put aside before it is removed.
fn takes_away(step: &Step, file: &Path) -> bool {
    match step {
        Step::Unlink(path) => path == file,
        Step::Rename(from, _) => from == file,
        _ => false,
    }
}

fn journal(sandbox: &Sandbox) -> PathBuf {
    journals(sandbox)[0].canonicalize().expect("a journal")
}

fn work(sandbox: &Sandbox) -> PathBuf {
    sandbox.work().canonicalize().expect("real path")
}

/// A small file in `near`, and another filesystem at `far`.
fn across() -> (Sandbox, Mount, Vec<u8>) {
    let sandbox = Sandbox::new();
    let mount = Mount::tmpfs("size=2m", &sandbox.path("far"));
    set_mtime(&sandbox.write("near/a", "alpha"), 1_000_000, 5);
    let stream = plan(&[Row::new(&sandbox, "near/a", "far/new/a")]);
    (sandbox, mount, stream)
}

#[test]
fn a_move_across_filesystems_survives_a_power_cut() {
    if !needs("strace") || !needs_root() {
        return;
    }
    let (sandbox, _mount, stream) = across();
    let (outcome, steps) = watched(&sandbox, "ms-mv", &[], &stream);
    outcome.expect_status(0);
    let (journal, work) = (journal(&sandbox), work(&sandbox));
    expect(&steps, check_beginning(&steps, &journal, &work));
    let run = journal.file_stem().expect("a name").to_string_lossy().into_owned();
    let part = work.join(format!("far/new/.ms-mv-{run}-0.part"));
    let (source, dest) = (work.join("near/a"), work.join("far/new/a"));
    let emptied = work.join("near");
    let move_across = Across { source, part: part.clone(), dest, journal: journal.clone(), emptied };
    expect(&steps, move_across.check(&steps));
    // The new directory is on the disk before the copy in it is begun.
    let made = [
        act("new directory", |step| *step == Step::Mkdir(work.join("far/new"))),
        barrier("fsync of what holds it", |step| step.syncs(&work.join("far"))),
        act("making of the copy", |step| *step == Step::Make(part.clone())),
    ];
    expect(&steps, in_order(&steps, &made));

    // And back.
    let (outcome, steps) = watched(&sandbox, "ms-mv", &["--undo"], b"");
    outcome.expect_status(0);
    let part = work.join(format!("near/.ms-mv-{run}-0.part"));
    // The directory that the run made is gone, and the line is another one.
    let emptied = work.join("far");
    let back = Across { source: work.join("far/new/a"), part, dest: work.join("near/a"), journal, emptied };
    let steps: Vec<_> = steps.into_iter().map(said_done).collect();
    expect(&steps, back.check(&steps));
}

fn said_done(step: Step) -> Step {
    match step {
        Step::Write(path, text) => Step::Write(path, text.replace("undone\\t", "done\\t")),
        other => other,
    }
}

#[test]
fn renames_are_on_the_disk_before_the_journal_ends() {
    if !needs("strace") {
        return;
    }
    for (mode, line) in [(None, "done\\t"), (Some("--link"), "done\\t"), (Some("--undo"), "undone\\t")] {
        let sandbox = Sandbox::new();
        set_mtime(&sandbox.write("old/a", "alpha"), 1_000_000, 5);
        let stream = plan(&[Row::new(&sandbox, "old/a", "new/deep/a")]);
        if mode == Some("--undo") {
            sandbox.mkdir("new/deep");
            sandbox.run::<&str>("ms-mv", &[], &stream).expect_status(0);
        }
        let args: Vec<&str> = mode.into_iter().collect();
        let (outcome, steps) = watched(&sandbox, "ms-mv", &args, &stream);
        outcome.expect_status(0);
        let (journal, work) = (journal(&sandbox), work(&sandbox));
        if mode != Some("--undo") {
            expect(&steps, check_beginning(&steps, &journal, &work));
        }
        let dirs: &[&str] = match mode {
            None => &["old", "new/deep", "new", ""],
            Some("--link") => &["new/deep", "new", ""],
            _ => &["old", "new/deep"],
        };
        for dir in dirs {
            let dir = if dir.is_empty() { work.clone() } else { work.join(dir) };
            let chain = [
                act("new name", |step| matches!(step, Step::Rename(..) | Step::Link(..))),
                act("line that tells", |step| step.writes(&journal, line)),
                barrier("fsync of a directory", |step| step.syncs(&dir)),
                act("line that says end", |step| step.writes(&journal, "end\\n")),
                barrier("fsync of the journal", |step| step.syncs(&journal)),
            ];
            let checked = in_order(&steps, &chain).map_err(|amiss| format!("{mode:?}, {}: {amiss}", dir.display()));
            expect(&steps, checked);
        }
    }
}

#[test]
fn a_second_name_is_on_the_disk_before_the_first_one_goes() {
    if !needs("strace") {
        return;
    }
    let sandbox = Sandbox::new();
    set_mtime(&sandbox.write("old/a", "alpha"), 1_000_000, 5);
    sandbox.mkdir("new");
    let stream = plan(&[Row::new(&sandbox, "old/a", "new/a")]);
    let strace = [&support::steps::STEPS[..], &["-e", "inject=renameat2:error=EINVAL"]].concat();
    support::trace::traced(&sandbox, &strace, "ms-mv", &[], &stream).expect_status(0);
    let log = std::fs::read_to_string(support::trace::log(&sandbox)).expect("what strace wrote");
    let work = work(&sandbox);
    let steps = steps(&log, &work);
    let (old, new) = (work.join("old/a"), work.join("new/a"));
    let chain = [
        act("second name", |step| *step == Step::Link(old.clone(), new.clone())),
        barrier("fsync of its directory", |step| step.syncs(&work.join("new"))),
        act("removal of the first name", |step| takes_away(step, &old)),
    ];
    expect(&steps, in_order(&steps, &chain));
}

#[test]
fn each_file_of_a_seal_is_on_the_disk_before_the_next_and_the_catalogue_is_the_last() {
    if !needs("strace") {
        return;
    }
    let sandbox = Sandbox::new();
    sandbox.put_archived("0001/2012/a.jpg", "alpha");
    let stream = plan(&[support::archive::moved(&sandbox, "0001/2012/a.jpg", (1, 1))]);
    let (outcome, steps) = watched(&sandbox, "ms-seal", &["Archive"], &stream);
    outcome.expect_status(0);
    let archive = work(&sandbox).join("Archive");
    let mut before: Option<(&str, usize)> = None;
    for name in [
        ".ms-protect",
        "0001/README.txt",
        "0001/index.json",
        "0001/B3SUMS",
        "catalog/0001.tsv",
        "0001.UNBURNED",
        "index.json",
    ] {
        let path = archive.join(name);
        let (made, synced) = match published(&steps, &path.with_file_name(".ms-seal.tmp"), &path) {
            Ok(places) => places,
            Err(amiss) => return expect(&steps, Err(amiss)),
        };
        if let Some((former, end)) = before {
            assert!(end < made, "{name} is begun before {former} is on the disk");
        }
        before = Some((name, synced));
    }
    // What lies in the volume may have come there by a rename.
    let volume = archive.join("0001");
    let chain = [
        barrier("syncfs", |step| *step == Step::SyncAll(volume.clone())),
        act("making of a file", |step| step.changes_names_in(&volume)),
    ];
    expect(&steps, in_order(&steps, &chain));
    let listings = archive.join("catalog");
    let chain = [
        act("directory of listings", |step| *step == Step::Mkdir(listings.clone())),
        barrier("fsync of the archive", |step| step.syncs(&archive)),
        act("making of a listing", |step| matches!(step, Step::Make(path) if path.starts_with(&listings))),
    ];
    expect(&steps, in_order(&steps, &chain));
}

#[test]
fn a_burn_is_on_the_disk_before_its_marker_goes() {
    if !needs("strace") {
        return;
    }
    let sandbox = Sandbox::new();
    sandbox.put_archived("0001/2012/a.jpg", "alpha");
    sandbox.run_seal(&["--all"]).expect_status(0);
    let (outcome, steps) = watched(&sandbox, "ms-seal", &["--burned", "1", "Archive"], b"");
    outcome.expect_status(0);
    let archive = work(&sandbox).join("Archive");
    let catalogue = archive.join("index.json");
    expect(&steps, published(&steps, &archive.join(".ms-seal.tmp"), &catalogue).map(drop));
    let chain = [
        act("new catalogue", |step| matches!(step, Step::Rename(_, new) if *new == catalogue)),
        barrier("fsync of the archive", |step| step.syncs(&archive)),
        act("removal of the marker", |step| *step == Step::Unlink(archive.join("0001.UNBURNED"))),
        barrier("fsync of the archive", |step| step.syncs(&archive)),
    ];
    expect(&steps, in_order(&steps, &chain));
}

#[test]
fn a_kept_index_and_its_companion_take_their_places_whole() {
    if !needs("strace") {
        return;
    }
    for is_first in [true, false] {
        let sandbox = Sandbox::new();
        let args = ["-j", "1", "--index", "index.tsv", "d"];
        sandbox.old_file("d/old", "old");
        if !is_first {
            sandbox.run("ms-crawl", &args, b"").expect_status(0);
            sandbox.old_file("d/young", "young");
        }
        let (outcome, steps) = watched(&sandbox, "ms-crawl", &args, b"");
        outcome.expect_status(0);
        let work = work(&sandbox);
        let at = |name: &str| work.join(name);
        let (file, new) = (at("index.tsv"), at("index.tsv.new"));
        let (companion, next) = (at("index.tsv.crawl"), at("index.tsv.crawl.new"));
        expect(&steps, published(&steps, &new, &file).map(drop));
        expect(&steps, published(&steps, &next, &companion).map(drop));
        let named = Step::Rename(new.clone(), file.clone());
        let chain = [
            act("announcement of FILE.new", |step| step.writes(&companion, "temporary\\t\\n")),
            barrier("fsync of the companion", |step| step.syncs(&companion)),
            act("making of FILE.new", |step| *step == Step::Make(new.clone())),
            barrier("fsync of FILE.new", |step| step.syncs(&new)),
            barrier("account of FILE.new", |step| step.writes(&companion, "account\\t")),
            barrier("fsync of the companion", |step| step.syncs(&companion)),
            act("name FILE", |step| *step == named),
            barrier("fsync of the directory", |step| step.syncs(&work)),
            act("word that FILE.new is gone", |step| step.writes(&companion, "temporary\\tgone")),
            act("making of a new companion", |step| *step == Step::Make(next.clone())),
        ];
        expect(&steps, in_order(&steps, &chain));
        if is_first {
            let chain = [
                barrier("making of the companion", |step| *step == Step::Make(companion.clone())),
                barrier("fsync of the companion", |step| step.syncs(&companion)),
                barrier("fsync of the directory", |step| step.syncs(&work)),
                act("making of FILE.new", |step| *step == Step::Make(new.clone())),
            ];
            expect(&steps, in_order(&steps, &chain));
        }
    }
}

/// A made-up trace in the right order, each line of which matters.
const GOOD: &str = r#"7  write(3</j/run.journal>, "part\t0\t/far/p\t2:9\n", 18) = 18
7  fdatasync(3</j/run.journal>) = 0
7  write(5</far/p>, "alpha", 5) = 5
7  fsync(5</far/p>) = 0
7  read(6</far/p>, "alpha", 1048576) = 5
7  renameat2(4</far>, "p", 4</far>, "a", RENAME_NOREPLACE) = 0
7  fsync(8</far>) = 0
7  unlinkat(9</near>, "a", 0) = 0
7  write(3</j/run.journal>, "done\t0\t5\t1.000000000\t2:9\n", 27) = 27
7  fsync(8</near>) = 0
7  write(3</j/run.journal>, "end\n", 4) = 4
7  fdatasync(3</j/run.journal>) = 0"#;

fn good() -> Across {
    let path = PathBuf::from;
    let (source, part, dest) = (path("/near/a"), path("/far/p"), path("/far/a"));
    Across { source, part, dest, journal: path("/j/run.journal"), emptied: path("/near") }
}

#[test]
fn the_check_of_a_copy_passes_the_right_order_and_no_other() {
    let check = |lines: &[&str]| good().check(&steps(&lines.join("\n"), Path::new("/")));
    let lines: Vec<&str> = GOOD.lines().collect();
    assert_eq!(check(&lines), Ok(()));
    for i in 0..lines.len() {
        let mut less = lines.clone();
        let line = less.remove(i);
        assert!(check(&less).is_err(), "passed without {line}");
    }
    // The line that names the copy may come at any time before the copy's name does.
    for i in 2..lines.len() - 1 {
        let mut swapped = lines.clone();
        swapped.swap(i, i + 1);
        assert!(check(&swapped).is_err(), "passed with {} after {}", lines[i], lines[i + 1]);
    }
    for late in [[0, 5], [1, 5], [2, 4], [3, 5], [6, 7]] {
        let mut moved = lines.clone();
        let line = moved.remove(late[0]);
        moved.insert(late[1], line);
        assert!(check(&moved).is_err(), "passed with {line} in place {}", late[1]);
    }
    for again in [lines[2], "7  fchmod(5</far/p>, 0644) = 0"] {
        let more = [&lines[..4], &[again], &lines[4..]].concat();
        assert!(check(&more).is_err(), "passed with {again} after the fsync");
    }
}

#[test]
fn the_check_of_a_new_file_passes_the_right_order_and_no_other() {
    let lines = [
        r#"7  openat(4</d>, "t", O_WRONLY|O_CREAT|O_EXCL, 0644) = 5</d/t>"#,
        r#"7  write(5</d/t>, "text", 4) = 4"#,
        "7  fsync(5</d/t>) = 0",
        r#"7  rename("t", "/d/name") = 0"#,
        "7  fsync(4</d>) = 0",
    ];
    let check =
        |lines: &[&str]| published(&steps(&lines.join("\n"), Path::new("/d")), Path::new("/d/t"), Path::new("/d/name"));
    assert_eq!(check(&lines), Ok((0, 4)));
    for i in [0, 2, 3, 4] {
        let mut less = lines.to_vec();
        let line = less.remove(i);
        assert!(check(&less).is_err(), "passed without {line}");
    }
    for i in 1..lines.len() - 1 {
        let mut swapped = lines;
        swapped.swap(i, i + 1);
        assert!(check(&swapped).is_err(), "passed with {} after {}", lines[i], lines[i + 1]);
    }
}

#[test]
fn the_check_of_a_chain_tells_an_act_from_a_barrier() {
    let made = |name: &str| Step::Make(PathBuf::from(name));
    let is = |name: &'static str| move |step: &Step| *step == made(name);
    let trace = ["x", "a", "x", "b", "x"].map(made);
    let chain = |links: &[Link<'_>]| in_order(&trace, links).is_ok();
    assert!(chain(&[act("a", is("a")), barrier("x", is("x")), act("b", is("b"))]));
    assert!(!chain(&[act("a", is("a")), act("x", is("x")), act("b", is("b"))]));
    assert!(!chain(&[act("b", is("b")), act("a", is("a"))]));
    assert!(!chain(&[act("a", is("a")), barrier("none", is("c"))]));
}
