use super::super::Source;
use super::super::trial::{dates, facts, survives_damage};
use super::{is_transport_stream, read};

/// The packs of a camera: this zone, 2019-01-02 00:00:05, Sony.
fn packs(zone: u8) -> Vec<u8> {
    let packs = [
        [0x13, 0, 0, 0, 0],
        [0x18, zone, 0x20, 0x19, 0x01],
        [0x19, 0x02, 0x00, 0x00, 0x05],
        [0x70, 1, 2, 3, 4],
        [0xE0, 0x01, 0x08, 0, 0],
        [0xE4, b'I', b'L', b'C', b'E'],
        [0xE5, b'-', b'7', 0, 0],
    ];
    [&[7][..], &packs.concat()].concat()
}

/// Keeps data from looking like start codes.
fn escaped(plain: &[u8]) -> Vec<u8> {
    let mut stream = Vec::new();
    for &byte in plain {
        if byte <= 3 && stream.ends_with(&[0, 0]) {
            stream.push(3);
        }
        stream.push(byte);
    }
    stream
}

/// A stream of H.264 with such a message behind `before` bytes of other data.
fn stream(before: usize, packs: &[u8]) -> Vec<u8> {
    let message = [super::MARK, packs].concat();
    let size = u8::try_from(message.len()).expect("small");
    let sei = [&[0, 0, 0, 1, 6, 5, size][..], &escaped(&message), &[0x80]].concat();
    [&[0, 0, 0, 1, 9, 0x10][..], &vec![0xAB; before], &sei, &[0, 0, 0, 1, 0x65], &[0xCD; 700]].concat()
}

/// One transport packet of `pid` with as much of `payload` as fits; a shorter rest is stuffed.
fn packet(pid: u8, begins: bool, payload: &mut &[u8]) -> Vec<u8> {
    let taken = payload.len().min(184);
    let (now, rest) = payload.split_at(if taken == 183 { 182 } else { taken });
    *payload = rest;
    let high = if begins { 0x50 } else { 0x10 };
    let mut packet = vec![0x47, high, pid];
    if now.len() == 184 {
        packet.push(0x10);
    } else {
        let len = u8::try_from(183 - now.len()).expect("small");
        packet.extend([0x30, len, 0]);
        packet.resize(5 + usize::from(len), 0xFF);
    }
    packet.extend(now);
    packet
}

/// A transport stream, each packet behind `before` bytes, with sound between the pictures.
fn transport(video: &[u8], before: usize) -> Vec<u8> {
    let pes = [&[0, 0, 1, 0xE0, 0, 0, 0x80, 0x80, 5, 1, 2, 3, 4, 5][..], video].concat();
    let mut rest = &pes[..];
    let mut content = Vec::new();
    let mut begins = true;
    while !rest.is_empty() {
        let mut sound: &[u8] = &[&[0, 0, 1, 0xC0, 0, 0, 0x80, 0, 0][..], &[0x55; 175]].concat();
        for packet in [packet(0x22, true, &mut sound), packet(0x11, begins, &mut rest)] {
            content.extend(vec![0; before]);
            content.extend(packet);
        }
        begins = false;
    }
    content
}

fn camera() -> Vec<u8> {
    transport(&stream(40, &packs(0x44)), 4)
}

#[test]
fn packs_tell_date_zone_and_maker() {
    let january = |offset| [(Source::Mdpm, format!("2019-01-02 00:00:05 {offset:+}"))];
    for (zone, offset) in [(0x04, 120), (0x44, 120), (0x2B, -330), (0x00, 0)] {
        assert_eq!(dates(&transport(&stream(40, &packs(zone)), 0), read), january(offset), "{zone:02x}");
    }
    assert_eq!(dates(&camera(), read), january(120));
    let camera = facts(&camera(), read);
    assert_eq!((camera.make.as_deref(), camera.model.as_deref()), (Some("Sony"), Some("ILCE-7")));
}

#[test]
fn a_zone_that_no_place_has_leaves_the_time() {
    assert_eq!(
        dates(&transport(&stream(40, &packs(0xFF)), 4), read),
        [(Source::Mdpm, "2019-01-02 00:00:05".to_owned())]
    );
}

#[test]
fn messages_may_begin_anywhere_in_a_packet() {
    for before in 0..188 {
        assert_eq!(dates(&transport(&stream(before, &packs(0)), 0), read).len(), 1, "{before}");
    }
}

#[test]
fn messages_without_a_date_are_passed_over() {
    let video = [stream(40, &[0]), stream(70, &[1, 0x18, 0, 0x20, 0x19, 0x13]), stream(3000, &packs(0))].concat();
    assert_eq!(dates(&transport(&video, 4), read).len(), 1);
    let blank = [2, 0x18, 0xFF, 0xFF, 0xFF, 0xFF, 0x19, 0xFF, 0xFF, 0xFF, 0xFF];
    assert_eq!(dates(&transport(&stream(40, &blank), 4), read), []);
}

#[test]
fn only_the_begin_of_a_long_stream_is_searched() {
    assert_eq!(dates(&transport(&stream(200_000, &packs(0)), 4), read).len(), 1);
    assert_eq!(dates(&transport(&stream(1 << 20, &packs(0)), 4), read), []);
}

#[test]
fn three_packets_in_step_make_a_transport_stream() {
    assert!(is_transport_stream(&camera()));
    assert!(is_transport_stream(&transport(&[0; 600], 0)));
    assert!(!is_transport_stream(&camera()[1..]));
    assert!(!is_transport_stream(&camera()[..380]));
    assert!(!is_transport_stream(b"G"));
}

#[test]
fn damage_is_survived() {
    survives_damage(&[camera(), transport(&stream(1000, &packs(0)), 0)], read);
}
