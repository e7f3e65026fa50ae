//! Small videos with just the dates that a test asks for, and Canon's first raw format.

use super::{long, salt};
use chrono::NaiveDateTime;

/// From 1904 to 1970 in seconds.
const FROM_1904: i64 = 2_082_844_800;

/// Seconds since 1970 of a time of UTC like `2019-01-02 03:04:05`.
pub fn seconds(utc: &str) -> i64 {
    NaiveDateTime::parse_from_str(utc, "%Y-%m-%d %H:%M:%S").expect("a time").and_utc().timestamp()
}

/// A box of the ISO base media file format: its length, kind and body.
pub fn be_box(kind: [u8; 4], body: &[u8]) -> Vec<u8> {
    [&long(body.len() + 8).to_be_bytes(), &kind, body].concat()
}

/// A movie of the `QuickTime` family, its tracks without samples.
#[derive(Debug, Clone)]
pub struct Movie {
    header: u32,
    tracks: Vec<u32>,
    keys: Vec<(String, String)>,
    user_data: Vec<([u8; 4], String)>,
    salt: String,
}

impl Movie {
    pub fn new() -> Self {
        Self { header: 0, tracks: vec![], keys: vec![], user_data: vec![], salt: salt() }
    }

    /// The movie header's time as it stands in the file.
    pub fn header_raw(mut self, seconds: u32) -> Self {
        self.header = seconds;
        self
    }

    /// The movie header's time: UTC, since 1904.
    pub fn header(self, utc: &str) -> Self {
        self.header_raw(u32::try_from(seconds(utc) + FROM_1904).expect("a time of this format"))
    }

    /// One more track, its media header's time as it stands in the file.
    pub fn track_raw(mut self, seconds: u32) -> Self {
        self.tracks.push(seconds);
        self
    }

    /// One more track with its media header's time.
    pub fn media(self, utc: &str) -> Self {
        self.track_raw(u32::try_from(seconds(utc) + FROM_1904).expect("a time of this format"))
    }

    /// An entry of the Keys, e.g. `com.apple.quicktime.creationdate`.
    pub fn key(mut self, name: &str, value: &str) -> Self {
        self.keys.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn creation_date(self, text: &str) -> Self {
        self.key("com.apple.quicktime.creationdate", text)
    }

    /// `©day` in the user data.
    pub fn day(mut self, text: &str) -> Self {
        self.user_data.push((*b"\xa9day", text.to_owned()));
        self
    }

    pub fn content_id(self, id: &str) -> Self {
        self.key("com.apple.quicktime.content.identifier", id)
    }

    pub fn mov(&self) -> Vec<u8> {
        self.bytes(b"qt  \0\0\0\0qt  ")
    }

    pub fn mp4(&self) -> Vec<u8> {
        self.bytes(b"mp42\0\0\0\0mp42isom")
    }

    fn bytes(&self, brands: &[u8]) -> Vec<u8> {
        let none = [0];
        let times = if self.tracks.is_empty() { &none[..] } else { &self.tracks };
        let tracks = times.iter().flat_map(|time| track(*time)).collect();
        let parts = [self.movie_header(), tracks, self.user_data(), self.metadata()].concat();
        let data = be_box(*b"mdat", self.salt.as_bytes());
        [be_box(*b"ftyp", brands), data, be_box(*b"moov", &parts)].concat()
    }

    fn movie_header(&self) -> Vec<u8> {
        let mut body = vec![0; 4];
        for number in [self.header, self.header, 1000, 1000, 0x0001_0000] {
            body.extend(number.to_be_bytes());
        }
        body.extend([1, 0]);
        body.extend([0; 10]);
        body.extend(matrix());
        body.extend([0; 24]);
        body.extend(2_u32.to_be_bytes());
        be_box(*b"mvhd", &body)
    }

    fn user_data(&self) -> Vec<u8> {
        let entries: Vec<u8> = self.user_data.iter().flat_map(|(kind, text)| be_box(*kind, &spoken(text))).collect();
        if entries.is_empty() { entries } else { be_box(*b"udta", &entries) }
    }

    /// Keys and their values, as Apple's `QuickTime` File Format describes them under "Metadata".
    fn metadata(&self) -> Vec<u8> {
        if self.keys.is_empty() {
            return Vec::new();
        }
        let mut keys = [[0; 4], long(self.keys.len()).to_be_bytes()].concat();
        let mut items = Vec::new();
        for (index, (name, value)) in (1..).zip(&self.keys) {
            keys.extend(be_box(*b"mdta", name.as_bytes()));
            let data = be_box(*b"data", &[b"\0\0\0\x01\0\0\0\0", value.as_bytes()].concat());
            items.extend(be_box(long(index).to_be_bytes(), &data));
        }
        let parts = [handler([0; 4], *b"mdta"), be_box(*b"keys", &keys), be_box(*b"ilst", &items)].concat();
        be_box(*b"meta", &parts)
    }
}

fn track(time: u32) -> Vec<u8> {
    let mut header = b"\0\0\0\x07\0\0\0\0\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\x03\xe8".to_vec();
    header.extend([0; 16]);
    header.extend(matrix());
    header.extend([0; 8]);
    let mut media = vec![0; 4];
    for number in [time, time, 1000, 1000, 0x55c4_0000] {
        media.extend(number.to_be_bytes());
    }
    let parts = [be_box(*b"mdhd", &media), handler(*b"mhlr", *b"vide")].concat();
    be_box(*b"trak", &[be_box(*b"tkhd", &header), be_box(*b"mdia", &parts)].concat())
}

fn matrix() -> Vec<u8> {
    [0x0001_0000_u32, 0, 0, 0, 0x0001_0000, 0, 0, 0, 0x4000_0000].iter().flat_map(|part| part.to_be_bytes()).collect()
}

fn handler(component: [u8; 4], kind: [u8; 4]) -> Vec<u8> {
    be_box(*b"hdlr", &[&[0; 4], &component[..], &kind, &[0; 13]].concat())
}

/// A text of the user data: its length, its language (0, English), itself.
fn spoken(text: &str) -> Vec<u8> {
    [&u16::try_from(text.len()).expect("short").to_be_bytes(), &[0, 0], text.as_bytes()].concat()
}

/// A chunk of RIFF, to an even length.
fn riff(kind: [u8; 4], body: &[u8]) -> Vec<u8> {
    let mut bytes = [&kind, &long(body.len()).to_le_bytes(), body].concat();
    bytes.resize(bytes.len().next_multiple_of(2), 0);
    bytes
}

/// An AVI with an `IDIT` chunk in its header list.
pub fn avi(date: &str) -> Vec<u8> {
    let header = riff(*b"avih", &[0; 56]);
    let date = riff(*b"IDIT", format!("{date}\n\0").as_bytes());
    let list = riff(*b"LIST", &[b"hdrl", &header[..], &date].concat());
    let movie = riff(*b"LIST", &[b"movi", &riff(*b"JUNK", salt().as_bytes())[..]].concat());
    riff(*b"RIFF", &[b"AVI ", &list[..], &movie].concat())
}

/// An element of EBML, its length in four bytes.
fn element(id: &[u8], body: &[u8]) -> Vec<u8> {
    [id, &(0x1000_0000 | long(body.len())).to_be_bytes(), body].concat()
}

/// A Matroska file with a `DateUTC` and a tag `DATE_RECORDED`, each where it is given.
pub fn mkv(date_utc: Option<&str>, date_recorded: Option<&str>) -> Vec<u8> {
    let head = element(b"\x1a\x45\xdf\xa3", &element(b"\x42\x82", b"matroska"));
    let mut info = element(b"\x2a\xd7\xb1", &1_000_000_u32.to_be_bytes());
    info.extend(element(b"\x4d\x80", salt().as_bytes()));
    if let Some(date) = date_utc {
        let nanoseconds = (seconds(date) - seconds("2001-01-01 00:00:00")) * 1_000_000_000;
        info.extend(element(b"\x44\x61", &nanoseconds.to_be_bytes()));
    }
    let mut parts = element(b"\x15\x49\xa9\x66", &info);
    if let Some(date) = date_recorded {
        let pair = [element(b"\x45\xa3", b"DATE_RECORDED"), element(b"\x44\x87", date.as_bytes())].concat();
        let tag = [element(b"\x63\xc0", b""), element(b"\x67\xc8", &pair)].concat();
        parts.extend(element(b"\x12\x54\xc3\x67", &element(b"\x73\x73", &tag)));
    }
    [head, element(b"\x18\x53\x80\x67", &parts)].concat()
}

/// An AVCHD stream whose H.264 has an MDPM block with these digits, `YYYYMMDDhhmmss`, in zone UTC+1.
pub fn m2ts(digits: &str) -> Vec<u8> {
    let bcd: Vec<u8> = (0..7).map(|at| u8::from_str_radix(&digits[2 * at..2 * at + 2], 16).expect("digits")).collect();
    let mut user = b"\x17\xee\x8c\x60\xf8\x4d\x11\xd9\x8c\xd6\x08\0\x20\x0c\x9a\x66MDPM\x02\x18\x02".to_vec();
    user.extend(&bcd[..3]);
    user.push(0x19);
    user.extend(&bcd[3..]);
    let mut stream = b"\0\0\x01\xe0\0\0\x80\0\0\0\0\0\x01\x09\x10\0\0\0\x01\x06\x05".to_vec();
    stream.push(u8::try_from(user.len()).expect("short"));
    stream.extend(&user);
    stream.extend(b"\x80\0\0\0\x01\x65");
    stream.extend(salt().as_bytes());
    let programs = section(b"\0\xb0\x0d\0\x01\xc1\0\0\0\x01\xe1\0");
    let streams = section(b"\x02\xb0\x12\0\x01\xc1\0\0\xf0\x11\xf0\0\x1b\xf0\x11\xf0\0");
    let mut file = [packet(0, &programs), packet(0x100, &streams), packet(0x1011, &stream)].concat();
    (0..61).for_each(|_| file.extend(packet(0x1fff, b"")));
    file
}

/// A packet of 192 bytes that starts a unit (ISO/IEC 13818-1, 2.4.3.2, after the four bytes of M2TS).
fn packet(pid: u16, payload: &[u8]) -> Vec<u8> {
    let [high, low] = pid.to_be_bytes();
    let mut bytes = vec![0, 0, 0, 0, 0x47, 0x40 | high, low, 0x10];
    bytes.extend(payload);
    bytes.resize(192, 0xff);
    bytes
}

/// A table's section with its pointer and checksum (ISO/IEC 13818-1, annex A).
fn section(body: &[u8]) -> Vec<u8> {
    let crc = body.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ (u32::from(*byte) << 24), |crc, _| (crc << 1) ^ if crc >> 31 == 1 { 0x04c1_1db7 } else { 0 })
    });
    [&[0], body, &crc.to_be_bytes()].concat()
}

/// A CRW, Canon's raw format in CIFF, whose `TimeStamp` (0x180e) is this wall clock.
pub fn crw(wall: &str) -> Vec<u8> {
    let stamp = [u32::try_from(seconds(wall)).expect("a time of this format").to_le_bytes(), [0; 4], [0; 4]].concat();
    let properties = heap(&[(0x180e, &stamp)]);
    let all = heap(&[(0x0805, salt().as_bytes()), (0x300a, &properties)]);
    [b"II\x1a\0\0\0HEAPCCDR\x02\0\x01\0\0\0\0\0\0\0\0\0", &all[..]].concat()
}

/// A heap of CIFF: the values, a directory of them, the directory's offset.
fn heap(entries: &[(u16, &[u8])]) -> Vec<u8> {
    let mut values = Vec::new();
    let mut directory = u16::try_from(entries.len()).expect("few").to_le_bytes().to_vec();
    for (tag, value) in entries {
        directory.extend(tag.to_le_bytes());
        directory.extend([long(value.len()).to_le_bytes(), long(values.len()).to_le_bytes()].concat());
        values.extend(*value);
    }
    let start = long(values.len());
    [values, directory, start.to_le_bytes().to_vec()].concat()
}
