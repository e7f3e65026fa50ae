//! How large the image of a volume may become at most, written a second time from the formula that was fitted against
//! `xorriso -as mkisofs -r -J -joliet-long -iso-level 3`, so that no plan is measured by the planner's own code.

use super::plan::escape;
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
    let fixed = SECTOR * (186 + 6 + if format == Format::Udf { 274 } else { 0 });
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
    let udf = if format == Format::Udf { 2048 + udf_name(name) + 1 } else { 0 };
    sectors(size) + meta(name, Some(size)) + udf
}

fn directory(name: &[u8], format: Format) -> u64 {
    let udf = if format == Format::Udf { 4096 + udf_name(name) + 1 } else { 0 };
    meta(name, None) + 4096 + 80 + 2048 + 20 + 4 * units(name) + udf
}

/// The records of a file of that size, or of a directory, in the two trees of ISO 9660.
fn meta(name: &[u8], size: Option<u64>) -> u64 {
    let n = name.len() as u64;
    let is_file = u64::from(size.is_some());
    let raw = even(33 + (n + 1).min(31) + 2 * is_file) + even(85 + n);
    let extents = size.map_or(1, |size| size.div_ceil(0xFFFF_F800).max(1));
    let (record, continued) = (raw.min(254), if raw > 254 { raw - 254 + 40 } else { 0 });
    let rock_ridge = (1142 * record + 1000 * continued + 1000) / 1000;
    let joliet = (1137 * (34 + 2 * units(name).min(103) + 4 * is_file) + 1000) / 1000;
    extents * (rock_ridge + joliet)
}

fn udf_name(name: &[u8]) -> u64 {
    let text = String::from_utf8_lossy(name);
    let narrow = text.chars().all(|c| u32::from(c) < 0x100);
    (38 + 1 + if narrow { units(name) } else { 2 * units(name) }).next_multiple_of(4)
}

/// UTF-16 units of a name.
fn units(name: &[u8]) -> u64 {
    String::from_utf8_lossy(name).encode_utf16().count() as u64
}

fn even(x: u64) -> u64 {
    x + x % 2
}
