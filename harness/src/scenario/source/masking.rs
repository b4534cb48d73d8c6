//! A scenario may hold a command with a PIN in bytes. Lines of it are shown in errors and reports,
//! which a PIN never reaches.

use crate::scenario::command_step::WITH_A_PIN;

/// Digits of the header and Lc, which may be shown.
const HEADER: usize = 10;

/// `text` with `*` in the place of every digit that may belong to a PIN, all else where it was.
pub(super) fn mask(text: &str) -> String {
    let mut masked = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(|c: char| c.is_ascii_hexdigit()) {
        let (before, from) = rest.split_at(start);
        let end = from.find(|c: char| !c.is_ascii_hexdigit() && c != ' ').unwrap_or(from.len());
        let (run, after) = from.split_at(end);
        masked.push_str(before);
        match carries_a_pin(run) {
            true => masked.extend(hidden(run)),
            false => masked.push_str(run),
        }
        rest = after;
    }
    masked + rest
}

fn carries_a_pin(run: &str) -> bool {
    let digits: Vec<u8> =
        run.chars().filter_map(|c| c.to_digit(16)).take(HEADER + 1).map(|digit| digit as u8).collect();
    digits.len() > HEADER && WITH_A_PIN.contains(&(digits[2] << 4 | digits[3]))
}

fn hidden(run: &str) -> impl Iterator<Item = char> {
    let mut digits = 0;
    run.chars().map(move |c| {
        digits += usize::from(c != ' ');
        if digits > HEADER && c != ' ' { '*' } else { c }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_may_be_a_pin_is_hidden() {
        assert_eq!(
            mask("- transmit: {apdu: \"00 20 00 98 04 38 36 34 32\", expect: {sw: \"63C0\"}}"),
            "- transmit: {apdu: \"00 20 00 98 04 ** ** ** **\", expect: {sw: \"63C0\"}}"
        );
        assert_eq!(mask("apdu: 0024019B0638363432\n"), "apdu: 0024019B06********\n");
        for harmless in
            ["apdu: \"00 20 00 98\"", "data: \"30 82 06 32 ...\"", "00 A4 02 0C 02 00 18", "暗証番号"]
        {
            assert_eq!(mask(harmless), harmless);
        }
    }
}
