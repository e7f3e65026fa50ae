use super::super::source::Bytes;
use super::super::trial::sample::packet;
use super::super::trial::survives_damage;
use super::super::{Facts, Kind, Source};
use super::dates;

fn found(packet: &[u8]) -> Vec<(Source, String)> {
    dates(packet).dates.into_iter().map(|(source, date)| (source, date.time.to_string())).collect()
}

const ALL: [(Source, &str); 3] = [
    (Source::XmpOriginal, "2019-01-02 03:04:05"),
    (Source::XmpDateCreated, "2019-01-03 03:04:05"),
    (Source::XmpCreate, "2019-01-04 03:04:05"),
];

fn all() -> Vec<(Source, String)> {
    ALL.map(|(source, text)| (source, text.to_owned())).to_vec()
}

#[test]
fn properties_are_attributes_or_elements() {
    let attributes = packet(
        "exif:DateTimeOriginal='2019-01-02T03:04:05' photoshop:DateCreated=\"2019-01-03T03:04:05\" \
         xmp:CreateDate='2019-01-04T03:04:05'",
        "",
    );
    let elements = packet(
        "",
        "<exif:DateTimeOriginal> 2019-01-02T03:04:05\n</exif:DateTimeOriginal>\
         <photoshop:DateCreated><![CDATA[2019-01-03T03:04:05]]></photoshop:DateCreated>\
         <xmp:CreateDate><rdf:Seq><rdf:li>2019-01-04T03:04:05</rdf:li></rdf:Seq></xmp:CreateDate>",
    );
    assert_eq!(found(&attributes), all());
    assert_eq!(found(&elements), all());
    assert_eq!(dates(&elements).kind, Kind::Other);
}

#[test]
fn offsets_stay_beside_the_wall_clock() {
    let packet = packet("exif:DateTimeOriginal='2019-01-02T03:04:05.5+02:00'", "");
    let found = dates(&packet).dates;
    assert_eq!(found.first().map(|date| (date.1.offset, date.1.fraction)), Some((Some(7200), true)));
}

#[test]
fn namespaces_count_and_not_their_prefixes() {
    let packet = "<r:RDF xmlns:r='http://www.w3.org/1999/02/22-rdf-syntax-ns#'><r:Description \
                  xmlns:a='http://ns.adobe.com/xap/1.0/' xmlns:xmp='http://ns.example.com/other/' \
                  a:CreateDate='2019-01-04T03:04:05'/></r:RDF>";
    assert_eq!(found(packet.as_bytes()), all()[2..]);
    let undeclared = "<rdf:RDF><rdf:Description xap:CreateDate='2019-01-04T03:04:05'/></rdf:RDF>";
    assert_eq!(found(undeclared.as_bytes()), all()[2..]);
}

#[test]
fn what_is_told_of_ingredients_and_history_is_not_of_the_file() {
    let elements = "<xmpMM:Pantry><rdf:Bag><rdf:li><rdf:Description xmp:CreateDate='2011-01-01T01:01:01'>\
                    <exif:DateTimeOriginal>2011-01-01T01:01:01</exif:DateTimeOriginal></rdf:Description></rdf:li>\
                    </rdf:Bag></xmpMM:Pantry><xmpMM:History><rdf:Seq><rdf:li stEvt:when='2012-01-01T01:01:01'/>\
                    </rdf:Seq></xmpMM:History>";
    assert_eq!(found(&packet("", elements)), []);
    assert_eq!(found(&packet("xmp:CreateDate='2019-01-04T03:04:05'", elements)), all()[2..]);
}

#[test]
fn several_descriptions_are_one() {
    let elements = "</rdf:Description><rdf:Description rdf:about='' xmp:CreateDate='2019-01-04T03:04:05'/>\
                    <rdf:Description><photoshop:DateCreated>2019-01-03T03:04:05</photoshop:DateCreated>";
    assert_eq!(found(&packet("exif:DateTimeOriginal='2019-01-02T03:04:05'", elements)), all());
}

#[test]
fn broken_xml_gives_what_stands_before_the_break() {
    let whole = packet("exif:DateTimeOriginal='2019-01-02T03:04:05' plain=bad double='1' double='2' a='&'", "<b>&c<");
    assert_eq!(found(&whole), all()[..1]);
    assert_eq!(found(b""), []);
    assert_eq!(found(b"\0\0\0\0"), []);
    assert_eq!(found("<a>".repeat(100_000).as_bytes()), []);
}

#[test]
fn utf_16_is_read() {
    let text = "<rdf:RDF><rdf:Description xmp:CreateDate='2019-01-04T03:04:05' dc:title='\u{6f22}'/></rdf:RDF>";
    let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
    assert_eq!(found(&[b"\xff\xfe", &little[..]].concat()), all()[2..]);
    assert_eq!(found(&[b"\xfe\xff", &big[..]].concat()), all()[2..]);
    assert_eq!(found(&big), all()[2..]);
}

#[test]
fn the_camera_is_named() {
    let packet = packet("xmlns:tiff='http://ns.adobe.com/tiff/1.0/' tiff:Make=' Maker' tiff:Model='M 5'", "");
    let facts = dates(&packet);
    assert_eq!((facts.make.as_deref(), facts.model.as_deref()), (Some("Maker"), Some("M 5")));
}

#[test]
fn of_a_name_without_an_end_only_the_beginning_is_kept() {
    let long = "M".repeat(1 << 19);
    for packet in [
        packet(&format!("tiff:Model='{long}'"), ""),
        packet("", &format!("<tiff:Model>{long}</tiff:Model>")),
        packet("", &format!("<tiff:Model>{}</tiff:Model>", "MMM<b/>".repeat(1000))),
    ] {
        assert_eq!(dates(&packet).model.map(|model| model.len()), Some(super::TEXT));
    }
}

fn read(bytes: &mut Bytes, facts: &mut Facts) {
    super::read(&bytes.up_to(0, 1 << 20).unwrap_or_default(), facts);
}

#[test]
fn damaged_packets_do_no_harm() {
    let attributes = packet("exif:DateTimeOriginal='2019-01-02T03:04:05' tiff:Make='x'", "");
    let elements = packet("", "<xmp:CreateDate>2019-01-04T03:04:05</xmp:CreateDate><a><b c='&#x41;'/></a><!-- -->");
    survives_damage(&[attributes, elements], read);
}
