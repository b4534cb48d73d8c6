//! The JSON schema of what is written in several forms.

use super::holder::{BUTTONS, Faults, HoldMap, HoldStep, OpenStep, PressStep, Tab, WaitStep, Whose};
use super::see::{ScreenName, SeeMap, SeeStep, Texts};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use std::borrow::Cow;

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

schema_of! {
    OpenStep, "OpenStep", |generator| {
        let tab = generator.subschema_for::<Tab>();
        json_schema!({"anyOf": [{"type": "string", "enum": ["top"]}, tab]})
    };
    PressStep, "Button", |_generator| {
        let names = BUTTONS.iter().flat_map(|(_, name, labels)| std::iter::once(*name).chain(labels.iter().copied()));
        json_schema!({
            "description": "a button, by its name or by what stands on it",
            "type": "string",
            "enum": names.collect::<Vec<_>>(),
        })
    };
    Whose, "Whose", |_generator| json_schema!({
        "description": "`card` or `own` for the holder's own card, or the name of another holder",
        "type": "string",
    });
    Faults, "Suffering", |_generator| json_schema!({
        "description": "faults such as remove=before@3, as for `vmyna serve --fault`",
        "anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}],
    });
    HoldStep, "HoldStep", |generator| {
        let map = generator.subschema_for::<HoldMap>();
        json_schema!({"anyOf": [{"type": "string"}, map]})
    };
    WaitStep, "Time", |_generator| json_schema!({"description": "such as 61s, 5m or 2h", "type": "string"});
    Texts, "Texts", |_generator| json_schema!({
        "anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}],
    });
    SeeStep, "SeeStep", |generator| {
        let (screen, map) = (generator.subschema_for::<ScreenName>(), generator.subschema_for::<SeeMap>());
        json_schema!({"anyOf": [screen, map]})
    };
}
