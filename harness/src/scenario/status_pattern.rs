//! What a status must be: by name, by value, by mask, or one of several.

use crate::language::Language;
use serde::de::{self, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use std::fmt;
use std::sync::LazyLock;
use vmyna_sim::apdu::Status;
use vmyna_sim::undocumented::Situation;

/// What the status must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StatusExpectation {
    /// one of these
    AnyOf(Vec<StatusPattern>),
    /// the answer to a blocked PIN
    Blocked,
    /// what nobody outside knows
    Undocumented(Situation),
}

impl Default for StatusExpectation {
    fn default() -> Self {
        Self::AnyOf(vec![StatusPattern::exactly(Status::Success)])
    }
}

impl StatusExpectation {
    /// The expectation behind one word: `ok`, `blocked`, or a status by its name.
    ///
    /// # Errors
    /// What words there are.
    pub fn by_name(word: &str) -> Result<Self, String> {
        match word {
            "ok" => Ok(Self::default()),
            "blocked" => Ok(Self::Blocked),
            other => match named(other) {
                Some(status) => Ok(Self::AnyOf(vec![StatusPattern::exactly(status)])),
                None => Err(format!("`{other}` is no expectation; {}", words())),
            },
        }
    }

    /// Whether `status` will do. For a blocked PIN both published statuses will; which of the two a
    /// card answers is a requirement of its own.
    #[must_use]
    pub fn is_met(&self, status: Status) -> bool {
        match self {
            Self::AnyOf(patterns) => patterns.iter().any(|pattern| pattern.matches(status)),
            Self::Blocked => {
                matches!(status, Status::ReferencedIefBlocked | Status::AuthenticationMethodBlocked)
            }
            Self::Undocumented(situation) => match situation.answer() {
                Some(answer) => status == answer,
                None => matches!(status, Status::TriesLeft(_)),
            },
        }
    }

    /// Whether success is among what will do.
    #[must_use]
    pub fn allows_success(&self) -> bool {
        matches!(self, Self::AnyOf(patterns) if patterns.iter().any(|one| one.matches(Status::Success)))
    }
}

impl StatusExpectation {
    /// In words.
    #[must_use]
    pub fn in_words(&self, language: Language) -> String {
        match self {
            Self::AnyOf(patterns) => {
                let patterns: Vec<_> = patterns.iter().map(|pattern| pattern.in_words(language)).collect();
                patterns.join(language.say(" または ", " or "))
            }
            Self::Blocked => language.say("6984 または 6983 (閉塞)", "6984 or 6983 (blocked)").to_owned(),
            Self::Undocumented(situation) => {
                let answer = situation.answer();
                let answer = answer.map_or("63C?".to_owned(), |status| format!("{:04X}", u16::from(status)));
                let unknown = language.say("公開資料がない", "nobody outside knows");
                format!("{answer} ({}: {unknown})", situation.name())
            }
        }
    }
}

impl fmt::Display for StatusExpectation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.in_words(Language::En))
    }
}

/// The statuses that have names.
static NAMED: LazyLock<Vec<(String, Status)>> = LazyLock::new(Status::named);

/// The status of that name.
fn named(name: &str) -> Option<Status> {
    NAMED.iter().find(|(known, _)| known == name).map(|(_, status)| *status)
}

/// The names of statuses.
pub(super) fn status_names() -> impl Iterator<Item = &'static str> {
    NAMED.iter().map(|(name, _)| name.as_str())
}

fn words() -> String {
    let names: Vec<_> = status_names().collect();
    format!("the words are ok, blocked, valid (of a signature) and the statuses {}", names.join(", "))
}

/// Four hexadecimal digits, `?` for any; or anything but such a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StatusPattern {
    value: u16,
    mask: u16,
    negated: bool,
}

impl StatusPattern {
    /// The pattern of one status.
    #[must_use]
    pub fn exactly(status: Status) -> Self {
        Self { value: status.into(), mask: 0xFFFF, negated: false }
    }

    /// Whether `status` fits.
    #[must_use]
    pub fn matches(self, status: Status) -> bool {
        (u16::from(status) & self.mask == self.value) != self.negated
    }

    /// Reads `63C?`, `9000`, `!9000`, `file_not_found`, `!file_not_found`.
    ///
    /// # Errors
    /// A sentence saying what a status pattern looks like.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!(
                "a status is four hex digits such as \"6A82\", `?` for any digit, or a name such as \
                 file_not_found, not {text:?}"
            )
        };
        let (negated, digits) = text.strip_prefix('!').map_or((false, text), |digits| (true, digits));
        if let Some(status) = named(digits) {
            return Ok(Self { negated, ..Self::exactly(status) });
        }
        if digits.chars().count() != 4 {
            return Err(wrong());
        }
        let mut pattern = Self { value: 0, mask: 0, negated };
        for digit in digits.chars() {
            let (value, mask) = match digit {
                '?' => (0, 0),
                _ => (digit.to_digit(16).ok_or_else(wrong)? as u16, 0xF),
            };
            pattern.value = pattern.value << 4 | value;
            pattern.mask = pattern.mask << 4 | mask;
        }
        Ok(pattern)
    }
}

impl StatusPattern {
    fn in_words(self, language: Language) -> String {
        let digit = |shift: u16| match self.mask >> shift & 0xF {
            0 => "?".to_owned(),
            _ => format!("{:X}", self.value >> shift & 0xF),
        };
        let digits: String = [12, 8, 4, 0].map(digit).concat();
        match (self.negated, language) {
            (false, _) => digits,
            (true, Language::Ja) => format!("{digits} 以外"),
            (true, Language::En) => format!("anything but {digits}"),
        }
    }
}

impl<'de> Deserialize<'de> for StatusPattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

/// `"6A82"` or `["6700", "6985"]`
pub(super) struct StatusPatterns(pub Vec<StatusPattern>);

impl<'de> Deserialize<'de> for StatusPatterns {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OneOrMany;
        impl<'de> Visitor<'de> for OneOrMany {
            type Value = StatusPatterns;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a status in quotes such as \"6A82\", or a list of them")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<StatusPatterns, E> {
                StatusPattern::parse(text).map(|pattern| StatusPatterns(vec![pattern])).map_err(E::custom)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<StatusPatterns, A::Error> {
                let mut patterns = Vec::new();
                while let Some(pattern) = seq.next_element()? {
                    patterns.push(pattern);
                }
                if patterns.is_empty() {
                    return Err(de::Error::custom("an empty list of statuses can never be met"));
                }
                Ok(StatusPatterns(patterns))
            }
        }
        deserializer.deserialize_any(OneOrMany)
    }
}
