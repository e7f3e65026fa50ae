//! Filling volumes: days stay together, few volumes are open at once, and none is closed half empty.
//!
//! A day goes to the first open volume that holds all of it, and else to a further one, as long as not too many are open. Where a
//! further one would be one too many, the day is divided, if that makes the fullest open volume full enough to be closed; if
//! not, the day waits for the next volume, and younger days may fill the gaps meanwhile. When nothing else comes, what
//! waits is divided, too, and a volume is closed as full as that makes it, down to a limit.

mod division;

use std::borrow::Cow;
use std::collections::VecDeque;

use super::Job;
use super::item::Items;
use super::tree::{DirId, Tree};
use super::units::{Order, Unit};
use crate::cli::Failure;
use crate::interrupt::Interrupt;
use crate::volume::Number;
use crate::volume::archive::Archive;
use crate::volume::date::Date;
use crate::volume::extent::Extent;
use crate::volume::medium::{Disc, WHOLE, share_of};

/// A day is not divided for the sake of a gap as small as this, in thousandths of a percent of the disc.
const NEGLIGIBLE: u64 = 500;

/// How full a volume must be to be closed where all that is left is larger than its gap, in thousandths of a percent.
const LEAST: u64 = 85_000;

/// A gap for whose sake nothing waits, in thousandths of a percent of the disc.
const TINY: u64 = 50;

/// As long as no more waits than this, volumes are closed only if their gaps are negligible; in thousandths of a percent of the
/// disc.
const MOST_WAITING: u64 = 10_000;

/// How many files behind the first that does not fit are looked through for what fills a gap best.
const LOOK_AHEAD: usize = 4096;

/// A volume, and what is to go into it.
#[derive(Debug, Clone, Default)]
pub(super) struct Volume {
    /// Known from the beginning where files are in it already, else when all is decided.
    pub(super) number: Option<Number>,
    /// All that is and will be in it.
    extent: Extent,
    /// Which directories that includes.
    dirs: DirSet,
    /// How many files and bytes were in it before.
    pub(super) before: Amount,
    /// The paths of these below it.
    pub(super) there: Vec<Box<[u8]>>,
    /// How many files and bytes are to go into it.
    pub(super) planned: Amount,
    /// Which volume it was, counted as they were opened.
    serial: u32,
}

/// Some files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Amount {
    pub(super) files: u64,
    pub(super) bytes: u64,
    pub(super) first: Date,
    /// [`None`] where no file has a date.
    pub(super) last: Option<Date>,
}

impl Default for Amount {
    fn default() -> Self {
        Self { files: 0, bytes: 0, first: Date::NONE, last: None }
    }
}

impl Amount {
    pub(super) fn add(&mut self, size: u64, date: Date) {
        self.files += 1;
        self.bytes = self.bytes.saturating_add(size);
        self.first = self.first.min(date);
        if date != Date::NONE {
            self.last = self.last.max(Some(date));
        }
    }
}

impl Volume {
    /// One that an interrupted run left, before it is known what it holds.
    pub(super) fn left(number: Number) -> Self {
        Self { number: Some(number), ..Self::default() }
    }

    /// It holds a directory, which is `known` where more may go to it.
    pub(super) fn hold_dir(&mut self, extent: Extent, known: Option<DirId>) {
        self.extent += extent;
        if let Some(dir) = known {
            self.dirs.insert(dir);
        }
    }

    /// It holds a file.
    pub(super) fn hold_file(&mut self, path: &[u8], extent: Extent, size: u64, date: Date) {
        self.extent += extent;
        self.there.push(path.into());
        self.before.add(size, date);
    }

    pub(super) fn image_bytes(&self, disc: Disc) -> u64 {
        self.extent.image_bytes(disc.filesystem)
    }

    /// What it would be with some files more, which have these directories.
    fn with(&self, files: Extent, dirs: impl Iterator<Item = DirId>, tree: &Tree) -> Extent {
        dirs.filter(|dir| !self.dirs.has(*dir)).fold(self.extent + files, |sum, dir| sum + tree.extent(dir))
    }
}

/// Some directories, a bit each.
#[derive(Debug, Clone, Default)]
struct DirSet(Vec<u64>);

impl DirSet {
    fn has(&self, dir: DirId) -> bool {
        self.0.get(dir as usize / 64).is_some_and(|bits| bits >> (dir % 64) & 1 == 1)
    }

    fn insert(&mut self, dir: DirId) {
        let place = dir as usize / 64;
        if self.0.len() <= place {
            self.0.resize(place + 1, 0);
        }
        self.0[place] |= 1 << (dir % 64);
    }
}

/// What was decided.
#[derive(Debug)]
pub(super) struct Packing {
    /// The volumes to be written, in the order of their numbers.
    pub(super) volumes: Vec<Volume>,
    /// For each item the place of its volume among these.
    pub(super) volume_of: Vec<Option<u32>>,
    /// What stays where it is.
    pub(super) remaining: Amount,
    /// How full the fullest of the volumes would be that would not be full enough, in bytes of its image.
    pub(super) fullest_open: u64,
    /// The volumes that an interrupted run left, and that stay open.
    pub(super) left_open: Vec<Number>,
    /// The volumes that an interrupted run left, and that need nothing but to be sealed.
    pub(super) left_full: Vec<Volume>,
}

/// Packs units of items into volumes, those that are `open` first.
///
/// # Errors
/// [`Failure::Stop`] where there are no numbers left.
pub(super) fn pack(
    order: &Order,
    items: &Items,
    tree: &Tree,
    open: Vec<Volume>,
    archive: &Archive,
    job: &Job<'_>,
) -> Result<Packing, Failure> {
    let options = job.options;
    let mut packer = Packer {
        items,
        order: order.places(),
        tree,
        disc: options.disc,
        most_open: options.open,
        min_fill: options.min_fill,
        flush: options.flush,
        opened: 0,
        open: Vec::new(),
        closed: Vec::new(),
        waiting: VecDeque::new(),
        least_waiting: u64::MAX,
        bytes_waiting: 0,
        interrupt: job.interrupt,
        volume_of: vec![0; items.list.len()],
    };
    for volume in open {
        packer.begin(volume);
    }
    for unit in order.units() {
        if job.interrupt.came() {
            break;
        }
        packer.offer(Unit::of(Cow::Borrowed(unit), items, tree));
    }
    packer.finish();
    packer.number(archive)
}

struct Packer<'a> {
    interrupt: &'a Interrupt,
    items: &'a Items,
    /// The places of all items in the order in which they are packed.
    order: &'a [u32],
    tree: &'a Tree,
    disc: Disc,
    most_open: usize,
    min_fill: u64,
    flush: bool,
    opened: u32,
    open: Vec<Volume>,
    closed: Vec<Volume>,
    /// Units that fit into no open volume, the oldest first.
    waiting: VecDeque<Unit<'a>>,
    /// No file that waits is smaller, in bytes.
    least_waiting: u64,
    /// The bytes of all that waits.
    bytes_waiting: u64,
    /// For each item the serial number of its volume; 0 where it has none.
    volume_of: Vec<u32>,
}

impl<'a> Packer<'a> {
    fn begin(&mut self, volume: Volume) -> usize {
        self.opened += 1;
        self.open.push(Volume { serial: self.opened, ..volume });
        self.open.len() - 1
    }

    fn may_begin(&self) -> bool {
        self.open.len() < self.most_open
    }

    fn holds(&self, extent: Extent) -> bool {
        extent.image_bytes(self.disc.filesystem) <= self.disc.capacity
    }

    fn fits(&self, volume: usize, unit: &Unit<'_>) -> bool {
        self.holds(self.open[volume].with(unit.extent, unit.dirs.iter().copied(), self.tree))
    }

    fn fits_alone(&self, unit: &Unit<'_>) -> bool {
        self.holds(Volume::default().with(unit.extent, unit.dirs.iter().copied(), self.tree))
    }

    /// How full a volume is, at least, in thousandths of a percent.
    fn is_filled(&self, extent: Extent, share: u64) -> bool {
        extent.image_bytes(self.disc.filesystem) >= share_of(self.disc.capacity, share)
    }

    fn fullest(&self) -> Option<usize> {
        // Of those that are equally full, the one that was opened first.
        let key = |volume: &Volume| (volume.image_bytes(self.disc), std::cmp::Reverse(volume.serial));
        (0..self.open.len()).max_by_key(|place| key(&self.open[*place]))
    }

    fn gap(&self, volume: &Volume) -> u64 {
        self.disc.capacity.saturating_sub(volume.image_bytes(self.disc))
    }

    fn put(&mut self, volume: usize, unit: &Unit<'_>) {
        let volume = &mut self.open[volume];
        volume.extent = volume.with(unit.extent, unit.dirs.iter().copied(), self.tree);
        unit.dirs.iter().for_each(|dir| volume.dirs.insert(*dir));
        for place in unit.items.iter() {
            let item = &self.items.list[*place as usize];
            self.volume_of[*place as usize] = volume.serial;
            volume.planned.add(item.size, item.date);
        }
    }

    /// Into the first open volume that holds all of it, or one that may still be opened.
    fn place_whole(&mut self, unit: &Unit<'_>) -> bool {
        let found = (0..self.open.len()).find(|volume| self.fits(*volume, unit));
        let found = found.or_else(|| {
            let begins = self.may_begin() && self.fits_alone(unit);
            begins.then(|| self.begin(Volume::default()))
        });
        if let Some(volume) = found {
            self.put(volume, unit);
        }
        found.is_some()
    }

    /// Finds a place for a unit, or has it wait.
    fn offer(&mut self, mut unit: Unit<'a>) {
        while !self.interrupt.came() {
            if self.place_whole(&unit) {
                return;
            }
            let Some(volume) = self.fullest() else {
                self.begin(Volume::default());
                continue;
            };
            let (patient, extent) = (self.is_patient(), self.open[volume].extent);
            let enough = self.min_fill.max(WHOLE - NEGLIGIBLE);
            if self.is_filled(extent, if patient { enough.max(WHOLE - TINY) } else { enough }) {
                self.close(volume);
                continue;
            }
            if patient && self.is_filled(extent, enough) {
                self.wait(unit);
                return;
            }
            let (part, rest) = self.divide(&unit, volume);
            let filled = self.open[volume].with(part.extent, part.dirs.iter().copied(), self.tree);
            if self.is_filled(filled, if patient { enough } else { self.min_fill }) {
                self.put(volume, &part);
                if rest.items.is_empty() || self.place_whole(&rest) {
                    return;
                }
                unit = rest;
                self.close(volume);
            } else if self.may_begin() {
                // Too large for any volume, and not enough to fill this one.
                self.begin(Volume::default());
            } else {
                self.wait(unit);
                return;
            }
        }
    }

    /// Whether a day that would leave a gap may wait, since the next may fill it; but not too many of them, lest the years are
    /// mixed.
    fn is_patient(&self) -> bool {
        self.bytes_waiting <= share_of(self.disc.capacity, MOST_WAITING)
    }

    fn wait(&mut self, unit: Unit<'a>) {
        self.least_waiting = self.least_waiting.min(unit.least);
        self.bytes_waiting = self.bytes_waiting.saturating_add(unit.bytes);
        self.waiting.push_back(unit);
    }

    /// Everything that waits, none of which waits any longer.
    fn take_waiting(&mut self) -> VecDeque<Unit<'a>> {
        (self.least_waiting, self.bytes_waiting) = (u64::MAX, 0);
        std::mem::take(&mut self.waiting)
    }

    /// Closes a volume, so that another can be opened for what waits.
    fn close(&mut self, volume: usize) {
        self.closed.push(self.open.remove(volume));
        self.retry();
    }

    /// Whatever waits, and finds a place now.
    fn retry(&mut self) {
        if self.is_hopeless() {
            return;
        }
        for unit in self.take_waiting() {
            if self.interrupt.came() || !self.place_whole(&unit) {
                self.wait(unit);
            }
        }
    }

    /// Whether no gap is as large as the smallest file that waits.
    fn is_hopeless(&self) -> bool {
        !self.may_begin() && self.open.iter().all(|volume| self.gap(volume) < self.least_waiting)
    }

    /// Nothing else comes: what waits is divided among the gaps, and the volumes that are full enough are closed.
    fn finish(&mut self) {
        // How often what is in a volume may still be given to the others before one has to be closed.
        let mut merges = self.most_open;
        while !self.interrupt.came() {
            self.retry();
            if self.waiting.is_empty() {
                if merges == 0 || !self.give_up_emptiest() {
                    break;
                }
                merges -= 1;
            }
            let Some(volume) = self.cram_all() else {
                self.begin(Volume::default());
                continue;
            };
            if self.flush || self.is_filled(self.open[volume].extent, self.min_fill.min(LEAST)) {
                self.close(volume);
                merges = self.most_open;
            } else if !self.waiting.is_empty() && self.may_begin() {
                self.begin(Volume::default());
            } else if !self.waiting.is_empty() {
                break;
            }
        }
        for volume in std::mem::take(&mut self.open) {
            let is_due = self.flush || self.is_filled(volume.extent, self.min_fill);
            let list = if is_due { &mut self.closed } else { &mut self.open };
            list.push(volume);
        }
    }

    /// Two volumes that are not full enough may fill one: what was to go to the emptiest waits again, if some of it fits into
    /// the fullest.
    fn give_up_emptiest(&mut self) -> bool {
        let Some(fullest) = self.fullest() else { return false };
        let is_due = self.is_filled(self.open[fullest].extent, self.min_fill);
        let may_go = |place: &usize| *place != fullest && self.open[*place].number.is_none();
        let emptiest = (0..self.open.len()).filter(may_go).min_by_key(|place| self.open[*place].image_bytes(self.disc));
        let Some(emptiest) = emptiest.filter(|_| !is_due) else { return false };
        let serial = self.open[emptiest].serial;
        let places = self.order.iter().copied().filter(|place| self.volume_of[*place as usize] == serial);
        let unit = Unit::of(places.collect(), self.items, self.tree);
        if self.gap(&self.open[fullest]) < unit.least {
            return false;
        }
        unit.items.iter().for_each(|place| self.volume_of[*place as usize] = 0);
        self.open.remove(emptiest);
        self.wait(unit);
        true
    }

    /// Fills the gaps of all open volumes, the fullest first, and gives the place of the one that is the fullest then.
    fn cram_all(&mut self) -> Option<usize> {
        let mut order: Vec<usize> = (0..self.open.len()).collect();
        order.sort_by_key(|place| std::cmp::Reverse(self.open[*place].image_bytes(self.disc)));
        for volume in order {
            self.cram(volume);
        }
        self.fullest()
    }

    /// Fills a volume with whatever fits of what waits.
    fn cram(&mut self, volume: usize) {
        if self.gap(&self.open[volume]) < self.least_waiting {
            return;
        }
        for unit in self.take_waiting() {
            if self.interrupt.came() || self.gap(&self.open[volume]) < unit.least {
                self.wait(unit);
                continue;
            }
            let (part, rest) = self.divide(&unit, volume);
            self.put(volume, &part);
            if !rest.items.is_empty() {
                self.wait(rest);
            }
        }
    }

    /// Gives the volumes that are to be written their numbers, in the order in which they were opened.
    fn number(mut self, archive: &Archive) -> Result<Packing, Failure> {
        let numbers = |volumes: &[Volume]| volumes.iter().filter_map(|volume| volume.number).collect::<Vec<_>>();
        let left_open = numbers(&self.open);
        let fullest_open = self.open.iter().map(|volume| volume.image_bytes(self.disc)).max().unwrap_or_default();
        let (left_full, planned) =
            std::mem::take(&mut self.closed).into_iter().partition(|volume| volume.planned.files == 0);
        self.closed = planned;
        self.closed.sort_by_key(|volume| (volume.number.is_none(), volume.number, volume.serial));
        let mut next = archive.next_number();
        let mut place_of = vec![None; self.opened as usize + 1];
        for (place, volume) in self.closed.iter_mut().enumerate() {
            place_of[volume.serial as usize] = u32::try_from(place).ok();
            if volume.number.is_none() {
                let number =
                    next.ok_or_else(|| Failure::Stop("there is no number left for a further volume".into()))?;
                volume.number = Some(number);
                next = number.next();
            }
        }
        let volume_of: Vec<Option<u32>> = self.volume_of.iter().map(|serial| place_of[*serial as usize]).collect();
        let mut remaining = Amount::default();
        for (item, volume) in self.items.list.iter().zip(&volume_of) {
            if volume.is_none() {
                remaining.add(item.size, item.date);
            }
        }
        Ok(Packing { volumes: self.closed, volume_of, remaining, fullest_open, left_open, left_full })
    }
}
