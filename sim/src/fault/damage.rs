//! What a fault does to an answer.

use super::kind::Kind;
use crate::card::seeded;
use crate::vpcd::frame::MAX_BODY;
use rand_core::Rng;

const STATUS: usize = 2;

/// Damages `answer` as `kind` says, where it says anything about answers; `random` decides what
/// chance decides. The answer may be empty afterwards, and never exceeds a frame.
pub(super) fn damage(answer: &mut Vec<u8>, kind: Kind, random: u64) {
    match kind {
        Kind::Length(change) => {
            let data = answer.len().saturating_sub(STATUS);
            let status = answer.split_off(data);
            let by = change.unsigned_abs() as usize;
            let wanted =
                if change < 0 { data.saturating_sub(by) } else { (data + by).min(MAX_BODY - STATUS) };
            answer.resize(wanted, 0);
            answer.extend(status);
        }
        Kind::NoStatus => answer.truncate(answer.len().saturating_sub(STATUS)),
        Kind::HalfStatus => answer.truncate(answer.len().saturating_sub(1)),
        Kind::Extra(bytes) => answer.resize((answer.len() + usize::from(bytes)).min(MAX_BODY), 0),
        Kind::Flip(bits) => flip(answer, bits, random),
        _ => {}
    }
}

/// Flips that many different bits, or all that there are.
fn flip(answer: &mut [u8], bits: u16, random: u64) {
    let mut randomness = seeded(random);
    let mut left: Vec<usize> = (0..answer.len() * 8).collect();
    for _ in 0..bits {
        if left.is_empty() {
            return;
        }
        let bit = left.swap_remove((randomness.next_u64() % left.len() as u64) as usize);
        answer[bit / 8] ^= 1 << (bit % 8);
    }
}

/// Another ATR for the same card: one historical byte more, or the last one changed where there is no
/// room; TCK follows.
pub(super) fn other_atr(atr: &mut Vec<u8>) {
    const FEW: u8 = 14;
    let Some(&format) = atr.get(1) else { return };
    // TCK, where there is one, makes everything from T0 on give zero (ISO/IEC 7816-3, 8.2.5).
    let with_check = atr[1..].iter().fold(0, |sum, byte| sum ^ byte) == 0;
    if with_check {
        atr.pop();
    }
    if format & 0x0F <= FEW {
        atr[1] = format + 1;
        atr.push(b'V');
    } else if let Some(last) = atr.last_mut() {
        *last ^= 1;
    }
    if with_check {
        atr.push(atr[1..].iter().fold(0, |check, byte| check ^ byte));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::Profile;

    fn damaged(answer: &[u8], kind: Kind) -> Vec<u8> {
        let mut answer = answer.to_vec();
        damage(&mut answer, kind, 7);
        answer
    }

    #[test]
    fn a_wrong_length_concerns_the_data_and_leaves_the_status() {
        let answer = [1, 2, 3, 0x90, 0x00];
        assert_eq!(damaged(&answer, Kind::Length(-2)), [1, 0x90, 0x00]);
        assert_eq!(damaged(&answer, Kind::Length(-9)), [0x90, 0x00]);
        assert_eq!(damaged(&answer, Kind::Length(2)), [1, 2, 3, 0, 0, 0x90, 0x00]);
        assert_eq!(damaged(&answer, Kind::Length(65_535)).len(), MAX_BODY);
    }

    #[test]
    fn a_status_goes_in_part_or_as_a_whole_and_more_may_follow_it() {
        let answer = [1, 0x90, 0x00];
        assert_eq!(damaged(&answer, Kind::NoStatus), [1]);
        assert_eq!(damaged(&answer, Kind::HalfStatus), [1, 0x90]);
        assert_eq!(damaged(&answer, Kind::Extra(2)), [1, 0x90, 0x00, 0, 0]);
        assert!(damaged(&[0x90, 0x00], Kind::NoStatus).is_empty());
        assert_eq!(damaged(&answer, Kind::Extra(u16::MAX)).len(), MAX_BODY);
    }

    #[test]
    fn as_many_bits_are_flipped_as_were_wanted() {
        for bits in [1, 2, 24] {
            let flipped = damaged(&[0; 3], Kind::Flip(bits));
            assert_eq!(flipped.iter().map(|byte| byte.count_ones()).sum::<u32>(), u32::from(bits));
        }
        assert_eq!(damaged(&[0; 3], Kind::Flip(1_000)), [0xFF; 3]);
        assert!(damaged(&[], Kind::Flip(1)).is_empty());
    }

    #[test]
    fn another_atr_is_an_atr() {
        for name in Profile::built_in_names() {
            let atr = Profile::built_in(name).unwrap().atr.draw(&mut seeded(1));
            let mut other = atr.clone();
            other_atr(&mut other);
            assert_ne!(other, atr, "{name}");
            assert!(other.len() <= 33, "{name}");
            assert_eq!(other[1..].iter().fold(0, |sum, byte| sum ^ byte), 0, "{name}: TCK");
        }
        let mut full = vec![0x3B, 0x0F];
        full.extend([0x41; 15]);
        other_atr(&mut full);
        assert_eq!((full.len(), full[1], full[16]), (17, 0x0F, 0x40));
    }
}
