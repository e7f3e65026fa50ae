//! How Google Takeout names the JSON beside a picture.
//!
//! Of `IMG_1.jpg` it is `IMG_1.jpg.json` or, since 2024, `IMG_1.jpg.supplemental-metadata.json`. What stands before
//! `.json` is cut to 46 characters, wherever that is. A number that tells copies apart stands behind it all:
//! `IMG_1(2).jpg` has `IMG_1.jpg(2).json` or `IMG_1.jpg.supplemental-metadata(2).json`.

use std::collections::BTreeMap;

use super::{Form, split};

/// What newer exports append to the name of the picture.
pub(in crate::ingest) const SUPPLEMENTAL: &[u8] = b"supplemental-metadata";

/// Characters that are left before `.json`.
const CUT: usize = 46;

/// The names that those of JSON files can be made from: a number or nothing, and the name without it.
pub(super) struct Names(BTreeMap<(Vec<u8>, Vec<u8>), usize>);

impl Names {
    /// Of the files of one directory, in the order of their names.
    pub(super) fn new<'a>(files: impl Iterator<Item = (&'a [u8], usize)>) -> Self {
        let mut names = BTreeMap::new();
        for (name, file) in files {
            names.entry((Vec::new(), name.to_vec())).or_insert(file);
            let (stem, extension) = split(name);
            let (stem, number) = split_number(stem);
            if !number.is_empty() {
                let dot: &[u8] = if extension.is_empty() { b"" } else { b"." };
                names.entry((number.to_vec(), [stem, dot, extension].concat())).or_insert(file);
            }
        }
        Self(names)
    }

    /// Whose JSON this is, by its name without `.json`.
    pub(super) fn find(&self, json: &[u8]) -> Option<(usize, Form)> {
        let (bare, number) = split_number(json);
        self.whole(bare, number).or_else(|| self.supplemental(bare, number)).or_else(|| self.cut(bare, number))
    }

    fn whole(&self, bare: &[u8], number: &[u8]) -> Option<(usize, Form)> {
        let file = self.0.get(&(number.to_vec(), bare.to_vec()))?;
        Some((*file, Form::Whole))
    }

    fn supplemental(&self, bare: &[u8], number: &[u8]) -> Option<(usize, Form)> {
        let dot = memchr::memrchr(b'.', bare).filter(|dot| SUPPLEMENTAL.starts_with(&bare[dot + 1..]))?;
        let (file, _) = self.whole(&bare[..dot], number)?;
        Some((file, Form::Supplemental))
    }

    /// Where the cut went through the name itself.
    fn cut(&self, bare: &[u8], number: &[u8]) -> Option<(usize, Form)> {
        let chars = String::from_utf8_lossy(bare).chars().count();
        if ![chars, chars.saturating_add(number.len())].contains(&CUT) {
            return None;
        }
        let ((of, name), file) = self.0.range((number.to_vec(), bare.to_vec())..).next()?;
        (of == number && name.starts_with(bare)).then_some((*file, Form::Whole))
    }
}

/// Splits off a number in parentheses at the end.
fn split_number(text: &[u8]) -> (&[u8], &[u8]) {
    let number = || {
        let open = memchr::memrchr(b'(', text.strip_suffix(b")")?).filter(|open| *open > 0)?;
        let digits = &text[open + 1..text.len() - 1];
        let is_number = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
        is_number.then(|| text.split_at(open))
    };
    number().unwrap_or((text, b""))
}
