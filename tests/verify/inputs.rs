//! `ms-verify`: all forms of input, hostile names in each, and what is malformed in them.

use crate::support;

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;
use support::{Outcome, Sandbox, csv_fields, hash, name, needs, set_mtime, unescape};

/// Names that a line cannot hold as they are, or that look like something else.
const HOSTILE: [&[u8]; 14] = [
    b"plain.jpg",
    b"two  spaces",
    b" around ",
    b"tab\there",
    b"new\nline",
    b"carriage\rreturn",
    b"back\\slash \\n",
    b"{\"quoted\": 1}",
    b"comma, and \"quotes\"",
    b"-",
    "é \u{2028}\u{feff}".as_bytes(),
    b"not UTF-8 \xff\xfe",
    b"BLAKE3 (x) = y",
    b"0000000000000000000000000000000000000000000000000000000000000000  a",
];

/// The hostile names below `d`, all of one age.
fn hostile() -> Sandbox {
    let sandbox = Sandbox::new();
    for bytes in HOSTILE {
        let mut path = OsString::from("d/");
        path.push(name(bytes));
        set_mtime(&sandbox.write(&path, bytes), 1_500_000_000, 250_000_000);
    }
    sandbox
}

/// The paths of an outcome as bytes, sorted.
fn paths(outcome: &Outcome) -> Vec<Vec<u8>> {
    let mut paths: Vec<_> = outcome.rows().iter().map(|row| unescape(&row[0])).collect();
    paths.sort();
    paths
}

fn expected(prefix: &str) -> Vec<Vec<u8>> {
    let mut paths: Vec<_> = HOSTILE.iter().map(|bytes| [prefix.as_bytes(), bytes].concat()).collect();
    paths.sort();
    paths
}

/// A volume's index of some escaped paths with their contents.
fn volume_index(files: &[(String, &[u8])]) -> String {
    let files: Vec<String> = files
        .iter()
        .map(|(path, content)| {
            let path = path.replace('\\', "\\\\").replace('"', "\\\"");
            let (hash, size) = (hash(content), content.len());
            format!("    {{\"path\": \"{path}\", \"hash\": \"{hash}\", \"size\": {size}, \"mtime\": \"1500000000.250000000\"}}")
        })
        .collect();
    format!(
        "{{\n  \"format\": \"mediastruct-volume/1\",\n  \"label\": \"0007\",\n  \"files\": [\n{}\n  ]\n}}\n",
        files.join(",\n")
    )
}

#[test]
fn hostile_names_come_back_from_the_stream_in_all_its_forms() {
    let sandbox = hostile();
    for options in [&[][..], &["--header"], &["--csv"], &["--csv", "--no-header"]] {
        let index = sandbox.run("ms-crawl", &[options, &["-q", "--sort", "d"]].concat(), b"").expect_status(0).stdout;
        let outcome = sandbox.run("ms-verify", &[] as &[&str], &index).expect_status(0);
        assert_eq!(paths(&outcome), expected("d/"), "{options:?}");
        let same = sandbox.run("ms-verify", options, &index).expect_status(0).stdout;
        assert_eq!(same, index, "{options:?}");
    }
}

#[test]
fn a_volume_is_verified_from_the_index_that_it_carries() {
    let sandbox = hostile();
    let index = sandbox.run("ms-crawl", &["-q", "--sort", "d"], b"").expect_status(0);
    let contents: Vec<Vec<u8>> = index.rows().iter().map(|row| unescape(&row[0])[2..].to_vec()).collect();
    let files: Vec<(String, &[u8])> = index
        .rows()
        .iter()
        .zip(&contents)
        // A path is never bare `-`.
        .map(|(row, content)| (if row[0] == "d/-" { "./-" } else { &row[0][2..] }.to_owned(), content.as_slice()))
        .collect();
    let json = volume_index(&files);
    sandbox.write("d/index.json", &json);

    // Beside its files, whatever the working directory; and from elsewhere, with a root.
    let beside = sandbox.run("ms-verify", &["d/index.json"], b"").expect_status(0);
    let root = sandbox.run("ms-verify", &["--root", "d"], json.as_bytes()).expect_status(0);
    assert_eq!(beside.stdout, root.stdout);
    let mut names: Vec<_> = HOSTILE.map(<[u8]>::to_vec).to_vec();
    names.sort();
    let mut found: Vec<_> =
        paths(&beside).iter().map(|path| path.strip_prefix(b"./").unwrap_or(path).to_vec()).collect();
    found.sort();
    assert_eq!(found, names);
    assert!(beside.rows().iter().all(|row| row.len() == 5 && row[3] == "1500000000.250000000" && row[4] == "-"));
    // From standard input without a root, paths hold in the working directory.
    sandbox.run("ms-verify", &["-q"], json.as_bytes()).expect_status(1).expect_stderr("plain.jpg: missing");

    sandbox.write("d/plain.jpg", "PLAIN.jpg");
    set_mtime(&sandbox.path("d/plain.jpg"), 1_500_000_000, 0);
    let failed = sandbox.run("ms-verify", &["--failed", "d/index.json"], b"").expect_status(1);
    assert_eq!(failed.rows().iter().map(|row| (&*row[0], &*row[7])).collect::<Vec<_>>(), [("plain.jpg", "rotten")]);
    failed.expect_stderr("verifying: d/plain.jpg: rotten: ");
}

#[test]
fn a_volumes_index_on_one_line_and_with_numbers_for_times_is_read() {
    let sandbox = hostile();
    let digits = hash(b"plain.jpg");
    let json = format!(
        "{{\"files\":[{{\"mtime\":1500000000.25,\"path\":\"d/plain.jpg\",\"hash\":\"{digits}\",\"size\":9}},\
         {{\"path\":\"d/\\u0020around \",\"hash\":null,\"size\":8,\"mtime\":null,\"more\":[{{}}]}}],\"format\":\"mediastruct-volume/1\"}}"
    );
    let outcome = sandbox.run("ms-verify", &[] as &[&str], json.as_bytes()).expect_status(0);
    let lines = [format!("d/plain.jpg\t{digits}\t9\t1500000000.250000000\t-"), "d/ around \t-\t8\t-\t-".to_owned()];
    assert_eq!(outcome.lines(), lines);
}

#[test]
fn an_index_that_is_no_volumes_is_refused_with_its_place() {
    let sandbox = hostile();
    let good = volume_index(&[("plain.jpg".to_owned(), b"plain.jpg")]);
    for (json, place, problem) in [
        (good.replace("volume/1", "volume/2"), "2:", "its format is \"mediastruct-volume/2\""),
        (good.replace("\"size\": 9", "\"size\": \"9\""), "5:", "invalid type: string \"9\", expected u64"),
        (good.replace("plain.jpg", "pl\\nain.jpg"), "5:", "the control byte \\x0a must be escaped"),
        (good.replace("\"hash\": \"", "\"hash\": \"X"), "5:", "is not 64 lower-case hexadecimal digits"),
        (good[..good.len() - 5].to_owned(), "6:", "EOF while parsing"),
        (good.replace("\"path\"", "path"), "5:", "key must be a string"),
        (format!("{good}{good}"), "8:", "trailing characters"),
        ("{}".to_owned(), "1:", "missing field `format`"),
    ] {
        sandbox.write("d/index.json", &json);
        let outcome = sandbox.run("ms-verify", &["--skip-bad-lines", "d/index.json"], b"").expect_status(2);
        assert!(outcome.stdout.is_empty());
        outcome.expect_stderr(&format!("ms-verify: reading: d/index.json:{place}")).expect_stderr(problem);
    }
}

#[test]
fn sums_as_b3sum_writes_them_are_verified() {
    if !needs("b3sum") {
        return;
    }
    let sandbox = hostile();
    // What is no UTF-8 b3sum cannot write down.
    std::fs::remove_file(sandbox.path("d").join(name(b"not UTF-8 \xff\xfe"))).expect("remove");
    let names = expected("");
    let names: Vec<_> = names.into_iter().filter(|path| std::str::from_utf8(path).is_ok()).collect();
    sandbox.shell("cd d && find . -type f ! -name B3SUMS -print0 | xargs -0 b3sum > B3SUMS").expect_status(0);
    let outcome = sandbox.run("ms-verify", &["d/B3SUMS"], b"").expect_status(0);
    let found: Vec<_> = paths(&outcome).iter().map(|path| path[2..].to_vec()).collect();
    assert_eq!(found, names);
    // What the sums do not tell, the files do.
    for row in outcome.rows() {
        let path = OsString::from_vec(unescape(&row[0]));
        let size = sandbox.read(std::path::Path::new("d").join(&path)).len();
        assert_eq!((&*row[2], &*row[3]), (&*size.to_string(), "1500000000.250000000"), "{path:?}");
        assert!(row[4].contains(':'), "{row:?}");
    }
}

#[test]
fn sums_tell_of_contents_only() {
    let sandbox = hostile();
    let (right, wrong) = (hash(b"plain.jpg"), hash(b"another"));
    let sums = format!(
        "{right}  plain.jpg\n{wrong}  plain.jpg\n\\{}  back\\\\slash \\\\n\r\n{right}  gone\nBLAKE3 (plain.jpg) = {right}\n",
        hash(b"back\\slash \\n")
    );
    sandbox.write("d/B3SUMS", &sums);
    let outcome = sandbox.run("ms-verify", &["--csv", "d/B3SUMS"], b"").expect_status(1);
    let rows: Vec<_> = outcome.lines().iter().map(|line| csv_fields(line)).collect();
    assert_eq!(
        rows.iter().map(|row| &*row[0]).collect::<Vec<_>>(),
        ["path", "plain.jpg", "back\\\\slash \\\\n", "plain.jpg"]
    );
    let outcome = sandbox.run("ms-verify", &["--failed", "--root", "d"], sums.as_bytes()).expect_status(1);
    let rows = outcome.rows();
    assert_eq!(rows[0][..4], ["plain.jpg", &*wrong, "9", "1500000000.250000000"]);
    assert_eq!(rows[0][5..], ["-", "-", "rotten"]);
    assert_eq!(rows[1], ["gone", &*right, "0", "-", "-", "-", "-", "missing"]);
    outcome.expect_stderr("5 records: 3 hold").expect_stderr("1 missing, 0 changed, 1 rotten");
}

#[test]
fn malformed_sums_are_named_and_nothing_is_done() {
    let sandbox = hostile();
    let right = hash(b"plain.jpg");
    let neither = "neither HASH  PATH nor BLAKE3 (PATH) = HASH".to_owned();
    for (line, problem) in [
        ("nonsense".to_owned(), neither.clone()),
        (String::new(), neither),
        (format!("{}  plain.jpg", &right[..32]), format!("\"{}\" is not 64 hexadecimal digits", &right[..32])),
        (format!("\\{right}  \\x41"), "in a path after a leading backslash, a backslash must begin".to_owned()),
    ] {
        let sums = format!("{right}  d/plain.jpg\n{line}\n{right}  d/plain.jpg\n");
        let outcome = sandbox.run("ms-verify", &[] as &[&str], sums.as_bytes()).expect_status(2);
        assert!(outcome.stdout.is_empty(), "{line}");
        outcome
            .expect_stderr(&format!("reading: standard input:2: {problem}"))
            .expect_stderr("nothing is done: 1 malformed line");
        let outcome = sandbox.run("ms-verify", &["--skip-bad-lines"], sums.as_bytes()).expect_status(1);
        assert_eq!(outcome.column(0), ["d/plain.jpg", "d/plain.jpg"], "{line}");
    }
    let cut = format!("{right}  d/plain.jpg\n{right}  d/pla");
    let outcome = sandbox.run("ms-verify", &["--skip-bad-lines"], cut.as_bytes()).expect_status(2);
    assert!(outcome.stdout.is_empty());
    outcome.expect_stderr("reading: standard input:2: the last line is cut off");
}

#[test]
fn malformed_streams_are_named_and_nothing_is_done() {
    let sandbox = hostile();
    let right = hash(b"plain.jpg");
    let stream = format!("d/plain.jpg\t{right}\t9\nd/plain.jpg\tX\t9\nd/gone\t-\t9\n");
    let outcome = sandbox.run("ms-verify", &["--failed"], stream.as_bytes()).expect_status(2);
    assert!(outcome.stdout.is_empty() && !outcome.stderr.contains("missing"), "{}", outcome.stderr);
    outcome.expect_stderr("ms-verify: reading: standard input:2: column 2 (hash): \"X\"");
    let outcome = sandbox.run("ms-verify", &["--failed", "--skip-bad-lines"], stream.as_bytes()).expect_status(1);
    assert_eq!(outcome.column(0), ["d/gone"]);
    // One bad operand among several.
    sandbox.write("good", format!("d/plain.jpg\t{right}\t9\n"));
    sandbox.write("cut", format!("d/plain.jpg\t{right}\t9"));
    for bad in ["cut", "absent", "d"] {
        let outcome = sandbox.run("ms-verify", &["good", bad], b"").expect_status(2);
        assert!(outcome.stdout.is_empty());
        outcome.expect_stderr(&format!("ms-verify: reading: {bad}:"));
    }
}

#[test]
fn operands_of_different_forms_are_verified_in_one_run() {
    let sandbox = hostile();
    let right = hash(b"plain.jpg");
    sandbox.write("d/index.json", volume_index(&[("plain.jpg".to_owned(), b"plain.jpg")]));
    sandbox.write("d/B3SUMS", format!("{right}  plain.jpg\n"));
    sandbox.write("index.tsv", format!("d/plain.jpg\t{right}\t9\n"));
    sandbox.write("index.csv", format!("size,path,hash\n9,d/plain.jpg,{right}\n"));
    sandbox.write("empty", "");
    let stdin = format!("{right}  d/plain.jpg\n");
    let operands = ["d/index.json", "index.tsv", "empty", "-", "d/B3SUMS", "index.csv"];
    let outcome = sandbox.run("ms-verify", &operands, stdin.as_bytes()).expect_status(0);
    let rows: Vec<_> = outcome.rows().iter().map(|row| (row.len(), row[0].clone())).collect();
    let both = ["plain.jpg", "d/plain.jpg", "d/plain.jpg", "plain.jpg", "d/plain.jpg"].map(str::to_owned);
    assert_eq!(rows, [5, 3, 5, 5, 5].into_iter().zip(both).collect::<Vec<_>>());
    outcome.expect_stderr("5 records: 5 hold (45 bytes read)");
}

#[test]
fn an_empty_input_holds() {
    let sandbox = Sandbox::new();
    let outcome = sandbox.run("ms-verify", &[] as &[&str], b"").expect_status(0);
    assert!(outcome.stdout.is_empty());
    outcome
        .expect_stderr("ms-verify: 0 records: 0 hold (0 bytes read), 0 missing, 0 changed, 0 rotten, 0 unreadable\n");
    assert_eq!(sandbox.run("ms-verify", &["--csv"], b"").stdout, b"path,hash,size,mtime,id\n");
}

#[test]
fn messages_show_hostile_names_on_one_line() {
    let sandbox = Sandbox::new();
    let sums = format!("\\{}  a\\n\x1b[2J\\\\b\n", hash(b""));
    let outcome = sandbox.run("ms-verify", &["-q"], sums.as_bytes()).expect_status(1);
    assert_eq!(outcome.stderr, "ms-verify: verifying: a\\n\\x1b[2J\\b: missing: No such file or directory\n");
}
