//! The steps of a scenario: one verb each, with its arguments, and beside it which requirements the
//! step proves and why, what of its answer is kept, and whether it is repeated.

use super::authenticate_step::AuthenticateStep;
use super::capture::{CaptureList, CaptureName};
use super::certificate_step::CertificateStep;
use super::command_step::{AtrStep, ChallengeStep, PowerStep, ReadBinaryStep, SelectStep, TransmitStep};
use super::expect::Expect;
use super::flow_step::{
    BrowserStep, CallbackStep, CardStep, EnterStep, HoldStep, LiftStep, OpenStep, OperatorStep, PresentStep,
    PressStep, SeeStep, StoredStep, TerminalStep, TickStep, WaitStep,
};
use super::pin_step::{ChangePinStep, TriesLeftStep, VerifyStep};
use super::reading_step::{GetDataStep, ReadFileStep, ReadRecordStep};
use super::retry::Retry;
use super::secure_step::{SecureSessionStep, SecureStep};
use super::sign_step::SignStep;
use crate::language::{Bilingual, Language};
use crate::remark::Remark;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, DeserializeSeed, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use std::borrow::Cow;
use std::fmt;
use vmyna_sim::fault::Fault;

/// One step.
#[derive(Debug, Clone)]
pub struct Step {
    /// what happens
    pub verb: Verb,
    /// the requirements that this step proves; empty means all of the scenario's
    pub covers: Vec<String>,
    /// shown when the step fails
    pub why: Option<Bilingual>,
    /// somebody else's card that does not do as the step expects lacks what the scenario needs
    pub precondition: bool,
    /// what of the answer is kept for later steps
    pub capture: CaptureList,
    /// the step is repeated until it is as expected
    pub retry: Option<Retry>,
    /// what goes wrong while it is played, on the built-in card
    pub faults: Vec<Fault>,
}

/// What every verb can tell of itself.
pub trait Action {
    /// The verb and its object in a few words, by which reports name the step.
    fn brief(&self) -> String;

    /// Whether a PIN is presented or changed: such a step is never repeated by itself.
    fn touches_a_pin(&self) -> bool {
        false
    }

    /// Whether there is an answer with data, which can be captured.
    fn has_data(&self) -> bool {
        true
    }

    /// The captured values that it needs.
    fn needs(&self) -> Vec<&CaptureName> {
        self.expects().into_iter().flat_map(Expect::captured).collect()
    }

    /// What it expects of an answer, where a scenario can say so.
    fn expects(&self) -> Option<&Expect> {
        None
    }

    /// What happens, as a sentence without its expectation.
    fn in_words(&self, language: Language) -> String;

    /// What is wrong with its arguments, taken together; the form of each is checked already.
    fn mistake(&self) -> Option<String> {
        None
    }
}

macro_rules! verbs {
    ($($(#[$doc:meta])* $variant:ident($arguments:ty) = $name:literal;)*) => {
        /// What a step does.
        #[derive(Debug, Clone)]
        pub enum Verb {
            $($(#[$doc])* $variant($arguments),)*
        }

        /// The verbs as scenarios write them.
        pub(super) const VERBS: &[&str] = &[$($name,)*];
        const STEP_KEYS: &[&str] = &[$($name,)* "covers", "why", "precondition", "capture", "retry", "fault"];

        impl Verb {
            /// The verb as scenarios write it.
            #[must_use]
            pub const fn name(&self) -> &'static str {
                match self {
                    $(Self::$variant(_) => $name,)*
                }
            }

            /// What the verb can tell of itself.
            #[must_use]
            pub fn action(&self) -> &dyn Action {
                match self {
                    $(Self::$variant(arguments) => arguments,)*
                }
            }
        }

        /// The schema of each verb's arguments.
        fn verb_schemas(generator: &mut SchemaGenerator) -> Vec<(&'static str, Schema)> {
            vec![$(($name, generator.subschema_for::<$arguments>()),)*]
        }

        fn verb<'de, A: MapAccess<'de>>(name: &str, map: &mut A) -> Result<Option<Verb>, A::Error> {
            Ok(Some(match name {
                $($name => Verb::$variant(map.next_value()?),)*
                _ => return Ok(None),
            }))
        }
    };
}

verbs! {
    /// switches the power
    Power(PowerStep) = "power";
    /// compares the answer to reset
    Atr(AtrStep) = "atr";
    /// SELECT
    Select(SelectStep) = "select";
    /// empty VERIFY
    TriesLeft(TriesLeftStep) = "tries_left";
    /// VERIFY
    Verify(VerifyStep) = "verify";
    /// CHANGE REFERENCE DATA
    ChangePin(ChangePinStep) = "change_pin";
    /// READ BINARY
    ReadBinary(ReadBinaryStep) = "read_binary";
    /// reads a whole EF, as a client does
    ReadFile(ReadFileStep) = "read_file";
    /// READ RECORD
    ReadRecord(ReadRecordStep) = "read_record";
    /// GET DATA
    GetData(GetDataStep) = "get_data";
    /// reads and checks a certificate
    Certificate(CertificateStep) = "certificate";
    /// COMPUTE DIGITAL SIGNATURE, verified
    Sign(SignStep) = "sign";
    /// INTERNAL AUTHENTICATE, verified
    Authenticate(AuthenticateStep) = "authenticate";
    /// SET SESSION KEY: opens a session of secure messaging
    SecureSession(SecureSessionStep) = "secure_session";
    /// a command inside that session
    Secure(SecureStep) = "secure";
    /// GET CHALLENGE
    Challenge(ChallengeStep) = "challenge";
    /// any command, in bytes
    Transmit(TransmitStep) = "transmit";
    /// in a flow, opens the top page
    Open(OpenStep) = "open";
    /// in a flow, presses a button
    Press(PressStep) = "press";
    /// in a flow, ticks the box or unticks it
    Tick(TickStep) = "tick";
    /// in a flow, types into the PIN field
    Enter(EnterStep) = "enter";
    /// in a flow, holds a card to the phone
    Hold(HoldStep) = "hold";
    /// in a flow, lifts it
    Lift(LiftStep) = "lift";
    /// in a flow, PIN and card as the platform wants them
    Present(PresentStep) = "present";
    /// in a flow, lets time pass
    Wait(WaitStep) = "wait";
    /// in a flow, what becomes of the browser
    Browser(BrowserStep) = "browser";
    /// in a flow, what becomes of the reader
    Terminal(TerminalStep) = "terminal";
    /// in a flow, an answer that should not count
    Callback(CallbackStep) = "callback";
    /// in a flow, what becomes of the portal
    Operator(OperatorStep) = "operator";
    /// in a flow, what must be seen
    See(SeeStep) = "see";
    /// in a flow, what the portal must hold
    Stored(StoredStep) = "stored";
    /// in a flow, what the card must hold
    Card(CardStep) = "card";
}

impl Verb {
    /// Whether it is a step of a flow; otherwise it is a step on a card.
    #[must_use]
    pub const fn is_of_a_flow(&self) -> bool {
        match self {
            Self::Power(_)
            | Self::Atr(_)
            | Self::Select(_)
            | Self::TriesLeft(_)
            | Self::Verify(_)
            | Self::ChangePin(_)
            | Self::ReadBinary(_)
            | Self::ReadFile(_)
            | Self::ReadRecord(_)
            | Self::GetData(_)
            | Self::Authenticate(_)
            | Self::Certificate(_)
            | Self::Sign(_)
            | Self::SecureSession(_)
            | Self::Secure(_)
            | Self::Challenge(_)
            | Self::Transmit(_) => false,
            Self::Open(_)
            | Self::Press(_)
            | Self::Tick(_)
            | Self::Enter(_)
            | Self::Hold(_)
            | Self::Lift(_)
            | Self::Present(_)
            | Self::Wait(_)
            | Self::Browser(_)
            | Self::Terminal(_)
            | Self::Callback(_)
            | Self::Operator(_)
            | Self::See(_)
            | Self::Stored(_)
            | Self::Card(_) => true,
        }
    }
}

/// Reads a key of a step; a wrong one is told where it stands.
struct Key {
    has_verb: bool,
}

impl<'de> DeserializeSeed<'de> for Key {
    type Value = String;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<String, D::Error> {
        let key = String::deserialize(deserializer)?;
        match STEP_KEYS.contains(&key.as_str()) {
            false => Err(de::Error::unknown_field(&key, STEP_KEYS)),
            true if self.has_verb && VERBS.contains(&key.as_str()) => {
                Err(de::Error::custom(format!("`{key}` is a second verb; a step has one")))
            }
            true => Ok(key),
        }
    }
}

impl<'de> Deserialize<'de> for Step {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct StepVisitor;
        impl<'de> Visitor<'de> for StepVisitor {
            type Value = Step;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "a step: one of {}", VERBS.join(", "))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Step, A::Error> {
                let (mut found, mut covers, mut why, mut precondition) = (None, Vec::new(), None, false);
                let (mut capture, mut retry, mut faults) = (CaptureList::default(), None, Vec::new());
                while let Some(key) = map.next_key_seed(Key { has_verb: found.is_some() })? {
                    match key.as_str() {
                        "covers" => covers = map.next_value()?,
                        "why" => why = Some(map.next_value::<Remark>()?.0),
                        "precondition" => precondition = map.next_value()?,
                        "capture" => capture = map.next_value()?,
                        "retry" => retry = Some(map.next_value()?),
                        "fault" => faults = map.next_value::<FaultList>()?.0,
                        name => found = verb(name, &mut map)?,
                    }
                }
                let verb = found.ok_or_else(|| {
                    de::Error::custom(format!("a step needs a verb: one of {}", VERBS.join(", ")))
                })?;
                Ok(Step { verb, covers, why, precondition, capture, retry, faults })
            }
        }
        deserializer.deserialize_map(StepVisitor)
    }
}

/// One fault, or a list of them.
struct FaultList(Vec<Fault>);

impl<'de> Deserialize<'de> for FaultList {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct FaultVisitor;
        impl<'de> Visitor<'de> for FaultVisitor {
            type Value = FaultList;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a fault, such as mute=2s, or a list of them")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<FaultList, E> {
                text.parse().map(|fault| FaultList(vec![fault])).map_err(E::custom)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<FaultList, A::Error> {
                let mut faults = Vec::new();
                while let Some(fault) = list.next_element()? {
                    faults.push(fault);
                }
                Ok(FaultList(faults))
            }
        }
        deserializer.deserialize_any(FaultVisitor)
    }
}

impl JsonSchema for Step {
    fn schema_name() -> Cow<'static, str> {
        "Step".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let verbs = verb_schemas(generator);
        let one_verb: Vec<_> = VERBS.iter().map(|verb| json_schema!({"required": [verb]})).collect();
        let mut properties = serde_json::json!({
            "covers": {
                "description": "the requirements that this step proves; all of the scenario's unless it says",
                "type": "array",
                "items": {"type": "string"},
            },
            "why": generator.subschema_for::<Remark>(),
            "precondition": {
                "description": "somebody else's card that does otherwise lacks what the scenario needs",
                "type": "boolean",
            },
            "capture": generator.subschema_for::<CaptureList>(),
            "retry": generator.subschema_for::<Retry>(),
            "fault": {
                "description": "what goes wrong while it is played, on the built-in card, such as mute=2s",
                "type": ["string", "array"],
                "items": {"type": "string"},
            },
        });
        for (verb, schema) in verbs {
            properties[verb] = schema.to_value();
        }
        json_schema!({
            "description": "one verb with its arguments, and what stands beside it",
            "type": "object",
            "properties": properties,
            "additionalProperties": false,
            "oneOf": one_verb,
        })
    }
}

impl fmt::Display for Verb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.action().brief())
    }
}

/// An enum's word as scenarios write it.
pub(super) fn lower(word: &impl fmt::Debug) -> String {
    format!("{word:?}").to_lowercase()
}
