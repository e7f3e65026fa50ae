//! How large the image of a volume may become at most: added up a second time, so that no plan is measured by the planner's own
//! sums. That what is added for each file and directory is enough, `pack_image.rs` shows against the programs that make images.

use super::plan::escape;
use mediastruct::volume::image::Filesystem;
use std::collections::BTreeSet;

pub const SECTOR: u64 = 2048;

/// What an image is written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Iso,
    Udf,
    Raw,
}

impl Format {
    pub fn of(word: &str) -> Self {
        match word {
            "iso" => Self::Iso,
            "udf" => Self::Udf,
            "raw" => Self::Raw,
            other => panic!("no format is called {other}"),
        }
    }

    fn filesystem(self) -> Filesystem {
        match self {
            Self::Iso => Filesystem::Iso,
            Self::Udf => Filesystem::Udf,
            Self::Raw => Filesystem::Raw,
        }
    }
}

/// The bound for a volume with these files (paths below the volume, sizes) and what is added when it is sealed. Where
/// nobody has laid down how long a seal file is, the shortest that it can be.
pub fn image_bytes(files: &[(Vec<u8>, u64)], format: Format) -> u64 {
    let mut all: Vec<(&[u8], u64)> = files.iter().map(|(path, size)| (&path[..], *size)).collect();
    let checksums = files.iter().map(|(path, _)| 64 + 2 + path.len() as u64 + 1).sum();
    let listing = files.iter().map(|(path, size)| listed(path, *size)).sum();
    all.extend([(&b"B3SUMS"[..], checksums), (b"index.json", listing), (b"README.txt", 1)]);
    if format == Format::Raw {
        return all.iter().map(|(_, size)| sectors(*size)).sum();
    }
    let fixed = format.filesystem().fixed();
    let files: u64 = all.iter().map(|(path, size)| file(last(path), *size, format)).sum();
    let directories: u64 = directories(&all).iter().map(|path| directory(last(path), format)).sum();
    fixed + files + directories
}

/// `{"path":"…","hash":"…","size":…,"mtime":…}` with at least one digit of mtime.
fn listed(path: &[u8], size: u64) -> u64 {
    let empty = r#"{"path":"","hash":"","size":,"mtime":0}"#.len() as u64;
    empty + escape(path).len() as u64 + 64 + size.to_string().len() as u64
}

fn directories<'a>(files: &[(&'a [u8], u64)]) -> BTreeSet<&'a [u8]> {
    let mut found = BTreeSet::new();
    for (path, _) in files {
        let slashes = path.iter().enumerate().filter(|(_, byte)| **byte == b'/').map(|(at, _)| at);
        found.extend(slashes.map(|at| &path[..at]));
    }
    found
}

fn last(path: &[u8]) -> &[u8] {
    path.rsplit(|byte| *byte == b'/').next().unwrap_or(path)
}

fn sectors(size: u64) -> u64 {
    SECTOR * size.div_ceil(SECTOR)
}

fn file(name: &[u8], size: u64, format: Format) -> u64 {
    format.filesystem().file(name, size)
}

fn directory(name: &[u8], format: Format) -> u64 {
    format.filesystem().dir(name)
}
