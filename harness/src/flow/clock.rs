//! The clock of a flow: everybody in it looks at the same one, and it moves when somebody waits.

use crate::portal::phone::TerminalClock;
use jiff::{SignedDuration, Timestamp};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// When flows begin, unless they say otherwise: 2026-04-01T00:30:00Z. Any moment would do, but always
/// the same one.
pub const BEGINNING: Timestamp = Timestamp::constant(1_775_003_400, 0);

/// A clock that only moves when it is told to. Clones show the same time.
#[derive(Debug, Clone)]
pub struct FlowClock(Arc<Mutex<Timestamp>>);

impl FlowClock {
    /// Shows `now`.
    #[must_use]
    pub fn at(now: Timestamp) -> Self {
        Self(Arc::new(Mutex::new(now)))
    }

    /// What it shows.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What a terminal looks at.
    #[must_use]
    pub fn of_terminal(&self) -> TerminalClock {
        let clock = self.clone();
        Arc::new(move || clock.now())
    }

    /// Lets time pass; at the end of the calendar it stands still.
    pub fn pass(&self, time: Duration) {
        let mut now = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let time = SignedDuration::try_from(time).unwrap_or(SignedDuration::MAX);
        *now = now.saturating_add(time).unwrap_or(Timestamp::MAX);
    }
}
