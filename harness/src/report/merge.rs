//! The shards of a suite, put together again. What does not fit together is refused: a shard that
//! is missing or there twice, a scenario that is in two of them, shards of different suites.

use super::collector::weigh_requirements;
use super::latency::latencies;
use super::model::{Report, VERSION};
use crate::run::ShardOf;
use quick_junit::{Property, TestCase, TestSuite};
use std::collections::BTreeMap;
use thiserror::Error;

/// Why shards cannot be put together.
#[derive(Debug, Error)]
pub enum MergeError {
    /// a file is no report of the kind
    #[error("{file}: {problem}")]
    Unreadable {
        /// the file
        file: String,
        /// why
        problem: String,
    },
    /// a file does not say which shard it is
    #[error("{0}: this is the report of a whole run, not of a shard; `vmyna run --shard I/N` makes shards")]
    NoShard(String),
    /// a file is another program's
    #[error("{0}: this is no report of vmyna run")]
    Foreign(String),
    /// two files do not belong together
    #[error("{first} and {second} do not belong together: {problem}")]
    Different {
        /// one
        first: String,
        /// the other
        second: String,
        /// why
        problem: String,
    },
    /// some are not there
    #[error("shards are missing: {missing} of {of}; each is made with `vmyna run --shard I/{of}`")]
    Missing {
        /// which
        missing: String,
        /// of how many
        of: u32,
    },
    /// scenarios are missing from the shards that are there
    #[error("the shards hold {came} scenarios, and the suite has {expected}: one of them is not whole")]
    NotWhole {
        /// how many are there
        came: usize,
        /// how many there should be
        expected: usize,
    },
}

/// Puts the JSON reports of all shards together; `shards` are the names of their files and what is
/// in them.
///
/// # Errors
/// [`MergeError`].
pub fn merge_json(shards: &[(String, Vec<u8>)]) -> Result<Report, MergeError> {
    let mut reports = Vec::new();
    for (file, bytes) in shards {
        let unreadable = |problem: String| MergeError::Unreadable { file: file.clone(), problem };
        let report: Report = serde_json::from_slice(bytes)
            .map_err(|error| unreadable(format!("this is no JSON report of vmyna run: {error}")))?;
        if report.version != VERSION {
            let problem = format!("version {} of the report; {VERSION} is known here", report.version);
            return Err(unreadable(problem));
        }
        reports.push((file.clone(), report));
    }
    let parts: Vec<Part<'_>> = reports
        .iter()
        .map(|(file, report)| Part {
            file,
            shard: report.shard.clone(),
            tool: format!("{} {}", report.tool.name, report.tool.version),
            seat: kind_of_seat(&report.seat),
            ids: report.scenarios.iter().map(|case| case.id.clone()).collect(),
        })
        .collect();
    check(&parts)?;
    let mut reports = reports.into_iter().map(|(_, report)| report);
    let Some(mut whole) = reports.next() else {
        return Err(MergeError::Missing { missing: "all".to_owned(), of: 0 });
    };
    whole.shard = None;
    for report in reports {
        whole.started = whole.started.min(report.started);
        whole.took_us += report.took_us;
        whole.stopped = whole.stopped.or(report.stopped);
        whole.summary.passed += report.summary.passed;
        whole.summary.failed += report.summary.failed;
        whole.summary.skipped += report.summary.skipped;
        whole.summary.not_run += report.summary.not_run;
        whole.better.extend(report.better);
        whole.scenarios.extend(report.scenarios);
        whole.cards.extend(report.cards);
        whole.notes.extend(report.notes);
    }
    let mut seen = Vec::new();
    whole.cards.retain(|card| {
        !seen.contains(card) && {
            seen.push(card.clone());
            true
        }
    });
    let mut seen = Vec::new();
    whole.notes.retain(|note| {
        !seen.contains(note) && {
            seen.push(note.clone());
            true
        }
    });
    whole.scenarios.sort_by(|a, b| a.id.cmp(&b.id));
    whole.latency = latencies(whole.exchanges());
    weigh_requirements(&mut whole.requirements, &whole.scenarios);
    Ok(whole)
}

/// Puts the JUnit reports of all shards together.
///
/// # Errors
/// [`MergeError`].
pub fn merge_junit(shards: &[(String, Vec<u8>)]) -> Result<quick_junit::Report, MergeError> {
    let mut reports = Vec::new();
    for (file, bytes) in shards {
        let report = quick_junit::Report::deserialize(&bytes[..]).map_err(|error| {
            let problem = format!("this is no JUnit report: {error}");
            MergeError::Unreadable { file: file.clone(), problem }
        })?;
        reports.push((file.clone(), report));
    }
    let parts: Vec<Part<'_>> = reports.iter().map(|(file, report)| Part::of_junit(file, report)).collect();
    check(&parts)?;
    let mut whole = quick_junit::Report::new("vmyna");
    let mut suite = TestSuite::new("vmyna");
    let mut cases: Vec<TestCase> = Vec::new();
    let suites = || reports.iter().flat_map(|(_, report)| &report.test_suites);
    for part in suites() {
        cases.extend(part.test_cases.iter().cloned());
    }
    cases.sort_by(|a, b| a.name.as_str().cmp(b.name.as_str()));
    let time = suites().filter_map(|suite| suite.time).sum();
    suite.set_time(time);
    whole.set_time(time);
    if let Some(first) = suites().next() {
        let of_shard = |property: &&Property| property.name.as_str().starts_with("shard");
        suite.add_properties(first.properties.iter().filter(|it| !of_shard(it)).cloned());
        suite.extra.extend(first.extra.iter().map(|(name, value)| (name.clone(), value.clone())));
    }
    suite.add_test_cases(cases);
    whole.add_test_suite(suite);
    Ok(whole)
}

/// What matters of a shard when it is put together with others.
struct Part<'a> {
    file: &'a str,
    shard: Option<ShardOf>,
    tool: String,
    seat: String,
    ids: Vec<String>,
}

impl<'a> Part<'a> {
    fn of_junit(file: &'a str, report: &quick_junit::Report) -> Self {
        let suites = &report.test_suites;
        let property = |name: &str| {
            let all = suites.iter().flat_map(|suite| &suite.properties);
            all.into_iter().find(|it| it.name.as_str() == name).map(|it| it.value.as_str().to_owned())
        };
        let shard = property("shard").and_then(|shard| {
            let (index, of) = shard.split_once('/')?;
            Some(ShardOf {
                index: index.parse().ok()?,
                of: of.parse().ok()?,
                scenarios: property("shard.scenarios")?.parse().ok()?,
                suite: property("shard.suite")?,
            })
        });
        let text = |name: &str| property(name).unwrap_or_default();
        let cases = suites.iter().flat_map(|suite| &suite.test_cases);
        Self {
            file,
            shard,
            tool: format!("{} {}", text("tool"), text("tool.version")),
            seat: kind_of_seat(&text("seat")),
            ids: cases.map(|case| case.name.as_str().to_owned()).collect(),
        }
    }
}

/// Ports and hosts may differ from machine to machine.
fn kind_of_seat(seat: &str) -> String {
    seat.split(':').next().unwrap_or_default().to_owned()
}

fn check(parts: &[Part<'_>]) -> Result<(), MergeError> {
    let mut by_index: BTreeMap<u32, &Part<'_>> = BTreeMap::new();
    let mut home: BTreeMap<&str, &Part<'_>> = BTreeMap::new();
    let mut first: Option<(&Part<'_>, &ShardOf)> = None;
    for part in parts {
        if !part.tool.starts_with("vmyna ") {
            return Err(MergeError::Foreign(part.file.to_owned()));
        }
        let shard = part.shard.as_ref().ok_or_else(|| MergeError::NoShard(part.file.to_owned()))?;
        let (other, of_other) = *first.get_or_insert((part, shard));
        let different = |other: &Part<'_>, problem: String| {
            Err(MergeError::Different { first: other.file.to_owned(), second: part.file.to_owned(), problem })
        };
        if shard.of != of_other.of {
            let problem = format!("one is of {} shards, the other of {}", of_other.of, shard.of);
            return different(other, problem);
        }
        if shard.suite != of_other.suite {
            let problem = "they are of different suites; the paths and --tag must be the same for all shards";
            return different(other, problem.to_owned());
        }
        for (one, another) in [(&other.tool, &part.tool), (&other.seat, &part.seat)] {
            if one != another {
                return different(other, format!("one was made with {one}, the other with {another}"));
            }
        }
        if let Some(other) = by_index.insert(shard.index, part) {
            return different(other, format!("both are shard {}/{}", shard.index, shard.of));
        }
        for id in &part.ids {
            if let Some(other) = home.insert(id, part) {
                return different(other, format!("both hold the scenario {id}"));
            }
        }
    }
    let Some((_, shard)) = first else { return Ok(()) };
    let missing: Vec<String> =
        (1..=shard.of).filter(|index| !by_index.contains_key(index)).map(|index| index.to_string()).collect();
    if !missing.is_empty() {
        return Err(MergeError::Missing { missing: missing.join(", "), of: shard.of });
    }
    if home.len() < shard.scenarios {
        return Err(MergeError::NotWhole { came: home.len(), expected: shard.scenarios });
    }
    Ok(())
}
