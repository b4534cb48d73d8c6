//! What the documentation shows is what there is: manifests parse, the schema of reports is the
//! program's, and a real report is valid by it.

mod process;

use process::{Folder, Running, run, vmyna};
use serde_json::Value;
use std::path::{Path, PathBuf};
use vmyna::report::Report;
use vmyna::requirement::Requirements;
use vmyna::scenario;
use vmyna_sim::document;

fn of_the_project(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

#[test]
fn every_manifest_in_the_documentation_parses() {
    let text = std::fs::read_to_string(of_the_project("docs/ci.md")).expect("it is there");
    let blocks = text.split("```yaml\n").skip(1).filter_map(|rest| rest.split("\n```").next());
    let blocks: Vec<Value> = blocks
        .map(|block| document::parse("docs/ci.md", block).unwrap_or_else(|error| panic!("{error}")))
        .collect();
    let matrix = blocks.iter().find(|block| block["name"] == "conformance").expect("the matrix is shown");
    let shards = matrix["jobs"]["shard"]["strategy"]["matrix"]["shard"].as_array().expect("a list");
    assert_eq!(shards.len(), 4);
    let job = blocks.iter().find(|block| block["kind"] == "Job").expect("the job is shown");
    assert_eq!(job["spec"]["completionMode"], "Indexed");
    assert_eq!(job["spec"]["completions"], 4);
    let command = job["spec"]["template"]["spec"]["containers"][0]["args"][0].to_string();
    assert!(command.contains("--shard $((JOB_COMPLETION_INDEX + 1))/4"), "{command}");
}

/// Every `vmyna COMMAND …` in the text: the words of the command, and the options behind it.
fn commands_in(text: &str) -> Vec<(Vec<String>, Vec<String>)> {
    let text = text.replace("\\\n", " ");
    let is_name = |word: &&str| word.chars().all(|letter| letter.is_ascii_lowercase());
    let lines = text.lines().filter_map(|line| line.split_once("vmyna ").map(|(_, rest)| rest));
    let lines = lines.map(|line| line.split([';', '|', '&', '`']).next().unwrap_or_default());
    let of_line = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let end = words.iter().position(|word| word.starts_with('#')).unwrap_or(words.len());
        let named = words[..end].iter().take_while(|word| is_name(word)).take(2);
        let options = words[..end].iter().filter(|word| word.starts_with("--"));
        let option =
            |word: &&str| word.split(['=', ']', ',', '"', '\'']).next().unwrap_or_default().to_owned();
        (named.map(|word| (*word).to_owned()).collect(), options.map(option).collect())
    };
    lines.map(of_line).filter(|(named, _): &(Vec<String>, Vec<String>)| !named.is_empty()).collect()
}

#[test]
fn every_option_in_the_documentation_exists() {
    let mut checked = 0;
    for file in ["ci.md", "vendors.md", "faults.md", "scenarios.md"] {
        let text = std::fs::read_to_string(of_the_project("docs").join(file)).expect("it is there");
        for (named, options) in commands_in(&text).into_iter().filter(|(_, options)| !options.is_empty()) {
            let help = |words: &[String]| run(vmyna(words).arg("--help"));
            let whole = help(&named);
            let told = if whole.code == Some(0) { whole } else { help(&named[..1]) };
            assert_eq!(told.code, Some(0), "{file}: there is no {named:?}");
            for option in options {
                assert!(told.stdout.contains(&option), "{file}: {named:?} has no {option}");
                checked += 1;
            }
        }
    }
    assert!(checked > 40, "only {checked} options");
}

#[test]
fn what_flows_must_be_tried_with_is_claimed_by_scenarios_that_there_are() {
    let text = std::fs::read_to_string(of_the_project("docs/flows.md")).expect("it is there");
    let section =
        text.split("\n## ").find(|section| section.starts_with("What is covered")).expect("a section");
    let ids: Vec<String> =
        scenario::built_in(&Requirements::built_in()).into_iter().map(|scenario| scenario.id).collect();
    let is_there = |name: &str| {
        let rest = ids.iter().filter_map(|id| id.strip_prefix(name));
        rest.into_iter().any(|rest| rest.is_empty() || rest.starts_with('['))
    };
    let rows = section.lines().filter_map(|line| line.strip_prefix("| "));
    let rows: Vec<Vec<&str>> = rows.map(|row| row.split('|').map(str::trim).collect()).collect();
    let mut claimed = Vec::new();
    for row in rows.iter().filter(|row| row.iter().any(|cell| cell.contains('`'))) {
        let place = row.iter().rev().find(|cell| cell.contains('`')).expect("just seen");
        for name in place.split('`').skip(1).step_by(2) {
            assert!(is_there(name), "{}: there is no scenario {name}", row[0]);
        }
        claimed.push(row[0]);
    }
    let numbers: Vec<u32> = claimed.iter().filter_map(|first| first.parse().ok()).collect();
    assert_eq!(numbers, (1..=17).collect::<Vec<_>>());
    assert_eq!(claimed.len() - numbers.len(), 9, "each line of the guide's own list");
}

#[test]
fn the_schema_of_reports_is_current_and_a_real_report_is_valid_by_it() {
    let committed = std::fs::read_to_string(of_the_project("vectors/report.schema.json")).unwrap_or_default();
    assert!(
        committed == Report::schema(),
        "write it anew: cargo run -- report schema > vectors/report.schema.json"
    );
    let schema: Value = serde_json::from_str(&committed).expect("it is JSON");
    let valid = jsonschema::validator_for(&schema).expect("it is a schema");
    let folder = Folder::new();
    let ended = run(&mut folder.vmyna(["run", "--tag", "pin", "--report", "json=r.json"]));
    assert_eq!(ended.code, Some(0), "{}", ended.all());
    let mut report: Value =
        serde_json::from_slice(&std::fs::read(folder.path().join("r.json")).expect("it is there"))
            .expect("JSON");
    if let Some(error) = valid.iter_errors(&report).next() {
        panic!("{error} at {}", error.instance_path());
    }
    report["summary"]["passed"] = Value::from("many");
    assert!(!valid.is_valid(&report), "the schema refuses nothing");
}

#[test]
fn what_is_expected_to_fail_does() {
    let file = of_the_project("vectors/expected/juki-card.yaml");
    let mut served =
        Running::start(&mut vmyna(["serve", "--profile", "juki-card", "--listen", "127.0.0.1:0"]));
    let seat = format!("vicc:127.0.0.1:{}", served.tells_port("listening for a reader on"));
    let run_with = |more: &[&str]| {
        let arguments = ["run", "--card", &seat, "--tag", "token"];
        run(vmyna(arguments.iter().chain(more)).arg("--expected").arg(&file))
    };
    let known = run_with(&[]);
    assert_eq!(known.code, Some(0), "{}", known.all());
    assert!(known.stdout.contains("this failure is expected"), "{}", known.all());
    let told = run_with(&["--lang", "ja"]);
    assert!(told.stdout.contains("このカードのトークン情報は"), "{}", told.all());
}
