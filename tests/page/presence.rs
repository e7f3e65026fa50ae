//! `ms-report`: whether the files of a plan are there, and what the page says where nobody has looked.

use crate::support;
use crate::{page, read, row, text};

use support::{Sandbox, needs};

/// Ten pairs of copies, and their plan.
fn duplicates() -> Sandbox {
    let sandbox = Sandbox::new();
    for number in 0..10 {
        sandbox.write(format!("go/{number}.txt"), format!("content {number}"));
        sandbox.write(format!("keep/{number}.txt"), format!("content {number}"));
    }
    sandbox.shell("ms-crawl -q go keep | ms-dupes -q --prefer keep > plan.tsv").expect_status(0);
    sandbox
}

#[track_caller]
fn told(sandbox: &Sandbox, args: &[&str]) -> (String, String) {
    let outcome = sandbox.run("ms-report", &[&["-q", "plan.tsv"], args].concat(), b"").expect_status(0);
    (read(&text(&outcome)), outcome.stderr.clone())
}

#[track_caller]
fn expect(text: &str, needles: &[&str]) {
    for needle in needles {
        assert!(text.contains(needle), "{needle:?} is not in:\n{text}");
    }
}

#[test]
fn a_copy_that_stays_is_promised_only_where_somebody_has_looked() {
    let sandbox = duplicates();
    let (page, stderr) = told(&sandbox, &[]);
    expect(&page, &["; every one has a copy that stays."]);
    assert!(!page.contains("looked at") && stderr.is_empty(), "{page}{stderr}");
    let (page, stderr) = told(&sandbox, &["--no-thumbnails"]);
    expect(
        &page,
        &[
            "; each has a copy that stays, as the plan says.",
            "No file was looked at for this page: ms-mv --dry-run does that.",
        ],
    );
    assert!(stderr.is_empty(), "{stderr}");
}

#[test]
fn files_of_other_hosts_are_not_looked_at_and_the_page_says_so() {
    let sandbox = Sandbox::new();
    let plan = row("nas:/a", 5, "nas:/q/a", "nas:/k", "-") + &row("nas:/b", 5, "nas:/q/b", "nas:/k", "-");
    let text = read(&page(&sandbox, &[], &plan));
    expect(&text, &["; each has a copy that stays, as the plan says.", "3 files were not looked at here"]);
    assert!(!text.contains("None of these"), "{text}");
}

/// Of more copies than have a place on the page.
#[test]
fn copies_that_should_stay_are_looked_for_in_all_rows() {
    let sandbox = Sandbox::new();
    let mut plan = String::new();
    for number in 0..1500 {
        let (path, keep) = (format!("go/{number}"), format!("keep/{number}"));
        sandbox.write(&path, "12345");
        if number != 1400 {
            sandbox.write(&keep, if number == 1450 { "123456" } else { "12345" });
        }
        plan += &row(&path, 5, &format!("q/{number}"), &keep, "-").replace("1500000000.000000000", "-");
    }
    let outcome = sandbox.run("ms-report", &["-q", "-j", "3"], plan.as_bytes()).expect_status(0);
    let page = read(&text(&outcome));
    expect(
        &page,
        &[
            "but one of the copies that should stay was not found.",
            "1 file that should stay was not found.",
            "1 file that should stay has changed since the plan.",
        ],
    );
    let outcome = outcome.expect_stderr(
        "ms-report: 1 file is not there, 1 file has changed since the plan; relative paths are looked for",
    );
    for jobs in ["1", "2"] {
        let again = sandbox.run("ms-report", &["-q", "-j", jobs], plan.as_bytes()).expect_status(0);
        assert!(text(&again) == text(&outcome), "{jobs}");
    }
}

#[test]
fn a_plan_that_was_carried_out_asks_whether_it_was() {
    let sandbox = duplicates();
    sandbox.shell("ms-mv -q plan.tsv > back.tsv").expect_status(0);
    let (page, stderr) = told(&sandbox, &[]);
    expect(
        &page,
        &[
            "; every one has a copy that stays.",
            "10 files that should go are not there any more: was this plan carried out already?",
            "10 files are where they should go.",
        ],
    );
    assert!(stderr.starts_with("ms-report: 10 files are not there; relative paths are looked for"), "{stderr}");
    // Without copies that stay, what has arrived tells that this is the right place.
    sandbox.write("m/a", "12345");
    sandbox.write("plan.tsv", row("a", 5, "m/a", "-", "-").replace("1500000000.000000000", "-"));
    expect(&told(&sandbox, &[]).0, &["1 file that should go is not there any more", "1 file is where it should go."]);
}

#[test]
fn a_page_made_elsewhere_says_where_to_make_it() {
    let sandbox = duplicates();
    sandbox.mkdir("other");
    let outcome = sandbox.shell("cd other; ms-report -q ../plan.tsv").expect_status(0);
    let words = "None of these files is here: relative paths hold where ms-crawl ran, so run ms-report there";
    let page = read(&text(&outcome));
    expect(&page, &[words, "; each has a copy that stays, as the plan says."]);
    assert_eq!(outcome.stderr, format!("ms-report: {words}.\n"));
    assert!(!page.contains("was not found") && !page.contains("carried out already"), "{page}");
    let absolute = row("/not/there/a", 5, "/q/a", "/not/there/b", "-");
    let outcome = sandbox.run("ms-report", &["-q"], absolute.as_bytes()).expect_status(0);
    let outcome = outcome.expect_stderr("None of these files is here: is this the computer");
    assert!(!outcome.stderr.contains("relative"), "{}", outcome.stderr);
}

#[test]
fn what_should_go_and_has_changed_is_told() {
    let sandbox = duplicates();
    sandbox.write("go/3.txt", "something else");
    let (page, stderr) = told(&sandbox, &[]);
    expect(&page, &["; every one has a copy", "1 file that should go has changed since the plan."]);
    assert_eq!(stderr, "ms-report: 1 file has changed since the plan\n");
}

#[test]
fn the_summary_names_what_shows_the_page() {
    let sandbox = duplicates();
    let outcome = sandbox.shell("ms-report plan.tsv > 'a page.html'").expect_status(0);
    assert!(outcome.stderr.ends_with("; to look at it: xdg-open 'a page.html'\n"), "{}", outcome.stderr);
    let piped = sandbox.shell("ms-report plan.tsv | cat > page.html").expect_status(0);
    assert!(!piped.stderr.contains("xdg-open"), "{}", piped.stderr);
}

#[test]
fn an_index_has_none_of_its_files_looked_at() {
    if !needs("strace") {
        return;
    }
    let sandbox = duplicates();
    sandbox.shell("ms-crawl -q go > index.tsv").expect_status(0);
    support::trace::traced(&sandbox, &["-e", "trace=%file"], "ms-report", &["index.tsv"], b"").expect_status(0);
    let calls = std::fs::read_to_string(support::trace::log(&sandbox)).expect("a log");
    assert!(calls.contains("index.tsv") && !calls.contains("go/"), "{calls}");
}
