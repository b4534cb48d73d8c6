//! Ten thousand scenarios and a report of every exchange stay within 200 MiB. A program of its own:
//! what is measured is the most that this process ever had.

use std::fmt::Write as _;
use vmyna::report::Collector;
use vmyna::requirement::Requirements;
use vmyna::run::{Beginning, Cards, Conduct, Detail, Sink, run_on_simulator};
use vmyna::scenario::{self, Scenario};
use vmyna::verify::Trust;

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
}
