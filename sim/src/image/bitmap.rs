//! Black dots on white, and their PNG: one bit deep, as on the card.

use super::font::{self, DIGIT, HEIGHT};

/// Most dots in a line of text: twenty full-width characters.
const LINE: usize = 320;

/// A picture of dots.
pub(super) struct Bitmap {
    width: usize,
    height: usize,
    /// packed rows, white is 1
    bytes: Vec<u8>,
}

impl Bitmap {
    fn white(width: usize, height: usize) -> Self {
        Self { width, height, bytes: vec![0xFF; width.div_ceil(8) * height] }
    }

    fn blacken(&mut self, x: usize, y: usize) {
        self.bytes[y * self.width.div_ceil(8) + x / 8] &= !(0x80 >> (x % 8));
    }

    /// `text` in lines of at most twenty characters.
    pub fn of_text(text: &str) -> Self {
        let mut lines: Vec<(usize, Vec<font::Glyph>)> = vec![(0, Vec::new())];
        for glyph in text.chars().map(font::glyph) {
            if lines.last().is_some_and(|(width, _)| width + glyph.width > LINE) {
                lines.push((0, Vec::new()));
            }
            if let Some((width, glyphs)) = lines.last_mut() {
                *width += glyph.width;
                glyphs.push(glyph);
            }
        }
        let width = lines.iter().map(|(width, _)| *width).max().unwrap_or_default().max(8);
        let mut bitmap = Self::white(width, lines.len() * HEIGHT);
        for (line, (_, glyphs)) in lines.into_iter().enumerate() {
            let mut left = 0;
            for glyph in glyphs {
                for (row, dots) in glyph.rows.into_iter().enumerate() {
                    for column in (0..glyph.width).filter(|column| dots & (0x8000 >> column) != 0) {
                        bitmap.blacken(left + column, line * HEIGHT + row);
                    }
                }
                left += glyph.width;
            }
        }
        bitmap
    }

    /// ASCII digits in one line, 6 by 12 dots each; anything else stays white.
    pub fn of_digits(digits: &[u8]) -> Self {
        let (width, height) = DIGIT;
        let mut bitmap = Self::white((digits.len() * width).max(1), height);
        for (place, digit) in digits.iter().enumerate().filter(|(_, digit)| digit.is_ascii_digit()) {
            for (row, dots) in font::digit(digit - b'0').into_iter().enumerate() {
                for column in (0..width).filter(|column| dots & (0x80 >> column) != 0) {
                    bitmap.blacken(place * width + column, row);
                }
            }
        }
        bitmap
    }

    /// The picture as a file.
    ///
    /// # Panics
    /// Never: a picture of this size can be written, and writing to memory does not fail.
    pub fn png(&self) -> Vec<u8> {
        let mut file = Vec::new();
        let side = |length: usize| u32::try_from(length).unwrap_or(u32::MAX);
        let mut encoder = png::Encoder::new(&mut file, side(self.width), side(self.height));
        encoder.set_color(png::ColorType::Grayscale);
        encoder.set_depth(png::BitDepth::One);
        let written = encoder.write_header().and_then(|mut writer| {
            writer.write_image_data(&self.bytes)?;
            writer.finish()
        });
        written.expect("a small picture is written to memory");
        file
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(bitmap: &Bitmap) -> String {
        let stride = bitmap.width.div_ceil(8);
        let dot = |x: usize, y: usize| bitmap.bytes[y * stride + x / 8] & (0x80 >> (x % 8)) == 0;
        let row = |y: usize| (0..bitmap.width).map(|x| if dot(x, y) { '#' } else { '.' }).collect::<String>();
        (0..bitmap.height).map(row).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn text_and_digits_can_be_read() {
        insta::assert_snapshot!("text", shown(&Bitmap::of_text("番号　花子")));
        insta::assert_snapshot!("digits", shown(&Bitmap::of_digits(b"0123456789")));
    }

    #[test]
    fn lines_break_after_twenty_characters() {
        let size = |text: &str| {
            let bitmap = Bitmap::of_text(text);
            (bitmap.width, bitmap.height)
        };
        assert_eq!(size(&"字".repeat(20)), (320, 16));
        assert_eq!(size(&"字".repeat(21)), (320, 32));
        assert_eq!(size(&"字".repeat(200)), (320, 160));
        assert_eq!(size("a字"), (24, 16));
    }

    #[test]
    fn a_png_is_read_back_as_it_was_drawn() {
        for bitmap in [Bitmap::of_text("番号　花子"), Bitmap::of_digits(b"2285")] {
            let file = bitmap.png();
            let mut reader = png::Decoder::new(std::io::Cursor::new(&file)).read_info().unwrap();
            let info = reader.info();
            assert_eq!((info.width as usize, info.height as usize), (bitmap.width, bitmap.height));
            assert_eq!((info.bit_depth, info.color_type), (png::BitDepth::One, png::ColorType::Grayscale));
            let mut bytes = vec![0; bitmap.bytes.len()];
            reader.next_frame(&mut bytes).unwrap();
            assert_eq!(bytes, bitmap.bytes);
        }
    }
}
