//! Steps of flows: what the holder does with phone, card and browser, what becomes of the reader and
//! of the portal, and what must be seen on the screens. PINs are named by their role, buttons by
//! their name or by what stands on them.

mod around;
mod holder;
mod schema;
mod see;

pub use around::{BrowserStep, CallbackStep, CardStep, Delivery, OperatorStep, StoredStep, TerminalStep};
pub use holder::{
    EnterStep, HoldStep, LiftStep, OpenStep, PresentStep, PressStep, Pressable, TickStep, WaitStep,
};
pub use see::{RowName, ScreenName, SeeStep};

use jiff::SignedDuration;
use serde::de;

/// Reads `61s`, `5m`, `-1h`.
pub(super) fn span<E: de::Error>(text: &str) -> Result<SignedDuration, E> {
    text.parse().map_err(|_| E::custom(format!("a time is such as 61s, 5m or 2h, not {text:?}")))
}

/// Steps that have no answer of a card, so that nothing can be captured of them: each with what
/// happens, in English and in Japanese.
macro_rules! plain {
    (touching a PIN: $($step:ident => |$name:pat_param| $en:expr, $ja:expr;)*) => {
        plain! { @ true $($step => |$name| $en, $ja;)* }
    };
    ($($step:ident => |$name:pat_param| $en:expr, $ja:expr;)*) => {
        plain! { @ false $($step => |$name| $en, $ja;)* }
    };
    (@ $pin:literal $($step:ident => |$name:pat_param| $en:expr, $ja:expr;)*) => {
        $(impl crate::scenario::step::Action for $step {
            fn brief(&self) -> String {
                let $name = self;
                $en
            }

            fn touches_a_pin(&self) -> bool {
                $pin
            }

            fn has_data(&self) -> bool {
                false
            }

            fn in_words(&self, language: crate::language::Language) -> String {
                let $name = self;
                match language {
                    crate::language::Language::En => $en,
                    crate::language::Language::Ja => $ja,
                }
            }
        })*
    };
}
use plain;
