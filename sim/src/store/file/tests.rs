use super::*;

use crate::profile::Profile;

fn full() -> Tries {
    Profile::card().tries
}

fn fresh() -> PinStates {
    PinStates::new(|pin| PinState { tries_left: full().of(pin), changed_value: None })
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

#[test]
fn what_was_saved_is_there_again() {
    let folder = folder();
    let path = folder.path().join("hanako.json");
    let (mut store, mut state) = FileStore::open(&path, "hanako", full(), fresh()).unwrap();
    state.get_mut(PinName::UserAuthentication).tries_left = 1;
    state.get_mut(PinName::DigitalSignature).changed_value = Some(PinValue::new("NEW123"));
    store.save(&state).unwrap();
    drop(store);
    let (_store, again) = FileStore::open(&path, "hanako", full(), fresh()).unwrap();
    assert_eq!(again, state);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing else lies there");
}

#[test]
fn two_cards_cannot_share_a_file_even_after_it_was_replaced() {
    let folder = folder();
    let path = folder.path().join("hanako.json");
    let (mut store, state) = FileStore::open(&path, "hanako", full(), fresh()).unwrap();
    store.save(&state).unwrap();
    let error = FileStore::open(&path, "hanako", full(), fresh()).unwrap_err();
    assert!(matches!(error, StateFileError::InUse { .. }), "{error}");
}

#[test]
fn files_that_cannot_be_used_are_left_as_they_are() {
    let folder = folder();
    let path = folder.path().join("hanako.json");
    for (text, expected) in [
        ("{\"vmyna_state\": 1, \"hol", "hanako.json:1:23: this is no complete state file"),
        ("", "hanako.json:1:1: this is no complete state file"),
        ("{\"vmyna_state\": 7}", "has version 7"),
        ("{\"vmyna_state\": 1, \"holder\": \"taro\", \"pins\": {}}", "card of \"taro\""),
        ("{\"vmyna_state\": 1, \"holder\": \"hanako\", \"pins\": {\"puk\": {}}}", "unknown variant `puk`"),
        ("{\"vmyna_state\": 1, \"holder\": \"hanako\", \"pins\": {}}", "the counter of user_authentication"),
        ("{\"vmyna_state\": 0}", "hanako.json:1:2: this is no complete state file: there never was"),
        (
            "{\"vmyna_state\": 1, \"holder\": \"hanako\", \"pins\": {\n\"user_authentication\": \
             {\"tries_left\": 3},\n\"digital_signature\": {\"tries_left\": 6}}}",
            "hanako.json:3:1: this is no complete state file: digital_signature has 6 tries left of 5",
        ),
        (
            "{\"vmyna_state\": 1, \"holder\": \"hanako\", \"pins\": {\"user_authentication\": \
             {\"tries_left\": 3, \"changed_value\": 98765}}}",
            "complete state file: expected a string.",
        ),
    ] {
        std::fs::write(&path, text).unwrap();
        let error = FileStore::open(&path, "hanako", full(), fresh()).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
    }
}

#[test]
fn pins_that_an_older_file_does_not_tell_are_full() {
    let folder = folder();
    let path = folder.path().join("hanako.json");
    let older = "{\"vmyna_state\": 1, \"holder\": \"hanako\", \"pins\": \
                 {\"user_authentication\": {\"tries_left\": 1}, \"digital_signature\": {\"tries_left\": 5}}}";
    std::fs::write(&path, older).unwrap();
    let (_store, states) = FileStore::open(&path, "hanako", full(), fresh()).unwrap();
    assert_eq!(states.get(PinName::UserAuthentication).tries_left, 1);
    assert_eq!(states.get(PinName::TextInput), fresh().get(PinName::TextInput));
}

#[test]
fn a_folder_that_does_not_exist_is_told_at_once() {
    let error =
        FileStore::open(Path::new("/no/such/folder/state.json"), "hanako", full(), fresh()).unwrap_err();
    assert!(
        error.to_string().starts_with("/no/such/folder/state.json: the folder /no/such/folder cannot"),
        "{error}"
    );
}

#[test]
fn a_card_that_was_handed_over_blocked_and_unblocked_since_stays_unblocked() {
    let folder = folder();
    let path = folder.path().join("blocked.json");
    let blocked = PinStates::new(|_| PinState { tries_left: 0, changed_value: None });
    let (mut store, mut state) = FileStore::open(&path, "blocked", full(), blocked.clone()).unwrap();
    state.get_mut(PinName::UserAuthentication).tries_left = 3;
    store.save(&state).unwrap();
    drop(store);
    let (_store, again) = FileStore::open(&path, "blocked", full(), blocked).unwrap();
    assert_eq!(again, state);
}

/// What a process leaves behind that is killed while it replaces the file: any part of the new text
/// beside the old, under the name of a replacement.
#[test]
fn a_replacement_that_was_never_finished_changes_nothing_and_is_removed() {
    let folder = folder();
    let path = folder.path().join("hanako.json");
    let (mut store, mut state) = FileStore::open(&path, "hanako", full(), fresh()).unwrap();
    state.get_mut(PinName::UserAuthentication).tries_left = 1;
    store.save(&state).unwrap();
    drop(store);
    let text = std::fs::read(&path).unwrap();
    for written in (0..=text.len()).step_by(97).chain([text.len()]) {
        let unfinished = folder.path().join(".hanako.json.Ab12Cd.new");
        std::fs::write(&unfinished, &text[..written]).unwrap();
        let (store, found) = FileStore::open(&path, "hanako", full(), fresh()).unwrap();
        assert_eq!(found, state);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "after {written} bytes");
        drop(store);
    }
    // The same at the very first start, when there is nothing old.
    let unfinished = folder.path().join(".taro.json.Ab12Cd.new");
    std::fs::write(&unfinished, &text[..text.len() / 2]).unwrap();
    let (_store, found) = FileStore::open(&folder.path().join("taro.json"), "taro", full(), fresh()).unwrap();
    assert_eq!(found, fresh());
    assert!(!unfinished.exists());
}

#[test]
fn only_what_is_certainly_ours_and_unfinished_is_removed() {
    let folder = folder();
    let path = folder.path().join("hanako.json");
    let others = [".hanako.json.new~", "hanako.json.old", ".taro.json.Ab12Cd.new", "hanako.json.new"];
    for other in others {
        std::fs::write(folder.path().join(other), "mine").unwrap();
    }
    let being_written = folder.path().join(".hanako.json.Zz.new");
    let held = File::create(&being_written).unwrap();
    held.try_lock().unwrap();
    let _store = FileStore::open(&path, "hanako", full(), fresh()).unwrap();
    assert!(others.iter().all(|other| folder.path().join(other).exists()));
    assert!(being_written.exists());
}

/// The files that earlier versions wrote, one for each form that there ever was. They load for ever.
#[test]
fn every_state_file_that_was_ever_written_loads() {
    let folder = folder();
    for (name, authentication, signature, changed) in [
        ("1-jpki-only", 2, 4, true), // before the other applications were there
        ("1-all-pins", 1, 0, true),
    ] {
        let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/state_files");
        let path = folder.path().join("state.json");
        std::fs::copy(fixtures.join(format!("{name}.json")), &path).unwrap();
        let (mut store, state) = FileStore::open(&path, "hanako", full(), fresh()).unwrap();
        assert_eq!(state.get(PinName::UserAuthentication).tries_left, authentication, "{name}");
        assert_eq!(state.get(PinName::DigitalSignature).tries_left, signature, "{name}");
        assert_eq!(state.get(PinName::UserAuthentication).changed_value.is_some(), changed, "{name}");
        // What is written next is of today, and says the same.
        store.save(&state).unwrap();
        drop(store);
        let (_store, again) = FileStore::open(&path, "hanako", full(), fresh()).unwrap();
        assert_eq!(again, state, "{name}");
    }
}
