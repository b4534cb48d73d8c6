//! The steps of a scenario: one verb each, with its arguments, and beside it which requirements the
//! step proves and why.

use super::certificate_step::CertificateStep;
use super::command_step::{
    AtrStep, ChallengeStep, PowerStep, ReadBinaryStep, SelectStep, SelectTarget, TransmitStep,
};
use super::pin_step::{ChangePinStep, TriesLeftStep, VerifyStep};
use super::sign_step::SignStep;
use serde::de::{self, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use std::fmt;

/// One step.
#[derive(Debug, Clone)]
pub struct Step {
    /// what happens
    pub verb: Verb,
    /// the requirements that this step proves; empty means all of the scenario's
    pub covers: Vec<String>,
    /// shown when the step fails
    pub why: Option<String>,
    /// somebody else's card that does not do as the step expects lacks what the scenario needs
    pub precondition: bool,
}

macro_rules! verbs {
    ($($(#[$doc:meta])* $variant:ident($arguments:ty) = $name:literal;)*) => {
        /// What a step does.
        #[derive(Debug, Clone)]
        pub enum Verb {
            $($(#[$doc])* $variant($arguments),)*
        }

        const VERBS: &[&str] = &[$($name,)*];
        const STEP_KEYS: &[&str] = &[$($name,)* "covers", "why", "precondition"];

        impl Verb {
            /// The verb as scenarios write it.
            #[must_use]
            pub const fn name(&self) -> &'static str {
                match self {
                    $(Self::$variant(_) => $name,)*
                }
            }
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
    /// reads and checks a certificate
    Certificate(CertificateStep) = "certificate";
    /// COMPUTE DIGITAL SIGNATURE, verified
    Sign(SignStep) = "sign";
    /// GET CHALLENGE
    Challenge(ChallengeStep) = "challenge";
    /// any command, in bytes
    Transmit(TransmitStep) = "transmit";
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
                while let Some(key) = map.next_key::<String>()? {
                    match key.as_str() {
                        "covers" => covers = map.next_value()?,
                        "why" => why = Some(map.next_value()?),
                        "precondition" => precondition = map.next_value()?,
                        name => match verb(name, &mut map)? {
                            None => return Err(de::Error::unknown_field(name, STEP_KEYS)),
                            Some(_) if found.is_some() => {
                                return Err(de::Error::custom(format!(
                                    "`{name}` is a second verb; a step has one"
                                )));
                            }
                            some => found = some,
                        },
                    }
                }
                let verb = found.ok_or_else(|| {
                    de::Error::custom(format!("a step needs a verb: one of {}", VERBS.join(", ")))
                })?;
                Ok(Step { verb, covers, why, precondition })
            }
        }
        deserializer.deserialize_map(StepVisitor)
    }
}

impl fmt::Display for Verb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        match self {
            Self::Power(power) => write!(f, " {}", lower(power)),
            Self::Atr(_) | Self::Transmit(_) => Ok(()),
            Self::Select(step) => match &step.target {
                SelectTarget::Application { name, .. } => write!(f, " {name}"),
                SelectTarget::Aid(aid) => write!(f, " aid {aid}"),
                SelectTarget::File(id) => write!(f, " file {id:04X}"),
            },
            Self::TriesLeft(step) => write!(f, " of {}", step.of),
            Self::Verify(step) => write!(f, " {} ({})", step.pin, lower(&step.value)),
            Self::ChangePin(step) => write!(f, " {} to {}", step.pin, lower(&step.to)),
            Self::ReadBinary(step) => write!(f, " {} from {}", step.le, step.offset),
            Self::Certificate(step) => write!(f, " {}", step.of),
            Self::Sign(step) => write!(f, " with {}", step.key.certificate()),
            Self::Challenge(step) => write!(f, " of {} bytes", step.length),
        }
    }
}

fn lower(word: &impl fmt::Debug) -> String {
    format!("{word:?}").to_lowercase()
}
