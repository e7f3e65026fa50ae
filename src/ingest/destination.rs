//! What becomes of each file: it goes to its path, it is one copy too many, or it is refused.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use super::companions::{Group, Sidecar, is_sidecar};
use super::naming::Namer;
use super::{Inbox, Job};
use crate::hash::{Links, Opened, Scratch, Status, Trouble};
use crate::record::{ContentHash, FileId, Timestamp};
use crate::report::shown;
use crate::threads::each;

/// What becomes of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fate {
    /// It could not be read, which was said.
    Unread,
    /// It goes to its path.
    Goes(PathBuf),
    /// It holds what stands, or will stand, elsewhere.
    Duplicate(Keeper),
    /// It is another name of the very file that stands, or will stand, at its path.
    SecondName,
    /// It follows its owner into the quarantine.
    Follows,
    /// It stays, for this reason.
    Refused(String),
}

/// The copy that stays, and what it will be when the row is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Keeper {
    pub(super) path: PathBuf,
    pub(super) mtime: Timestamp,
    /// Unknown of a file that is still to be moved: on another filesystem it will be another.
    pub(super) id: Option<FileId>,
}

/// Decides for every file, by its number.
pub(super) fn decide(inbox: &Inbox, groups: &[Group], namer: &Namer<'_>, job: &Job<'_>) -> Vec<Fate> {
    let mut fates: Vec<Option<Fate>> = vec![None; inbox.files.len()];
    for group in groups {
        keep_with_unread(inbox, group, &mut fates);
    }
    let targets = Targets::new(inbox, groups, &fates, namer);
    let mut decision = Decision { inbox, standing: targets.look(inbox, job), taken: HashMap::new(), fates };
    targets.wishes.into_iter().for_each(|wish| decision.grant(wish));
    decision.fates.into_iter().map(|fate| fate.unwrap_or(Fate::Unread)).collect()
}

/// Where one of a group could not be read, the others stay with it.
fn keep_with_unread(inbox: &Inbox, group: &Group, fates: &mut [Option<Fate>]) {
    let Some(unread) = group.files().find(|file| inbox.content(*file).is_none()) else { return };
    for file in group.files() {
        fates[file] = Some(match inbox.content(file) {
            None => Fate::Unread,
            Some(_) => Fate::Refused(format!("it stays with {}, which could not be read", shown(inbox.path(unread)))),
        });
    }
}

type Target = Result<PathBuf, &'static str>;

/// Where a file should go that is no sidecar, and where its sidecars should, in the order of their paths.
struct Wish {
    file: usize,
    target: Target,
    sidecars: Vec<(usize, Target)>,
}

/// Where files should go.
struct Targets {
    /// In the order of their paths, which is that of the rows: the copy to keep is there before the others come. Behind all
    /// others those that have the name of a sidecar but no owner, so that they never take the place of one that has.
    wishes: Vec<Wish>,
    /// Who wants each path.
    wanted: BTreeMap<PathBuf, Vec<usize>>,
}

impl Targets {
    /// Of all files whose fate is open.
    fn new(inbox: &Inbox, groups: &[Group], fates: &[Option<Fate>], namer: &Namer<'_>) -> Self {
        let mut targets = Self { wishes: Vec::new(), wanted: BTreeMap::new() };
        for group in groups {
            let mut sidecars: HashMap<usize, Vec<&Sidecar>> = HashMap::new();
            for sidecar in group.sidecars.iter().filter(|sidecar| fates[sidecar.file].is_none()) {
                sidecars.entry(sidecar.owner).or_default().push(sidecar);
            }
            for (_, file) in group.members.iter().filter(|(_, file)| fates[*file].is_none()) {
                let target = namer.target(*file);
                targets.want(*file, &target);
                let mut wish = Wish { file: *file, target, sidecars: Vec::new() };
                for sidecar in sidecars.remove(file).unwrap_or_default() {
                    let target = wish.target.as_ref().map_err(|problem| *problem);
                    let target = target.and_then(|owner| namer.sidecar_target(sidecar, owner));
                    targets.want(sidecar.file, &target);
                    wish.sidecars.push((sidecar.file, target));
                }
                wish.sidecars.sort_unstable_by_key(|(sidecar, _)| *sidecar);
                targets.wishes.push(wish);
            }
        }
        targets.wishes.sort_unstable_by_key(|wish| (is_sidecar(inbox.name(wish.file)), wish.file));
        targets
    }

    fn want(&mut self, file: usize, target: &Target) {
        if let Ok(path) = target {
            self.wanted.entry(path.clone()).or_default().push(file);
        }
    }

    /// What stands at these paths already.
    fn look(&self, inbox: &Inbox, job: &Job<'_>) -> HashMap<PathBuf, Standing> {
        let wanted: Vec<(&PathBuf, &Vec<usize>)> = self.wanted.iter().collect();
        let look = |few: &[(&PathBuf, &Vec<usize>)]| {
            let mut scratch = None;
            let sizes = |file: &usize| inbox.content(*file).map(|content| content.status.size);
            let look = |(path, files): &(&PathBuf, &Vec<usize>)| {
                let standing =
                    Standing::at(path, |size| files.iter().any(|file| sizes(file) == Some(size)), &mut scratch);
                Some(((*path).clone(), standing?))
            };
            few.iter().filter(|_| !job.interrupt.came()).filter_map(look).collect::<Vec<_>>()
        };
        each(job.options.crawl.common.jobs(), wanted.chunks(AT_ONCE).collect(), look).into_iter().flatten().collect()
    }
}

/// So many paths are looked at in one turn.
const AT_ONCE: usize = 64;

/// What stands at a path.
#[derive(Debug)]
enum Standing {
    /// A file with this content.
    File(Status, ContentHash),
    /// Something that nothing else can take the place of.
    Other(String),
}

impl Standing {
    /// `None` where there is nothing. Only a file of a size that is asked for is read.
    fn at(path: &Path, is_wanted: impl Fn(u64) -> bool, scratch: &mut Option<Scratch>) -> Option<Self> {
        let status = match Status::of(path, Links::Refuse) {
            Err(Trouble::Io(error)) if error.kind() == std::io::ErrorKind::NotFound => return None,
            Err(Trouble::NotRegular(what)) => return Some(Self::Other(format!("{what} stands there already"))),
            Err(trouble) => return Some(Self::Other(trouble.to_string())),
            Ok(status) => status,
        };
        if !is_wanted(status.size) {
            return Some(Self::Other(TAKEN.into()));
        }
        let scratch = scratch.get_or_insert_with(Scratch::default);
        let hash = Opened::new(path, Links::Refuse).and_then(|opened| Ok((*opened.status(), opened.hash(scratch)?)));
        Some(match hash {
            Ok((status, hash)) => Self::File(status, hash),
            Err(trouble) => Self::Other(trouble.to_string()),
        })
    }
}

const TAKEN: &str = "another file stands there already";

struct Decision<'a> {
    inbox: &'a Inbox,
    standing: HashMap<PathBuf, Standing>,
    /// Who goes to which path.
    taken: HashMap<PathBuf, usize>,
    fates: Vec<Option<Fate>>,
}

impl Decision<'_> {
    /// Decides for a file and its sidecars.
    fn grant(&mut self, wish: Wish) {
        let file = wish.file;
        let fate = self.placed(file, wish.target);
        match fate {
            Fate::Goes(_) => {
                self.fates[file] = Some(fate);
                self.place_sidecars(file, wish.sidecars);
            }
            Fate::Duplicate(_) | Fate::SecondName => {
                self.fates[file] = Some(fate);
                wish.sidecars.iter().for_each(|(sidecar, _)| self.fates[*sidecar] = Some(Fate::Follows));
            }
            _ => {
                self.fates[file] = Some(fate);
                wish.sidecars.iter().for_each(|(sidecar, _)| self.stays_with(*sidecar, file));
            }
        }
    }

    /// Where one has no place, all stay, so that none is parted from its owner.
    fn place_sidecars(&mut self, owner: usize, sidecars: Vec<(usize, Target)>) {
        let files: Vec<usize> = sidecars.iter().map(|(sidecar, _)| *sidecar).collect();
        for (sidecar, target) in sidecars {
            let fate = self.placed(sidecar, target);
            let is_refused = !matches!(fate, Fate::Goes(_) | Fate::Duplicate(_) | Fate::SecondName);
            self.fates[sidecar] = Some(fate);
            if is_refused {
                self.give_up(owner);
                self.fates[owner] = Some(Fate::Refused(self.staying_with(sidecar)));
                for other in files.into_iter().filter(|other| *other != sidecar) {
                    self.give_up(other);
                    self.stays_with(other, owner);
                }
                return;
            }
        }
    }

    /// Lets others have the place of a file that was to go.
    fn give_up(&mut self, file: usize) {
        if let Some(Fate::Goes(path)) = &self.fates[file] {
            self.taken.remove(path);
        }
    }

    fn stays_with(&mut self, file: usize, other: usize) {
        self.fates[file] = Some(Fate::Refused(self.staying_with(other)));
    }

    fn staying_with(&self, other: usize) -> String {
        format!("it stays with {}", shown(self.inbox.path(other)))
    }

    fn placed(&mut self, file: usize, target: Target) -> Fate {
        match target {
            Ok(path) => self.fate(file, path),
            Err(problem) => Fate::Refused(format!("it would get no good name: {problem}")),
        }
    }

    fn fate(&mut self, file: usize, path: PathBuf) -> Fate {
        let Some(content) = self.inbox.content(file) else { return Fate::Unread };
        let (mtime, id) = match (self.standing.get(&path), self.taken.get(&path)) {
            (Some(Standing::File(status, hash)), _) if *hash == content.hash => {
                if status.id == content.status.id {
                    return Fate::SecondName;
                }
                (status.mtime, Some(status.id))
            }
            (Some(Standing::File(..)), _) => return Fate::Refused(format!("{}: {TAKEN}", shown(&path))),
            (Some(Standing::Other(reason)), _) => return Fate::Refused(format!("{}: {reason}", shown(&path))),
            (None, Some(first)) => match self.inbox.content(*first) {
                Some(other) if other.hash != content.hash => {
                    let first = shown(self.inbox.path(*first));
                    return Fate::Refused(format!("{}: another file goes there: {first}", shown(&path)));
                }
                // It would be one copy too many before the one to keep is there.
                Some(_) if *first > file => {
                    let first = shown(self.inbox.path(*first));
                    return Fate::Refused(format!("{}: its copy must go there first: {first}", shown(&path)));
                }
                Some(other) if other.status.id == content.status.id => return Fate::SecondName,
                Some(other) => (other.status.mtime, None),
                None => return Fate::Unread,
            },
            (None, None) => {
                self.taken.insert(path.clone(), file);
                return Fate::Goes(path);
            }
        };
        Fate::Duplicate(Keeper { path, mtime, id })
    }
}
