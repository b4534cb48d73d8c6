//! Two cards side by side: where their bytes differ when both are told the same. What is different
//! each time by its nature (challenges and what is signed of them, PSS signatures, encrypted answers, the number that a
//! contactless card draws) is compared by status and length only.

use crate::run::Passed;
use vmyna_sim::apdu::{CommandApdu, ResponseApdu};
use vmyna_sim::exchange::{Exchange, ShownCommand, ShownResponse};

/// How closely two cards are compared.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Closeness {
    /// every byte that is not random
    #[default]
    Bytes,
    /// statuses and lengths: for cards of different people
    Shape,
}

/// A place where two conversations differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// which exchange of the scenario, from 1
    pub number: usize,
    /// what was said on the first card; `None` where its conversation had ended
    pub a: Option<Exchange>,
    /// likewise on the second
    pub b: Option<Exchange>,
    /// the first byte that the answers do not share, from 0
    pub from: usize,
}

/// Where the exchanges of `a` and `b` differ. They are compared in order: after a command that is not
/// the same on both, the rest says little, so the comparison ends there.
#[must_use]
pub fn compare(a: &[Passed], b: &[Passed], closeness: Closeness) -> Vec<Difference> {
    let (a, b) = (exchanges(a), exchanges(b));
    let mut differences = Vec::new();
    for number in 0..a.len().max(b.len()) {
        let (one, other) = (a.get(number).copied(), b.get(number).copied());
        let same_command =
            matches!((one, other), (Some(one), Some(other)) if is_same_command(one.0, other.0));
        let same = same_command
            && matches!((one, other), (Some(one), Some(other)) if is_same_answer(one, other, closeness));
        if !same {
            let shown = |(command, answer): (&[u8], &[u8])| Exchange::new(command, Some(answer));
            let answers = [one, other].map(|one| one.map_or(&[][..], |(_, answer)| answer));
            let from = answers[0].iter().zip(answers[1]).take_while(|(a, b)| a == b).count();
            differences.push(Difference { number: number + 1, a: one.map(shown), b: other.map(shown), from });
        }
        if !same_command {
            break;
        }
    }
    differences
}

fn exchanges<'p>(passed: &'p [Passed]) -> Vec<(&'p [u8], &'p [u8])> {
    let exchange = |passed: &'p Passed| match passed {
        Passed::Exchange(command, answer) => Some((&command[..], &answer[..])),
        Passed::Power(_) => None,
    };
    passed.iter().filter_map(exchange).collect()
}

/// PINs are the holder's own on each card: their values do not count. Nor does what a key is given to
/// sign, which may be a challenge that the card has drawn.
fn is_same_command(a: &[u8], b: &[u8]) -> bool {
    if is_session_key(a) && is_session_key(b) {
        return a.len() == b.len();
    }
    ShownCommand::new(a) == ShownCommand::new(b) || is_signed(a) && a.len() == b.len() && a[..4] == b[..4]
}

/// COMPUTE DIGITAL SIGNATURE, INTERNAL AUTHENTICATE.
fn is_signed(command: &[u8]) -> bool {
    matches!(command, [0x80, 0x2A, _, _, ..] | [0x00, 0x88, _, _, ..])
}

/// SET SESSION KEY carries a key that the terminal has just drawn.
fn is_session_key(command: &[u8]) -> bool {
    matches!(command, [0x80, 0xAE, ..])
}

fn is_same_answer((to_a, a): (&[u8], &[u8]), (to_b, b): (&[u8], &[u8]), closeness: Closeness) -> bool {
    let signs_something_else = is_signed(to_a) && to_a != to_b;
    if closeness == Closeness::Bytes && !is_random(to_a) && !signs_something_else {
        return ShownResponse::new(a) == ShownResponse::new(b);
    }
    match (ResponseApdu::try_from(a), ResponseApdu::try_from(b)) {
        (Ok(a), Ok(b)) => a.status == b.status && a.data.len() == b.data.len(),
        _ => a == b,
    }
}

/// Whether the answer to this command is different each time.
#[must_use]
pub fn is_random(command: &[u8]) -> bool {
    const ENCRYPTED: u8 = 0x0C;
    let Ok(apdu) = CommandApdu::parse(command) else { return false };
    match (apdu.cla(), apdu.ins()) {
        (0x00, 0x84) => true,
        // RSASSA-PSS, with a salt
        (0x80, 0x2A) => matches!(apdu.p1(), 0x04 | 0x05),
        // the PUPI, by way of the reader (PC/SC part 3)
        (0xFF, 0xCA) => true,
        (cla, _) => cla < 0x10 && cla & ENCRYPTED != 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hex_literal::hex;

    fn said(exchanges: &[(&[u8], &[u8])]) -> Vec<Passed> {
        exchanges
            .iter()
            .map(|(command, answer)| Passed::Exchange(command.to_vec(), answer.to_vec()))
            .collect()
    }

    const SELECT: [u8; 7] = hex!("00A4020C020018");

    #[test]
    fn equal_conversations_do_not_differ() {
        let a = said(&[(&SELECT, &hex!("9000")), (&hex!("0020008004 31323334"), &hex!("9000"))]);
        let b = said(&[(&SELECT, &hex!("9000")), (&hex!("0020008004 35363738"), &hex!("9000"))]);
        assert_eq!(compare(&a, &b, Closeness::Bytes), [], "another PIN is another holder");
    }

    #[test]
    fn another_answer_is_a_difference_and_the_comparison_goes_on() {
        let a = said(&[(&SELECT, &hex!("9000")), (&SELECT, &hex!("9000")), (&SELECT, &hex!("6A82"))]);
        let b = said(&[(&SELECT, &hex!("6A82")), (&SELECT, &hex!("9000")), (&SELECT, &hex!("9000"))]);
        let numbers: Vec<_> = compare(&a, &b, Closeness::Bytes).iter().map(|found| found.number).collect();
        assert_eq!(numbers, [1, 3]);
    }

    #[test]
    fn after_another_command_the_comparison_ends() {
        let a = said(&[(&hex!("00B0000010"), &hex!("9000")), (&SELECT, &hex!("9000"))]);
        let b = said(&[(&hex!("00B0000011"), &hex!("9000")), (&SELECT, &hex!("6A82"))]);
        assert_eq!(compare(&a, &b, Closeness::Bytes).len(), 1);
        let shorter = compare(&a[..1], &a, Closeness::Bytes);
        assert_eq!((shorter.len(), shorter[0].number, shorter[0].a.is_none()), (1, 2, true));
    }

    #[test]
    fn signatures_of_two_challenges_are_compared_by_their_length() {
        let [one, other] = [hex!("802A0000 02 0102 00"), hex!("802A0000 02 0304 00")];
        let a = said(&[(&one, &hex!("AAAA 9000")), (&SELECT, &hex!("9000"))]);
        let b = said(&[(&other, &hex!("BBBB 9000")), (&SELECT, &hex!("6A82"))]);
        let numbers: Vec<_> = compare(&a, &b, Closeness::Bytes).iter().map(|found| found.number).collect();
        assert_eq!(numbers, [2], "and the comparison goes on");
        let shorter = said(&[(&other, &hex!("BB 9000"))]);
        assert_eq!(compare(&a[..1], &shorter, Closeness::Bytes).len(), 1);
        let same = said(&[(&one, &hex!("BBBB 9000"))]);
        assert_eq!(compare(&a[..1], &same, Closeness::Bytes).len(), 1, "one challenge has one signature");
    }

    #[test]
    fn what_is_random_is_compared_by_its_length() {
        for command in [&hex!("0084000002")[..], &hex!("802A0480 01FF 00"), &hex!("FFCA000000")] {
            let (a, b) = (said(&[(command, &hex!("0102 9000"))]), said(&[(command, &hex!("0304 9000"))]));
            assert_eq!(compare(&a, &b, Closeness::Bytes), [], "{command:02X?}");
            let shorter = said(&[(command, &hex!("03 9000"))]);
            assert_eq!(compare(&a, &shorter, Closeness::Bytes).len(), 1, "{command:02X?}");
        }
        let command = hex!("00B0000002");
        let (a, b) = (said(&[(&command, &hex!("0102 9000"))]), said(&[(&command, &hex!("0304 9000"))]));
        assert_eq!(compare(&a, &b, Closeness::Bytes).len(), 1);
        assert_eq!(compare(&a, &b, Closeness::Shape), []);
    }
}
