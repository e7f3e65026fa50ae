//! The pictures themselves: a sun over two hills, in colours of its own for each seed.

use super::random::Random;

/// Pixels, three bytes each, row by row from the top.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Picture {
    pub(super) width: u16,
    pub(super) height: u16,
    pub(super) rgb: Vec<u8>,
}

/// What a picture shows. Integers throughout: the bytes are the same on every machine.
#[derive(Debug, Clone)]
pub(super) struct Scene {
    sky: [i64; 3],
    glow: [i64; 3],
    hills: [[i64; 3]; 2],
    /// The sun's place and the tops of the hills, in thousandths of the width and height.
    sun: (i64, i64),
    tops: [(i64, i64); 2],
}

impl Scene {
    /// Some landscape.
    pub(super) fn new(random: &mut Random) -> Self {
        let mut number =
            |least: i64, most: i64| least + i64::try_from(random.below((most - least).unsigned_abs())).unwrap_or(0);
        let mut colour = |least: i64, most: i64| [number(least, most), number(least, most), number(least, most)];
        let (sky, glow, hills) = (colour(40, 200), colour(150, 255), [colour(20, 120), colour(10, 90)]);
        let sun = (number(100, 900), number(100, 500));
        let tops = [(number(0, 500), number(450, 650)), (number(500, 1000), number(550, 800))];
        Self { sky, glow, hills, sun, tops }
    }

    /// The scene with the sun moved by `step` thousandths to the right: the next frame of a movie.
    pub(super) fn after(&self, step: i64) -> Self {
        let mut next = self.clone();
        next.sun.0 = (next.sun.0 + step) % 1000;
        next
    }

    /// The scene as pixels.
    pub(super) fn draw(&self, width: u16, height: u16) -> Picture {
        let mut rgb = Vec::with_capacity(usize::from(width) * usize::from(height) * 3);
        for row in 0..height {
            for column in 0..width {
                let (x, y) = (i64::from(column) * 1000 / i64::from(width), i64::from(row) * 1000 / i64::from(height));
                rgb.extend(self.colour(x, y).map(|value| u8::try_from(value.clamp(0, 255)).unwrap_or(255)));
            }
        }
        Picture { width, height, rgb }
    }

    fn colour(&self, x: i64, y: i64) -> [i64; 3] {
        for ((top_x, top_y), colour) in self.tops.iter().zip(self.hills).rev() {
            if y > top_y + (x - top_x) * (x - top_x) / 2000 {
                return colour;
            }
        }
        let (right, down) = (x - self.sun.0, y - self.sun.1);
        if right * right + down * down < 80 * 80 {
            return self.glow;
        }
        // From the sky's colour at the top to half the glow at the bottom.
        [0, 1, 2].map(|at| self.sky[at] + (self.glow[at] - self.sky[at]) * y / 2000)
    }
}
