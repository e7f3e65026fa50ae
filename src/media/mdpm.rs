//! The date of AVCHD: packs of camera data in the H.264 stream of MTS and M2TS.
//!
//! A transport stream (ISO/IEC 13818-1 § 2.4.3) carries the video in packets of 188 bytes, on Blu-ray and camera discs
//! each behind 4 bytes of time. Among the video stands a message of user data (ITU-T H.264 § D.1.6, D.2.6) with packs
//! as on DV tapes (IEC 61834-4), "modified DV pack metadata". The first message tells when the recording began.

use memchr::memmem;

use super::source::Bytes;
use super::{Facts, Source};

/// Where the first message is to be found: pictures that begin a group carry one, at 28 Mbit/s every 1.7 MB or less.
const SEARCHED: u64 = 2 << 20;

/// Packets that are read at a time.
const PACKETS: usize = 512;

/// Messages that are looked at: pictures between the first and that of the date are few.
const MESSAGES: u32 = 64;

/// The message's UUID and the word behind it.
const MARK: &[u8; 20] = b"\x17\xEE\x8C\x60\xF8\x4D\x11\xD9\x8C\xD6\x08\x00\x20\x0C\x9A\x66MDPM";

/// Length of a message with as many packs as can be, if a third of its bytes prevents start codes.
const MESSAGE: usize = (1 + 255 * 5) * 3 / 2;

/// How packets lie in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Layout {
    /// From one packet to the next, in bytes.
    stride: usize,
    /// Bytes before the packet itself.
    before: usize,
}

impl Layout {
    fn of(head: &[u8]) -> Option<Self> {
        let layouts = [Self { stride: 188, before: 0 }, Self { stride: 192, before: 4 }];
        layouts.into_iter().find(|layout| {
            let mut starts = (0..3).map(|packet| packet * layout.stride + layout.before);
            starts.all(|start| head.get(start) == Some(&0x47))
        })
    }
}

/// Whether a file that begins so is a transport stream. Takes 392 bytes or more to say yes.
pub(crate) fn is_transport_stream(head: &[u8]) -> bool {
    Layout::of(head).is_some()
}

/// Collects what a transport stream says of its making.
pub(crate) fn read(bytes: &mut Bytes, facts: &mut Facts) {
    let Some(layout) = bytes.up_to(0, 3 * 192).and_then(|head| Layout::of(&head)) else { return };
    let mut video = Video::default();
    let mut left = MESSAGES;
    let mut at = 0;
    while at < SEARCHED
        && let Some(block) = bytes.up_to(at, PACKETS * layout.stride).filter(|block| !block.is_empty())
    {
        for packet in block.chunks_exact(layout.stride) {
            video.add(packet.get(layout.before..).unwrap_or_default());
        }
        at += u64::try_from(block.len()).unwrap_or(u64::MAX);
        let last = at >= SEARCHED.min(bytes.len());
        while let Some(message) = video.message(last) {
            packs(&message, facts);
            left -= 1;
            if left == 0 || facts.has(Source::Mdpm) {
                return;
            }
        }
    }
}

/// The video of a transport stream, as far as it was read.
#[derive(Debug, Default)]
struct Video {
    /// Its packets' identifier, once known.
    pid: Option<u16>,
    stream: Vec<u8>,
    /// What was searched of the stream.
    searched: usize,
}

impl Video {
    /// Adds what a transport packet carries, if that is video.
    fn add(&mut self, packet: &[u8]) {
        let [0x47, high, low, control, rest @ ..] = packet else { return };
        let adaptation = match (control & 0x20 != 0, rest.first()) {
            (true, Some(&len)) => 1 + usize::from(len),
            _ => 0,
        };
        let (Some(payload), true) = (rest.get(adaptation..), control & 0x10 != 0) else { return };
        let pid = u16::from_be_bytes([high & 0x1F, *low]);
        let begins = high & 0x40 != 0;
        match payload {
            // The header of a PES packet of video, with 9 bytes and as many as the ninth tells.
            [0, 0, 1, 0xE0..=0xEF, _, _, _, _, more, rest @ ..] if begins && *self.pid.get_or_insert(pid) == pid => {
                self.stream.extend_from_slice(rest.get(usize::from(*more)..).unwrap_or_default());
            }
            _ if !begins && self.pid == Some(pid) => self.stream.extend_from_slice(payload),
            _ => {}
        }
    }

    /// What follows the next [`MARK`], once it is there and whole, or `last`.
    fn message(&mut self, last: bool) -> Option<Vec<u8>> {
        let found = memmem::find(self.stream.get(self.searched..)?, MARK);
        let Some(start) = found.map(|at| self.searched + at + MARK.len()) else {
            // The mark may stand across what comes next.
            self.searched = self.searched.max(self.stream.len().saturating_sub(MARK.len()));
            return None;
        };
        let rest = self.stream.get(start..).filter(|rest| last || rest.len() >= MESSAGE)?;
        self.searched = start;
        Some(unescaped(rest.get(..MESSAGE).unwrap_or(rest)))
    }
}

/// Without the bytes that keep data from looking like start codes (ITU-T H.264 § 7.4.1.1), up to the next start code.
fn unescaped(stream: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(stream.len());
    let mut zeros = 0;
    for &byte in stream {
        match (zeros, byte) {
            (2.., 3) => zeros = 0,
            (2.., 1) => break,
            _ => {
                zeros = if byte == 0 { zeros + 1 } else { 0 };
                plain.push(byte);
            }
        }
    }
    plain
}

/// A message's packs: how many, then a number and 4 bytes each.
fn packs(message: &[u8], facts: &mut Facts) {
    let Some((&count, packs)) = message.split_first() else { return };
    let mut date = None;
    let mut model = Vec::new();
    for pack in packs.chunks_exact(5).take(usize::from(count)) {
        match *pack {
            [0x18, zone, century, year, month] => date = Some([zone, century, year, month]),
            [0x19, day, hour, minute, second] => {
                if let Some(text) = date.take().map(|date| spelled(date, [day, hour, minute, second])) {
                    facts.found_text(Source::Mdpm, text.as_bytes());
                }
            }
            [0xE0, high, low, ..] => facts.make = maker(u16::from_be_bytes([high, low])).map(str::to_owned),
            // Three packs of four letters, which Sony fills.
            [0xE4..=0xE6, ref letters @ ..] if facts.make.as_deref() == Some("Sony") => model.extend(letters),
            _ => {}
        }
    }
    facts.camera(None, Some(model));
}

/// Date and time have two digits to the byte. The zone's bits are: summer time, 0x40; minus, 0x20; hours, 0x1E; half an
/// hour, 0x01. Summer time is among the hours already.
fn spelled([zone, century, year, month]: [u8; 4], [day, hour, minute, second]: [u8; 4]) -> String {
    let sign = if zone & 0x20 == 0 { '+' } else { '-' };
    let hours = (zone >> 1) & 0x0F;
    let minutes = if zone & 1 == 0 { "00" } else { "30" };
    format!(
        "{century:02x}{year:02x}-{month:02x}-{day:02x} {hour:02x}:{minute:02x}:{second:02x}{sign}{hours:02}:{minutes}"
    )
}

/// Makers by their numbers, as `ExifTool` lists them ("H264 MDPM Tags").
fn maker(number: u16) -> Option<&'static str> {
    Some(match number {
        0x0103 => "Panasonic",
        0x0108 => "Sony",
        0x1011 => "Canon",
        0x1104 => "JVC",
        _ => return None,
    })
}

#[cfg(test)]
mod tests;
