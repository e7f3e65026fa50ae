//! What a file is, by the ending of its name: nothing is opened for it.

use super::chart::{self, Slice};
use super::markup::{Html, Text};
use super::tally::Tally;
use crate::report;

/// Kinds of files as the page counts them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Picture,
    Raw,
    Video,
    Sound,
    Sidecar,
    Other,
}

impl Kind {
    const ALL: [Self; 6] = [Self::Picture, Self::Raw, Self::Video, Self::Sound, Self::Sidecar, Self::Other];

    /// As people call many of them.
    fn plural(self) -> &'static str {
        match self {
            Self::Picture => "Pictures",
            Self::Raw => "Raw pictures",
            Self::Video => "Videos",
            Self::Sound => "Sound",
            Self::Sidecar => "Sidecars",
            Self::Other => "Other files",
        }
    }

    /// As people call one of them.
    pub(super) fn singular(self) -> &'static str {
        match self {
            Self::Picture => "picture",
            Self::Raw => "raw picture",
            Self::Video => "video",
            Self::Sound => "sound",
            Self::Sidecar => "sidecar",
            Self::Other => "file",
        }
    }
}

/// Endings that are known. Others are counted together, for there is no end to what stands behind a dot.
const ENDINGS: [(&str, Kind); 71] = [
    ("jpg", Kind::Picture),
    ("jpeg", Kind::Picture),
    ("jpe", Kind::Picture),
    ("jfif", Kind::Picture),
    ("heic", Kind::Picture),
    ("heif", Kind::Picture),
    ("avif", Kind::Picture),
    ("jxl", Kind::Picture),
    ("jp2", Kind::Picture),
    ("png", Kind::Picture),
    ("gif", Kind::Picture),
    ("webp", Kind::Picture),
    ("bmp", Kind::Picture),
    ("tif", Kind::Picture),
    ("tiff", Kind::Picture),
    ("psd", Kind::Picture),
    ("svg", Kind::Picture),
    ("3fr", Kind::Raw),
    ("arw", Kind::Raw),
    ("cr2", Kind::Raw),
    ("cr3", Kind::Raw),
    ("crw", Kind::Raw),
    ("dng", Kind::Raw),
    ("erf", Kind::Raw),
    ("iiq", Kind::Raw),
    ("kdc", Kind::Raw),
    ("mrw", Kind::Raw),
    ("nef", Kind::Raw),
    ("nrw", Kind::Raw),
    ("orf", Kind::Raw),
    ("pef", Kind::Raw),
    ("raf", Kind::Raw),
    ("raw", Kind::Raw),
    ("rw2", Kind::Raw),
    ("sr2", Kind::Raw),
    ("srw", Kind::Raw),
    ("x3f", Kind::Raw),
    ("3gp", Kind::Video),
    ("avi", Kind::Video),
    ("flv", Kind::Video),
    ("m2ts", Kind::Video),
    ("m4v", Kind::Video),
    ("mkv", Kind::Video),
    ("mov", Kind::Video),
    ("mp4", Kind::Video),
    ("mpeg", Kind::Video),
    ("mpg", Kind::Video),
    ("mts", Kind::Video),
    ("webm", Kind::Video),
    ("wmv", Kind::Video),
    ("aac", Kind::Sound),
    ("aif", Kind::Sound),
    ("aiff", Kind::Sound),
    ("amr", Kind::Sound),
    ("flac", Kind::Sound),
    ("m4a", Kind::Sound),
    ("mp3", Kind::Sound),
    ("ogg", Kind::Sound),
    ("opus", Kind::Sound),
    ("wav", Kind::Sound),
    ("wma", Kind::Sound),
    ("aae", Kind::Sidecar),
    ("json", Kind::Sidecar),
    ("pp3", Kind::Sidecar),
    ("srt", Kind::Sidecar),
    ("thm", Kind::Sidecar),
    ("xmp", Kind::Sidecar),
    ("doc", Kind::Other),
    ("pdf", Kind::Other),
    ("txt", Kind::Other),
    ("zip", Kind::Other),
];

/// The known ending of a path, by its place in [`ENDINGS`].
fn ending(path: &[u8]) -> Option<usize> {
    let name = path.rsplit(|byte| *byte == b'/').next()?;
    let dot = memchr::memrchr(b'.', name).filter(|dot| *dot > 0)?;
    let ending = &name[dot + 1..];
    ENDINGS.iter().position(|(known, _)| known.as_bytes().eq_ignore_ascii_case(ending))
}

/// What the file of a path is, with its ending in capitals where that is known: `MP4`.
pub(super) fn of(path: &[u8]) -> (Kind, Option<String>) {
    match ending(path).and_then(|place| ENDINGS.get(place)) {
        Some((ending, kind)) => (*kind, Some(ending.to_uppercase())),
        None => (Kind::Other, None),
    }
}

/// Files and bytes by kind and by ending.
#[derive(Debug)]
pub(super) struct Kinds {
    known: [Tally; ENDINGS.len()],
    unknown: Tally,
}

impl Default for Kinds {
    fn default() -> Self {
        Self { known: [Tally::default(); ENDINGS.len()], unknown: Tally::default() }
    }
}

impl Kinds {
    /// Adds a file.
    pub(super) fn add(&mut self, path: &[u8], size: u64) {
        match ending(path).and_then(|place| self.known.get_mut(place)) {
            Some(tally) => tally.add(size),
            None => self.unknown.add(size),
        }
    }

    fn of(&self, kind: Kind) -> Tally {
        let mut sum = if kind == Kind::Other { self.unknown } else { Tally::default() };
        self.endings(kind).for_each(|(_, tally)| sum += tally);
        sum
    }

    /// The endings of a kind that came up.
    fn endings(&self, kind: Kind) -> impl Iterator<Item = (&'static str, Tally)> {
        let all = ENDINGS.iter().zip(self.known);
        all.filter(move |((_, other), tally)| *other == kind && tally.files > 0)
            .map(|((ending, _), tally)| (*ending, tally))
    }

    /// A bar in parts, and the table that tells the same, across the whole page or beside something else.
    pub(super) fn put(&self, html: &mut Html, is_wide: bool) {
        let found: Vec<(usize, Kind, Tally)> = Kind::ALL
            .into_iter()
            .enumerate()
            .map(|(place, kind)| (place, kind, self.of(kind)))
            .filter(|(_, _, tally)| tally.files > 0)
            .collect();
        let slices: Vec<Slice> = found
            .iter()
            .map(|(place, kind, tally)| Slice { class: *place, name: kind.plural(), bytes: tally.bytes })
            .collect();
        html.put(format_args!("<div class=\"part{}\"><h3>By kind</h3>", if is_wide { " wide" } else { "" }));
        chart::stack(html, "Bytes by kind of file", &slices);
        html.put(format_args!(
            "<table class=\"legend\"><thead><tr><th scope=\"col\">Kind<th scope=\"col\">Files<th scope=\"col\">Bytes\
             <tbody>"
        ));
        for (place, kind, tally) in found {
            let key = format!(
                "<svg class=\"key\" aria-hidden=\"true\"><rect class=\"k{place}\" width=\"100%\" height=\"100%\"/></svg>"
            );
            html.put(format_args!("<tr><th scope=\"row\">{key}{}", Text(kind.plural())));
            html.put(format_args!(" <span class=\"in\">{}</span>", Text(&self.endings_text(kind))));
            html.put(format_args!("<td>{}<td>{}", report::number(tally.files), report::bytes(tally.bytes)));
        }
        html.put(format_args!("</table></div>"));
    }

    /// `jpg 12,003, heic 88`, the most frequent first.
    fn endings_text(&self, kind: Kind) -> String {
        let mut endings: Vec<_> = self.endings(kind).map(|(ending, tally)| (tally.files, ending.to_owned())).collect();
        if kind == Kind::Other && self.unknown.files > 0 {
            endings.push((self.unknown.files, "others".to_owned()));
        }
        endings.sort_by(|one, other| other.0.cmp(&one.0).then_with(|| one.1.cmp(&other.1)));
        let texts: Vec<String> =
            endings.into_iter().map(|(files, ending)| format!("{ending} {}", report::number(files))).collect();
        texts.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_is_told_by_the_ending() {
        for (path, kind, ending) in [
            ("a/b.JPG", Kind::Picture, Some("JPG")),
            ("a/b.c.nef", Kind::Raw, Some("NEF")),
            ("x.MP4", Kind::Video, Some("MP4")),
            ("a.jpg/none", Kind::Other, None),
            (".jpg", Kind::Other, None),
            ("a.<script>", Kind::Other, None),
            ("", Kind::Other, None),
        ] {
            assert_eq!(of(path.as_bytes()), (kind, ending.map(str::to_owned)), "{path}");
        }
    }

    #[test]
    fn every_file_is_counted_once() {
        let mut kinds = Kinds::default();
        for path in ["a.jpg", "b.JPEG", "c.mov", "d.xyz", "e"] {
            kinds.add(path.as_bytes(), 10);
        }
        let files: u64 = Kind::ALL.into_iter().map(|kind| kinds.of(kind).files).sum();
        assert_eq!((files, kinds.of(Kind::Other).bytes), (5, 20));
        assert_eq!(kinds.endings_text(Kind::Picture), "jpeg 1, jpg 1");
    }
}
