//! Two hosts, each with namespaces of its own for mounts and for the network, and one plan for both: the round that
//! mediastruct(7) shows, with unshare(1) in place of ssh(1).

use crate::support;

use support::{Outcome, Sandbox, contents, needs, needs_root, snapshot};

/// Both hosts have their photos at the same path, where each sees a directory of its own.
struct Household(Sandbox);

impl Household {
    /// `None` where there are no namespaces to be had.
    fn new() -> Option<Self> {
        if !needs_root() || !needs("unshare") {
            return None;
        }
        let sandbox = Sandbox::new();
        for (path, content) in [
            ("nas/2012/a.jpg", "one"),
            ("nas/2012/b \\ \u{e9}.jpg", "two"),
            ("nas/2013/c.jpg", "three"),
            ("nas/2013/c again.jpg", "three"),
            ("laptop/camera/a.jpg", "one"),
            ("laptop/camera/new.jpg", "four"),
            ("laptop/2012/a.jpg", "one"),
            ("laptop/z/b.jpg", "two"),
        ] {
            sandbox.write(path, content);
        }
        sandbox.mkdir("photos");
        Some(Self(sandbox))
    }

    /// What `ssh HOST` would run: in its own namespaces, with a state directory of its own.
    fn on(&self, host: &str, line: &str) -> Outcome {
        assert!(!line.contains('\''));
        self.0.shell(&format!(
            "unshare --mount --net --propagation private bash -o pipefail -c '\
             mount --bind {host} photos && export XDG_STATE_HOME=$PWD/state-{host} && {line}'"
        ))
    }

    fn crawl(&self) {
        for host in ["nas", "laptop"] {
            self.on(host, &format!("ms-crawl -q --host {host} photos > {host}.tsv")).expect_status(0);
        }
    }

    /// One plan for both, whose copies rather stay on the NAS.
    fn plan(&self) -> Outcome {
        let photos = self.0.path("photos");
        let (photos, quarantine) = (photos.display(), self.0.path("photos/duplicates"));
        let quarantine = quarantine.display();
        self.0
            .shell(&format!(
                "export LC_ALL=C tab=$(printf \"\\t\")
                for host in nas laptop; do sort -t \"$tab\" -k 2,2 $host.tsv > $host.sorted; done
                sort -m -t \"$tab\" -k 2,2 nas.sorted laptop.sorted |
                    ms-dupes --sorted --prefer nas:{photos} --to {quarantine} > plan.tsv
                ms-dupes -q --prefer nas:{photos} --to {quarantine} nas.tsv laptop.tsv | cmp - <(sort plan.tsv)"
            ))
            .expect_status(0)
    }

    fn located(&self, host: &str, path: &str) -> String {
        format!("{host}:{}/{path}", self.0.path("photos").display())
    }
}

#[test]
fn a_round_over_two_hosts_moves_what_is_proved_and_comes_back() {
    let Some(house) = Household::new() else { return };
    let (nas, laptop) = (house.0.path("nas"), house.0.path("laptop"));
    let before = (snapshot(&nas), snapshot(&laptop), [contents(&nas), contents(&laptop)].concat());
    house.crawl();
    house.plan();

    // Each host carries out its own rows; of what stays elsewhere, there is no proof yet.
    let refused = house.on("laptop", "ms-mv --host laptop plan.tsv").expect_status(1);
    assert!(refused.stdout.is_empty());
    refused.expect_stderr("it is on another host: --keep-proof FILE").expect_stderr("1 row of other hosts passed over");
    assert_eq!(snapshot(&laptop), before.1);

    house.on("nas", "ms-mv --host nas plan.tsv > nas-moved.tsv").expect_status(0);
    house.on("nas", "ms-verify --host nas nas.tsv > proof.tsv").expect_status(1).expect_stderr("1 missing");
    let moved = house.on("laptop", "ms-mv --host laptop --keep-proof proof.tsv plan.tsv | tee laptop-moved.tsv");
    let moved = moved.expect_status(0);
    let quarantined = |path: &str| {
        let whole = house.0.path("photos").join(path);
        house.located("laptop", &format!("duplicates{}", whole.display()))
    };
    assert_eq!(moved.column(0), ["2012/a.jpg", "camera/a.jpg", "z/b.jpg"].map(quarantined));
    assert_eq!([contents(&nas), contents(&laptop)].concat().len(), before.2.len(), "nothing is lost");

    // What was moved is an index of its hosts, and holds there.
    house
        .on("laptop", "ms-verify --host laptop nas-moved.tsv laptop-moved.tsv")
        .expect_status(0)
        .expect_stderr("3 hold");
    house.crawl();
    let nothing = house.plan();
    assert_eq!(house.0.read("plan.tsv"), b"", "{}", nothing.stderr);

    // Both ways back.
    house.on("laptop", "ms-mv --host laptop nas-moved.tsv laptop-moved.tsv > /dev/null").expect_status(0);
    house.on("nas", "ms-mv --host nas --undo").expect_status(0);
    for dir in ["nas/duplicates", "laptop/duplicates"] {
        if house.0.exists(dir) {
            std::fs::remove_dir_all(house.0.path(dir)).expect("empty directories");
        }
    }
    assert_eq!((snapshot(&nas), snapshot(&laptop)), (before.0, before.1));
}

#[test]
fn what_has_changed_on_the_other_host_is_no_proof() {
    let Some(house) = Household::new() else { return };
    house.crawl();
    house.plan();
    house.0.write("nas/2012/a.jpg", "ONE");
    // Just the copies that stay.
    let kept = "awk -F \"\\t\" \"NR == FNR { keep[\\$7]; next } \\$1 in keep\" plan.tsv nas.tsv";
    let proof = house.on("nas", &format!("{kept} | ms-verify --host nas > proof.tsv")).expect_status(1);
    proof.expect_stderr("3 records: 2 hold");
    let moved = house.on("laptop", "ms-mv --host laptop --keep-proof proof.tsv plan.tsv").expect_status(1);
    assert_eq!(moved.lines().len(), 1, "what is still proved goes");
    assert!(house.0.exists("laptop/camera/a.jpg") && house.0.exists("laptop/2012/a.jpg"));
    let keep = house.located("nas", "2012/a.jpg");
    moved.expect_stderr(&format!(
        "checking the copy that stays {keep}: it is on another host, and the proof does not have it"
    ));
    // An older proof does not help.
    house.plan();
    let old = house.on("laptop", "ms-mv --host laptop --keep-proof proof.tsv plan.tsv").expect_status(2);
    old.expect_stderr("it is older than the plan");
}

#[test]
fn an_archive_on_one_host_is_filled_and_sealed_there() {
    let Some(house) = Household::new() else { return };
    house.0.mkdir("nas/Archive");
    house.crawl();
    let archive = house.located("nas", "Archive");
    let root = house.located("nas", "");
    let line = format!(
        "ms-dupes -q --protect {archive} --prefer nas:/ -u nas.tsv laptop.tsv | \
         ms-pack --host nas --to {archive} --root {root} --flush --capacity 1M | ms-mv --host nas | \
         ms-seal --host nas photos/Archive"
    );
    let sealed = house.on("nas", &line).expect_status(0);
    assert!(house.0.exists("nas/Archive/0001/2012/b \\ \u{e9}.jpg"), "{}", sealed.stderr);
    assert!(house.0.exists("nas/Archive/0001/index.json") && house.0.exists("laptop/camera/new.jpg"));
    sealed.expect_stderr("1 row of other hosts passed over");
    let cat = house.on("nas", "ms-seal --cat --host nas photos/Archive").expect_status(0);
    assert!(cat.column(0).iter().all(|path| path.starts_with(&format!("{archive}/0001/"))), "{:?}", cat.column(0));
    let other = house.on("nas", &format!("ms-pack --to {archive} nas.tsv")).expect_status(2);
    other.expect_stderr("it names a host, and --host does not say that it is this");
    let unnamed = house.on("nas", "ms-pack --to photos/Archive --flush --capacity 1M nas.tsv").expect_status(1);
    assert!(unnamed.stdout.is_empty());
    unnamed.expect_stderr("left out: it is on a host that has a name");
    house.on("nas", "ms-seal --list --host nas photos/Archive").expect_status(2).expect_stderr("--host: ");
}
