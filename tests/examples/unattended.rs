//! The files in share/examples: a night's work by cron and by systemd, also of a night in which something goes wrong.

use super::support::needs_root;
use super::world::World;

/// What happens one after another, each a script of bash that must end with 0.
struct Story {
    needs: &'static [&'static str],
    chapters: &'static [&'static str],
}

impl Story {
    #[track_caller]
    fn expect_to_come_true(&self) {
        let Some(mut world) = World::new(&["here"], self.needs) else { return };
        let chapters = [&[PREPARE], self.chapters].concat();
        let numbers: Vec<usize> = chapters.iter().map(|chapter| world.add("", chapter, "", false)).collect();
        world.run();
        for (chapter, number) in chapters.iter().zip(numbers) {
            let left = world.left(number, "command").expect("a chapter");
            assert_eq!(left.status, 0, "{chapter}\nstdout:\n{}stderr:\n{}", left.stdout, left.stderr);
        }
    }
}

/// A drop with a photo of 2012 among others, and what is installed. `nightly` is run as cron does.
const PREPARE: &str = "
    mkdir -p /etc/cron.d /etc/systemd/system /data/photos /data/drop
    cp /mediastruct/share/examples/mediastruct.cron /etc/cron.d/mediastruct
    cp /mediastruct/share/examples/*.service /mediastruct/share/examples/*.timer /etc/systemd/system
    install -m 755 /mediastruct/share/examples/ms-nightly /usr/local/bin
    ln -s /tools/ms-* /mediastruct/tests/examples/stand-ins/mail /usr/local/bin/
    echo '/mediastruct/tests/examples/run-crontab.sh /etc/cron.d/mediastruct' > /usr/local/bin/nightly
    echo 'grep -q \"$@\" /var/log/mediastruct.log || { cat /var/log/mediastruct.log; exit 1; }' > /usr/local/bin/logged
    chmod 755 /usr/local/bin/nightly /usr/local/bin/logged
    ms-gen -q --files 9 --total 200K --seed 6 /data/drop/card
    echo twelve > /data/drop/IMG_20120305_120000.txt
    touch -d 2012-03-05T12:00:00Z /data/drop/IMG_20120305_120000.txt
";

#[test]
fn a_night_by_cron_sends_a_mail_only_where_something_went_wrong() {
    Story {
        needs: &["flock", "mountpoint"],
        chapters: &[
            // Where the directory of a year should be is a file: what belongs there fails, and all else is done.
            "mkdir -p /data/photos
             echo in the way > /data/photos/2012
             fails nightly
             find /data/drop -type f | cmp - <(echo /data/drop/IMG_20120305_120000.txt)
             test $(find /data/photos -type f | wc -l) -ge 8
             logged 'ends with exit status 1'
             logged -F '/data/drop/IMG_20120305_120000.txt: '
             grep -F 'Subject: Cron <root> ms-nightly' /var/mail/root
             grep -F '/data/drop/IMG_20120305_120000.txt: ' /var/mail/root
             rm /var/mail/root",
            // The next run does what was left, and no mail tells of that.
            "rm /data/photos/2012
             nightly
             test -z \"$(ls /data/drop)\"
             find /data/photos/2012/03 -name '20120305_120000_*.txt' | grep .
             grep -c '^/data/photos/' /var/lib/mediastruct/photos.tsv
             logged 'ends with exit status 0'
             test ! -e /var/mail/root",
            // Nothing to do is no failure.
            "nightly; test ! -e /var/mail/root",
        ],
    }
    .expect_to_come_true();
}

#[test]
fn two_nights_exclude_each_other() {
    Story {
        needs: &["flock"],
        chapters: &[
            "mkdir -p /var/lib/mediastruct
             exec 8> /var/lib/mediastruct/lock; flock 8
             find /data -type f | sort > before
             nightly && exit 1 || test $? = 75
             grep -F 'ms-nightly: another run is at work: it holds /var/lib/mediastruct/lock' /var/mail/root
             find /data -type f | sort | cmp - before",
            "rm /var/mail/root; nightly; test -z \"$(ls /data/drop)\"; test ! -e /var/mail/root",
        ],
    }
    .expect_to_come_true();
}

#[test]
fn the_service_tells_of_its_failure_and_the_timer_is_enabled() {
    Story {
        needs: &["systemctl", "systemd-analyze", "flock"],
        chapters: &[
            "systemctl daemon-reload; systemctl enable --now mediastruct-nightly.timer",
            "echo in the way > /data/photos/2012
             fails systemctl start mediastruct-nightly.service
             grep -F \"Subject: ms-nightly has failed on $(uname -n)\" /var/mail/root
             grep -F '/data/drop/IMG_20120305_120000.txt: ' /var/mail/root",
            "rm /data/photos/2012 /var/mail/root
             systemctl start mediastruct-nightly.service
             test -z \"$(ls /data/drop)\"; test ! -e /var/mail/root",
            // Its run can be taken back, as the log says.
            "undo=$(grep -o 'ms-mv --undo /var/lib/mediastruct/.*' /var/log/mediastruct.log | tail -1)
             $undo
             test \"$(cat /data/drop/IMG_20120305_120000.txt)\" = twelve",
        ],
    }
    .expect_to_come_true();
}

#[test]
fn a_disk_that_is_absent_gets_nothing() {
    Story {
        needs: &["mountpoint", "flock"],
        chapters: &[
            "find /data -type f | sort > before
             MOUNTS='/proc /data' ms-nightly 2> said && exit 1 || test $? = 2
             grep 'nothing is done: no disk is mounted at /data$' said
             find /data -type f | sort | cmp - before; test ! -e /var/lib/mediastruct/photos.tsv",
            "mount --bind /data /data; MOUNTS='/proc /data' ms-nightly; test -z \"$(ls /data/drop)\"",
        ],
    }
    .expect_to_come_true();
}

#[test]
fn duplicates_are_planned_or_moved() {
    Story {
        needs: &["flock"],
        chapters: &[
            "MOVE_DUPLICATES=maybe ms-nightly 2> said && exit 1 || test $? = 2
             grep -F 'MOVE_DUPLICATES is \"maybe\", and can be yes or no' said; test -n \"$(ls /data/drop)\"",
            "ms-nightly; echo twelve > /data/photos/again.txt
             ms-nightly; cut -f 1 /var/lib/mediastruct/duplicates.tsv | grep '^/data/photos/'
             test -e /data/photos/again.txt
             logged -F 'ms-mv /var/lib/mediastruct/duplicates.tsv'",
            "MOVE_DUPLICATES=yes ms-nightly
             test $(grep -l -r twelve /data/photos | wc -l) = 1; grep -r twelve /data/duplicates",
        ],
    }
    .expect_to_come_true();
}

#[test]
fn a_night_that_was_cut_off_is_gone_on_with_first() {
    Story {
        needs: &["flock"],
        chapters: &[
            // What ms-mv is to move it cannot write down: nothing moves, the plan stays, and nothing else is crawled.
            "mkdir -p /var/lib/mediastruct; touch /var/lib/mediastruct/mediastruct
             ms-nightly 2> said && exit 1 || test $? = 2
             test -s /var/lib/mediastruct/ingest.plan; test ! -e /var/lib/mediastruct/photos.tsv
             grep -F 'ends with exit status 2' said",
            // What has come since is not in that plan, but in the next.
            "rm /var/lib/mediastruct/mediastruct; echo late > /data/drop/late.txt
             ms-nightly
             test -z \"$(ls /data/drop)\"; test ! -e /var/lib/mediastruct/ingest.plan
             logged -F 'the last run was cut off: going on with /var/lib/mediastruct/ingest.plan'
             test -s /var/lib/mediastruct/photos.tsv",
            // Killed by what cannot be caught, when a plan is made and nothing is moved yet.
            "echo kill -KILL '$PPID' > /usr/local/bin/killer; chmod 755 /usr/local/bin/killer
             rm /usr/local/bin/ms-mv; ln -s killer /usr/local/bin/ms-mv; echo later > /data/drop/later.txt
             PATH=/usr/local/bin:/usr/bin:/bin ms-nightly && exit 1 || test $? = 137
             test -s /var/lib/mediastruct/ingest.plan; test -e /data/drop/later.txt
             rm /usr/local/bin/ms-mv; ln -s /tools/ms-mv /usr/local/bin
             ms-nightly; test -z \"$(ls /data/drop)\"",
            // Where a plan cannot be written, or not even the log, that is said as well.
            "mkdir /var/lib/mediastruct/ingest.plan.new
             ms-nightly 2> said && exit 1 || test $? = 2
             grep -F /var/lib/mediastruct/ingest.plan.new said; rmdir /var/lib/mediastruct/ingest.plan.new
             LOG=/nowhere/log ms-nightly 2> said && exit 1 || test $? = 2
             grep -F /nowhere/log said",
            // A planner that could not be run leaves no plan, and what it has begun is none.
            "rm /usr/local/bin/ms-ingest
             PATH=/usr/local/bin:/usr/bin:/bin ms-nightly 2> said && exit 1 || test $? = 127
             grep ms-ingest said; test ! -e /var/lib/mediastruct/ingest.plan",
        ],
    }
    .expect_to_come_true();
}

/// What `man 7 mediastruct` warns of, so that nobody is told of a danger that is none any more.
#[test]
fn another_disk_in_the_same_place_takes_the_rows_of_the_first() {
    if !needs_root() {
        return;
    }
    Story {
        needs: &["losetup", "mkfs.ext4"],
        chapters: &["mkdir /media/photos1
             for name in one two; do
                 truncate -s 16M /var/tmp/$name; mkfs.ext4 -q /var/tmp/$name
                 device=$(losetup -f --show /var/tmp/$name); mount $device /media/photos1
                 echo $name > /media/photos1/$name.txt
                 ms-crawl -a --index /var/lib/photos1.tsv /media/photos1
                 umount /media/photos1; losetup -d $device
             done
             grep /media/photos1/two.txt /var/lib/photos1.tsv; fails grep /media/photos1/one.txt /var/lib/photos1.tsv"],
    }
    .expect_to_come_true();
}
