//! What all tools share: help, version, wrong usage, and how each is said.

use crate::support;

use support::Sandbox;

const TOOLS: [&str; 9] =
    ["ms-crawl", "ms-dupes", "ms-gen", "ms-ingest", "ms-mv", "ms-pack", "ms-report", "ms-seal", "ms-verify"];

#[test]
fn help_goes_to_standard_output() {
    let sandbox = Sandbox::new();
    for tool in TOOLS {
        let long = sandbox.run(tool, &["--help"], b"").expect_status(0);
        let short = sandbox.run(tool, &["-h"], b"").expect_status(0);
        let text = String::from_utf8(long.stdout.clone()).expect("UTF-8");
        assert!(text.to_lowercase().contains("usage") && text.contains(tool), "{tool}: {text}");
        assert_eq!(long.stderr, "", "{tool}");
        assert_eq!(long.stdout, short.stdout, "{tool}");
    }
}

#[test]
fn help_names_the_options_that_a_tool_takes() {
    let sandbox = Sandbox::new();
    let options = [
        (
            "ms-crawl",
            "--hash --one-file-system --exclude --include --min-size --max-size --no-junk --files-from --absolute --host --sort --jobs --quiet --progress --csv --header",
        ),
        (
            "ms-dupes",
            "--empty --protect --prefer --keep --to --unique --groups --sorted --shard --skip-bad-lines --quiet --csv --header",
        ),
        (
            "ms-ingest",
            "--to --template --quarantine --tz --qt-time --sidecar --no-mtime --skip-bad-lines --exclude --files-from --jobs --quiet --csv",
        ),
        (
            "ms-mv",
            "--dry-run --to --copy --link --check --offline-keep --host --keep-proof --protect --prune --journal --undo --skip-bad-lines --quiet",
        ),
        (
            "ms-seal",
            "--all --burned --copy --media-id --list --cat --host --media --capacity --reserve --fs --skip-bad-lines --jobs --quiet --csv --header --progress",
        ),
        (
            "ms-pack",
            "--to --host --media --capacity --reserve --fs --root --atomic --open --min-fill --flush --skip-bad-lines --jobs --quiet --csv --header --progress",
        ),
        ("ms-gen", "--seed --files --total --min-size --max-size --dup-share --from --until --depth --kinds --hostile"),
        ("ms-report", "--no-thumbnails --title --media --capacity --skip-bad-lines --jobs --quiet --progress"),
        ("ms-verify", "--failed --quick --host --root --skip-bad-lines --csv --header --jobs --quiet --progress"),
    ];
    for (tool, names) in options {
        let text = sandbox.run(tool, &["--help"], b"").expect_status(0).lines().join("\n");
        let missing: Vec<_> = names.split(' ').filter(|name| !text.contains(name)).collect();
        assert_eq!(missing, [""; 0], "{tool}: {text}");
    }
}

#[test]
fn version_goes_to_standard_output() {
    let sandbox = Sandbox::new();
    for tool in TOOLS {
        for option in ["-V", "--version"] {
            let outcome = sandbox.run(tool, &[option], b"").expect_status(0);
            let text = outcome.lines().join("\n");
            assert!(text.contains(tool) && text.contains(env!("CARGO_PKG_VERSION")), "{tool} {option}: {text}");
            assert_eq!(outcome.stderr, "", "{tool} {option}");
        }
    }
}

#[test]
fn help_that_cannot_be_written_is_exit_2() {
    let sandbox = Sandbox::new();
    for tool in TOOLS {
        sandbox.shell(&format!("{tool} --help > /dev/full")).expect_status(2).expect_stderr(tool);
        sandbox.shell(&format!("{tool} --version > /dev/full")).expect_status(2).expect_stderr(tool);
    }
}

#[test]
fn an_unknown_option_is_named_and_nothing_is_done() {
    let sandbox = Sandbox::new();
    sandbox.write("a", "a");
    for tool in TOOLS {
        for option in ["--bogus", "-Z", "--bogus=1"] {
            let outcome =
                sandbox.run(tool, &[option], b"").expect_status(2).expect_stderr(option.trim_end_matches("=1"));
            assert!(outcome.stderr.starts_with(&format!("{tool}: ")), "{}", outcome.stderr);
            assert!(outcome.stdout.is_empty(), "{tool} {option}");
        }
    }
}

#[test]
fn a_wrong_value_is_named_with_its_option() {
    let sandbox = Sandbox::new();
    let cases = [
        ("ms-crawl", "--jobs", "many"),
        ("ms-crawl", "--jobs", "0"),
        ("ms-crawl", "--jobs", "-1"),
        ("ms-crawl", "--hash", "sometimes"),
        ("ms-crawl", "--min-size", "5X"),
        ("ms-crawl", "--max-size", "-5"),
        ("ms-crawl", "--min-size", "99999999999999T"),
        ("ms-crawl", "--exclude", "["),
        ("ms-crawl", "--include", "{a"),
        ("ms-crawl", "--progress", "perhaps"),
        ("ms-crawl", "--host", "a_b"),
        ("ms-dupes", "--shard", "5/4"),
        ("ms-mv", "--host", "nas:"),
        ("ms-pack", "--host", "-nas"),
        ("ms-seal", "--host", "nas/x"),
        ("ms-verify", "--host", ""),
        ("ms-dupes", "--keep", "random"),
        ("ms-gen", "--seed", "x"),
        ("ms-gen", "--files", "some"),
        ("ms-gen", "--dup-share", "101"),
        ("ms-gen", "--kinds", "gif89"),
        ("ms-gen", "--from", "2019-13-01"),
        ("ms-mv", "--check", "never"),
        ("ms-pack", "--media", "bd66"),
        ("ms-seal", "--burned", "seven"),
        ("ms-seal", "--copy", ""),
        ("ms-pack", "--capacity", "25GB"),
        ("ms-pack", "--reserve", "101%"),
        ("ms-pack", "--fs", "ntfs"),
        ("ms-pack", "--atomic", "year"),
        ("ms-pack", "--open", "0"),
        ("ms-pack", "--min-fill", "101"),
        ("ms-pack", "--root", ""),
        ("ms-report", "--jobs", "0"),
        ("ms-report", "--media", "floppy"),
        ("ms-report", "--capacity", "25GB"),
        ("ms-report", "--title", ""),
        ("ms-verify", "--jobs", "none"),
        ("ms-verify", "--root", ""),
    ];
    for (tool, option, value) in cases {
        let assigned = format!("{option}={value}");
        let operand = if tool == "ms-gen" { &["new"][..] } else { &[] };
        let args = [&[assigned.as_str()], operand].concat();
        let outcome = sandbox.run(tool, &args, b"").expect_status(2).expect_stderr(option).expect_stderr(value);
        assert!(outcome.stderr.starts_with(&format!("{tool}: ")), "{}", outcome.stderr);
        assert!(outcome.stdout.is_empty(), "{tool} {option} {value}");
        assert!(!sandbox.exists("new"), "{tool} {option} {value}");
    }
}

#[test]
fn an_option_without_its_value_is_named() {
    let sandbox = Sandbox::new();
    for (tool, option) in [
        ("ms-crawl", "--hash"),
        ("ms-crawl", "--files-from"),
        ("ms-dupes", "--protect"),
        ("ms-dupes", "--to"),
        ("ms-gen", "--seed"),
        ("ms-mv", "--journal"),
        ("ms-report", "--title"),
        ("ms-verify", "--root"),
    ] {
        let outcome = sandbox.run(tool, &[option], b"").expect_status(2).expect_stderr(option);
        assert!(outcome.stdout.is_empty(), "{tool} {option}");
    }
}

#[test]
fn a_flag_takes_no_value() {
    let sandbox = Sandbox::new();
    for (tool, flag) in [
        ("ms-crawl", "--sort=yes"),
        ("ms-dupes", "--unique=no"),
        ("ms-gen", "--hostile=1"),
        ("ms-mv", "--copy=1"),
        ("ms-report", "--no-thumbnails=1"),
        ("ms-verify", "--quick=1"),
    ] {
        let name = flag.split('=').next().expect("a name");
        sandbox.run(tool, &[flag], b"").expect_status(2).expect_stderr(name);
    }
}
