//! Hosts, and paths on them.
//!
//! A path of the form `NAME:/absolute/path` lies on the host NAME; every other path is one of this host, and so is
//! `./nas:/x`, which a relative path that only looks like that is written as. An id `NAME/dev:ino` is that of a file there.
//! This module alone knows these forms: it takes them apart and puts them together. What a path means is for others to say:
//! planners never look at the disk for a path that names a host, and `mv` and `verify` do where they are told that this
//! host is the one that is named.
//!
//! Names are those of RFC 1123, section 2.1, in lower case, since case makes no difference in them (RFC 4343), and one host
//! must have one name.

use std::borrow::Cow;
use std::cell::RefCell;
use std::cmp::Ordering;
use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::AddAssign;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};
use std::sync::{LazyLock, Mutex, PoisonError};

use foldhash::quality::RandomState;

use crate::cli::{self, Failure};
use crate::report;

/// A host by its name, in eight bytes: each name is held once for as long as the process lives.
#[derive(Clone, Copy)]
pub struct Host(&'static Name);

#[derive(Debug)]
struct Name {
    text: String,
    print: u64,
}

/// So many hosts can be told apart; a stream with more was not made by the hosts of one house.
const MOST_HOSTS: usize = 1 << 16;

/// Octets of a whole name and of the parts between its points (RFC 1123, section 2.1; RFC 1035, section 2.3.4).
const LONGEST_NAME: usize = 253;
const LONGEST_LABEL: usize = 63;

type Names = HashMap<&'static [u8], Host, RandomState>;

static NAMES: LazyLock<Mutex<Names>> = LazyLock::new(Mutex::default);

thread_local! {
    /// What this thread has asked for before, so that threads do not wait for each other.
    static KNOWN: RefCell<Names> = RefCell::default();
}

impl Host {
    /// The host of a name as it stands in a stream; `None` where that is no name.
    #[must_use]
    pub fn parse(name: &[u8]) -> Option<Self> {
        let known = KNOWN.with_borrow(|known| known.get(name).copied());
        known.or_else(|| {
            let host = Self::remember(name)?;
            KNOWN.with_borrow_mut(|known| known.insert(host.0.text.as_bytes(), host));
            Some(host)
        })
    }

    fn remember(name: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(name).ok().filter(|_| is_name(name))?;
        let mut names = NAMES.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = names.get(name) {
            return Some(*known);
        }
        if names.len() >= MOST_HOSTS {
            return None;
        }
        let start = blake3::hash(name).as_bytes().first_chunk().copied().unwrap_or_default();
        let name: &'static Name = Box::leak(Box::new(Name { text: text.to_owned(), print: u64::from_le_bytes(start) }));
        names.insert(name.text.as_bytes(), Self(name));
        Some(Self(name))
    }

    /// Reads the value of an option, in which capitals count as the small letters that they stand for.
    ///
    /// # Errors
    /// [`Failure::Usage`] that says what would do.
    pub fn of_option(option: &str, value: &OsStr) -> Result<Self, Failure> {
        Self::parse(&value.as_bytes().to_ascii_lowercase()).ok_or_else(|| {
            cli::unsuitable(
                option,
                value,
                "is not the name of a host: letters, digits, - and ., as in nas or nas.home.arpa",
            )
        })
    }

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        &self.0.text
    }

    /// A number that other hosts hardly have.
    pub(crate) fn print(self) -> u64 {
        self.0.print
    }

    /// The absolute path of a file of this host, as streams have it.
    #[must_use]
    pub fn locate(self, path: &Path) -> PathBuf {
        let mut whole = OsString::from(self.name());
        whole.push(":");
        whole.push(path);
        PathBuf::from(whole)
    }

    /// The path on this host that `path` stands for; `None` where it names another host, or none.
    #[must_use]
    pub fn path_here(self, path: &Path) -> Option<PathBuf> {
        let (name, there) = split(path.as_os_str().as_bytes())?;
        (name == self.name()).then(|| PathBuf::from(OsStr::from_bytes(there)))
    }
}

impl PartialEq for Host {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.0, other.0)
    }
}

impl Eq for Host {}

impl Hash for Host {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.print.hash(state);
    }
}

/// By name, so that no order depends on which host was met first.
impl Ord for Host {
    fn cmp(&self, other: &Self) -> Ordering {
        self.name().cmp(other.name())
    }
}

impl PartialOrd for Host {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Host {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.name())
    }
}

impl fmt::Debug for Host {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.name())
    }
}

/// Whether these bytes are the name of a host.
fn is_name(bytes: &[u8]) -> bool {
    let is_label =
        |label: &[u8]| (1..=LONGEST_LABEL).contains(&label.len()) && !label.starts_with(b"-") && !label.ends_with(b"-");
    bytes.len() <= LONGEST_NAME
        && bytes.iter().all(|byte| is_letter(*byte))
        && bytes.split(|byte| *byte == b'.').all(is_label)
}

fn is_letter(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'.')
}

/// The host that a path names, and its absolute path there; `None` for a path of this host. Nothing in it is escaped.
#[must_use]
pub fn split(path: &[u8]) -> Option<(&str, &[u8])> {
    let end = path.iter().take(LONGEST_NAME + 1).position(|byte| !is_letter(*byte))?;
    let (name, there) = (&path[..end], path[end..].strip_prefix(b":")?);
    let name = std::str::from_utf8(name).ok().filter(|_| there.starts_with(b"/") && is_name(name))?;
    Some((name, there))
}

/// Whether a path names a host.
#[must_use]
pub fn is_located(path: &Path) -> bool {
    split(path.as_os_str().as_bytes()).is_some()
}

/// A path of this host in a spelling that cannot be taken for one of another: `./nas:/x` for the file `x` in the directory
/// `nas:`, and `./nas:` for that directory, below which all paths would look like that.
#[must_use]
pub fn as_local(path: &OsStr) -> Cow<'_, OsStr> {
    let bytes = path.as_bytes();
    let is_above_such = bytes.strip_suffix(b":").is_some_and(is_name);
    if split(bytes).is_none() && !is_above_such {
        return Cow::Borrowed(path);
    }
    Cow::Owned(OsString::from_vec([b"./", bytes].concat()))
}

/// Rows that are not for this host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PassedOver {
    /// Those of other hosts.
    elsewhere: u64,
    /// Those that name no host.
    nowhere: u64,
}

impl AddAssign for PassedOver {
    fn add_assign(&mut self, other: Self) {
        self.elsewhere += other.elsewhere;
        self.nowhere += other.nowhere;
    }
}

impl PassedOver {
    /// Whether a row with this path is for the host that is called `host`, if it has a name; counts it if it is not.
    pub fn keeps(&mut self, path: &[u8], host: Option<Host>) -> bool {
        let Some(host) = host else { return true };
        match split(path) {
            Some((name, _)) if name == host.name() => return true,
            Some(_) => self.elsewhere += 1,
            None => self.nowhere += 1,
        }
        false
    }

    /// What there is to tell of them, if there are any.
    #[must_use]
    pub fn told(self) -> Option<String> {
        let rows = |count, of: &str| (count > 0).then(|| format!("{} of {of}", report::count(count, "row")));
        let parts = [rows(self.elsewhere, "other hosts"), rows(self.nowhere, "no host")];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        (!parts.is_empty()).then(|| format!("{} passed over", parts.join(" and ")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_hosts() {
        let longest = format!("{}.{}.{}.{}", "a".repeat(63), "b".repeat(63), "c".repeat(63), "d".repeat(61));
        for name in ["nas", "3com", "a", "10.0.0.7", "nas.home.arpa", "a-b", &"x".repeat(63), &longest] {
            assert_eq!(Host::parse(name.as_bytes()).map(Host::name), Some(name));
        }
        let too_long = format!("{longest}x");
        for name in
            ["", "NAS", "-a", "a-", ".a", "a.", "a..b", "a_b", "ä", "a b", "a/b", "a:b", &"x".repeat(64), &too_long]
        {
            assert_eq!(Host::parse(name.as_bytes()), None, "{name}");
        }
        assert_eq!(Host::of_option("--host", OsStr::new("NAS")).ok(), Host::parse(b"nas"));
        let Err(Failure::Usage(problem)) = Host::of_option("--host", OsStr::new("a_b")) else { panic!("refused") };
        assert!(problem.starts_with("--host: \"a_b\" is not the name of a host"), "{problem}");
    }

    #[test]
    fn only_the_exact_form_names_a_host() {
        let split = |path: &'static str| split(path.as_bytes());
        assert_eq!(split("nas:/a/b"), Some(("nas", b"/a/b".as_slice())));
        assert_eq!(split("nas:/"), Some(("nas", b"/".as_slice())));
        assert_eq!(split("nas://x:/y"), Some(("nas", b"//x:/y".as_slice())));
        for path in
            ["", ":", ":/x", "/nas:/x", "./nas:/x", "nas:x", "nas:", "nas", "NAS:/x", "a_b:/x", "a/b:/x", "-a:/x"]
        {
            assert_eq!(split(path), None, "{path}");
        }
    }

    #[test]
    fn a_path_comes_back_from_its_host_only() {
        let (nas, laptop) = (Host::parse(b"nas").expect("host"), Host::parse(b"laptop").expect("host"));
        let located = nas.locate(Path::new("/a b"));
        assert_eq!(located, Path::new("nas:/a b"));
        assert_eq!(nas.path_here(&located), Some("/a b".into()));
        assert_eq!(laptop.path_here(&located), None);
        assert_eq!(nas.path_here(Path::new("/a b")), None);
        assert!(laptop < nas && nas == Host::parse(b"nas").expect("host"));
    }

    #[test]
    fn rows_of_others_are_counted() {
        let mut passed = PassedOver::default();
        assert!(passed.keeps(b"/x", None) && passed.keeps(b"nas:/x", None) && passed.told().is_none());
        let kept = [&b"nas:/x"[..], b"tower:/x", b"/x", b"x", b"nas.home:/x"]
            .map(|path| passed.keeps(path, Host::parse(b"nas")));
        assert_eq!(kept, [true, false, false, false, false]);
        assert_eq!(passed.told().as_deref(), Some("2 rows of other hosts and 2 rows of no host passed over"));
    }

    #[test]
    fn what_only_looks_like_another_host_is_spelled_otherwise() {
        for (path, expected) in
            [("nas:", "./nas:"), ("nas:/x", "./nas:/x"), ("./nas:/x", "./nas:/x"), ("/nas:", "/nas:"), ("a:b", "a:b")]
        {
            assert_eq!(as_local(OsStr::new(path)), OsStr::new(expected));
            assert!(!is_located(Path::new(expected)));
        }
    }
}
