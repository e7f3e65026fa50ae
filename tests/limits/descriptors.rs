//! Few file descriptors: enough at 64, and below that a message for whatever could not be opened, never a wrong result.

use crate::support;

use support::plan::undo_everything;
use support::{Sandbox, needs, snapshot};

/// Two hundred directories with two files each, of which one has a copy somewhere.
fn wide() -> Sandbox {
    let sandbox = Sandbox::new();
    for at in 0..200 {
        sandbox.write(format!("in/{at:03}/one"), format!("content {at}"));
        sandbox.write(format!("in/{at:03}/two"), format!("content {}", at / 2 + 1000));
    }
    sandbox
}

#[test]
fn every_tool_does_with_64_what_it_does_with_many() {
    let sandbox = wide();
    let before = snapshot(&sandbox.path("in"));
    for line in [
        "ms-crawl -j 64 in | sort",
        "ms-crawl -j 64 --hash dups in | sort",
        "ms-crawl -j 64 --index kept.tsv in | sort",
        "ms-crawl in | ms-dupes -j 64",
        "ms-crawl --sort in | ms-verify -j 64",
        "ms-crawl in | ms-pack --to archive --flush",
        "ms-ingest -j 64 --to out in",
        "ms-crawl in | ms-dupes | ms-report -j 64",
        "ms-crawl --sort in | ms-mv --dry-run --to q",
        "ms-crawl --sort in | ms-mv --to q && ms-mv --undo | cut -f 2-5",
    ] {
        let many = sandbox.shell(line).expect_status(0);
        let few = sandbox.shell(&format!("ulimit -n 64; {line}")).expect_status(0);
        assert!(!many.stdout.is_empty(), "{line}");
        assert!(few.stdout == many.stdout, "{line}:\n{}", few.stderr);
    }
    assert!(snapshot(&sandbox.path("in")) == before, "not as at the start");
}

#[test]
fn threads_that_all_list_a_directory_at_once_have_enough() {
    if !needs("strace") {
        return;
    }
    let sandbox = wide();
    // Each directory stays open for a while, so that all threads have one at the same time.
    let slowly = "strace -f -qq -o /dev/null -e trace=getdents64 -e inject=getdents64:delay_exit=5000";
    let tool = support::bin("ms-crawl");
    let outcome = sandbox.shell(&format!("ulimit -n 64; exec {slowly} {tool} -j 64 in")).expect_status(0);
    assert_eq!(outcome.lines().len(), 400);
}

#[test]
fn a_volume_is_packed_and_sealed_with_64() {
    let sandbox = wide();
    sandbox
        .shell("ulimit -n 64; ms-crawl in | ms-pack --to archive --flush | ms-mv | ms-seal archive")
        .expect_status(0);
    let sealed = sandbox.shell("ulimit -n 64; ms-verify -j 64 archive/*/index.json").expect_status(0);
    assert_eq!(sealed.lines().len(), 400);
}

/// Whoever can open too little of something must say so.
const SCARCE: &str = "Too many open files";

#[test]
fn a_crawl_with_next_to_none_has_all_files_or_says_which_are_missing() {
    let sandbox = wide();
    let mut complete = 0;
    for limit in 4..=16 {
        let outcome = sandbox.shell(&format!("ulimit -n {limit}; exec ms-crawl -j 2 in"));
        match outcome.status {
            0 => {
                assert_eq!(outcome.lines().len(), 400, "{limit}: {}", outcome.stderr);
                complete += 1;
            }
            // The dynamic linker had none for itself.
            127 => {}
            status => {
                assert!(status <= 2 && outcome.stderr.contains(SCARCE), "{limit}: {status}: {}", outcome.stderr);
                assert!(!outcome.stderr.contains("panicked"), "{limit}: {}", outcome.stderr);
            }
        }
    }
    assert!(complete > 0, "never enough");
}

#[test]
fn a_plan_with_next_to_none_is_carried_out_or_each_row_refused_by_name() {
    let mut refused = 0;
    for limit in 4..=12 {
        let sandbox = wide();
        let before = snapshot(&sandbox.work());
        let index = sandbox.run("ms-crawl", &["in"], b"").expect_status(0);
        sandbox.write("../plan.tsv", &index.stdout);
        let outcome = sandbox.shell(&format!("ulimit -n {limit}; exec ms-mv --to q ../plan.tsv"));
        assert!([0, 1, 2, 127].contains(&outcome.status), "{limit}: {}", outcome.stderr);
        assert!(!outcome.stderr.contains("panicked"), "{limit}: {}", outcome.stderr);
        let moved = outcome.rows().len();
        for row in outcome.rows() {
            assert!(sandbox.exists(&row[0]) && !sandbox.exists(&row[5]), "{limit}: {row:?}");
        }
        if outcome.status == 0 {
            assert_eq!(moved, 400, "{limit}");
        } else if outcome.status < 127 {
            assert!(outcome.stderr.contains(SCARCE), "{limit}: {}", outcome.stderr);
            refused += 1;
        }
        if outcome.status == 1 {
            // That names were not brought to the disk is told as well, and of no row.
            let is_of_row = |line: &&str| line.contains(SCARCE) && line.starts_with("ms-mv: moving: ");
            let refused = outcome.stderr.lines().filter(is_of_row).count();
            assert_eq!(moved + refused, 400, "{limit}: {}", outcome.stderr);
        }
        undo_everything(&sandbox);
        assert!(snapshot(&sandbox.work()) == before, "{limit}: not as at the start");
    }
    assert!(refused > 0, "always enough");
}

#[test]
fn more_operands_than_descriptors_are_refused_and_nothing_is_planned() {
    let sandbox = wide();
    let index = sandbox.run("ms-crawl", &["in"], b"").expect_status(0).stdout;
    (0..100).for_each(|at| drop(sandbox.write(format!("index/{at}"), &index)));
    for line in ["ms-dupes index/*", "ms-mv --to q index/*", "ms-pack --to archive index/*"] {
        let outcome = sandbox.shell(&format!("ulimit -n 64; {line}")).expect_status(2).expect_stderr(SCARCE);
        assert!(outcome.stdout.is_empty(), "{line}");
    }
    assert!(!sandbox.exists("q") && !sandbox.exists("archive"));
}
