//! What becomes of each file: it goes to its path, it is one copy too many, or it is refused.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use super::companions::{Group, Sidecar};
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
    let (mut members, mut sidecars) = (Vec::new(), Vec::new());
    for group in groups {
        members.extend(group.members.iter().map(|(_, file)| *file).filter(|file| fates[*file].is_none()));
        sidecars.extend(group.sidecars.iter().copied().filter(|sidecar| fates[sidecar.file].is_none()));
    }
    // In the order of their paths, which is that of the rows: the copy to keep is there before the others come.
    members.sort_unstable();
    sidecars.sort_unstable_by_key(|sidecar| sidecar.file);
    let targets = Targets::new(&members, &sidecars, namer);
    let mut decision = Decision { inbox, standing: targets.look(inbox, job), taken: HashMap::new(), fates };
    for (member, target) in members.iter().zip(targets.members) {
        decision.place(*member, target);
    }
    for (sidecar, target) in sidecars.iter().zip(targets.sidecars) {
        decision.place_sidecar(sidecar, target);
    }
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

/// Where files should go, in their order.
struct Targets {
    members: Vec<Target>,
    sidecars: Vec<Target>,
    /// Who wants each path.
    wanted: BTreeMap<PathBuf, Vec<usize>>,
}

impl Targets {
    fn new(members: &[usize], sidecars: &[Sidecar], namer: &Namer<'_>) -> Self {
        let mut targets = Self { members: Vec::new(), sidecars: Vec::new(), wanted: BTreeMap::new() };
        let mut of_member: HashMap<usize, usize> = HashMap::new();
        for member in members {
            of_member.insert(*member, targets.members.len());
            let target = namer.target(*member);
            targets.want(*member, &target);
            targets.members.push(target);
        }
        for sidecar in sidecars {
            let owner = of_member.get(&sidecar.owner).and_then(|place| targets.members.get(*place)).cloned();
            let target = owner.unwrap_or(Err("it belongs to nothing"));
            let target = target.and_then(|owner| namer.sidecar_target(sidecar, &owner));
            targets.want(sidecar.file, &target);
            targets.sidecars.push(target);
        }
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
        each(job.jobs, wanted.chunks(AT_ONCE).collect(), look).into_iter().flatten().collect()
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
    fn place(&mut self, file: usize, target: Target) {
        self.fates[file] = Some(match target {
            Ok(path) => self.fate(file, path),
            Err(problem) => Fate::Refused(format!("it would get no good name: {problem}")),
        });
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

    fn place_sidecar(&mut self, sidecar: &Sidecar, target: Target) {
        match &self.fates[sidecar.owner] {
            Some(Fate::Goes(_)) => self.place(sidecar.file, target),
            Some(Fate::Duplicate(_) | Fate::SecondName) => self.fates[sidecar.file] = Some(Fate::Follows),
            _ => {
                let owner = shown(self.inbox.path(sidecar.owner));
                self.fates[sidecar.file] = Some(Fate::Refused(format!("it stays with {owner}")));
            }
        }
    }
}
