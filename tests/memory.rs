//! Ten thousand scenarios and a report of every exchange stay within 200 MiB, and so do the reports of a card that says
//! 65,535 bytes to everything. A program of its own: what is measured is the most that this process ever had.

use std::fmt::Write as _;
use std::time::Duration;
use vmyna::report::Collector;
use vmyna::requirement::Requirements;
use vmyna::run::{Beginning, Cards, Conduct, Detail, Event, Happening, Sink, Verdict, run_on_simulator};
use vmyna::scenario::{self, Scenario};
use vmyna::verify::Trust;
use vmyna_sim::exchange::Exchange;

const ROWS: usize = 10_000;

/// A table cannot have ten thousand rows: a document has at most a mebibyte. Ten of a thousand can.
fn tables(folder: &std::path::Path) {
    for table in 0..10 {
        let mut text = format!(
            "id: many.table-{table}\ntitle: {{ja: 多い, en: many}}\ncovers: [READ-01]\nparameters:\n"
        );
        for row in 0..ROWS / 10 {
            let _ = writeln!(text, "  - {{row: r{row}, le: {}}}", row % 100 + 1);
        }
        text.push_str(
            "steps:\n  - select: jpki\n  - select: {file: \"0006\"}\n  \
             - read_binary: {le: {parameter: le}}\n",
        );
        std::fs::write(folder.join(format!("{table}.yaml")), text).expect("a file");
    }
}

fn most_kibibytes() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux tells of processes");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("it tells the most");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}

#[test]
fn ten_thousand_rows_stay_small() {
    let folder = tempfile::tempdir().expect("a folder");
    tables(folder.path());
    let requirements = Requirements::built_in();
    let scenarios = scenario::load_paths(&[folder.path().to_owned()], &requirements).expect("they load");
    let scenarios: Vec<&Scenario> = scenarios.iter().collect();
    assert_eq!(scenarios.len(), ROWS);
    let mut collector = Collector::new(&requirements, Detail::Everything);
    assert_eq!(collector.wants(), Detail::Everything);
    let conduct =
        Conduct { jobs: 2.try_into().expect("two"), ..Conduct::new(&requirements, &Trust::CardItself) };
    let beginning = Beginning::now(scenarios.len(), "sim");
    let summary =
        run_on_simulator(&scenarios, &Cards::default(), "card", &conduct, &beginning, &mut collector)
            .expect("the holder exists");
    assert_eq!((summary.passed, summary.failed, summary.skipped), (ROWS, 0, 0));
    let report = collector.into_report();
    assert_eq!(report.exchanges().count(), 3 * ROWS);
    let most = most_kibibytes();
    assert!(most < 200 * 1024, "{most} KiB");
    drop(report);
    long_answers_stay_small(&requirements, scenarios[0]);
}

/// As many exchanges as the whole suite has with such a card.
fn long_answers_stay_small(requirements: &Requirements, scenario: &Scenario) {
    const EXCHANGES: usize = 12_000;
    let mut collector = Collector::new(requirements, Detail::Everything);
    let answer = [&[0x30; 65_533][..], &[0x90, 0x00]].concat();
    for _ in 0..EXCHANGES {
        let exchange = Exchange::kept(b"\x00\xB0\x00\x00\x00", Some(&answer));
        collector.event(&Event::Happened(&Happening::Exchange { exchange, took: Duration::ZERO }));
    }
    let verdict = Verdict::Passed { observations: Vec::new() };
    collector.event(&Event::CaseEnded {
        scenario,
        verdict: &verdict,
        left_undone: &[],
        took: Duration::ZERO,
    });
    let report = collector.into_report();
    let kept: Vec<_> =
        report.exchanges().map(|it| it.response.as_ref().map_or(0, |hex| hex.len().div_ceil(3))).collect();
    assert_eq!((kept.len(), kept[0], kept[EXCHANGES - 1]), (EXCHANGES, 8_194, 258));
    assert!(report.exchanges().zip(&kept).all(|(it, kept)| it.response_left_out + kept == 65_535));
    serde_json::to_writer(std::io::sink(), &report).expect("it is written");
    let most = most_kibibytes();
    assert!(most < 200 * 1024, "{most} KiB");
}
