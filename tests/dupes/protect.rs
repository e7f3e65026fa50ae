//! `ms-dupes`: what is protected stays, and is the copy to keep, however its directory is spelled.

use crate::support;

use support::{Mount, Outcome, Sandbox, needs_root};

/// A live copy whose name sorts first, so that without protection the other one would go.
fn live_and_vault() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("live/a", "content");
    sandbox.write("vault/2019/a", "content");
    sandbox
}

fn absolute(sandbox: &Sandbox, name: &str) -> String {
    sandbox.path(name).into_os_string().into_string().expect("a plain name")
}

/// Crawls `operands` and plans with `args`, each run in the directory `below` the working one.
#[track_caller]
fn plan_in(sandbox: &Sandbox, below: &str, operands: &[&str], args: &[&str]) -> Outcome {
    let mut crawl = sandbox.command("ms-crawl");
    crawl.args(operands).current_dir(sandbox.path(below));
    let index = support::finish(crawl, b"").expect_status(0);
    let mut dupes = sandbox.command("ms-dupes");
    dupes.args(args).current_dir(sandbox.path(below));
    support::finish(dupes, &index.stdout).expect_status(0)
}

#[track_caller]
fn moves(sandbox: &Sandbox, operands: &[&str], args: &[&str]) -> Vec<(String, String)> {
    let rows = plan_in(sandbox, ".", operands, args).rows();
    rows.into_iter().map(|row| (row[0].clone(), row[6].clone())).collect()
}

fn pair(path: &str, keep: &str) -> Vec<(String, String)> {
    vec![(path.to_owned(), keep.to_owned())]
}

#[test]
fn without_protection_the_vault_would_lose_its_copy() {
    let sandbox = live_and_vault();
    assert_eq!(moves(&sandbox, &["live", "vault"], &[]), pair("vault/2019/a", "live/a"));
}

#[test]
fn a_protected_copy_is_the_one_to_keep_against_every_rule() {
    let sandbox = live_and_vault();
    support::set_mtime(&sandbox.path("live/a"), 5, 0);
    let expected = pair("live/a", "vault/2019/a");
    for rule in [&[][..], &["--keep", "first"], &["--keep", "oldest"], &["--keep", "shortest"], &["--prefer", "live"]] {
        let args = [&["--protect", "vault"], rule].concat();
        assert_eq!(moves(&sandbox, &["live", "vault"], &args), expected, "{rule:?}");
    }
}

#[test]
fn copies_only_in_the_protected_tree_stay() {
    let sandbox = live_and_vault();
    sandbox.write("vault/1999/b", "only archived");
    sandbox.write("vault/2019/b", "only archived");
    sandbox.write("vault/c", "only archived");
    assert_eq!(moves(&sandbox, &["vault"], &["--protect", "vault"]), []);
    assert_eq!(moves(&sandbox, &["live", "vault"], &["--protect", "vault"]), pair("live/a", "vault/2019/a"));
}

#[test]
fn the_keeper_among_protected_copies_is_chosen_by_the_rule() {
    let sandbox = live_and_vault();
    sandbox.write("vault/1999/older", "content");
    assert_eq!(moves(&sandbox, &["live", "vault"], &["--protect", "vault"]), pair("live/a", "vault/1999/older"));
    support::set_mtime(&sandbox.path("vault/2019/a"), 5, 0);
    let oldest = ["--protect", "vault", "--keep", "oldest"];
    assert_eq!(moves(&sandbox, &["live", "vault"], &oldest), pair("live/a", "vault/2019/a"));
}

#[test]
fn several_directories_are_protected_at_once() {
    let sandbox = live_and_vault();
    sandbox.write("other/z", "content");
    let args = ["--protect", "vault", "--protect", "other"];
    assert_eq!(moves(&sandbox, &["live", "other", "vault"], &args), pair("live/a", "other/z"));
}

#[test]
fn a_directory_whose_name_only_begins_so_is_not_protected() {
    let sandbox = live_and_vault();
    sandbox.write("vault2/a", "content");
    let gone: Vec<_> =
        moves(&sandbox, &["live", "vault", "vault2"], &["--protect", "vault"]).into_iter().map(|row| row.0).collect();
    assert_eq!(gone, ["live/a", "vault2/a"]);
}

#[test]
fn protection_holds_for_every_spelling_of_the_directory() {
    let sandbox = live_and_vault();
    sandbox.mkdir("vault/2019/deeper");
    let vault = absolute(&sandbox, "vault");
    for spelling in ["vault/", "./vault", "live/../vault", "../desk/vault", "vault/2019/..", "vault//.", vault.as_str()]
    {
        let plan = moves(&sandbox, &["live", "vault"], &["--protect", spelling]);
        assert_eq!(plan, pair("live/a", "vault/2019/a"), "--protect {spelling}");
    }
}

#[test]
fn protection_holds_for_every_spelling_of_the_records() {
    let sandbox = live_and_vault();
    let vault = absolute(&sandbox, "vault");
    for operand in ["./vault", "live/../vault", "../desk/vault", vault.as_str()] {
        let plan = moves(&sandbox, &["live", operand], &["--protect", "vault"]);
        assert_eq!(plan, pair("live/a", &format!("{operand}/2019/a")), "records below {operand}");
    }
}

#[test]
fn the_working_directory_can_be_the_protected_tree() {
    let sandbox = live_and_vault();
    let rows = plan_in(&sandbox, "vault", &[".", "../live"], &["--protect", "."]).rows();
    assert_eq!(rows.len(), 1);
    assert_eq!((rows[0][0].as_str(), rows[0][6].as_str()), ("../live/a", "./2019/a"));

    let (live, vault) = (absolute(&sandbox, "live"), absolute(&sandbox, "vault"));
    let rows = plan_in(&sandbox, "vault/2019", &[&live, &vault], &["--protect", ".."]).rows();
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0][0], format!("{live}/a"));
}

#[test]
fn the_protected_tree_can_be_a_neighbour() {
    let sandbox = live_and_vault();
    let rows = plan_in(&sandbox, "live", &[".", "../vault"], &["--protect", "../vault"]).rows();
    assert_eq!(rows.len(), 1);
    assert_eq!((rows[0][0].as_str(), rows[0][6].as_str()), ("./a", "../vault/2019/a"));
}

#[test]
fn a_symbolic_link_protects_what_it_points_to() {
    let sandbox = live_and_vault();
    sandbox.symlink("vault", "door");
    assert_eq!(moves(&sandbox, &["live", "vault"], &["--protect", "door"]), pair("live/a", "vault/2019/a"));
}

#[test]
fn records_that_came_through_a_symbolic_link_are_protected() {
    let sandbox = live_and_vault();
    sandbox.symlink("vault", "zdoor");
    assert_eq!(moves(&sandbox, &["live", "zdoor"], &["--protect", "vault"]), pair("live/a", "zdoor/2019/a"));
    sandbox.symlink("vault/2019", "zz-inner");
    assert_eq!(moves(&sandbox, &["live", "zz-inner"], &["--protect", "vault"]), pair("live/a", "zz-inner/a"));
}

#[test]
fn a_bind_mount_protects_what_it_shows() {
    if !needs_root() {
        return;
    }
    let sandbox = live_and_vault();
    let _mount = Mount::bind(&sandbox.path("vault"), &sandbox.path("zmount"));
    let kept_in_vault = pair("live/a", "vault/2019/a");
    assert_eq!(moves(&sandbox, &["live", "vault"], &["--protect", "zmount"]), kept_in_vault);
    assert_eq!(moves(&sandbox, &["live", "zmount"], &["--protect", "vault"]), pair("live/a", "zmount/2019/a"));
    assert_eq!(moves(&sandbox, &["live", "vault", "zmount"], &["--protect", "zmount"]).len(), 1);
}

#[test]
fn a_bind_mount_of_a_part_is_protected_with_the_whole_by_identity_of_its_files() {
    if !needs_root() {
        return;
    }
    let sandbox = live_and_vault();
    let _mount = Mount::bind(&sandbox.path("vault/2019"), &sandbox.path("a-part"));
    // Both names are in the index, and one of them lies under the protected directory.
    let plan = moves(&sandbox, &["a-part", "live", "vault"], &["--protect", "vault"]);
    assert_eq!(plan.iter().map(|row| row.0.as_str()).collect::<Vec<_>>(), ["live/a"]);
}

#[test]
fn a_marker_file_protects_its_directory_unnamed() {
    let sandbox = live_and_vault();
    sandbox.write("vault/.ms-protect", "");
    let expected = pair("live/a", "vault/2019/a");
    assert_eq!(moves(&sandbox, &["live", "vault"], &[]), expected);
    assert_eq!(moves(&sandbox, &["live", "vault/2019"], &[]), expected, "the marker lies above the operand");
    let inside = plan_in(&sandbox, "vault/2019", &["../../live", "."], &[]).rows();
    assert_eq!(inside.len(), 1);
    assert_eq!(inside[0][0], "../../live/a");
}

#[test]
fn a_marker_file_is_found_through_a_symbolic_link() {
    let sandbox = live_and_vault();
    sandbox.write("vault/.ms-protect", "");
    sandbox.symlink("vault/2019", "zdoor");
    assert_eq!(moves(&sandbox, &["live", "zdoor"], &[]), pair("live/a", "zdoor/a"));
}

#[test]
fn a_marker_file_protects_nothing_beside_its_directory() {
    let sandbox = live_and_vault();
    sandbox.write("vault/2020/.ms-protect", "");
    assert_eq!(moves(&sandbox, &["live", "vault"], &[]), pair("vault/2019/a", "live/a"));
}

#[test]
fn one_protected_name_protects_the_file() {
    let sandbox = Sandbox::new();
    sandbox.write("vault/m", "content");
    sandbox.hard_link("vault/m", "z-live-name");
    sandbox.write("a-copy", "content");
    let plan = moves(&sandbox, &["a-copy", "vault", "z-live-name"], &["--protect", "vault"]);
    assert_eq!(plan.iter().map(|row| row.0.as_str()).collect::<Vec<_>>(), ["a-copy"]);
}

#[test]
fn unique_leaves_out_what_has_a_protected_copy() {
    let sandbox = live_and_vault();
    sandbox.write("live/new", "not archived");
    sandbox.write("live/new-copy", "not archived");
    sandbox.write("vault/old", "archived only");
    let unique = plan_in(&sandbox, ".", &["live", "vault"], &["-u", "--protect", "vault"]);
    assert_eq!(unique.column(0), ["live/new"]);
}

#[test]
fn unique_passes_unhashed_records_but_no_protected_ones() {
    let sandbox = live_and_vault();
    let mut crawl = sandbox.command("ms-crawl");
    crawl.args(["--hash", "none", "live", "vault"]);
    let index = support::finish(crawl, b"").expect_status(0);
    let unique = sandbox.run("ms-dupes", &["-u", "--protect", "vault"], &index.stdout).expect_status(0);
    assert_eq!(unique.column(0), ["live/a"]);
}

#[test]
fn groups_start_with_the_protected_copy() {
    let sandbox = live_and_vault();
    let rows = plan_in(&sandbox, ".", &["live", "vault"], &["-g", "--protect", "vault"]).rows();
    let members: Vec<_> = rows.iter().map(|row| (row[0].as_str(), row[6].as_str())).collect();
    assert_eq!(members, [("vault/2019/a", "-"), ("live/a", "vault/2019/a")]);
}

#[test]
fn a_copy_in_an_earlier_quarantine_is_never_kept_rather_than_a_live_one() {
    let sandbox = Sandbox::new();
    sandbox.write("data/duplicates/photos/a", "content");
    sandbox.write("data/photos/b", "content");
    sandbox.write("data/duplicates/only", "the last copy");
    for keep in ["first", "oldest", "newest", "shortest"] {
        let args = ["--keep", keep];
        assert_eq!(moves(&sandbox, &["data"], &args), pair("data/duplicates/photos/a", "data/photos/b"), "{keep}");
    }
    let outcome = plan_in(&sandbox, ".", &["data"], &["--unique"])
        .expect_stderr("2 records below another directory called duplicates")
        .rows();
    let paths: Vec<&str> = outcome.iter().map(|row| &row[0][..]).collect();
    assert_eq!(paths, ["data/duplicates/only", "data/photos/b"]);
    // Whoever protects it, or names it, has decided.
    let args = ["--protect", "data/duplicates"];
    assert_eq!(moves(&sandbox, &["data"], &args), pair("data/photos/b", "data/duplicates/photos/a"));
    let outcome = plan_in(&sandbox, ".", &["data"], &["--to", "data/duplicates"]);
    assert!(outcome.stdout.is_empty() && !outcome.stderr.contains("another directory"), "{}", outcome.stderr);
}

#[test]
fn a_preferred_directory_that_is_not_there_is_told() {
    let sandbox = live_and_vault();
    plan_in(&sandbox, ".", &["live", "vault"], &["--prefer", "vautl"])
        .expect_stderr("--prefer: vautl: there is no such directory here");
}

#[test]
fn a_protected_directory_that_is_nowhere_is_misspelled_and_nothing_is_planned() {
    let sandbox = live_and_vault();
    let index = sandbox.run("ms-crawl", &["live", "vault"], b"").expect_status(0).stdout;
    let outcome = sandbox.run("ms-dupes", &["--protect", "vautl"], &index).expect_status(2);
    assert!(outcome.stdout.is_empty());
    outcome.expect_stderr("--protect: vautl: there is no such directory here, and no record lies below it");
    // One that the records know may be on a disk that is not mounted.
    std::fs::remove_dir_all(sandbox.path("vault")).expect("removal");
    sandbox
        .run("ms-dupes", &["--protect", "vault"], &index)
        .expect_status(0)
        .expect_stderr("there is no such directory here");
    sandbox.run("ms-dupes", &["--protect", "vautl"], b"").expect_status(0);
}
