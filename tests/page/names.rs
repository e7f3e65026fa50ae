//! `ms-report`: a name is text, whatever it looks like.

use crate::support;
use crate::{read, row};

use support::{Sandbox, name};

const NAMES: [&[u8]; 9] = [
    b"<script>alert(1)</script>.jpg",
    b"\"onload=\"alert(1).jpg",
    b"' onerror='alert(1).jpg",
    b"&lt;b&gt;&amp;.jpg",
    b"two\nlines\t.jpg",
    b"not utf-8 \xff\xfe.jpg",
    b"--><!--<svg onload=alert(1)>.jpg",
    "\u{202e}gpj.exe\u{200b}\u{1f600}.jpg".as_bytes(),
    b"%3Cb%3E?#.jpg",
];

/// Everything in which a name can become something else, in a page of real files.
fn pages(sandbox: &Sandbox) -> Vec<String> {
    for hostile in NAMES {
        let dir = name(hostile).to_owned();
        sandbox.write(std::path::Path::new("a").join(&dir).join(&dir), hostile);
        sandbox.write(std::path::Path::new("b").join(&dir).join(&dir), hostile);
    }
    let lines = [
        "ms-crawl -q a b | ms-report",
        "ms-crawl -q a b | ms-report --no-thumbnails",
        "ms-crawl -q a b | ms-dupes -q | ms-report",
        "ms-ingest -q --to lib a b | ms-report",
        "ms-crawl -q a | ms-pack -q --to arch --flush --capacity 10M | ms-report",
        "ms-crawl -q a b | ms-dupes -q | cut -f 1-6 | ms-report",
    ];
    lines.iter().map(|line| crate::text(&sandbox.shell(line).expect_status(0))).collect()
}

/// The names of elements and attributes that a page has.
fn markup(page: &str) -> std::collections::BTreeSet<String> {
    let mut found = std::collections::BTreeSet::new();
    let body = page.split_once("<body>").expect("a body").1;
    for tag in body.split('<').skip(1) {
        let tag = tag.split('>').next().expect("a tag");
        let mut outside = tag.split('"').step_by(2).collect::<Vec<_>>().join(" ");
        outside = outside.replace('/', " ");
        found.extend(outside.split_whitespace().map(|word| word.trim_end_matches('=').to_lowercase()));
    }
    found
}

#[test]
fn no_name_becomes_markup() {
    let sandbox = Sandbox::new();
    let known = "a aria-hidden aria-label b body class d defs details div em footer h1 h2 h3 header height href html id image \
                 li line main nav p rect role rx scope section span strong summary svg table tabindex tbody td text text-anchor \
                 th thead title tr ul use viewbox wbr width x x1 x2 y y1 y2 open";
    let known: std::collections::BTreeSet<String> = known.split_whitespace().map(str::to_owned).collect();
    for page in pages(&sandbox) {
        let other: Vec<_> = markup(&page).difference(&known).cloned().collect();
        assert_eq!(other, [""; 0]);
        assert!(!page.contains("<script") && !page.contains("<!--"));
    }
}

#[test]
fn names_are_read_as_messages_show_them() {
    let sandbox = Sandbox::new();
    let pages = pages(&sandbox);
    for page in &pages[..3] {
        let text = read(page);
        for shown in [
            "<script>alert(1)</script>.jpg",
            "\"onload=\"alert(1).jpg",
            "&lt;b&gt;&amp;.jpg",
            r"two\nlines\t.jpg",
            r"not utf-8 \xff\xfe.jpg",
            r"\u{202e}gpj.exe\u{200b}",
        ] {
            assert!(text.contains(shown), "{shown}:\n{text}");
        }
        assert!(!page.chars().any(|character| character.is_control() && character != '\n' || character == '\u{202e}'));
    }
}

#[test]
fn links_lead_to_the_very_file() {
    let sandbox = Sandbox::new();
    let index = &pages(&sandbox)[0];
    let mut files = 0;
    for link in index.split("href=\"file://").skip(1) {
        let path = decoded(link.split('"').next().expect("the end"));
        let path = std::path::PathBuf::from(name(&path).to_owned());
        assert!(path.is_absolute() && path.is_file(), "{}", path.display());
        files += 1;
    }
    assert_eq!(files, 2 * NAMES.len());
}

fn decoded(address: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = address.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digits = [rest.next().expect("a digit"), rest.next().expect("a digit")];
        bytes.push(u8::from_str_radix(std::str::from_utf8(&digits).expect("ASCII"), 16).expect("hexadecimal"));
    }
    bytes
}

#[test]
fn what_is_on_another_machine_is_only_text() {
    let sandbox = Sandbox::new();
    let stream =
        "nas:/data/a.jpg\t-\t5\t-\t-\n".to_owned() + &row("nas:/data/b.jpg", 5, "nas:/d/b.jpg", "nas:/data/c.jpg", "-");
    let outcome = sandbox.run("ms-report", &[""; 0], stream.as_bytes()).expect_status(0);
    let page = crate::text(&outcome);
    assert!(page.contains("nas:/<wbr>data/") && !page.contains("href=\"file:"), "{page}");
    assert!(!outcome.stderr.contains("not found"), "{}", outcome.stderr);
}
