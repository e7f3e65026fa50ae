//! A unit that is divided: what of it still fits into a volume, and what is left.

use std::borrow::Cow;

use super::{DirSet, LOOK_AHEAD, Packer, Volume};
use crate::pack::item::Items;
use crate::pack::tree::DirId;
use crate::pack::units::Unit;
use crate::volume::extent::Extent;

impl<'a> Packer<'a> {
    /// What of a unit fits into a volume: its beginning, and behind that what fills the gap best; and the rest.
    pub(super) fn divide(&self, unit: &Unit<'_>, volume: usize) -> (Unit<'a>, Unit<'a>) {
        let mut trial = Trial::new(&self.open[volume], self);
        let beginning = unit.items.iter().take_while(|place| trial.take(**place)).count();
        let (beginning, behind) = unit.items.split_at(beginning);
        let (size, gap) = (|place: usize| self.items.list[behind[place] as usize].size, trial.gap());
        let mut near: Vec<usize> = (0..behind.len().min(LOOK_AHEAD)).filter(|place| size(*place) <= gap).collect();
        near.sort_by_key(|place| std::cmp::Reverse(size(*place)));
        near.retain(|place| trial.take(behind[*place]));
        near.sort_unstable();
        let mut part = beginning.to_vec();
        let mut rest = Vec::with_capacity(behind.len());
        let mut taken = near.into_iter().peekable();
        for (place, item) in behind.iter().enumerate() {
            if taken.next_if_eq(&place).is_some() { part.push(*item) } else { rest.push(*item) }
        }
        let of = |places| Unit::of(Cow::Owned(places), self.items, self.tree);
        (of(part), of(rest))
    }
}

/// A volume as it would be with some files more.
struct Trial<'a> {
    packer: &'a Packer<'a>,
    extent: Extent,
    dirs: DirSet,
    /// The directory of the file that was taken last.
    last: Option<DirId>,
}

impl<'a> Trial<'a> {
    fn new(volume: &Volume, packer: &'a Packer<'a>) -> Self {
        Self { packer, extent: volume.extent, dirs: volume.dirs.clone(), last: None }
    }

    /// What is left of the disc, in bytes.
    fn gap(&self) -> u64 {
        let disc = self.packer.disc;
        disc.capacity.saturating_sub(self.extent.image_bytes(disc.filesystem))
    }

    /// Takes one file more, if it fits.
    fn take(&mut self, place: u32) -> bool {
        let Packer { items, tree, .. } = self.packer;
        let item = &items.list[place as usize];
        // Most files are in the directory of the one before.
        let is_known = self.last == Some(item.dir);
        let missing = |dirs: &DirSet| tree.with_those_around(item.dir).take_while(|dir| !dirs.has(*dir)).count();
        let missing = if is_known { 0 } else { missing(&self.dirs) };
        let new = || tree.with_those_around(item.dir).take(missing);
        let extent = new().fold(self.extent + Items::extent(item, tree), |sum, dir| sum + tree.extent(dir));
        let fits = self.packer.holds(extent);
        if fits {
            new().for_each(|dir| self.dirs.insert(dir));
            (self.extent, self.last) = (extent, Some(item.dir));
        }
        fits
    }
}
