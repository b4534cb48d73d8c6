//! Steps of flows: what the holder does with phone, card and browser, what becomes of the reader and
//! of the portal, and what must be seen on the screens. PINs are named by their role, buttons by
//! their name or by what stands on them.

mod around;
mod holder;
mod see;

pub use around::{BrowserStep, CallbackStep, Delivery, OperatorStep, StoredStep, TerminalStep};
pub use holder::{EnterStep, HoldStep, LiftStep, OpenStep, PressStep, Pressable, TickStep, WaitStep};
pub use see::{RowName, ScreenName, SeeStep};

/// A step that has no answer of a card, so that nothing can be captured of it.
macro_rules! plain {
    (touching a PIN: $($step:ident => |$name:pat_param| $brief:expr;)*) => {
        plain! { @ true $($step => |$name| $brief;)* }
    };
    ($($step:ident => |$name:pat_param| $brief:expr;)*) => {
        plain! { @ false $($step => |$name| $brief;)* }
    };
    (@ $pin:literal $($step:ident => |$name:pat_param| $brief:expr;)*) => {
        $(impl crate::scenario::step::Action for $step {
            fn brief(&self) -> String {
                let $name = self;
                $brief
            }

            fn touches_a_pin(&self) -> bool {
                $pin
            }

            fn has_data(&self) -> bool {
                false
            }

            fn needs(&self) -> Vec<&crate::scenario::capture::CaptureName> {
                Vec::new()
            }
        })*
    };
}
use plain;
