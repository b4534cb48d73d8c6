//! Names and addresses as a card holds them: full width, as 券面事項入力補助 and certificates have them.

/// Longest name and longest address, in characters (200 is the published limit for addresses).
const MAX_CHARACTERS: usize = 200;

/// U+3000, which parts family and given name.
const SPACE: char = '　';

/// The full-width forms of U+FF61 to U+FF9F.
const KANA: &str = "。「」、・ヲァィゥェォャュョッーアイウエオカキクケコサシスセソタチツテトナニヌネノハヒフヘホマミムメモヤユヨラリルレロワン゛゜";
const FIRST_KANA: u32 = 0xFF61;

/// A name: family and given name, a full-width space between them.
pub(super) fn name(text: &str) -> Result<String, String> {
    let name = of(text)?;
    match name.split(SPACE).collect::<Vec<_>>()[..] {
        [family, given, ..] if !family.is_empty() && !given.is_empty() && !name.ends_with(SPACE) => Ok(name),
        _ => {
            Err("expected a full-width space (U+3000) between family and given name, such as 番号　花子"
                .into())
        }
    }
}

/// Any text in full width that a certificate can hold.
pub(super) fn of(text: &str) -> Result<String, String> {
    let characters = text.chars().count();
    if text.trim().is_empty() {
        return Err("expected some text here; this is empty".into());
    }
    if characters > MAX_CHARACTERS {
        return Err(format!(
            "this has {characters} characters; at most {MAX_CHARACTERS} fit into a certificate"
        ));
    }
    if text.chars().any(char::is_control) {
        return Err("a line break or another control character does not belong here".into());
    }
    let mut following = text.chars().skip(1);
    for (index, character) in text.chars().enumerate() {
        let next = following.next();
        if let Some(wide) = widened(character, next) {
            return Err(format!(
                "character {} is of half width, and a card has full width alone: write `{wide}` there (U+{:04X}), \
                 and the others likewise",
                index + 1,
                u32::from(wide),
            ));
        }
    }
    Ok(text.to_owned())
}

/// The full-width form of a half-width `character`, one letter with the sound mark that comes `next`; `None`
/// when it has full width.
fn widened(character: char, next: Option<char>) -> Option<char> {
    let code = u32::from(character);
    match character {
        SPACE => None,
        '¥' => Some('￥'),
        '!'..='~' => char::from_u32(code + 0xFEE0),
        '｡'..='ﾟ' => {
            let wide = KANA.chars().nth((code - FIRST_KANA) as usize)?;
            let marked = match (wide, next) {
                ('ウ', Some('ﾞ')) => Some('ヴ'),
                ('カ'..='ト' | 'ハ'..='ホ', Some('ﾞ')) => char::from_u32(u32::from(wide) + 1),
                ('ハ'..='ホ', Some('ﾟ')) => char::from_u32(u32::from(wide) + 2),
                _ => None,
            };
            marked.or(Some(wide))
        }
        _ if character.is_whitespace() => Some(SPACE),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_of_half_width_is_told_with_what_to_write() {
        for (text, expected) in [
            (
                "Taro Yamada",
                "character 1 is of half width, and a card has full width alone: write `Ｔ` there (U+FF34)",
            ),
            (
                "山田 太郎",
                "character 3 is of half width, and a card has full width alone: write `　` there (U+3000)",
            ),
            ("山田\u{A0}太郎", "character 3 is of half width"),
            ("ﾀﾛｳ　ﾔﾏﾀﾞ", "write `タ`"),
            ("試験町1-2-3", "character 4 is of half width, and a card has full width alone: write `１`"),
            ("試験町１-２", "write `－`"),
            ("ﾃﾞﾝ", "write `デ`"),
            ("ﾊﾟﾙｺ", "write `パ`"),
            ("ｳﾞｨ", "write `ヴ`"),
            ("ﾝ", "write `ン`"),
            ("ﾞ", "write `゛`"),
        ] {
            let told = of(text).unwrap_err();
            assert!(told.contains(expected), "{told}");
        }
        for right in [
            "東京都千代田区試験町１丁目２番３号",
            "ＳＭＩＴＨ　ＪＯＨＮ",
            "国外転出（令和６年６月１日）",
            "髙橋　𠮷子",
        ] {
            assert_eq!(of(right).as_deref(), Ok(right));
        }
    }

    #[test]
    fn a_name_has_two_parts_at_least() {
        for right in ["番号　花子", "ＳＭＩＴＨ　ＪＯＨＮ　ＰＡＵＬ"] {
            assert_eq!(name(right).as_deref(), Ok(right));
        }
        for wrong in ["番号花子", "番号　", "　花子", "番号　花子　"] {
            assert!(name(wrong).unwrap_err().contains("U+3000"), "{wrong}");
        }
    }
}
