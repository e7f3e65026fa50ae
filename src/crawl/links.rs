//! Symbolic links that are followed: each directory and each file that they lead to is found once.
//!
//! What has a name without a link was found before. The links are followed by one worker after the other, in the order of
//! their paths, and those met behind them in a next round, so that the same tree always gives the same names.

use std::collections::HashSet;
use std::fs::Metadata;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::Crawl;
use super::pipeline::{Name, PORTION};
use crate::hash::{Links, Trouble};
use crate::record::FileId;
use crate::walk::listing::special;
use crate::walk::operands::bare_name;
use crate::walk::{Listing, Met, Root};

/// What was reached so far, and the links that were met.
#[derive(Debug, Default)]
pub(super) struct Reached {
    directories: HashSet<FileId>,
    files: HashSet<FileId>,
    links: Vec<Link>,
}

#[derive(Debug)]
struct Link {
    path: PathBuf,
    root: Arc<Root>,
}

impl Reached {
    pub(super) fn add_directory(&mut self, status: &Metadata) -> bool {
        self.directories.insert(id_of(status))
    }

    pub(super) fn add_file(&mut self, id: FileId) -> bool {
        self.files.insert(id)
    }

    pub(super) fn add_link(&mut self, root: &Arc<Root>, path: &Path) {
        self.links.push(Link { path: path.to_path_buf(), root: Arc::clone(root) });
    }
}

fn id_of(status: &Metadata) -> FileId {
    FileId::here(status.dev(), status.ino())
}

/// The following of links, in portions.
#[derive(Debug)]
pub(super) struct Followed {
    reached: Reached,
    /// The links of this round, the next one last.
    round: Vec<Link>,
    /// The directory behind the link that is being followed.
    listing: Option<Listing>,
}

impl Followed {
    pub(super) fn new(reached: Reached) -> Self {
        Self { reached, round: Vec::new(), listing: None }
    }

    /// Finds some more files; `false` where that was all.
    pub(super) fn portion(&mut self, crawl: &Crawl<'_>, names: &mut Vec<Name>) -> bool {
        for _ in 0..PORTION {
            if let Some(mut listing) = self.listing.take() {
                if let Some(met) = listing.next(&crawl.filter) {
                    self.sort_out(crawl, &mut listing, met, names);
                    self.listing = Some(listing);
                }
                continue;
            }
            let Some(link) = self.next_link() else { return false };
            if let Err(trouble) = self.enter(crawl, &link, names) {
                crawl.failed(&link.path, &trouble);
            }
        }
        true
    }

    fn next_link(&mut self) -> Option<Link> {
        if self.round.is_empty() {
            self.round = std::mem::take(&mut self.reached.links);
            self.round.sort_by(|a, b| b.path.as_os_str().as_bytes().cmp(a.path.as_os_str().as_bytes()));
        }
        self.round.pop()
    }

    fn enter(&mut self, crawl: &Crawl<'_>, link: &Link, names: &mut Vec<Name>) -> Result<(), Trouble> {
        let status = link.path.metadata()?;
        if status.is_dir() {
            let stays = !crawl.options.one_file_system || root_device(&link.root) == Some(status.dev());
            if stays && self.reached.add_directory(&status) {
                let device = crawl.options.one_file_system.then(|| status.dev());
                self.listing = Some(Listing::behind_link(&link.root, &link.path, device));
            }
            return Ok(());
        }
        if let Some(what) = special(status.file_type()) {
            return Err(Trouble::NotRegular(what));
        }
        let below = link.root.below(&link.path);
        let below = if below.as_os_str().is_empty() { bare_name(&link.path) } else { below };
        if crawl.filter.wants(below) && self.reached.add_file(id_of(&status)) {
            names.push(Name { path: link.path.clone(), inode: status.ino(), links: Links::Follow });
        }
        Ok(())
    }

    fn sort_out(&mut self, crawl: &Crawl<'_>, listing: &mut Listing, met: Met, names: &mut Vec<Name>) {
        match met {
            Met::Directory(path) => {
                let new = path.symlink_metadata().is_ok_and(|status| self.reached.add_directory(&status));
                if !new {
                    listing.pass_over();
                }
            }
            Met::File(path, inode) => {
                // Where it cannot be looked at, whoever reads it says so.
                if path.symlink_metadata().map_or(true, |status| self.reached.add_file(id_of(&status))) {
                    names.push(Name { path, inode, links: Links::Refuse });
                }
            }
            Met::Link(path) => self.reached.add_link(listing.root(), &path),
            Met::Special(path, what) => crawl.failed(&path, &Trouble::NotRegular(what)),
            Met::Failed(path, error) => crawl.unlisted(&path, &error),
        }
    }
}

fn root_device(root: &Root) -> Option<u64> {
    root.path.metadata().ok().map(|status| status.dev())
}
