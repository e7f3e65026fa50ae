//! Dates of MP4, MOV, M4V and 3GP.
//!
//! All that is asked for stands in the movie box: its header, user data, metadata keys, and the media headers of its
//! tracks (ISO/IEC 14496-12 § 8.2, 8.4 and 8.10; Apple, `QuickTime File Format Specification`, "Movie Atoms").

mod keys;
mod maker;
mod user_data;

use super::bmff::{Boxes, Part};
use super::source::Bytes;
use super::{Facts, Moment, Source, when};

/// Collects what a movie says of its making.
pub(crate) fn read(bytes: &mut Bytes, facts: &mut Facts) {
    let mut boxes = Boxes::of(bytes);
    while let Some(part) = boxes.next(bytes) {
        match &part.kind {
            b"moov" => return movie(part, bytes, facts),
            // Dashboard cameras put their date beside the movie.
            b"IDIT" => user_data::date(part, bytes, facts),
            _ => {}
        }
    }
}

fn movie(movie: Part, bytes: &mut Bytes, facts: &mut Facts) {
    let mut boxes = movie.parts(0);
    let mut tracks = None;
    loop {
        let here = boxes.clone();
        let Some(part) = boxes.next(bytes) else { break };
        match &part.kind {
            b"mvhd" => {
                facts.found(Source::QtMovieHeader, header_date(part, bytes));
                facts.duration = facts.duration.or_else(|| duration(part, bytes));
            }
            b"meta" => keys::read(part, bytes, facts),
            b"udta" => user_data::read(part, bytes, facts),
            b"trak" => tracks = tracks.or(Some(here)),
            _ => {}
        }
    }
    // A movie may have thousands of tracks, and its own header wins over theirs.
    if let Some(tracks) = tracks.filter(|_| !facts.has(Source::QtMovieHeader)) {
        facts.found(Source::QtMediaHeader, first_track_date(tracks, bytes));
    }
}

fn first_track_date(mut tracks: Boxes, bytes: &mut Bytes) -> Option<Moment> {
    loop {
        let track = tracks.find(bytes, *b"trak")?;
        if let Some(date) = track_date(track, bytes) {
            return Some(date);
        }
    }
}

fn track_date(track: Part, bytes: &mut Bytes) -> Option<Moment> {
    let media = track.parts(0).find(bytes, *b"mdia")?;
    let header = media.parts(0).find(bytes, *b"mdhd")?;
    header_date(header, bytes)
}

/// The creation time of `mvhd` and `mdhd`: seconds since 1904 behind version and flags, 64 bits wide from version 1 on.
fn header_date(header: Part, bytes: &mut Bytes) -> Option<Moment> {
    let content = header.head(bytes, 12)?;
    let (&version, rest) = content.split_first()?;
    let time = rest.get(3..)?;
    let seconds = match version {
        0 => u64::from(u32::from_be_bytes(*time.first_chunk()?)),
        _ => u64::from_be_bytes(*time.first_chunk()?),
    };
    when::from_1904(seconds)
}

/// Length in seconds, as `mvhd` tells it behind creation and modification time: units per second, and units. All ones
/// mean that it is not known.
fn duration(header: Part, bytes: &mut Bytes) -> Option<u32> {
    let content = header.head(bytes, 32)?;
    let narrow = |at: usize| Some(u32::from_be_bytes(*content.get(at..)?.first_chunk()?));
    let (scale, units) = match content.first()? {
        0 => (narrow(12)?, narrow(16).filter(|&units| units != u32::MAX).map(u64::from)?),
        _ => (narrow(20)?, u64::from_be_bytes(*content.get(24..)?.first_chunk()?)),
    };
    u32::try_from(units.checked_div(u64::from(scale))?).ok()
}

#[cfg(test)]
mod tests;
