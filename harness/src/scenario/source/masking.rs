//! A scenario may hold a command with a PIN in bytes. Lines of it are shown in errors and reports,
//! which a PIN never reaches.

use crate::scenario::command_step::WITH_A_PIN;

/// Digits of the header and Lc, which may be shown.
const HEADER: usize = 10;

/// The key of a command in bytes.
const COMMAND: &str = "apdu";

/// `text` with `*` in the place of every digit that may belong to a PIN, all else where it was.
pub(super) fn mask(text: &str) -> String {
    let mut hidden = vec![false; text.len()];
    let mut from = 0;
    while let Some(start) = text[from..].find(|c: char| c.is_ascii_hexdigit()) {
        let start = from + start;
        let end = text[start..].find(|c: char| !c.is_ascii_hexdigit() && c != ' ');
        from = end.map_or(text.len(), |end| start + end);
        if carries_a_pin(&text[start..from]) {
            hide(text, start, from, &mut hidden);
        }
    }
    let mut from = 0;
    while let Some(at) = text[from..].find(COMMAND) {
        from += at + COMMAND.len();
        if let Some(end) = end_of_garbled(&text[from..]) {
            hide(text, from, from + end, &mut hidden);
            from += end;
        }
    }
    text.char_indices().map(|(at, c)| if hidden[at] { '*' } else { c }).collect()
}

fn carries_a_pin(run: &str) -> bool {
    let digits: Vec<u8> =
        run.chars().filter_map(|c| c.to_digit(16)).take(HEADER + 1).map(|digit| digit as u8).collect();
    digits.len() > HEADER && WITH_A_PIN.contains(&(digits[2] << 4 | digits[3]))
}

/// Hides the digits from `start` to `end` that follow a header.
fn hide(text: &str, start: usize, end: usize, hidden: &mut [bool]) {
    let digits = text[start..end].char_indices().filter(|(_, c)| c.is_ascii_hexdigit());
    for (at, _) in digits.skip(HEADER) {
        hidden[start + at] = true;
    }
}

/// How far a command reaches whose key stands before `rest` and that is not written as one should be: with a slip in it,
/// which bytes are a PIN cannot be told. `None` where it is whole bytes, as they are or between quotes.
fn end_of_garbled(rest: &str) -> Option<usize> {
    let value = rest.trim_start_matches([':', ' ']);
    let start = rest.len() - value.len();
    let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''));
    let (bytes, after) = match quote {
        Some(quote) => value[1..].split_once(quote).unwrap_or((&value[1..], "")),
        None => value.split_at(value.find(['\n', ',', '}', '#']).unwrap_or(value.len())),
    };
    let digits = bytes.chars().filter(char::is_ascii_hexdigit).count();
    let is_whole = bytes.chars().all(|c| c.is_ascii_hexdigit() || c == ' ') && digits % 2 == 0;
    let is_last = after.trim_start_matches(' ').chars().next().is_none_or(|c| "\n,}#".contains(c));
    if is_whole && is_last || bytes.contains('<') {
        return None;
    }
    let end = rest.len() - after.len();
    Some(rest[end..].find('\n').map_or(rest.len(), |line| end + line).max(start))
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

    #[test]
    fn with_a_slip_in_a_command_what_may_be_a_pin_is_hidden_all_the_same() {
        for slip in [
            "apdu: \"00 2 00 98 04 38 36 34 32\"",
            "apdu: \"00 20 00 98 04 38:36 34 32\"",
            "apdu: \"00 20 00 98 04 38 36\"34 32\"",
            "apdu: \"00 20 00 98 04 38 36 34 32, expect: {sw: \"63C0\"}",
            "apdu: \"00 20 00 98 04 38\n36 34 32\"",
            "apdu: 00 20 00 98 04 38 g36 34 32\n",
        ] {
            let masked = mask(slip);
            assert!(!masked.contains("36 34") && !masked.contains("34 32"), "{masked}");
        }
        for whole in ["apdu: 00A4020C020018\n", "{apdu: '00 B0 00 00 10', expect: {sw: \"9000\"}}"] {
            assert_eq!(mask(whole), whole);
        }
        // A line of many takes no longer than one of few.
        let many = "apdu: x ".repeat(100_000);
        assert_eq!(mask(&many).len(), many.len());
        let captured = "apdu: \"00 88 00 80 08 <nonce> 00\"";
        assert_eq!(mask(captured), captured);
    }
}
