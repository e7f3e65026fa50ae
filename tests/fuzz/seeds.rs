//! What the targets begin with: small whole inputs, made by the project's own writers and by the builders of its tests.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::PathBuf;
use std::sync::OnceLock;

use mediastruct::record::{COLUMNS, ContentHash, FileId, INDEX_COLUMNS, Record, Timestamp};
use mediastruct::stream::line::Dialect;
use mediastruct::stream::{Format, Writer};
use mediastruct::volume::image::Filesystem;
use mediastruct::volume::medium::Disc;
use mediastruct::volume::planned::Planned;
use mediastruct::volume::{self, Number, sums};

use super::support::media::movies::{Movie, avi, be_box, crw, m2ts, mkv};
use super::support::media::{Ifd, MAKE, MODEL, OFFSET_ORIGINAL, Picture, SUBSEC_ORIGINAL, long, takeout};
use super::support::{Sandbox, snapshot};

/// Larger files of ms-gen are left out, in bytes.
const LARGEST: usize = 8 << 10;

type Seeds = BTreeMap<&'static str, Vec<Vec<u8>>>;

/// The seeds of a target. They are made all at once, so that they are the same in whatever order they are asked for.
pub fn of(target: &str) -> Vec<Vec<u8>> {
    static ALL: OnceLock<Seeds> = OnceLock::new();
    ALL.get_or_init(all).get(target).expect("seeds").clone()
}

fn all() -> Seeds {
    let generated = generated();
    let of_kind = |extensions: &[&str]| -> Vec<Vec<u8>> {
        let is_kind = |name: &&String| extensions.iter().any(|extension| name.ends_with(extension));
        generated.iter().filter(|(name, _)| is_kind(name)).map(|(_, content)| content.clone()).collect()
    };
    let pictures = [pictures(), raws(), of_kind(&[".jpg", ".JPG", ".png", ".PNG"])].concat();
    let videos = [videos(), of_kind(&[".mp4", ".MP4", ".mov", ".MOV"])].concat();
    BTreeMap::from([
        ("stream", streams()),
        ("volume", volumes()),
        ("sums", checksums()),
        ("catalogue", vec![CATALOGUE.into(), b"{\"format\":\"mediastruct-archive/1\",\"volumes\":[]}".into()]),
        ("journal", journals()),
        ("companion", companions()),
        ("picture", pictures),
        ("video", videos),
        ("xmp", packets()),
        ("takeout", vec![takeout("IMG_1.jpg", 1_546_398_245).into(), takeout("\\u00e9\\\\", -3_000_000_000).into()]),
        ("name", NAMES.map(<[u8]>::to_vec).to_vec()),
        ("note", notes()),
        ("template", TEMPLATES.map(Into::into).to_vec()),
        ("glob", GLOBS.map(Into::into).to_vec()),
    ])
}

/// Files of ms-gen, by name.
fn generated() -> BTreeMap<String, Vec<u8>> {
    let sandbox = Sandbox::new();
    let args = ["--files", "16", "--dup-share", "0", "--min-size", "600", "--max-size", "6000", "-q", "tree"];
    sandbox.run("ms-gen", &args, b"").expect_status(0);
    let files = snapshot(&sandbox.path("tree")).into_iter().filter(|(_, seen)| seen.kind == 'f');
    let files = files.filter(|(_, seen)| seen.content.len() <= LARGEST);
    files.map(|(path, seen)| (path.to_string_lossy().into_owned(), seen.content)).collect()
}

fn record(path: &[u8], number: u8) -> Record {
    let seconds = i64::from(number) - 100;
    Record {
        path: PathBuf::from(OsStr::from_bytes(path)),
        hash: (!number.is_multiple_of(3)).then_some(ContentHash([number; 32])),
        size: u64::from(number) << (number % 64),
        mtime: (!number.is_multiple_of(4)).then_some(Timestamp { seconds, nanoseconds: 500_000_000 }),
        id: (!number.is_multiple_of(5)).then_some(FileId::here(66_306, u64::MAX - u64::from(number))),
        dest: None,
        keep: None,
        note: None,
    }
}

const PATHS: [&[u8]; 10] = [
    b"2019/07/20190705_030405.jpg",
    b"-",
    b"a b\\x41\\",
    b"\xff\xfe/\x01\x7f",
    b"tab\tline\nreturn\r",
    b"\"quoted\", and more",
    "\u{feff}caf\u{e9}/\u{2028}\u{85}\u{1f4f7}".as_bytes(),
    b"../../size",
    b"path",
    b"/data/photos/./-",
];

fn records() -> Vec<Record> {
    (1..).zip(PATHS).map(|(number, path)| record(path, number)).collect()
}

fn plan() -> Vec<Record> {
    let mut records = records();
    for (number, record) in records.iter_mut().enumerate() {
        record.dest = Some(PathBuf::from("dest").join(&record.path));
        record.keep = (number % 2 == 0).then(|| PathBuf::from("/keep/this"));
        record.note = (number % 3 > 0).then(|| b"keep mtime=1.000000000 id=1:2".to_vec());
    }
    records
}

fn written(records: &[Record], dialect: Dialect, header: bool, columns: usize) -> Vec<u8> {
    let mut text = Vec::new();
    let mut writer = Writer::new(&mut text, Format { dialect, header }, columns).expect("a writer");
    for record in records {
        writer.write(record).expect("written");
    }
    writer.flush().expect("written");
    drop(writer);
    text
}

fn streams() -> Vec<Vec<u8>> {
    let mut seeds = vec![Vec::new(), b"size\tpath\tnote\n7\tx\tn\n".to_vec(), b"\xef\xbb\xbfa\t-\t1\r\n".to_vec()];
    for dialect in [Dialect::Tsv, Dialect::Csv] {
        for header in [false, true] {
            seeds.push(written(&records(), dialect, header, INDEX_COLUMNS));
            seeds.push(written(&plan(), dialect, header, COLUMNS.len()));
        }
    }
    seeds
}

fn volumes() -> Vec<Vec<u8>> {
    let write = |records: &[Record]| {
        let mut json = Vec::new();
        volume::index::write(Number::FIRST, records.iter(), &mut json).expect("written");
        json
    };
    let foreign = "{\"files\": [{\"size\": 5, \"path\": \"\u{e9}\", \"mtime\": 1.5, \"more\": [{}]}], \"x\": null, \
                   \"format\": \"mediastruct-volume/1\"}";
    vec![write(&records()), write(&[]), foreign.into()]
}

fn checksums() -> Vec<Vec<u8>> {
    let mut text = Vec::new();
    for path in PATHS.iter().filter(|path| sums::can_hold(path)) {
        sums::push_line(ContentHash([7; 32]), path, &mut text);
    }
    let hash = "AB".repeat(32);
    vec![text, format!("BLAKE3 (a) = b) = {hash}\n\\BLAKE3 (a\\\\b\\n) = {hash}\r\n{hash}  \u{e9}\n").into_bytes()]
}

const CATALOGUE: &str = r#"{"format":"mediastruct-archive/1","owner":{"name":"Ada","id":[1.5,-0.0,1e-7]},"volumes":[
{"volume":2,"label":"MS_0002","state":"sealed","files":0,"bytes":0,"image_bytes":0},
{"volume":7,"label":"MS_0007","state":"burned","files":1,"bytes":2,"image_bytes":18446744073709551615,"capacity":4,"first_date":"2012","last_date":"2012-03-05","burns":[{"date":"2026-11-28","copy":"home","media_id":null,"drive":"x"}],"shelf":[1.5]}
]}
"#;

fn journals() -> Vec<Vec<u8>> {
    let rows: Vec<u8> = plan()
        .iter()
        .flat_map(|record| {
            let mut line = b"row\t".to_vec();
            mediastruct::stream::writer::tsv_line(record, COLUMNS.len(), &mut line);
            line
        })
        .collect();
    let digest = "cd".repeat(32);
    let first = format!("mediastruct-journal\t1\tmove\t{digest}\t20261123T043636.065784165Z-26413\n");
    let begun = [first.as_bytes(), &rows, b"start\n"].concat();
    let steps = "mkdir\t/a\\x01\npart\t0\t/a/.part\t-\npart\t0\t/a/.part\t1:2\ndone\t0\t5\t-0.500000000\t1:2\n\
                 done\t1\t0\t1.000000000\t3:4\nrmdir\t/b\t493\t1.000000000\t0\t1000\nend\nundone\t0\nend\n";
    vec![[&begun, steps.as_bytes()].concat(), begun]
}

/// Each line has eight bytes for its check, which the target fills in.
fn companions() -> Vec<Vec<u8>> {
    let (hash, magic) = ("ef".repeat(32), "mediastruct-crawl 1\n");
    let account = format!("........ account\t1.000000000\t{hash}\tdups\tdirectory=/a\\tb\toperand=c\n");
    let begin = "........ begin\t100.000000005\t77\trehash\tdirectory=/a\\tb\n";
    let row = format!("........ row\ta\t{hash}\t5\t1.000000000\t1:2\n");
    let piece = format!("........ piece\t3\t{hash}\t1073741824\t50.000000001\t50.000000001\t1:9\n");
    let rest = "........ process\t77\n........ temporary\t\n........ temporary\tgone\n";
    vec![
        [magic, &account, begin, &row, &piece, rest].concat().into_bytes(),
        [magic, begin, &piece, &piece.replace("\t3\t", "\t4\t"), &row.replace("1:2", "1:9")].concat().into_bytes(),
    ]
}

/// A picture that tells all that can be told.
fn picture() -> Picture {
    Picture::new()
        .tag(Ifd::First, MODEL, "Model 5")
        .original("2019:01:02 03:04:05")
        .digitized("2019:01:02 03:04:06")
        .modified("2019:01:02 03:04:07")
        .tag(Ifd::Exif, OFFSET_ORIGINAL, "+01:00")
        .tag(Ifd::Exif, SUBSEC_ORIGINAL, "123")
        .gps("2019:01:02", [2, 4, 5])
        .content_id("9C1F4D2A")
        .xmp("exif:DateTimeOriginal", "2019-01-02T03:04:05.678+01:00")
        .xmp("photoshop:DateCreated", "2019-01-02")
        .xmp("xmp:CreateDate", "2019-01-02T03:04")
        .iptc(55, "20190102")
        .iptc(60, "030405+0100")
        .text("Creation Time", "Wed, 2 Jan 2019 03:04:05 +0100")
        .time(2019, [1, 2, 3, 4, 5])
}

fn pictures() -> Vec<Vec<u8>> {
    let picture = picture();
    let tiff = picture.tiff();
    let xmp = picture.sidecar().into_bytes();
    let chunk = |kind: &[u8; 4], body: &[u8]| {
        let mut bytes = [&kind[..], &long(body.len()).to_le_bytes(), body].concat();
        bytes.resize(bytes.len().next_multiple_of(2), 0);
        bytes
    };
    let chunks = [b"WEBP".to_vec(), chunk(b"VP8X", &[0x0c; 10]), chunk(b"EXIF", &tiff), chunk(b"XMP ", &xmp)].concat();
    let resource = |number: u8, body: &[u8]| {
        [&[b'8', b'B', b'I', b'M', 4, number, 0, 0], &long(body.len()).to_be_bytes()[..], body].concat()
    };
    let iptc = b"\x1c\x02\x37\0\x0820190102\x1c\x02\x3c\0\x0b030405+0100\0";
    let resources = [resource(4, iptc), resource(0x22, &[&tiff[..], &vec![0; tiff.len() % 2]].concat())].concat();
    let psd =
        [&b"8BPS\0\x01"[..], &[0; 20], b"\0\0\0\x02ab", &long(resources.len()).to_be_bytes(), &resources].concat();
    let trailer: Vec<u8> = std::iter::once(1).chain((0..=255).rev()).chain([0]).collect();
    let gif =
        [b"GIF89a\x01\0\x01\0\x80\0\0\0\0\0\xff\xff\xff\x21\xff\x0bXMP DataXMP", &xmp[..], &trailer, b"\x3b"].concat();
    let jxl = [
        b"\0\0\0\x0cJXL \r\n\x87\n".to_vec(),
        be_box(*b"ftyp", b"jxl \0\0\0\0jxl "),
        be_box(*b"Exif", &[&[0; 4], &tiff[..]].concat()),
        be_box(*b"xml ", &xmp),
    ];
    let compressed = packed_text(b"XML:com.adobe.xmp", &xmp);
    let profile: String = tiff.iter().fold(String::from("\nAPP1\n  1\n"), |text, byte| text + &format!("{byte:02x}"));
    let profile = packed_text(b"Raw profile type APP1", profile.as_bytes());
    let png = |texts: &[Vec<u8>]| {
        let plain = Picture::new().png();
        [&plain[..33], &texts.concat(), &plain[33..]].concat()
    };
    vec![
        picture.jpeg(),
        picture.png(),
        tiff,
        picture.heic(),
        chunk(b"RIFF", &chunks),
        psd,
        gif,
        jxl.concat(),
        png(&[compressed, profile]),
    ]
}

/// A `zTXt` chunk of PNG.
fn packed_text(key: &[u8], text: &[u8]) -> Vec<u8> {
    use std::io::Write as _;
    let mut packed = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    packed.write_all(text).expect("packed");
    let body = [key, b"\0\0", &packed.finish().expect("packed")].concat();
    [&long(body.len()).to_be_bytes()[..], b"zTXt", &body, b"crc."].concat()
}

fn raws() -> Vec<Vec<u8>> {
    let picture = picture().tag(Ifd::First, MAKE, "Maker");
    let (tiff, jpeg) = (picture.tiff(), picture.jpeg());
    let other = |version: [u8; 2]| [b"II", &version[..], &tiff[4..]].concat();
    let raf = [&b"FUJIFILMCCD-RAW 0201FF383501X100"[..], &[0; 52], &200_u32.to_be_bytes(), &[0; 112], &jpeg].concat();
    let mrw = [b"\0MRM\0\0\x10\0\0PRD\0\0\0\x02ab\0TTW", &long(tiff.len()).to_be_bytes()[..], &tiff].concat();
    let uuid = b"\x85\xc0\xb6\x87\x82\x0f\x11\xe0\x81\x11\xf4\xce\x46\x2b\x6a\x48";
    let directories =
        [&uuid[..], &be_box(*b"CMT1", &tiff), &be_box(*b"CMT2", &tiff), &be_box(*b"CMT4", &tiff)].concat();
    let cr3 = [be_box(*b"ftyp", b"crx \0\0\0\x01crx isom"), be_box(*b"moov", &be_box(*b"uuid", &directories))].concat();
    let image = [&b"SECi\0\0\x02\0\x02\0\0\0\x12\0\0\0"[..], &[0; 12], &jpeg].concat();
    let x3f = sigma(&[(b"IMA2", image), (b"PROP", properties(&[("TIME", "1546398245"), ("CAMMODEL", "SD9")]))]);
    vec![picture.dng(), picture.cr2(), other([0x55, 0]), other(*b"RO"), raf, mrw, cr3, x3f, crw("2019-01-02 03:04:05")]
}

/// An X3F of these sections.
fn sigma(sections: &[(&[u8; 4], Vec<u8>)]) -> Vec<u8> {
    let mut out = [b"FOVb\0\0\x02\0", &[0; 32][..]].concat();
    let mut directory = [b"SECd\0\0\x02\0", &long(sections.len()).to_le_bytes()[..]].concat();
    for (kind, content) in sections {
        directory.extend([long(out.len()).to_le_bytes(), long(content.len()).to_le_bytes(), **kind].concat());
        out.extend(content);
    }
    let start = long(out.len()).to_le_bytes();
    [out, directory, start.to_vec()].concat()
}

/// Properties of an X3F.
fn properties(pairs: &[(&str, &str)]) -> Vec<u8> {
    let (mut table, mut texts) = (Vec::new(), Vec::new());
    for text in pairs.iter().flat_map(|&(name, value)| [name, value]) {
        table.extend(long(texts.len() / 2).to_le_bytes());
        texts.extend(text.encode_utf16().chain([0]).flat_map(u16::to_le_bytes));
    }
    let (count, len) = (long(pairs.len()).to_le_bytes(), long(texts.len() / 2).to_le_bytes());
    [b"SECp\0\0\x02\0", &count[..], &[0; 8], &len, &table, &texts].concat()
}

fn videos() -> Vec<Vec<u8>> {
    let movie = Movie::new()
        .header("2019-01-02 03:04:05")
        .media("2019-01-02 03:04:06")
        .creation_date("2019-01-02T04:04:03+0100")
        .key("com.android.manufacturer", "Maker")
        .key("com.samsung.android.utc_offset", "-0330")
        .content_id("9C1F4D2A")
        .day("2019-01-02T03:04:05+0100");
    let nikon = [&b"\0\0\0\x01\0\x02\0\x06Nikon\0"[..], b"\0\0\0\x12\0\x02\0\x142019:01:02 03:04:05\0"].concat();
    let preview = [&[0; 64], &picture().jpeg()[..]].concat();
    let makers = [
        be_box(*b"NCDT", &be_box(*b"NCTG", &nikon)),
        be_box(*b"PANA", &preview),
        be_box(*b"CNTH", &be_box(*b"CNDA", &preview)),
        be_box(*b"@day", b"\0\0\0\0\x15\xc72019-01-02 03:04:05\0"),
        be_box(*b"IDIT", b"2019-01-02T03:04:05\0"),
    ];
    let user_data = be_box(*b"udta", &makers.concat());
    vec![
        movie.mov(),
        movie.mp4(),
        Movie::new().header_raw(0).track_raw(0).media("2019-01-02 03:04:05").mp4(),
        be_box(*b"moov", &user_data),
        avi("Wed Jan  2 03:04:05 2019"),
        mkv(Some("2019-01-02 03:04:05"), Some("2019-01-02 04:04:05")),
        m2ts("20190102030405"),
    ]
}

fn packets() -> Vec<Vec<u8>> {
    let picture = picture();
    let (attributes, elements) = (picture.sidecar(), picture.sidecar_of_elements());
    let wide: Vec<u8> = attributes.encode_utf16().flat_map(u16::to_be_bytes).collect();
    vec![attributes.into_bytes(), elements.into_bytes(), [b"\xfe\xff", &wide[..]].concat()]
}

fn notes() -> Vec<Vec<u8>> {
    let disc = Disc { capacity: 24_220_008_448, filesystem: Filesystem::Iso };
    let mut planned = Vec::new();
    Planned { volume: Number::FIRST, row: 301, rows: 1234, disc }.push(&mut planned);
    let others: [&[u8]; 9] = [
        b"keep mtime=-0.500000000 id=66306:18446744073709551615",
        b"date=qt:mvhd zone=name offset=+02:00 precision=second",
        b"-9223372036854775808.000000000",
        b"9223372036854775807.999999999",
        b"18446744073709551615:0",
        b"18446744073709551615",
        b"abababababababababababababababababababababababababababababababab",
        b"MS_0007",
        br"a\tb\nc\\d\xff\x01",
    ];
    [vec![planned], others.map(<[u8]>::to_vec).to_vec()].concat()
}

const NAMES: [&[u8]; 24] = [
    b"IMG_20190102_030405.jpg",
    b"PXL_20190102_030405678.MP.jpg",
    b"VID-20190102-WA0001.mp4",
    b"2019-01-02 03.04.05-1.jpg",
    b"2019-01-02T03-04-05Z.png",
    b"Screenshot 2019-01-02 at 3.04.05 PM.png",
    "Screenshot 2019-01-02 at 3.04.05\u{202f}PM.png".as_bytes(),
    b"2019_0102_030405_001.MOV",
    b"FB_IMG_1546398245678.jpg",
    b"mmexport1546398245678.jpg",
    b"20190102_030405_abababababababab.jpg",
    b"20190102_030405123_abababababababab.jpg",
    b"VLC 2019-01-02-03h04m05s678.png",
    b"0f8fad5b-d9cb-469f-a165-70867728950e.jpg",
    b"WhatsApp Image 2019-01-02 at 03.04.05 (1).jpeg",
    b"signal-2019-01-02-030405.jpg",
    b"IMG_20190102_03040512.jpg",
    b"2019:01:02 03:04:05.678+01:00",
    b"Wed, 2 Jan 2019 03:04:05 -0000 (UTC)",
    b"Wed Jan  2 03:04:05 PM 2019 DST",
    b"20190102T030405Z",
    b"2019-01-02-05:00",
    b"1826-01-01",
    b"9999:99:99 99:99:99",
];

const TEMPLATES: [&str; 6] = [
    mediastruct::ingest::DEFAULT,
    "%Y/%m/%d/{name}_{hash:8}.{ext}",
    "{make}/{model}/%F %T{ms}{{}}%%.{ext}",
    "%-d %e %_H %09f %.3f %3f %s %U %G-%V %j %C %y %A %B %c %r",
    "%+ %z %:z %Z",
    "caf\u{e9}/{hash:64}",
];

const GLOBS: [&str; 6] = [
    "*.{jpg,JPG}\na.jpg\nd/a.JPG",
    "cache/**/x[!a-c]?\ncache/1/2/xdx",
    "**\na/b/c",
    "{a,{b,{c,d}}}*[[:alpha:]]\nabc",
    "\\*\\[\n*[",
    "é*\né/\u{1f4f7}",
];
