//! The text in a volume for whoever finds its disc, in thirty years.

use super::finish::Description;
use crate::report;

/// The text. It tells nothing that another run would tell otherwise, and is never longer than
/// [`README_LEN`](crate::volume::extent::README_LEN).
pub(super) fn text(description: &Description) -> String {
    let number = description.number;
    let label = number.label();
    let files = report::count(description.files.len() as u64, "file");
    let bytes = report::count(description.bytes(), "byte");
    let dates = match description.dates() {
        Some((first, last)) if first == last => format!("\nof {first}"),
        Some((first, last)) => format!("\nfrom {first} to {last}"),
        None => String::new(),
    };
    let unsummed = match description.unsummed() {
        0 => String::new(),
        1 => "One file has a name that b3sum cannot read; only index.json tells its hash.\n\n".to_owned(),
        many => {
            let many = report::number(many as u64);
            format!("{many} files have names that b3sum cannot read; only index.json tells their hashes.\n\n")
        }
    };
    format!(
        "\
{label}

This is volume {number} of an archive of photos and videos: {files}, {bytes}{dates}.

The files lie in folders, most of them by the date when they were taken. They are
ordinary files: no program is needed to get at them, only one that shows pictures
or plays videos. Copy whatever you want to keep.

Is everything still as it was?

  B3SUMS      holds the BLAKE3 hash of each file, 64 hexadecimal digits, then two
              spaces, then its path. With the program b3sum:

                  b3sum --check B3SUMS

  index.json  lists each file on a line of its own, as text: its path, its BLAKE3
              hash, its size in bytes, and when it was last changed, in seconds
              since 1970-01-01 00:00:00 UTC. With the program ms-verify:

                  ms-verify --root . index.json

{unsummed}BLAKE3 is a function that turns any content into 256 bits; where these differ, so does
the content. It was published in 2020 and can be had as free software. Without any
program for it, the sizes in index.json still tell whether a file is whole.

In index.json, \\\\ \\t \\n \\r in a path stand for a backslash, a tab, and two kinds of line
end, and \\xHH for the byte HH in hexadecimal digits. JSON, the form of that file, writes
each of these backslashes twice. In B3SUMS, a line that begins with a backslash has \\\\ and
\\n in its path for a backslash and a line end.

There may be further volumes, MS_0001 and so on, and copies of this one. It was put together
by mediastruct, a toolkit of small programs; this text is all that you need to know of it.
"
    )
}
