//! The names that a crawl is given: read from a list, made absolute, freed of overlap.

use std::collections::{HashMap, HashSet};
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, BufReader};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Component, Path, PathBuf};

use super::Root;
use crate::cli::Failure;
use crate::guide;
use crate::report::{self, Reporter};

/// Reads a list of names, one a line or each ended by a NUL; `-` is standard input. Empty names are named and left out.
///
/// # Errors
/// [`Failure::Stop`] where the list cannot be read.
pub fn read_list(list: &OsStr, nul: bool, reporter: &Reporter) -> Result<Vec<OsString>, Failure> {
    let stop = |error: io::Error| {
        Failure::Stop(format!("reading: {}: {}", report::shown(list.as_ref()), report::reason(&error)))
    };
    if list == "-" {
        return split_list(guide::standard_input("names of files").lock(), list, nul, reporter).map_err(stop);
    }
    let file = File::open(list).map_err(stop)?;
    split_list(BufReader::new(file), list, nul, reporter).map_err(stop)
}

fn split_list(from: impl io::BufRead, list: &OsStr, nul: bool, reporter: &Reporter) -> io::Result<Vec<OsString>> {
    let place = if list == "-" { "standard input".into() } else { list.to_string_lossy() };
    let mut names = Vec::new();
    for (number, name) in from.split(if nul { 0 } else { b'\n' }).enumerate() {
        match name? {
            name if name.is_empty() => {
                reporter.failed_text("reading", &format!("{place}:{}", number + 1), &"an empty name");
            }
            name => names.push(OsString::from_vec(name)),
        }
    }
    Ok(names)
}

/// Makes paths absolute, lexically: `.` and repeated `/` go, symbolic links and `..` stay.
///
/// # Errors
/// [`Failure::Stop`] where the working directory is gone.
pub fn make_absolute(names: &mut [OsString]) -> Result<(), Failure> {
    for name in names.iter_mut().filter(|name| !name.is_empty()) {
        *name = std::path::absolute(&*name).map_err(|error| no_directory(&error))?.into_os_string();
    }
    Ok(())
}

fn no_directory(error: &io::Error) -> Failure {
    Failure::Stop(format!("finding the working directory: {}", report::reason(error)))
}

/// The roots to walk: each spelling of a name once, as it was first given, and each file under one of them only:
/// where one name lies below another, the outer walk leaves it out.
///
/// Only spellings are compared. Two names that meet through a symbolic link or a bind mount both stand.
///
/// # Errors
/// [`Failure::Stop`] where the working directory is gone.
pub fn roots(names: Vec<OsString>) -> Result<Vec<Root>, Failure> {
    let here = if names.iter().all(|name| Path::new(name).is_absolute()) {
        PathBuf::new()
    } else {
        std::env::current_dir().map_err(|error| no_directory(&error))?
    };
    let mut places: HashMap<PathBuf, usize> = HashMap::new();
    let mut roots: Vec<Root> = Vec::new();
    for name in names {
        let place = normal(&here, &name);
        places.entry(place).or_insert_with(|| {
            roots.push(Root { path: name.into(), covered: HashSet::new() });
            roots.len() - 1
        });
    }
    for inner in places.keys() {
        if let Some((outer, below)) = outer_of(inner, &places) {
            roots[outer].covered.insert(below);
        }
    }
    Ok(roots)
}

/// Without `.`, repeated `/` and the like, so that equal spellings are equal. A path that climbs may lead anywhere.
fn normal(here: &Path, name: &OsStr) -> PathBuf {
    let mut place: PathBuf = here.join(name).components().filter(|part| *part != Component::CurDir).collect();
    // Nothing has an empty name, and it must not stand for the working directory.
    if name.is_empty() {
        place.push(OsStr::from_bytes(b"\0"));
    }
    place
}

/// By this name an operand that is a file meets the filter; there is no path below it.
#[must_use]
pub fn bare_name(operand: &Path) -> &Path {
    operand.file_name().map_or(operand, Path::new)
}

/// The nearest root around `inner`, and the path of `inner` below it.
fn outer_of(inner: &Path, places: &HashMap<PathBuf, usize>) -> Option<(usize, PathBuf)> {
    inner.ancestors().skip(1).find_map(|outer| {
        let below = inner.strip_prefix(outer).ok()?;
        let climbs = below.components().any(|part| part == Component::ParentDir);
        places.get(outer).filter(|_| !climbs).map(|root| (*root, below.to_path_buf()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn overlap(names: &[&str]) -> Vec<(String, Vec<String>)> {
        let roots = roots(names.iter().map(OsString::from).collect()).expect("roots");
        let text = |path: &PathBuf| report::shown(path);
        let mut all = Vec::new();
        for root in &roots {
            let mut covered: Vec<String> = root.covered.iter().map(text).collect();
            covered.sort();
            all.push((text(&root.path), covered));
        }
        all
    }

    fn root(path: &str, covered: &[&str]) -> (String, Vec<String>) {
        (path.to_owned(), covered.iter().map(|below| (*below).to_owned()).collect())
    }

    #[test]
    fn each_name_counts_once_as_first_spelled() {
        assert_eq!(overlap(&["a/", "a", "./a", ".//a/."]), [root("a/", &[])]);
        assert_eq!(overlap(&["a", "b", "a"]), [root("a", &[]), root("b", &[])]);
    }

    #[test]
    fn an_outer_root_leaves_out_the_nearest_inner_ones() {
        assert_eq!(overlap(&[".", "a/b", "a"]), [root(".", &["a"]), root("a/b", &[]), root("a", &["b"])]);
        assert_eq!(overlap(&["/", "/x/y"]), [root("/", &["x/y"]), root("/x/y", &[])]);
    }

    #[test]
    fn a_name_that_climbs_out_is_not_below() {
        assert_eq!(overlap(&["a", "a/../b"]), [root("a", &[]), root("a/../b", &[])]);
        assert_eq!(overlap(&["../x", "../x/y"]), [root("../x", &["y"]), root("../x/y", &[])]);
    }

    #[test]
    fn names_are_split_at_nul_or_newline() {
        let reporter = Reporter::new("test", true);
        let split = |text: &[u8], nul| split_list(text, OsStr::new("-"), nul, &reporter).expect("list");
        assert_eq!(split(b"a\nb c\n", false), ["a", "b c"]);
        assert_eq!(split(b"a\nb\0c", true), ["a\nb", "c"]);
        assert_eq!(split(b"a\n\nb", false), ["a", "b"]);
        assert_eq!(reporter.failures(), 1);
    }
}
