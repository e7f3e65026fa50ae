//! `ms-verify` on what is no stream: a volume's `index.json`, `B3SUMS`, and the output of b3sum.

use crate::support;

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use support::index::LONG_AGO;
use support::{Outcome, Sandbox, hash, needs, set_mtime};

const NONE: &[&str] = &[];

/// A volume of an archive with two photos, and a third whose name needs every kind of escape.
fn volume() -> Sandbox {
    let sandbox = Sandbox::new();
    for (name, content) in [("2012/03/a.jpg", "one"), ("2012/04/b c.jpg", "two"), ("2012/ü\t\\.jpg", "six")] {
        sandbox.old_file(format!("arch/0007/{name}"), content);
    }
    sandbox
}

const MTIME: &str = "1500000000.123456789";

fn index_json() -> String {
    let [one, two, six] = [b"one", b"two", b"six"].map(|content| hash(content));
    format!(
        r#"{{"format":"mediastruct-volume/1","volume":"0007","files":[
  {{"path":"2012/03/a.jpg","hash":"{one}","size":3,"mtime":"{MTIME}"}},
  {{"path":"2012/04/b c.jpg","hash":"{two}","size":3,"mtime":"{MTIME}"}},
  {{"path":"2012/ü\\t\\\\.jpg","hash":"{six}","size":3,"mtime":"{MTIME}"}}
]}}
"#
    )
}

fn b3sums() -> String {
    let [one, two, six] = [b"one", b"two", b"six"].map(|content| hash(content));
    format!("{one}  2012/03/a.jpg\n{two}  2012/04/b c.jpg\n\\{six}  2012/ü\t\\\\.jpg\n")
}

/// Path, hash, size and time of every record.
fn rows(outcome: &Outcome) -> Vec<[String; 4]> {
    outcome.rows().iter().map(|row| [0, 1, 2, 3].map(|column| row[column].clone())).collect()
}

fn expected(size: &str, mtime: &str) -> Vec<[String; 4]> {
    [("2012/03/a.jpg", b"one"), ("2012/04/b c.jpg", b"two"), ("2012/ü\\t\\\\.jpg", b"six")]
        .map(|(path, content)| [path.to_owned(), hash(content), size.to_owned(), mtime.to_owned()])
        .into()
}

fn verify_in(sandbox: &Sandbox, place: impl AsRef<Path>, args: &[&str], stdin: &str) -> Outcome {
    let mut command = sandbox.command("ms-verify");
    command.args(args).current_dir(sandbox.path(place.as_ref()));
    support::finish(command, stdin.as_bytes())
}

#[test]
fn a_volume_is_verified_from_the_index_it_carries_wherever_it_is() {
    for (name, content) in
        [("index.json", index_json()), ("B3SUMS", b3sums()), ("any name", b3sums()), ("x", index_json())]
    {
        let sandbox = volume();
        let at = sandbox.write(format!("arch/0007/{name}"), &content).display().to_string();
        let relative = format!("arch/0007/{name}");
        let wanted = expected("3", MTIME);
        for operand in [&*relative, &at] {
            assert_eq!(rows(&sandbox.run("ms-verify", &[operand], b"").expect_status(0)), wanted, "{operand}");
        }
        assert_eq!(rows(&verify_in(&sandbox, "arch/0007", &[name], "").expect_status(0)), wanted);
        assert_eq!(
            rows(&verify_in(&sandbox, "arch/0007", NONE, &content).expect_status(0)),
            wanted,
            "from stdin: here"
        );
        verify_in(&sandbox, ".", NONE, &content).expect_status(1).expect_stderr("missing");
        let root = ["--root", "arch/0007"];
        assert_eq!(rows(&verify_in(&sandbox, ".", &root, &content).expect_status(0)), wanted, "--root and stdin");
        // Kept on another disk than the volume.
        sandbox.write("elsewhere/copy", &content);
        let args = ["--root", "arch/0007", "elsewhere/copy"];
        assert_eq!(rows(&sandbox.run("ms-verify", &args, b"").expect_status(0)), wanted);
    }
}

#[test]
fn each_failure_of_a_volume_has_its_name() {
    let sandbox = volume();
    sandbox.write("arch/0007/index.json", index_json());
    sandbox.write("arch/0007/B3SUMS", b3sums());
    sandbox.old_file("arch/0007/2012/03/a.jpg", "oNe");
    fs::remove_file(sandbox.path("arch/0007/2012/04/b c.jpg")).expect("removal");
    set_mtime(&sandbox.path("arch/0007/2012/ü\t\\.jpg"), LONG_AGO.0 + 60, 1);
    let notes = |name: &str| {
        let outcome = sandbox.run("ms-verify", &["--failed", &format!("arch/0007/{name}")], b"").expect_status(1);
        outcome.rows().iter().map(|row| (row[0].clone(), row[7].clone())).collect::<Vec<_>>()
    };
    let failed =
        |pairs: &[(&str, &str)]| pairs.iter().map(|(p, n)| ((*p).to_owned(), (*n).to_owned())).collect::<Vec<_>>();
    assert_eq!(
        notes("index.json"),
        failed(&[("2012/03/a.jpg", "rotten"), ("2012/04/b c.jpg", "missing"), ("2012/ü\\t\\\\.jpg", "changed")])
    );
    // These sums tell of content only.
    assert_eq!(notes("B3SUMS"), failed(&[("2012/03/a.jpg", "rotten"), ("2012/04/b c.jpg", "missing")]));
}

#[test]
fn a_file_missing_from_b3sum_output_has_no_size_and_no_time() {
    let sandbox = Sandbox::new();
    let outcome =
        sandbox.run("ms-verify", &["--failed"], format!("{}  gone\n", hash(b"x")).as_bytes()).expect_status(1);
    let row = &outcome.rows()[0];
    assert_eq!((&*row[0], &row[2..]), ("gone", &["0", "-", "-", "-", "-", "missing"].map(str::to_owned)[..]));
}

#[test]
fn b3sum_output_becomes_the_records_of_the_files() {
    let sandbox = Sandbox::new();
    for name in ["d/a", "d/b  two blanks", "d/ leading", "d/line\nend", "d/back\\slash", "d/cr\rx"] {
        sandbox.old_file(name, name);
    }
    let index = sandbox.run("ms-crawl", &["--sort", "d"], b"").expect_status(0);
    let mut sums = String::new();
    for line in index.lines() {
        let row: Vec<_> = line.split('\t').collect();
        let mark = if row[0].contains('\\') { "\\" } else { "" };
        writeln!(sums, "{mark}{}  {}", row[1], row[0]).expect("a string");
    }
    let outcome = sandbox.run("ms-verify", NONE, sums.as_bytes()).expect_status(0);
    assert_eq!(String::from_utf8_lossy(&outcome.stdout), String::from_utf8_lossy(&index.stdout));

    let mut tagged = String::new();
    for row in index.rows().iter().filter(|row| !row[0].contains('\\')) {
        writeln!(tagged, "BLAKE3 ({}) = {}", row[0], row[1]).expect("a string");
    }
    let outcome = sandbox.run("ms-verify", NONE, tagged.as_bytes()).expect_status(0);
    assert_eq!(outcome.column(0), ["d/ leading", "d/a", "d/b  two blanks"]);
    assert!(outcome.rows().iter().all(|row| index.rows().contains(row)), "{:?}", outcome.rows());
}

#[test]
fn the_real_b3sum_is_understood() {
    if !needs("b3sum") {
        return;
    }
    let sandbox = Sandbox::new();
    for name in ["d/a", "d/b c", "d/line\nend", "d/back\\slash", "d/(x) = y"] {
        sandbox.old_file(name, name);
    }
    let index = sandbox.run("ms-crawl", &["--sort", "d"], b"").expect_status(0);
    let outcome = sandbox.shell("LC_ALL=C b3sum d/* | ms-verify").expect_status(0);
    assert_eq!(outcome.column(0), index.column(0));
    assert!(outcome.rows().iter().all(|row| index.rows().contains(row)));
    sandbox.old_file("d/a", "D/A");
    let outcome = sandbox.shell("b3sum d/* > ../sums; printf x > d/a; ms-verify --failed ../sums --root .");
    assert_eq!(outcome.expect_status(1).rows()[0][7], "rotten");
}

#[test]
fn each_operand_is_told_by_its_content() {
    let sandbox = volume();
    sandbox.write("arch/0007/index.json", index_json());
    sandbox.write("arch/0007/B3SUMS", b3sums());
    sandbox.old_file("d/a,b", "one");
    sandbox.shell("ms-crawl --sort d > plain; ms-crawl --sort --csv d > quoted").expect_status(0);
    let args = ["plain", "arch/0007/B3SUMS", "quoted", "arch/0007/index.json", "-"];
    let stdin = sandbox.read("plain");
    let outcome = sandbox.run("ms-verify", &args, &stdin).expect_status(0);
    let paths: Vec<_> = outcome.rows().iter().map(|row| row[0].clone()).collect();
    let volume = expected("3", MTIME).into_iter().map(|[path, ..]| path).collect::<Vec<_>>();
    let one = vec!["d/a,b".to_owned()];
    assert_eq!(paths, [one.clone(), volume.clone(), one.clone(), volume, one].concat());
}

#[test]
fn the_time_in_an_index_json_may_be_a_number_or_unknown() {
    let sandbox = Sandbox::new();
    let file = sandbox.write("v/a", "one");
    set_mtime(&file, LONG_AGO.0, 500_000_000);
    let json = |mtime: &str| {
        format!(
            r#"{{"format":"mediastruct-volume/1","files":[{{"path":"a","hash":"{}","size":3{mtime}}}]}}"#,
            hash(b"one")
        )
    };
    for (mtime, holds) in [
        ("", true),
        (r#","mtime":null"#, true),
        (r#","mtime":"1500000000.500000000""#, true),
        (r#","mtime":1500000000.500000000"#, true),
        (r#","mtime":"1400000000.500000000""#, false),
        (r#","mtime":1400000000.500000000"#, false),
    ] {
        sandbox.write("v/index.json", json(mtime));
        let outcome = sandbox.run("ms-verify", &["v/index.json"], b"");
        assert_eq!(outcome.status, i32::from(!holds), "{mtime}: {}", outcome.stderr);
        assert_eq!(outcome.rows().len(), usize::from(holds), "{mtime}");
    }
}

#[test]
fn bytes_that_are_no_utf_8_are_escaped_as_in_the_stream() {
    let sandbox = Sandbox::new();
    sandbox.old_file(sandbox.path("v").join(support::name(b"a\xff")), "one");
    let json = format!(
        r#"{{"format":"mediastruct-volume/1","files":[{{"path":"a\\xff","hash":"{}","size":3,"mtime":"{MTIME}"}}]}}"#,
        hash(b"one")
    );
    sandbox.write("v/index.json", json);
    assert_eq!(sandbox.run("ms-verify", &["v/index.json"], b"").expect_status(0).column(0), ["a\\xff"]);
}

#[test]
fn what_is_cut_off_or_malformed_is_not_acted_on() {
    let sandbox = volume();
    let json = index_json();
    let wrong_hash = json.replace(&hash(b"two"), "0123");
    let no_path = json.replace(r#""path":"2012/03/a.jpg","#, "");
    let other = json.replace("mediastruct-volume/1", "mediastruct-volume/999");
    let sums = b3sums();
    let short = sums.replace(&hash(b"two"), &hash(b"two")[1..]);
    let contents =
        [&json[..json.len() / 2], &wrong_hash, &no_path, &other, "{}\n", sums.trim_end(), &short, "a letter\n"];
    for content in contents {
        sandbox.write("arch/0007/index", content);
        let outcome = sandbox.run("ms-verify", &["arch/0007/index"], b"").expect_status(2);
        assert!(
            outcome.stdout.is_empty() && outcome.stderr.contains("arch/0007/index"),
            "{content}: {}",
            outcome.stderr
        );
    }
}
