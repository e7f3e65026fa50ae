//! Boxes of the ISO base media file format (ISO/IEC 14496-12 § 4.2) and atoms of `QuickTime`, which have the same form.
//!
//! A walk reads headers only and steps over what they enclose, so that a moov at the end of a long video costs a few
//! reads. Every step goes forward by 8 bytes or more, and [`Bytes`] ends all walks by its budget.

use super::source::Bytes;

/// A box: its type and where its content stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Part {
    /// Type, four bytes as they are.
    pub(crate) kind: [u8; 4],
    /// The extended type of a `uuid` box.
    pub(crate) uuid: Option<[u8; 16]>,
    /// Where its content begins in the file, behind the header.
    pub(crate) start: u64,
    /// Where its content ends, no further than what encloses it.
    pub(crate) end: u64,
    /// Whether it says that it is longer than what encloses it.
    pub(crate) cut: bool,
}

impl Part {
    /// Length of its content in bytes.
    pub(crate) fn len(&self) -> u64 {
        self.end.saturating_sub(self.start)
    }

    /// The boxes in it, which begin `skip` bytes into its content: 4 for the version and flags of a full box.
    pub(crate) fn parts(&self, skip: u64) -> Boxes {
        Boxes::within(self.start.saturating_add(skip), self.end)
    }

    /// The boxes of a `meta` box: a full box in ISO files (§ 8.11.1), a plain atom in those of `QuickTime`.
    pub(crate) fn meta_parts(&self, bytes: &mut Bytes) -> Boxes {
        // No box is of size 0 within another, so that zero is a version with flags.
        let full = bytes.array(self.start) == Some([0; 4]);
        self.parts(if full { 4 } else { 0 })
    }

    /// Its whole content, or `None` where that is cut short or longer than `most` bytes.
    pub(crate) fn content(&self, bytes: &mut Bytes, most: usize) -> Option<Vec<u8>> {
        let len = usize::try_from(self.len()).ok().filter(|&len| len <= most && !self.cut)?;
        bytes.at(self.start, len)
    }

    /// The first bytes of its content, no more than `most`.
    pub(crate) fn head(&self, bytes: &mut Bytes, most: usize) -> Option<Vec<u8>> {
        bytes.at(self.start, usize::try_from(self.len()).map_or(most, |len| len.min(most)))
    }
}

/// A walk over the boxes that stand side by side in a range.
#[derive(Debug, Clone)]
pub(crate) struct Boxes {
    at: u64,
    end: u64,
}

impl Boxes {
    /// The boxes from `start` to `end`, both positions in the file.
    pub(crate) fn within(start: u64, end: u64) -> Self {
        Self { at: start, end }
    }

    /// The boxes of the whole file.
    pub(crate) fn of(bytes: &Bytes) -> Self {
        Self::within(0, bytes.len())
    }

    /// The next box. `None` at the end, and where no header can be: then nothing further can be found either.
    pub(crate) fn next(&mut self, bytes: &mut Bytes) -> Option<Part> {
        let start = self.at;
        let room = self.end.checked_sub(start).filter(|&room| room >= 8)?;
        let head: [u8; 8] = bytes.array(start)?;
        let [s0, s1, s2, s3, kind @ ..] = head;
        let (mut header, size) = match u32::from_be_bytes([s0, s1, s2, s3]) {
            // The 32-bit zero that ends a list of user data in QuickTime files.
            0 if kind == [0; 4] => return None,
            0 => (8, room),
            1 => (16, u64::from_be_bytes(bytes.array(start.checked_add(8)?)?)),
            size => (8, u64::from(size)),
        };
        let mut uuid = None;
        if kind == *b"uuid" {
            uuid = Some(bytes.array(start.checked_add(header)?)?);
            header += 16;
        }
        if size < header || room < header {
            return None;
        }
        let (len, cut) = if size > room { (room, true) } else { (size, false) };
        self.at = start.checked_add(len)?;
        Some(Part { kind, uuid, start: start.checked_add(header)?, end: self.at, cut })
    }

    /// The next box of this type.
    pub(crate) fn find(&mut self, bytes: &mut Bytes, kind: [u8; 4]) -> Option<Part> {
        loop {
            let part = self.next(bytes)?;
            if part.kind == kind {
                return Some(part);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Types and contents of the boxes, the whole ones with `=`, the cut with `~`.
    fn walked(content: &[u8]) -> String {
        let mut bytes = Bytes::of(content);
        let mut boxes = Boxes::of(&bytes);
        let mut found = Vec::new();
        while let Some(part) = boxes.next(&mut bytes) {
            let text = part.head(&mut bytes, 64).expect("within the file");
            let sign = if part.cut { '~' } else { '=' };
            let kind = part.kind.escape_ascii();
            found.push(format!("{kind}{sign}{}", text.escape_ascii()));
        }
        found.join(" ")
    }

    #[test]
    fn sizes_are_narrow_wide_open_or_cut() {
        assert_eq!(walked(b"\0\0\0\x0Afreeab\0\0\0\x08wide\0\0\0\x09skipc"), "free=ab wide= skip=c");
        assert_eq!(walked(b"\0\0\0\x01mdat\0\0\0\0\0\0\0\x12ab\0\0\0\x08free"), "mdat=ab free=");
        assert_eq!(walked(b"\0\0\0\0mdatrest"), "mdat=rest");
        assert_eq!(walked(b"\0\0\0\x0Ffreecut"), "free~cut");
        assert_eq!(walked(b"\0\0\0\x01mdat\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFFcut"), "mdat~cut");
        assert_eq!(walked(b"\0\0\0\x1Buuid0123456789abcdefxyz"), "uuid=xyz");
    }

    #[test]
    fn what_is_no_box_ends_the_walk() {
        for end in [
            &b"\0\0\0\0"[..],
            b"\0\0\0\0\0\0\0\0rest",
            b"\0\0\0\x07free",
            b"\0\0\0\x01mdat\0\0\0\0\0\0\0\x0F",
            b"\0\0\0\x10uuid01234567",
        ] {
            assert_eq!(walked(&[b"\0\0\0\x08free", end].concat()), "free=", "{}", end.escape_ascii());
        }
    }

    #[test]
    fn metadata_is_a_full_box_or_a_plain_one() {
        for (content, skipped) in
            [(&b"\0\0\0\x10meta\0\0\0\x08hdlr"[..], 0), (b"\0\0\0\x14meta\0\0\0\0\0\0\0\x08hdlr", 4)]
        {
            let mut bytes = Bytes::of(content);
            let meta = Boxes::of(&bytes).next(&mut bytes).expect("a box");
            let found = meta.meta_parts(&mut bytes).find(&mut bytes, *b"hdlr").expect("a handler");
            assert_eq!(found.start, 16 + skipped);
        }
    }

    #[test]
    fn content_is_whole_and_bounded() {
        let content = b"\0\0\0\x0Cfreeabcd\0\0\0\x0Cskipab";
        let mut bytes = Bytes::of(content);
        let mut boxes = Boxes::of(&bytes);
        let whole = boxes.next(&mut bytes).expect("a box");
        assert_eq!(whole.content(&mut bytes, 4).as_deref(), Some(&b"abcd"[..]));
        assert_eq!(whole.content(&mut bytes, 3), None);
        assert_eq!(whole.head(&mut bytes, 3).as_deref(), Some(&b"abc"[..]));
        let cut = boxes.next(&mut bytes).expect("a box");
        assert_eq!(cut.content(&mut bytes, 4), None);
        assert_eq!(cut.head(&mut bytes, 4).as_deref(), Some(&b"ab"[..]));
    }
}
