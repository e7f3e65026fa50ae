use super::super::Source;
use super::super::trial::{dates, survives_damage};
use super::*;

/// 2019-01-02 03:04:05 UTC, in nanoseconds since 2001-01-01.
const JANUARY: i64 = 568_091_045_000_000_000;

fn id(id: u32) -> Vec<u8> {
    id.to_be_bytes().into_iter().skip_while(|&byte| byte == 0).collect()
}

/// An element whose size takes 8 bytes.
fn element(of: u32, content: &[u8]) -> Vec<u8> {
    let size = (1_u64 << 56) | u64::try_from(content.len()).expect("small");
    [&id(of)[..], &size.to_be_bytes(), content].concat()
}

/// An element whose size is not known, told in one byte.
fn unsized_element(of: u32, content: &[u8]) -> Vec<u8> {
    [&id(of)[..], &[0xFF], content].concat()
}

fn info(nanoseconds: i64) -> Vec<u8> {
    let scale = [&id(0x2A_D7B1)[..], &[0x83, 0x0F, 0x42, 0x40]].concat();
    element(INFO, &[scale, element(DATE_UTC, &nanoseconds.to_be_bytes())].concat())
}

fn simple_tag(name: &str, text: &str) -> Vec<u8> {
    element(SIMPLE_TAG, &[element(TAG_NAME, name.as_bytes()), element(TAG_STRING, text.as_bytes())].concat())
}

fn tags(name: &str, text: &str) -> Vec<u8> {
    let targets = element(0x63C0, b"");
    element(
        TAGS,
        &element(TAG, &[targets, simple_tag("TITLE", "2018-01-01 00:00:01"), simple_tag(name, text)].concat()),
    )
}

/// The position of an element, from the begin of the segment's content.
fn seek(of: u32, position: usize) -> Vec<u8> {
    let position = u16::try_from(position).expect("small").to_be_bytes();
    element(SEEK, &[element(SEEK_ID, &id(of)), element(SEEK_POSITION, &position)].concat())
}

fn file(segment: &[u8]) -> Vec<u8> {
    [element(0x1A45_DFA3, b"\x42\x82\x88matroska"), segment.to_vec()].concat()
}

/// A file whose tags stand behind its clusters, where the head tells.
fn recorded() -> Vec<u8> {
    let head = |at| element(SEEK_HEAD, &[seek(CLUSTER, 7), seek(TAGS, at)].concat());
    let before = [info(JANUARY), element(CLUSTER, &[0; 300]), element(CLUSTER, &[0; 300])].concat();
    let at = head(0).len() + before.len();
    let content = [head(at), before, tags("DATE_RECORDED", "2019-01-02 03:04:05")].concat();
    file(&element(SEGMENT, &content))
}

#[test]
fn info_tells_when_the_file_was_made() {
    for content in [element(SEGMENT, &info(JANUARY)), unsized_element(SEGMENT, &info(JANUARY))] {
        assert_eq!(dates(&file(&content), read), [(Source::MkvDateUtc, "2019-01-02 03:04:05".to_owned())]);
    }
    for nothing in [0, i64::MIN, i64::MAX] {
        assert_eq!(dates(&file(&element(SEGMENT, &info(nothing))), read), []);
    }
}

#[test]
fn tags_behind_clusters_are_found_by_the_head() {
    let expected = [(Source::MkvRecorded, "2019-01-02 03:04:05"), (Source::MkvDateUtc, "2019-01-02 03:04:05")];
    assert_eq!(dates(&recorded(), read), expected.map(|(source, date)| (source, date.to_owned())));
}

#[test]
fn tags_behind_a_cluster_without_a_size_are_found_by_the_head_alone() {
    let cluster = unsized_element(CLUSTER, &[0; 30]);
    let tags = tags("DATE_RECORDED", "2019-01-02 03:04:05");
    let head = |at| element(SEEK_HEAD, &seek(TAGS, at));
    let at = head(0).len() + cluster.len();
    let with_head = [head(at), cluster.clone(), tags.clone()].concat();
    assert_eq!(dates(&file(&unsized_element(SEGMENT, &with_head)), read).len(), 1);
    assert_eq!(dates(&file(&unsized_element(SEGMENT, &[cluster, tags].concat())), read), []);
}

#[test]
fn a_head_may_lead_to_another_and_in_circles() {
    let tags = tags("DATE_RECORDED", "2019-01-02 03:04:05");
    let first = |at| element(SEEK_HEAD, &[seek(SEEK_HEAD, at), seek(SEEK_HEAD, 0), seek(TAGS, 60_000)].concat());
    let cluster = element(CLUSTER, &[0; 30]);
    let second_at = first(0).len() + cluster.len();
    let second = |at| element(SEEK_HEAD, &[seek(SEEK_HEAD, second_at), seek(TAGS, at)].concat());
    let tags_at = second_at + second(0).len();
    let content = [first(second_at), cluster, second(tags_at), tags].concat();
    assert_eq!(dates(&file(&element(SEGMENT, &content)), read).len(), 1);
}

#[test]
fn other_tags_and_days_are_no_capture_time() {
    for (name, text) in
        [("DATE_RELEASED", "2019-01-02 03:04:05"), ("DATE_RECORDED", "2019-01-02"), ("DATE_RECORDED", "2019")]
    {
        assert_eq!(dates(&file(&element(SEGMENT, &tags(name, text))), read), [], "{name} {text}");
    }
}

#[test]
fn damage_is_survived() {
    survives_damage(&[recorded(), file(&unsized_element(SEGMENT, &info(JANUARY)))], read);
}
