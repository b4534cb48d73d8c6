//! The portable vectors in `vectors/apdu`: they are what the program writes now, they keep their
//! schema, and a replayer that knows nothing of this program agrees with them.

mod process;

use process::{Folder, assert_no_pin_in, run, vmyna};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

fn committed() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../vectors/apdu")
}

fn files(folder: &Path) -> BTreeMap<String, String> {
    let entries = fs::read_dir(folder).expect("the folder is there");
    let json = entries
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"));
    json.map(|path| {
        let name = path.file_name().expect("a file").to_string_lossy().into_owned();
        (name, fs::read_to_string(&path).expect("the file can be read"))
    })
    .collect()
}

#[test]
fn the_vectors_are_current() {
    let folder = Folder::new();
    let ended = run(&mut folder.vmyna(["vectors", "--out", "made"]));
    assert_eq!(ended.code, Some(0), "{}", ended.all());
    assert_eq!(ended.stdout, "");
    let (made, here) = (files(&folder.path().join("made")), files(&committed()));
    let names = |files: &BTreeMap<String, String>| files.keys().cloned().collect::<Vec<_>>();
    let stale: Vec<_> =
        made.iter().filter(|(name, text)| here.get(*name) != Some(text)).map(|(name, _)| name).collect();
    assert!(
        stale.is_empty() && names(&made) == names(&here),
        "vectors/apdu is not what the scenarios say now: {stale:?}\nWrite it anew, and look at what changes: cargo run -- vectors"
    );
}

#[test]
fn every_file_fits_the_schema_beside_it() {
    let files = files(&committed());
    let json = |text: &str| -> serde_json::Value { serde_json::from_str(text).expect("JSON") };
    let schema = jsonschema::validator_for(&json(&files["schema.json"])).expect("it is a schema");
    for (name, text) in files.iter().filter(|(name, _)| *name != "schema.json") {
        let file = json(text);
        if let Some(error) = schema.iter_errors(&file).next() {
            panic!("{name}: {error} at {}", error.instance_path());
        }
        for flaw in ["numberOfTests", "blobs", "tests"] {
            let mut flawed = file.clone();
            flawed[flaw] = "other".into();
            assert!(!schema.is_valid(&flawed), "{name} with another {flaw}");
        }
    }
}

#[test]
fn what_is_left_over_from_an_older_version_goes_and_everything_else_stays() {
    let folder = Folder::new();
    folder.write("out/old-group.json", "{\n\"$schema\": \"schema.json\",\n\"group\": \"old-group\"}\n");
    folder.write("out/mine.json", "{}");
    folder.write("out/notes.txt", "notes");
    let ended = run(&mut folder.vmyna(["vectors", "--out", "out"]));
    assert_eq!(ended.code, Some(0), "{}", ended.all());
    let there = |name: &str| folder.path().join("out").join(name).exists();
    assert!(there("mine.json") && there("notes.txt") && there("schema.json") && !there("old-group.json"));
}

#[test]
fn a_folder_that_cannot_be_written_is_named() {
    let folder = Folder::new();
    folder.write("taken", "a file");
    let told = folder.refusal(["vectors", "--out", "taken/vectors"]);
    assert!(told.contains("taken/vectors: cannot be written") && told.ends_with("exit code 2"), "{told}");
}

#[test]
fn the_vectors_stay_small_and_hold_each_long_answer_once() {
    let files = files(&committed());
    let size: usize = files.values().map(String::len).sum();
    assert!(size < 5_000_000, "{size} bytes");
    for (name, text) in files.iter().filter(|(name, _)| *name != "schema.json") {
        let file: serde_json::Value = serde_json::from_str(text).expect("JSON");
        let blobs: Vec<&str> =
            file["blobs"].as_object().expect("blobs").values().filter_map(|blob| blob.as_str()).collect();
        for (index, blob) in blobs.iter().enumerate() {
            let within = blobs
                .iter()
                .enumerate()
                .filter(|(other, _)| *other != index)
                .any(|(_, other)| other.contains(blob));
            assert!(!within, "{name}: {blob}");
        }
    }
}

#[test]
fn a_replayer_by_other_hands_agrees() {
    let python = Command::new("python3").arg("--version").stdout(Stdio::null()).status();
    assert!(
        python.is_ok_and(|status| status.success()),
        "python3 IS MISSING, and without it nobody else replays the vectors. Install python3."
    );
    let mut command = Command::new("python3");
    command
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/peers/replay_vectors.py"))
        .arg(committed());
    command.arg(env!("CARGO_BIN_EXE_vmyna"));
    command.args([
        "serve",
        "--listen",
        "127.0.0.1:0",
        "--holder",
        "{holder}",
        "--profile",
        "{profile}",
        "--clock",
        "{clock}",
    ]);
    let ended = run(command.stdin(Stdio::null()));
    assert_eq!(ended.code, Some(0), "{}", ended.all());
    let total: usize = files(&committed())
        .values()
        .filter_map(|text| serde_json::from_str::<serde_json::Value>(text).ok()?["numberOfTests"].as_u64())
        .sum::<u64>() as usize;
    assert_eq!(ended.closing_line(), format!("{total} passed, 0 failed"));
    // A changed byte is noticed: the replayer does look.
    let folder = Folder::new();
    let text = &files(&committed())["jpki-challenge.json"];
    folder.write(
        "changed/jpki-challenge.json",
        text.replacen("\"response\":\"9000\"", "\"response\":\"6a82\"", 1),
    );
    let mut command = Command::new("python3");
    command
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/peers/replay_vectors.py"))
        .arg(folder.path().join("changed"));
    command.arg(env!("CARGO_BIN_EXE_vmyna"));
    command.args(["serve", "--listen", "127.0.0.1:0", "--holder", "{holder}", "--clock", "{clock}"]);
    let ended = run(command.stdin(Stdio::null()));
    assert!(ended.code == Some(1) && ended.closing_line().ends_with("1 failed"), "{}", ended.all());
}

#[test]
fn the_clock_of_a_served_card_is_the_one_it_is_told() {
    let refused = run(&mut vmyna(["serve", "--listen", "127.0.0.1:0", "--clock", "yesterday"]));
    assert_eq!(refused.code, Some(2), "{}", refused.all());
    assert_no_pin_in(&refused.all(), &["ABC123"]);
}
