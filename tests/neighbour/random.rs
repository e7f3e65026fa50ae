//! A neighbour who does anything at any time, but loses nothing himself: afterwards every content is whole somewhere, and
//! nothing that was protected has left.

use crate::support;

use rustix::fs::{CWD, RenameFlags, renameat_with};
use std::collections::BTreeSet;
use std::io::Write as _;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use support::plan::{Row, plan};
use support::{Mount, Sandbox, contents, is_root, snapshot};

/// Numbers from a seed (Marsaglia, Xorshift RNGs, doi:10.18637/jss.v008.i14).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % end as u64).expect("below")
    }
}

const FILES: usize = 24;
const DIRS: usize = 3;

/// A process with the same rights, as a thread.
struct Neighbour<'a> {
    work: PathBuf,
    numbers: Numbers,
    /// What he wrote.
    written: &'a Mutex<BTreeSet<Vec<u8>>>,
    count: usize,
}

impl Neighbour<'_> {
    fn path(&self, name: &str) -> PathBuf {
        self.work.join(name)
    }

    fn dir(&mut self) -> PathBuf {
        let number = self.numbers.below(DIRS);
        let top = ["live", "new", "far"][self.numbers.below(3)];
        self.path(&format!("{top}/{number}"))
    }

    fn file(&mut self) -> PathBuf {
        let number = self.numbers.below(FILES);
        self.dir().join(number.to_string())
    }

    /// Never over anything, and never out of what is protected.
    fn rename(from: &Path, to: &Path) -> bool {
        renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE).is_ok()
    }

    fn act(&mut self) {
        self.count += 1;
        // What leaves something behind comes to an end, so that a slow machine does not drown in it.
        let kinds = if self.count < 5000 { 7 } else { 4 };
        match self.numbers.below(kinds) {
            // A directory is led to a protected one or to one elsewhere for a while.
            0 | 1 => {
                let dir = self.dir();
                let away = dir.with_extension(format!("away{}", self.count));
                let place = ["Archive/d", "outside"][self.numbers.below(2)];
                if Self::rename(&dir, &away) {
                    if symlink(self.path(place), &dir).is_ok() {
                        std::thread::yield_now();
                        std::fs::remove_file(&dir).expect("his own link");
                    }
                    // If another stands there by now, what he has taken away stays away.
                    Self::rename(&away, &dir);
                }
            }
            2 => {
                let (file, other) = (self.file(), self.file());
                renameat_with(CWD, &file, CWD, &other, RenameFlags::EXCHANGE).unwrap_or(());
            }
            4 => {
                let (file, aside) = (self.file(), self.path(&format!("outside/{}", self.count)));
                Self::rename(&file, &aside);
            }
            5 => {
                let (path, content) = (self.file(), format!("his {}", self.count).into_bytes());
                if std::fs::File::create_new(&path).and_then(|mut file| file.write_all(&content)).is_ok() {
                    self.written.lock().expect("lock").insert(content);
                }
            }
            6 => {
                let (file, link) = (self.file(), self.path(&format!("outside/link{}", self.count)));
                std::fs::hard_link(file, link).unwrap_or(());
            }
            _ => {
                let file = self.file();
                std::fs::File::options()
                    .write(true)
                    .open(file)
                    .and_then(|file| file.set_modified(std::time::SystemTime::now()))
                    .unwrap_or(());
            }
        }
    }
}

/// Tells that it is over when it is dropped, also when a test fails.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// He goes on as long as somebody works beside him, and no longer.
fn beside(sandbox: &Sandbox, seed: u64, work: impl FnOnce(&dyn Fn())) -> BTreeSet<Vec<u8>> {
    let (written, acted, is_over) = (Mutex::default(), AtomicUsize::new(0), AtomicBool::new(false));
    std::thread::scope(|scope| {
        let numbers = Numbers(seed);
        let mut neighbour = Neighbour { work: sandbox.work(), numbers, written: &written, count: 0 };
        let (is_over, acted) = (&is_over, &acted);
        let thread = scope.spawn(move || {
            while !is_over.load(Ordering::Relaxed) {
                neighbour.act();
                acted.fetch_add(1, Ordering::Relaxed);
            }
        });
        let _over = Over(is_over);
        work(&|| {
            let before = acted.load(Ordering::Relaxed);
            while acted.load(Ordering::Relaxed) == before {
                assert!(!thread.is_finished(), "the neighbour is gone");
                std::thread::yield_now();
            }
        });
    });
    written.into_inner().expect("lock")
}

fn rounds(seed: u64, args: &[&str]) {
    let sandbox = Sandbox::new();
    let _mount = is_root().then(|| Mount::tmpfs("size=64m", &sandbox.path("far")));
    let mut expected = BTreeSet::new();
    for number in 0..FILES {
        let content = format!("content {number}");
        sandbox.write(format!("live/{}/{number}", number % DIRS), &content);
        expected.insert(content.into_bytes());
    }
    for dir in 0..DIRS {
        sandbox.mkdir(format!("new/{dir}"));
        sandbox.mkdir(format!("far/{dir}"));
    }
    sandbox.mkdir("outside");
    sandbox.write("Archive/.ms-protect", "");
    for number in 0..FILES {
        // Were a plan led there, it would find a file to move.
        sandbox.write(format!("Archive/d/{number}"), format!("content {number}"));
        expected.insert(format!("content {number}").into_bytes());
    }
    let protected = snapshot(&sandbox.path("Archive"));
    let written = beside(&sandbox, seed, |await_him| {
        for round in 0..8 {
            let (from, to) = [("live", "new"), ("new", "far"), ("far", "live"), ("live", "far")][round % 4];
            // The plan is made of what is there now, and some of it is not true any more when it is read.
            let rows = (0..FILES).filter_map(|number| {
                let path = (0..DIRS).map(|dir| format!("{from}/{dir}/{number}")).find(|path| sandbox.exists(path))?;
                let meta = sandbox.path(&path).symlink_metadata().ok().filter(std::fs::Metadata::is_file)?;
                let (id, mtime) = (support::plan::id(&meta), support::plan::mtime(&meta));
                let (size, dest) = (meta.len().to_string(), format!("{to}/{}/{number}", round % DIRS));
                let unknown = || "-".to_owned();
                Some(Row { path, hash: unknown(), size, mtime, id, dest, keep: unknown(), note: unknown() })
            });
            let rows: Vec<Row> = rows.collect();
            await_him();
            let outcome = sandbox.run("ms-mv", args, &plan(&rows));
            assert!(matches!(outcome.status, 0..=2), "{}", outcome.stderr);
            if round % 3 == 2 {
                let outcome = sandbox.run("ms-mv", &["--undo"], b"");
                assert!(matches!(outcome.status, 0..=2), "{}", outcome.stderr);
            }
        }
    });
    expected.extend(written);
    let found: BTreeSet<Vec<u8>> = contents(&sandbox.work()).into_iter().collect();
    let lost: Vec<_> = expected.difference(&found).map(|content| String::from_utf8_lossy(content)).collect();
    assert!(lost.is_empty(), "seed {seed}: {lost:?} is gone");
    let kept = snapshot(&sandbox.path("Archive"));
    let left: Vec<_> = protected.iter().filter(|(path, seen)| kept.get(*path) != Some(*seen)).collect();
    assert!(left.is_empty(), "seed {seed}: {left:?} has left");
}

#[test]
fn nothing_is_lost_beside_a_neighbour_while_files_move() {
    for seed in [1, 2, 3] {
        rounds(seed, &[]);
    }
}

#[test]
fn nothing_is_lost_beside_a_neighbour_while_files_are_copied_or_linked() {
    rounds(4, &["--copy"]);
    rounds(5, &["--link"]);
    rounds(6, &["--prune"]);
}
