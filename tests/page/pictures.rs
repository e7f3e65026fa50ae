//! `ms-report`: what files look like, and files that are not there, not the same, or not to be trusted.

use crate::support;
use crate::{read, row, text};

use base64::Engine as _;
use image::{DynamicImage, ImageFormat, Rgb, RgbImage};
use jpeg_encoder::{ColorType, Encoder};
use support::trace::{log, traced};
use support::{Outcome, Sandbox, needs, snapshot};

fn plain(width: u32, height: u32, colour: [u8; 3]) -> DynamicImage {
    RgbImage::from_pixel(width, height, Rgb(colour)).into()
}

fn jpeg(picture: &DynamicImage) -> Vec<u8> {
    let (width, height) = (u16::try_from(picture.width()), u16::try_from(picture.height()));
    let mut bytes = Vec::new();
    let encoder = Encoder::new(&mut bytes, 90);
    encoder.encode(&picture.to_rgb8(), width.expect("small"), height.expect("small"), ColorType::Rgb).expect("encoded");
    bytes
}

fn encoded(picture: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    picture.write_to(&mut bytes, format).expect("encoded");
    bytes.into_inner()
}

/// A JPEG with EXIF that turns it, and a thumbnail.
fn with_exif(picture: &[u8], orientation: u16, thumbnail: &[u8]) -> Vec<u8> {
    let entry = |tag: u16, kind: u16, value: u32| {
        [&tag.to_le_bytes()[..], &kind.to_le_bytes(), &1_u32.to_le_bytes(), &value.to_le_bytes()].concat()
    };
    let len = u32::try_from(thumbnail.len()).expect("short");
    let tiff = [
        &b"II*\0\x08\0\0\0\x01\0"[..],
        &entry(0x0112, 3, orientation.into()),
        &26_u32.to_le_bytes(),
        &2_u16.to_le_bytes(),
        &entry(0x0201, 4, 56),
        &entry(0x0202, 4, len),
        &[0; 4],
        thumbnail,
    ];
    let segment = [b"Exif\0\0", &tiff.concat()[..]].concat();
    let length = u16::try_from(segment.len() + 2).expect("short").to_be_bytes();
    [&[0xff, 0xd8, 0xff, 0xe1][..], &length, &segment, &picture[2..]].concat()
}

/// A plan by which each of some files goes, beside a text of its length that stays.
fn plan(sandbox: &Sandbox, names: &[&str]) -> String {
    let mut plan = String::new();
    for name in names {
        let status = sandbox.path(name).symlink_metadata().expect("a file");
        let size = if status.is_file() { status.len() } else { 5 };
        let keeper = format!("stays/{name}");
        sandbox.write(&keeper, vec![b'x'; usize::try_from(size).expect("small")]);
        plan += &row(name, size, &format!("q/{name}"), &keeper, "-").replace("1500000000.000000000", "-");
    }
    plan
}

#[track_caller]
fn shown(sandbox: &Sandbox, names: &[&str]) -> Outcome {
    sandbox.run("ms-report", &[""; 0], plan(sandbox, names).as_bytes()).expect_status(0)
}

/// The pictures of a page: their sizes, and the colour in the middle of each.
fn pictures(outcome: &Outcome) -> Vec<((u32, u32), [u8; 3])> {
    let page = text(outcome);
    let all = page.split("data:image/jpeg;base64,").skip(1).map(|rest| {
        let bytes = base64::engine::general_purpose::STANDARD.decode(rest.split('"').next().expect("the end"));
        let mut decoder = jpeg_decoder::Decoder::new(std::io::Cursor::new(bytes.expect("base64")));
        let pixels = decoder.decode().expect("a JPEG");
        let info = decoder.info().expect("a JPEG");
        let middle = (usize::from(info.height) / 2 * usize::from(info.width) + usize::from(info.width) / 2) * 3;
        let colour = pixels[middle..middle + 3].try_into().expect("a pixel");
        ((info.width.into(), info.height.into()), colour)
    });
    all.collect()
}

fn is_near(found: [u8; 3], wanted: [u8; 3]) -> bool {
    found.iter().zip(wanted).all(|(found, wanted)| found.abs_diff(wanted) < 12)
}

#[test]
fn all_common_formats_are_shown() {
    let sandbox = Sandbox::new();
    let formats = [
        ("a.png", ImageFormat::Png),
        ("b.gif", ImageFormat::Gif),
        ("c.webp", ImageFormat::WebP),
        ("d.tif", ImageFormat::Tiff),
    ];
    for (place, (name, format)) in (0..).zip(formats) {
        sandbox.write(name, encoded(&plain(400, 200, [200, 40 * place, 90]), format));
    }
    sandbox.write("e.jpg", jpeg(&plain(200, 400, [20, 160, 90])));
    // By what is in it, and not by what it is called.
    sandbox.write("f.dat", jpeg(&plain(100, 50, [90, 90, 90])));
    let found = pictures(&shown(&sandbox, &["a.png", "b.gif", "c.webp", "d.tif", "e.jpg", "f.dat"]));
    let sizes: std::collections::BTreeSet<_> = found.iter().map(|(size, _)| *size).collect();
    assert_eq!((found.len(), sizes), (6, [(160, 80), (80, 160), (100, 50)].into()));
    for wanted in [[200, 0, 90], [200, 40, 90], [200, 80, 90], [200, 120, 90], [20, 160, 90], [90, 90, 90]] {
        assert!(found.iter().any(|(_, colour)| is_near(*colour, wanted)), "{wanted:?} {found:?}");
    }
}

#[test]
fn the_preview_of_a_photo_is_shown_and_turned() {
    let sandbox = Sandbox::new();
    let (red, blue) = (jpeg(&plain(640, 480, [200, 20, 20])), jpeg(&plain(160, 120, [20, 20, 200])));
    sandbox.write("preview.jpg", with_exif(&red, 6, &blue));
    let found = pictures(&shown(&sandbox, &["preview.jpg"]));
    assert!(found.len() == 1 && found[0].0 == (120, 160) && is_near(found[0].1, [20, 20, 200]), "{found:?}");
    // One that is too small, or damaged, is passed over.
    for thumbnail in [jpeg(&plain(16, 12, [20, 20, 200])), blue[..blue.len() / 3].to_vec(), b"no picture".to_vec()] {
        sandbox.write("preview.jpg", with_exif(&red, 6, &thumbnail));
        let found = pictures(&shown(&sandbox, &["preview.jpg"]));
        assert!(found.len() == 1 && found[0].0 == (120, 160) && is_near(found[0].1, [200, 20, 20]), "{found:?}");
    }
}

#[test]
fn what_is_alike_is_kept_once() {
    let sandbox = Sandbox::new();
    sandbox.write("a/x.jpg", jpeg(&plain(300, 200, [1, 200, 3])));
    sandbox.write("b/x.jpg", jpeg(&plain(300, 200, [1, 200, 3])));
    let outcome =
        sandbox.shell("ms-crawl -q a b | ms-dupes -q | ms-report").expect_status(0).expect_stderr("1 picture,");
    assert_eq!(pictures(&outcome).len(), 1);
    let page = text(&outcome);
    assert_eq!((page.matches("<use href=\"#p0\"/>").count(), page.matches("<image ").count()), (2, 1));
}

#[test]
fn what_is_no_picture_says_what_it_is() {
    let sandbox = Sandbox::new();
    for name in ["a.mp4", "b.heic", "c.nef", "d.txt", "e"] {
        sandbox.write(name, "content");
    }
    let outcome = shown(&sandbox, &["a.mp4", "b.heic", "c.nef", "d.txt", "e"]);
    let page = read(&text(&outcome));
    for words in ["MP4 video", "HEIC picture", "NEF raw picture", "TXT file"] {
        assert!(page.contains(words), "{words}: {page}");
    }
    assert!(!outcome.stderr.contains("without a picture"), "{}", outcome.stderr);
}

#[test]
fn files_that_are_not_there_or_not_the_same_are_counted_in_one_line() {
    let sandbox = Sandbox::new();
    let picture = jpeg(&plain(300, 200, [1, 200, 3]));
    for name in ["keep/a.jpg", "keep/b.jpg", "keep/c.jpg", "go/a.jpg", "go/b.jpg", "go/c.jpg"] {
        let mark = if name.ends_with("a.jpg") {
            "a"
        } else if name.ends_with("b.jpg") {
            "b"
        } else {
            "c"
        };
        sandbox.write(name, [&picture[..], mark.as_bytes()].concat());
    }
    sandbox.shell("ms-crawl -q go keep | ms-dupes -q --prefer keep > plan.tsv").expect_status(0);
    std::fs::remove_file(sandbox.path("go/a.jpg")).expect("removal");
    std::fs::remove_file(sandbox.path("go/c.jpg")).expect("removal");
    sandbox.write("keep/b.jpg", "another");
    let outcome = sandbox.run("ms-report", &["-q", "plan.tsv"], b"").expect_status(0);
    assert_eq!(
        outcome.stderr,
        "ms-report: 2 files are not there, 1 file has changed since the plan; relative paths are looked for in the working \
         directory, so run this where ms-crawl ran\n"
    );
    let page = text(&outcome);
    assert_eq!((page.matches("<em>not found</em>").count(), page.matches("<em>has changed</em>").count()), (2, 1));
    // Of these, one is a copy that should stay.
    let page = read(&page);
    for words in [
        "go to duplicates; but one of the copies that should stay has changed since the plan.",
        "1 file that should stay has changed since the plan.",
        "2 files that should go are not there any more: was this plan carried out already?",
    ] {
        assert!(page.contains(words), "{words}: {page}");
    }
    assert!(!page.contains("was not found"), "{page}");
}

#[test]
fn a_picture_that_cannot_be_drawn_is_no_alarm() {
    let sandbox = Sandbox::new();
    let whole = encoded(&plain(40, 40, [1, 2, 3]), ImageFormat::Tiff);
    sandbox.write("go/a.tif", &whole[..whole.len() / 2]);
    sandbox.write("keep/a.tif", &whole[..whole.len() / 2]);
    let line = "ms-crawl -q go keep | ms-dupes -q --prefer keep | ms-report -q";
    let outcome = sandbox.shell(line).expect_status(0);
    assert_eq!(outcome.stderr, "ms-report: files without a picture: 2 cannot be drawn\n");
    let page = text(&outcome);
    assert!(read(&page).contains("it has a copy that stays. "), "{page}");
    assert!(!page.contains("unreadable") && !page.contains("<p class=\"alarm\">"), "{page}");
}

/// A PNG of 30,000 pixels each way, which would take gigabytes, with next to nothing behind its header.
fn bomb() -> Vec<u8> {
    let chunk = |name: &[u8], content: &[u8]| {
        let length = u32::try_from(content.len()).expect("short").to_be_bytes();
        let body = [name, content].concat();
        [&length[..], &body, &crc32fast::hash(&body).to_be_bytes()].concat()
    };
    let side = 30_000_u32.to_be_bytes();
    let mut zeros = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    std::io::Write::write_all(&mut zeros, &vec![0; 1 << 20]).expect("compressed");
    [
        &b"\x89PNG\r\n\x1a\n"[..],
        &chunk(b"IHDR", &[&side[..], &side, &[8, 6, 0, 0, 0]].concat()),
        &chunk(b"IDAT", &zeros.finish().expect("compressed")),
        &chunk(b"IEND", b""),
    ]
    .concat()
}

#[test]
fn hostile_pictures_take_neither_the_memory_nor_the_page() {
    let sandbox = Sandbox::new();
    sandbox.write("bomb.png", bomb());
    let whole = jpeg(&plain(640, 480, [200, 20, 20]));
    sandbox.write("cut.jpg", &whole[..whole.len() / 2]);
    let at = whole.windows(2).position(|pair| pair == [0xff, 0xc0]).expect("a frame") + 5;
    let mut huge = whole.clone();
    huge[at..at + 4].copy_from_slice(&[0xff; 4]);
    sandbox.write("huge.jpg", &huge);
    let mut progressive = huge;
    progressive[at..at + 4].copy_from_slice(&[0x7f, 0xff, 0x7f, 0xff]);
    progressive[at - 4] = 0xc2;
    sandbox.write("progressive.jpg", progressive);
    let mut webp = encoded(&plain(40, 40, [1, 2, 3]), ImageFormat::WebP);
    webp[21..25].copy_from_slice(&[0xff; 4]);
    sandbox.write("a.webp", webp);
    sandbox.write("a.tif", b"II*\0\x08\0\0\0\xff\xff");
    sandbox.write("a.gif", b"GIF89a\xff\xff\xff\xff\xf7\0\0");
    let names = ["bomb.png", "cut.jpg", "huge.jpg", "progressive.jpg", "a.webp", "a.tif", "a.gif"];
    sandbox.write("plan.tsv", plan(&sandbox, &names));
    // Half a gigabyte of address space, two threads' stacks and the program included.
    let outcome = sandbox.shell("ulimit -v 524288; ms-report -j2 plan.tsv").expect_status(0);
    assert!(!outcome.stderr.contains("panicked"), "{}", outcome.stderr);
    let page = read(&text(&outcome));
    assert!(pictures(&outcome).is_empty());
    assert_eq!(
        page.matches("too large to draw").count() + page.matches("cannot be drawn").count(),
        names.len(),
        "{page}"
    );
    assert!(page.matches("too large to draw").count() >= 3, "{page}");
}

#[test]
fn a_fifo_is_not_waited_for() {
    let sandbox = Sandbox::new();
    sandbox.shell("mkfifo a.jpg; mkdir b.jpg").expect_status(0);
    let mut command = sandbox.guarded("ms-report");
    command.arg("-q");
    let outcome = support::finish(command, plan(&sandbox, &["a.jpg", "b.jpg"]).as_bytes()).expect_status(0);
    outcome.expect_stderr("files without a picture: 2 unreadable\n");
}

#[test]
fn without_thumbnails_no_file_is_opened_and_with_them_none_is_changed() {
    if !needs("strace") {
        return;
    }
    let sandbox = Sandbox::new();
    sandbox.write("pics/a.jpg", jpeg(&plain(300, 200, [1, 200, 3])));
    sandbox.write("pics/b.jpg", jpeg(&plain(300, 200, [1, 200, 3])));
    sandbox.shell("ms-crawl -q pics | ms-dupes -q > plan.tsv").expect_status(0);
    let before = snapshot(&sandbox.work());
    let touched = |args: &[&str]| {
        let strace = ["-y", "-e", "trace=%file"];
        traced(&sandbox, &strace, "ms-report", args, b"").expect_status(0);
        let calls = std::fs::read_to_string(log(&sandbox)).expect("a log");
        assert!(calls.contains("plan.tsv"), "{calls}");
        calls
            .lines()
            .filter(|call| call.contains("pics") && !call.contains("AT_EMPTY_PATH"))
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    assert_eq!(touched(&["--no-thumbnails", "plan.tsv"]), [""; 0]);
    let opened = touched(&["plan.tsv"]);
    let only_looks = |call: &String| call.contains("O_RDONLY") || call.contains("stat");
    assert!(!opened.is_empty() && opened.iter().all(only_looks), "{opened:?}");
    assert_eq!(snapshot(&sandbox.work()), before);
}
