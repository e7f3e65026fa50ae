//! Small photos with just the metadata that a test asks for, written byte by byte. Every sample is a content of its
//! own, so that none is the duplicate of another by accident.

use super::media::movies::be_box;
use jpeg_encoder::{ColorType, Encoder};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};

pub mod movies;

static SAMPLES: AtomicU64 = AtomicU64::new(0);

/// A text that no other sample of this test binary has.
pub fn salt() -> String {
    format!("sample {}", SAMPLES.fetch_add(1, Ordering::Relaxed))
}

/// A length or offset as the formats write it.
pub fn long(length: usize) -> u32 {
    u32::try_from(length).expect("samples are small")
}

/// Directories of tags in a TIFF structure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ifd {
    First,
    Exif,
    Gps,
}

pub const ORIGINAL: u16 = 0x9003;
pub const DIGITIZED: u16 = 0x9004;
pub const MODIFIED: u16 = 0x0132;
pub const OFFSET_ORIGINAL: u16 = 0x9011;
pub const SUBSEC_ORIGINAL: u16 = 0x9291;
pub const MAKE: u16 = 0x010f;
pub const MODEL: u16 = 0x0110;
const MAKER_NOTE: u16 = 0x927c;
const DNG_VERSION: u16 = 0xc612;

/// The value of a tag: its TIFF type, count, and bytes in little endian.
#[derive(Debug, Clone)]
struct Value {
    kind: u16,
    count: u32,
    bytes: Vec<u8>,
}

impl Value {
    fn ascii(text: &str) -> Self {
        let bytes = [text.as_bytes(), b"\0"].concat();
        Self { kind: 2, count: long(bytes.len()), bytes }
    }

    fn bytes(kind: u16, bytes: Vec<u8>) -> Self {
        Self { kind, count: long(bytes.len()), bytes }
    }

    fn rationals(numbers: &[u32]) -> Self {
        let bytes = numbers.iter().flat_map(|number| [number.to_le_bytes(), 1_u32.to_le_bytes()].concat()).collect();
        Self { kind: 5, count: long(numbers.len()), bytes }
    }

    /// Bytes that do not fit into the entry, to an even length.
    fn outside(&self) -> usize {
        if self.bytes.len() > 4 { self.bytes.len().next_multiple_of(2) } else { 0 }
    }
}

type Directory = BTreeMap<u16, Value>;

/// A directory and the values that do not fit into it, as they stand at `offset`.
fn encode(directory: &Directory, offset: usize) -> Vec<u8> {
    let mut entries = u16::try_from(directory.len()).expect("few tags").to_le_bytes().to_vec();
    let mut outside: Vec<u8> = Vec::new();
    let first_outside = offset + 2 + 12 * directory.len() + 4;
    for (tag, value) in directory {
        entries.extend(tag.to_le_bytes());
        entries.extend(value.kind.to_le_bytes());
        entries.extend(value.count.to_le_bytes());
        if value.outside() == 0 {
            let mut inside = value.bytes.clone();
            inside.resize(4, 0);
            entries.extend(inside);
        } else {
            entries.extend(long(first_outside + outside.len()).to_le_bytes());
            outside.extend(&value.bytes);
            outside.resize(outside.len().next_multiple_of(2), 0);
        }
    }
    entries.extend([0; 4]);
    [entries, outside].concat()
}

fn encoded_length(directory: &Directory) -> usize {
    2 + 12 * directory.len() + 4 + directory.values().map(Value::outside).sum::<usize>()
}

/// A picture: what it tells of itself, to be written as JPEG, PNG, TIFF, HEIC or a sidecar.
#[derive(Debug, Clone)]
pub struct Picture {
    tags: BTreeMap<Ifd, Directory>,
    xmp: Vec<(String, String)>,
    iptc: Vec<(u8, String)>,
    text: Vec<(String, String)>,
    time: Option<[u8; 7]>,
    salt: String,
}

impl Picture {
    pub fn new() -> Self {
        Self { tags: BTreeMap::new(), xmp: vec![], iptc: vec![], text: vec![], time: None, salt: salt() }
    }

    /// A tag with a text.
    pub fn tag(mut self, ifd: Ifd, tag: u16, text: &str) -> Self {
        self.tags.entry(ifd).or_default().insert(tag, Value::ascii(text));
        self
    }

    fn value(mut self, ifd: Ifd, tag: u16, value: Value) -> Self {
        self.tags.entry(ifd).or_default().insert(tag, value);
        self
    }

    /// `DateTimeOriginal` where it belongs.
    pub fn original(self, text: &str) -> Self {
        self.tag(Ifd::Exif, ORIGINAL, text)
    }

    pub fn digitized(self, text: &str) -> Self {
        self.tag(Ifd::Exif, DIGITIZED, text)
    }

    pub fn modified(self, text: &str) -> Self {
        self.tag(Ifd::First, MODIFIED, text)
    }

    /// Where and when by satellite: 1 N 2 E at a time of UTC.
    pub fn gps(self, date: &str, [hour, minute, second]: [u32; 3]) -> Self {
        self.tag(Ifd::Gps, 1, "N")
            .value(Ifd::Gps, 2, Value::rationals(&[1, 0, 0]))
            .tag(Ifd::Gps, 3, "E")
            .value(Ifd::Gps, 4, Value::rationals(&[2, 0, 0]))
            .value(Ifd::Gps, 7, Value::rationals(&[hour, minute, second]))
            .tag(Ifd::Gps, 0x1d, date)
    }

    /// The identifier that a Live Photo shares with its movie: tag 0x0011 of Apple's maker note.
    pub fn content_id(self, id: &str) -> Self {
        let text = [id.as_bytes(), b"\0"].concat();
        let mut note = b"Apple iOS\0\0\x01MM\0\x01\0\x11\0\x02".to_vec();
        note.extend(long(text.len()).to_be_bytes());
        note.extend(long(note.len() + 8).to_be_bytes());
        note.extend([0; 4]);
        note.extend(text);
        self.tag(Ifd::First, MAKE, "Apple").value(Ifd::Exif, MAKER_NOTE, Value::bytes(7, note))
    }

    /// A property of XMP, e.g. `exif:DateTimeOriginal`.
    pub fn xmp(mut self, name: &str, value: &str) -> Self {
        self.xmp.push((name.to_owned(), value.to_owned()));
        self
    }

    /// A data set of IPTC's record 2.
    pub fn iptc(mut self, dataset: u8, value: &str) -> Self {
        self.iptc.push((dataset, value.to_owned()));
        self
    }

    /// A text chunk of PNG.
    pub fn text(mut self, key: &str, value: &str) -> Self {
        self.text.push((key.to_owned(), value.to_owned()));
        self
    }

    /// The `tIME` chunk of PNG, UTC: year, month, day, hour, minute, second.
    pub fn time(mut self, year: u16, rest: [u8; 5]) -> Self {
        let [high, low] = year.to_be_bytes();
        let [month, day, hour, minute, second] = rest;
        self.time = Some([high, low, month, day, hour, minute, second]);
        self
    }

    /// The TIFF structure after `header`, which ends with the offset of the first directory.
    fn tiff_after(&self, header: &[u8]) -> Vec<u8> {
        let empty = Directory::new();
        let of = |ifd| self.tags.get(&ifd).unwrap_or(&empty);
        let mut first = of(Ifd::First).clone();
        let pointers = [(Ifd::Exif, 0x8769), (Ifd::Gps, 0x8825)].into_iter();
        let pointers: Vec<_> = pointers.filter(|(ifd, _)| !of(*ifd).is_empty()).collect();
        let pointer = |to: usize| Value { kind: 4, count: 1, bytes: long(to).to_le_bytes().to_vec() };
        for (_, tag) in &pointers {
            first.insert(*tag, pointer(0));
        }
        let mut next = header.len() + encoded_length(&first);
        let mut further = Vec::new();
        for (ifd, tag) in pointers {
            first.insert(tag, pointer(next));
            further.extend(encode(of(ifd), next));
            next = header.len() + encoded_length(&first) + further.len();
        }
        [header.to_vec(), encode(&first, header.len()), further].concat()
    }

    fn exif(&self) -> Option<Vec<u8>> {
        (!self.tags.is_empty()).then(|| self.tiff_after(b"II*\0\x08\0\0\0"))
    }

    /// A TIFF file, the salt as its `ImageDescription`.
    pub fn tiff(&self) -> Vec<u8> {
        self.clone().tag(Ifd::First, 0x010e, &self.salt).tiff_after(b"II*\0\x08\0\0\0")
    }

    /// A raw picture as Adobe defines it.
    pub fn dng(&self) -> Vec<u8> {
        self.clone().value(Ifd::First, DNG_VERSION, Value::bytes(1, vec![1, 4, 0, 0])).tiff()
    }

    /// A raw picture as Canon writes it: a TIFF whose header goes on with `CR`.
    pub fn cr2(&self) -> Vec<u8> {
        let header = b"II*\0\x10\0\0\0CR\x02\0\0\0\0\0";
        self.clone().tag(Ifd::First, MAKE, "Canon").tag(Ifd::First, 0x010e, &self.salt).tiff_after(header)
    }

    pub fn jpeg(&self) -> Vec<u8> {
        let mut plain = Vec::new();
        Encoder::new(&mut plain, 80).encode(&[128; 64], 8, 8, ColorType::Luma).expect("a JPEG");
        let mut segments = Vec::new();
        if let Some(exif) = self.exif() {
            segment(&mut segments, 0xe1, &[b"Exif\0\0", &exif[..]]);
        }
        if !self.xmp.is_empty() {
            segment(&mut segments, 0xe1, &[b"http://ns.adobe.com/xap/1.0/\0", self.sidecar().as_bytes()]);
        }
        if !self.iptc.is_empty() {
            segment(&mut segments, 0xed, &[b"Photoshop 3.0\0", &self.image_resources()]);
        }
        segment(&mut segments, 0xfe, &[self.salt.as_bytes()]);
        [&plain[..2], &segments, &plain[2..]].concat()
    }

    /// IPTC data sets in the image resource 0x0404 (Adobe's Photoshop File Formats, "Image Resources Section").
    fn image_resources(&self) -> Vec<u8> {
        let mut sets = Vec::new();
        for (dataset, value) in &self.iptc {
            sets.extend([0x1c, 2, *dataset]);
            sets.extend(u16::try_from(value.len()).expect("short").to_be_bytes());
            sets.extend(value.as_bytes());
        }
        let length = long(sets.len());
        sets.resize(sets.len().next_multiple_of(2), 0);
        [b"8BIM\x04\x04\0\0", &length.to_be_bytes()[..], &sets].concat()
    }

    pub fn png(&self) -> Vec<u8> {
        let mut plain = Vec::new();
        let mut writer = png::Encoder::new(&mut plain, 1, 1).write_header().expect("a PNG");
        writer.write_image_data(&[128]).expect("one pixel");
        writer.finish().expect("its end");
        let mut chunks = Vec::new();
        if let Some(exif) = self.exif() {
            chunk(&mut chunks, *b"eXIf", &exif);
        }
        if !self.xmp.is_empty() {
            let packet = self.sidecar();
            chunk(&mut chunks, *b"iTXt", &[b"XML:com.adobe.xmp\0\0\0\0\0", packet.as_bytes()].concat());
        }
        for (key, value) in self.text.iter().chain([&("Comment".to_owned(), self.salt.clone())]) {
            chunk(&mut chunks, *b"tEXt", format!("{key}\0{value}").as_bytes());
        }
        if let Some(time) = self.time {
            chunk(&mut chunks, *b"tIME", &time);
        }
        // After the signature and the header, which have a fixed length.
        [&plain[..33], &chunks, &plain[33..]].concat()
    }

    /// A HEIF file with an item for EXIF (ISO/IEC 23008-12, annex A).
    pub fn heic(&self) -> Vec<u8> {
        let item = [b"\0\0\0\x06Exif\0\0", &self.exif().unwrap_or_default()[..]].concat();
        let file_type = be_box(*b"ftyp", b"heic\0\0\0\0mif1heic");
        let handler = be_box(*b"hdlr", b"\0\0\0\0\0\0\0\0pict\0\0\0\0\0\0\0\0\0\0\0\0\0");
        let primary = be_box(*b"pitm", b"\0\0\0\0\0\x01");
        let entries = [b"\0\x01\0\0hvc1\0", b"\0\x02\0\0Exif\0"]
            .map(|entry| be_box(*b"infe", &[b"\x02\0\0\0", &entry[..]].concat()));
        let items = be_box(*b"iinf", &[b"\0\0\0\0\0\x02", entries.concat().as_slice()].concat());
        let location = |data: usize| {
            let mut body = b"\0\0\0\0\x44\0\0\x02".to_vec();
            for (id, offset, length) in [(1_u16, data + item.len(), self.salt.len()), (2, data, item.len())] {
                body.extend([id.to_be_bytes(), [0, 0], 1_u16.to_be_bytes()].concat());
                body.extend([long(offset).to_be_bytes(), long(length).to_be_bytes()].concat());
            }
            be_box(*b"iloc", &body)
        };
        let meta = |data| {
            let parts = [handler.clone(), primary.clone(), items.clone(), location(data)].concat();
            be_box(*b"meta", &[&[0; 4], &parts[..]].concat())
        };
        let data = file_type.len() + meta(0).len() + 8;
        let media = be_box(*b"mdat", &[&item[..], self.salt.as_bytes()].concat());
        [file_type, meta(data), media].concat()
    }

    /// The XMP alone, each property an attribute, as a packet or as a sidecar file.
    pub fn sidecar(&self) -> String {
        let attributes = self.xmp.iter().fold(String::new(), |mut all, (name, value)| {
            write!(all, " {name}=\"{value}\"").expect("a string");
            all
        });
        packet(&attributes, "")
    }

    /// The same with each property an element of its own.
    pub fn sidecar_of_elements(&self) -> String {
        let elements = self.xmp.iter().fold(String::new(), |mut all, (name, value)| {
            write!(all, "<{name}>{value}</{name}>").expect("a string");
            all
        });
        packet("", &elements)
    }
}

fn packet(attributes: &str, elements: &str) -> String {
    format!(
        "<?xpacket begin=\"\u{feff}\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?>\n<x:xmpmeta xmlns:x=\"adobe:ns:meta/\">\n\
         <rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\">\n<rdf:Description rdf:about=\"\"\n\
         xmlns:exif=\"http://ns.adobe.com/exif/1.0/\" xmlns:xmp=\"http://ns.adobe.com/xap/1.0/\"\n\
         xmlns:photoshop=\"http://ns.adobe.com/photoshop/1.0/\"\n{attributes}>{elements}</rdf:Description>\n\
         </rdf:RDF>\n</x:xmpmeta>\n<?xpacket end=\"w\"?>"
    )
}

/// A segment of a JPEG with its marker and length.
fn segment(out: &mut Vec<u8>, marker: u8, parts: &[&[u8]]) {
    let body = parts.concat();
    out.extend([0xff, marker]);
    out.extend(u16::try_from(body.len() + 2).expect("a short segment").to_be_bytes());
    out.extend(body);
}

/// A chunk of a PNG with its length and checksum.
fn chunk(out: &mut Vec<u8>, kind: [u8; 4], body: &[u8]) {
    let named = [&kind[..], body].concat();
    out.extend(long(body.len()).to_be_bytes());
    out.extend(&named);
    out.extend(crc32fast::hash(&named).to_be_bytes());
}

/// What Google Takeout writes beside a picture: its title and the UTC second of capture.
pub fn takeout(title: &str, seconds: i64) -> String {
    format!(
        "{{\n  \"title\": \"{title}\",\n  \"description\": \"{}\",\n  \"creationTime\": {{\n    \"timestamp\": \
         \"1700000000\"\n  }},\n  \"photoTakenTime\": {{\n    \"timestamp\": \"{seconds}\",\n    \"formatted\": \
         \"Jan 2, 2019, 3:04:05 AM UTC\"\n  }}\n}}\n",
        salt()
    )
}
