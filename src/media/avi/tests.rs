use super::super::Source;
use super::super::trial::{dates, survives_damage};
use super::read;

fn chunk(kind: &[u8], content: &[u8]) -> Vec<u8> {
    let len = u32::try_from(content.len()).expect("small").to_le_bytes();
    let padding: &[u8] = if content.len().is_multiple_of(2) { &[] } else { &[0] };
    [kind, &len, content, padding].concat()
}

fn list(kind: &[u8], chunks: &[Vec<u8>]) -> Vec<u8> {
    chunk(b"LIST", &[kind, &chunks.concat()].concat())
}

fn avi(chunks: &[Vec<u8>]) -> Vec<u8> {
    chunk(b"RIFF", &[&b"AVI "[..], &chunks.concat()].concat())
}

/// A file of a camera with this date.
fn camera(date: &[u8]) -> Vec<u8> {
    let streams = list(b"strl", &[chunk(b"strh", &[0; 56])]);
    let headers = list(b"hdrl", &[chunk(b"avih", &[0; 56]), streams, chunk(b"odd ", b"x"), chunk(b"IDIT", date)]);
    avi(&[headers, list(b"movi", &[chunk(b"00dc", &[7; 100])])])
}

#[test]
fn dates_are_spelled_by_many_cameras() {
    for (date, expected) in [
        (&b"Wed Jan 02 03:04:05 2019\n\0"[..], "2019-01-02 03:04:05"),
        (b"WED JAN 02 03:04:05 2019\n\0", "2019-01-02 03:04:05"),
        (b"Wed Jan  2 03:04:05 2019", "2019-01-02 03:04:05"),
        (b"2019:01:02 03:04:05\0", "2019-01-02 03:04:05"),
        (b"2019-01-02  03:04:05\0\0", "2019-01-02 03:04:05"),
        (b"2019/01/02/ 03:04\0", "2019-01-02 03:04:00"),
        (b"2019/ 1/ 2  1:04PM\0", "2019-01-02 13:04:00"),
    ] {
        let found = dates(&camera(date), read);
        assert_eq!(found, [(Source::AviIdit, expected.to_owned())], "{}", date.escape_ascii());
    }
}

#[test]
fn dates_that_cannot_be_true_are_none() {
    for date in [&b""[..], b"2019-01-02", b"    :  :     :  :  ", b"Mon Jan 01 00:00:00 1980\n\0", &[b' '; 300]] {
        assert_eq!(dates(&camera(date), read), [], "{}", date.escape_ascii());
    }
}

#[test]
fn the_date_may_stand_beside_the_lists_and_the_file_may_say_it_is_empty() {
    let date = chunk(b"IDIT", b"2019-01-02 03:04:05");
    let mut content = avi(&[list(b"movi", &[chunk(b"00dc", &[7; 100])]), date.clone()]);
    content[4..8].fill(0);
    assert_eq!(dates(&content, read).len(), 1);
    assert_eq!(dates(&avi(&[list(b"INFO", &[chunk(b"ICRD", b"2018-01-02 03:04:05"), date])]), read).len(), 1);
}

#[test]
fn pictures_and_other_texts_are_no_dates() {
    let date = chunk(b"IDIT", b"2019-01-02 03:04:05");
    let created = chunk(b"ICRD", b"2019-01-02 03:04:05");
    assert_eq!(dates(&avi(&[list(b"movi", &[date]), list(b"INFO", &[created])]), read), []);
}

#[test]
fn damage_is_survived() {
    survives_damage(&[camera(b"Wed Jan 02 03:04:05 2019\n\0"), avi(&[chunk(b"IDIT", b"2019-01-02 03:04:05")])], read);
}
