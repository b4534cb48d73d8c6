//! The latency plot: one row for each instruction on a common logarithmic axis. All horizontal
//! places are percentages, so that it fits a page of any width without scaling its text.

use super::model::Latency;

/// A plot as the template draws it.
pub(super) struct Plot {
    pub rows: Vec<Row>,
    /// decades: place, label
    pub ticks: Vec<(String, String)>,
    pub height: usize,
}

pub(super) struct Row {
    pub latency: Latency,
    pub y: usize,
    pub min: String,
    pub p50: String,
    pub p95: String,
    pub p99: String,
    pub max: String,
}

/// Pixels between rows.
const PITCH: usize = 44;

impl Plot {
    pub(super) fn of(latencies: &[Latency]) -> Self {
        let shortest = latencies.iter().map(|latency| latency.min).min().unwrap_or(1).max(1);
        let longest = latencies.iter().map(|latency| latency.max).max().unwrap_or(1);
        let from = shortest.ilog10();
        let to = longest.max(1).ilog10() + 1;
        let place = |nanoseconds: u64| {
            #[expect(clippy::cast_precision_loss, reason = "a plot is not that precise")]
            let decades = (nanoseconds.max(1) as f64).log10() - f64::from(from);
            // Room at both ends for the labels of the axis.
            format!("{:.2}%", 2.0 + 94.0 * decades / f64::from(to - from))
        };
        let rows = latencies
            .iter()
            .enumerate()
            .map(|(index, latency)| Row {
                latency: latency.clone(),
                y: index * PITCH,
                min: place(latency.min),
                p50: place(latency.p50),
                p95: place(latency.p95),
                p99: place(latency.p99),
                max: place(latency.max),
            })
            .collect();
        let ticks = (from..=to)
            .map(|decade| {
                let nanoseconds = 10_u64.pow(decade);
                let label = match decade {
                    0..3 => format!("{nanoseconds} ns"),
                    3..6 => format!("{} µs", nanoseconds / 1_000),
                    6..9 => format!("{} ms", nanoseconds / 1_000_000),
                    _ => format!("{} s", nanoseconds / 1_000_000_000),
                };
                (place(nanoseconds), label)
            })
            .collect();
        Self { rows, ticks, height: latencies.len() * PITCH + 26 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slower_is_further_right_and_all_is_on_the_page() {
        let latency = |p50: u64| Latency {
            instruction: "SELECT".to_owned(),
            count: 9,
            min: p50 / 2,
            p50,
            p95: p50 * 2,
            p99: p50 * 3,
            max: p50 * 40,
        };
        let plot = Plot::of(&[latency(4_000_000), latency(900)]);
        let at = |place: &str| place.trim_end_matches('%').parse::<f64>().unwrap();
        for row in &plot.rows {
            let places = [&row.min, &row.p50, &row.p95, &row.p99, &row.max].map(|place| at(place));
            assert!(places.is_sorted() && places[0] >= 0.0 && places[4] <= 100.0, "{places:?}");
        }
        assert!(at(&plot.rows[0].p50) > at(&plot.rows[1].p50));
        assert_eq!(plot.ticks.first().unwrap().1, "100 ns");
        assert_eq!(plot.ticks.last().unwrap().1, "1 s");
    }

    #[test]
    fn without_exchanges_there_is_nothing_to_draw() {
        assert!(Plot::of(&[]).rows.is_empty());
    }
}
