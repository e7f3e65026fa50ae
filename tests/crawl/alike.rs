//! `--hash dups` among files that are alike in size and in all the places that are looked at first.

use super::support::Sandbox;
use std::collections::HashMap;

/// Writes files that are zeros but for some bytes; each is described by where these are.
fn write(sandbox: &Sandbox, dir: &str, size: usize, marks: &[&[usize]]) {
    for (number, marks) in marks.iter().enumerate() {
        let mut content = vec![0; size];
        for at in *marks {
            content[*at] = 1;
        }
        sandbox.write(format!("{dir}/{number}"), content);
    }
}

/// Whoever has an equal has the hash that `b3sum` gives; whoever has none has none, or its own.
#[track_caller]
fn expect_told_apart(sandbox: &Sandbox, more: &[&str]) {
    let args = [&["-q", "--hash", "dups"], more, &["d"]].concat();
    let rows = sandbox.run("ms-crawl", &args, b"").expect_status(0).rows();
    let hash = |path: &str| blake3::hash(&sandbox.read(path)).to_hex().to_string();
    let mut contents: HashMap<String, u32> = HashMap::new();
    for row in &rows {
        *contents.entry(hash(&row[0])).or_default() += 1;
    }
    for row in &rows {
        let expected = hash(&row[0]);
        let has_equal = contents[&expected] > 1;
        assert!(row[1] == expected || row[1] == "-" && !has_equal, "{more:?} {row:?}");
    }
    assert!(rows.iter().any(|row| row[1] == "-"), "nothing was told apart early");
}

#[test]
fn what_is_alike_where_it_is_looked_at_first_is_told_apart() {
    let sandbox = Sandbox::new();
    // Between the blocks at the start, in the middle and at the end: few, and a crowd.
    let few: [&[usize]; 5] = [&[10_000], &[10_001], &[10_000], &[60_000], &[10_001]];
    write(&sandbox, "d/few", 100_000, &few);
    let crowd: Vec<Vec<usize>> =
        (0..40).map(|number| vec![20_000 + number / 2 * 7 % 100, 150_000 - number % 3]).collect();
    let crowd: Vec<&[usize]> = crowd.iter().map(Vec::as_slice).collect();
    write(&sandbox, "d/crowd", 200_000, &crowd);
    // At each of the blocks, and in none of them.
    write(&sandbox, "d/blocks", 300_000, &[&[0], &[150_000], &[299_999], &[], &[4095], &[], &[300_000 - 4096]]);
    for more in [&["-j", "1"][..], &["-j", "4"], &["--disks", "rotating"], &["--mmap"]] {
        expect_told_apart(&sandbox, more);
    }
}

#[test]
fn large_files_are_told_apart_in_the_piece_where_they_differ() {
    let sandbox = Sandbox::new();
    let piece = 8 << 20;
    let marks: [&[usize]; 7] =
        [&[5000], &[5000], &[5001], &[piece + 1], &[piece + 1], &[2 * piece + 9], &[2 * piece + 10]];
    write(&sandbox, "d", 3 * piece + 100_000, &marks);
    for more in [&["-j", "1"][..], &["-j", "4"], &["--disks", "rotating"]] {
        expect_told_apart(&sandbox, more);
    }
}
