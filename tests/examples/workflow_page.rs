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
    let chapters =
        [the_work(), discs(), after_discs(), every_night(), other_places(), many_hosts(), when_something_goes_wrong()];
    chapters.into_iter().flatten().collect()
}

/// From the drop to what is archived.
fn the_work() -> Vec<Known> {
    vec![
        Known::of("/data/drop | ms-mv --prune").prints("ms-mv: moved ").after("test -z \"$(ls /data/drop)\""),
        Known::of("grep date=mtime")
            .before("echo scanned > /data/drop/scan.jpg")
            .prints("/data/drop/scan.jpg\t/data/photos/"),
        Known::of("ms-crawl /data | ms-dupes | ms-mv")
            .prints("ms-mv: moved ")
            .after("find duplicates/data -type f | grep ."),
        Known::of("ms-mv plan.tsv > moved.tsv")
            .before("ms-mv --undo; rmdir duplicates || true")
            .after("test -s moved.tsv"),
        Known::of("-a --index /var/lib/photos.tsv /data/photos > /dev/null")
            .after("grep ^/data/photos /var/lib/photos.tsv"),
        Known::of("ms-dupes /var/lib/photos.tsv")
            .before("ms-mv --undo; ms-crawl -a --index /var/lib/photos.tsv /data/photos")
            .after("test -s plan.tsv"),
        Known::of("plan.tsv | less")
            .prints("/data/photos/wedding/a.txt\t/data/photos/2012/03/b.txt")
            .prints("would move "),
        Known::of("-F \"/wedding/\"").prints("ms-mv: moved ").after("test -e /data/photos/wedding/a.txt"),
        Known::of("--prefer /data/laptop")
            .before(
                "ms-mv --undo; mkdir /data/laptop; cp -p /data/photos/archived.txt /data/laptop
                 ms-crawl /data > index.tsv",
            )
            .prints("/data/laptop/archived.txt\t")
            .prints("\t/data/photos/archived.txt\t"),
        Known::of("--groups").prints("/data/laptop/archived.txt\t"),
        Known::of("awk -F '\\t' '$7 ~ \"^/Archive/\"' plan.tsv")
            .prints("ms-mv: moved 1 file")
            .after("test \"$(cat /data/duplicates/data/photos/archived.txt)\" = archived"),
        Known::of(".ms-protect").after("ms-crawl /Archive | fails ms-mv --to elsewhere"),
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
        Known::of("ms-verify --quick archive.tsv").before("cp -p good /Archive/0006/2012/a.txt").prints(" hold"),
        Known::of(
            "{ ms-crawl /data/photos /Archive; ms-seal --cat /Archive; } |\n    ms-dupes --protect /Archive --unique",
        )
        .before("rm /Archive/.ms-protect")
        .with("ms-pack --to /Archive", "ms-pack --flush --to /Archive", A_DISC_TAKES_LONG)
        .prints("ms-seal: sealed 1 volume: 0007")
        .after("test -e /Archive/0007.UNBURNED; grep -q march -r /Archive/0007/; fails grep -q march -r /data/photos"),
        Known::of("ms-seal --list /Archive").prints("MS_0007"),
        Known::of("xorriso -as mkisofs"),
        Known::of("mount -o loop,ro").prints(" hold").after("test -z \"$(ls /mnt)\""),
        Known::of("growisofs").after("cmp -n $(stat -c %s /tmp/0007.iso) /tmp/0007.iso /dev/sr0"),
        Known::of("cmp -n").prints(" hold").after("test -z \"$(ls /mnt)\""),
        Known::of("cd /mnt && b3sum").before("mount -o ro /dev/sr0 /mnt").after("umount /mnt"),
        Known::of("--copy elsewhere")
            .after("ms-seal --list /Archive | grep -F elsewhere; test ! -e /Archive/0007.UNBURNED"),
    ]
}

/// What is on a shelf, in the quarantine, and undone.
fn after_discs() -> Vec<Known> {
    vec![
        Known::of("rm -r /Archive/0007")
            .before("cp -p /Archive/0007/2012/*/*.txt /data/photos")
            .after("test ! -e /Archive/0007"),
        Known::of("ms-mv --offline-keep plan.tsv").prints("ms-mv: moved ").after("fails grep -q march -r /data/photos"),
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

/// What make puts there, and what a service finds in its PATH.
const INSTALLED: &str = "
    mkdir -p /usr/local/share/doc/mediastruct
    cp -r /mediastruct/share/examples /usr/local/share/doc/mediastruct/examples
    ln -s /tools/ms-* /mediastruct/tests/examples/stand-ins/mail /usr/local/bin/
    mkdir -p /etc/cron.d /etc/systemd/system /data/drop
    ms-gen -q --files 9 --total 200K --seed 6 /data/drop/card
";

fn every_night() -> Vec<Known> {
    vec![
        Known::of("mediastruct.cron").before(INSTALLED).after(
            "/mediastruct/tests/examples/run-crontab.sh /etc/cron.d/mediastruct
             test -s /var/lib/mediastruct/photos.tsv; test -z \"$(ls /data/drop)\"; test ! -e /var/mail/root",
        ),
        Known::of("systemctl start")
            .before("rm /usr/local/bin/ms-nightly; echo new > /data/drop/new.txt; echo new > /data/photos/other.txt")
            .after(
                "grep -F 'ends with exit status 0' /var/log/mediastruct.log
                 test ! -e /data/drop/new.txt; test ! -e /var/mail/root",
            ),
        Known::of("cp /var/lib/mediastruct/duplicates.tsv read.tsv").prints("ms-mv: moved ").after(
            "grep '</html>' read.html; ms-mv --undo read.tsv && false || test $? = 2; ms-nightly --help && false || test $? = 2",
        ),
        Known::of("XDG_STATE_HOME=/var/lib/mediastruct").prints("ms-mv: put back "),
    ]
}

/// A disk with a label. It is the only one in this world: another run on this machine may have one of that label, too.
const DISK: &str = "
    truncate -s 16M /var/tmp/photos1.img
    mkfs.ext4 -q -L photos1 /var/tmp/photos1.img
    losetup -f --show /var/tmp/photos1.img > /run/photos1
    find /dev -name 'loop[0-9]*' ! -path \"$(cat /run/photos1)\" -delete
    mkdir -p /media/photos1
    mount LABEL=photos1 /media/photos1
    cp -p /data/photos/*/*/*.jpg /media/photos1
    echo only here > /media/photos1/only.txt
    umount /media/photos1
";

/// A NAS, and a disk that comes and goes.
fn other_places() -> Vec<Known> {
    vec![
        Known::of("nas.tsv > plan.tsv")
            .before(
                "ssh nas ms-gen -q --files 40 --total 1M --seed 5 /data/photos
                 ssh nas 'find /data -type f | sort' > nas.before",
            )
            .after("test -s plan.tsv; test ! -e \"$(head -1 plan.tsv | cut -f 1)\""),
        Known::of("ssh nas ms-mv < plan.tsv").prints("would move ").after(
            "test $(wc -l < plan.tsv) = $(wc -l < moved.tsv)
                 ssh nas find /data/duplicates/data/photos -type f | sort | cmp - <(cut -f 6 plan.tsv | sort)",
        ),
        Known::of("ssh nas ms-mv --undo").after("ssh nas 'find /data -type f | sort' | cmp - nas.before"),
        Known::of("| ssh nas ms-mv")
            .prints("ms-mv: moved ")
            .after("ssh nas find /data/duplicates/data/photos -type f | grep -q ."),
        Known::of("mount LABEL=photos1")
            .before(DISK)
            .prints(" hold")
            .after("grep /media/photos1/only.txt /var/lib/photos1.tsv"),
        Known::of("if mountpoint").after(
            "cp /var/lib/photos1.tsv before
             ms-crawl -a --index /var/lib/photos1.tsv /media/photos1 && false || test $? = 2
             cmp before /var/lib/photos1.tsv
             { ! ms-verify /var/lib/photos1.tsv; } 2>&1 | grep -F 'is their disk mounted?'
             { cat before; ms-crawl -a /data/photos; } | ms-dupes --protect /media/photos1 > absent.tsv
             test -s absent.tsv; { ! ms-mv absent.tsv; } 2>&1 | tee /dev/stderr | grep -F 'moved 0 files'
             { cat before; ms-crawl -a /data/photos; } | ms-dupes --protect /data/photos > absent.tsv
             test -s absent.tsv; { ! ms-mv absent.tsv; } 2>&1 | tee /dev/stderr | grep -F 'moved 0 files'",
        ),
        Known::of("grep ^/media/photos1/").prints("/media/photos1/only.txt"),
        Known::of("cd /media/photos1\nms-crawl --index")
            .before("mount LABEL=photos1 /media/photos1")
            .after("umount /media/photos1"),
        Known::of("--root /mnt /mnt/.index.tsv").before("mount $(cat /run/photos1) /mnt").prints(" hold").after(
            "umount /mnt; losetup -d $(cat /run/photos1)
                 for number in {0..63}; do test -e /dev/loop$number || mknod /dev/loop$number b 7 $number; done",
        ),
    ]
}

/// A home with nothing in it but what is told of, and a file that both hosts have.
const TWO_HOSTS: &str = "
    shopt -s dotglob; mkdir /var/tmp/home; mv ~/* /var/tmp/home
    echo both > ~/both.txt
    ssh nas 'echo both > /data/both.txt; cp -p /data/both.txt /data/twice.txt; mkdir /Archive'
";

/// What a package puts there, and rows.
const QUERIES: &str = "
    mkdir -p /usr/local/share/mediastruct /srv/index
    cp -r /mediastruct/share/sql /usr/local/share/mediastruct/sql
    cp ~/nas.tsv ~/laptop.tsv /srv/index
";

fn many_hosts() -> Vec<Known> {
    vec![
        Known::of("--host laptop --index photos.tsv /home/ada")
            .before(TWO_HOSTS)
            .after("grep -F nas:/data/both.txt nas.tsv | grep -F nas/; grep -F laptop:/home/ada/both.txt laptop.tsv"),
        Known::of("ms-dupes --sorted --prefer nas:/data").after(
            "grep laptop:/home/ada/both.txt plan.tsv | grep nas:/data/both.txt; grep ^nas:/data/twice.txt plan.tsv",
        ),
        Known::of("> nas-moved.tsv").prints("ms-mv: moved 1 file").after("ssh nas test ! -e /data/twice.txt"),
        Known::of("> laptop-moved.tsv")
            .before("fails ms-mv --host laptop plan.tsv")
            .prints("ms-mv: moved 1 file")
            .after(
                "grep ^nas:/data/both.txt proof.tsv; test ! -e ~/both.txt
                 test -e /data/duplicates/home/ada/both.txt",
            ),
        Known::of("ssh nas ms-mv --host nas --undo")
            .prints("ms-mv: moved 1 file")
            .prints("ms-mv: put back 1 file")
            .after("ssh nas test ! -e /data/twice.txt"),
        Known::of("ssh nas 'ms-pack --host nas")
            .with("ms-pack --host nas", "ms-pack --flush --host nas", A_DISC_TAKES_LONG)
            .prints("ms-seal: sealed 1 volume: 0001")
            .after("ssh nas grep -rq both /Archive/0001; ssh nas test ! -e /data/both.txt"),
        Known::of("-f dupes.duckdb.sql").before(QUERIES).after("grep ^nas:/data/both.txt /srv/plan.tsv"),
        Known::of("-f dupes.spark.sql").instead(
            "for name in index protect plan; do
                 grep -qF \"spark.mediastruct.$name=\" <<< \"$EXAMPLE\"
                 grep -qF \"spark.mediastruct.$name\" /usr/local/share/mediastruct/sql/dupes.spark.sql
             done
             test -e /usr/local/share/mediastruct/sql/unique.spark.sql",
            "Spark takes long to begin, and other tests have it carry out these files",
        ),
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
                "mkdir lost; echo lost > lost/a; cp lost/a lost/b
                 ms-crawl lost | ms-dupes --to lost/duplicates | ms-mv > moved.tsv
                 rm -r ~/.local/state/mediastruct",
            )
            .after("cmp lost/a lost/b"),
        Known::of("ms-mv --to / --prune")
            .before("cd /; ms-crawl /data/photos | head -5 | ms-mv --to /data/duplicates > ~/moved.tsv")
            .prints("ms-mv: moved ")
            .after("while IFS=$'\\t' read -r -a row; do test -e \"${row[5]}\"; done < moved.tsv"),
        Known::of("ms-seal --all /Archive")
            .before("rm -r /Archive/index.json /Archive/catalog")
            .after("ms-seal --list /Archive | grep MS_0007"),
    ]
}

#[test]
fn every_example_of_the_page_on_the_workflow_runs() {
    Document {
        path: "man/mediastruct.7",
        at_least: 57,
        hosts: &["here", "nas"],
        needs: &["b3sum", "duckdb", "less", "xorriso"],
        prepare: PREPARE,
        known: known(),
    }
    .expect_to_run();
}
