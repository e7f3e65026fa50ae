//! What hostile bytes have done once, and never do again.

use std::path::PathBuf;

use mediastruct::place::Locator;
use mediastruct::plan::{Plan, Reading};
use mediastruct::report::Reporter;
use mediastruct::stream::table::RowReader;
use mediastruct::stream::{Faults, Held, Table};

use super::guard::guarded;
use super::support::{Sandbox, name};
use super::targets;

/// A megabyte of empty lines, none of which is a record or a checksum.
fn nothing_but_newlines() -> Vec<u8> {
    vec![b'\n'; 1 << 20]
}

#[test]
fn a_header_of_more_than_a_kilobyte_is_a_header() {
    let long = "x".repeat(2000);
    targets::stream(format!("{long}\tsize\tpath\n\t7\ta\n").as_bytes());
    let sandbox = Sandbox::new();
    sandbox.write("a", "content");
    sandbox.write("index", format!("{long}\tsize\tpath\n\t7\ta\n"));
    let rows = sandbox.run("ms-verify", &["index"], b"").expect_status(0).rows();
    assert_eq!((rows.len(), rows[0][0].as_str()), (1, "a"));
}

#[test]
fn a_million_malformed_lines_of_checksums_take_little_memory() {
    guarded(targets::sums, &nothing_but_newlines());
}

#[test]
fn a_template_of_a_million_bytes_takes_little_memory() {
    let peak = guarded(targets::template, "%Y/".repeat(350_000).as_bytes());
    assert!(peak < 1 << 20, "{peak}");
}

/// Reading on from each of its dates once took a minute.
#[test]
fn a_name_of_a_million_bytes_is_no_date() {
    targets::name(&b"-01-02T03-04-05Z.png1546398245678.jpg".repeat(25_000));
}

#[test]
fn a_million_malformed_lines_of_a_plan_take_little_memory() {
    let check = |text: &[u8]| {
        let held = Held::made_from("plan", |out| {
            out.write_all(text).expect("written");
            Ok(())
        });
        let table = Table::of(held.expect("held")).expect("a table");
        let mut locator = Locator::new().expect("a working directory");
        let plan = Plan::check(table, &Reading::default(), &mut locator, &Reporter::new("test", true));
        assert!(plan.is_err());
    };
    let peak = guarded(check, &nothing_but_newlines());
    // Eight bytes for each line, since any could be a row.
    assert!(peak < 16 << 20, "{peak}");
}

/// Each is named once, in order, with its line and what is wrong with it.
#[test]
fn malformed_lines_are_named_in_order_and_counted() {
    let sandbox = Sandbox::new();
    let sum = "ab".repeat(32);
    let lines: String =
        (0..30).map(|line| if line % 10 == 0 { format!("{sum}  a\n") } else { "no\n".to_owned() }).collect();
    sandbox.write("sums", &lines);
    let given_up = sandbox.run("ms-verify", &["sums"], b"").expect_status(2);
    let gone_on = sandbox.run("ms-verify", &["--skip-bad-lines", "sums"], b"").expect_status(1);
    let said = |line: usize| format!("sums:{line}: neither HASH  PATH nor BLAKE3 (PATH) = HASH");
    let malformed = (0..30).filter(|line| line % 10 > 0).map(|line| line + 1);
    let named = |stderr: &str| -> Vec<String> {
        stderr.lines().filter_map(|line| line.strip_prefix("ms-verify: reading: ")).map(str::to_owned).collect()
    };
    let first: Vec<String> = malformed.clone().take(20).map(said).collect();
    assert_eq!(named(&given_up.stderr), [&first[..], &["further malformed lines: 7".to_owned()]].concat());
    assert_eq!(named(&gone_on.stderr), malformed.map(said).collect::<Vec<_>>());
}

#[test]
fn what_is_quoted_of_bad_input_is_no_book() {
    let long = "x".repeat(100_000);
    let volume = |file: &str| format!("{{\"format\":\"mediastruct-volume/1\",\"files\":[{file}]}}");
    for json in [
        volume(&format!("{{\"path\":\"a\",\"size\":\"{long}\"}}")),
        volume(&format!("{{\"path\":\"a\",\"size\":1,\"hash\":\"{long}\"}}")),
        volume(&format!("{{\"path\":\"a\",\"size\":1,\"mtime\":[{}1]}}", "1,".repeat(1 << 18))),
        volume(&format!("{{\"path\":\"{long}\\\\\",\"size\":1}}")),
        format!("{{\"format\":\"{long}\"}}"),
    ] {
        guarded(targets::volume, json.as_bytes());
    }
    for (from, to) in [("sealed", long.as_str()), ("mediastruct-archive/1", &long)] {
        let json = "{\"format\":\"mediastruct-archive/1\",\"volumes\":[{\"volume\":2,\"label\":\"\",\"state\":\"sealed\",\
                    \"files\":0,\"bytes\":0,\"image_bytes\":0}]}";
        guarded(targets::catalogue, json.replace(from, to).as_bytes());
    }
    let table = Table::of(
        Held::made_from("index", |out| {
            out.write_all(format!("a\t{long}\t1\n").as_bytes()).expect("written");
            Ok(())
        })
        .expect("held"),
    );
    let table = table.expect("a table");
    let mut faults = Faults::new(false);
    table.parts(1).remove(0).next_row().into_iter().for_each(|(at, _)| faults.push(at));
    let fault = table.row(faults.places()[0], &mut RowReader::default()).expect_err("malformed").to_string();
    assert!(fault.len() < 400, "{fault}");
}

/// It was taken for one of the stream that the files become, and the path lost it.
#[test]
fn a_byte_order_mark_in_the_first_path_of_a_volume_is_kept() {
    let json = "{\"format\":\"mediastruct-volume/1\",\"files\":[{\"path\":\"\u{feff}a\",\"size\":7}]}";
    targets::volume(json.as_bytes());
    let sandbox = Sandbox::new();
    sandbox.write("\u{feff}a", "content");
    sandbox.write("index.json", json);
    let rows = sandbox.run("ms-verify", &["index.json"], b"").expect_status(0).rows();
    assert_eq!(rows[0][0], r"\xef\xbb\xbfa");
}

#[test]
fn a_volume_of_one_endless_text_or_one_endless_depth_is_refused() {
    for bad in ["\"".to_owned() + &"\\u0041".repeat(20 << 20), "[".repeat(80 << 20)] {
        let json = format!("{{\"format\":\"mediastruct-volume/1\",\"x\":{bad}");
        assert!(guarded(targets::volume, json.as_bytes()) < 4 << 20);
    }
}

#[test]
fn a_glob_as_long_as_a_book_is_refused() {
    let mut glob = b"cache/**/x[!a".to_vec();
    glob.extend(b"-\xc3\xa918446744073709551615".repeat(10_000));
    glob.extend(b"]*\na/b");
    guarded(targets::glob, &glob);
    let sandbox = Sandbox::new();
    let outcome = sandbox.run("ms-crawl", &["--exclude".to_owned(), "?".repeat(5000)], b"");
    outcome.expect_status(2).expect_stderr("is longer than 4096 bytes");
}

#[test]
fn a_catalogue_without_end_is_refused() {
    let sandbox = Sandbox::new();
    let catalogue: PathBuf = sandbox.write(name(b"archive/index.json"), "");
    std::fs::File::options()
        .write(true)
        .open(&catalogue)
        .and_then(|file| file.set_len(1 << 40))
        .expect("a sparse file");
    sandbox.run("ms-seal", &["--list", "archive"], b"").expect_status(2).expect_stderr("it is larger than 16.8 MB");
}
