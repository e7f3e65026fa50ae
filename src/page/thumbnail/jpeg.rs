//! JPEG, decoded at a fraction of its size: of 50 million pixels, less than one million are needed.

use std::io::Read;

use image::{DynamicImage, GrayImage, RgbImage};
use jpeg_decoder::{CodingProcess, Decoder, Error, ImageInfo, PixelFormat};

use super::{Absence, LONGEST_SIDE, MEMORY, SIDE, of_reading};

/// Bytes that a progressive picture takes for each pixel until its last scan: two for each of up to four components.
const PROGRESSIVE: u64 = 8;

/// Decodes a picture, its sides no shorter than those of a thumbnail if they were not so before.
pub(super) fn decode(reader: impl Read) -> Result<DynamicImage, Absence> {
    let mut decoder = Decoder::new(reader);
    decoder.set_max_decoding_buffer_size(usize::try_from(MEMORY).unwrap_or(usize::MAX));
    decoder.read_info().map_err(|error| why(&error))?;
    check(decoder.info().ok_or(Absence::Damaged)?)?;
    let side = u16::try_from(SIDE).unwrap_or(u16::MAX);
    decoder.scale(side, side).map_err(|error| why(&error))?;
    let pixels = decoder.decode().map_err(|error| why(&error))?;
    picture(pixels, decoder.info().ok_or(Absence::Damaged)?).ok_or(Absence::Damaged)
}

fn why(error: &Error) -> Absence {
    match error {
        Error::Io(error) => of_reading(error),
        _ => Absence::Damaged,
    }
}

fn check(info: ImageInfo) -> Result<(), Absence> {
    let (width, height) = (u64::from(info.width), u64::from(info.height));
    let memory = match info.coding_process {
        CodingProcess::DctProgressive | CodingProcess::Lossless => width * height * PROGRESSIVE,
        CodingProcess::DctSequential => 0,
    };
    let is_long = width.max(height) > u64::from(LONGEST_SIDE);
    if is_long || memory > MEMORY { Err(Absence::TooLarge) } else { Ok(()) }
}

fn picture(pixels: Vec<u8>, info: ImageInfo) -> Option<DynamicImage> {
    let (width, height) = (u32::from(info.width), u32::from(info.height));
    match info.pixel_format {
        PixelFormat::L8 => GrayImage::from_raw(width, height, pixels).map(DynamicImage::from),
        PixelFormat::L16 => {
            // Of each pair of bytes the one that counts more.
            let high = pixels.chunks_exact(2).map(|pair| u16::from_ne_bytes([pair[0], pair[1]]).to_be_bytes()[0]);
            GrayImage::from_raw(width, height, high.collect()).map(DynamicImage::from)
        }
        PixelFormat::RGB24 => RgbImage::from_raw(width, height, pixels).map(DynamicImage::from),
        PixelFormat::CMYK32 => {
            let rgb = pixels.chunks_exact(4).flat_map(|ink| from_ink([ink[0], ink[1], ink[2], ink[3]]));
            RgbImage::from_raw(width, height, rgb.collect()).map(DynamicImage::from)
        }
    }
}

/// Inks on white paper, as they look without any profile.
fn from_ink([cyan, magenta, yellow, black]: [u8; 4]) -> [u8; 3] {
    let light = u16::from(255 - black);
    [cyan, magenta, yellow].map(|ink| u8::try_from(u16::from(255 - ink) * light / 255).unwrap_or(u8::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_ink_is_white_and_all_ink_is_black() {
        assert_eq!(from_ink([0; 4]), [255; 3]);
        assert_eq!(from_ink([0, 0, 0, 255]), [0; 3]);
        assert_eq!(from_ink([255, 0, 0, 0]), [0, 255, 255]);
    }

    /// A picture whose components come one after the other, which some decoders show in false colours.
    #[test]
    fn colours_are_right_also_where_components_come_one_after_the_other() {
        let rgb = [200_u8, 60, 40].repeat(64 * 64);
        for apart in [false, true] {
            let mut bytes = Vec::new();
            let mut encoder = jpeg_encoder::Encoder::new(&mut bytes, 90);
            encoder.set_optimized_huffman_tables(apart);
            encoder.set_sampling_factor(jpeg_encoder::SamplingFactor::F_2_2);
            encoder.encode(&rgb, 64, 64, jpeg_encoder::ColorType::Rgb).expect("encoded");
            let picture = decode(bytes.as_slice()).expect("decoded").to_rgb8();
            let pixel = picture.get_pixel(30, 30).0;
            let near = pixel.iter().zip([200, 60, 40]).all(|(found, wanted)| found.abs_diff(wanted) < 6);
            assert!(near, "{apart}: {pixel:?}");
        }
    }
}
