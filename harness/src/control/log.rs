//! The last that a card was told and answered, PINs masked, for whoever comes later.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How many lines are kept.
const KEPT: usize = 200;

/// Lines with numbers: the oldest are forgotten.
#[derive(Debug, Default)]
pub(super) struct Log {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    lines: VecDeque<String>,
    /// the number of the line after the last
    next: u64,
    ended: bool,
}

impl Log {
    pub(super) fn push(&self, line: String) {
        let mut state = self.state();
        if state.lines.len() == KEPT {
            state.lines.pop_front();
        }
        state.lines.push_back(line);
        state.next += 1;
        drop(state);
        self.changed.notify_all();
    }

    /// The lines from number `from` on, as far as they are kept, and the number after the last.
    pub(super) fn since(&self, from: u64) -> (Vec<String>, u64) {
        Self::of(&self.state(), from)
    }

    /// As [`since`](Self::since), but waits a while for a line; `None` when none will follow.
    pub(super) fn wait_since(&self, from: u64, at_most: Duration) -> Option<(Vec<String>, u64)> {
        let waited = self
            .changed
            .wait_timeout_while(self.state(), at_most, |state| state.next <= from && !state.ended);
        let (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        (!state.ended || state.next > from).then(|| Self::of(&state, from))
    }

    /// No line will follow.
    pub(super) fn end(&self) {
        self.state().ended = true;
        self.changed.notify_all();
    }

    fn of(state: &State, from: u64) -> (Vec<String>, u64) {
        let first = state.next - state.lines.len() as u64;
        let skipped = usize::try_from(from.saturating_sub(first)).unwrap_or(usize::MAX);
        (state.lines.iter().skip(skipped).cloned().collect(), state.next)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_lines_are_forgotten_and_none_is_told_twice() {
        let log = Log::default();
        for n in 0..KEPT + 3 {
            log.push(n.to_string());
        }
        let (lines, next) = log.since(0);
        assert_eq!((lines.len(), lines[0].as_str(), next), (KEPT, "3", KEPT as u64 + 3));
        assert_eq!(log.since(next).0, [""; 0]);
        log.push("last".into());
        assert_eq!(log.wait_since(next, Duration::MAX).unwrap().0, ["last"]);
        log.end();
        assert_eq!(log.wait_since(next + 1, Duration::MAX), None);
    }
}
