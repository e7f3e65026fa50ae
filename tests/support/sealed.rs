//! Archives with real volumes in them, and what `ms-seal` writes about them.

use super::plan::{Row, plan};
use super::{Outcome, Sandbox, set_mtime};
use serde_json::Value;
use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt as _;
use std::path::PathBuf;
use std::process::Command;

/// The mtime of the files that `volume` makes: 2017-07-14 02:40:00.25 UTC.
pub const MTIME: &str = "1500000000.250000000";

/// The capacity that the notes of such rows tell of.
pub const CAPACITY: u64 = 24_220_008_448;

impl Sandbox {
    /// Makes files in `Archive/NNNN` (paths below it, contents) and gives their rows as `ms-mv` writes them after a
    /// plan of `ms-pack`.
    pub fn volume(&self, number: u64, files: &[(impl AsRef<OsStr>, &str)]) -> Vec<Row> {
        let count = files.len();
        let row = |(index, (name, content)): (usize, &(_, &str))| {
            let name: &OsStr = AsRef::<OsStr>::as_ref(name);
            let path = self.archived(number, name, content);
            let mut row = Row::new(self, &path, below(&OsString::from("photos"), name));
            row.note = format!("volume={number} file={}/{count} fs=iso capacity={CAPACITY}", index + 1);
            row
        };
        files.iter().enumerate().map(row).collect()
    }

    /// One file of a volume; its path as the tools are told of it.
    pub fn archived(&self, number: u64, name: &OsStr, content: &str) -> OsString {
        let path = below(&OsString::from(format!("Archive/{number:04}")), name);
        set_mtime(&self.write(&path, content), 1_500_000_000, 250_000_000);
        path
    }

    /// `ms-seal ARGS Archive` with the rows as its input.
    pub fn seal(&self, args: &[&str], rows: &[Row]) -> Outcome {
        self.run("ms-seal", &[args, &["Archive"]].concat(), &plan(rows))
    }

    /// A sealed volume with two files.
    #[track_caller]
    pub fn sealed(&self, number: u64) -> Vec<Row> {
        let files = [("2012/03/05/a.jpg", format!("alpha {number}")), ("2013/01/02/b.jpg", format!("beta {number}"))];
        let files = files.each_ref().map(|(name, content)| (*name, &content[..]));
        let rows = self.volume(number, &files);
        self.seal(&[], &rows).expect_status(0);
        self.expect_sealed(number);
        rows
    }

    pub fn is_sealed(&self, number: u64) -> bool {
        ["index.json", "B3SUMS"].iter().all(|name| self.exists(format!("Archive/{number:04}/{name}")))
    }

    /// All that a sealed volume has.
    #[track_caller]
    pub fn expect_sealed(&self, number: u64) {
        for name in ["index.json", "B3SUMS", "README.txt"] {
            assert!(self.exists(format!("Archive/{number:04}/{name}")), "volume {number} has no {name}");
        }
        for name in [format!("catalog/{number:04}.tsv"), "index.json".to_owned(), ".ms-protect".to_owned()] {
            assert!(self.exists(format!("Archive/{name}")), "no {name}");
        }
        assert!(matches!(self.state_of(number).as_deref(), Some("sealed" | "burned")), "{:?}", self.catalogue());
    }

    /// Nothing of a seal is there.
    #[track_caller]
    pub fn expect_open(&self, number: u64) {
        for name in ["index.json", "B3SUMS", "README.txt", ".ms-seal.tmp"] {
            assert!(!self.exists(format!("Archive/{number:04}/{name}")), "volume {number} has {name}");
        }
        assert!(!self.exists(format!("Archive/{number:04}.UNBURNED")));
        assert!(!self.exists(format!("Archive/catalog/{number:04}.tsv")));
        assert!(matches!(self.state_of(number).as_deref(), None | Some("open")), "{:?}", self.catalogue());
    }

    /// A JSON file of the archive.
    #[track_caller]
    pub fn json(&self, name: &str) -> Value {
        serde_json::from_slice(&self.read(format!("Archive/{name}"))).expect("JSON")
    }

    /// The catalogue of the archive, if there is one.
    pub fn catalogue(&self) -> Option<Value> {
        self.exists("Archive/index.json").then(|| self.json("index.json"))
    }

    /// What the catalogue says of a volume.
    pub fn entry(&self, number: u64) -> Option<Value> {
        let catalogue = self.catalogue()?;
        let volumes = catalogue["volumes"].as_array().expect("volumes");
        let mut found = volumes.iter().filter(|entry| entry["volume"] == number);
        let entry = found.next().cloned();
        assert!(found.next().is_none(), "volume {number} twice");
        entry
    }

    fn state_of(&self, number: u64) -> Option<String> {
        self.entry(number).map(|entry| entry["state"].as_str().expect("a state").to_owned())
    }

    /// `b3sum --check` in the directory of a volume.
    pub fn b3sum_check(&self, directory: &str) -> std::process::Output {
        let mut command = Command::new("b3sum");
        command.args(["--check", "B3SUMS"]).current_dir(self.path(directory));
        command.output().expect("b3sum(1)")
    }

    /// The records of `catalog/NNNN.tsv`, split at tabs.
    pub fn listing(&self, number: u64) -> Vec<Vec<String>> {
        let text = String::from_utf8(self.read(format!("Archive/catalog/{number:04}.tsv"))).expect("UTF-8");
        text.lines().map(|line| line.split('\t').map(str::to_owned).collect()).collect()
    }

    /// Everything below `Archive`, each file with its inode, so that a file that was only written anew shows.
    pub fn archive_inodes(&self) -> BTreeMap<PathBuf, (u64, super::Seen)> {
        use std::os::unix::fs::MetadataExt as _;
        let root = self.path("Archive");
        let inode = |path: &PathBuf| root.join(path).symlink_metadata().expect("metadata").ino();
        super::snapshot(&root).into_iter().map(|(path, seen)| (path.clone(), (inode(&path), seen))).collect()
    }
}

fn below(directory: &OsString, name: &OsStr) -> OsString {
    let mut path = directory.clone();
    path.push(OsStr::from_bytes(b"/"));
    path.push(name);
    path
}

/// The paths at which two snapshots are not the same.
pub fn differing<T: PartialEq>(one: &BTreeMap<PathBuf, T>, other: &BTreeMap<PathBuf, T>) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> =
        one.iter().filter(|(path, seen)| other.get(*path) != Some(*seen)).map(|(path, _)| path.clone()).collect();
    paths.extend(other.keys().filter(|path| !one.contains_key(*path)).cloned());
    paths
}

/// Two snapshots must be the same.
#[track_caller]
pub fn expect_same<T: PartialEq>(one: &BTreeMap<PathBuf, T>, other: &BTreeMap<PathBuf, T>, context: &str) {
    let differing = differing(one, other);
    assert!(differing.is_empty(), "{context}: not the same: {differing:?}");
}
