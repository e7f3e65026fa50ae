//! Damaged pictures of all formats are drawn, or told to be damaged.

use std::time::{Duration, Instant};

use image::ImageFormat;
use jpeg_encoder::SamplingFactor;
use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{RngCore, SeedableRng};

use super::*;

/// A small picture with something to see in it.
fn picture() -> DynamicImage {
    let pixel = |x: u32, y: u32| image::Rgb([x, y, x ^ y].map(|part| part.to_le_bytes()[0].wrapping_mul(5)));
    image::RgbImage::from_fn(64, 48, pixel).into()
}

fn jpeg(change: impl FnOnce(&mut Encoder<&mut Vec<u8>>)) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, 80);
    change(&mut encoder);
    encoder.encode(&picture().to_rgb8(), 64, 48, ColorType::Rgb).expect("encoded");
    bytes
}

fn samples() -> Vec<Vec<u8>> {
    let formats = [ImageFormat::Png, ImageFormat::Gif, ImageFormat::WebP, ImageFormat::Tiff];
    let encoded = formats.into_iter().map(|format| {
        let mut bytes = Cursor::new(Vec::new());
        picture().write_to(&mut bytes, format).expect("encoded");
        bytes.into_inner()
    });
    let jpegs = [
        jpeg(|_| {}),
        jpeg(|encoder| encoder.set_progressive(true)),
        jpeg(|encoder| encoder.set_optimized_huffman_tables(true)),
        jpeg(|encoder| encoder.set_sampling_factor(SamplingFactor::F_2_2)),
        jpeg(|encoder| encoder.set_restart_interval(2)),
    ];
    encoded.chain(jpegs).collect()
}

fn below(random: &mut Xoshiro256PlusPlus, end: usize) -> usize {
    usize::try_from(random.next_u64() % u64::try_from(end.max(1)).unwrap_or(1)).unwrap_or(0)
}

/// A copy with a few bytes changed, mostly near the beginning, where headers are; some are cut short.
fn damaged(sample: &[u8], random: &mut Xoshiro256PlusPlus) -> Vec<u8> {
    let mut content = sample.to_vec();
    for _ in 0..=below(random, 6) {
        let range = if below(random, 2) == 0 { 200 } else { content.len() };
        let at = below(random, range.min(content.len()));
        if let Some(byte) = content.get_mut(at) {
            let value = random.next_u64().to_le_bytes()[0];
            *byte = [value, *byte ^ (1 << (value % 8)), 0, 0xff][below(random, 4)];
        }
    }
    if below(random, 8) == 0 {
        content.truncate(below(random, content.len()));
    }
    content
}

/// 1500 times, or for as long as `MEDIASTRUCT_FUZZ_SECONDS` says. What is made of a round depends on its number alone.
#[test]
fn damage_is_survived() {
    let seconds = std::env::var("MEDIASTRUCT_FUZZ_SECONDS").ok().and_then(|seconds| seconds.parse().ok());
    let limit = seconds.map(|seconds| Instant::now() + Duration::from_secs(seconds));
    let samples = samples();
    let mut random = Xoshiro256PlusPlus::seed_from_u64(1826);
    let (mut drawn, mut round) = (0, 0);
    while limit.map_or(round < 1500, |limit| Instant::now() < limit) {
        let content = damaged(&samples[round % samples.len()], &mut random);
        drawn += usize::from(decode(Cursor::new(&content)).is_ok());
        round += 1;
    }
    assert!(drawn > round / 20 && drawn < round, "{drawn} of {round}");
}
