//! The sections EXAMPLES of the tools' manuals.

use super::document::Document;
use super::example::Known;

/// The places that the manuals name: a live tree with duplicates, a drop, and an archive that has had six volumes.
const PLACES: &str = "
    ms-gen -q --files 60 --total 2M --seed 2 /data/photos
    ms-gen -q --files 20 --total 500K --seed 3 /data/drop
    mkdir -p /Archive /data/photos/2012/03
    touch /Archive/0006.UNBURNED
    { cat \"$(find /data/photos -name '*.JPG' | sort | sed -n 1p)\"; echo; } > /data/photos/2012/03/IMG_20120305.JPG
";

/// The places, and volumes in the archive, copied from the live tree.
const VOLUMES: &str = "
    ms-gen -q --files 60 --total 2M --seed 2 /data/photos
    mkdir -p /Archive /data/photos/2012/03
    touch /Archive/0006.UNBURNED
    { cat \"$(find /data/photos -name '*.JPG' | sort | sed -n 1p)\"; echo; } > /data/photos/2012/03/IMG_20120305.JPG
    ms-crawl -q /data/photos | ms-pack -q --capacity 1M --flush --to /Archive | ms-mv -q --copy | ms-seal -q /Archive
    ms-crawl -q /Archive > archive.tsv
";

const A_DISC_TAKES_LONG: &str = "what fills a disc takes long to make, so what does not fill one does not wait";

fn page(path: &'static str, at_least: usize, prepare: &'static str, known: Vec<Known>) -> Document {
    Document { path, at_least, hosts: &["here"], needs: &[], prepare, known }
}

#[test]
fn every_example_of_ms_crawl_runs() {
    let known = vec![
        Known::of("--hash dups /data").prints("ms-mv: moved ").after("test -d duplicates/data"),
        Known::of("--min-size 1M")
            .before("ms-gen -q --files 4 --kinds jpg --min-size 1100K --max-size 1200K /data/large")
            .after("test $(wc -l < index.tsv) = $(find /data -size +1000000c -name '*.[jJ][pP][gG]' | wc -l)"),
        Known::of("/data/photos |\n    ms-dupes > plan.tsv").after("test -s /var/lib/photos.tsv.crawl"),
        Known::of("--max-age 7d").before("touch /data/photos/new").after("fails grep -F /new /var/lib/photos.tsv"),
        Known::of("-mtime -7")
            .before("cp /data/drop/*/*/*/*.* /data/photos; touch -d 2001-01-01 /data/photos/new")
            .prints("/data/photos/"),
        Known::of("b3sum --check").before("cp -r /data/photos/2012 .").prints("./2012/03/IMG_20120305.JPG: OK"),
    ];
    Document { needs: &["b3sum"], ..page("man/ms-crawl.1", 6, PLACES, known) }.expect_to_run();
}

#[test]
fn every_example_of_ms_dupes_runs() {
    let known = vec![
        Known::of("ms-crawl /data | ms-dupes | ms-mv").prints("ms-mv: moved "),
        Known::of("ms-dupes --protect /Archive | ms-mv")
            .before(
                "cp -p /data/photos/2012/03/IMG_20120305.JPG /data/photos/again.JPG
                 ms-crawl /data/photos/2012 | ms-mv --copy --to /Archive/0001",
            )
            .prints("ms-mv: moved 4 files")
            .after("find /Archive -name '*.JPG' | grep .; test -z \"$(find /data/photos -name 'IMG_20120305.JPG')\""),
        Known::of("/Archive | ms-dupes --protect /Archive -u").prints("/data/photos/"),
        Known::of("ms-seal --cat /Archive; } |").prints("/data/photos/"),
        Known::of("laptop.tsv")
            .before("ms-crawl /data/photos > laptop.tsv; cp -r /data/photos nas; ms-crawl nas > nas.tsv")
            .prints("\t/data/photos/"),
        Known::of("nas.sorted laptop.sorted")
            .before(
                "for host in nas laptop; do
                     ms-crawl --host $host /data/photos | sort -t \"$(printf '\\t')\" -k 2,2 > $host.sorted
                 done",
            )
            .prints("\tnas:/data/photos/"),
        Known::of("--shard $k/4")
            .before("ms-crawl -a nas | cat laptop.tsv - > all.tsv; ms-dupes all.tsv > whole.tsv; test -s whole.tsv")
            .after("cat [1-4].tsv | sort | cmp - <(sort whole.tsv)"),
        Known::of("--keep oldest")
            .before("cat laptop.tsv nas.tsv > all.tsv")
            .after("test -s plan.tsv; test -z \"$(cut -f 1 plan.tsv | sed -n '/^.data.photos/p')\""),
        Known::of("grep -viP")
            .before(
                "echo side > nas/a.xmp; cp nas/a.xmp nas/b.xmp
                 ms-crawl nas > nas.tsv; cat laptop.tsv nas.tsv > all.tsv",
            )
            .prints("ms-mv: moved ")
            .after("test -e nas/a.xmp; test -e nas/b.xmp; test -z \"$(find nas -name '*.JPG')\""),
    ];
    page("man/ms-dupes.1", 9, PLACES, known).expect_to_run();
}

#[test]
fn every_example_of_ms_gen_runs() {
    let why = "the files of a measurement take long to make";
    let known = vec![
        Known::of("ms-gen /tmp/photos").prints("200 files"),
        Known::of("/tmp/photos | ms-dupes | ms-mv -n").prints("would move 50 files"),
        Known::of("--hostile")
            .with("--files 1000", "--files 100", why)
            .after("find /tmp/hostile | grep -c -P '[\\x01-\\x1f]'"),
        Known::of("--kinds txt tiny")
            .with("1000000", "1000", why)
            .after("test $(find tiny -type f -size -100c | wc -l) = 1000"),
        Known::of("12K small").with("150000", "500", why).after("test $(find small -type f | wc -l) = 500"),
        Known::of("--kinds mp4 large")
            .with("--min-size 768M --max-size 768M", "--min-size 768K --max-size 768K", why)
            .after(
                "test $(b3sum large/*/*/*/* | cut -c 1-64 | sort -u | wc -l) = 3
                 test $(find large -size 768000c | wc -l) = 4",
            ),
        Known::of("--kinds jpg photos")
            .with("--files 9000 --total 5600M", "--files 9 --total 5600K", why)
            .after("test $(find photos -type f -size +100000c | wc -l) = 9"),
        Known::of("--alike 3")
            .with("--files 300 --min-size 24M --max-size 26M", "--files 9 --min-size 240K --max-size 260K", why)
            .after("test $(b3sum raw/*/*/*/* | cut -c 1-64 | sort -u | wc -l) -ge 3"),
    ];
    Document { needs: &["b3sum"], ..page("man/ms-gen.1", 8, "", known) }.expect_to_run();
}

#[test]
fn every_example_of_ms_ingest_runs() {
    let known = vec![
        Known::of("ms-ingest --to /data/photos /data/drop | ms-mv --prune")
            .prints("ms-mv: moved ")
            .after("test -d /data/drop; test -z \"$(ls /data/drop)\""),
        Known::of("--quarantine")
            .before("ms-gen -q --files 20 --total 500K --seed 3 /data/drop; touch /data/drop/Thumbs.db")
            .after(
                "find /data/duplicates -type f | grep -q .
                 test \"$(find /data/drop -type f)\" = /data/drop/Thumbs.db",
            ),
        Known::of("/data/drop >plan.tsv").before(
            "rm -r /data/drop; ms-gen -q --files 20 --total 500K --seed 4 /data/drop
                 printf scanned > /data/drop/scan.jpg",
        ),
        Known::of("| less").prints("\t/data/photos/"),
        Known::of("date=mtime").prints("/data/drop/scan.jpg\n"),
        Known::of("japan")
            .before("ms-gen -q --files 5 --kinds mp4 --seed 9 /data/drop/japan")
            .prints("ms-mv: moved ")
            .after("test -z \"$(find /data/drop/japan -name '*.[mM][pP]4')\""),
        Known::of("{model}").prints("/data/photos/"),
        Known::of(">drop.tsv").after("test -s drop.tsv"),
        Known::of("<drop.tsv").after("cut -f 6 plan.tsv | grep '^/data/photos/undated/'"),
    ];
    Document { needs: &["less"], ..page("man/ms-ingest.1", 9, PLACES, known) }.expect_to_run();
}

#[test]
fn every_example_of_ms_mv_runs() {
    let prepare = "
        ms-gen -q --files 60 --total 2M --seed 2 photos
        ms-gen -q --files 6 --total 100K --seed 3 old
        mkdir -p 'photos/phone backup'
        find photos -name '*.JPG' -exec cp -p {} 'photos/phone backup' ';'
        mkdir /mnt/disk
        mount -t tmpfs tmpfs /mnt/disk
        find photos -type f | sort > before
    ";
    let known = vec![
        Known::of("ms-crawl photos").prints("ms-mv: moved ").after("test -s moved.tsv"),
        Known::of("cut -f 1 moved.tsv").prints("duplicates/photos/phone backup/"),
        Known::of("ms-mv --undo").prints("ms-mv: put back ").after("find photos -type f | sort | cmp - before"),
        Known::of("--dry-run")
            .before("ms-crawl photos | ms-dupes > plan.tsv")
            .prints("would move ")
            .after("find photos -type f | sort | cmp - before"),
        Known::of("--check content")
            .prints("ms-mv: moved ")
            .after("test -z \"$(find 'photos/phone backup' -type f)\"; test -s plan.tsv"),
        Known::of("ms-crawl old")
            .prints("ms-mv: moved 6 files")
            .after("test $(find /mnt/disk/old -type f | wc -l) = 6; test -z \"$(ls old)\""),
        Known::of("ms-mv moved.tsv")
            .before("ms-mv --undo; ms-mv --undo; ms-crawl photos | ms-dupes | ms-mv > moved.tsv")
            .prints("ms-mv: moved ")
            .after("find photos -type f | sort | cmp - before"),
    ];
    page("man/ms-mv.1", 7, prepare, known).expect_to_run();
}

#[test]
fn every_example_of_ms_pack_runs() {
    let known = vec![
        Known::of("| ms-mv | ms-seal /Archive").prints("remaining: ").after("test ! -e /Archive/0007"),
        Known::of(">unique.tsv").after("test -s unique.tsv"),
        Known::of("ms-pack --to /Archive unique.tsv").prints("not enough for a disc"),
        Known::of("--media dvd").after(
            "cut -f 1 plan.tsv | grep -x /data/photos/2012/03/IMG_20120305.JPG
             test -z \"$(cut -f 1 plan.tsv | sed -n '/.2013./p')\"",
        ),
        Known::of("--reserve 15%").prints("not enough for a disc"),
        Known::of("split(").before("ms-pack -q --to /Archive --flush unique.tsv >plan.tsv").prints("7 "),
    ];
    page("man/ms-pack.1", 6, PLACES, known).expect_to_run();
}

#[test]
fn every_example_of_ms_seal_runs() {
    page("man/ms-seal.1", 11, PLACES, seal()).expect_to_run();
}

fn seal() -> Vec<Known> {
    vec![
        Known::of("ms-pack --to /Archive")
            .with("ms-pack --to /Archive", "ms-pack --flush --to /Archive", A_DISC_TAKES_LONG)
            .after("test -s /Archive/0007/index.json; test -z \"$(find /data/photos -name '*IMG_20120305*')\""),
        Known::of("ms-seal --all --media dvd")
            .before("mkdir -p /Archive/0008/2013; echo by hand > /Archive/0008/2013/a.txt")
            .after("test -s /Archive/0008/B3SUMS"),
        Known::of("--burned 7 --copy home").after("test ! -e /Archive/0007.UNBURNED"),
        Known::of("at my sister").after("grep -F '\"at my sister\"' /Archive/index.json"),
        Known::of("{ ms-crawl /data/photos; ms-seal --cat /Archive; }")
            .before("mv /Archive/0007 /media/; cp -rp /media/0007/2012 /data/photos/again")
            .after("cut -f 7 plan.tsv | grep ^/Archive/0007/2012/"),
        Known::of("--offline-keep").prints("ms-mv: moved ").after("test -z \"$(find /data/photos/again -type f)\""),
        Known::of("tar -czf").before("mkdir /backup").after("tar -tzf /backup/catalog.tgz | grep -x catalog/0007.tsv"),
        Known::of("cp -a /media/MS_0004/.").before(
            "ms-gen -q --files 9 --total 100K --seed 8 lost; mkdir /Lost; touch /Lost/0003.UNBURNED
             ms-crawl lost | ms-pack --flush --to /Lost | ms-mv | ms-seal /Lost; mv /Lost/0004 /media/MS_0004",
        ),
        Known::of("ms-seal --all /New").after("ms-seal --list /New | grep 0004"),
        Known::of("--burned 4").after("ms-seal --list /New | grep home"),
        Known::of("IMG_20120305").prints("/Archive/0007/2012/"),
    ]
}

#[test]
fn every_example_of_ms_verify_runs() {
    let known = vec![
        Known::of("ms-verify archive.tsv").prints(" hold"),
        Known::of("--failed archive.tsv")
            .before(
                "rotten=$(cut -f 1 archive.tsv | grep JPG | head -1); cp -p \"$rotten\" good
                 touch -r good time; printf X | dd of=\"$rotten\" bs=1 conv=notrunc; touch -r time \"$rotten\"",
            )
            .status(1)
            .prints("JPG\trotten\n")
            .after("cp -p good \"$(cut -f 1 archive.tsv | grep JPG | head -1)\""),
        Known::of("ms-verify /Archive/0007/").prints(" hold"),
        Known::of("--root /mnt")
            .before("cp -a /Archive/0007/. /mnt; mv /Archive/0007/2* .")
            .prints(" hold")
            .after("mv 2* /Archive/0007"),
        Known::of("/*/index.json").prints(" hold"),
        Known::of("--quick --failed")
            .before(
                "ms-crawl /Archive > yesterday.tsv; rm \"$(cut -f 1 yesterday.tsv | grep JPG | head -1)\"
                 touch \"$(cut -f 1 yesterday.tsv | grep JPG | tail -1)\"",
            )
            .status(1)
            .prints("\tmissing\n")
            .prints("\tchanged\n"),
    ];
    page("man/ms-verify.1", 6, VOLUMES, known).expect_to_run();
}
