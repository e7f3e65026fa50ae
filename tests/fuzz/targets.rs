//! Readers of what others have written, each as a function of any bytes that panics where a promise is broken.
//!
//! The seeded run of `cargo test` and the targets of cargo-fuzz (see `fuzz/README.md`) both call these.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::Write as _;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Component, Path, PathBuf};

use mediastruct::capture::{self, Capture, Evidence, Rules, Zone};
use mediastruct::cli::Failure;
use mediastruct::escape;
use mediastruct::index;
use mediastruct::ingest::Template;
use mediastruct::journal::Past;
use mediastruct::media::{self, Facts, Moment, when};
use mediastruct::plan::{Keeper, push_keeper_note};
use mediastruct::record::{COLUMNS, ContentHash, FileId, INDEX_COLUMNS, Record, Timestamp, decimal};
use mediastruct::stream::line::{Dialect, Layout, Line, LineReader};
use mediastruct::stream::table::RowReader;
use mediastruct::stream::{Faults, Format, Held, RowRef, Table, Writer};
use mediastruct::volume::catalogue::Catalogue;
use mediastruct::volume::planned::Planned;
use mediastruct::volume::{self, Number, sums};
use mediastruct::walk::filter::FilterBuilder;

/// What any bytes can be given to.
pub type Target = fn(&[u8]);

/// All of them, by name.
pub const ALL: [(&str, Target); 14] = [
    ("stream", stream),
    ("volume", volume),
    ("sums", sums),
    ("catalogue", catalogue),
    ("journal", journal),
    ("companion", companion),
    ("picture", picture),
    ("video", video),
    ("xmp", xmp),
    ("takeout", takeout),
    ("name", name),
    ("note", note),
    ("template", template),
    ("glob", glob),
];

/// Bytes of a stream whose rows are held.
const MOST_HELD: usize = 256 << 10;

/// A stream of records, as all tools read it.
///
/// Whoever reads a row, in whatever part, again by its place, or line by line, gets the same; and what is written of it
/// is read as the same again.
pub fn stream(data: &[u8]) {
    let whole = data.last().is_none_or(|last| *last == b'\n');
    let table_of_data = table(data);
    assert_eq!(table_of_data.is_some(), whole, "only a cut stream is refused");
    for mut part in table_of_data.iter().flat_map(|table| table.parts(1)) {
        while part.next_row().is_some() {}
    }
    // All its rows are held here more than once, which counts as memory of the tools.
    let data = &data[..data.len().min(MOST_HELD)];
    let mut text = data.to_vec();
    if data.last().is_some_and(|last| *last != b'\n') {
        text.push(b'\n');
    }
    let table_of_text = table(&text).expect("a whole stream");
    let rows = rows(&table_of_text, 1);
    assert_eq!(rows.len(), read_by_lines(&text, &rows));
    let mut reader = RowReader::default();
    for (at, row) in &rows {
        let again = table_of_text.row(*at, &mut reader).map(|row| row.to_record()).map_err(|fault| fault.to_string());
        assert_eq!(&again, row, "read again");
        let line = table_of_text.line(*at);
        assert_eq!(memchr::memchr(b'\n', line), Some(line.len() - 1));
        if let Ok(record) = row {
            let path = table_of_text.path(*at, &mut reader).expect("a path");
            let path = escape::unescape(path).expect("a path of a row");
            assert_eq!(*path, *record.path.as_os_str().as_bytes());
        }
    }
    // Short streams have one part only.
    if data.len() % 8 == 3 && !text.is_empty() {
        let many = text.repeat((150_000 / text.len()).max(1));
        let many = table(&many).expect("whole streams");
        assert_eq!(self::rows(&many, 1), self::rows(&many, 5), "in parts");
    }
    let records: Vec<Record> = rows.into_iter().filter_map(|(_, row)| row.ok()).collect();
    records.iter().for_each(is_sound);
    // What the columns of an index do not hold would be lost in one.
    let is_plan = |record: &Record| record.dest.is_some() || record.keep.is_some() || record.note.is_some();
    let columns = if records.iter().any(is_plan) { COLUMNS.len() } else { INDEX_COLUMNS };
    for dialect in [Dialect::Tsv, Dialect::Csv] {
        for header in [false, true] {
            comes_back(&records, Format { dialect, header }, columns);
        }
    }
}

type RowOf = (RowRef, Result<Record, String>);

/// All rows, each part read by a thread of its own.
fn rows(table: &Table, parts: usize) -> Vec<RowOf> {
    let read = |mut part: mediastruct::stream::table::Part<'_>| {
        let mut rows = Vec::new();
        while let Some((at, row)) = part.next_row() {
            rows.push((at, row.map(|row| row.to_record()).map_err(|fault| fault.to_string())));
        }
        rows
    };
    let mut parts = table.parts(parts);
    if parts.len() == 1 {
        return read(parts.remove(0));
    }
    std::thread::scope(|scope| {
        let hands: Vec<_> = parts.into_iter().map(|part| scope.spawn(move || read(part))).collect();
        hands.into_iter().flat_map(|hand| hand.join().expect("a reader")).collect()
    })
}

/// Reads each line for itself and compares it with its row. Tells how many rows there are.
fn read_by_lines(text: &[u8], rows: &[RowOf]) -> usize {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    let mut lines = text.split_inclusive(|byte| *byte == b'\n').map(|line| &line[..line.len() - 1]);
    let Some(first) = lines.clone().next() else { return 0 };
    let mut reader = Layout::detect(first).map(LineReader::new);
    let mut rows = rows.iter();
    let mut count = 0;
    for line in &mut lines {
        let read = match &mut reader {
            Ok(reader) => match reader.read(line) {
                Ok(Line::Header) => continue,
                Ok(Line::Row(row)) => Ok(row.to_record()),
                Err(fault) => Err(fault.to_string()),
            },
            Err(fault) => Err(fault.to_string()),
        };
        count += 1;
        assert_eq!(Some(&read), rows.next().map(|(_, row)| row), "read for itself: {}", line.escape_ascii());
    }
    count
}

/// What no record may be, whoever made it.
fn is_sound(record: &Record) {
    let paths = [Some(&record.path), record.dest.as_ref(), record.keep.as_ref()];
    for path in paths.into_iter().flatten() {
        let bytes = path.as_os_str().as_bytes();
        assert!(!bytes.is_empty() && !bytes.contains(&0), "{record:?}");
    }
    assert!(record.mtime.is_none_or(|mtime| mtime.nanoseconds < 1_000_000_000), "{record:?}");
}

/// Written and read, records are the same but for what is written as unknown.
fn comes_back(records: &[Record], format: Format, columns: usize) {
    let mut text = Vec::new();
    let mut writer = Writer::new(&mut text, format, columns).expect("a writer");
    for record in records {
        writer.write(record).expect("written");
    }
    writer.flush().expect("written");
    drop(writer);
    let is_odd = |byte: &u8| byte.is_ascii_control() && *byte != b'\n' && *byte != b'\t';
    assert!(!text.iter().any(is_odd), "{}", text.escape_ascii());
    let lines = memchr::memchr_iter(b'\n', &text).count();
    // Nothing is written of CSV until there is a row or a header.
    assert_eq!(lines, records.len() + usize::from(format.header));
    let back = rows(&table(&text).expect("own output"), 1);
    assert_eq!(back.len(), records.len(), "{}", text.escape_ascii());
    for ((_, back), record) in back.iter().zip(records) {
        assert_eq!(back.as_ref(), Ok(&as_written(record, columns)), "{}", text.escape_ascii());
    }
}

/// A bare `-` stands for what is unknown: as a path it is written `./-`, as a note it says nothing.
fn as_written(record: &Record, columns: usize) -> Record {
    let path = |path: &PathBuf| if path.as_os_str() == "-" { PathBuf::from("./-") } else { path.clone() };
    let is_plan = columns > INDEX_COLUMNS;
    let note = record.note.clone().filter(|note| is_plan && !matches!(note.as_slice(), b"" | b"-"));
    Record {
        path: path(&record.path),
        dest: record.dest.as_ref().filter(|_| is_plan).map(path),
        keep: record.keep.as_ref().filter(|_| is_plan).map(path),
        note,
        ..record.clone()
    }
}

/// The table of a stream; `None` where it is refused.
fn table(text: &[u8]) -> Option<Table> {
    Table::of(held(text)).ok()
}

fn held(text: &[u8]) -> Held {
    let write = |out: &mut dyn std::io::Write| out.write_all(text).map_err(|error| Failure::Stop(error.to_string()));
    Held::made_from("input", write).expect("a temporary file")
}

/// A file of these bytes that has no name and is at its beginning.
fn file(content: &[u8]) -> File {
    use std::io::Seek as _;
    let fd = rustix::fs::memfd_create("input", rustix::fs::MemfdFlags::CLOEXEC).expect("a file in memory");
    let mut file = File::from(fd);
    file.write_all(content).expect("written");
    file.rewind().expect("at its beginning");
    file
}

/// All records of what became a stream, where none is malformed.
#[track_caller]
fn records(text: &[u8]) -> Vec<Record> {
    let rows = rows(&table(text).expect("a whole stream"), 1);
    let records: Vec<Record> = rows.into_iter().map(|(_, row)| row.expect("a good row")).collect();
    records.iter().for_each(is_sound);
    records
}

/// The `index.json` of a volume.
pub fn volume(data: &[u8]) {
    let mut text = Vec::new();
    if let Err(failure) = volume::index::to_stream(&held(data), &mut text) {
        return is_a_message(&failure, data.len());
    }
    let records = records(&text);
    // Another reader of JSON finds the same files.
    let json = data.strip_prefix(b"\xef\xbb\xbf").unwrap_or(data);
    if let Ok(json) = serde_json::from_slice::<serde_json::Value>(json) {
        let files = json["files"].as_array().expect("files");
        let path = |file: &serde_json::Value| file["path"].as_str().map(|path| path.as_bytes().to_vec());
        let paths: Vec<Vec<u8>> = files.iter().filter_map(path).collect();
        assert_eq!(paths.len(), records.len());
        for (path, record) in paths.iter().zip(&records) {
            let path = escape::unescape(path).expect("an escaped path");
            assert_eq!(record.path, PathBuf::from(OsStr::from_bytes(&path)));
        }
    }
    let mut json = Vec::new();
    volume::index::write(Number::FIRST, records.iter(), &mut json).expect("written");
    let mut again = Vec::new();
    volume::index::to_stream(&held(&json), &mut again).expect("own output");
    let expected: Vec<Record> = records.iter().map(|record| as_written(record, INDEX_COLUMNS)).collect();
    assert_eq!(self::records(&again), expected);
}

/// What is said of bad input is one line, and no book.
fn is_a_message(failure: &Failure, len: usize) {
    let text = format!("{failure:?}");
    assert!(text.len() <= 2048, "a message of {} bytes on {len}", text.len());
    assert!(!text.contains(char::is_control), "{text:?}");
}

/// The checksums of a volume, and what else b3sum writes.
pub fn sums(data: &[u8]) {
    let (mut text, mut faults) = (Vec::new(), Faults::new(false));
    if let Err(failure) = sums::to_stream(&held(data), &mut text, &mut faults) {
        assert_ne!(data.last(), Some(&b'\n'), "only a cut file is refused");
        return is_a_message(&failure, data.len());
    }
    let records = records(&text);
    let lines = memchr::memchr_iter(b'\n', data).count();
    assert_eq!(records.len() + faults.count(), lines);
    assert!(faults.places().len() <= 20);
    let mut again = Vec::new();
    let can_hold = |record: &&Record| sums::can_hold(record.path.as_os_str().as_bytes());
    let held_by_b3sum: Vec<&Record> = records.iter().filter(can_hold).collect();
    for record in &held_by_b3sum {
        sums::push_line(record.hash.expect("a hash"), record.path.as_os_str().as_bytes(), &mut again);
    }
    let (mut text, mut faults) = (Vec::new(), Faults::new(false));
    sums::to_stream(&held(&again), &mut text, &mut faults).expect("own output");
    assert_eq!(faults.count(), 0, "{faults:?}");
    assert!(self::records(&text).iter().eq(held_by_b3sum));
}

/// The catalogue of an archive.
pub fn catalogue(data: &[u8]) {
    let catalogue = match Catalogue::parse(data) {
        Ok(catalogue) => catalogue,
        Err(problem) => return is_a_message(&Failure::Stop(problem), data.len()),
    };
    let json = catalogue.to_json();
    let again = Catalogue::parse(&json).expect("own output");
    assert_eq!(again.to_json(), json, "what was written stays as it is");
    assert_eq!(again.volumes().count(), catalogue.volumes().count());
    for volume in catalogue.volumes() {
        assert_eq!(again.get(volume.number), Some(volume));
    }
}

/// The journal of a run of the mover.
pub fn journal(data: &[u8]) {
    let Ok(past) = Past::read(&file(data)) else { return };
    for row in 0..past.rows() {
        // Both look again at what they need.
        drop((past.record(row), past.state(row), past.left_over(row)));
        if let Some(record) = past.record(row) {
            is_sound(&record);
        }
    }
    assert_eq!(past.record(past.rows()), None);
    assert_eq!(past.left_over(past.rows()), None);
    for path in past.made().iter().chain(past.removed().iter().map(|removed| &removed.path)) {
        assert!(!path.as_os_str().as_bytes().contains(&0));
    }
}

/// What stands beside an index, as it is and with every line's check made right.
pub fn companion(data: &[u8]) {
    for text in [data.to_vec(), with_checks(data)] {
        let beside = index::look_beside(&text);
        let lines = memchr::memchr_iter(b'\n', &text).count();
        assert!(beside.accounts + beside.begins + beside.rows.len() + beside.pieces <= lines);
        for (at, row) in beside.rows {
            let at = usize::try_from(at).expect("a place");
            assert!(text[at..].starts_with(&row) && text[at + row.len()] == b'\n');
        }
    }
}

/// Each line's first eight bytes become its check, so that what is behind is read.
fn with_checks(data: &[u8]) -> Vec<u8> {
    let mut text = Vec::new();
    for line in data.split_inclusive(|byte| *byte == b'\n') {
        match line.strip_suffix(b"\n").and_then(|line| line.split_at_checked(9)) {
            Some((_, rest)) => {
                text.extend_from_slice(&blake3::hash(rest).to_hex().as_bytes()[..8]);
                text.push(b' ');
                text.extend_from_slice(rest);
                text.push(b'\n');
            }
            None => text.extend_from_slice(line),
        }
    }
    text
}

/// A photo, of whatever format.
pub fn picture(data: &[u8]) {
    let facts = media::read(&file(data)).expect("a file that can be read");
    judge(&facts);
    let names = ["IMG_20190102_030405.jpg", "a"].map(OsStr::new);
    for name in names {
        weigh(&facts, name, None);
    }
}

/// A video, of whatever format.
pub fn video(data: &[u8]) {
    picture(data);
}

/// A packet of XMP beside a picture.
pub fn xmp(data: &[u8]) {
    let sidecar = media::xmp::dates(data);
    judge(&sidecar);
    let facts = Facts::default();
    for sidecar_first in [false, true] {
        let evidence = Evidence { sidecar: Some(&sidecar), ..evidence(&facts, OsStr::new("a.jpg")) };
        told(&evidence, Rules { sidecar_first, ..rules() });
    }
}

/// What Google Takeout puts beside a picture.
pub fn takeout(data: &[u8]) {
    let moment = capture::read_takeout(&file(data)).expect("a file that can be read");
    moment.iter().for_each(believable);
    weigh(&Facts::default(), OsStr::new("a.jpg"), moment);
}

/// The name of a file, and a date as files spell it.
pub fn name(data: &[u8]) {
    weigh(&Facts::default(), OsStr::from_bytes(data), None);
    for moment in [when::parse(data), when::parse_container(data)].into_iter().flatten() {
        believable(&moment);
        believable(&moment.with_subseconds(data).with_offset_text(data));
    }
}

/// What must be true of facts, whatever they were read from.
fn judge(facts: &Facts) {
    assert!(facts.dates.windows(2).all(|pair| pair[0].0 < pair[1].0), "{facts:?}");
    facts.dates.iter().for_each(|(_, moment)| believable(moment));
    assert!(facts.utc_offset.is_none_or(|offset| offset.abs() <= 14 * 3600), "{facts:?}");
    for text in [&facts.make, &facts.model, &facts.content_id].into_iter().flatten() {
        assert!(!text.trim().is_empty() && text.len() < 8192, "{facts:?}");
    }
}

fn believable(moment: &Moment) {
    use chrono::Datelike as _;
    let year = moment.time.year();
    assert!((when::FIRST_PICTURE..9999).contains(&year), "{moment:?}");
    assert!(moment.offset.is_none_or(|offset| offset.abs() <= 14 * 3600), "{moment:?}");
}

fn rules() -> Rules {
    Rules { zone: Zone::parse("Asia/Kathmandu").expect("a zone"), ..Rules::default() }
}

fn evidence<'a>(facts: &'a Facts, name: &'a OsStr) -> Evidence<'a> {
    Evidence { facts, name, sidecar: None, takeout: None, mtime: None, paired_offset: None }
}

fn weigh(facts: &Facts, name: &OsStr, takeout: Option<Moment>) {
    let without = evidence(facts, name);
    told(&Evidence { takeout, ..without }, rules());
    told(&Evidence { takeout, paired_offset: Some(i32::MAX), ..without }, rules());
    let mtime = Timestamp { seconds: 1_546_398_245, nanoseconds: 999_999_999 };
    let capture = told(&Evidence { takeout, mtime: Some(mtime), ..without }, rules());
    assert!(capture.is_some(), "the file's mtime is always there");
}

/// The capture time, whose note is a short line.
fn told(evidence: &Evidence<'_>, rules: Rules) -> Option<Capture> {
    let capture = capture::capture(evidence, &rules)?;
    let note = capture.to_string();
    assert!(note.starts_with("date=") && note.len() < 200 && note.is_ascii() && !note.contains(char::is_control));
    Some(capture)
}

/// The small texts in a record: notes of planners, numbers, times and hashes.
pub fn note(data: &[u8]) {
    if let Some(planned) = Planned::parse(data) {
        let mut note = Vec::new();
        planned.push(&mut note);
        assert_eq!(Planned::parse(&note), Some(planned));
    }
    let record = Record {
        path: "a".into(),
        hash: None,
        size: 0,
        mtime: None,
        id: None,
        dest: None,
        keep: Some("b".into()),
        note: Some(data.to_vec()),
    };
    let keeper = Keeper::of(&record).expect("a keeper");
    let mut note = Vec::new();
    push_keeper_note(keeper.mtime, keeper.id, &mut note);
    let again = Keeper::of(&Record { note: Some(note), ..record }).expect("a keeper");
    assert_eq!((again.mtime, again.id), (keeper.mtime, keeper.id));
    if let Some(time) = Timestamp::parse(data) {
        assert_eq!(Timestamp::parse(time.to_string().as_bytes()), Some(time));
        assert!(time.may_be_kept_as(time));
    }
    if let Some(id) = FileId::parse(data) {
        assert_eq!(FileId::parse(id.to_string().as_bytes()), Some(id));
    }
    if let Some(number) = decimal(data) {
        assert_eq!(decimal(number.to_string().as_bytes()), Some(number));
    }
    if let Some(hash) = ContentHash::parse(data) {
        assert_eq!(hash.to_string().as_bytes(), data);
    }
    for number in [Number::of_dir(OsStr::from_bytes(data)), Number::parse(OsStr::from_bytes(data))] {
        assert!(number.is_none_or(|number| Number::of_dir(OsStr::new(&number.to_string())) == Some(number)));
    }
    let escaped = escape::escape(data);
    assert!(!escaped.contains(char::is_control));
    if !data.contains(&0) {
        assert_eq!(escape::unescape(escaped.as_bytes()).as_deref(), Ok(data));
    }
    if let Ok(plain) = escape::unescape(data) {
        assert!(!plain.contains(&0));
        assert_eq!(escape::unescape(escape::escape(&plain).as_bytes()).as_deref(), Ok(&*plain));
    }
    assert!(!escape::for_people(data).contains(char::is_control));
}

/// The pattern of a destination.
pub fn template(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    match Template::parse(text) {
        Ok(template) => assert_eq!(Template::parse(text), Ok(template)),
        Err(problem) => assert!(problem.len() <= text.len() + 200, "{problem}"),
    }
}

/// A glob, and behind its line the paths that it is tried on.
pub fn glob(data: &[u8]) {
    let mut lines = data.split(|byte| *byte == b'\n');
    let glob = OsString::from_vec(lines.next().unwrap_or_default().to_vec());
    let mut builder = FilterBuilder::default();
    let mut parser = lexopt::Parser::from_args([OsString::from("--exclude"), glob]);
    // The option itself is taken first, as the tools do.
    drop(parser.next());
    if builder.take("--exclude", &mut parser).is_err() {
        return;
    }
    let Ok(filter) = builder.build() else { return };
    for path in lines {
        let path = Path::new(OsStr::from_bytes(path));
        let relative = path.components().all(|part| matches!(part, Component::Normal(_)));
        if relative {
            assert_eq!(filter.wants(path), filter.enters(path), "without --no-junk both mean the same");
        }
    }
}
