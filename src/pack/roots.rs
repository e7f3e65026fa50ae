//! Where the directories of the sources lie below the root.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Component, Path, PathBuf};
use std::rc::Rc;

use super::Job;
use super::tree::{DirId, Tree};
use crate::cli::Failure;
use crate::place::{self, Location, Locator};
use crate::report::shown;
use crate::volume::date::Date;

/// What becomes of the files of a directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// They go to this directory of a volume.
    Below(DirId),
    /// They are in the archive already.
    Archived,
    /// They are not below the root.
    Outside,
}

/// What becomes of the files of each directory, and the directories in the volumes.
#[derive(Debug)]
pub(super) struct Places {
    pub(super) fates: Vec<Fate>,
    pub(super) tree: Tree,
}

/// A directory of the sources.
#[derive(Debug)]
struct Source {
    /// Its spelling made absolute, where it does not climb.
    path: PathBuf,
    location: Rc<Location>,
}

/// A root that was named.
struct Root {
    path: PathBuf,
    location: Rc<Location>,
}

/// Finds out for every directory where its files go.
///
/// # Errors
/// [`Failure::Stop`] where a root is no directory.
pub(super) fn place(dirs: &[Box<[u8]>], mut locator: Locator, job: &Job<'_>) -> Result<Places, Failure> {
    let archive = locator.directory(&job.options.to);
    let roots = named_roots(&mut locator, job)?;
    let sources: Vec<Option<Source>> = dirs
        .iter()
        .map(|dir| {
            let source = Source::new(dir, &mut locator);
            (!source.location.is_within(&archive)).then_some(source)
        })
        .collect();
    let default = common_root(sources.iter().flatten());
    let firsts = first_spellings(&sources);
    let mut tree = Tree::new(job.options.disc.filesystem);
    let fates = sources.iter().map(|source| {
        let Some(source) = source else { return Fate::Archived };
        let source = firsts.get(source.location.real()).unwrap_or(&source);
        let below = match &roots[..] {
            [] => source.path.strip_prefix(&default).ok(),
            roots => roots.iter().find_map(|root| source.below(root)),
        };
        below.map_or(Fate::Outside, |below| Fate::Below(tree.add(below.as_os_str().as_bytes())))
    });
    let fates: Vec<Fate> = fates.collect();
    check_roots(&fates, job)?;
    tree.rank();
    Ok(Places { fates, tree })
}

/// A directory that is reached in several ways is one, with the smallest of its paths.
fn first_spellings(sources: &[Option<Source>]) -> HashMap<&Path, &Source> {
    let mut firsts: HashMap<&Path, &Source> = HashMap::new();
    for source in sources.iter().flatten() {
        let first = firsts.entry(source.location.real()).or_insert(source);
        if source.path < first.path {
            *first = source;
        }
    }
    firsts
}

/// A misspelled root would leave everything out, file by file.
fn check_roots(fates: &[Fate], job: &Job<'_>) -> Result<(), Failure> {
    let roots = &job.options.roots;
    let is_outside = |fate: &Fate| *fate == Fate::Outside;
    if roots.is_empty() || !fates.iter().any(is_outside) || fates.iter().any(|fate| matches!(fate, Fate::Below(_))) {
        return Ok(());
    }
    let roots: Vec<String> = roots.iter().map(|root| shown(root)).collect();
    Err(Failure::Stop(format!("--root: {}: none of the files is below it", roots.join(" or "))))
}

fn named_roots(locator: &mut Locator, job: &Job<'_>) -> Result<Vec<Root>, Failure> {
    let working_dir = locator.working_dir().to_owned();
    let root = |root: &PathBuf| {
        if root.symlink_metadata().is_ok() && !root.is_dir() {
            return Err(Failure::Stop(format!("--root: {}: this is no directory", shown(root))));
        }
        Ok(Root { path: place::absolute(root, &working_dir), location: locator.directory(root) })
    };
    job.options.roots.iter().map(root).collect()
}

impl Source {
    fn new(dir: &[u8], locator: &mut Locator) -> Self {
        let dir = Path::new(OsStr::from_bytes(if dir.is_empty() { b"." } else { dir }));
        let location = locator.directory(dir);
        let path =
            if place::climbs(dir) { location.real().to_owned() } else { place::absolute(dir, locator.working_dir()) };
        Self { path, location }
    }

    /// Its path below a root, as it is spelled or as it really is.
    fn below<'a>(&'a self, root: &Root) -> Option<&'a Path> {
        let spelled = self.path.strip_prefix(&root.path).ok();
        spelled.or_else(|| self.location.real().strip_prefix(root.location.real()).ok())
    }
}

/// The longest directory that holds all sources, cut before its first name that is a year or a date, so that these stay
/// parts of the paths below.
fn common_root<'a>(mut sources: impl Iterator<Item = &'a Source>) -> PathBuf {
    let Some(first) = sources.next() else { return PathBuf::new() };
    let mut common = first.path.as_path();
    for source in sources {
        while !source.path.starts_with(common) {
            let Some(above) = common.parent() else { break };
            common = above;
        }
    }
    let is_dated = |component: &Component<'_>| Date::of_name(component.as_os_str().as_bytes()).is_some();
    common.components().take_while(|component| !is_dated(component)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root(paths: &[&str]) -> String {
        let mut locator = Locator::new().expect("locator");
        let sources: Vec<Source> = paths.iter().map(|path| Source::new(path.as_bytes(), &mut locator)).collect();
        common_root(sources.iter()).display().to_string()
    }

    #[test]
    fn the_root_is_where_the_sources_part_or_a_date_begins() {
        assert_eq!(root(&["/no/photos/2012/03", "/no/photos/2012/04"]), "/no/photos");
        assert_eq!(root(&["/no/photos/2012/03"]), "/no/photos");
        assert_eq!(root(&["/no/photos", "/no/videos/x"]), "/no");
        assert_eq!(root(&["/no/./photos//x/", "/no/photos/y"]), "/no/photos");
        assert_eq!(root(&["/no/2012-03-05 Rome/2013"]), "/no");
        assert_eq!(root(&["/no", "/other"]), "/");
        assert_eq!(root(&[]), "");
    }
}
