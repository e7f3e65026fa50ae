//! Archives made by hand, and what `ms-seal` makes of them.

use super::plan::{Row, plan};
use super::{Outcome, Sandbox, set_mtime, snapshot};
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// When every file of a volume was last changed: 2012-03-05 12:00 UTC.
pub const MTIME: i64 = 1_330_948_800;

impl Sandbox {
    /// A file below `Archive`.
    pub fn put_archived(&self, name: impl AsRef<OsStr>, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.write(Path::new("Archive").join(name.as_ref()), content);
        set_mtime(&path, MTIME, 123_456_789);
        path
    }

    /// `ms-seal ARGS Archive`, with nothing to read.
    pub fn run_seal(&self, args: &[&str]) -> Outcome {
        self.run("ms-seal", &[args, &["Archive"]].concat(), b"")
    }

    /// `ms-seal Archive`, with what `ms-mv` would have said of these files below `Archive`.
    pub fn seal_rows(&self, rows: &[Row]) -> Outcome {
        self.run("ms-seal", &["Archive"], &plan(rows))
    }

    /// What the catalogue says, from the JSON itself.
    pub fn catalogue_now(&self) -> serde_json::Value {
        serde_json::from_slice(&self.read("Archive/index.json")).expect("JSON")
    }

    /// What the catalogue says of one volume.
    #[track_caller]
    pub fn cataloged(&self, number: u64) -> serde_json::Value {
        let catalogue = self.catalogue_now();
        let volumes = catalogue["volumes"].as_array().expect("volumes");
        volumes.iter().find(|volume| volume["volume"] == number).expect("the volume").clone()
    }

    /// The paths in a volume's own index, as they stand there.
    pub fn indexed_in(&self, volume: &str) -> Vec<String> {
        let json: serde_json::Value =
            serde_json::from_slice(&self.read(format!("Archive/{volume}/index.json"))).expect("JSON");
        let files = json["files"].as_array().expect("files");
        files.iter().map(|file| file["path"].as_str().expect("a path").to_owned()).collect()
    }

    /// Whether a volume has any of the files that describe it.
    pub fn is_described(&self, volume: &str) -> bool {
        let files = ["index.json", "B3SUMS", "README.txt", ".ms-seal.tmp"];
        files.iter().any(|name| self.exists(format!("Archive/{volume}/{name}")))
    }
}

/// What `ms-mv` says of a file below `Archive` that it has moved, as a part of a plan of `rows` rows.
pub fn moved(sandbox: &Sandbox, name: &str, (row, rows): (u64, u64)) -> Row {
    let number: u64 = name.split('/').next().expect("a volume").parse().expect("a number");
    let note = format!("volume={number} file={row}/{rows} fs=iso capacity=24220008448");
    Row { note, ..told(sandbox, name) }
}

/// The same without a note.
pub fn told(sandbox: &Sandbox, name: &str) -> Row {
    Row::new(sandbox, format!("Archive/{name}"), "/data/elsewhere")
}

/// Kind, permissions and content of all that there is, but no times.
pub type Standing = BTreeMap<PathBuf, (char, u32, String)>;

pub fn standing(sandbox: &Sandbox) -> Standing {
    let seen = snapshot(&sandbox.work()).into_iter();
    seen.map(|(path, seen)| (path, (seen.kind, seen.mode, String::from_utf8_lossy(&seen.content).into_owned())))
        .collect()
}

/// All must stand just so.
#[track_caller]
pub fn expect_standing(sandbox: &Sandbox, expected: &Standing, after: &dyn std::fmt::Display) {
    let found = standing(sandbox);
    let only = |one: &Standing, other: &Standing| {
        let differing = one.iter().filter(|(path, seen)| other.get(*path) != Some(seen));
        differing.map(|(path, seen)| format!("{} {seen:?}", path.display())).collect::<Vec<_>>()
    };
    assert!(
        found == *expected,
        "after {after}\nfound: {:#?}\nexpected: {:#?}",
        only(&found, expected),
        only(expected, &found)
    );
}
