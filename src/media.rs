//! What a photo or a video says of its own making.
//!
//! [`read`] opens a file, tells its kind by its first bytes and hands it to the reader of that kind. Readers collect
//! every date that is there and valid, each with its [`Source`]; which of them is the capture time, and in which zone
//! it counts, is for [`capture`](crate::capture) to say. Readers seek: of a large file they read a few kilobytes.

mod avi;
mod bmff;
mod canon;
mod exif;
mod format;
mod gif;
mod heif;
mod iptc;
mod jpeg;
mod matroska;
mod mdpm;
mod photoshop;
mod png;
mod preview;
mod quicktime;
mod raw;
mod source;
#[cfg(test)]
mod tests;
mod tiff;
#[cfg(test)]
mod trial;
mod webp;
pub mod when;
pub mod xmp;

use std::fs::File;
use std::io;

use format::Format;
pub use preview::{Previews, previews};
use source::Bytes;
pub use when::{Base, Moment, Precision};

/// Where a date stands in a file, the more trustworthy first: a source wins over all below it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Source {
    /// EXIF `DateTimeOriginal` (0x9003).
    ExifOriginal,
    /// EXIF `DateTimeDigitized` (0x9004).
    ExifDigitized,
    /// The date of a camera maker's own in Canon's CRW and Sigma's X3F.
    MakerDate,
    /// XMP `exif:DateTimeOriginal`.
    XmpOriginal,
    /// XMP `photoshop:DateCreated`.
    XmpDateCreated,
    /// IPTC date and time created.
    Iptc,
    /// XMP `xmp:CreateDate`.
    XmpCreate,
    /// PNG text `Creation Time`.
    PngCreation,
    /// GPS date and time, UTC.
    Gps,
    /// `QuickTime` key `com.apple.quicktime.creationdate`.
    QtCreationDate,
    /// `QuickTime` user data `DateTimeOriginal` or `©day` with a time.
    QtUserData,
    /// `QuickTime` movie header.
    QtMovieHeader,
    /// `QuickTime` media header of the first track that has a date.
    QtMediaHeader,
    /// AVI `IDIT`.
    AviIdit,
    /// AVCHD `MDPM` in the H.264 stream.
    Mdpm,
    /// Matroska tag `DATE_RECORDED`.
    MkvRecorded,
    /// EXIF `DateTime` (0x0132): the last change.
    ExifModified,
    /// PNG `tIME`: the last change, UTC.
    PngTime,
    /// Matroska `DateUTC`: when the file was made.
    MkvDateUtc,
}

/// What was read from one file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// What the file is, by its content.
    pub kind: Kind,
    /// Every valid date, in the order of the sources; of one source the first that is valid. A date without a time
    /// is here too, with [`Precision::Day`].
    pub dates: Vec<(Source, Moment)>,
    /// Offset from UTC in seconds, where the file stores it apart from any date (`samsung.android.utc_offset`).
    pub utc_offset: Option<i32>,
    /// Length of a video in seconds, rounded down: its header may be dated at its end.
    pub duration: Option<u32>,
    /// Maker of the camera, trimmed.
    pub make: Option<String>,
    /// Model of the camera, trimmed.
    pub model: Option<String>,
    /// What the two halves of a Live Photo have in common.
    pub content_id: Option<String>,
}

impl Facts {
    /// Keeps a valid date of a source, unless a better of the same is known: the first, but a time before a mere day.
    pub(crate) fn found(&mut self, source: Source, date: Option<Moment>) {
        let Some(date) = date else { return };
        match self.dates.binary_search_by_key(&source, |known| known.0) {
            Err(place) => self.dates.insert(place, (source, date)),
            Ok(place) => {
                if let Some((_, known)) = self.dates.get_mut(place)
                    && known.precision == Precision::Day
                    && date.precision != Precision::Day
                {
                    *known = date;
                }
            }
        }
    }

    /// Keeps the camera's maker and model, unless they are known.
    pub(crate) fn camera(&mut self, make: Option<Vec<u8>>, model: Option<Vec<u8>>) {
        self.make = self.make.take().or(make.and_then(|make| trimmed(&make)));
        self.model = self.model.take().or(model.and_then(|model| trimmed(&model)));
    }

    /// Keeps a date that a container spells out, unless it is a day alone: of these, films and music tell when they were
    /// published.
    pub(crate) fn found_text(&mut self, source: Source, text: &[u8]) {
        self.found(source, when::parse_container(text).filter(|date| date.precision != Precision::Day));
    }

    /// Whether there is a date of this source.
    pub(crate) fn has(&self, source: Source) -> bool {
        self.dates.iter().any(|&(other, _)| other == source)
    }
}

/// Kinds of files that ingest treats differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Kind {
    /// A camera's raw picture.
    Raw,
    /// Any other picture.
    Still,
    /// A video.
    Video,
    /// Anything else.
    #[default]
    Other,
}

/// A text without blanks and NULs around it, if anything is left.
fn trimmed(text: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(text);
    let text = text.trim_matches(|letter: char| letter.is_whitespace() || letter == '\0');
    (!text.is_empty()).then(|| text.to_owned())
}

/// Reads what `file` says of itself. Damaged content gives fewer facts, never an error.
///
/// # Errors
/// What the system says where the file cannot be read.
pub fn read(file: &File) -> io::Result<Facts> {
    let mut bytes = Bytes::new(file)?;
    let mut facts = Facts::default();
    tell(&mut bytes, &mut facts);
    // What the disk does not give must not look like what the file does not say: the next source would win.
    bytes.check()?;
    Ok(facts)
}

fn tell(bytes: &mut Bytes, facts: &mut Facts) {
    let head = bytes.up_to(0, format::HEAD).unwrap_or_default();
    if let Some(format) = format::of(&head) {
        facts.kind = format.kind();
        dispatch(format, bytes, facts);
    }
}

fn dispatch(format: Format, bytes: &mut Bytes, facts: &mut Facts) {
    let whole = 0..bytes.len();
    match format {
        Format::Jpeg => jpeg::read(bytes, whole, facts),
        Format::Png => png::read(bytes, facts),
        Format::WebP => webp::read(bytes, facts),
        Format::Tiff => exif::read_file(bytes, facts),
        Format::PanasonicOrOlympus => exif::read_raw(bytes, facts),
        Format::Fujifilm => raw::fujifilm(bytes, facts),
        Format::Minolta => raw::minolta(bytes, facts),
        Format::Sigma => raw::sigma(bytes, facts),
        Format::Cr3 => canon::cr3(bytes, facts),
        Format::Crw => canon::crw(bytes, facts),
        Format::Heif => heif::read(bytes, facts),
        Format::Photoshop => photoshop::read(bytes, facts),
        Format::Gif => gif::read(bytes, facts),
        Format::QuickTime => quicktime::read(bytes, facts),
        Format::Matroska => matroska::read(bytes, facts),
        Format::Avi => avi::read(bytes, facts),
        Format::TransportStream => mdpm::read(bytes, facts),
        Format::OtherStill | Format::OtherVideo => {}
    }
}
