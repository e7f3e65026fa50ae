//! XMP packets (ISO 16684-1), inside files and beside them as `.xmp`.

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use super::{Facts, Kind, Source, when};

/// Elements within each other at most.
const DEPTH: usize = 64;

/// Declared prefixes at most that are kept.
const PREFIXES: usize = 16;

/// Longest text of a property that is kept, in bytes.
const TEXT: usize = 256;

/// The namespaces that matter, each with the prefix that everybody uses.
const NAMESPACES: [(&[u8], &[u8]); 5] = [
    (b"exif", b"http://ns.adobe.com/exif/1.0/"),
    (b"photoshop", b"http://ns.adobe.com/photoshop/1.0/"),
    (b"xmp", b"http://ns.adobe.com/xap/1.0/"),
    (b"tiff", b"http://ns.adobe.com/tiff/1.0/"),
    (b"rdf", b"http://www.w3.org/1999/02/22-rdf-syntax-ns#"),
];

/// What a property is here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Property {
    Date(Source),
    Make,
    Model,
    Root,
    Description,
}

/// What the packet in a file of its own tells: the content of an `.xmp` beside a picture.
#[must_use]
pub fn dates(packet: &[u8]) -> Facts {
    let mut facts = Facts { kind: Kind::Other, ..Facts::default() };
    read(packet, &mut facts);
    facts
}

/// Reads a packet, up to where it is no XML any more.
pub(crate) fn read(packet: &[u8], facts: &mut Facts) {
    let narrow;
    let packet = if is_wide(packet) {
        narrow = packet.iter().copied().filter(|&byte| byte != 0 && byte < 0x80).collect::<Vec<u8>>();
        &narrow
    } else {
        packet
    };
    let mut reader = Reader::from_reader(packet);
    let config = reader.config_mut();
    config.check_end_names = false;
    config.allow_unmatched_ends = true;
    config.allow_dangling_amp = true;
    let mut walk = Walk::default();
    loop {
        match reader.read_event() {
            Ok(Event::Start(element)) if walk.open.len() < DEPTH => walk.start(&element, facts),
            Ok(Event::Empty(element)) if walk.open.len() < DEPTH => {
                walk.start(&element, facts);
                walk.end(facts);
            }
            Ok(Event::End(_)) => walk.end(facts),
            Ok(Event::Text(text)) => walk.text(&text),
            Ok(Event::CData(text)) => walk.text(&text),
            Ok(Event::Start(_) | Event::Empty(_) | Event::Eof) | Err(_) => return,
            Ok(_) => {}
        }
    }
}

/// Whether this is UTF-16, of which the ASCII is all that matters here.
fn is_wide(packet: &[u8]) -> bool {
    packet.starts_with(b"\xff\xfe") || packet.starts_with(b"\xfe\xff") || packet.iter().take(2).any(|&byte| byte == 0)
}

#[derive(Default)]
struct Walk {
    /// Prefixes that the packet itself declares, with the usual ones.
    prefixes: Vec<(Vec<u8>, &'static [u8])>,
    /// What each open element is.
    open: Vec<Option<Property>>,
    /// Text of the open property.
    text: Vec<u8>,
}

impl Walk {
    fn start(&mut self, element: &BytesStart, facts: &mut Facts) {
        self.declare(element);
        let property = self.property(element.name().into_inner());
        // Only what describes the file itself: a description within another is of something else, an ingredient or an
        // earlier version.
        if property == Some(Property::Description) && self.open.last() == Some(&Some(Property::Root)) {
            for attribute in element.attributes().with_checks(false).flatten() {
                if let Some(property) = self.property(attribute.key.into_inner()) {
                    offer(property, &attribute.value, facts);
                }
            }
        }
        if self.is_own() {
            self.text.clear();
        }
        self.open.push(property);
    }

    fn end(&mut self, facts: &mut Facts) {
        if let Some(Some(property)) = self.open.pop()
            && self.is_own()
        {
            offer(property, &self.text, facts);
        }
    }

    /// Whether the innermost open element is the file's own description.
    fn is_own(&self) -> bool {
        matches!(self.open.as_slice(), [.., Some(Property::Root), Some(Property::Description)])
    }

    fn text(&mut self, text: &[u8]) {
        if self.text.len() < TEXT {
            self.text.extend(text.iter().take(TEXT));
        }
    }

    fn declare(&mut self, element: &BytesStart) {
        for attribute in element.attributes().with_checks(false).flatten() {
            let Some(prefix) = attribute.key.into_inner().strip_prefix(b"xmlns:") else { continue };
            let usual = NAMESPACES.iter().find(|(_, namespace)| *namespace == attribute.value.as_ref());
            if let Some(&(usual, _)) = usual
                && self.prefixes.len() < PREFIXES
                && self.prefixes.iter().all(|(known, _)| known != prefix)
            {
                self.prefixes.push((prefix.to_vec(), usual));
            }
        }
    }

    fn property(&self, name: &[u8]) -> Option<Property> {
        let colon = memchr::memchr(b':', name)?;
        let (prefix, local) = (name.get(..colon)?, name.get(colon.checked_add(1)?..)?);
        let declared = self.prefixes.iter().find(|(known, _)| known == prefix).map(|(_, usual)| *usual);
        match (declared.unwrap_or(prefix), local) {
            (b"exif", b"DateTimeOriginal") => Some(Property::Date(Source::XmpOriginal)),
            (b"photoshop", b"DateCreated") => Some(Property::Date(Source::XmpDateCreated)),
            (b"xmp" | b"xap", b"CreateDate") => Some(Property::Date(Source::XmpCreate)),
            (b"tiff", b"Make") => Some(Property::Make),
            (b"tiff", b"Model") => Some(Property::Model),
            (b"rdf", b"RDF") => Some(Property::Root),
            (b"rdf", b"Description") => Some(Property::Description),
            _ => None,
        }
    }
}

fn offer(property: Property, value: &[u8], facts: &mut Facts) {
    let value = value.get(..TEXT).unwrap_or(value);
    match property {
        Property::Date(source) => facts.found(source, when::parse(value)),
        Property::Make => facts.camera(Some(value.to_vec()), None),
        Property::Model => facts.camera(None, Some(value.to_vec())),
        Property::Root | Property::Description => {}
    }
}

#[cfg(test)]
mod tests;
