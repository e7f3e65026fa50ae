//! Streams for `ms-pack` made by hand, and what its plans say: which file goes to which volume.

use super::image_model::{Format, image_bytes};
use super::ingest::Planned;
use super::plan::Row;
use super::{Outcome, Sandbox, hash, unescape};
use std::collections::BTreeMap;

/// A record of a file that need not exist; its content is known by its path.
pub fn record(path: &str, size: u64) -> String {
    record_of(path, path, size, "-")
}

/// A record with an mtime, as the stream writes it.
pub fn timed(path: &str, size: u64, mtime: &str) -> String {
    record_of(path, path, size, mtime)
}

/// A record of a file with that content.
pub fn record_of(path: &str, content: &str, size: u64, mtime: &str) -> String {
    format!("{path}\t{}\t{size}\t{mtime}\t-\n", hash(content.as_bytes()))
}

/// What `ms-pack` said.
pub struct Pack {
    pub rows: Vec<Row>,
    pub stderr: String,
    pub stdout: Vec<u8>,
}

/// A line of the table of volumes.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    pub volume: u64,
    pub files: u64,
    pub bytes: u64,
    pub image_bytes: u64,
    /// In percent.
    pub fill: f64,
    pub first: String,
    pub last: String,
}

impl Sandbox {
    /// `ms-pack --to Archive ARGS`, where `Archive` is a directory.
    pub fn pack(&self, args: &[&str], stream: &str) -> Outcome {
        self.mkdir("Archive");
        self.run("ms-pack", &[&["--to", "Archive"], args].concat(), stream.as_bytes())
    }
}

/// Plans a stream into an archive that is empty; nothing may be complained of.
#[track_caller]
pub fn packed(args: &[&str], stream: &str) -> Pack {
    Pack::of(Sandbox::new().pack(args, stream).expect_status(0))
}

impl Pack {
    #[track_caller]
    pub fn of(outcome: Outcome) -> Self {
        let rows = Planned::of(&outcome).rows;
        Self { rows, stderr: outcome.stderr, stdout: outcome.stdout }
    }

    /// Where the file should go, if anywhere.
    #[track_caller]
    pub fn dest(&self, path: &str) -> Option<&str> {
        let mut found = self.rows.iter().filter(|row| row.path == path);
        let dest = found.next().map(|row| &row.dest[..]);
        assert!(found.next().is_none(), "two rows for {path}");
        dest
    }

    /// The number of the volume that the file should go to.
    #[track_caller]
    pub fn volume(&self, path: &str) -> Option<u64> {
        self.dest(path).map(volume_of)
    }

    /// All destinations, in the order of the plan.
    pub fn dests(&self) -> Vec<&str> {
        self.rows.iter().map(|row| &row.dest[..]).collect()
    }

    /// The rows of each volume.
    pub fn volumes(&self) -> BTreeMap<u64, Vec<&Row>> {
        let mut volumes: BTreeMap<u64, Vec<&Row>> = BTreeMap::new();
        for row in &self.rows {
            volumes.entry(volume_of(&row.dest)).or_default().push(row);
        }
        volumes
    }

    /// The table on stderr.
    #[track_caller]
    pub fn table(&self) -> Vec<Line> {
        let lines: Vec<&str> = self.stderr.lines().filter_map(|line| line.strip_prefix("ms-pack:")).collect();
        let head = lines.iter().position(|line| {
            ["volume", "files", "bytes", "image bytes", "fill", "first", "last"].iter().all(|word| line.contains(word))
        });
        let Some(head) = head else { return Vec::new() };
        lines[head + 1..].iter().map_while(|line| Line::parse(line)).collect()
    }

    /// The line that tells what remains.
    pub fn remaining(&self) -> Option<&str> {
        self.stderr.lines().find(|line| line.contains("remaining"))
    }

    /// The image of every volume, by the formula of its own, must fit its disc.
    #[track_caller]
    pub fn expect_fits(&self, capacity: u64, format: Format) {
        for (volume, rows) in self.volumes() {
            let bytes = image_bytes(&contents(&rows), format);
            assert!(bytes <= capacity, "volume {volume}: {bytes} bytes of image, {capacity} of capacity");
        }
    }
}

impl Line {
    fn parse(line: &str) -> Option<Self> {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [volume, files, bytes, image, fill, first, last] = words.try_into().ok()?;
        let number = |text: &str| text.replace(',', "").parse().ok();
        let fill = fill.strip_suffix('%')?.parse().ok()?;
        let (first, last) = (first.to_owned(), last.to_owned());
        Some(Self {
            volume: number(volume)?,
            files: number(files)?,
            bytes: number(bytes)?,
            image_bytes: number(image)?,
            fill,
            first,
            last,
        })
    }
}

/// The number in `Archive/0007/…`.
#[track_caller]
pub fn volume_of(dest: &str) -> u64 {
    let number = dest.strip_prefix("Archive/").and_then(|rest| rest.split('/').next()).expect("a volume of Archive");
    assert!(number.len() >= 4, "{dest}");
    number.parse().expect("a number")
}

/// Paths below the volume, and sizes.
pub fn contents(rows: &[&Row]) -> Vec<(Vec<u8>, u64)> {
    let below = |dest: &str| unescape(dest.splitn(3, '/').nth(2).expect("a path below the volume"));
    rows.iter().map(|row| (below(&row.dest), row.size.parse().expect("a size"))).collect()
}

/// The value of a word `name=…` of a note.
#[track_caller]
pub fn noted<'a>(row: &'a Row, name: &str) -> &'a str {
    let mut words = row.note.split(' ').filter_map(|word| word.split_once('='));
    words.find(|(found, _)| *found == name).unwrap_or_else(|| panic!("no {name}= in {:?}", row.note)).1
}

/// The lines of a stream in another order, the same one every time.
pub fn shuffled(stream: &str, seed: u64) -> String {
    let mut lines: Vec<&str> = stream.lines().collect();
    let mut random = Random::new(seed);
    for end in (1..lines.len()).rev() {
        lines.swap(end, usize::try_from(random.below(end as u64 + 1)).expect("an index"));
    }
    lines.into_iter().flat_map(|line| [line, "\n"]).collect()
}

/// Numbers that are the same everywhere for a seed (`SplitMix64`).
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// From 0 to `end`, without it.
    pub fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    /// From `low` to `high`, small ones as likely as ones of twice the size.
    pub fn log_between(&mut self, low: u64, high: u64) -> u64 {
        let doublings = (high / low).ilog2();
        let step = u32::try_from(self.below(u64::from(doublings))).expect("few doublings");
        let base = low << step;
        base + self.below(base)
    }
}
