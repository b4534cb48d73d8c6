//! What is said of a broken file, a scenario's, a holder's or a card's state: where it breaks, what would be
//! right, and that nothing on disk has changed.

use crate::process::{Folder, assert_no_pin_in, run};
use crate::{RIGHT, scenario};

/// The message about a scenario file with these contents.
fn scenario_refusal(text: &str) -> String {
    let folder = Folder::new();
    folder.write("mine.yaml", text);
    folder.refusal(["run", "mine.yaml"])
}

/// The message about a holder file with these contents; both seats of a holder say the same.
fn holder_refusal(text: &str) -> String {
    let folder = Folder::new();
    folder.write("taro.yaml", text);
    let served = folder.refusal(["serve", "--holder", "taro.yaml", "--state", "taro.json"]);
    assert_eq!(folder.refusal(["run", "--holder", "taro.yaml"]), served);
    served
}

/// The message about a state file with these contents.
fn state_refusal(text: &str) -> String {
    let folder = Folder::new();
    folder.write("hanako.json", text);
    folder.refusal(["serve", "--state", "hanako.json"])
}

#[test]
fn a_scenario_that_is_no_yaml_is_shown_where_it_breaks() {
    insta::assert_snapshot!(scenario_refusal("id: a.b\ntitle: {ja: あ, en: a\ncovers: [PIN-01]\n"), @"
    error: mine.yaml:3:7: while parsing a flow mapping, did not find expected ',' or '}'
       |
     3 | covers: [PIN-01]
       |       ^
    exit code 2
    ");
    insta::assert_snapshot!(scenario_refusal(""), @"
    error: mine.yaml:1:1: this file is empty
       |
     1 | 
       | ^
    exit code 2
    ");
    insta::assert_snapshot!(scenario_refusal("- a\n- b\n"), @"
    error: mine.yaml:1:1: a list stands here; expected a map with id, parameters, title, covers, tags, holder, profile, given, platform, clock, portal, setup, steps, cleanup
       |
     1 | - a
       | ^
    exit code 2
    ");
}

#[test]
fn an_unknown_key_is_shown_with_those_that_there_are() {
    insta::assert_snapshot!(scenario_refusal(&scenario("a.b", "  - selec: jpki\n")), @"
    error: mine.yaml:6:5: unknown field `selec`, expected one of power, atr, select, tries_left, verify, change_pin, read_binary, read_file, read_record, get_data, certificate, sign, authenticate, secure_session, secure, challenge, transmit, open, press, tick, enter, hold, lift, present, wait, browser, terminal, callback, operator, see, stored, card, covers, why, precondition, capture, retry, fault
       |
     6 |   - selec: jpki
       |     ^
    exit code 2
    ");
    insta::assert_snapshot!(scenario_refusal(&format!("titel: a\n{}", scenario("a.b", RIGHT))), @"
    error: mine.yaml:1:1: unknown field `titel`, expected one of id, parameters, title, covers, tags, holder, profile, given, platform, clock, portal, setup, steps, cleanup
       |
     1 | titel: a
       | ^
    exit code 2
    ");
    insta::assert_snapshot!(
        scenario_refusal(&scenario("a.b", "  - verify: {pin: user_authentication, valu: right}\n")),
        @"
    error: mine.yaml:6:40: unknown field `valu`, expected one of pin, value, by, expect
       |
     6 |   - verify: {pin: user_authentication, valu: right}
       |                                        ^
    exit code 2
    "
    );
}

#[test]
fn a_duplicate_key_is_shown_where_it_stands_again() {
    insta::assert_snapshot!(scenario_refusal(&format!("id: a.c\n{}", scenario("a.b", RIGHT))), @"
    error: mine.yaml:2:1: duplicate mapping key: id
       |
     2 | id: a.b
       | ^
    exit code 2
    ");
    insta::assert_snapshot!(scenario_refusal(&scenario("a.b", "  - select: jpki\n    why: a\n    why: b\n")), @"
    error: mine.yaml:8:5: duplicate mapping key: why
       |
     8 |     why: b
       |     ^
    exit code 2
    ");
}

#[test]
fn a_bad_hex_string_is_shown_where_it_stands() {
    insta::assert_snapshot!(scenario_refusal(&scenario("a.b", "  - transmit: {apdu: \"00 A4 0\"}\n")), @r#"
    error: mine.yaml:6:22: 5 hexadecimal digits do not make whole bytes
       |
     6 |   - transmit: {apdu: "00 A4 0"}
       |                      ^
    exit code 2
    "#);
    insta::assert_snapshot!(scenario_refusal(&scenario("a.b", "  - transmit: {apdu: \"00 A4 0G 00\"}\n")), @r#"
    error: mine.yaml:6:22: 'G' is no hexadecimal digit
       |
     6 |   - transmit: {apdu: "00 A4 0G 00"}
       |                      ^
    exit code 2
    "#);
    insta::assert_snapshot!(
        scenario_refusal(&scenario("a.b", "  - transmit: {apdu: 00 A4 04 00, expect: {sw: \"90000\"}}\n")),
        @r#"
        error: mine.yaml:6:48: a status is four hex digits such as "6A82", `?` for any digit, or a name such as file_not_found, not "90000"
           |
         6 |   - transmit: {apdu: 00 A4 04 00, expect: {sw: "90000"}}
           |                                                ^
        exit code 2
        "#
    );
}

#[test]
fn a_requirement_or_a_holder_that_does_not_exist_is_shown_where_it_stands() {
    insta::assert_snapshot!(scenario_refusal(&scenario("a.b", RIGHT).replace("PIN-01", "PIN-1")), @"
    error: mine.yaml:3:10: there is no requirement PIN-1; there are PIN-01, PIN-02, PIN-03, PIN-04, PIN-05, PIN-06, PIN-07, PIN-08, PIN-09, PIN-10, PIN-11, PIN-12, PIN-13, PIN-14, PIN-15, PIN-16, PIN-17, PIN-18, PIN-19, PIN-20, PIN-21, PIN-22, PIN-23, PIN-24, PIN-25, PIN-26, PIN-27
       |
     3 | covers: [PIN-1]
       |          ^
    exit code 2
    ");
    insta::assert_snapshot!(scenario_refusal(&format!("holder: jiro\n{}", scenario("a.b", RIGHT))), @r#"
    error: mine.yaml:1:9: there is no built-in holder "jiro"; built in are: abroad, blocked, child, expired, face-authentication, generation-current, generation-oldest, generation-previous, hanako, last-try, moved, not-yet-valid, on-hold, renewed, revoked, substituted, taro. --holder FILE takes another for all scenarios
    exit code 2
    "#);
}

#[test]
fn an_id_that_two_files_share_is_shown_in_both() {
    let folder = Folder::new();
    folder.write("mine/one.yaml", scenario("a.b", RIGHT));
    folder.write("mine/two.yaml", scenario("a.b", RIGHT));
    insta::assert_snapshot!(folder.refusal(["run", "mine"]), @"
    error: mine/two.yaml:1:5: the id a.b is taken already, at mine/one.yaml:1:5; each needs its own
       |
     1 | id: a.b
       |     ^
    exit code 2
    ");
}

#[test]
fn a_file_that_is_named_twice_runs_once() {
    let folder = Folder::new();
    folder.write("mine/one.yaml", scenario("a.b", RIGHT));
    let ended = run(&mut folder.vmyna(["run", "mine", "mine/one.yaml", "./mine/one.yaml"]));
    assert_eq!((ended.code, ended.closing_line()), (Some(0), "1 passed, 0 failed, 0 skipped"));
}

#[test]
fn paths_without_scenarios_are_named() {
    let folder = Folder::new();
    folder.write("empty/notes.txt", "nothing here");
    folder.write("binary.yaml", [0xFF, 0xFE, 0x00]);
    insta::assert_snapshot!(folder.refusal(["run", "missing.yaml"]), @"
    error: missing.yaml: cannot be read: No such file or directory (os error 2)
    exit code 2
    ");
    insta::assert_snapshot!(folder.refusal(["run", "empty"]), @"
    error: empty: there is no scenario here, nor in the folders below: no file ends in .yaml
    exit code 2
    ");
    insta::assert_snapshot!(folder.refusal(["run", "binary.yaml"]), @"
    error: binary.yaml: cannot be read: it is not UTF-8 text: line 1 has a byte that cannot stand there
    exit code 2
    ");
}

#[test]
fn a_my_number_with_a_wrong_check_digit_is_refused() {
    let person = "person: {name: 試験　太郎, birth: 2001-02-03, my_number: \"123456789012\"}\n";
    insta::assert_snapshot!(holder_refusal(person), @r#"
    error: taro.yaml:1:53: the check digit of a My Number that begins so is 8, not 2
       |
     1 | person: {name: ＊＊　＊＊, birth: ****-**-**, my_number: "************"}
       |                　　　　　                                ^
    exit code 2
    "#);
}

#[test]
fn a_broken_holder_file_is_shown_without_its_pins() {
    let person = "person: {name: 試験　太郎, birth: 2001-02-03}\n";
    let pins = ["98765", "S3CRET98765"];
    for broken in [
        "pins: {user_authentication: \"98765\"}\n",
        "pins: {digital_signature: \"S3CRET98765!\"}\n",
        "pins: {user_authentication: \"98765\", user_authentication: \"98765\"}\n",
        "pins: {user_authentikation: \"98765\"}\n",
        "pins: {user_authentication: \"98765\n",
    ] {
        let told = holder_refusal(&format!("{person}{broken}"));
        assert!(told.starts_with("error: taro.yaml:") && told.ends_with("exit code 2"), "{told}");
        assert_no_pin_in(&told, &pins);
    }
    insta::assert_snapshot!(holder_refusal(&format!("{person}pins: {{user_authentication: \"98765\"}}\n")), @r#"
    error: taro.yaml:2:29: this PIN has 4 digits (0 to 9)
       |
     2 | pins: {user_authentication: "*****"}
       |                             ^
    exit code 2
    "#);
}

#[test]
fn a_holder_or_a_profile_that_does_not_exist_is_told_with_those_that_do() {
    let folder = Folder::new();
    insta::assert_snapshot!(folder.refusal(["run", "--holder", "jiro"]), @r#"
    error: there is no built-in holder "jiro" and no such file; built in are: abroad, blocked, child, expired, face-authentication, generation-current, generation-oldest, generation-previous, hanako, last-try, moved, not-yet-valid, on-hold, renewed, revoked, substituted, taro
    exit code 2
    "#);
    insta::assert_snapshot!(folder.refusal(["serve", "--holder", "jiro.yaml"]), @"
    error: jiro.yaml: cannot be read: No such file or directory (os error 2)
    exit code 2
    ");
    insta::assert_snapshot!(folder.refusal(["serve", "--profile", "phone"]), @r#"
    error: there is no built-in profile "phone" and no such file; built in are: android, card, contact-2, contact-3, contact-4, contact-5, contactless, contactless-2, contactless-3, contactless-4, contactless-pupi, iphone, juki-card, next-generation, next-generation-p256
    exit code 2
    "#);
    folder.write("mine.yaml", "title: {ja: あ, en: a}\nblocked_status: \"698\"\n");
    insta::assert_snapshot!(folder.refusal(["serve", "--profile", "mine.yaml"]), @r#"
    error: mine.yaml:2:17: a status is four hex digits, such as "6984", not "698"
       |
     2 | blocked_status: "698"
       |                 ^
    exit code 2
    "#);
}

#[test]
fn a_state_file_that_is_truncated_newer_or_another_cards_is_left_as_it_is() {
    let whole =
        "{\n  \"vmyna_state\": 1,\n  \"holder\": \"hanako\",\n  \"pins\": {\n    \"user_authentication\": {";
    insta::assert_snapshot!(state_refusal(whole), @"
    error: hanako.json:5:28: this is no complete state file: EOF while parsing an object. It was left as it is; move it away to start with a fresh card
    exit code 2
    ");
    insta::assert_snapshot!(state_refusal(""), @"
    error: hanako.json:1:1: this is no complete state file: EOF while parsing a value. It was left as it is; move it away to start with a fresh card
    exit code 2
    ");
    insta::assert_snapshot!(state_refusal("{\"vmyna_state\": 2, \"holder\": \"hanako\", \"slots\": []}"), @"
    error: hanako.json: this state file has version 2, and this vmyna reads up to 1. It was left as it is; use the newer vmyna that wrote it, or another file
    exit code 2
    ");
    insta::assert_snapshot!(state_refusal("{\"vmyna_state\": 1, \"holder\": \"taro\", \"pins\": {}}"), @r#"
    error: hanako.json: this is the state of the card of "taro", not of "hanako". It was left as it is; use `--holder taro`, or another file
    exit code 2
    "#);
    let pins = |pins: &str| {
        format!("{{\n  \"vmyna_state\": 1,\n  \"holder\": \"hanako\",\n  \"pins\": {{{pins}}}\n}}\n")
    };
    insta::assert_snapshot!(state_refusal(&pins("")), @"
    error: hanako.json:4:3: this is no complete state file: the counter of user_authentication is missing. It was left as it is; move it away to start with a fresh card
    exit code 2
    ");
    insta::assert_snapshot!(
        state_refusal(&pins("\"user_authentication\": {\"tries_left\": 9}, \"digital_signature\": {\"tries_left\": 5}")),
        @"
    error: hanako.json:4:12: this is no complete state file: user_authentication has 9 tries left of 3. It was left as it is; move it away to start with a fresh card
    exit code 2
    "
    );
    let told = state_refusal(&pins(
        "\"user_authentication\": {\"tries_left\": 3, \"changed_value\": \"98765\"}, \
         \"digital_signature\": {\"tries_left\": 5}",
    ));
    assert_no_pin_in(&told, &["98765"]);
    insta::assert_snapshot!(told, @"
    error: hanako.json:4:12: this is no complete state file: the changed value of user_authentication does not have its form. It was left as it is; move it away to start with a fresh card
    exit code 2
    ");
}

#[test]
fn a_state_file_that_cannot_be_is_told() {
    let folder = Folder::new();
    folder.write("folder/file", "");
    insta::assert_snapshot!(folder.refusal(["serve", "--state", "missing/hanako.json"]), @"
    error: missing/hanako.json: the folder missing cannot be used: No such file or directory (os error 2); create it first
    exit code 2
    ");
    insta::assert_snapshot!(folder.refusal(["serve", "--state", "folder"]), @"
    error: folder: opening it failed: it is not a regular file
    exit code 2
    ");
}

#[test]
fn a_trace_file_that_cannot_be_or_would_destroy_the_state_is_told() {
    let folder = Folder::new();
    insta::assert_snapshot!(folder.refusal(["serve", "--trace=missing/trace.txt"]), @"
    error: --trace=missing/trace.txt: cannot be written: No such file or directory (os error 2)
    exit code 2
    ");
    folder.write("hanako.json", "{\"vmyna_state\": 1}");
    insta::assert_snapshot!(folder.refusal(["serve", "--state", "hanako.json", "--trace=./hanako.json"]), @"
    error: ./hanako.json: the state and the trace need a file each
    exit code 2
    ");
}
