//! Damage by the numbers of a seed: the same round gives the same bytes, everywhere and for ever.

use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{RngCore as _, SeedableRng as _};

/// What readers stumble over. Each is put in as it is, or many times over.
const TOKENS: [&[u8]; 48] = [
    b"\0",
    b"\n",
    b"\r\n",
    b"\t",
    b"\x1b[2J",
    b"\x7f",
    b"\xff",
    b"\xc3\x28",
    b"\xef\xbb\xbf",
    "\u{2028}".as_bytes(),
    "\u{85}".as_bytes(),
    "\u{202e}".as_bytes(),
    "\u{feff}".as_bytes(),
    b"\\",
    br"\\",
    br"\x00",
    br"\x2d",
    br"\xef\xbb\xbf",
    br"\n",
    br"\u0000",
    br"\ud800",
    b"\"",
    b"\"\"",
    b",",
    b"-",
    b"./-",
    b"..",
    b"/",
    b"  ",
    b"0",
    b"-1",
    b"4294967295",
    b"4294967296",
    b"18446744073709551615",
    b"18446744073709551616",
    b"9223372036854775807.999999999",
    b"-9223372036854775808.000000000",
    b"1e400",
    b"path\thash\tsize\n",
    b"path,hash,size\n",
    b"{",
    b"}",
    b"{\"a\":",
    b"[",
    b"<a>",
    b"</a>",
    b"&amp;",
    b"(",
];

/// Numbers that are too large, or just not.
const EXTREMES: [u64; 10] =
    [0, 1, 0x7f, 0xff, 0xffff, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff, 0x7fff_ffff_ffff_ffff, 0xffff_ffff_ffff_ffff];

/// Longer inputs are cut to this, in bytes.
const LONGEST: usize = 1 << 20;

/// The source of all chance.
#[derive(Debug)]
pub struct Random(Xoshiro256PlusPlus);

impl Random {
    /// For one round of one target.
    pub fn of(target: &str, round: u64) -> Self {
        let name = blake3::hash(target.as_bytes());
        let name = u64::from_le_bytes(*name.as_bytes().first_chunk().expect("32 bytes"));
        Self(Xoshiro256PlusPlus::seed_from_u64(name ^ round))
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.0.next_u64() % u64::try_from(end.max(1)).expect("small")).expect("small")
    }

    fn pick<'t, T: ?Sized>(&mut self, of: &[&'t T]) -> &'t T {
        of[self.below(of.len())]
    }

    fn byte(&mut self) -> u8 {
        self.0.next_u64().to_le_bytes()[0]
    }

    /// A copy of one of the seeds with one to eight slips.
    pub fn damaged(&mut self, seeds: &[Vec<u8>]) -> Vec<u8> {
        let mut content = seeds[self.below(seeds.len())].clone();
        for _ in 0..=self.below(8) {
            self.slip(&mut content, seeds);
            content.truncate(LONGEST);
        }
        content
    }

    fn slip(&mut self, content: &mut Vec<u8>, seeds: &[Vec<u8>]) {
        let at = self.below(content.len() + 1);
        let until = (at + 1 + self.below(32)).min(content.len()).max(at);
        match self.below(64) {
            0..8 => content.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= 1 << (self.byte() % 8)),
            8..14 => content.iter_mut().skip(at).take(1).for_each(|byte| *byte = self.byte()),
            14..18 => content[at..until].fill(if self.below(2) == 0 { 0 } else { 0xff }),
            18..22 => content.truncate(at),
            22..28 => drop(content.drain(at..until)),
            28..36 => self.number(content, at),
            36..46 => {
                let token = self.pick(&TOKENS).to_vec();
                content.splice(at..at, token);
            }
            46..54 => {
                let other = &seeds[self.below(seeds.len())];
                let from = self.below(other.len() + 1);
                let piece: Vec<u8> = other.iter().skip(from).take(1 + self.below(256)).copied().collect();
                let end = if self.below(2) == 0 { at } else { until };
                content.splice(at..end, piece);
            }
            54..61 => {
                let piece = content[at..until].repeat(1 + self.below(16));
                content.splice(at..at, piece);
            }
            61 => {
                // Deep, or endless.
                let piece = self.pick(&TOKENS).repeat(1 + self.below(20_000));
                content.splice(at..at, piece);
            }
            62 => {
                let from = self.below(at + 1);
                let piece = content[from..at].repeat(self.below(200));
                content.splice(at..at, piece);
            }
            _ => {
                let room = LONGEST.saturating_sub(content.len());
                let piece = content[at..until].repeat(room / 32);
                content.splice(at..at, piece);
            }
        }
    }

    /// An extreme number in the place of what may be a length: binary in any width and order, or decimal digits.
    fn number(&mut self, content: &mut Vec<u8>, at: usize) {
        let number = EXTREMES[self.below(EXTREMES.len())];
        if self.below(4) == 0 {
            let digits = content[at..].iter().take_while(|byte| byte.is_ascii_digit()).count();
            content.splice(at..at + digits, number.to_string().into_bytes());
            return;
        }
        let width = 1 << self.below(4);
        let bytes = if self.below(2) == 0 {
            number.to_le_bytes()[..width].to_vec()
        } else {
            number.to_be_bytes()[8 - width..].to_vec()
        };
        let end = (at + width).min(content.len());
        content.splice(at..end, bytes);
    }
}
