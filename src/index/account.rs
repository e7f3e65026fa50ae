//! What a crawl was asked for, and the account of the crawl that an index comes from.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use crate::cli::Failure;
use crate::crawl::{Hashing, Options};
use crate::escape;
use crate::host::Host;
use crate::record::{ContentHash, Timestamp};
use crate::report;

/// Everything that decides which records a crawl gives, apart from what is in the trees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Coverage {
    hashing: Hashing,
    /// `word=text` each, escaped, sorted: their order on the command line makes no difference.
    terms: Vec<String>,
}

impl Coverage {
    /// Of a crawl of `names`, which stand for the operands and all that lists hold.
    ///
    /// # Errors
    /// [`Failure::Stop`] where names are relative and the working directory is gone.
    pub(crate) fn new(options: &Options, names: &[OsString]) -> Result<Self, Failure> {
        let mut terms: Vec<String> = names.iter().map(|name| term("operand", name)).collect();
        if names.iter().any(|name| !Path::new(name).is_absolute()) {
            let dir = std::env::current_dir()
                .map_err(|error| Failure::Stop(format!("finding the working directory: {}", report::reason(&error))))?;
            terms.push(term("directory", dir.as_os_str()));
        }
        let switches = [("--follow", options.follow), ("--one-file-system", options.one_file_system)];
        terms.extend(switches.iter().filter(|(_, on)| *on).map(|(name, _)| term("option", OsStr::new(name))));
        terms.extend(options.host.map(|host| term("host", OsStr::new(host.name()))));
        terms.extend(options.filter.to_words().iter().map(|word| term("option", OsStr::new(word))));
        terms.sort_unstable();
        terms.dedup();
        Ok(Self { hashing: options.hashing, terms })
    }
}

impl Coverage {
    /// What the host is called in paths and ids, if they name it.
    pub(super) fn host(&self) -> Option<Host> {
        self.terms.iter().find_map(|term| term.strip_prefix("host=")).and_then(|name| Host::parse(name.as_bytes()))
    }

    /// The working directory, escaped, if relative names hold there.
    pub(super) fn directory(&self) -> Option<&str> {
        self.terms.iter().find_map(|term| term.strip_prefix("directory="))
    }
}

fn term(word: &str, text: &OsStr) -> String {
    format!("{word}={}", escape::escape(text.as_bytes()))
}

/// How an index came about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Account {
    /// When the crawl began, by the clock that files get their times from.
    pub(crate) start: Timestamp,
    /// BLAKE3 of the index.
    pub(crate) content: ContentHash,
    /// What was crawled, and how.
    pub(crate) coverage: Coverage,
}

impl Account {
    /// Whether the crawl told files of one size apart, so that one without a hash has no duplicate.
    pub(crate) fn is_of_dups(&self) -> bool {
        self.coverage.hashing == Hashing::Dups
    }

    /// As columns of a line.
    pub(super) fn to_columns(&self) -> String {
        let mut text = format!("{}\t{}\t{}", self.start, self.content, word(self.coverage.hashing));
        for term in &self.coverage.terms {
            text.push('\t');
            text.push_str(term);
        }
        text
    }

    /// Reads what [`Account::to_columns`] wrote.
    pub(super) fn parse(columns: &[u8]) -> Option<Self> {
        let mut columns = std::str::from_utf8(columns).ok()?.split('\t');
        let start = Timestamp::parse(columns.next()?.as_bytes())?;
        let content = ContentHash::parse(columns.next()?.as_bytes())?;
        let name = columns.next()?;
        let hashing = HASHINGS.into_iter().find(|hashing| word(*hashing) == name)?;
        let terms = columns.map(str::to_owned).collect();
        Some(Self { start, content, coverage: Coverage { hashing, terms } })
    }
}

const HASHINGS: [Hashing; 3] = [Hashing::All, Hashing::Dups, Hashing::None];

fn word(hashing: Hashing) -> &'static str {
    match hashing {
        Hashing::All => "all",
        Hashing::Dups => "dups",
        Hashing::None => "none",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_comes_back() {
        let names = ["/b\t\n", "rel", "/a"].map(OsString::from);
        let options = Options { hashing: Hashing::Dups, follow: true, ..Options::default() };
        let coverage = Coverage::new(&options, &names).expect("coverage");
        let start = Timestamp { seconds: -7, nanoseconds: 5 };
        let account = Account { start, content: ContentHash::of_nothing(), coverage };
        assert_eq!(Account::parse(account.to_columns().as_bytes()), Some(account));
        assert_eq!(Account::parse(b"1.000000000\tabc\tall"), None);
    }

    #[test]
    fn what_decides_the_records_is_compared_and_nothing_else() {
        let of = |options: &Options, names: &[&str]| {
            let names: Vec<OsString> = names.iter().map(OsString::from).collect();
            Coverage::new(options, &names).expect("coverage")
        };
        let plain = Options::default();
        assert_eq!(of(&plain, &["/a", "/b"]), of(&plain, &["/b", "/a", "/b"]));
        assert_ne!(of(&plain, &["/a"]), of(&plain, &["/a", "/b"]));
        assert_ne!(of(&plain, &["/a"]), of(&Options { hashing: Hashing::None, ..plain.clone() }, &["/a"]));
        let host = Host::parse(b"nas");
        assert_ne!(of(&plain, &["/a"]), of(&Options { host, ..plain.clone() }, &["/a"]));
        assert_eq!((of(&plain, &["/a"]).host(), of(&Options { host, ..plain.clone() }, &["/a"]).host()), (None, host));
        assert_ne!(of(&plain, &["/a"]), of(&Options { one_file_system: true, ..plain.clone() }, &["/a"]));
        assert_eq!(of(&plain, &["/a"]), of(&Options { sort: true, mmap: true, ..plain.clone() }, &["/a"]));
    }
}
