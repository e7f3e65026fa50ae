//! The thumbnails of a page: drawn by several threads, each kept once, until there are enough of them.

use std::collections::{BTreeMap, HashMap};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::kind;
use super::markup::{Html, Link, Name, Text, Trail};
use super::thumbnail::{self, Absence, Expected, Thumbnail};
use crate::host;
use crate::interrupt::Interrupt;
use crate::record::{ContentHash, Timestamp};
use crate::report;
use crate::threads::each;

/// Bytes that all thumbnails of a page may take together.
const ROOM: usize = 1_900_000;

/// A file to show.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    pub(super) path: Vec<u8>,
    pub(super) size: u64,
    pub(super) mtime: Option<Timestamp>,
    /// Files of one hash that are shown together are drawn once.
    pub(super) hash: Option<ContentHash>,
}

/// What there is to see of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    /// The picture of this number.
    Picture(usize),
    None(Absence),
}

/// All thumbnails.
#[derive(Debug)]
pub(super) struct Album<'a> {
    /// `None`: no file is to be opened.
    jobs: Option<usize>,
    interrupt: &'a Interrupt,
    /// Where relative paths hold.
    working_dir: &'a Path,
    numbers: HashMap<Vec<u8>, usize>,
    pictures: Vec<Thumbnail>,
    bytes: usize,
    absences: BTreeMap<Absence, u64>,
}

impl<'a> Album<'a> {
    /// An empty one; without `jobs` it stays empty.
    pub(super) fn new(jobs: Option<usize>, interrupt: &'a Interrupt, working_dir: &'a Path) -> Self {
        let (numbers, pictures) = (HashMap::new(), Vec::new());
        Self { jobs, interrupt, working_dir, numbers, pictures, bytes: 0, absences: BTreeMap::new() }
    }

    /// Whether files are opened at all.
    pub(super) fn opens_files(&self) -> bool {
        self.jobs.is_some()
    }

    /// Looks at groups of files that are shown together, the most important first.
    pub(super) fn look(&mut self, groups: &[Vec<Wanted>]) -> Vec<Vec<Look>> {
        let Some(jobs) = self.jobs else {
            return groups.iter().map(|group| vec![Look::None(Absence::NoPicture); group.len()]).collect();
        };
        let (interrupt, working_dir) = (self.interrupt, self.working_dir);
        // In portions, so that no more pictures are held than there is room for.
        let mut looks = Vec::new();
        for portion in groups.chunks(PORTION) {
            let is_full = self.bytes >= ROOM;
            let drawn = each(jobs, portion.iter().collect(), |group: &Vec<Wanted>| {
                let begins = !is_full && !interrupt.came();
                if begins { look_at(group, working_dir) } else { vec![Err(Absence::NoRoom); group.len()] }
            });
            looks.extend(
                drawn.into_iter().map(|group| group.into_iter().map(|look| self.keep(look)).collect::<Vec<_>>()),
            );
        }
        looks
    }

    fn keep(&mut self, drawn: Result<Thumbnail, Absence>) -> Look {
        let look = drawn.and_then(|thumbnail| self.number(thumbnail));
        match look {
            Ok(number) => Look::Picture(number),
            Err(absence) => {
                *self.absences.entry(absence).or_default() += 1;
                Look::None(absence)
            }
        }
    }

    fn number(&mut self, thumbnail: Thumbnail) -> Result<usize, Absence> {
        if let Some(number) = self.numbers.get(&thumbnail.jpeg) {
            return Ok(*number);
        }
        let bytes = thumbnail.jpeg.len().div_ceil(3) * 4;
        if self.bytes + bytes > ROOM {
            // What comes later and is smaller finds no room either, so that what is shown does not look like a choice.
            self.bytes = ROOM;
            return Err(Absence::NoRoom);
        }
        self.bytes += bytes;
        self.numbers.insert(thumbnail.jpeg.clone(), self.pictures.len());
        self.pictures.push(thumbnail);
        Ok(self.pictures.len() - 1)
    }

    /// How many files could not be shown although they are there, in words.
    pub(super) fn trouble(&self) -> Option<String> {
        let told = self
            .absences
            .iter()
            .filter(|(absence, _)| matches!(absence, Absence::Unreadable | Absence::Damaged | Absence::TooLarge));
        let told: Vec<String> =
            told.map(|(absence, count)| format!("{} {}", report::number(*count), absence.text())).collect();
        (!told.is_empty()).then(|| told.join(", "))
    }

    /// How many pictures there are.
    pub(super) fn len(&self) -> usize {
        self.pictures.len()
    }

    /// All pictures, for the places that show them.
    pub(super) fn put_sheet(&self, html: &mut Html) {
        if self.pictures.is_empty() {
            return;
        }
        html.put(format_args!("<svg class=\"sheet\" aria-hidden=\"true\" width=\"0\" height=\"0\"><defs>"));
        for (number, Thumbnail { width, height, jpeg }) in self.pictures.iter().enumerate() {
            html.put(format_args!(
                "<image id=\"p{number}\" width=\"{width}\" height=\"{height}\" href=\"data:image/jpeg;base64,{}\"/>",
                STANDARD.encode(jpeg)
            ));
        }
        html.put(format_args!("</defs></svg>"));
    }

    /// The place of a file's picture, which leads to the file where that is on this machine.
    pub(super) fn put(&self, html: &mut Html, path: &[u8], look: Look) {
        let is_here = host::split(path).is_none();
        if is_here {
            let link = Link { working_dir: self.working_dir, path };
            // The name beside it leads there as well, and one stop on the way by keyboard is enough.
            html.put(format_args!("<a class=\"frame\" tabindex=\"-1\" href=\"{link}\">"));
        } else {
            html.put(format_args!("<span class=\"frame\">"));
        }
        match look {
            Look::Picture(number) => self.put_picture(html, path, number),
            Look::None(absence) => put_placeholder(html, path, absence),
        }
        html.put(format_args!("{}", if is_here { "</a>" } else { "</span>" }));
    }

    fn put_picture(&self, html: &mut Html, path: &[u8], number: usize) {
        let Some(Thumbnail { width, height, .. }) = self.pictures.get(number) else { return };
        html.put(format_args!(
            "<svg class=\"pic\" role=\"img\" viewBox=\"0 0 {width} {height}\"><title>{}</title><use href=\"#p{number}\"/></svg>",
            Name(path)
        ));
    }

    /// A file's name, which leads to the file where that is on this machine.
    pub(super) fn put_name(&self, html: &mut Html, path: &[u8], shown: &[u8]) {
        if host::split(path).is_some() {
            return html.put(format_args!("<span class=\"path\">{}</span>", Trail(shown)));
        }
        let link = Link { working_dir: self.working_dir, path };
        html.put(format_args!("<a class=\"path\" href=\"{link}\">{}</a>", Trail(shown)));
    }
}

/// So many groups are drawn before it is looked whether there is room for more.
const PORTION: usize = 64;

fn put_placeholder(html: &mut Html, path: &[u8], absence: Absence) {
    let (kind, ending) = kind::of(path);
    html.put(format_args!("<span class=\"none\"><b>{}</b>", Text(ending.as_deref().unwrap_or("file"))));
    html.put(format_args!(" <span>{}</span>", if ending.is_some() { kind.singular() } else { "" }));
    if !absence.text().is_empty() {
        html.put(format_args!(" <em>{}</em>", absence.text()));
    }
    html.put(format_args!("<span class=\"unseen\"> {}</span></span>", Trail(path)));
}

/// Opens every file of a group, and draws those whose content was not drawn yet.
fn look_at(group: &[Wanted], working_dir: &Path) -> Vec<Result<Thumbnail, Absence>> {
    let mut known: Vec<(ContentHash, Result<Thumbnail, Absence>)> = Vec::new();
    let mut looks = Vec::new();
    for wanted in group {
        if host::split(&wanted.path).is_some() {
            looks.push(Err(Absence::Elsewhere));
            continue;
        }
        let path = working_dir.join(OsStr::from_bytes(&wanted.path));
        let expected = Expected { size: wanted.size, mtime: wanted.mtime };
        let drawn = thumbnail::open(&path, expected).and_then(|opened| {
            let same = known.iter().find(|(hash, _)| Some(*hash) == wanted.hash);
            let drawn = same.map_or_else(|| thumbnail::draw(&opened), |(_, drawn)| drawn.clone());
            if let Some(hash) = wanted.hash.filter(|_| same.is_none()) {
                known.push((hash, drawn.clone()));
            }
            drawn
        });
        looks.push(drawn);
    }
    looks
}
