//! man 7 mediastruct.

use super::document::Document;
use super::example::Known;

/// A live tree, a drop, an archive that has had six volumes, and the mount point for discs.
const PREPARE: &str = "
    ms-gen -q --files 60 --total 2M --seed 2 /data/photos
    ms-gen -q --files 20 --total 500K --seed 3 /data/drop
    mkdir -p /Archive/0006/2012 /data/photos/wedding /data/photos/2012/03
    echo rings > /data/photos/wedding/a.txt
    echo march > /data/photos/2012/03/a.txt
    echo rings > /data/photos/2012/03/b.txt
    echo archived > /Archive/0006/2012/a.txt
    echo archived > /data/photos/archived.txt
    ms-seal --all /Archive
";

const A_DISC_TAKES_LONG: &str = "what fills a disc takes long to make, so what does not fill one does not wait";

fn known() -> Vec<Known> {
    [the_work(), discs(), after_discs(), when_something_goes_wrong()].into_iter().flatten().collect()
}

/// From the drop to what is archived.
fn the_work() -> Vec<Known> {
    vec![
        Known::of("/data/drop | ms-mv --prune").prints("ms-mv: moved ").after("test -z \"$(ls /data/drop)\""),
        Known::of("grep date=mtime").before("echo scanned > /data/drop/scan.jpg").prints("/data/drop/scan.jpg\t/data/photos/"),
        Known::of("ms-crawl /data | ms-dupes | ms-mv").prints("ms-mv: moved ").after("find duplicates/data -type f | grep ."),
        Known::of("ms-mv plan.tsv > moved.tsv").before("ms-mv --undo; rmdir duplicates || true").after("test -s moved.tsv"),
        Known::of("-a --index /var/lib/photos.tsv /data/photos > /dev/null").after("grep ^/data/photos /var/lib/photos.tsv"),
        Known::of("ms-dupes /var/lib/photos.tsv")
            .before("ms-mv --undo; ms-crawl -a --index /var/lib/photos.tsv /data/photos")
            .after("test -s plan.tsv"),
        Known::of("| less").prints("/data/photos/wedding/a.txt\t/data/photos/2012/03/b.txt").prints("would move "),
        Known::of("-F \"/wedding/\"").prints("ms-mv: moved ").after("test -e /data/photos/wedding/a.txt"),
        Known::of("--prefer /data/laptop")
            .before("ms-mv --undo; mkdir /data/laptop; cp -p /data/photos/archived.txt /data/laptop; ms-crawl /data > index.tsv")
            .prints("/data/laptop/archived.txt\t")
            .prints("\t/data/photos/archived.txt\t"),
        Known::of("--groups").prints("/data/laptop/archived.txt\t"),
        Known::of("awk -F '\\t' '$7 ~ \"^/Archive/\"' plan.tsv")
            .prints("ms-mv: moved 1 file")
            .after("test \"$(cat /data/duplicates/data/photos/archived.txt)\" = archived"),
        Known::of(".ms-protect").after("! ms-crawl /Archive | ms-mv --to elsewhere"),
        Known::of("--unique both.tsv | grep /2012/").prints("/data/photos/2012/03/"),
    ]
}

/// A file below the archive rots: its time stays.
const ROT: &str = "
    cp -p /Archive/0006/2012/a.txt good
    printf ARCHIVED > /Archive/0006/2012/a.txt
    truncate -s 9 /Archive/0006/2012/a.txt
    touch -r good /Archive/0006/2012/a.txt
";

/// What is verified, packed, and burned.
fn discs() -> Vec<Known> {
    vec![
        Known::of("> holds.tsv").before("ms-crawl /Archive > archive.tsv; ms-crawl /data > live.tsv").prints(" hold"),
        Known::of("ms-verify --failed archive.tsv | cut -f 1,8")
            .before(ROT)
            .status(1)
            .prints("/Archive/0006/2012/a.txt\trotten\n"),
        Known::of("grep -F -f - live.tsv").status(1).prints("/data/laptop/archived.txt\t"),
        Known::of("--quick").before("cp -p good /Archive/0006/2012/a.txt").prints(" hold"),
        Known::of(
            "{ ms-crawl /data/photos /Archive; ms-seal --cat /Archive; } |\n    ms-dupes --protect /Archive --unique",
        )
        .before("rm /Archive/.ms-protect")
        .with("ms-pack --to /Archive", "ms-pack --flush --to /Archive", A_DISC_TAKES_LONG)
        .prints("ms-seal: sealed 1 volume: 0007")
        .after("test -e /Archive/0007.UNBURNED; grep -q march -r /Archive/0007/; ! grep -q march -r /data/photos"),
        Known::of("ms-seal --list /Archive").prints("MS_0007"),
        Known::of("xorriso -as mkisofs"),
        Known::of("mount -o loop,ro").prints(" hold").after("test -z \"$(ls /mnt)\""),
        Known::of("growisofs").after("cmp -n $(stat -c %s /tmp/0007.iso) /tmp/0007.iso /dev/sr0"),
        Known::of("cmp -n").prints(" hold").after("test -z \"$(ls /mnt)\""),
        Known::of("cd /mnt && b3sum").before("mount -o ro /dev/sr0 /mnt").after("umount /mnt"),
        Known::of("--copy elsewhere").after("ms-seal --list /Archive | grep -F elsewhere; ! ls /Archive/0007.UNBURNED"),
    ]
}

/// What is on a shelf, in the quarantine, and undone.
fn after_discs() -> Vec<Known> {
    vec![
        Known::of("rm -r /Archive/0007")
            .before("cp -p /Archive/0007/2012/*/*.txt /data/photos")
            .after("! ls -d /Archive/0007"),
        Known::of("ms-mv --offline-keep plan.tsv").prints("ms-mv: moved ").after("! grep -q march -r /data/photos"),
        Known::of("/mnt/index.json").prints(" hold").prints_no("rotted"),
        Known::of("> proved.tsv")
            .before("mkdir -p duplicates; echo archived > duplicates/b.txt; ms-crawl /Archive > archive.tsv")
            .after("test \"$(cut -f 1 proved.tsv)\" = duplicates/b.txt"),
        Known::of("ms-mv --undo").prints("ms-mv: put back "),
        Known::of("20261123T043636.065784165Z-26413.journal")
            .before(
                "echo late > /data/drop/late.txt; ms-crawl /data/drop | ms-mv --to elsewhere
                 cd ~/.local/state/mediastruct; mv \"$(ls | tail -1)\" 20261123T043636.065784165Z-26413.journal",
            )
            .prints("ms-mv: put back 2 files")
            .after("test -e /data/drop/late.txt"),
    ]
}

fn when_something_goes_wrong() -> Vec<Known> {
    vec![
        Known::of("ms-seal --all --media bd25 /Archive")
            .before("echo open > /data/drop/open.txt; ms-crawl /data/drop | ms-pack --to /Archive --flush | ms-mv")
            .prints("ms-seal: sealed 1 volume: 0008"),
        Known::of("cp -a /mnt/. /Archive/0007/")
            .before("mount -o ro /dev/sr0 /mnt")
            .prints(" 0 missing")
            .after("umount /mnt; test -e /Archive/0007/B3SUMS"),
        Known::of("ms-mv moved.tsv")
            .before(
                "mkdir lost; echo lost > lost/a; cp lost/a lost/b; ms-crawl lost | ms-dupes --to lost/duplicates | ms-mv > moved.tsv
                 rm -r ~/.local/state/mediastruct",
            )
            .after("cmp lost/a lost/b"),
        Known::of("ms-mv --to / --prune")
            .before("cd /; ms-crawl /data/photos | head -5 | ms-mv --to /data/duplicates > ~/moved.tsv")
            .prints("ms-mv: moved ")
            .after("while IFS=$'\\t' read -r -a row; do test -e \"${row[5]}\"; done < moved.tsv"),
        Known::of("ms-seal --all /Archive").before("rm -r /Archive/index.json /Archive/catalog").after("ms-seal --list /Archive | grep MS_0007"),
    ]
}

#[test]
fn every_example_of_the_page_on_the_workflow_runs() {
    Document {
        path: "man/mediastruct.7",
        at_least: 36,
        hosts: &["here", "nas"],
        needs: &["b3sum", "less", "xorriso"],
        prepare: PREPARE,
        known: known(),
    }
    .expect_to_run();
}
