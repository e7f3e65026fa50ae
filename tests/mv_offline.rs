//! `ms-mv` and archives: nothing is put into a sealed volume, and with `--offline-keep` a copy on a shelf is one that stays.

mod support;

use std::fs;
use support::plan::{Row, mv, undo};
use support::{Mount, Outcome, Sandbox, hash, needs_root, set_mtime, snapshot};

const OFFLINE: &[&str] = &["--offline-keep"];
const NONE: &[&str] = &[];
const KEEPER: &str = "Archive/0001/2012/a.jpg";

/// Volume 1, sealed, and a duplicate of its photo elsewhere.
fn sealed() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.archived("0001/2012/a.jpg", "photo");
    sandbox.archived("0001/2012/b\nb.jpg", "another");
    sandbox.seal(&["--all", "-q"]).expect_status(0);
    set_mtime(&sandbox.write("photos/again.jpg", "photo"), 1_000_000, 5);
    sandbox
}

/// The same, with the volume on a shelf.
fn on_shelf() -> Sandbox {
    let sandbox = sealed();
    sandbox.seal(&["--burned", "1", "-q"]).expect_status(0);
    fs::remove_dir_all(sandbox.path("Archive/0001")).expect("removal");
    sandbox
}

/// The duplicate, with the photo of the volume as the copy that stays, as ms-dupes writes it from `ms-seal --cat`.
fn row(sandbox: &Sandbox) -> Row {
    Row { note: "keep mtime=1330948800.123456789".into(), ..unnoted(sandbox) }
}

fn unnoted(sandbox: &Sandbox) -> Row {
    Row::new(sandbox, "photos/again.jpg", "q/again.jpg").keep_unnoted(KEEPER)
}

/// The row is refused, and nothing is touched.
#[track_caller]
fn expect_refused(sandbox: &Sandbox, args: &[&str], row: Row, reason: &str) -> Outcome {
    let before = snapshot(&sandbox.work());
    for dry in [true, false] {
        let args = if dry { [args, &["--dry-run"]].concat() } else { args.to_vec() };
        let outcome = mv(sandbox, &args, std::slice::from_ref(&row)).expect_status(1);
        assert_eq!(outcome.stdout, b"");
        outcome.expect_stderr("moving: photos/again.jpg: ").expect_stderr(reason);
        assert_eq!(snapshot(&sandbox.work()), before);
    }
    mv(sandbox, args, &[row])
}

#[test]
fn a_duplicate_moves_whose_copy_is_on_a_shelf() {
    for make in [row, unnoted] {
        for args in [OFFLINE, &["--offline-keep", "--check", "content"]] {
            let sandbox = on_shelf();
            mv(&sandbox, args, &[make(&sandbox)]).expect_status(0);
            assert_eq!(sandbox.read("q/again.jpg"), b"photo");
            assert!(!sandbox.exists("photos/again.jpg"));
            undo(&sandbox).expect_status(0);
            assert_eq!(sandbox.read("photos/again.jpg"), b"photo");
        }
    }
}

#[test]
fn without_the_option_it_stays_and_the_option_is_named() {
    let sandbox = on_shelf();
    let reason = "its volume 0001 is not here; --offline-keep takes the word of ";
    expect_refused(&sandbox, NONE, row(&sandbox), reason).expect_stderr("Archive that it is on a disc");
}

#[test]
fn the_whole_way_through_ms_dupes_moves_it() {
    let sandbox = on_shelf();
    sandbox.write("photos/new.jpg", "new");
    let line = "{ ms-crawl -q photos; ms-seal -q --cat Archive; } | ms-dupes -q --protect Archive --to q 2> /dev/null > plan.tsv";
    sandbox.shell(line).expect_status(0);
    sandbox.shell("ms-mv plan.tsv").expect_status(1).expect_stderr("--offline-keep");
    sandbox.shell("ms-mv --offline-keep plan.tsv").expect_status(0);
    assert!(sandbox.exists("q/photos/again.jpg") && sandbox.exists("photos/new.jpg"));
}

#[test]
fn a_keeper_is_found_however_it_is_spelled() {
    let spellings: [fn(String) -> String; 5] = [
        |work| format!("{work}/{KEEPER}"),
        |_| format!("./photos/..//{KEEPER}"),
        |_| "link/0001/2012/a.jpg".into(),
        |_| "Archive/0001/2013/../2012/a.jpg".into(),
        |_| "photos/up/0001/2012/a.jpg".into(),
    ];
    for spell in spellings {
        let sandbox = on_shelf();
        sandbox.symlink("Archive", "link");
        sandbox.symlink("../Archive", "photos/up");
        let row = Row { keep: spell(sandbox.work().display().to_string()), ..row(&sandbox) };
        mv(&sandbox, OFFLINE, &[row]).expect_status(0);
        assert!(sandbox.exists("q/again.jpg"));
    }
}

#[test]
fn a_volume_behind_a_link_that_leads_nowhere_is_on_a_shelf() {
    let sandbox = on_shelf();
    sandbox.symlink("/nowhere/0001", "Archive/0001");
    mv(&sandbox, OFFLINE, &[row(&sandbox)]).expect_status(0);
}

#[test]
fn only_a_burned_volume_is_on_a_shelf() {
    let sandbox = sealed();
    fs::remove_dir_all(sandbox.path("Archive/0001")).expect("removal");
    expect_refused(&sandbox, OFFLINE, row(&sandbox), "its volume 0001 is not here, and was never burned");
    fs::remove_file(sandbox.path("Archive/index.json")).expect("removal");
    expect_refused(&sandbox, OFFLINE, row(&sandbox), "was never burned");
}

#[test]
fn a_volume_that_is_here_must_have_the_file() {
    let sandbox = sealed();
    sandbox.seal(&["--burned", "1", "-q"]).expect_status(0);
    fs::remove_file(sandbox.path(KEEPER)).expect("removal");
    expect_refused(&sandbox, OFFLINE, row(&sandbox), "it is not there any more, though its volume 0001 is");
}

#[test]
fn the_listing_must_have_just_that_content() {
    let sandbox = on_shelf();
    let good = row(&sandbox);
    let other = |change: fn(&mut Row)| {
        let mut row = row(&sandbox);
        change(&mut row);
        row
    };
    expect_refused(
        &sandbox,
        OFFLINE,
        other(|row| row.keep = "Archive/0001/2012/c.jpg".into()),
        "the listing of its volume 0001 does not have it",
    );
    expect_refused(&sandbox, OFFLINE, other(|row| row.hash = hash(b"other")), "has it with another hash");
    expect_refused(&sandbox, OFFLINE, other(|row| row.hash = "-".into()), "the row has no hash");
    let reason = "has it with another modification time";
    expect_refused(&sandbox, OFFLINE, other(|row| row.note = "keep mtime=1.000000000".into()), reason);
    let listing = String::from_utf8(sandbox.read("Archive/catalog/0001.tsv")).expect("UTF-8");
    sandbox.write("Archive/catalog/0001.tsv", listing.replace("\t5\t", "\t6\t"));
    expect_refused(&sandbox, OFFLINE, good.clone(), "has it with another size");
    sandbox.write("Archive/catalog/0001.tsv", listing.replace("\t5\t", "\tfive\t"));
    expect_refused(&sandbox, OFFLINE, good.clone(), "column 3 (size)");
    sandbox.write("Archive/catalog/0001.tsv", listing.trim_end());
    expect_refused(&sandbox, OFFLINE, good, "the last line is cut off");
}

#[test]
fn a_source_whose_time_nobody_tells_must_have_its_hash() {
    let sandbox = on_shelf();
    let timeless = Row { mtime: "-".into(), ..row(&sandbox) };
    sandbox.write("photos/again.jpg", "PHOTO");
    let timeless = Row { id: "-".into(), ..timeless };
    expect_refused(&sandbox, OFFLINE, timeless.clone(), "its content is not what the plan says (its hash differs)");
    sandbox.write("photos/again.jpg", "photo");
    mv(&sandbox, OFFLINE, &[timeless]).expect_status(0);
}

#[test]
fn a_keeper_that_is_in_no_archive_is_just_gone() {
    let sandbox = on_shelf();
    for keep in ["elsewhere/a.jpg", "0001/2012/a.jpg", "Archive/0002/2012/a.jpg"] {
        let row = Row { keep: keep.into(), ..row(&sandbox) };
        expect_refused(&sandbox, OFFLINE, row, &format!("{keep}: it is not there any more\n"));
    }
}

#[test]
fn it_is_for_plans_only() {
    Sandbox::new().run("ms-mv", &["--undo", "--offline-keep"], b"").expect_status(2).expect_stderr("--offline-keep");
}

#[test]
fn nothing_is_put_into_a_sealed_volume() {
    for dest in ["Archive/0001/new.jpg", "Archive/0001/2012/new.jpg", "Archive/0001/deep/er/new.jpg", "link/x/new.jpg"]
    {
        for args in [NONE, &["--copy"], &["--link"]] {
            let sandbox = sealed();
            sandbox.symlink("Archive/0001", "link");
            let row = Row::new(&sandbox, "photos/again.jpg", dest);
            let before = snapshot(&sandbox.work());
            for dry in [true, false] {
                let args = if dry { [args, &["--dry-run"]].concat() } else { args.to_vec() };
                let outcome = mv(&sandbox, &args, std::slice::from_ref(&row)).expect_status(1);
                outcome.expect_stderr("it is in a sealed volume, which never changes any more");
                assert_eq!(snapshot(&sandbox.work()), before, "{dest} {args:?}");
            }
        }
    }
}

#[test]
fn nothing_is_put_into_a_sealed_volume_through_a_bind_mount() {
    if !needs_root() {
        return;
    }
    let sandbox = sealed();
    let _mount = Mount::bind(&sandbox.path("Archive/0001/2012"), &sandbox.path("elsewhere"));
    let row = Row::new(&sandbox, "photos/again.jpg", "elsewhere/new.jpg");
    mv(&sandbox, NONE, &[row]).expect_status(1).expect_stderr("it is in a sealed volume");
}

#[test]
fn nor_into_one_whose_sealing_was_cut_off_or_that_is_on_a_shelf() {
    let sandbox = sealed();
    fs::remove_file(sandbox.path("Archive/0001/B3SUMS")).expect("removal");
    fs::remove_dir_all(sandbox.path("Archive/catalog")).expect("removal");
    let row = |sandbox: &Sandbox| Row::new(sandbox, "photos/again.jpg", "Archive/0001/new.jpg");
    mv(&sandbox, NONE, &[row(&sandbox)]).expect_status(1).expect_stderr("it is in a sealed volume");
    let sandbox = on_shelf();
    let row = row(&sandbox);
    mv(&sandbox, NONE, std::slice::from_ref(&row)).expect_status(1).expect_stderr("it is in a sealed volume");
    assert!(!sandbox.exists("Archive/0001"));
    sandbox.mkdir("Archive/0001");
    mv(&sandbox, NONE, &[row]).expect_status(1).expect_stderr("it is in a sealed volume");
}

#[test]
fn an_open_volume_and_any_directory_with_an_index_get_files() {
    let sandbox = sealed();
    sandbox.archived("0002/x", "x");
    sandbox.write("web/index.json", "{}");
    sandbox.write("photos/second.jpg", "second");
    let rows = [
        Row::new(&sandbox, "photos/again.jpg", "Archive/0002/2013/new.jpg"),
        Row::new(&sandbox, "photos/second.jpg", "web/second.jpg"),
    ];
    mv(&sandbox, NONE, &rows).expect_status(0);
    assert!(sandbox.exists("Archive/0002/2013/new.jpg") && sandbox.exists("web/second.jpg"));
}

#[test]
fn a_plan_that_was_carried_out_before_its_volume_was_sealed_is_done() {
    let sandbox = sealed();
    sandbox.write("photos/second.jpg", "second");
    for (args, dest) in [(NONE, "Archive/0002/new.jpg"), (&["--copy"], "Archive/0003/new.jpg")] {
        let row = Row::new(&sandbox, if args.is_empty() { "photos/again.jpg" } else { "photos/second.jpg" }, dest);
        mv(&sandbox, args, std::slice::from_ref(&row)).expect_status(0);
        sandbox.seal(&["--all", "-q"]).expect_status(0);
        mv(&sandbox, args, &[row]).expect_status(0).expect_stderr("1 file there already");
    }
}

#[test]
fn undo_puts_nothing_back_into_a_volume_that_was_sealed_since() {
    let sandbox = Sandbox::new();
    sandbox.archived("0001/a", "a");
    sandbox.archived("0001/b", "b");
    let row = Row::new(&sandbox, "Archive/0001/a", "elsewhere/a");
    mv(&sandbox, NONE, &[row]).expect_status(0);
    sandbox.seal(&["--all", "-q"]).expect_status(0);
    undo(&sandbox).expect_status(1).expect_stderr("it is in a sealed volume");
    assert_eq!(sandbox.read("elsewhere/a"), b"a");
}
