//! Times that a filesystem keeps only roughly, and limits that a file does not fit in.

use crate::support;

use support::filesystem::Kind;
use support::plan::{Row, mtime, mv, plan, undo};
use support::trace::traced;
use support::{Mount, Sandbox, needs, needs_root, set_mtime, snapshot};

const NONE: &[&str] = &[];

#[test]
fn a_copy_with_a_coarser_time_is_known_again() {
    for kind in [Kind::Vfat, Kind::Exfat] {
        let sandbox = Sandbox::new();
        let Some(_disk) = kind.mount(&sandbox.path("disk")) else {
            continue;
        };
        set_mtime(&sandbox.write("f", "photo"), 1_000_000_001, 123_456_789);
        let before = snapshot(&sandbox.path("disk"));
        let rows = [Row::new(&sandbox, "f", "disk/f")];
        let first = mv(&sandbox, &["--copy"], &rows).expect_status(0);
        let there = sandbox.path("disk/f").metadata().expect("copy");
        assert_eq!(first.column(3), [mtime(&there)]);
        assert_ne!(mtime(&there), rows[0].mtime, "{}: was its time kept?", kind.name());
        let second = mv(&sandbox, &["--copy"], &rows).expect_status(0);
        assert_eq!(second.lines(), first.lines());
        undo(&sandbox).expect_status(0);
        assert_eq!(snapshot(&sandbox.path("disk")), before);
        assert_eq!(sandbox.read("f"), b"photo");
    }
}

#[test]
fn what_cannot_be_kept_is_named_once_for_all_files() {
    let sandbox = Sandbox::new();
    let Some(_disk) = Kind::Exfat.mount(&sandbox.path("disk")) else {
        return;
    };
    let rows = (0..20).map(|i| {
        set_mtime(&sandbox.write(format!("{i}"), "photo"), 1_000_000_001, 123_456_789);
        Row::new(&sandbox, format!("{i}"), format!("disk/{i}"))
    });
    let rows: Vec<_> = rows.collect();
    let outcome = mv(&sandbox, NONE, &rows).expect_status(0);
    assert_eq!(outcome.stderr.matches("cannot keep the modification time of 20 files, such as disk/0").count(), 1);
    assert_eq!(outcome.stderr.matches("cannot keep the permissions or owner of 20 files").count(), 1);
}

/// A file of `size` bytes that takes no room, and a row for it that tells no hash.
fn huge(sandbox: &Sandbox, size: u64) -> Vec<u8> {
    let path = sandbox.write("home/huge", "");
    std::fs::File::options().write(true).open(&path).and_then(|file| file.set_len(size)).expect("a sparse file");
    let meta = path.metadata().expect("metadata");
    format!("home/huge\t-\t{size}\t{}\t-\tdisk/new/huge\t-\t-\n", mtime(&meta)).into_bytes()
}

#[test]
fn a_file_beyond_the_limit_of_its_filesystem_is_refused_at_once() {
    // 4 GiB less a byte on FAT; on ext4 with blocks of 4 KiB, 16 TiB.
    for (kind, limit) in [(Kind::Vfat, u64::from(u32::MAX)), (Kind::Ext4, (1 << 44) - 4096)] {
        let sandbox = Sandbox::new();
        let Some(_home) = Kind::Xfs.mount(&sandbox.path("home")) else {
            return;
        };
        let Some(_disk) = kind.mount(&sandbox.path("disk")) else {
            continue;
        };
        let mut stream = huge(&sandbox, limit + 1);
        sandbox.write("home/small", "small");
        stream.extend(plan(&[Row::new(&sandbox, "home/small", "disk/new/small")]));
        let outcome = sandbox.run("ms-mv", NONE, &stream).expect_status(1).expect_stderr("home/huge: copying to");
        assert!(outcome.stderr.contains("File too large"), "{}", outcome.stderr);
        assert_eq!(sandbox.path("home/huge").metadata().expect("it stays").len(), limit + 1);
        let there: Vec<_> = std::fs::read_dir(sandbox.path("disk/new")).expect("new").collect();
        assert_eq!(there.len(), 1, "nothing half-done");
        assert_eq!(sandbox.read("disk/new/small"), b"small");
    }
}

#[test]
fn a_limit_on_the_size_of_files_is_an_error_and_not_the_end() {
    if !needs_root() {
        return;
    }
    let sandbox = Sandbox::new();
    let _disk = Mount::tmpfs("size=8m", &sandbox.path("disk"));
    sandbox.write("big", vec![b'x'; 2 << 20]);
    sandbox.write("small", "small");
    let rows = [Row::new(&sandbox, "big", "disk/big"), Row::new(&sandbox, "small", "disk/small")];
    sandbox.write("plan", plan(&rows));
    let outcome = sandbox.shell("ulimit -f 1024; ms-mv plan").expect_status(1).expect_stderr("big");
    assert_eq!(outcome.column(0), ["disk/small"]);
    assert_eq!(sandbox.read("big").len(), 2 << 20);
    assert_eq!(snapshot(&sandbox.path("disk")).len(), 1, "nothing half-done");
}

#[test]
fn a_copy_under_its_final_name_that_a_crash_cut_off_before_its_time_was_set_is_made_anew() {
    if !needs("strace") {
        return;
    }
    let sandbox = Sandbox::new();
    let Some(_disk) = Kind::Exfat.mount(&sandbox.path("disk")) else {
        return;
    };
    set_mtime(&sandbox.write("disk/f", "photo"), 1_000_000_000, 0);
    let before = snapshot(&sandbox.path("disk"));
    let rows = [Row::new(&sandbox, "disk/f", "disk/new/f")];
    let inject = ["-e", "inject=utimensat:signal=SIGKILL:when=1"];
    traced(&sandbox, &inject, "ms-mv", NONE, &plan(&rows)).expect_status(137);
    mv(&sandbox, NONE, &rows).expect_status(0);
    let moved = sandbox.path("disk/new/f").metadata().expect("moved");
    assert_eq!(mtime(&moved), "1000000000.000000000");
    undo(&sandbox).expect_status(0);
    assert_eq!(snapshot(&sandbox.path("disk")), before);
}
