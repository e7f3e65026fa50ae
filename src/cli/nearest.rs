//! What was meant by an option that does not exist.

use std::ffi::OsStr;

use super::synopsis::Tool;
use super::tools;

/// Says that `tool` has no such option, and what it has instead. `rest` is what stood behind a letter in the same word.
pub(super) fn instead_of(tool: &Tool, option: &str, rest: Option<&OsStr>) -> String {
    if let Some(long) = with_one_dash(tool, option, rest) {
        return format!("-{}: there is no such option; the nearest is {long}", long.trim_start_matches('-'));
    }
    let siblings: Vec<&str> =
        tools::ALL.iter().filter(|sibling| sibling.option(option).is_some()).map(|sibling| sibling.name).collect();
    if !siblings.is_empty() && option.starts_with("--") {
        return format!("{option}: there is no such option here; it is one of {}", listed(&siblings));
    }
    match nearest(tool, option) {
        Some(nearest) => format!("{option}: there is no such option; the nearest is {nearest}"),
        None => format!("{option}: there is no such option"),
    }
}

/// `-exclude` was meant to be `--exclude`.
fn with_one_dash(tool: &Tool, option: &str, rest: Option<&OsStr>) -> Option<&'static str> {
    let rest = rest?.to_str()?;
    let rest = rest.split('=').next().unwrap_or(rest);
    let long = format!("-{option}{rest}");
    tool.option(&long).map(|found| found.long)
}

/// The option that is spelled most alike, if any is near enough to be meant.
fn nearest(tool: &Tool, option: &str) -> Option<String> {
    let Some(name) = option.strip_prefix("--") else { return other_case(tool, option) };
    let longs = || tool.options().map(|option| option.long);
    // One that was not written to its end.
    let mut longer = longs().filter(|long| name.len() > 1 && long.starts_with(option));
    if let (Some(long), None) = (longer.next(), longer.next()) {
        return Some(long.to_owned());
    }
    let near = longs().filter_map(|long| Some((distance(name, &long[2..])?, long)));
    near.min().map(|(_, long)| long.to_owned())
}

fn other_case(tool: &Tool, option: &str) -> Option<String> {
    let letter = option.chars().nth(1).filter(char::is_ascii_alphabetic)?;
    let other = if letter.is_ascii_lowercase() { letter.to_ascii_uppercase() } else { letter.to_ascii_lowercase() };
    let other = format!("-{other}");
    tool.option(&other).map(|_| other)
}

/// How many letters are wrong, missing, needless or exchanged with their neighbours, where that is no more than a third.
fn distance(written: &str, long: &str) -> Option<usize> {
    let most = (long.len() / 3).max(1);
    // What is much longer need not be compared, however long it is.
    if written.len().abs_diff(long.len()) > most {
        return None;
    }
    Some(strsim::osa_distance(written, long)).filter(|distance| *distance <= most)
}

/// `a`, `a and b`, `a, b and c`.
fn listed(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(tool: &Tool, option: &str) -> String {
        instead_of(tool, option, None)
    }

    #[test]
    fn the_nearest_option_is_told() {
        for (option, nearest) in [
            ("--exlude", "--exclude"),
            ("--excldue", "--exclude"),
            ("--one-filesystem", "--one-file-system"),
            ("--one", "--one-file-system"),
            ("--Sort", "--sort"),
            ("--no-headers", "--no-header"),
            ("--qiet", "--quiet"),
            ("--link", ""),
            ("-l", "-L"),
        ] {
            let text = told(&tools::CRAWL, option);
            let expected = format!("{option}: there is no such option; the nearest is {nearest}");
            assert!(nearest.is_empty() || text == expected, "{text}");
            assert!(!nearest.is_empty() || !text.contains("nearest"), "{text}");
        }
    }

    #[test]
    fn nothing_is_suggested_where_nothing_is_near() {
        for option in ["--bogus", "--", "--x", "-Z", "-\u{e9}", "--\u{fffd}", "--no-"] {
            let text = told(&tools::CRAWL, option);
            assert_eq!(text, format!("{option}: there is no such option"));
        }
        let long = format!("--{}", "exclude".repeat(20_000));
        assert!(!told(&tools::CRAWL, &long).contains("nearest"));
    }

    #[test]
    fn an_option_of_another_tool_is_told_with_that_tool() {
        let text = told(&tools::DUPES, "--exclude");
        assert_eq!(text, "--exclude: there is no such option here; it is one of ms-crawl and ms-ingest");
        let text = told(&tools::CRAWL, "--undo");
        assert_eq!(text, "--undo: there is no such option here; it is one of ms-mv");
    }

    #[test]
    fn a_long_option_with_one_dash_is_told_with_two() {
        let text = instead_of(&tools::CRAWL, "-e", Some(OsStr::new("xclude=*.tmp")));
        assert_eq!(text, "-exclude: there is no such option; the nearest is --exclude");
        assert_eq!(instead_of(&tools::CRAWL, "-e", Some(OsStr::new("x"))), "-e: there is no such option");
    }
}
