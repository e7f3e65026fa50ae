//! The text that tells a stranger what a volume is, and how to check it.

use std::io::{self, Write};

use super::tally::Tally;
use crate::report;
use crate::volume::Number;

/// What there is to tell of one volume.
#[derive(Debug)]
pub(super) struct Readme<'a> {
    pub(super) number: Number,
    pub(super) tally: &'a Tally,
    /// How many files b3sum cannot check.
    pub(super) unlisted: u64,
}

impl Readme<'_> {
    /// Writes it: in plain ASCII, and no longer than [`README_LEN`](crate::volume::extent::README_LEN) bytes.
    pub(super) fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        out.write_all(self.head().as_bytes())?;
        out.write_all(FORMATS.as_bytes())?;
        out.write_all(self.unlisted().as_bytes())?;
        out.write_all(CHECKS.as_bytes())
    }

    fn head(&self) -> String {
        let Self { number, tally, .. } = self;
        let label = number.label();
        let files = report::count(tally.files, "file");
        let bytes = report::count(tally.bytes, "byte");
        format!(
            "{label}\n{}\n\n\
             This is volume {number} of an archive of photos, videos and what belongs to them:\n\
             {files}, {bytes} in all{}.\n\n\
             The files are ordinary files in folders, most of them by date, and need no\n\
             program but one that shows them. Three files more describe them:\n\n\
             README.txt   this text\n\
             index.json   the list of all files, with their sizes, times and checksums\n\
             B3SUMS       the checksums alone, in the form of the program b3sum\n\n",
            "=".repeat(label.len()),
            self.dates(),
        )
    }

    fn dates(&self) -> String {
        match (self.tally.first_date(), self.tally.last_date()) {
            (Some(first), Some(last)) if first != last => format!(",\ndated from {first} to {last}"),
            (Some(first), _) => format!(",\ndated {first}"),
            (None, _) => String::new(),
        }
    }

    fn unlisted(&self) -> String {
        match self.unlisted {
            0 => "B3SUMS has all files of this volume.\n".into(),
            1 => "B3SUMS leaves out 1 file whose name b3sum cannot read; index.json has it.\n".into(),
            count => format!(
                "B3SUMS leaves out {} files whose names b3sum cannot read;\nindex.json has them.\n",
                report::number(count)
            ),
        }
    }
}

const FORMATS: &str = r#"index.json is text in UTF-8 with one file a line. In each,

  path    is where the file is, from the folder that holds index.json. What could
          not be shown on a line is written with a backslash, as \t (tab), \n and
          \r (ends of lines), \\ (the backslash itself), and \x and two
          hexadecimal digits for any other byte. JSON in its turn writes each
          backslash twice, and a quotation mark as \" .
  hash    is the BLAKE3 hash of the content: 256 bits, as 64 hexadecimal digits.
          It is another one if even one bit of the file is.
  size    is the length in bytes.
  mtime   is when the file was last changed, in seconds since 1970-01-01 00:00
          UTC. A medium may keep fewer decimal places than are written here.

In B3SUMS, each line has a hash, two spaces, and a path. In a line that begins
with a backslash, the path has \\ for a backslash and \n for the end of a line.
"#;

const CHECKS: &str = "
Is every file still what it was? In the folder that holds this text, any of these
tells:

  b3sum --check B3SUMS
  ms-verify --root . index.json

b3sum is the program of the authors of BLAKE3 (https://github.com/BLAKE3-team).
ms-verify belongs to mediastruct, which made this volume. If neither is to be had,
any other program for BLAKE3 does: the algorithm is public, and the hash that it
gives for a file must be the one that is written here. And without any program
index.json still tells which files there must be, and how long each is.

If a file is damaged, look for another copy of this volume: the owner was advised
to keep at least two, in different places. The good copy of a file is the one
whose hash is the one written here.
";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Timestamp;
    use crate::volume::extent::README_LEN;
    use crate::volume::image::Filesystem;
    use std::path::Path;

    fn text(number: u64, unlisted: u64, tally: &Tally) -> String {
        let mut text = Vec::new();
        let number = Number::new(number).expect("number");
        Readme { number, tally, unlisted }.write(&mut text).expect("text");
        String::from_utf8(text).expect("UTF-8")
    }

    #[test]
    fn the_longest_text_fits_and_every_text_is_plain() {
        let mut tally = Tally::new(Filesystem::Iso);
        let long_ago = Timestamp { seconds: -62_000_000_000, nanoseconds: 0 };
        tally.add_file(Path::new("a"), u64::MAX, Some(long_ago));
        tally.add_file(Path::new("2012/03/05/b"), 1, None);
        tally.files = u64::MAX;
        let longest = text(u64::from(u32::MAX), u64::MAX, &tally);
        assert!(longest.len() as u64 <= README_LEN, "{}", longest.len());
        for text in [longest, text(7, 0, &Tally::new(Filesystem::Iso)), text(7, 1, &tally)] {
            assert!(text.is_ascii() && text.lines().all(|line| line.len() <= 84), "{text}");
            assert!(!text.chars().any(|character| character.is_ascii_control() && character != '\n'));
        }
    }

    #[test]
    fn it_tells_what_the_volume_holds() {
        let mut tally = Tally::new(Filesystem::Iso);
        tally.add_file(Path::new("2012/03/a.jpg"), 1200, None);
        let one = text(7, 0, &tally);
        assert!(
            one.contains("MS_0007\n=======\n") && one.contains("1 file, 1,200 bytes in all,\ndated 2012-03.\n"),
            "{one}"
        );
        tally.add_file(Path::new("2013/b.jpg"), 1, None);
        let two = text(7, 2, &tally);
        assert!(two.contains("2 files, 1,201 bytes") && two.contains("dated from 2012-03 to 2013.\n"), "{two}");
        assert!(two.contains("leaves out 2 files"), "{two}");
    }
}
