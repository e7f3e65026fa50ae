//! `ms-seal` and a file called `.ms-seal.tmp`: what an interrupted run has left is removed, what somebody else put there is not.

use crate::support;

use std::path::Path;
use support::Sandbox;
use support::archive::moved;

const NAME: &str = ".ms-seal.tmp";

/// A volume that is to be sealed, in an archive that has listings already.
fn archive() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.put_archived("0001/2012/a.jpg", "first");
    sandbox.seal_rows(&[moved(&sandbox, "0001/2012/a.jpg", (1, 1))]).expect_status(0);
    sandbox.put_archived("0002/2013/b.jpg", "second");
    sandbox
}

#[test]
fn what_begins_as_a_text_of_a_seal_was_left_by_a_run() {
    let hash = "ab".repeat(32);
    let begun = [
        String::new(),
        "MS_0".into(),
        "MS_0002\n".into(),
        "MS_0002\n=======\n\nThis is volume".into(),
        "{\"form".into(),
        "{\"format\":\"mediastruct-volume/1\",\"volume\":2".into(),
        "{\n  \"format\": \"mediastruct-archive/1\",\n".into(),
        hash[..20].into(),
        format!("{hash}  2013/b.j"),
        format!("\\{hash}  2013/b\\nc\n{hash}  2013/"),
        "0002/2013/b".into(),
        format!("0002/2013/b.jpg\t{}", &hash[..9]),
        format!("0002/2013/b.jpg\t{hash}\t6\t1330948800.123456789\t-\n0002/"),
    ];
    for text in begun {
        let sandbox = archive();
        for dir in ["", "catalog", "0002"] {
            sandbox.write(Path::new("Archive").join(dir).join(NAME), &text);
        }
        sandbox.run_seal(&["--all"]).expect_status(0);
        for dir in ["", "catalog", "0001", "0002"] {
            assert!(!sandbox.exists(Path::new("Archive").join(dir).join(NAME)), "{dir}: {text:?}");
        }
        sandbox.shell("ms-seal --cat Archive | ms-verify --failed").expect_status(0).expect_stdout("");
    }
}

const PRECIOUS: [&str; 11] = [
    "2012",
    "abc",
    "my notes",
    "MS_0002 is in the attic\n",
    "MS_0002\n-------\n",
    "{\"format\":\"geojson\"}",
    " \n",
    "abcdef: a list of colours\n",
    "2012/a.jpg is to be scanned again\n",
    "0002/2013/b.jpg\tthe one with the dog\n",
    "\0\0\0\0",
];

#[test]
fn a_file_of_somebody_else_in_the_archive_is_left_and_named() {
    for dir in ["", "catalog/"] {
        for text in PRECIOUS {
            let sandbox = archive();
            let path = format!("Archive/{dir}{NAME}");
            sandbox.write(&path, text);
            for args in [&["--all"][..], &["--burned", "1"]] {
                let outcome = sandbox.run_seal(args).expect_status(2);
                outcome.expect_stderr(&format!("{path}: ms-seal has not written this")).expect_stderr("move it away");
                assert_eq!(sandbox.read(&path), text.as_bytes());
            }
            sandbox.run_seal(&["--cat"]).expect_status(0);
            std::fs::remove_file(sandbox.path(&path)).expect("removal");
            sandbox.run_seal(&["--all"]).expect_status(0);
        }
    }
}

#[test]
fn a_file_of_somebody_else_in_a_volume_keeps_it_open_and_the_others_go_on() {
    for text in PRECIOUS {
        let sandbox = archive();
        sandbox.put_archived("0003/2014/c.jpg", "third");
        let path = format!("Archive/0002/{NAME}");
        sandbox.write(&path, text);
        let outcome = sandbox.run_seal(&["--all"]).expect_status(1);
        outcome
            .expect_stderr(&format!("{path}: ms-seal has not written this"))
            .expect_stderr("not sealed: 1 volume: 0002");
        assert_eq!(sandbox.read(&path), text.as_bytes());
        assert!(!sandbox.exists("Archive/0002/index.json") && !sandbox.exists("Archive/0002/README.txt"));
        assert!(sandbox.exists("Archive/0003.UNBURNED"));
    }
}

#[test]
fn a_file_of_somebody_else_in_a_sealed_volume_is_left_and_the_others_go_on() {
    let sandbox = archive();
    std::fs::remove_file(sandbox.path("Archive/catalog/0001.tsv")).expect("removal");
    let path = format!("Archive/0001/{NAME}");
    sandbox.write(&path, PRECIOUS[0]);
    let outcome = sandbox.run_seal(&["--all"]).expect_status(1);
    outcome.expect_stderr(&format!("{path}: ms-seal has not written this")).expect_stderr("sealed 1 volume: 0002");
    assert_eq!(sandbox.read(&path), PRECIOUS[0].as_bytes());
    assert!(!sandbox.exists("Archive/catalog/0001.tsv"));
}

#[test]
fn neither_a_link_nor_a_directory_was_left_by_a_run() {
    for is_link in [true, false] {
        let sandbox = archive();
        let path = format!("Archive/{NAME}");
        if is_link {
            sandbox.write("empty", "");
            sandbox.symlink("../empty", &path);
        } else {
            sandbox.mkdir(&path);
        }
        sandbox.run_seal(&["--all"]).expect_status(2).expect_stderr(&format!("{path}: ms-seal has not written this"));
        assert!(sandbox.path(&path).symlink_metadata().is_ok());
    }
}
