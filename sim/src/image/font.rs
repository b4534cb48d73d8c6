//! The bitmap font of the pictures, 東雲フォント (public domain); `vectors/font/README.md` describes the
//! file. Nothing is decoded beforehand: a glyph is looked up where it lies.

static FONT: &[u8] = include_bytes!("../../vectors/font/shinonome-16.bin");

/// Rows of a glyph.
pub(super) const HEIGHT: usize = 16;
/// What stands for a character that the font lacks: 〓, as Japanese printers have it.
const GETA: char = '〓';

/// A character in dots.
pub(super) struct Glyph {
    /// 8 or 16
    pub width: usize,
    /// from the top, the leftmost dot in the highest bit
    pub rows: [u16; HEIGHT],
}

fn number(at: usize) -> u16 {
    FONT.get(at..at + 2).map_or(0, |bytes| u16::from_be_bytes([bytes[0], bytes[1]]))
}

fn count() -> usize {
    usize::from(number(0))
}

/// Full-width characters that two tables of Unicode and JIS X 0208 disagree on.
fn as_in_font(character: char) -> char {
    match character {
        '～' => '〜',
        '－' => '−',
        '∥' => '‖',
        '￠' => '¢',
        '￡' => '£',
        '￢' => '¬',
        other => other,
    }
}

/// The place of `character` among the glyphs.
fn index(character: char) -> Option<usize> {
    let wanted = u16::try_from(u32::from(as_in_font(character))).ok()?;
    let (mut low, mut high) = (0, count());
    while low < high {
        let middle = low.midpoint(high);
        match number(2 + 2 * middle).cmp(&wanted) {
            std::cmp::Ordering::Equal => return Some(middle),
            std::cmp::Ordering::Less => low = middle + 1,
            std::cmp::Ordering::Greater => high = middle,
        }
    }
    None
}

/// `character` in dots.
pub(super) fn glyph(character: char) -> Glyph {
    let found = index(character).or_else(|| index(GETA)).unwrap_or_default();
    let start = 2 + 2 * count() + 2 * HEIGHT * found;
    let rows = std::array::from_fn(|row| number(start + 2 * row));
    Glyph { width: if character.is_ascii() { 8 } else { 16 }, rows }
}

/// Columns and rows of a [`digit`].
pub(super) const DIGIT: (usize, usize) = (6, 12);

/// The digit 0 to 9 in 6 by 12 dots, the leftmost in the highest bit.
pub(super) fn digit(value: u8) -> [u8; DIGIT.1] {
    let start = 2 + (2 + 2 * HEIGHT) * count() + DIGIT.1 * usize::from(value.min(9));
    std::array::from_fn(|row| FONT.get(start + row).copied().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_as_long_as_it_says() {
        assert_eq!(FONT.len(), 2 + (2 + 2 * HEIGHT) * count() + 10 * DIGIT.1);
        assert_eq!(count(), 6879 + 95);
    }

    #[test]
    fn every_level_of_kanji_is_there_and_what_is_missing_is_marked() {
        for character in ['あ', 'ア', '番', '号', '龠', '１', '〜', '～', '－', 'A', '〓', '　'] {
            assert!(index(character).is_some(), "{character}");
        }
        assert!(index('髙').is_none());
        assert_eq!(glyph('髙').rows, glyph(GETA).rows);
    }

    #[test]
    fn no_two_digits_look_the_same() {
        for one in 0..10 {
            assert!(digit(one).iter().any(|row| *row != 0));
            assert!((0..one).all(|other| digit(one) != digit(other)));
        }
    }
}
