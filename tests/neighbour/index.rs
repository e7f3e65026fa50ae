//! What somebody puts in the place of an index, or of what stands beside it, while `ms-crawl` makes a new one.

use crate::support;

use support::hold::{At, hold};
use support::index::{COMPANION, FILE, crawl, expect_index_of};
use support::{Sandbox, needs};

fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.old_file("d/a", "alpha");
    sandbox.write("precious", "precious");
    sandbox
}

#[test]
fn what_comes_in_the_place_of_the_index_at_the_last_moment_is_not_replaced() {
    if !needs("strace") {
        return;
    }
    for (is_first, is_link) in [(true, true), (true, false), (false, true), (false, false)] {
        let sandbox = sandbox();
        if !is_first {
            crawl(&sandbox, &["d"]).expect_status(0);
            sandbox.old_file("d/b", "beta");
        }
        let args = ["--index", FILE, "d"];
        let held = hold(&sandbox, At::first("renameat2"), "ms-crawl", &args, b"");
        std::fs::remove_file(sandbox.path(FILE)).unwrap_or(());
        if is_link {
            sandbox.symlink("precious", FILE);
        } else {
            sandbox.write(FILE, "precious");
        }
        held.go().expect_status(2).expect_stderr("another file has taken its place");
        assert_eq!(sandbox.read(FILE), b"precious", "first: {is_first}, link: {is_link}");
        assert_eq!(sandbox.read("precious"), b"precious");
        assert!(!sandbox.exists("index.tsv.new"));
    }
}

#[test]
fn links_that_wait_for_a_crawl_are_not_written_through() {
    for name in ["index.tsv.new", COMPANION, "index.tsv.crawl.new"] {
        let sandbox = sandbox();
        sandbox.write("precious", "");
        sandbox.symlink("precious", name);
        crawl(&sandbox, &["d"]).expect_status(2);
        assert_eq!(sandbox.read("precious"), b"", "{name}");
        assert!(sandbox.path(name).is_symlink(), "{name}");
    }
}

#[test]
fn without_an_exchange_of_names_an_index_is_replaced_as_well() {
    if !needs("strace") {
        return;
    }
    let sandbox = sandbox();
    for content in ["alpha", "beta"] {
        sandbox.edit("d/a", content);
        let args = ["-e", "trace=renameat2", "-e", "inject=renameat2:error=EINVAL"];
        support::trace::traced(&sandbox, &args, "ms-crawl", &["--index", FILE, "d"], b"").expect_status(0);
        expect_index_of(&sandbox, &["d"]);
    }
}
