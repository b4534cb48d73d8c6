//! What a report says of a wrong card in Japanese is said in Japanese throughout.

use vmyna::language::Bilingual;
use vmyna::run::{Finding, Verdict};

/// The first text on `verdict` that is English in its Japanese, if there is one.
pub fn untranslated(verdict: &Verdict) -> Option<String> {
    let findings = verdict.finding().into_iter().chain(verdict.observations());
    let texts = findings.flat_map(texts).chain(verdict.reason());
    texts.into_iter().find(|text| is_partly_english(&text.ja)).map(|text| text.ja)
}

fn texts(finding: &Finding) -> Vec<Bilingual> {
    let difference = &finding.difference;
    let told = [&finding.words, &difference.expected, &difference.came].into_iter().chain(&finding.why);
    told.cloned().collect()
}

/// Whether two English words follow each other, elsewhere than in the names that certificates hold and in
/// what is quoted.
fn is_partly_english(text: &str) -> bool {
    let mut outside = String::new();
    let mut quoted = false;
    for letter in text.chars() {
        match letter {
            '「' => quoted = true,
            '」' => quoted = false,
            '"' => quoted = !quoted,
            _ if !quoted => outside.push(letter),
            _ => {}
        }
    }
    let name = |word: &str| word.contains('=');
    let words: Vec<_> = outside.split([' ', '、', '。', '：']).collect();
    let is_english = |word: &&str| {
        let word = word.trim_matches(|letter: char| !letter.is_alphanumeric());
        word.len() > 1 && word.chars().all(|letter| letter.is_ascii_lowercase())
    };
    let in_name = words.iter().any(|word| name(word));
    !in_name && words.windows(2).any(|pair| pair.iter().all(is_english))
}

pub fn english_is_told_from_japanese() {
    assert!(is_partly_english("期待: the same bytes again"));
    assert!(!is_partly_english("63 C2  (残り 2 回)") && !is_partly_english("「any text at all」を含むもの"));
}
