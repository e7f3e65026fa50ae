//! JPEG, decoded at a fraction of its size: of 50 million pixels, less than one million are needed.

use std::io::{self, BufReader, ErrorKind, Read};

use image::{DynamicImage, GrayImage, RgbImage};
use jpeg_decoder::{CodingProcess, Decoder, Error, ImageInfo, PixelFormat};

use super::{Absence, LONGEST_SIDE, MEMORY, SIDE, of_reading};

/// Bytes that a progressive picture takes for each pixel until its last scan: two for each of up to four components.
const PROGRESSIVE: u64 = 8;

/// Scans that a picture may have; encoders make some ten. Each goes over all of a picture, and a progressive one takes but a
/// few bytes for that.
const MOST_SCANS: usize = 1 << 8;

/// Reads the file of a picture until it has had too many scans.
struct Bounded<R> {
    reader: R,
    last: u8,
    scans: usize,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(buffer)?;
        let bytes = &buffer[..read];
        let before = |at: usize| at.checked_sub(1).map_or(self.last, |before| bytes[before]);
        // What begins a scan may stand in metadata by chance, and counts as well.
        self.scans += memchr::memchr_iter(0xda, bytes).filter(|at| before(*at) == 0xff).count();
        self.last = bytes.last().copied().unwrap_or(self.last);
        if self.scans > MOST_SCANS { Err(ErrorKind::InvalidData.into()) } else { Ok(read) }
    }
}

/// Decodes a picture, its sides no shorter than those of a thumbnail if they were not so before.
pub(super) fn decode(reader: impl Read) -> Result<DynamicImage, Absence> {
    let mut decoder = Decoder::new(BufReader::new(Bounded { reader, last: 0, scans: 0 }));
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

    #[test]
    fn a_small_file_does_not_take_minutes_by_very_many_scans() {
        let mut bytes = vec![0xff, 0xd8, 0xff, 0xdb, 0, 67, 0];
        bytes.extend([1; 64]);
        bytes.extend([0xff, 0xc2, 0, 11, 8, 7, 208, 7, 208, 1, 1, 0x11, 0]);
        for table in [0, 0x10] {
            bytes.extend([0xff, 0xc4, 0, 20, table, 1]);
            bytes.extend([0; 16]);
        }
        bytes.extend([0xff, 0xda, 0, 8, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0]);
        bytes.extend([0xff, 0xda, 0, 8, 1, 1, 0, 1, 63, 0, 0, 0, 0, 0].repeat(100_000));
        bytes.extend([0xff, 0xd9]);
        let begun = std::time::Instant::now();
        assert_eq!(decode(bytes.as_slice()).err(), Some(Absence::Damaged));
        assert!(begun.elapsed().as_secs() < 60, "{:?}", begun.elapsed());
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
