//! Plans of several hosts: which rows are for this host to carry out, and what they mean here.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use crate::host::{self, Host};
use crate::record::{FileId, Record};
use crate::report::shown;

/// A record of the host that is called `host` with the paths and ids that it has here. A copy that stays on another host
/// keeps its path and its id there. Without a name, nothing of a record may be on any host that has one, apart from that
/// copy.
///
/// # Errors
/// Why the record cannot be carried out here.
pub(super) fn here(record: Record, host: Option<Host>) -> Result<Record, String> {
    let id = record.id.map(|id| id_here(id, host)).transpose()?;
    let dest = record.dest.map(|dest| dest_here(dest, host)).transpose()?;
    match host {
        None if is_elsewhere(&record.path, record.id) => Err(unnamed(&record.path, "it")),
        None => Ok(Record { id, dest, ..record }),
        Some(host) => {
            let keep = record.keep.map(|keep| keep_here(keep, host)).transpose()?;
            let path = host.path_here(&record.path).unwrap_or(record.path);
            Ok(Record { path, id, dest, keep, ..record })
        }
    }
}

/// A directory may be called like a host, and a plan be older than such names.
fn is_elsewhere(path: &Path, id: Option<FileId>) -> bool {
    host::is_located(path) && (id.is_some_and(|id| id.host.is_some()) || path.symlink_metadata().is_err())
}

fn id_here(id: FileId, host: Option<Host>) -> Result<FileId, String> {
    match id.host {
        Some(other) if host.is_none() => Err(format!(
            "its id is that of a file on the host {other}; --host NAME says which host this is, and its rows are carried out"
        )),
        Some(other) if host != Some(other) => Err(format!("its id is that of a file on the host {other}")),
        _ => Ok(id.on(None)),
    }
}

fn dest_here(dest: PathBuf, host: Option<Host>) -> Result<PathBuf, String> {
    match (host::split(dest.as_os_str().as_bytes()), host) {
        (None, _) => Ok(dest),
        (Some((name, there)), Some(host)) if name == host.name() => Ok(OsStr::from_bytes(there).into()),
        (Some((name, _)), Some(_)) => Err(format!(
            "its destination is on the host {name}, and nothing moves from one host to another: {}",
            shown(&dest)
        )),
        (Some(_), None) => Err(unnamed(&dest, "its destination")),
    }
}

fn keep_here(keep: PathBuf, host: Host) -> Result<PathBuf, String> {
    if host::is_located(&keep) {
        return Ok(host.path_here(&keep).unwrap_or(keep));
    }
    Err(format!("the copy that should stay names no host: {}", shown(&keep)))
}

fn unnamed(path: &Path, what: &str) -> String {
    let (name, _) = host::split(path.as_os_str().as_bytes()).unwrap_or_default();
    let path = shown(path);
    format!(
        "{what} is on the host {name}: there, --host {name} carries the plan out; a directory that is called {name}: is \
         written ./{path}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(path: &str, id: &str, dest: &str, keep: &str) -> Record {
        let id = FileId::parse(id.as_bytes());
        let (dest, keep) = (Some(dest.into()), Some(keep.into()));
        Record { path: path.into(), hash: None, size: 1, mtime: None, id, dest, keep, note: None }
    }

    #[test]
    fn a_row_of_this_host_is_what_it_is_here() {
        let nas = Host::parse(b"nas");
        let here_now = here(record("nas:/a", "nas/1:2", "nas:/q/a", "nas:/b"), nas);
        assert_eq!(here_now, Ok(record("/a", "1:2", "/q/a", "/b")));
        let relative = here(record("nas:/a", "1:2", "q/nas/a", "laptop:/b"), nas);
        assert_eq!(relative, Ok(record("/a", "1:2", "q/nas/a", "laptop:/b")));
    }

    #[test]
    fn what_is_not_of_this_host_is_refused() {
        let nas = Host::parse(b"nas");
        for (row, host, problem) in [
            (record("nas:/a", "laptop/1:2", "nas:/q", "nas:/b"), nas, "its id is that of a file on the host laptop"),
            (record("nas:/a", "-", "laptop:/q", "nas:/b"), nas, "its destination is on the host laptop"),
            (record("nas:/a", "-", "nas:/q", "/b"), nas, "the copy that should stay names no host"),
            (record("nas:/a", "-", "/q", "/b"), None, "it is on the host nas: there, --host nas"),
            (record("/a", "-", "nas:/q", "/b"), None, "its destination is on the host nas: there, --host nas"),
            (record("/a", "nas/1:2", "/q", "/b"), None, "its id is that of a file on the host nas"),
        ] {
            let told = here(row.clone(), host).expect_err(problem);
            assert!(told.starts_with(problem), "{told}");
        }
    }
}
