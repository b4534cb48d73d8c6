//! The JSON schema of scenario files, for editors: derived from the types that read them.

use super::bytes_pattern::BytesPattern;
use super::capture::{CaptureList, CaptureMap, CaptureName};
use super::certificate_match::SerialMatch;
use super::command_step::{SelectMap, SelectStep};
use super::content::{Content, ContentMap};
use super::expect::{DataExpectation, Expect, ExpectMap, SignExpect};
use super::length::{Bounds, LengthRange};
use super::octets::{Digested, Octets, OctetsMap};
use super::pin_step::TriesExpectation;
use super::secure_step::{SecureMap, SecureSessionMap, SecureSessionStep, SecureStep};
use super::signature_match::{Verifier, VerifierMap};
use super::source::Placed;
use super::status_pattern::{StatusPatterns, status_names};
use super::template::Template;
use super::text_match::{TextMap, TextMatch, TextPattern};
use super::tlv::{BerPath, SimpleTag};
use super::written::Written;
use crate::terminal::CertificateName;
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Value, json};
use std::borrow::Cow;
use vmyna_sim::pin::PinName;
use vmyna_sim::profile::Profile;

/// The schema, as JSON.
#[must_use]
pub fn schema() -> Value {
    let mut schema =
        SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<Written>().to_value();
    for definitions in schema.get_mut("$defs").and_then(Value::as_object_mut).into_iter() {
        definitions.values_mut().for_each(allow_parameters);
        definitions.insert(
            "Parameter".to_owned(),
            json!({
                "description": "the value of this parameter in the row that is played",
                "type": "object",
                "properties": {"parameter": {"type": "string"}},
                "required": ["parameter"],
                "additionalProperties": false,
            }),
        );
    }
    if let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) {
        for (key, value) in properties.iter_mut() {
            if !matches!(key.as_str(), "id" | "parameters") {
                or_parameter(value);
            }
        }
    }
    schema
}

/// A value of a map or list may stand in the table of parameters.
fn allow_parameters(schema: &mut Value) {
    let Some(object) = schema.as_object_mut() else { return };
    for (key, value) in object.iter_mut() {
        match key.as_str() {
            "properties" => value.as_object_mut().into_iter().flatten().for_each(|(_, value)| {
                allow_parameters(value);
                or_parameter(value);
            }),
            "items" => {
                allow_parameters(value);
                or_parameter(value);
            }
            "anyOf" | "oneOf" => value.as_array_mut().into_iter().flatten().for_each(allow_parameters),
            _ => {}
        }
    }
}

fn or_parameter(schema: &mut Value) {
    let Some(object) = schema.as_object_mut() else { return };
    let description = object.remove("description");
    let inner = schema.take();
    *schema = json!({"anyOf": [inner, {"$ref": "#/$defs/Parameter"}]});
    if let Some(description) = description {
        schema["description"] = description;
    }
}

macro_rules! schema_of {
    ($($type:ty, $name:literal, |$generator:ident| $schema:expr;)*) => {
        $(impl JsonSchema for $type {
            fn schema_name() -> Cow<'static, str> {
                $name.into()
            }

            fn json_schema($generator: &mut SchemaGenerator) -> Schema {
                $schema
            }
        })*
    };
}

impl<T: JsonSchema> JsonSchema for Placed<T> {
    fn inline_schema() -> bool {
        T::inline_schema()
    }

    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }

    fn schema_id() -> Cow<'static, str> {
        T::schema_id()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        T::json_schema(generator)
    }
}

const WORD: &str = "^[a-z][a-z0-9_-]*$";

schema_of! {
    CaptureName, "CaptureName", |_generator| json_schema!({"type": "string", "pattern": WORD});
    CaptureList, "Capture", |generator| {
        let map = generator.subschema_for::<CaptureMap>();
        json_schema!({
            "description": "what of the answer is kept for later steps, and under which name",
            "anyOf": [
                {"type": "string", "pattern": WORD},
                map,
                {"type": "array", "items": {"anyOf": [{"type": "string", "pattern": WORD}, map]}},
            ],
        })
    };
    Template, "Command", |_generator| json_schema!({
        "description": "bytes in hex; <NAME> stands for a captured value",
        "type": ["string", "integer"],
        "pattern": "^([0-9A-Fa-f\\s]|<[^>]*>)*$",
    });
    BytesPattern, "BytesPattern", |_generator| json_schema!({
        "description": "bytes in hex; ? is any digit, ... any number of bytes",
        "type": ["string", "integer"],
        "pattern": "^([0-9A-Fa-f?\\s]|\\.\\.\\.)*$",
    });
    DataExpectation, "Data", |generator| {
        let (pattern, octets) =
            (generator.subschema_for::<BytesPattern>(), generator.subschema_for::<Octets>());
        json_schema!({"anyOf": [pattern, octets]})
    };
    StatusPatterns, "Status", |_generator| {
        let names: Vec<_> = status_names().flat_map(|name| [name.to_owned(), format!("!{name}")]).collect();
        let one = json!({"anyOf": [
            {"type": "string", "pattern": "^!?[0-9A-Fa-f?]{4}$"},
            {"type": "string", "enum": names},
        ]});
        json_schema!({"anyOf": [one, {"type": "array", "minItems": 1, "items": one}]})
    };
    LengthRange, "Length", |generator| {
        let bounds = generator.subschema_for::<Bounds>();
        json_schema!({"anyOf": [{"type": "integer", "minimum": 0}, bounds]})
    };
    BerPath, "BerPath", |_generator| json_schema!({
        "type": ["string", "integer"],
        "pattern": "^[0-9A-Fa-f]{2,6}(/[0-9A-Fa-f]{2,6})*$",
    });
    SimpleTag, "SimpleTag", |_generator| json_schema!({
        "type": ["string", "integer"], "pattern": "^[0-9A-Fa-f]{2}$",
    });
    TextMatch, "Text", |generator| {
        let map = generator.subschema_for::<TextMap>();
        json_schema!({"anyOf": [{"type": "string"}, map]})
    };
    TextPattern, "Pattern", |_generator| json_schema!({"type": "string", "format": "regex"});
    SerialMatch, "Serial", |generator| {
        let bytes = generator.subschema_for::<DataExpectation>();
        json_schema!({"anyOf": [{"type": "string", "enum": ["positive"]}, bytes]})
    };
    Verifier, "Verifier", |generator| {
        let (name, map) =
            (generator.subschema_for::<CertificateName>(), generator.subschema_for::<VerifierMap>());
        json_schema!({"anyOf": [name, map]})
    };
    Content, "Content", |generator| ContentMap::json_schema(generator);
    Expect, "Expect", |generator| {
        let (word, map) = (expectation_word(&[]), generator.subschema_for::<ExpectMap>());
        json_schema!({"anyOf": [word, map]})
    };
    SignExpect, "SignExpect", |generator| {
        let (word, map) = (expectation_word(&["valid"]), generator.subschema_for::<ExpectMap>());
        json_schema!({"anyOf": [word, map]})
    };
    SelectStep, "SelectStep", |generator| {
        let map = generator.subschema_for::<SelectMap>();
        let names: Vec<_> = vmyna_sim::application::ALL.iter().map(|application| application.name).collect();
        json_schema!({"description": "SELECT", "anyOf": [{"type": "string", "enum": names}, map]})
    };
    SecureSessionStep, "SecureSessionStep", |generator| {
        let map = generator.subschema_for::<SecureSessionMap>();
        json_schema!({"description": "SET SESSION KEY", "anyOf": [{"type": "string", "enum": ["open"]}, map]})
    };
    SecureStep, "SecureStep", |generator| SecureMap::json_schema(generator);
    TriesExpectation, "Tries", |_generator| json_schema!({"anyOf": [
        {"type": "integer", "minimum": 0, "maximum": 15},
        {"type": "string", "enum": ["full", "any", "same"]},
    ]});
    Octets, "Octets", |generator| {
        let (map, octets) = (generator.subschema_for::<OctetsMap>(), generator.subschema_for::<Octets>());
        json_schema!({
            "description": "bytes: one of hex, text, captured, digest and digest_info, or a list of such",
            "anyOf": [map, {"type": "array", "minItems": 1, "items": octets}],
        })
    };
    Digested, "Digested", |generator| {
        let octets = generator.subschema_for::<Octets>();
        json_schema!({"anyOf": [{"type": "string"}, octets]})
    };
}

fn expectation_word(more: &[&'static str]) -> Value {
    let words: Vec<&str> =
        ["ok", "blocked"].into_iter().chain(more.iter().copied()).chain(status_names()).collect();
    json!({"type": "string", "enum": words})
}

/// Bytes in hex.
pub(super) fn hex(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": ["string", "integer"], "pattern": "^[0-9A-Fa-f\\s]*$"})
}

/// Two bytes in hex, as of an identifier or a tag.
pub(super) fn two_bytes(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": ["string", "integer"], "pattern": "^\\s*([0-9A-Fa-f]\\s*){4}$"})
}

fn pin_names() -> Vec<String> {
    PinName::ALL.iter().map(ToString::to_string).collect()
}

/// A PIN by its name.
pub(super) fn pin_name(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "string", "enum": pin_names()})
}

/// A built-in profile by its name.
pub(super) fn profile(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "string", "enum": Profile::built_in_names().collect::<Vec<_>>()})
}

/// Tries left, by PIN.
pub(super) fn given(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "object",
        "propertyNames": {"enum": pin_names()},
        "additionalProperties": {"type": "integer", "minimum": 0, "maximum": 14},
    })
}

/// The table of parameters.
pub(super) fn rows(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "array",
        "minItems": 1,
        "items": {
            "type": "object",
            "properties": {"row": {"type": "string", "pattern": "^[a-z0-9._-]+$"}},
            "required": ["row"],
        },
    })
}

/// A pause.
pub(super) fn milliseconds(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "integer", "minimum": 0, "maximum": 10_000})
}

#[cfg(test)]
mod tests {
    use super::super::source::{Node, Plain, SourceFile, Value as Tree};
    use super::*;
    use std::path::{Path, PathBuf};

    const VECTORS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../vectors");

    fn json(node: &Node) -> Value {
        match &node.value {
            Tree::Null => Value::Null,
            Tree::Plain { meaning, .. } => match *meaning {
                Plain::Bool(value) => value.into(),
                Plain::Natural(number) => number.into(),
                Plain::Negative(number) => number.into(),
                Plain::Real(number) => number.into(),
            },
            Tree::Text(text) => text.as_str().into(),
            Tree::List(items) => items.iter().map(json).collect(),
            Tree::Map(entries) => entries
                .iter()
                .map(|(key, value)| (key.text().unwrap().to_owned(), json(value)))
                .collect::<serde_json::Map<_, _>>()
                .into(),
        }
    }

    fn tree(text: &str) -> Value {
        json(&SourceFile::new("test.yaml", text).tree().unwrap())
    }

    fn scenario_files(folder: &Path, files: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => scenario_files(&path, files),
                false => files.push(path),
            }
        }
    }

    #[test]
    fn the_committed_schema_is_current() {
        let committed = std::fs::read_to_string(format!("{VECTORS}/scenario.schema.json")).unwrap();
        assert!(
            committed == format!("{:#}\n", schema()),
            "vectors/scenario.schema.json is old; `cargo run -- schema > vectors/scenario.schema.json` renews it"
        );
    }

    #[test]
    fn every_scenario_fits_the_schema_and_names_it() {
        let validator = jsonschema::validator_for(&schema()).unwrap();
        let mut files = Vec::new();
        scenario_files(&PathBuf::from(VECTORS).join("scenarios"), &mut files);
        for file in files {
            let text = std::fs::read_to_string(&file).unwrap();
            let named =
                text.lines().next().and_then(|line| line.strip_prefix("# yaml-language-server: $schema="));
            let named = named.unwrap_or_else(|| {
                panic!("{}: the first line names the schema, for editors", file.display())
            });
            assert!(file.parent().unwrap().join(named).is_file(), "{}: there is no {named}", file.display());
            let problems: Vec<_> =
                validator.iter_errors(&tree(&text)).map(|error| error.to_string()).collect();
            assert!(problems.is_empty(), "{}: {}", file.display(), problems.join("\n"));
        }
    }

    #[test]
    fn what_does_not_load_does_not_fit_the_schema() {
        let validator = jsonschema::validator_for(&schema()).unwrap();
        let fits = |steps: &str| {
            let text = format!("id: a\ntitle: {{ja: あ, en: a}}\ncovers: [PIN-01]\nsteps:\n{steps}");
            validator.is_valid(&tree(&text))
        };
        assert!(fits(
            "  - read_binary: {le: 4, expect: {tlv: FF40/DF41, text: a, why: b}}\n    capture: x\n"
        ));
        assert!(fits("  - read_binary: {le: {parameter: le}, expect: file_not_found}\n"));
        for wrong in [
            "  - selec: jpki\n",
            "  - select: jpki\n    power: off\n",
            "  - read_binary: {le: four}\n",
            "  - read_binary: {le: 4, expect: {sw: \"6A8\"}}\n",
            "  - read_binary: {le: 4, expect: okay}\n",
            "  - transmit: {apdu: \"00 0G 00 00\"}\n",
            "  - verify: {pin: bank, value: right}\n",
            "  - challenge: {length: 8}\n    retry: {times: 3, wait_ms: 60000}\n",
        ] {
            assert!(!fits(wrong), "{wrong}");
        }
    }
}
