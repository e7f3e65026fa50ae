//! From each kind of filesystem to each other one: what can be moved is moved whole, run again, verified and undone.

#![allow(clippy::print_stderr, reason = "what was compared is told, should it fail")]

use crate::support;

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io::{Seek as _, SeekFrom, Write as _};
use std::os::unix::ffi::OsStringExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use support::filesystem::{Abilities, Kind, takes_name};
use support::plan::{Row, id, mtime, mv, set_xattr, undo, xattr};
use support::{Outcome, Sandbox, Seen, set_mtime, snapshot, unescape};

const NONE: &[&str] = &[];

/// Names that some filesystem does not take, or that some tool stumbles over.
const NAMES: [&[u8]; 15] = [
    b"plain.jpg",
    b"with space",
    b"-dash",
    b".hidden",
    b"tab\there",
    b"new\nline",
    b"back\\slash",
    b"colon:question?star*quote\"pipe|less<more>",
    b"\xc3\xbcml\xc3\xa4ut.JPG",
    b"cafe\xcc\x81",
    b"latin\xff",
    b"dot at the end.",
    b"space at the end ",
    b"con",
    &[b'n'; 255],
];

/// What is unlike others about a file: its mode, its time.
const KINDS: [(&str, u32, i64, u32); 6] = [
    ("read-only", 0o400, 1_000_000_001, 123_456_789),
    ("set-user-id", 0o4750, 1_000_000_001, 999_999_999),
    ("odd second", 0o644, 1_600_000_001, 0),
    ("before 1970", 0o644, -2, 500_000_000),
    ("before 1980", 0o644, 100_000_000, 0),
    ("after 2038", 0o600, 2_200_000_000, 1),
];

/// Plants what the filesystem at `dir` can hold, and lists it, relative to `dir`.
fn plant(dir: &Path) -> Vec<OsString> {
    let mut names: Vec<OsString> = NAMES.iter().map(|name| OsString::from_vec(name.to_vec())).collect();
    names.retain(|name| takes_name(dir, name));
    for (number, name) in names.iter().enumerate() {
        std::fs::write(dir.join(name), format!("content {number}")).expect("write");
        set_mtime(&dir.join(name), 1_500_000_000, 250_000_000);
    }
    std::fs::create_dir(dir.join("kinds")).expect("directory");
    for (name, mode, seconds, nanoseconds) in KINDS {
        let path = dir.join("kinds").join(name);
        std::fs::write(&path, name).expect("write");
        set_mtime(&path, seconds, nanoseconds);
        // Some filesystems have no modes.
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap_or(());
        names.push(Path::new("kinds").join(name).into());
    }
    std::fs::write(dir.join("empty"), "").expect("write");
    names.push("empty".into());
    sparse(&dir.join("sparse"));
    names.push("sparse".into());
    std::fs::write(dir.join("tagged"), "tagged").expect("write");
    if Abilities::of(dir).attributes {
        assert!(set_xattr(&dir.join("tagged"), "user.tag", b"summer"));
    }
    names.push("tagged".into());
    names
}

/// A hole of three megabytes between two bytes, where the filesystem has holes.
fn sparse(path: &Path) {
    let mut file = std::fs::File::create(path).expect("create");
    file.write_all(b"<").expect("write");
    if file.seek(SeekFrom::Start(3 << 20)).and_then(|_| file.write_all(b">")).is_err() {
        file.write_all(&vec![0; 3 << 20]).expect("write");
    }
}

/// Whether the target can hold all that makes up this file.
fn fits(source: &Path, name: &OsStr, target: &Path, able: Abilities) -> bool {
    let has_attribute = xattr(&source.join(name), "user.tag").is_some();
    let takes = Path::new(name).iter().all(|part| takes_name(target, part));
    takes && (able.attributes || !has_attribute)
}

/// The last second of 1979, UTC: FAT tells no earlier time than that, in whatever zone.
const NEVER_ON_FAT: i64 = 315_532_799;

struct Pair<'a> {
    sandbox: &'a Sandbox,
    source: Kind,
    target: Kind,
    names: &'a [OsString],
    able: Abilities,
}

impl Pair<'_> {
    fn from(&self) -> PathBuf {
        Path::new(self.source.name()).join("from")
    }

    fn to(&self) -> PathBuf {
        Path::new(self.target.name()).join("to")
    }

    fn check(&self) {
        let sandbox = self.sandbox;
        let (from, to) = (sandbox.path(self.from()), sandbox.path(self.to()));
        let before = snapshot(&from);
        let rows: Vec<Row> = self.names.iter().map(|name| self.row(name)).collect();
        let (fit, unfit): (Vec<_>, Vec<_>) = self.names.iter().partition(|name| fits(&from, name, &to, self.able));
        if self.target.is_native() {
            assert_eq!(unfit.len(), 0, "{unfit:?}");
        }
        let status = i32::from(!unfit.is_empty());

        let first = mv(sandbox, NONE, &rows).expect_status(status);
        self.check_moved(&before, &first, &fit, &unfit);

        if unfit.iter().any(|name| *name == "tagged") {
            assert!(first.stderr.contains("user.tag cannot be kept"), "{}", first.stderr);
        }

        let verified = sandbox.run("ms-verify", NONE, &first.stdout).expect_status(0);
        assert_eq!(verified.rows().len(), fit.len());

        let after = (snapshot(&from), snapshot(&to));
        let second = mv(sandbox, NONE, &rows).expect_status(status);
        assert_eq!(second.lines(), first.lines(), "{}", second.stderr);
        assert!((snapshot(&from), snapshot(&to)) == after, "a run that had nothing to do did something");

        undo(sandbox).expect_status(0);
        expect_same(&snapshot(&from), &before);
        assert_eq!(snapshot(&to).len(), 0, "litter");
        if Abilities::of(&from).attributes {
            assert_eq!(xattr(&from.join("tagged"), "user.tag").as_deref(), Some(&b"summer"[..]));
        }
    }

    fn row(&self, name: &OsStr) -> Row {
        Row::new(self.sandbox, self.from().join(name), self.to().join("new").join(name))
    }

    fn check_moved(&self, before: &BTreeMap<PathBuf, Seen>, first: &Outcome, fit: &[&OsString], unfit: &[&OsString]) {
        let from = snapshot(&self.sandbox.path(self.from()));
        let to = snapshot(&self.sandbox.path(self.to()));
        for name in unfit {
            let shown = Path::new(name).display().to_string();
            assert_eq!(from.get(Path::new(name)), before.get(Path::new(name)), "{shown} was to stay");
            assert!(!to.contains_key(&Path::new("new").join(name)), "{shown}");
        }
        let told: BTreeMap<_, _> = first.rows().into_iter().map(|row| (unescape(&row[0]), row)).collect();
        assert_eq!(told.len(), fit.len());
        for name in fit {
            let old = &before[Path::new(name)];
            let new = to.get(&Path::new("new").join(name)).expect("it was moved");
            assert!(!from.contains_key(Path::new(name)), "{} is still there", Path::new(name).display());
            assert!(new.content == old.content);
            self.check_kept(old, new, first);
            let path = self.to().join("new").join(name);
            let meta = self.sandbox.path(&path).metadata().expect("metadata");
            let row = &told[&path.into_os_string().into_vec()];
            assert_eq!((row[3].as_str(), row[4].as_str()), (&*mtime(&meta), &*id(&meta)), "what is told, and what is");
            assert_eq!(row[2], meta.len().to_string());
        }
        let others = to.values().filter(|seen| seen.kind == 'f').count() - fit.len();
        assert_eq!(others, 0, "litter");
    }

    /// What the target cannot keep is said, and all else is kept.
    fn check_kept(&self, old: &Seen, new: &Seen, first: &Outcome) {
        if self.able.modes || new.mode == old.mode {
            assert_eq!(new.mode, old.mode);
        } else {
            assert!(first.stderr.contains("permissions"), "{}", first.stderr);
        }
        if self.able.nanoseconds || new.mtime == old.mtime {
            assert_eq!(new.mtime, old.mtime);
        } else {
            assert!(first.stderr.contains("modification time"), "{}", first.stderr);
            let is_near = (0..2).contains(&(old.mtime.0 - new.mtime.0));
            assert!(is_near || old.mtime.0 < NEVER_ON_FAT || old.mtime.0 > i64::from(u32::MAX), "{old:?} {new:?}");
        }
    }
}

/// As equality, but with a message that can be read.
#[track_caller]
fn expect_same(now: &BTreeMap<PathBuf, Seen>, before: &BTreeMap<PathBuf, Seen>) {
    let facts = |seen: &Seen| format!("{} {:o} {:?} {} bytes", seen.kind, seen.mode, seen.mtime, seen.content.len());
    let list = |tree: &BTreeMap<PathBuf, Seen>| {
        tree.iter().map(|(path, seen)| (path.clone(), facts(seen))).collect::<BTreeMap<_, _>>()
    };
    assert_eq!(list(now), list(before));
    assert!(now == before, "some content is another one");
}

fn from(source: Kind) {
    let sandbox = Sandbox::new();
    let Some(held) = source.mount(&sandbox.path(source.name())) else {
        return;
    };
    std::fs::create_dir(held.at.join("from")).expect("directory");
    let names = plant(&held.at.join("from"));
    assert!(names.len() > 15, "{names:?}");
    for target in Kind::ALL {
        let at = sandbox.path(target.name());
        let there = if target == source { None } else { target.mount(&at) };
        if there.is_none() && target != source {
            continue;
        }
        std::fs::create_dir(at.join("to")).expect("directory");
        let able = Abilities::of(&at);
        eprintln!("from {} to {}: {able:?}", source.name(), target.name());
        Pair { sandbox: &sandbox, source, target, names: &names, able }.check();
    }
}

#[test]
fn what_leaves_ext4_arrives_whole_and_comes_back() {
    from(Kind::Ext4);
}

#[test]
fn what_leaves_xfs_arrives_whole_and_comes_back() {
    from(Kind::Xfs);
}

#[test]
fn what_leaves_btrfs_arrives_whole_and_comes_back() {
    from(Kind::Btrfs);
}

#[test]
fn what_leaves_tmpfs_arrives_whole_and_comes_back() {
    from(Kind::Tmpfs);
}

#[test]
fn what_leaves_an_overlay_arrives_whole_and_comes_back() {
    from(Kind::Overlay);
}

#[test]
fn what_leaves_vfat_arrives_whole_and_comes_back() {
    from(Kind::Vfat);
}

#[test]
fn what_leaves_exfat_arrives_whole_and_comes_back() {
    from(Kind::Exfat);
}
