//! An index that is young enough to answer in place of the trees.

use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::time::Duration;

use super::account::Coverage;
use super::{companion, content_of, now, resolve};
use crate::cli::Failure;
use crate::record::{FileId, Timestamp};
use crate::stream::Table;

/// A complete index that is young enough.
#[derive(Debug)]
pub(crate) struct Young {
    /// Its rows, sorted by path.
    pub(crate) table: Table,
    /// Since its crawl began.
    pub(crate) age: Duration,
    /// Which file it is.
    id: Option<FileId>,
}

impl Young {
    /// Whether a file is this index.
    pub(crate) fn is_index(&self, id: FileId) -> bool {
        self.id == Some(id)
    }
}

/// The index `path`, if it is what the last crawl wrote, and that crawl covered the same and began at most `max_age` ago.
/// Nothing else is looked at, and no lock is taken.
///
/// # Errors
/// [`Failure::Stop`] where there is a file that cannot be read.
pub(crate) fn young(path: &Path, coverage: &Coverage, max_age: Duration) -> Result<Option<Young>, Failure> {
    let path = resolve(path);
    // A crawl that comes to its end at this moment may exchange one of the two files before the other is read.
    for _ in 0..3 {
        if !path.is_file() {
            return Ok(None);
        }
        let table = Table::open(&[path.clone().into_os_string()])?;
        let Some(contents) = companion::peek(&path) else { return Ok(None) };
        let content = content_of(&table);
        let Some(account) = contents.accounts.iter().find(|account| account.content == content) else { continue };
        table.check_whole()?;
        let age = between(account.start, now()).filter(|age| *age <= max_age && account.coverage == *coverage);
        let id = path.metadata().ok().map(|status| FileId::here(status.dev(), status.ino()));
        return Ok(age.map(|age| Young { table, age, id }));
    }
    Ok(None)
}

/// `None` where `start` is yet to come: then some clock is wrong, and nobody knows how old the index is.
fn between(start: Timestamp, now: Timestamp) -> Option<Duration> {
    let age = now.nanoseconds_since_1970() - start.nanoseconds_since_1970();
    u64::try_from(age).ok().map(Duration::from_nanos)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_is_told_of_the_past_only() {
        let time = |seconds, nanoseconds| Timestamp { seconds, nanoseconds };
        assert_eq!(between(time(10, 900_000_000), time(12, 100_000_000)), Some(Duration::from_millis(1200)));
        assert_eq!(between(time(10, 0), time(10, 0)), Some(Duration::ZERO));
        assert_eq!(between(time(10, 1), time(10, 0)), None);
        assert_eq!(between(time(-1, 0), time(1, 0)), Some(Duration::from_secs(2)));
    }
}
