//! Pictures of a few bytes for the tests of readers, made by the specifications and not by the code under test.

/// What a field of TIFF holds.
#[derive(Debug, Clone)]
pub(in crate::media) enum Value {
    Text(&'static str),
    Bytes(Vec<u8>),
    Short(u16),
    Fractions(Vec<(u32, u32)>),
    /// Directories of their own.
    Directories(Vec<Directory>),
    /// A field as it stands: type, count, and the four bytes of value or offset.
    Raw(u16, u32, u32),
}

/// A directory of TIFF: tags and values.
pub(in crate::media) type Directory = Vec<(u16, Value)>;

/// Byte order, number in the header, and directories one after the other.
#[derive(Debug, Clone)]
pub(in crate::media) struct Tiff {
    pub(in crate::media) little: bool,
    pub(in crate::media) version: u16,
    pub(in crate::media) pages: Vec<Directory>,
}

impl Tiff {
    /// Big-endian, with one page.
    pub(in crate::media) fn of(page: Directory) -> Self {
        Self { little: false, version: 42, pages: vec![page] }
    }

    /// In the other byte order.
    pub(in crate::media) fn little(self) -> Self {
        Self { little: true, ..self }
    }

    /// The file.
    pub(in crate::media) fn bytes(&self) -> Vec<u8> {
        let mut out = if self.little { b"II".to_vec() } else { b"MM".to_vec() };
        out.extend(self.short(self.version));
        out.extend(self.long(8));
        let last = self.pages.len() - 1;
        for (number, page) in self.pages.iter().enumerate() {
            self.write(page, number < last, &mut out);
        }
        out
    }

    /// A directory with the offset `first` of its first byte, for what is no file of its own.
    pub(in crate::media) fn directory(&self, first: usize) -> Vec<u8> {
        let mut out = vec![0; first];
        self.pages.iter().for_each(|page| self.write(page, false, &mut out));
        out.split_off(first)
    }

    fn write(&self, page: &Directory, goes_on: bool, out: &mut Vec<u8>) {
        let table = out.len() + 2;
        out.extend(self.short(u16::try_from(page.len()).expect("few")));
        out.resize(table + page.len() * 12 + 4, 0);
        for (entry, (tag, value)) in page.iter().enumerate() {
            let field = self.field(*tag, value, out);
            out[table + entry * 12..][..12].copy_from_slice(&field);
        }
        if goes_on {
            let next = self.long(small(out.len()));
            out[table + page.len() * 12..][..4].copy_from_slice(&next);
        }
    }

    /// The entry of a field, its value added to the file where it is long.
    fn field(&self, tag: u16, value: &Value, out: &mut Vec<u8>) -> Vec<u8> {
        let (kind, count, value) = match value {
            Value::Text(text) => (2, text.len() + 1, [text.as_bytes(), &[0]].concat()),
            Value::Bytes(bytes) => (7, bytes.len(), bytes.clone()),
            Value::Short(number) => (3, 1, self.short(*number).to_vec()),
            Value::Fractions(all) => {
                (5, all.len(), all.iter().flat_map(|&(a, b)| [self.long(a), self.long(b)]).flatten().collect())
            }
            Value::Directories(all) => {
                let mut offsets = Vec::new();
                for directory in all {
                    offsets.extend(self.long(small(out.len())));
                    self.write(directory, false, out);
                }
                (4, all.len(), offsets)
            }
            Value::Raw(kind, count, value) => {
                return [&self.short(tag)[..], &self.short(*kind), &self.long(*count), &self.long(*value)].concat();
            }
        };
        let mut entry = [self.short(tag), self.short(kind)].concat();
        entry.extend(self.long(small(count)));
        if value.len() > 4 {
            entry.extend(self.long(small(out.len())));
            out.extend(value);
        } else {
            entry.extend(value);
            entry.resize(12, 0);
        }
        entry
    }

    fn short(&self, number: u16) -> [u8; 2] {
        if self.little { number.to_le_bytes() } else { number.to_be_bytes() }
    }

    fn long(&self, number: u32) -> [u8; 4] {
        if self.little { number.to_le_bytes() } else { number.to_be_bytes() }
    }
}

/// A directory with a camera and, in the directory for the shot, a date.
pub(in crate::media) fn dated(date: &'static str) -> Directory {
    vec![
        (0x010f, Value::Text("Maker ")),
        (0x0110, Value::Text("Model 5")),
        (0x8769, Value::Directories(vec![vec![(0x9003, Value::Text(date))]])),
    ]
}

/// A JPEG of segments, each a marker and its content.
pub(in crate::media) fn jpeg(segments: &[(u8, Vec<u8>)]) -> Vec<u8> {
    let mut out = vec![0xff, 0xd8];
    for (marker, content) in segments {
        out.extend([0xff, *marker]);
        out.extend(u16::try_from(content.len() + 2).expect("short").to_be_bytes());
        out.extend(content);
    }
    out.extend(b"\xff\xda\0\x08\x01\x01\0\0\x3f\0scan\xff\xd9");
    out
}

/// A JPEG with this EXIF.
pub(in crate::media) fn jpeg_with(tiff: &Tiff) -> Vec<u8> {
    jpeg(&[(0xe0, b"JFIF\0\x01\x01\0\0\x48\0\x48\0\0".to_vec()), (0xe1, [b"Exif\0\0", &tiff.bytes()[..]].concat())])
}

/// A box of ISO media.
pub(in crate::media) fn boxed(kind: [u8; 4], content: &[u8]) -> Vec<u8> {
    [&small(content.len() + 8).to_be_bytes(), &kind[..], content].concat()
}

/// XMP with these attributes of the description, and these elements in it.
pub(in crate::media) fn packet(attributes: &str, elements: &str) -> Vec<u8> {
    format!(
        "<?xpacket begin='\u{feff}' id='W5M0MpCehiHzreSzNTczkc9d'?><x:xmpmeta xmlns:x='adobe:ns:meta/'>\
         <rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'><rdf:Description rdf:about='' \
         xmlns:exif='http://ns.adobe.com/exif/1.0/' xmlns:photoshop='http://ns.adobe.com/photoshop/1.0/' \
         xmlns:xmp='http://ns.adobe.com/xap/1.0/' {attributes}>{elements}</rdf:Description></rdf:RDF></x:xmpmeta>\
         <?xpacket end='w'?>"
    )
    .into_bytes()
}

/// A length or offset of something small.
pub(in crate::media) fn small(number: usize) -> u32 {
    u32::try_from(number).expect("small")
}
