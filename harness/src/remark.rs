//! What an author writes for those who read a report: `why: text`, or `why: {ja: …, en: …}`. Sources of
//! requirements are written likewise.

use crate::language::{Bilingual, BilingualSchema};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, MapAccess, Visitor, value::MapAccessDeserializer};
use serde::{Deserialize, Deserializer};
use std::borrow::Cow;
use std::fmt;

/// A sentence in both languages, or one that is shown in either.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Remark(pub Bilingual);

impl<'de> Deserialize<'de> for Remark {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextOrMap;
        impl<'de> Visitor<'de> for TextOrMap {
            type Value = Remark;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a sentence, or one in each language: {ja: …, en: …}")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Remark, E> {
                Ok(Remark(Bilingual::alike(text)))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Remark, A::Error> {
                Bilingual::deserialize(MapAccessDeserializer::new(map)).map(Remark)
            }
        }
        deserializer.deserialize_any(TextOrMap)
    }
}

/// Reads what is written as a [`Remark`].
pub(crate) fn in_either_form<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Bilingual, D::Error> {
    Remark::deserialize(deserializer).map(|remark| remark.0)
}

impl JsonSchema for Remark {
    fn schema_name() -> Cow<'static, str> {
        "Remark".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let both = generator.subschema_for::<BilingualSchema>();
        json_schema!({
            "description": "a sentence, or one in each language",
            "anyOf": [{"type": "string"}, both],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_remark_is_one_sentence_or_one_in_each_language() {
        let remark = |yaml: &str| vmyna_sim::document::parse::<Remark>("test.yaml", yaml);
        assert_eq!(remark("a").unwrap().0, Bilingual::alike("a"));
        assert_eq!(remark("{ja: あ, en: a}").unwrap().0, Bilingual::new("あ", "a"));
        let error = remark("{ja: あ}").unwrap_err().to_string();
        assert!(error.contains("missing field `en`"), "{error}");
    }
}
