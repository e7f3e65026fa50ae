use super::super::Source;
use super::super::trial::sample::{Tiff, boxed, dated, packet, small};
use super::super::trial::{dates, survives_damage};
use super::read;

const DATE: &str = "2019:01:02 03:04:05";

/// How an item list is written: versions of `infe` and `iloc`, and where items stand.
#[derive(Clone, Copy)]
struct Form {
    infe: u8,
    iloc: u8,
    in_data: bool,
    pieces: usize,
}

const PLAIN: Form = Form { infe: 2, iloc: 0, in_data: false, pieces: 1 };

/// A picture with these items, of type and content.
fn heic(items: &[(&[u8; 4], Vec<u8>)], form: Form) -> Vec<u8> {
    let start = boxed(*b"ftyp", b"heic\0\0\0\0mif1heic");
    // The places are as long whatever they say, so that one round with wrong ones tells where the data begin.
    let content: Vec<u8> = items.iter().flat_map(|item| item.1.clone()).collect();
    let guess = meta(items, form, 0, &content).len();
    let data = if form.in_data { 0 } else { start.len() + guess + 8 };
    [start, meta(items, form, data, &content), boxed(*b"mdat", &content)].concat()
}

fn meta(items: &[(&[u8; 4], Vec<u8>)], form: Form, data: usize, content: &[u8]) -> Vec<u8> {
    let handler = boxed(*b"hdlr", b"\0\0\0\0\0\0\0\0pict\0\0\0\0\0\0\0\0\0\0\0\0\0");
    let idat = boxed(*b"idat", if form.in_data { content } else { b"" });
    boxed(*b"meta", &[&[0; 4], &handler[..], &iinf(items, form), &iloc(items, form, data), &idat].concat())
}

/// A number of four bytes, or of two.
fn numbered(wide: bool, number: u8) -> Vec<u8> {
    if wide { vec![0, 0, 0, number] } else { vec![0, number] }
}

fn iinf(items: &[(&[u8; 4], Vec<u8>)], form: Form) -> Vec<u8> {
    let mut out = vec![0, 0, 0, 0, 0, u8::try_from(items.len()).expect("few")];
    for (number, (kind, _)) in (1_u8..).zip(items) {
        let mut entry = vec![form.infe, 0, 0, 0];
        entry.extend(numbered(form.infe == 3, number));
        entry.extend([0, 0]);
        entry.extend(*kind);
        entry.extend(if *kind == b"mime" { &b"\0application/rdf+xml\0"[..] } else { b"\0" });
        out.extend(boxed(*b"infe", &entry));
    }
    boxed(*b"iinf", &out)
}

fn iloc(items: &[(&[u8; 4], Vec<u8>)], form: Form, mut data: usize) -> Vec<u8> {
    let mut out = vec![form.iloc, 0, 0, 0, 0x44, 0x40];
    let count = u8::try_from(items.len()).expect("few");
    out.extend(numbered(form.iloc == 2, count));
    for (number, (_, content)) in (1_u8..).zip(items) {
        out.extend(numbered(form.iloc == 2, number));
        if form.iloc > 0 {
            out.extend([0, u8::from(form.in_data)]);
        }
        // No other file, and a base that the offsets count from.
        out.extend([0, 0]);
        out.extend(small(data).to_be_bytes());
        out.extend([0, u8::try_from(form.pieces).expect("few")]);
        let step = content.len() / form.pieces;
        for piece in 0..form.pieces {
            let len = if piece + 1 == form.pieces { content.len() - step * piece } else { step };
            out.extend(small(step * piece).to_be_bytes());
            out.extend(small(len).to_be_bytes());
        }
        data += content.len();
    }
    boxed(*b"iloc", &out)
}

fn exif(distance: u8) -> Vec<u8> {
    let filler = vec![b'E'; usize::from(distance)];
    [&[0, 0, 0, distance][..], &filler, &Tiff::of(dated(DATE)).bytes()].concat()
}

fn xmp() -> Vec<u8> {
    packet("xmp:CreateDate='2018-01-01T01:01:01'", "")
}

#[test]
fn items_are_found_however_their_places_are_written() {
    let expected = [(Source::ExifOriginal, "2019-01-02 03:04:05"), (Source::XmpCreate, "2018-01-01 01:01:01")];
    let expected = expected.map(|(source, text)| (source, text.to_owned()));
    let items: [(&[u8; 4], Vec<u8>); 3] = [(b"hvc1", vec![5; 64]), (b"Exif", exif(0)), (b"mime", xmp())];
    let forms = [
        PLAIN,
        Form { infe: 3, ..PLAIN },
        Form { iloc: 1, ..PLAIN },
        Form { iloc: 2, infe: 3, ..PLAIN },
        Form { pieces: 3, ..PLAIN },
        Form { iloc: 1, in_data: true, ..PLAIN },
    ];
    for form in forms {
        let Form { infe, iloc, in_data, pieces } = form;
        assert_eq!(dates(&heic(&items, form), read), expected, "{infe} {iloc} {in_data} {pieces}");
    }
}

#[test]
fn the_header_of_tiff_is_found_where_it_is_said_to_be_or_near() {
    for content in [exif(0), exif(6), [b"\0\0\0\x06Exif\0\0", &exif(0)[4..]].concat(), exif(0)[4..].to_vec()] {
        assert_eq!(dates(&heic(&[(b"Exif", content.clone())], PLAIN), read).len(), 1, "{content:?}");
    }
    let wrong = [b"\xff\xff\xff\xffExif\0\0", &exif(0)[4..]].concat();
    assert_eq!(dates(&heic(&[(b"Exif", wrong)], PLAIN), read).len(), 1);
}

#[test]
fn boxes_of_their_own_are_read() {
    let jxl = [b"\0\0\0\x0cJXL \r\n\x87\n".to_vec(), boxed(*b"ftyp", b"jxl \0\0\0\0jxl "), boxed(*b"Exif", &exif(0))];
    assert_eq!(dates(&[jxl.concat(), boxed(*b"xml ", &xmp())].concat(), read).len(), 2);
    let exif = [&super::EXIF_UUID[..], &exif(0)[4..]].concat();
    let xmp = [&super::XMP_UUID[..], &xmp()].concat();
    assert_eq!(dates(&[boxed(*b"uuid", &exif), boxed(*b"uuid", &xmp)].concat(), read).len(), 2);
    let iptc = [&super::IPTC_UUID[..], b"\x1c\x02\x37\0\x0820170101"].concat();
    assert_eq!(dates(&boxed(*b"uuid", &iptc), read), [(Source::Iptc, "2017-01-01 00:00:00".to_owned())]);
}

#[test]
fn places_without_end_are_given_up() {
    // Nothing has a width, and there are as many items with as many pieces as can be.
    let endless = [&[2, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff][..], &vec![0xff; 60_000]].concat();
    let entry = boxed(*b"infe", b"\x02\0\0\0\0\x01\0\0Exif\0");
    let items = boxed(*b"iinf", &[b"\0\0\0\0\0\x01", &entry[..]].concat());
    let meta = boxed(*b"meta", &[&[0; 4], &items[..], &boxed(*b"iloc", &endless)].concat());
    assert_eq!(dates(&meta, read), []);
}

#[test]
fn damaged_pictures_do_no_harm() {
    let items: [(&[u8; 4], Vec<u8>); 3] = [(b"hvc1", vec![5; 64]), (b"Exif", exif(6)), (b"mime", xmp())];
    let forms = [PLAIN, Form { iloc: 2, infe: 3, in_data: true, pieces: 2 }];
    survives_damage(&forms.map(|form| heic(&items, form)), read);
}
