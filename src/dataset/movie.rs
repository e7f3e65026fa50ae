//! MP4 and `QuickTime` movies: one track of JPEG frames, which every player shows.
//!
//! ISO/IEC 14496-12 (the boxes), 14496-14 (MP4) and Apple's `QuickTime` File Format are cited by box.

use std::io::{self, Write};

use super::fill::Fill;
use super::jpeg;
use super::kind::Kind;
use super::picture::Scene;
use super::plan::Content;

/// Units of time in a second.
const TIMESCALE: u32 = 600;

/// How long a frame stands, in those units.
const FRAME_TIME: u32 = 60;

/// Seconds from 1904-01-01, where movies count from, to 1970-01-01.
const EPOCH: i64 = 2_082_844_800;

/// No rotation: the unity matrix in 16.16 and 2.30 fixed point (8.2.2).
const MATRIX: [u32; 9] = [0x1_0000, 0, 0, 0, 0x1_0000, 0, 0, 0, 0x4000_0000];

/// Writes the whole content: the tables first, then the frames and behind them the filling, all of it in one
/// `mdat` as movies have it. No sample lies in the filling, so that no player looks at it.
pub(super) fn write(content: &Content, out: &mut impl Write) -> io::Result<()> {
    let movie = Movie::new(content)?;
    // The offset of the frames is as long, whatever it is.
    let start = movie.head(0).len() as u64;
    let frames: u64 = movie.frames.iter().map(|frame| frame.len() as u64).sum();
    let room = content.size.checked_sub(start).filter(|room| *room >= 16 + frames);
    let room = room.ok_or_else(|| io::Error::other("the frames came out too large"))?;
    let header = data_header(room);
    out.write_all(&movie.head(start + header.len() as u64))?;
    out.write_all(&header)?;
    for frame in &movie.frames {
        out.write_all(frame)?;
    }
    let filling = room - header.len() as u64 - frames;
    Fill::new(content, filling).write(filling, out)
}

/// The header of `mdat`; from 4 GiB on its size is 1 and the real one follows (4.2).
fn data_header(size: u64) -> Vec<u8> {
    match u32::try_from(size) {
        Ok(size) => [&size.to_be_bytes(), &b"mdat"[..]].concat(),
        Err(_) => [&[0, 0, 0, 1], &b"mdat"[..], &size.to_be_bytes()].concat(),
    }
}

struct Movie<'a> {
    content: &'a Content,
    width: u16,
    height: u16,
    frames: Vec<Vec<u8>>,
}

impl<'a> Movie<'a> {
    fn new(content: &'a Content) -> io::Result<Self> {
        let (width, height, count) = match content.size {
            0..64_000 => (48, 32, 4),
            64_000..1_000_000 => (96, 64, 8),
            _ => (160, 112, 15),
        };
        let scene = Scene::new(&mut content.random("picture"));
        let draw = |step: i64| jpeg::encode(&scene.after(40 * step).draw(width, height), false);
        let frames = (0..count).map(draw).collect::<io::Result<_>>()?;
        Ok(Self { content, width, height, frames })
    }

    fn is_quicktime(&self) -> bool {
        self.content.kind == Kind::Mov
    }

    /// Everything before the data, which starts at `offset`.
    fn head(&self, offset: u64) -> Vec<u8> {
        let brands: &[u8] = if self.is_quicktime() { b"qt  \0\0\x02\0qt  " } else { b"mp42\0\0\0\0mp42isom" };
        let mut boxes = vec![self.movie_header(), self.track(offset)];
        if self.is_quicktime() {
            boxes.push(self.apple_metadata());
        }
        [atom(*b"ftyp", brands), parent(*b"moov", &boxes)].concat()
    }

    /// Creation and modification time.
    fn times(&self) -> Vec<u8> {
        let seconds = u32::try_from(self.content.inside.timestamp() + EPOCH).unwrap_or(0);
        [seconds.to_be_bytes(), seconds.to_be_bytes()].concat()
    }

    fn duration(&self) -> u32 {
        FRAME_TIME * self.count()
    }

    fn count(&self) -> u32 {
        u32::try_from(self.frames.len()).unwrap_or(0)
    }

    fn movie_header(&self) -> Vec<u8> {
        let rate_and_volume = [&words(&[0x1_0000])[..], &[1, 0], &[0; 10]].concat();
        let times = [self.times(), words(&[TIMESCALE, self.duration()])].concat();
        full_atom(*b"mvhd", 0, &[times, rate_and_volume, words(&MATRIX), vec![0; 24], words(&[2])].concat())
    }

    fn track(&self, offset: u64) -> Vec<u8> {
        let media = [self.media_header(), self.handler(), self.media_information(offset)];
        parent(*b"trak", &[self.track_header(), parent(*b"mdia", &media)])
    }

    fn track_header(&self) -> Vec<u8> {
        // Enabled, in the movie, in the preview.
        const FLAGS: u32 = 7;
        let sizes = words(&[u32::from(self.width) << 16, u32::from(self.height) << 16]);
        let times = [self.times(), words(&[1, 0, self.duration()])].concat();
        full_atom(*b"tkhd", FLAGS, &[times, vec![0; 16], words(&MATRIX), sizes].concat())
    }

    fn media_header(&self) -> Vec<u8> {
        // "und" in five bits a letter (8.4.2); in QuickTime, 32767 stands for unspecified.
        let language: u16 = if self.is_quicktime() { 32_767 } else { 0x55c4 };
        let times = [self.times(), words(&[TIMESCALE, self.duration()])].concat();
        full_atom(*b"mdhd", 0, &[&times, &language.to_be_bytes()[..], &[0; 2]].concat())
    }

    fn handler(&self) -> Vec<u8> {
        let (class, name): (&[u8], &[u8]) =
            if self.is_quicktime() { (b"mhlr", b"\x05video") } else { (&[0; 4], b"video\0") };
        full_atom(*b"hdlr", 0, &[class, b"vide", &[0; 12], name].concat())
    }

    fn media_information(&self, offset: u64) -> Vec<u8> {
        let here = full_atom(*b"url ", 1, &[]);
        let references = full_atom(*b"dref", 0, &[words(&[1]), here].concat());
        let video = full_atom(*b"vmhd", 1, &[0; 8]);
        parent(*b"minf", &[video, parent(*b"dinf", &[references]), self.sample_table(offset)])
    }

    fn sample_table(&self, offset: u64) -> Vec<u8> {
        let offset = u32::try_from(offset).unwrap_or(0);
        let sizes: Vec<u32> = self.frames.iter().map(|frame| u32::try_from(frame.len()).unwrap_or(0)).collect();
        parent(
            *b"stbl",
            &[
                full_atom(*b"stsd", 0, &[words(&[1]), self.sample_entry()].concat()),
                full_atom(*b"stts", 0, &words(&[1, self.count(), FRAME_TIME])),
                full_atom(*b"stsc", 0, &words(&[1, 1, self.count(), 1])),
                full_atom(*b"stsz", 0, &[words(&[0, self.count()]), words(&sizes)].concat()),
                full_atom(*b"stco", 0, &words(&[1, offset])),
            ],
        )
    }

    fn sample_entry(&self) -> Vec<u8> {
        let (format, vendor, name) =
            if self.is_quicktime() { (*b"jpeg", *b"appl", "Photo - JPEG") } else { (*b"mp4v", [0; 4], "") };
        let mut body = [&[0; 6], &[0, 1][..], &[0; 4], &vendor].concat();
        // Qualities from 0 to 1024, which MP4 reserves.
        let quality = if self.is_quicktime() { 512 } else { 0 };
        body.extend(words(&[0, quality]));
        body.extend([self.width.to_be_bytes(), self.height.to_be_bytes()].concat());
        // 72 dots an inch both ways, no data size, one frame a sample.
        body.extend(words(&[72 << 16, 72 << 16, 0]));
        body.extend([0, 1]);
        let mut compressor = [0; 32];
        compressor[0] = u8::try_from(name.len()).unwrap_or(0);
        compressor[1..=name.len()].copy_from_slice(name.as_bytes());
        body.extend(compressor);
        // 24 bits a pixel, no colour table.
        body.extend([0, 24, 0xff, 0xff]);
        if !self.is_quicktime() {
            body.extend(self.elementary_stream());
        }
        atom(format, &body)
    }

    /// Tells MP4 players that the frames are JPEG: object type 0x6C, a visual stream (14496-1, 7.2.6).
    fn elementary_stream(&self) -> Vec<u8> {
        let largest = self.frames.iter().map(Vec::len).max().unwrap_or(0);
        let largest = u32::try_from(largest).unwrap_or(0);
        let rate = largest.saturating_mul(8 * TIMESCALE / FRAME_TIME);
        let buffer = &largest.to_be_bytes()[1..];
        let decoder = [&[0x6c, 0x11], buffer, &words(&[rate, rate])].concat();
        let stream = [&[0, 1, 0][..], &descriptor(4, &decoder), &descriptor(6, &[2])].concat();
        full_atom(*b"esds", 0, &descriptor(3, &stream))
    }

    /// What phones of this make write beside the header's time: the time with its zone.
    fn apple_metadata(&self) -> Vec<u8> {
        let created = self.content.inside.format("%Y-%m-%dT%H:%M:%S+0000").to_string();
        let entries = [
            ("com.apple.quicktime.make", self.content.camera.make),
            ("com.apple.quicktime.model", self.content.camera.model),
            ("com.apple.quicktime.creationdate", &created),
        ];
        let mut keys = words(&[3]);
        let mut items = Vec::new();
        for ((key, value), number) in entries.iter().zip(1_u32..) {
            keys.extend(atom(*b"mdta", key.as_bytes()));
            // Type 1: UTF-8; no locale.
            let data = atom(*b"data", &[&words(&[1, 0]), value.as_bytes()].concat());
            items.extend(atom(number.to_be_bytes(), &data));
        }
        let handler = full_atom(*b"hdlr", 0, &[&[0; 4], &b"mdta"[..], &[0; 13]].concat());
        parent(*b"meta", &[handler, full_atom(*b"keys", 0, &keys), atom(*b"ilst", &items)])
    }
}

/// A descriptor of less than 128 bytes (14496-1, 8.3.3).
fn descriptor(tag: u8, body: &[u8]) -> Vec<u8> {
    [&[tag, u8::try_from(body.len()).unwrap_or(127)], body].concat()
}

/// A box: size, type, body.
fn atom(kind: [u8; 4], body: &[u8]) -> Vec<u8> {
    let size = u32::try_from(8 + body.len()).unwrap_or(0);
    [&size.to_be_bytes(), &kind, body].concat()
}

/// A box that starts with a version, always 0, and flags.
fn full_atom(kind: [u8; 4], flags: u32, body: &[u8]) -> Vec<u8> {
    atom(kind, &[&flags.to_be_bytes(), body].concat())
}

/// A box of boxes.
fn parent(kind: [u8; 4], children: &[Vec<u8>]) -> Vec<u8> {
    atom(kind, &children.concat())
}

fn words(numbers: &[u32]) -> Vec<u8> {
    numbers.iter().flat_map(|number| number.to_be_bytes()).collect()
}
