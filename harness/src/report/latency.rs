//! How long commands took, by instruction.

use super::model::{ExchangeRecord, Latency};
use std::collections::BTreeMap;

/// The latencies of `exchanges`, the slowest instruction first. What was not answered is left out.
pub(super) fn latencies<'a>(exchanges: impl Iterator<Item = &'a ExchangeRecord>) -> Vec<Latency> {
    let mut samples: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
    for exchange in exchanges.filter(|exchange| exchange.response.is_some()) {
        samples.entry(&exchange.instruction).or_default().push(exchange.took_ns);
    }
    let mut latencies: Vec<Latency> = samples
        .into_iter()
        .map(|(instruction, mut samples)| {
            samples.sort_unstable();
            Latency {
                instruction: instruction.to_owned(),
                count: samples.len(),
                min: percentile(&samples, 0),
                p50: percentile(&samples, 50),
                p95: percentile(&samples, 95),
                p99: percentile(&samples, 99),
                max: percentile(&samples, 100),
            }
        })
        .collect();
    latencies.sort_by(|a, b| b.p50.cmp(&a.p50).then_with(|| a.instruction.cmp(&b.instruction)));
    latencies
}

/// The smallest of `sorted` that at least `percent` of a hundred do not exceed (nearest rank).
pub(super) fn percentile(sorted: &[u64], percent: usize) -> u64 {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_of_the_nearest_rank() {
        let samples: Vec<u64> = (1..=200).collect();
        let of = |percent| percentile(&samples, percent);
        assert_eq!([of(0), of(50), of(95), of(99), of(100)], [1, 100, 190, 198, 200]);
        assert_eq!(percentile(&[7], 50), 7);
        assert_eq!(percentile(&[7], 99), 7);
    }

    #[test]
    fn instructions_are_told_apart_and_silence_is_no_latency() {
        let exchange = |instruction: &str, took_ns, answered: bool| ExchangeRecord {
            command: String::new(),
            meaning: String::new(),
            meaning_ja: None,
            instruction: instruction.to_owned(),
            response: answered.then(|| "90 00".to_owned()),
            response_left_out: 0,
            status: None,
            took_ns,
        };
        let exchanges =
            [exchange("SELECT", 5, true), exchange("VERIFY", 9, true), exchange("SELECT", 1_000, false)];
        let latencies = latencies(exchanges.iter());
        assert_eq!(latencies.len(), 2);
        assert_eq!((&*latencies[0].instruction, latencies[0].max), ("VERIFY", 9));
        assert_eq!((&*latencies[1].instruction, latencies[1].count, latencies[1].max), ("SELECT", 1, 5));
    }
}
