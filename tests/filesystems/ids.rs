//! Ids that do not last, and names that are more than one spelling.

use crate::support;

use std::path::Path;
use support::filesystem::{Kind, kernel_knows, missing, overlay_of};
use support::plan::{Row, mv, undo};
use support::{Mount, Sandbox, needs_root, set_mtime, snapshot};

const NONE: &[&str] = &[];

/// Those that can be unplugged.
const DISKS: [Kind; 5] = [Kind::Ext4, Kind::Xfs, Kind::Btrfs, Kind::Vfat, Kind::Exfat];

#[test]
fn what_went_to_a_disk_comes_back_after_the_disk_was_unplugged_and_plugged_in_again() {
    for kind in DISKS {
        let sandbox = Sandbox::new();
        let Some(mut disk) = kind.mount(&sandbox.path("disk")) else {
            continue;
        };
        for name in ["a", "b", "c"] {
            set_mtime(&sandbox.write(format!("home/{name}"), format!("content of {name}")), 1_000_000_001, 123_456_789);
        }
        let before = snapshot(&sandbox.path("home"));
        let row = |name: &str| Row::new(&sandbox, format!("home/{name}"), format!("disk/new/{name}"));
        mv(&sandbox, NONE, &["c", "a", "b"].map(row)).expect_status(0);
        disk.unplug();
        disk.plug_in();
        // They are looked at in another order than they came, so that they get other numbers where numbers are given then.
        for name in ["b", "a", "c"] {
            assert_eq!(sandbox.read(format!("disk/new/{name}")), format!("content of {name}").into_bytes());
        }
        undo(&sandbox).expect_status(0);
        assert_eq!(snapshot(&sandbox.path("home")), before, "{}", kind.name());
        assert!(!sandbox.exists("disk/new"));
    }
}

#[test]
fn a_plan_outlives_the_unplugging_of_its_disk_where_the_hash_tells_the_file() {
    for kind in DISKS {
        let sandbox = Sandbox::new();
        let Some(mut disk) = kind.mount(&sandbox.path("disk")) else {
            continue;
        };
        for name in ["a", "b", "c"] {
            set_mtime(&sandbox.write(format!("disk/{name}"), "photo ".to_owned() + name), 1_000_000_000, 0);
        }
        let row = |name: &str| Row::new(&sandbox, format!("disk/{name}"), format!("home/{name}"));
        let rows = ["c", "b", "a"].map(row);
        disk.unplug();
        disk.plug_in();
        for name in ["b", "a", "c"] {
            sandbox.path(format!("disk/{name}")).metadata().expect("it is there");
        }
        // An edit that restored the time, under the number that another file had.
        std::fs::write(sandbox.path("disk/a"), "PHOTO a").expect("edit");
        set_mtime(&sandbox.path("disk/a"), 1_000_000_000, 0);
        mv(&sandbox, NONE, &rows).expect_status(1).expect_stderr("disk/a");
        assert_eq!(sandbox.read("disk/a"), b"PHOTO a", "{}", kind.name());
        assert_eq!(sandbox.read("home/b"), b"photo b", "{}", kind.name());
        assert_eq!(sandbox.read("home/c"), b"photo c", "{}", kind.name());
    }
}

/// An overlay whose layers are on different filesystems, so that a file is copied from one to the other when it moves.
fn layered(sandbox: &Sandbox) -> Option<[Mount; 3]> {
    if !needs_root() {
        return None;
    }
    if !kernel_knows("overlay") {
        missing("overlay");
        return None;
    }
    let (lower, upper) = (sandbox.path("low"), sandbox.path("up"));
    let mounts = [Mount::tmpfs("size=4m", &lower), Mount::tmpfs("size=4m", &upper)];
    for name in ["a", "b", "d/c"] {
        set_mtime(&sandbox.write(Path::new("low/lower").join(name), name), 1_000_000, 5);
    }
    let merged = overlay_of(&lower, &upper, &sandbox.path("merged"));
    let [one, two] = mounts;
    Some([merged, one, two])
}

#[test]
fn a_file_of_a_lower_layer_on_another_filesystem_moves_and_comes_back() {
    for hashed in [true, false] {
        let sandbox = Sandbox::new();
        let Some(_mounts) = layered(&sandbox) else {
            return;
        };
        let before = snapshot(&sandbox.path("merged"));
        let rows = ["a", "b", "d/c"].map(|name| {
            let mut row = Row::new(&sandbox, format!("merged/{name}"), format!("merged/new/{name}"));
            if !hashed {
                row.hash = "-".to_owned();
            }
            row
        });
        let first = mv(&sandbox, NONE, &rows).expect_status(0);
        for (row, told) in rows.iter().zip(first.rows()) {
            let meta = sandbox.path(&row.dest).metadata().expect("moved");
            assert_eq!(told[4], support::plan::id(&meta));
            assert!(!sandbox.exists(&row.path));
        }
        if hashed {
            let second = mv(&sandbox, NONE, &rows).expect_status(0);
            assert_eq!(second.lines(), first.lines());
        }
        undo(&sandbox).expect_status(0);
        assert_eq!(snapshot(&sandbox.path("merged")), before);
    }
}

#[test]
fn a_name_that_is_taken_under_another_case_is_taken() {
    let sandbox = Sandbox::new();
    let Some(_disk) = Kind::Exfat.mount(&sandbox.path("disk")) else {
        return;
    };
    sandbox.write("disk/IMG_1.JPG", "precious");
    for name in ["one", "two", "three"] {
        sandbox.write(name, name);
    }
    for args in [NONE, &["--copy"], &["--dry-run"]] {
        // A file that was put back is another one.
        let rows = [
            Row::new(&sandbox, "one", "disk/img_1.jpg"),
            Row::new(&sandbox, "two", "disk/New.jpg"),
            Row::new(&sandbox, "three", "disk/NEW.JPG"),
        ];
        mv(&sandbox, args, &rows).expect_status(1).expect_stderr("disk/img_1.jpg: something stands there already");
        if args == ["--copy"] || args == NONE {
            assert_eq!(sandbox.read("disk/New.jpg"), b"two");
            undo(&sandbox).expect_status(0);
        }
        assert_eq!(sandbox.read("one"), b"one");
        assert_eq!(sandbox.read("two"), b"two");
        assert_eq!(sandbox.read("three"), b"three");
        assert_eq!(sandbox.read("disk/IMG_1.JPG"), b"precious");
        assert_eq!(snapshot(&sandbox.path("disk")).len(), 1, "{args:?}");
    }
}

#[test]
fn a_file_is_never_moved_copied_or_linked_to_its_own_name_in_another_case() {
    let sandbox = Sandbox::new();
    let Some(_disk) = Kind::Exfat.mount(&sandbox.path("disk")) else {
        return;
    };
    sandbox.write("disk/img.jpg", "photo");
    for args in [NONE, &["--copy"], &["--link"]] {
        let outcome = mv(&sandbox, args, &[Row::new(&sandbox, "disk/img.jpg", "disk/IMG.JPG")]);
        assert!(outcome.status < 2, "{}", outcome.stderr);
        assert_eq!(sandbox.read("disk/img.jpg"), b"photo", "{args:?}");
        let again = undo(&sandbox);
        assert!(again.status <= 2, "{}", again.stderr);
        assert_eq!(sandbox.read("disk/img.jpg"), b"photo", "{args:?}, undone");
    }
}
