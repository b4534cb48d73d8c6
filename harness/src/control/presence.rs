//! Whether a card is in its reader, for all who wait for that to change.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use vmyna_sim::vpcd::Shutdown;

/// Whether the card is in the reader, and whether the reader has seen it.
#[derive(Debug)]
pub(super) struct Presence {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    inserted: bool,
    /// the reader has seen it since it was inserted, and the connection is the same
    seen: bool,
    ended: bool,
    /// ends what goes on while the card is in the reader
    session: Option<Shutdown>,
}

impl Presence {
    pub(super) fn new() -> Self {
        let state = State { inserted: true, seen: false, ended: false, session: None };
        Self { state: Mutex::new(state), changed: Condvar::new() }
    }

    /// `false` when it was in already.
    pub(super) fn insert(&self) -> bool {
        let mut state = self.state();
        let news = !std::mem::replace(&mut state.inserted, true);
        drop(state);
        self.changed.notify_all();
        news
    }

    /// Ends the session; `false` when the card was out already.
    pub(super) fn remove(&self) -> bool {
        let mut state = self.state();
        state.seen = false;
        let news = std::mem::replace(&mut state.inserted, false);
        let session = state.session.take();
        drop(state);
        if let Some(session) = session {
            session.now();
        }
        self.changed.notify_all();
        news
    }

    /// For good.
    pub(super) fn end(&self) {
        self.state().ended = true;
        self.remove();
    }

    pub(super) fn set_seen(&self, seen: bool) {
        self.state().seen = seen;
        self.changed.notify_all();
    }

    pub(super) fn is_inserted(&self) -> bool {
        self.state().inserted
    }

    pub(super) fn is_seen(&self) -> bool {
        self.state().seen
    }

    pub(super) fn has_ended(&self) -> bool {
        self.state().ended
    }

    /// Waits until the card is in the reader and gives the handle that its removal uses; `None` at the
    /// end.
    pub(super) fn session(&self) -> Option<Shutdown> {
        let waited = self.changed.wait_while(self.state(), |state| !state.inserted && !state.ended);
        let mut state = waited.unwrap_or_else(PoisonError::into_inner);
        let session = (!state.ended).then(Shutdown::new);
        state.session.clone_from(&session);
        session
    }

    /// Pauses; cut short at the end, not by anything else.
    pub(super) fn pause(&self, time: Duration) {
        let _ = self.changed.wait_timeout_while(self.state(), time, |state| !state.ended);
    }

    /// Lets a card take its time; cut short when it is removed.
    pub(super) fn pause_while_inserted(&self, time: Duration) {
        let _ = self.changed.wait_timeout_while(self.state(), time, |state| !state.ended && state.inserted);
    }

    /// Waits until the reader sees the card; `false` when it does not by then, or never will.
    pub(super) fn wait_until_seen(&self, deadline: Instant) -> bool {
        let left = deadline.saturating_duration_since(Instant::now());
        let waited = self.changed.wait_timeout_while(self.state(), left, |state| !state.seen && !state.ended);
        waited.unwrap_or_else(PoisonError::into_inner).0.seen
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
