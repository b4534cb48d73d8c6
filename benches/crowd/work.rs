//! What threads did, as Linux counts it (`schedstat`): how long they had a processor, and how long they were ready and
//! waited for one.

use std::ops::{AddAssign, Sub};
use std::path::Path;
use std::time::Duration;

#[derive(Debug, Clone, Copy, Default)]
pub struct Work {
    pub computing: Duration,
    pub waiting_for_a_processor: Duration,
}

impl Work {
    /// Of the thread that asks.
    pub fn of_this_thread() -> Self {
        Self::at(Path::new("/proc/thread-self"))
    }

    /// Of all threads that a process has now.
    pub fn of_process(id: u32) -> Self {
        let mut all = Self::default();
        for thread in std::fs::read_dir(format!("/proc/{id}/task")).expect("Linux").flatten() {
            all += Self::at(&thread.path());
        }
        all
    }

    fn at(thread: &Path) -> Self {
        let told = std::fs::read_to_string(thread.join("schedstat")).unwrap_or_default();
        let mut times = told.split(' ').map(|time| Duration::from_nanos(time.parse().unwrap_or_default()));
        let mut next = || times.next().unwrap_or_default();
        Self { computing: next(), waiting_for_a_processor: next() }
    }
}

impl AddAssign for Work {
    fn add_assign(&mut self, other: Self) {
        self.computing += other.computing;
        self.waiting_for_a_processor += other.waiting_for_a_processor;
    }
}

impl Sub for Work {
    type Output = Self;

    fn sub(self, before: Self) -> Self {
        Self {
            computing: self.computing.saturating_sub(before.computing),
            waiting_for_a_processor: self
                .waiting_for_a_processor
                .saturating_sub(before.waiting_for_a_processor),
        }
    }
}
