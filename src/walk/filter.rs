//! Which files are wanted, by name and by size.

use std::ffi::OsStr;
use std::ops::RangeInclusive;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use globset::{Candidate, GlobBuilder, GlobSet, GlobSetBuilder};

use crate::cli::{self, Failure};

/// Which files are wanted. The default wants all of them.
#[derive(Debug, Clone)]
pub struct Filter {
    include: Option<GlobSet>,
    exclude: Option<GlobSet>,
    no_junk: bool,
    sizes: RangeInclusive<u64>,
}

impl Default for Filter {
    fn default() -> Self {
        Self { include: None, exclude: None, no_junk: false, sizes: 0..=u64::MAX }
    }
}

impl Filter {
    /// Whether a directory with this path below its root is to be entered.
    #[must_use]
    pub fn enters(&self, below: &Path) -> bool {
        !(self.is_excluded(below) || self.no_junk && is_junk_directory(name_of(below)))
    }

    /// Whether a file with this path below its root is wanted, as far as its name tells.
    #[must_use]
    pub fn wants(&self, below: &Path) -> bool {
        let included = self.include.as_ref().is_none_or(|globs| matches(globs, below));
        included && !self.is_excluded(below) && !(self.no_junk && is_junk_file(name_of(below)))
    }

    /// Whether a file of `size` bytes is wanted.
    #[must_use]
    pub fn wants_size(&self, size: u64) -> bool {
        self.sizes.contains(&size)
    }

    fn is_excluded(&self, below: &Path) -> bool {
        self.exclude.as_ref().is_some_and(|globs| matches(globs, below))
    }
}

/// A glob stands for a path below the operand, or for a bare name at any depth.
fn matches(globs: &GlobSet, below: &Path) -> bool {
    let name = Path::new(name_of(below));
    globs.is_match_candidate(&Candidate::new(below)) || name != below && globs.is_match_candidate(&Candidate::new(name))
}

fn name_of(path: &Path) -> &OsStr {
    path.file_name().unwrap_or(path.as_os_str())
}

/// What macOS and Windows leave behind for each directory or file; Windows minds no case.
fn is_junk_file(name: &OsStr) -> bool {
    let name = name.as_bytes();
    let is = |junk: &str| name.eq_ignore_ascii_case(junk.as_bytes());
    name.starts_with(b"._")
        || name == b".DS_Store"
        || is("Thumbs.db")
        || is("desktop.ini")
        || is_junk_directory_name(name)
}

/// Thumbnails and indexes that Synology's servers keep in each directory.
fn is_junk_directory(name: &OsStr) -> bool {
    is_junk_directory_name(name.as_bytes())
}

fn is_junk_directory_name(name: &[u8]) -> bool {
    name == b"@eaDir"
}

/// A filter as it is put together from options.
#[derive(Debug, Clone, Default)]
pub struct FilterBuilder {
    include: Vec<globset::Glob>,
    exclude: Vec<globset::Glob>,
    no_junk: bool,
    min_size: Option<u64>,
    max_size: Option<u64>,
}

impl FilterBuilder {
    /// Takes `--include`, `--exclude`, `--min-size`, `--max-size`, `--no-junk`; `false` for any other option.
    ///
    /// # Errors
    /// [`Failure::Usage`] for a value that does not do.
    pub fn take(&mut self, option: &str, parser: &mut lexopt::Parser) -> Result<bool, Failure> {
        match option {
            "--include" => self.include.push(glob(option, &parser.value()?)?),
            "--exclude" => self.exclude.push(glob(option, &parser.value()?)?),
            "--min-size" => self.min_size = Some(cli::size(option, &parser.value()?)?),
            "--max-size" => self.max_size = Some(cli::size(option, &parser.value()?)?),
            "--no-junk" => self.no_junk = true,
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// What was asked for, as one would write it on a command line: `--exclude=*.tmp`.
    #[must_use]
    pub fn to_words(&self) -> Vec<String> {
        let include = self.include.iter().map(|glob| format!("--include={glob}"));
        let mut words: Vec<String> = include.collect();
        words.extend(self.exclude.iter().map(|glob| format!("--exclude={glob}")));
        words.extend(self.min_size.map(|size| format!("--min-size={size}")));
        words.extend(self.max_size.map(|size| format!("--max-size={size}")));
        words.extend(self.no_junk.then(|| "--no-junk".to_owned()));
        words
    }

    /// The filter.
    ///
    /// # Errors
    /// [`Failure::Usage`] for globs that are too large together.
    pub fn build(&self) -> Result<Filter, Failure> {
        let sizes = self.min_size.unwrap_or(0)..=self.max_size.unwrap_or(u64::MAX);
        let (include, exclude) = (set("--include", &self.include)?, set("--exclude", &self.exclude)?);
        Ok(Filter { include, exclude, no_junk: self.no_junk, sizes })
    }
}

/// As long as a path can be (`PATH_MAX`, linux/limits.h): what is made of longer ones takes much memory.
const LONGEST_GLOB: usize = 4096;

fn glob(option: &str, value: &OsStr) -> Result<globset::Glob, Failure> {
    let refuse = |problem: &str| cli::unsuitable(option, value, problem);
    let pattern = value.to_str().ok_or_else(|| refuse("is not valid UTF-8"))?;
    if pattern.len() > LONGEST_GLOB {
        return Err(refuse("is longer than 4096 bytes"));
    }
    if pattern.starts_with('/') {
        return Err(refuse("begins with /, but globs are matched below the operand: leave it out"));
    }
    let pattern = pattern.trim_end_matches('/');
    // As in the shell, only ** crosses directories.
    let glob = GlobBuilder::new(pattern).literal_separator(true).build();
    glob.map_err(|error| refuse(&format!("is not a glob: {}", error.kind())))
}

fn set(option: &str, globs: &[globset::Glob]) -> Result<Option<GlobSet>, Failure> {
    if globs.is_empty() {
        return Ok(None);
    }
    let mut builder = GlobSetBuilder::new();
    for glob in globs {
        builder.add(glob.clone());
    }
    builder.build().map(Some).map_err(|error| Failure::Usage(format!("{option}: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filter(include: &[&str], exclude: &[&str]) -> Filter {
        let globs = |list: &[&str]| list.iter().map(|text| glob("--glob", OsStr::new(text)).expect("glob")).collect();
        let builder = FilterBuilder { include: globs(include), exclude: globs(exclude), ..Default::default() };
        builder.build().expect("filter")
    }

    #[test]
    fn a_glob_stands_for_the_path_below_the_operand_or_the_bare_name() {
        let filter = filter(&[], &["*.tmp", "cache/*", "deep/**/x"]);
        for (path, wanted) in [
            ("a.tmp", false),
            ("a/b.tmp", false),
            ("cache/a", false),
            ("cache/a/b", true),
            ("a/cache/b", true),
            ("deep/1/2/x", false),
            ("x", true),
        ] {
            assert_eq!(filter.wants(Path::new(path)), wanted, "{path}");
        }
        assert!(!filter.enters(Path::new("cache/a")));
    }

    #[test]
    fn what_is_included_is_files_and_an_exclusion_weighs_more() {
        let filter = filter(&["*.jpg"], &["bad*"]);
        assert!(filter.enters(Path::new("dir")));
        assert!(filter.wants(Path::new("dir/a.jpg")));
        assert!(!filter.wants(Path::new("dir/a.png")));
        assert!(!filter.wants(Path::new("dir/bad.jpg")));
    }

    #[test]
    fn names_that_are_not_utf8_match_too() {
        let filter = filter(&[], &["*.jpg"]);
        assert!(!filter.wants(Path::new(OsStr::from_bytes(b"d/\xff\xfe.jpg"))));
        assert!(filter.wants(Path::new(OsStr::from_bytes(b"d/\xff\xfe.png"))));
    }

    #[test]
    fn junk_is_known_by_name() {
        let filter = Filter { no_junk: true, ..Filter::default() };
        for junk in [".DS_Store", "a/._b", "Thumbs.db", "a/thumbs.db", "Desktop.ini"] {
            assert!(!filter.wants(Path::new(junk)), "{junk}");
        }
        assert!(!filter.enters(Path::new("a/@eaDir")));
        assert!(filter.wants(Path::new(".ms-protect")) && filter.enters(Path::new("._")));
    }
}
