//! How many bytes there must be.

use crate::language::Language;
use schemars::JsonSchema;
use serde::de::{self, MapAccess, Visitor, value::MapAccessDeserializer};
use serde::{Deserialize, Deserializer};
use std::fmt;

/// A number of bytes, or a range of it: `256`, `{at_least: 4, at_most: 16}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LengthRange {
    /// fewest
    pub at_least: usize,
    /// most
    pub at_most: usize,
}

impl LengthRange {
    /// Just this length.
    #[must_use]
    pub const fn exactly(length: usize) -> Self {
        Self { at_least: length, at_most: length }
    }

    /// Whether `length` is in the range.
    #[must_use]
    pub const fn contains(self, length: usize) -> bool {
        self.at_least <= length && length <= self.at_most
    }
}

impl LengthRange {
    /// In words.
    #[must_use]
    pub fn in_words(self, language: Language) -> String {
        match (self.at_least, self.at_most, language) {
            (least, most, Language::Ja) if least == most => format!("{least} バイト"),
            (least, most, Language::En) if least == most => format!("{least} bytes"),
            (least, usize::MAX, Language::Ja) => format!("{least} バイト以上"),
            (least, usize::MAX, Language::En) => format!("at least {least} bytes"),
            (0, most, Language::Ja) => format!("{most} バイト以下"),
            (0, most, Language::En) => format!("at most {most} bytes"),
            (least, most, Language::Ja) => format!("{least} から {most} バイト"),
            (least, most, Language::En) => format!("{least} to {most} bytes"),
        }
    }
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Bounds {
    at_least: Option<usize>,
    at_most: Option<usize>,
}

impl<'de> Deserialize<'de> for LengthRange {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NumberOrBounds;
        impl<'de> Visitor<'de> for NumberOrBounds {
            type Value = LengthRange;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number of bytes, or bounds such as {at_least: 4, at_most: 16}")
            }

            fn visit_u64<E: de::Error>(self, length: u64) -> Result<LengthRange, E> {
                let length = usize::try_from(length).map_err(E::custom)?;
                Ok(LengthRange::exactly(length))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<LengthRange, A::Error> {
                match Bounds::deserialize(MapAccessDeserializer::new(map))? {
                    Bounds { at_least: None, at_most: None } => {
                        Err(de::Error::custom("bounds are at_least, at_most or both"))
                    }
                    Bounds { at_least: Some(least), at_most: Some(most) } if least > most => {
                        Err(de::Error::custom(format!("no length is at least {least} and at most {most}")))
                    }
                    Bounds { at_least, at_most } => Ok(LengthRange {
                        at_least: at_least.unwrap_or(0),
                        at_most: at_most.unwrap_or(usize::MAX),
                    }),
                }
            }
        }
        deserializer.deserialize_any(NumberOrBounds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_is_a_number_or_has_bounds() {
        let range = |yaml: &str| vmyna_sim::document::parse::<LengthRange>("test.yaml", yaml);
        assert!(range("4").unwrap().contains(4) && !range("4").unwrap().contains(5));
        let bounds = range("{at_least: 4, at_most: 6}").unwrap();
        assert!([4, 6].into_iter().all(|length| bounds.contains(length)) && !bounds.contains(7));
        assert!(range("{at_least: 4}").unwrap().contains(100_000));
        assert!(range("{at_least: 4, at_most: 3}").is_err() && range("{}").is_err());
        assert_eq!(bounds.in_words(Language::En), "4 to 6 bytes");
        assert_eq!(bounds.in_words(Language::Ja), "4 から 6 バイト");
    }
}
