//! How long answers took, by kind, in buckets a sixteenth of a doubling wide, so that an hour of
//! them needs no more room than a second; and what the threads did that asked for them.

use super::work::Work;
use std::time::Duration;

const STEPS: f64 = 16.0;
const BUCKETS: usize = 40 * 16;

/// Counts of durations, by kind.
#[derive(Debug)]
pub struct Latencies {
    counts: Vec<Vec<u64>>,
    /// of all answers together
    pub total: Duration,
    /// of the threads that asked
    pub work: Work,
}

impl Latencies {
    pub fn new(kinds: usize) -> Self {
        Self { counts: vec![vec![0; BUCKETS]; kinds], total: Duration::ZERO, work: Work::default() }
    }

    pub fn add(&mut self, kind: usize, time: Duration) {
        let bucket = (time.as_nanos().max(1) as f64).log2() * STEPS;
        self.counts[kind][(bucket as usize).min(BUCKETS - 1)] += 1;
        self.total += time;
    }

    pub fn join(&mut self, other: &Self) {
        for (kind, theirs) in self.counts.iter_mut().zip(&other.counts) {
            kind.iter_mut().zip(theirs).for_each(|(count, more)| *count += more);
        }
        self.total += other.total;
        self.work += other.work;
    }

    pub fn count(&self, kind: usize) -> u64 {
        self.counts[kind].iter().sum()
    }

    /// The time that this part of the answers stayed within, such as 0.99.
    pub fn quantile(&self, kind: usize, part: f64) -> Duration {
        let wanted = (self.count(kind) as f64 * part).ceil() as u64;
        let mut seen = 0;
        let bucket = self.counts[kind].iter().position(|count| {
            seen += count;
            seen >= wanted
        });
        Duration::from_nanos(((bucket.unwrap_or(0) as f64 + 1.0) / STEPS).exp2() as u64)
    }
}
