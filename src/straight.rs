//! Opening a directory by a path that is resolved already, and by no other way: a symbolic link that somebody has put
//! on the way since is refused, and not followed.

use std::ffi::OsStr;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Component, Path};

use rustix::fs::{Mode, OFlags, ResolveFlags, openat, openat2, readlinkat};
use rustix::io::Errno;

const FLAGS: OFlags = OFlags::PATH.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

/// Opens the directory `path`, seen from `at`, as a place from which to go on. `path` has no `..` in it.
///
/// # Errors
/// What the system gives; for a symbolic link on the way, or at its end, that is `ELOOP`.
pub(crate) fn open_dir(at: impl AsFd, path: &Path) -> io::Result<OwnedFd> {
    let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
    match openat2(&at, path, FLAGS, Mode::empty(), ResolveFlags::NO_SYMLINKS) {
        // Linux before 5.6 does not know the call, and some sandboxes give PERM for what they do not know.
        Err(Errno::NOSYS | Errno::PERM) => step_by_step(at, path),
        other => Ok(other?),
    }
}

/// The same, one name after the other.
fn step_by_step(at: impl AsFd, path: &Path) -> io::Result<OwnedFd> {
    let mut dir = openat(at, if path.is_absolute() { "/" } else { "." }, FLAGS, Mode::empty())?;
    for component in path.components() {
        if let Component::Normal(name) = component {
            dir = step(&dir, name)?;
        }
    }
    Ok(dir)
}

fn step(dir: &OwnedFd, name: &OsStr) -> io::Result<OwnedFd> {
    match openat(dir, name, FLAGS | OFlags::NOFOLLOW, Mode::empty()) {
        // That is how O_DIRECTORY refuses the link itself (open(2)).
        Err(Errno::NOTDIR) if readlinkat(dir, name, Vec::new()).is_ok() => Err(Errno::LOOP.into()),
        other => Ok(other?),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::fs::CWD;

    #[test]
    fn links_are_followed_by_neither_way() {
        let dir = tempfile::tempdir().expect("directory");
        let real = dir.path().canonicalize().expect("real");
        std::fs::create_dir_all(real.join("a/b")).expect("directories");
        std::fs::write(real.join("a/file"), "").expect("file");
        std::os::unix::fs::symlink(real.join("a"), real.join("link")).expect("link");
        std::os::unix::fs::symlink("b", real.join("a/last")).expect("link");
        let error = |result: io::Result<OwnedFd>| result.err().and_then(|error| error.raw_os_error());
        for (path, errno) in [
            ("", None),
            ("a", None),
            ("a/b", None),
            ("link", Some(Errno::LOOP)),
            ("link/b", Some(Errno::LOOP)),
            ("a/last", Some(Errno::LOOP)),
            ("a/file", Some(Errno::NOTDIR)),
            ("none/b", Some(Errno::NOENT)),
        ] {
            let (errno, path) = (errno.map(Errno::raw_os_error), real.join(path));
            assert_eq!(error(open_dir(CWD, &path)), errno, "{}", path.display());
            assert_eq!(error(step_by_step(CWD, &path)), errno, "{}", path.display());
        }
        let below = openat(CWD, &real, FLAGS, Mode::empty()).expect("open");
        for path in ["a/b", ".", ""] {
            assert!(open_dir(&below, Path::new(path)).is_ok() && step_by_step(&below, Path::new(path)).is_ok());
        }
    }
}
