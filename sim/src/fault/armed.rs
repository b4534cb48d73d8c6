//! The faults that are armed, behind a handle that can be kept while the card is in use.

use super::kind::{Kind, Swap};
use super::spec::Fault;
use super::trigger::{Request, Trigger};
use crate::smart_card::Leaving;
use chacha20::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use thiserror::Error;

/// A handle to the faults of one card: what is armed through it strikes the card that was made with
/// it, and the same seed, the same faults and the same commands give the same strikes.
#[derive(Clone)]
pub struct Faults(Arc<Shared>);

struct Shared {
    seed: u64,
    /// nothing is armed and nothing is pending: the card is as if it were alone
    idle: AtomicBool,
    state: Mutex<State>,
}

struct State {
    armed: Vec<Armed>,
    /// how many were ever armed
    count: u64,
    commands: u64,
    absent: Option<Leaving>,
    swaps: bool,
}

struct Armed {
    fault: Fault,
    randomness: ChaCha20Rng,
    seen: u32,
}

/// A fault that has struck.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Strike {
    /// which
    pub fault: Fault,
    /// at which command since the first fault was armed, counted from 1; `None` at a request for the
    /// ATR
    pub command: Option<u64>,
    pub(super) random: u64,
}

/// A swap needs another card, and there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("there is no other card here to swap this one for")]
pub struct NoOtherCard;

impl Faults {
    /// No faults yet; what chance decides will follow from `seed`.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let state = State { armed: Vec::new(), count: 0, commands: 0, absent: None, swaps: false };
        Self(Arc::new(Shared { seed, idle: AtomicBool::new(true), state: Mutex::new(state) }))
    }

    /// What everything random follows from.
    #[must_use]
    pub fn seed(&self) -> u64 {
        self.0.seed
    }

    /// Arms a fault; its trigger counts from now.
    ///
    /// # Errors
    /// It swaps the card for another person's, and the card was made without one.
    pub fn arm(&self, fault: Fault) -> Result<(), NoOtherCard> {
        let mut state = self.state();
        if fault.kind == Kind::Swap(Swap::Serial) && !state.swaps {
            return Err(NoOtherCard);
        }
        // A stream of its own for each, so that one fault does not change what another draws.
        let mut randomness = ChaCha20Rng::seed_from_u64(self.0.seed);
        randomness.set_stream(state.count);
        state.count += 1;
        state.armed.push(Armed { fault, randomness, seen: 0 });
        self.0.idle.store(false, Ordering::Release);
        Ok(())
    }

    /// Takes back everything that is armed.
    pub fn clear(&self) {
        self.state().armed.clear();
    }

    /// What is armed and has not struck for the last time.
    #[must_use]
    pub fn armed(&self) -> Vec<Fault> {
        self.state().armed.iter().map(|armed| armed.fault).collect()
    }

    /// Of what is armed, all that has to strike once what it waits for comes: nothing that is left to chance.
    #[must_use]
    pub fn due(&self) -> Vec<Fault> {
        let mut armed = self.armed();
        armed.retain(|fault| !matches!(fault.trigger, Trigger::Chance(_)));
        armed
    }

    /// Puts the card back that [`Kind::NoCard`] or [`Kind::NoReader`] took away.
    pub fn insert(&self) {
        self.state().absent = None;
    }

    /// Whether [`Kind::NoCard`] or [`Kind::NoReader`] took the card away.
    #[must_use]
    pub fn is_absent(&self) -> bool {
        self.state().absent.is_some()
    }

    pub(super) fn absent(&self) -> Option<Leaving> {
        self.state().absent
    }

    pub(super) fn take_away(&self, leaving: Leaving) {
        self.state().absent = Some(leaving);
    }

    pub(super) fn allow_swaps(&self) {
        self.state().swaps = true;
    }

    /// Whether nothing can happen; asked for each command.
    pub(super) fn is_idle(&self) -> bool {
        self.0.idle.load(Ordering::Acquire)
    }

    /// Whether an answer must be kept for later.
    pub(super) fn awaits_stale(&self) -> bool {
        self.state().armed.iter().any(|armed| armed.fault.kind == Kind::Stale)
    }

    /// Rests, when nothing is armed and the card, which knows of nothing pending, is there.
    pub(super) fn rest(&self) {
        let state = self.state();
        if state.armed.is_empty() && state.absent.is_none() {
            self.0.idle.store(true, Ordering::Release);
        }
    }

    /// What strikes at this request, in the order in which it was armed.
    pub(super) fn strike(&self, request: Request<'_>) -> Vec<Strike> {
        let mut state = self.state();
        let command = match request {
            Request::Command(_) => {
                state.commands += 1;
                Some(state.commands)
            }
            Request::Atr => None,
        };
        let mut strikes = Vec::new();
        state.armed.retain_mut(|armed| {
            let Fault { trigger, .. } = armed.fault;
            if !trigger.concerns(request) {
                return true;
            }
            armed.seen = armed.seen.saturating_add(1);
            let strikes_now = match trigger {
                Trigger::Chance(chance) => Trigger::is_lucky(chance, armed.randomness.next_u64()),
                _ => trigger.last() == Some(armed.seen),
            };
            if strikes_now {
                let random = armed.randomness.next_u64();
                strikes.push(Strike { fault: armed.fault, command, random });
            }
            !strikes_now || trigger.last().is_none()
        });
        strikes
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Faults").field("seed", &self.0.seed).field("armed", &self.armed()).finish()
    }
}

impl fmt::Display for Strike {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.command {
            Some(command) => write!(f, "{} strikes at command {command}", self.fault),
            None => write!(f, "{} strikes at a request for the ATR", self.fault),
        }
    }
}
