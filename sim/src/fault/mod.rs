//! Faults that are wanted: a card that is pulled out, falls silent, takes its time or answers
//! nonsense, when it is told to. [`Faulty`] is a [`SmartCard`](crate::smart_card::SmartCard) around
//! another, so that the same fault strikes in process and behind a socket; a [`Fault`] is written in
//! one line, be it on the command line or in a scenario; [`Faults`] is the handle that arms them
//! while the card is in use. Everything random comes from one seed, and time is handed in. None of
//! this can reach a card that is not ours.

mod armed;
mod damage;
mod faulty;
mod kind;
mod spec;
mod swapped;
mod trigger;

pub use armed::{Faults, NoOtherCard, Strike};
pub use faulty::Faulty;
pub use kind::{Kind, Moment, Swap};
pub use spec::{Fault, MalformedFault, SYNTAX};
pub use swapped::for_another_persons;
pub use trigger::{Instruction, Trigger};
