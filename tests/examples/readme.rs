//! README.md.

use super::document::Document;
use super::example::Known;

const PREPARE: &str = "
    mkdir -p /Archive/0001/2012
";

/// The block of pipelines comes after the transcript, in places of its own.
const PLACES: &str = "
    ms-gen -q --files 60 --total 2M --seed 2 /data/photos
    ms-gen -q --files 20 --total 500K --seed 3 /data/drop
    cp \"$(find /data/photos -name '*.JPG' | sort | sed -n 1p)\" /Archive/0001/2012/a.jpg
";

fn known() -> Vec<Known> {
    vec![
        Known::of("/data/drop | ms-mv --prune").before(PLACES).prints("ms-mv: moved ").after(
            "find /data/photos -name '20[0-9][0-9][0-1][0-9][0-3][0-9]_*_????????????????.jpg' | grep .
                 test -z \"$(ls /data/drop)\"",
        ),
        Known::of("may leave the live tree?")
            .prints("ms-mv: moved ")
            .after("find /data/duplicates/data/photos -name '*.JPG' | grep .; test -e /Archive/0001/2012/a.jpg"),
        Known::of("(mkdir /Archive, the first time)").prints("/data/photos/"),
        Known::of("# archive it:").prints("ms-pack: ").after("test ! -e /Archive/0002"),
        Known::of("# the same every night").after("test -s /var/lib/photos.tsv; test -s plan.tsv"),
        Known::of("# is every byte in the archive still good?")
            .before("ms-crawl /Archive > archive.tsv")
            .prints(" hold"),
        Known::of("# what in the quarantine is proved")
            .before("mkdir -p duplicates; cp /Archive/0001/2012/a.jpg duplicates")
            .prints("duplicates/a.jpg\t"),
        Known::of("# a NAS and a laptop")
            .before("echo both > ~/both.txt; ssh nas 'mkdir -p /data; echo both > /data/both.txt'")
            .prints("ms-mv: moved ")
            .after("test ! -e ~/both.txt; ssh nas test -e /data/both.txt"),
        Known::of("# look before it happens").prints("would move ").after("test -s plan.tsv"),
        Known::of("sudo make install")
            .before("mkdir -p ~/target/release; ln -s /tools/ms-* ~/target/release")
            .with(
                "make demo",
                "export CARGO=true CARGO_TARGET_DIR=~/target; cd /mediastruct\nmake demo",
                "to build takes minutes, so what make runs is real but for cargo",
            )
            .prints("files are back")
            .after(
                "/usr/local/bin/ms-mv --version; test -s /usr/local/share/man/man7/mediastruct.7
                 test -x /usr/local/share/doc/mediastruct/examples/ms-nightly
                 export CARGO=true CARGO_TARGET_DIR=~/target; make -C /mediastruct uninstall
                 test -z \"$(find /usr/local -type f)\"",
            ),
    ]
}

#[test]
fn every_example_of_the_readme_runs() {
    Document {
        path: "README.md",
        at_least: 17,
        hosts: &["here", "nas"],
        needs: &["make"],
        prepare: PREPARE,
        known: known(),
    }
    .expect_to_run();
}
