//! Whether anything has happened that could make wrong what was seen of directories, told by the kernel: inotify(7) for what
//! appears in them and for directories that move, poll(2) for mounts.
//!
//! Looking through all directories above a file for what seals or protects them takes dozens of system calls; asking the kernel
//! whether anything has come since takes one or two. An event is queued before the call that caused it returns, so that
//! whoever asks after it is told. Where the kernel cannot tell (filesystems that other machines write to, directories that
//! may not be read, no room for more watches), everything is looked at anew each time.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::fs::File;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::inotify::{self, CreateFlags, ReadFlags, WatchFlags};
use rustix::fs::statfs;

use crate::place::{self, Location};
use crate::volume;

/// Filesystems that only this kernel writes to while they are mounted, by their numbers in statfs(2): ext2 to ext4, XFS, Btrfs,
/// tmpfs, overlays, F2FS, FAT, exFAT, JFS, ZFS, bcachefs.
const LOCAL: [u32; 11] = [
    0xef53,
    0x5846_5342,
    0x9123_683e,
    0x0102_1994,
    0x794c_7630,
    0xf2f5_2010,
    0x4d44,
    0x2011_bab0,
    0x3153_464a,
    0x2fc1_2fc1,
    0xca45_1a4e,
];

/// What is asked of each directory. What goes away makes nothing less strict, and need not be known.
const ASKED: WatchFlags = WatchFlags::CREATE
    .union(WatchFlags::MOVED_TO)
    .union(WatchFlags::MOVE_SELF)
    .union(WatchFlags::DELETE_SELF)
    .union(WatchFlags::ONLYDIR);

/// After which no directory is the one that was watched any more.
const ENDS: ReadFlags = ReadFlags::MOVE_SELF
    .union(ReadFlags::DELETE_SELF)
    .union(ReadFlags::IGNORED)
    .union(ReadFlags::UNMOUNT)
    .union(ReadFlags::QUEUE_OVERFLOW);

/// More directories than that are not watched at once; the kernel allows a user some 8,192 at least
/// (`/proc/sys/fs/inotify/max_user_watches`).
const MOST: usize = 4096;

/// What of an event comes before its name, in bytes, and the longest name with its padding (inotify(7)).
const HEAD: usize = 16;
const NAME: usize = 256;

/// Room for events, in bytes.
const ROOM: usize = 4 << 10;

/// Keeps watch over directories.
#[derive(Debug)]
pub(super) struct Sentry {
    /// `None` where the kernel cannot be asked.
    queue: RefCell<Option<Queue>>,
    mounts: Option<File>,
    /// Goes up whenever something has come.
    count: Cell<u64>,
    /// How many moments last.
    moments: Cell<u32>,
    /// What was seen of single directories since something has come last, by what was looked for.
    single: RefCell<[HashMap<PathBuf, bool>; LOOKS]>,
    /// When that was.
    single_at: Cell<u64>,
}

/// What is looked for in each directory that leads to a place.
#[derive(Debug, Clone, Copy)]
pub(super) enum Look {
    /// [`volume::is_closed`].
    Closed,
    /// [`volume::has_begun`].
    Begun,
}

/// How many there are.
const LOOKS: usize = 2;

impl Look {
    fn at(self, dir: &Path) -> bool {
        match self {
            Self::Closed => volume::is_closed(dir),
            Self::Begun => volume::has_begun(dir),
        }
    }
}

/// While this lasts, what has come since is not asked for again: for what is asked several times between two calls that
/// change anything.
#[derive(Debug)]
pub(super) struct Moment(Rc<Sentry>);

impl Drop for Moment {
    fn drop(&mut self) {
        self.0.moments.set(self.0.moments.get() - 1);
    }
}

#[derive(Debug)]
struct Queue {
    inotify: OwnedFd,
    /// Each directory that is watched, by its path.
    watched: HashMap<PathBuf, i32>,
    /// Those of them in which each name counts: the listings of archives.
    listings: Vec<i32>,
}

/// What was seen of something, and when that was.
#[derive(Debug, Default)]
pub(super) struct Seen(Cell<Option<(u64, bool)>>);

impl Seen {
    pub(super) fn forget(&self) {
        self.0.set(None);
    }
}

impl Sentry {
    pub(super) fn new() -> Self {
        let mounts = File::open("/proc/self/mountinfo").ok();
        let queue = mounts.as_ref().and_then(|_| Queue::new());
        Self {
            queue: RefCell::new(queue),
            mounts,
            count: Cell::new(0),
            moments: Cell::new(0),
            single: RefCell::default(),
            single_at: Cell::new(0),
        }
    }

    /// Asks once for all that is asked while it lasts.
    pub(super) fn moment(self: &Rc<Self>) -> Moment {
        self.now();
        self.moments.set(self.moments.get() + 1);
        Moment(Rc::clone(self))
    }

    /// What was seen, if nothing has come since; otherwise, `look` does so anew. It must look at nothing but names and places of
    /// the directories that lead to `places`.
    pub(super) fn ask<'l>(
        &self,
        seen: &Seen,
        mut places: impl Iterator<Item = &'l Location>,
        look: impl FnOnce() -> bool,
    ) -> bool {
        if let Some((at, answer)) = seen.0.get()
            && self.now() == Some(at)
        {
            return answer;
        }
        let is_watched = places.all(|place| self.watch(place));
        // What comes from here on may or may not be seen by the look, and is looked for again.
        let now = self.now();
        let answer = look();
        seen.0.set(now.filter(|_| is_watched).map(|now| (now, answer)));
        answer
    }

    /// As [`Sentry::ask`], whether any directory that leads to `place` is what is looked for. One that leads to several places
    /// is looked at once.
    pub(super) fn any_above(&self, seen: &Seen, place: &Location, look: Look) -> bool {
        self.ask(seen, std::iter::once(place), || place.any_above(|dir| self.single(dir, look)))
    }

    fn single(&self, dir: &Path, look: Look) -> bool {
        let is_watched = |queue: &Queue| queue.watched.contains_key(dir);
        if !self.queue.borrow().as_ref().is_some_and(is_watched) {
            return look.at(dir);
        }
        let mut known = self.single.borrow_mut();
        if self.single_at.replace(self.count.get()) != self.count.get() {
            known.iter_mut().for_each(HashMap::clear);
        }
        *known[look as usize].entry(dir.to_owned()).or_insert_with(|| look.at(dir))
    }

    /// How often something has come; `None` where that cannot be known.
    fn now(&self) -> Option<u64> {
        let mut queue = self.queue.borrow_mut();
        let (known, mounts) = (queue.as_mut()?, self.mounts.as_ref()?);
        if self.moments.get() > 0 {
            return Some(self.count.get());
        }
        let mut asked = [PollFd::new(&known.inotify, PollFlags::IN), PollFd::new(mounts, PollFlags::PRI)];
        let polled = poll(&mut asked, Some(&Timespec { tv_sec: 0, tv_nsec: 0 }));
        let [has_events, has_mounts] = asked.map(|asked| !asked.revents().is_empty());
        let found = match polled {
            Ok(0) => return Some(self.count.get()),
            Ok(_) if has_mounts => Found::End,
            Ok(_) if has_events => known.read(),
            _ => Found::End,
        };
        if found != Found::Nothing {
            self.count.set(self.count.get() + 1);
        }
        if found == Found::End {
            *queue = Queue::new();
        }
        queue.as_ref().map(|_| self.count.get())
    }

    /// Watches all directories that lead to a place; whether that could be done.
    fn watch(&self, place: &Location) -> bool {
        let mut queue = self.queue.borrow_mut();
        if queue.as_ref().is_some_and(|queue| queue.watched.len() > MOST) {
            *queue = Queue::new();
            self.count.set(self.count.get() + 1);
        }
        let Some(queue) = queue.as_mut() else { return false };
        place.ways().flat_map(Path::ancestors).all(|dir| queue.watch(dir))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Found {
    Nothing,
    /// A name that may seal or protect something.
    Name,
    /// Directories are not where they were.
    End,
}

impl Queue {
    fn new() -> Option<Self> {
        let inotify = inotify::init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC).ok()?;
        Some(Self { inotify, watched: HashMap::new(), listings: Vec::new() })
    }

    fn watch(&mut self, dir: &Path) -> bool {
        if self.watched.contains_key(dir) {
            return true;
        }
        let is_watched = self.add(dir).is_some();
        // A listing outlives the directory of its volume.
        let listings = dir.join(volume::LISTINGS);
        if is_watched && std::fs::symlink_metadata(&listings).is_ok() {
            return self.add(&listings).inspect(|watch| self.listings.push(*watch)).is_some();
        }
        is_watched
    }

    fn add(&mut self, dir: &Path) -> Option<i32> {
        if !is_local(dir) {
            return None;
        }
        let watch = inotify::add_watch(&self.inotify, dir, ASKED).ok()?;
        self.watched.insert(dir.to_owned(), watch);
        Some(watch)
    }

    /// Takes all events that wait.
    fn read(&self) -> Found {
        let mut room = [0; ROOM];
        let mut found = Found::Nothing;
        loop {
            let read = match rustix::io::read(&self.inotify, &mut room) {
                Ok(read) => read,
                Err(rustix::io::Errno::AGAIN) => return found,
                Err(_) => return Found::End,
            };
            let mut events = &room[..read];
            while !events.is_empty() {
                let Some((event, rest)) = self.event(events) else { return Found::End };
                found = found.max(event);
                events = rest;
            }
            // Where there was room for another event, there was none.
            if read + HEAD + NAME <= ROOM {
                return found;
            }
        }
    }

    /// Whether a directory that came has the name of another one that is watched. That it was removed, the kernel does not
    /// tell as long as somebody has it open, or anything that was in it.
    fn is_replaced(&self, above: i32, name: &[u8]) -> bool {
        self.watched.iter().any(|(path, watch)| {
            let is_named = path.file_name().is_some_and(|own| own.as_bytes() == name);
            let is_there = || path.parent().and_then(|dir| self.watched.get(dir)) == Some(&above);
            // The same directory has the same number again.
            is_named && is_there() && inotify::add_watch(&self.inotify, path, ASKED).ok() != Some(*watch)
        })
    }

    /// What an event tells, and what comes after it: `struct inotify_event` of inotify(7).
    fn event<'e>(&self, events: &'e [u8]) -> Option<(Found, &'e [u8])> {
        let (head, rest) = events.split_first_chunk::<HEAD>()?;
        let [watch, mask, _, len] = [0, 4, 8, 12].map(|at| [head[at], head[at + 1], head[at + 2], head[at + 3]]);
        let (name, rest) = rest.split_at_checked(usize::try_from(u32::from_ne_bytes(len)).ok()?)?;
        let name = name.split(|byte| *byte == 0).next().unwrap_or_default();
        let (mask, watch) = (ReadFlags::from_bits_retain(u32::from_ne_bytes(mask)), i32::from_ne_bytes(watch));
        let found = if mask.intersects(ENDS) || mask.contains(ReadFlags::ISDIR) && self.is_replaced(watch, name) {
            Found::End
        } else if counts(name) || self.listings.contains(&watch) {
            Found::Name
        } else {
            Found::Nothing
        };
        Some((found, rest))
    }
}

/// Whether a name may seal or protect a directory, also where names are told apart without their case.
fn counts(name: &[u8]) -> bool {
    let known = [place::MARKER, volume::INDEX, volume::SUMS, volume::README, volume::LISTINGS];
    known.iter().any(|known| name.eq_ignore_ascii_case(known.as_bytes()))
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "all these numbers have 32 bits")]
#[allow(clippy::unnecessary_cast, reason = "the field has another type on other architectures")]
fn is_local(dir: &Path) -> bool {
    statfs(dir).is_ok_and(|found| LOCAL.contains(&(found.f_type as u32)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::place::Locator;
    use std::fs;

    /// How often something was looked at in which `act` happens between two questions.
    fn looks(prepare: impl Fn(&Path), act: impl Fn(&Path)) -> usize {
        let top = tempfile::tempdir().expect("directory");
        let dir = top.path().join("a/b");
        fs::create_dir_all(&dir).expect("directory");
        prepare(top.path());
        let place = Locator::new().expect("locator").directory(&dir);
        let (sentry, seen, count) = (Sentry::new(), Seen::default(), Cell::new(0));
        ask(&sentry, &seen, &place, &count);
        ask(&sentry, &seen, &place, &count);
        let before = count.get();
        act(top.path());
        ask(&sentry, &seen, &place, &count);
        count.get() - before
    }

    /// Counts how often this makes it look.
    fn ask(sentry: &Sentry, seen: &Seen, place: &Location, count: &Cell<usize>) {
        let look = || {
            count.set(count.get() + 1);
            true
        };
        assert!(sentry.ask(seen, std::iter::once(place), look));
    }

    #[test]
    fn what_seals_or_protects_is_noticed_at_any_height() {
        let put = |name: &'static str| move |top: &Path| fs::write(top.join(name), "").expect("file");
        for name in ["a/b/.ms-protect", "a/index.json", "B3SUMS", "a/readme.TXT"] {
            assert_eq!(looks(|_| (), put(name)), 1, "{name}");
        }
        let moved = |top: &Path| fs::rename(top.join("other"), top.join("a/README.txt")).expect("rename");
        assert_eq!(looks(put("other"), moved), 1);
        let listed = |top: &Path| fs::create_dir(top.join("catalog")).expect("directory");
        assert_eq!(looks(|_| (), listed), 1);
        assert_eq!(looks(listed, put("catalog/0001.tsv")), 1);
    }

    #[test]
    fn without_the_kernel_everything_is_looked_at_each_time() {
        let top = tempfile::tempdir().expect("directory");
        let place = Locator::new().expect("locator").directory(top.path());
        let (sentry, seen, count) = (Sentry::new(), Seen::default(), Cell::new(0));
        let ask_twice = || (0..2).for_each(|_| ask(&sentry, &seen, &place, &count));
        ask_twice();
        assert_eq!(count.get(), 1);
        // As after a reset for which there was no descriptor left.
        sentry.queue.replace(None);
        ask_twice();
        assert_eq!(count.get(), 3);
    }

    #[test]
    fn directories_that_move_are_noticed() {
        for name in ["a", "a/b"] {
            assert_eq!(looks(|_| (), |top| fs::rename(top.join(name), top.join("c")).expect("rename")), 1, "{name}");
        }
        assert_eq!(looks(|_| (), |top| fs::remove_dir(top.join("a/b")).expect("removal")), 1);
    }

    #[test]
    fn a_directory_that_comes_in_the_place_of_one_that_somebody_has_open_is_noticed() {
        let held = Cell::new(None);
        let act = |top: &Path| {
            held.set(fs::File::open(top.join("a/b")).ok());
            fs::remove_dir_all(top.join("a")).expect("removal");
            fs::create_dir_all(top.join("new/b")).expect("directory");
            fs::rename(top.join("new"), top.join("a")).expect("rename");
        };
        assert_eq!(looks(|_| (), act), 1);
        assert_eq!(looks(|_| (), |top| fs::create_dir_all(top.join("b/a/b")).expect("directory")), 0);
    }

    #[test]
    fn ordinary_files_come_and_go_unnoticed() {
        for number in [1, 1000] {
            let act = |top: &Path| {
                for at in 0..number {
                    let (old, new) = (top.join(format!("a/b/{at}")), top.join(format!("a/{at}")));
                    fs::write(&old, "").expect("file");
                    fs::rename(old, new).expect("rename");
                }
            };
            assert_eq!(looks(|_| (), act), 0);
        }
    }
}
