//! What the command line says when it is used wrongly, when a file is broken and when a scenario
//! fails: exit code, words, and that nothing on disk has changed.

mod process;

use process::{Folder, ReservedPort, Running, assert_no_pin_in, run, vmyna};
use std::net::TcpListener;
use std::process::Stdio;

/// A scenario that loads, but for what is put in place of its steps.
fn scenario(id: &str, steps: &str) -> String {
    format!("id: {id}\ntitle: {{ja: 試し, en: a trial}}\ncovers: [PIN-01]\ntags: [trial]\nsteps:\n{steps}")
}

const RIGHT: &str = "  - select: jpki\n";

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
    error: mine.yaml:3:10: there is no requirement PIN-1; there are PIN-01, PIN-02, PIN-03, PIN-04, PIN-05, PIN-06, PIN-07, PIN-08, PIN-09, PIN-10, PIN-11, PIN-12, PIN-13, PIN-14, PIN-15, PIN-16, PIN-17, PIN-18, PIN-19, PIN-20, PIN-21, PIN-22, PIN-23, PIN-24
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

#[test]
fn a_port_in_use_is_told_with_what_to_do() {
    let folder = Folder::new();
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("an address").port().to_string();
    let refusal = |arguments: &[String]| folder.refusal(arguments).replace(&port, "[port]");
    insta::assert_snapshot!(refusal(&["run".into(), "--card".into(), format!("vpcd:{port}")]), @"
    error: 127.0.0.1:[port] is in use by another program, perhaps by pcscd's own virtual reader; stop that, or take another port: --card vpcd:PORT
    exit code 2
    ");
    insta::assert_snapshot!(
        refusal(&["serve".into(), "--listen".into(), port.clone(), "--state".into(), "hanako.json".into()]),
        @"
    error: 127.0.0.1:[port] is in use by another program, perhaps by pcscd's own virtual reader; stop that, or take another port: --listen HOST:PORT
    exit code 2
    "
    );
}

#[test]
fn wrong_usage_is_told_with_what_would_be_right() {
    let folder = Folder::new();
    insta::assert_snapshot!(folder.refusal(["run", "--card", "usb"]), @"
    error: invalid value 'usb' for '--card <SEAT>': a card seat is sim[:PROFILE][@HOLDER], vpcd[:PORT], vicc:HOST:PORT or pcsc[:READER]

    For more information, try '--help'.
    exit code 2
    ");
    insta::assert_snapshot!(folder.refusal(["run", "--card", "vpcd:70000"]), @"
    error: invalid value 'vpcd:70000' for '--card <SEAT>': `70000` is no port (0 to 65535)

    For more information, try '--help'.
    exit code 2
    ");
    insta::assert_snapshot!(folder.refusal(["run", "--card", "vicc:somewhere"]), @r#"
    error: invalid value 'vicc:somewhere' for '--card <SEAT>': expected HOST:PORT (such as 127.0.0.1:35963, localhost:35963 or [::1]:35963) or PORT, found "somewhere"

    For more information, try '--help'.
    exit code 2
    "#);
    insta::assert_snapshot!(folder.refusal(["run", "--tag", "pin and"]), @r#"
    error: invalid value 'pin and' for '--tag <EXPR>': a tag is missing in the tag expression "pin and"; write for example "pin and not lockout"

    For more information, try '--help'.
    exit code 2
    "#);
    insta::assert_snapshot!(folder.refusal(["serve", "--connect", "reader"]), @r#"
    error: invalid value 'reader' for '--connect <HOST:PORT>': expected HOST:PORT (such as 127.0.0.1:35963, localhost:35963 or [::1]:35963) or PORT, found "reader"

    For more information, try '--help'.
    exit code 2
    "#);
    insta::assert_snapshot!(folder.refusal(["serve", "--connect", "1", "--listen", "2"]), @"
    error: the argument '--connect <HOST:PORT>' cannot be used with '--listen <HOST:PORT>'

    Usage: vmyna serve --connect <HOST:PORT>

    For more information, try '--help'.
    exit code 2
    ");
    insta::assert_snapshot!(folder.refusal(["run", "--wait", "soon"]), @"
    error: invalid value 'soon' for '--wait <SECONDS>': invalid digit found in string

    For more information, try '--help'.
    exit code 2
    ");
}

#[test]
fn a_selection_of_nothing_is_told_with_the_tags_that_there_are() {
    let folder = Folder::new();
    folder.write("mine.yaml", scenario("a.b", RIGHT));
    insta::assert_snapshot!(folder.refusal(["run", "mine.yaml", "--tag", "lockout"]), @"
    error: none of the 1 scenarios is selected by --tag; their tags are: trial
    exit code 2
    ");
    insta::assert_snapshot!(folder.refusal(["run", "mine.yaml", "--tag", "not trial", "--list"]), @"
    error: none of the 1 scenarios is selected by --tag; their tags are: trial
    exit code 2
    ");
}

#[test]
fn rubbish_in_place_of_trust_anchors_is_told() {
    let folder = Folder::new();
    folder.write("rubbish.pem", "rubbish");
    folder.write("empty.pem", "");
    folder.write("cut.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n");
    insta::assert_snapshot!(folder.refusal(["run", "--trust", "rubbish.pem"]), @"
    error: --trust rubbish.pem: CA certificates in PEM or DER are expected; this is no X.509 certificate in DER: unexpected ASN.1 DER tag: expected SEQUENCE, got APPLICATION [18] (constructed)
    exit code 2
    ");
    insta::assert_snapshot!(folder.refusal(["run", "--trust", "empty.pem"]), @"
    error: --trust empty.pem: CA certificates in PEM or DER are expected; this is no X.509 certificate in DER: ASN.1 DER message is incomplete: expected 1, actual 0 at DER byte 0
    exit code 2
    ");
    insta::assert_snapshot!(folder.refusal(["run", "--trust", "cut.pem"]), @"
    error: --trust cut.pem: CA certificates in PEM or DER are expected; this is no X.509 certificate in DER: PEM error: PEM error in post-encapsulation boundary
    exit code 2
    ");
    insta::assert_snapshot!(folder.refusal(["run", "--trust", "missing.pem"]), @"
    error: --trust missing.pem: cannot be read: No such file or directory (os error 2)
    exit code 2
    ");
}

#[test]
fn without_a_card_within_the_wait_the_exit_code_is_3() {
    for wait in ["0", "1"] {
        let mut running = Running::start(&mut vmyna(["run", "--card", "vpcd:0", "--wait", wait]));
        let port = running.tells_port("waiting for a virtual card on");
        let ended = running.ends();
        assert_eq!(ended.code, Some(3));
        let told =
            ended.stderr.replace(&port.to_string(), "[port]").replace(&format!("{wait} s"), "[wait] s");
        insta::allow_duplicates! {
            insta::assert_snapshot!(told, @"
            waiting for a virtual card on 127.0.0.1:[port]
            error: no card connected to 127.0.0.1:[port] within [wait] s; start one that does, or wait longer with --wait SECONDS
            ");
        }
    }
}

#[test]
fn where_no_card_listens_the_exit_code_is_3() {
    let reserved = ReservedPort::new();
    let card = format!("vicc:127.0.0.1:{}", reserved.number());
    let ended = run(&mut vmyna(["run", "--card", &card, "--wait", "0"]));
    assert_eq!(ended.code, Some(3));
    let told = ended.stderr.replace(&reserved.number().to_string(), "[port]");
    insta::assert_snapshot!(told, @"error: no card at 127.0.0.1:[port] within 0 s: nothing listens there; start one that listens there, or wait longer with --wait SECONDS");
}

#[test]
fn a_list_shows_what_would_run_in_either_language() {
    let folder = Folder::new();
    folder.write("mine/a.yaml", scenario("trial.one", RIGHT));
    folder.write("mine/deeper/b.yaml", scenario("trial.two", RIGHT).replace("[trial]", "[trial, other]"));
    folder.write("mine/deeper/c.txt", "not a scenario");
    let list = |more: &[&str]| {
        let ended = run(&mut folder.vmyna(["run", "mine", "--list"].iter().chain(more)));
        assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
        ended.stdout
    };
    insta::assert_snapshot!(list(&[]), @"
    trial.one  a trial  trial
    trial.two  a trial  trial other
    ");
    insta::assert_snapshot!(list(&["--lang", "ja", "--tag", "other"]), @"trial.two  試し  trial other");
    let built_in = run(&mut vmyna(["run", "--list", "--tag", "lockout"]));
    assert_eq!(built_in.code, Some(0));
    assert!(built_in.stdout.lines().all(|line| line.contains("lockout")) && !built_in.stdout.is_empty());
}

#[test]
fn everything_built_in_passes_on_the_built_in_card() {
    let listed = run(&mut vmyna(["run", "--list"])).stdout.lines().count();
    let ended = run(&mut vmyna(["run"]));
    assert_eq!(ended.closing_line(), format!("{listed} passed, 0 failed, 0 skipped"), "{}", ended.stdout);
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
}

#[test]
fn folders_are_searched_to_the_bottom() {
    let folder = Folder::new();
    folder.write("mine/a.yaml", scenario("trial.one", RIGHT));
    folder.write("mine/deep/deeper/deepest/b.yaml", scenario("trial.two", RIGHT));
    let ended = run(&mut folder.vmyna(["run", "mine"]));
    assert_eq!((ended.code, ended.closing_line()), (Some(0), "2 passed, 0 failed, 0 skipped"));
}

/// Fails at its last step, after the holder's own PINs have been presented.
const FAILING: &str = "\
id: trial.fails
title: {ja: 必ず失敗する試し, en: a trial that fails}
covers: [PIN-01, PIN-03]
steps:
  - select: jpki
  - verify: {pin: user_authentication, value: right}
  - verify: {pin: digital_signature, value: right}
  - verify: {pin: user_authentication, value: wrong, expect: {tries_left: 1}}
    covers: [PIN-03]
    why: the second try was spent before
";

/// A holder with PINs that show nowhere else.
const TARO: &str = "\
person: {name: 試験　太郎, birth: 2001-02-03}
pins: {user_authentication: \"8642\", digital_signature: QX7RT9}
";

/// Every value that is presented to a card of Taro: his own, the wrong ones, the new ones.
const TAROS_PINS: [&str; 6] = ["8642", "8643", "8644", "QX7RT9", "QX7RT0", "QX7RT1"];

#[test]
fn a_failure_shows_where_what_was_expected_what_came_and_both_apdus() {
    let folder = Folder::new();
    folder.write("mine/fails.yaml", FAILING);
    let fails = |language: &str| {
        let ended = run(&mut folder.vmyna(["run", "mine", "--lang", language]));
        assert_eq!((ended.code, ended.stderr.as_str()), (Some(1), ""));
        ended.stdout
    };
    insta::assert_snapshot!(fails("en"), @"
    FAIL  trial.fails  a trial that fails
           mine/fails.yaml:8:62  present a wrong value of the PIN for user authentication (VERIFY)
             |
           8 |   - verify: {pin: user_authentication, value: wrong, expect: {tries_left: 1}}
             |                                                              ^
           PIN-03 VERIFY with a wrong PIN answers 63Cx, where x is the number of tries left
           why: the second try was spent before
           expected: 63C1
           came: 63 C2  (2 tries left)
             > 00 20 00 80 04 ** ** ** **  VERIFY current EF
             < 63 C2  (2 tries left)

    0 passed, 1 failed, 0 skipped
    ");
    insta::assert_snapshot!(fails("ja"), @"
    FAIL  trial.fails  必ず失敗する試し
           mine/fails.yaml:8:62  利用者証明用電子証明書の暗証番号として誤った値を照合する(VERIFY)
             |
           8 |   - verify: {pin: user_authentication, value: wrong, expect: {tries_left: 1}}
             |                                                              ^
           PIN-03 誤った暗証番号の照合には 63Cx を返し、x は残りの試行回数である
           理由: the second try was spent before
           期待: 63C1
           実際: 63 C2  (残り 2 回)
             > 00 20 00 80 04 ** ** ** **  VERIFY カレント EF
             < 63 C2  (残り 2 回)

    0 passed, 1 failed, 0 skipped
    ");
}

#[test]
fn the_locale_chooses_the_language() {
    let folder = Folder::new();
    folder.write("fails.yaml", FAILING);
    let report = |name: &str, locale: &str| {
        let mut command = folder.vmyna(["run", "fails.yaml"]);
        run(command.env_remove("LC_ALL").env_remove("LC_MESSAGES").env_remove("LANG").env(name, locale))
            .stdout
    };
    for (name, locale) in [("LANG", "ja_JP.UTF-8"), ("LC_MESSAGES", "ja_JP"), ("LC_ALL", "ja")] {
        assert!(report(name, locale).contains("必ず失敗する試し"), "{name}={locale}");
    }
    assert!(report("LANG", "C").contains("a trial that fails"));
}

#[test]
fn a_pin_is_shown_nowhere() {
    let folder = Folder::new();
    folder.write("fails.yaml", FAILING);
    folder.write("taro.yaml", TARO);
    let raw =
        "  - select: jpki\n  - transmit: {apdu: \"00 20 00 98 04 38 36 34 32\", expect: {sw: \"63C0\"}}\n";
    folder.write("raw.yaml", scenario("trial.raw", raw));
    for arguments in [
        &["run", "fails.yaml", "raw.yaml", "--holder", "taro.yaml"][..],
        &["run", "--holder", "taro.yaml"],
        &["run", "--holder", "taro.yaml", "--list"],
    ] {
        assert_no_pin_in(&run(&mut folder.vmyna(arguments)).all(), &TAROS_PINS);
    }
}

#[test]
fn fail_fast_stops_at_the_first_failure() {
    let folder = Folder::new();
    folder.write("a.yaml", FAILING);
    folder.write("b.yaml", scenario("trial.second", RIGHT));
    let ended = run(&mut folder.vmyna(["run", ".", "--fail-fast"]));
    assert_eq!((ended.code, ended.closing_line()), (Some(1), "0 passed, 1 failed, 0 skipped"));
}

#[test]
fn the_help_texts_teach() {
    let help = |arguments: &[&str]| {
        let ended = run(&mut vmyna(arguments));
        assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
        // clap ends some of its empty lines with spaces
        ended.stdout.lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
    };
    insta::assert_snapshot!(help(&["--help"]), @"
    A virtual My Number card (個人番号カード), and a harness that replays documented flows against any card

    Usage: vmyna <COMMAND>

    Commands:
      run          Replay scenarios against a card
      explain      Say in words what a scenario does, or what a requirement says
      schema       Print the JSON schema of scenario files, for editors
      serve        Put a virtual card into a reader and keep it there
      card         Remove, insert, swap or unblock the card of a running `vmyna serve`
      wait         Wait until the reader sees the card
      diff         Play the same scenarios against two cards, and show where their bytes differ
      record       Write down what a client says to a card, as a scenario
      vectors      Write what is said in the built-in scenarios as JSON, for clients and cards in any
                   language
      doctor       Look at what a virtual reader needs here: pcscd, the driver vpcd, its ports, the
                   readers, OpenSC
      pki          Write the TEST hierarchy for relying parties, answer OCSP, revoke
      portal       Serve the relying party: 健康保険証利用の申込 and 状況照会, with a phone and a card on the page
      report       Put the reports of shards together; print the schema of JSON reports
      holders      List the built-in holders, or show one
      completions  Print the completions of a shell
      help         Print this message or the help of the given subcommand(s)

    Options:
      -h, --help     Print help
      -V, --version  Print version

    Examples:
      vmyna run                 replay every scenario against the built-in card
      vmyna run --list          what there is to replay
      vmyna explain PIN-05      what a requirement says, and which scenarios prove it
      vmyna serve               put a card into pcscd's virtual reader, for any PC/SC program
      vmyna run --card vpcd     replay against a virtual card that connects here
      vmyna portal              apply with a virtual card in a browser
      vmyna pki write           what a service needs to trust the card's certificates
    `vmyna COMMAND --help` says more.

    Exit codes:
      0  something ran and nothing failed
      1  something failed
      2  wrong usage, a broken file, nothing selected
      3  no card or reader within the wait, or nothing could run
    ");
    insta::assert_snapshot!(help(&["run", "--help"]), @r#"
    Replay scenarios against a card.

    Without PATH the built-in scenarios run; without --card they run against the built-in card, each on
    a fresh one. A failing step shows its file and line, what was expected, what came, both APDUs and
    the requirement. The last line is `N passed, N failed, N skipped`.

    A card that is not built in may be somebody's real one, unless its certificates name JPKI-VMYNA-TEST
    or --mine says otherwise. Then no PIN is presented but the right ones of --holder, none is changed,
    and a right PIN that is refused is the last one presented. What will be done is printed before the
    first command is sent.

    Usage: vmyna run [OPTIONS] [PATH]...

    Arguments:
      [PATH]...
              Scenario files, or folders of them (every *.yaml at any depth) [default: those built in]

    Options:
          --card <SEAT>
              Who sits in the card seat: `sim` (built in), `vpcd[:PORT]` (play the reader on PORT, 35963
              unless told otherwise, and wait for a virtual card), `vicc:HOST:PORT` (connect to a
              virtual card that listens), `pcsc[:READER]` (the card in a reader of PC/SC: READER is its
              name or a part of it; without, the only one with a card)

              [default: sim]

          --holder <NAME|FILE>
              Whose PINs: a built-in holder or a holder file [default: each scenario's own]

          --profile <NAME|FILE>
              What kind of card is built in: a built-in profile or a profile file [default: card]

          --trust <FILE>
              CA certificates (PEM or DER) that the card's must lead to [default: the CA on the card]

          --mine
              The card is a simulator: nothing needs to be held back

          --spend-tries
              Wrong PINs may be presented to a card that may be real, up to blocking it

          --change-pins
              PINs of a card that may be real may be changed; they are changed back

          --ask-pins
              Ask on the terminal for the PINs that will be presented; nothing shows while they are
              typed

          --exclusive
              Keep other programs away from a card in a reader of PC/SC

          --fresh <COMMAND>
              Start the card anew with this shell command before each scenario, and end it afterwards,
              so that no scenario finds what another has left. The command finds the port at which its
              card is expected in VMYNA_PORT, and the number of its job in VMYNA_JOB

          --tag <EXPR>
              Only scenarios with these tags, for example "pin and not lockout"; --list shows them

          --list[=<HOW>]
              Only list what would run: id, title and tags; --list=steps shows every step in words

              Possible values:
              - titles: one line
              - steps:  and its steps in words

          --jobs <N>
              How many scenarios to play at once, each on a built-in card of its own [default: one for
              each processor, but 1 with --fail-fast]. Another card plays one at a time, unless --fresh
              starts cards: then each job has one, at the port of --card and those that follow

          --shard <I/N>
              Only the I-th of N parts of what is selected, for machines that share a suite; a
              scenario's part follows from its id

          --report <FORMAT=PATH>
              Also write a report: junit=PATH, json=PATH, html=PATH or tap=PATH; repeatable. The path -
              is standard output, and the text then goes to standard error

      -v, --verbose
              Show every step in words, every command with its answer, and every screen of a flow

          --fail-fast
              Stop at the first failure; what was not run is reported as such

          --expected <FILE>
              Failures that are known of this card, each with its reason; one that does not come is a
              failure itself

          --wait <SECONDS>
              How long to wait for a card that is not there yet, or that has gone

              [default: 10]

          --lang <LANG>
              Language of the report [default: from the locale]

              Possible values:
              - ja: 日本語
              - en: English

      -h, --help
              Print help (see a summary with '-h')

    Examples:
      vmyna run                                    everything, against the built-in card
      vmyna run --tag 'pin and not lockout'        some of it
      vmyna run my-scenarios/                      your own
      vmyna run --card vicc:127.0.0.1:35963        a virtual card that listens
      vmyna run --card pcsc --ask-pins --tag 'not lockout'
                                                   the card in the reader on the desk; no wrong PIN
                                                   leaves
      vmyna run --card vpcd --mine --jobs 4 --fresh 'my-card --connect 127.0.0.1:$VMYNA_PORT'
                                                   another simulator, started anew for each scenario

    Exit codes:
      0  something ran and nothing failed
      1  something failed, or the card was lost
      2  wrong usage, a broken file, nothing selected, a report that could not be written
      3  no card within the wait, or nothing could run
      130  stopped by Ctrl-C before the end, and nothing had failed
    "#);
    insta::assert_snapshot!(help(&["serve", "--help"]), @"
    Put a virtual card into a reader and keep it there.

    The card connects to pcscd's virtual reader (vpcd), and again whenever pcscd comes back. What it
    waits for is said on standard error; a line `ready` on standard output says that the reader has
    powered the card. SIGINT and SIGTERM end it. Meanwhile `vmyna card` takes the card out, puts it in,
    swaps it, unblocks its PINs and arms faults.

    Usage: vmyna serve [OPTIONS]

    Options:
          --holder <NAME|FILE>
              Whose card: a built-in holder or a holder file; given several times, a card for each, in
              one slot after the other [default: hanako]

          --slots <N>
              In how many slots; the holders take turns [default: as many as there are holders]

          --profile <NAME|FILE>
              What kind of card: a built-in profile or a profile file

              [default: card]

          --timing <NAME|FILE>
              How long the card takes: instant, realistic (as over a contactless reader), or a file
              [default: as the profile says, which is instant]

          --state <FILE>
              Keep counters and changed PINs in this file, which is made when it is not there; without
              it every start is a fresh card. With several slots, once for each

          --ocsp-url <URL>
              The OCSP responder that its certificate names; `vmyna pki serve` is one

              [default: http://ocsp.vmyna.test]

          --clock <INSTANT>
              Issue the card as of this instant, such as 2026-04-01T00:00:00Z [default: now]

          --connect <HOST:PORT>
              Where the reader listens, now or later; slot n is n ports further

              [default: 127.0.0.1:35963]

          --listen <HOST:PORT>
              Listen for the reader instead (vpcd's reversed mode); a PORT alone means this machine
              only, and port 0 one that is free, which is told on standard error

          --trace[=<FILE>]
              Add every command and answer, PINs masked, to FILE [without FILE: standard error]

          --fault <SPEC>
              Something that goes wrong, such as mute=2s@sign (repeatable); `--help` tells all

          --fault-seed <N>
              What the faults that are left to chance follow from [default: by chance, and told]

          --control <PATH>
              The socket for `vmyna card` [default: one of its own in $XDG_RUNTIME_DIR/vmyna]

      -h, --help
              Print help (see a summary with '-h')

    Examples:
      vmyna serve                              hanako's card into pcscd's first virtual reader
      vmyna serve --connect 127.0.0.1:35964    into the second one
      vmyna serve --slots 2                    a card into each of the two
      vmyna serve --state hanako.json          counters and PINs outlive the process
      vmyna serve --listen 35963               wait for `vmyna run --card vicc:127.0.0.1:35963`
      vmyna serve --timing realistic           signing takes more than half a second, as it does
      vmyna serve --fault remove=during@sign   pull the card out of the reader when it signs

    Faults (--fault):
    A fault is WHAT[=VALUE][@WHEN]; without WHEN it strikes at the first command.
    WHAT
      remove[=before|during|after][,close|reset|half]
                           the card leaves: before the command is done, when it is done but not
                           answered, or after the answer; closing the connection, tearing it, or
                           within the answer
      mute[=TIME][,during] no answer for TIME (5s), then the card leaves; with `during` the command
                           is done all the same
      delay=TIME           the answer is later
      jitter=TIME..TIME    the answer is later, by chance
      wtx=N                the answer is later by N block waiting times of 1.6 s
      length=-N|+N         N bytes of data less or more; the status stays
      no-status            the status is missing
      half-status          half of the status is missing
      extra[=N]            N bytes follow the status
      flip[=N]             N bits of the answer are flipped
      status=XXXX          this status; the command does not reach the card
      stale                the answer before once more, and each later answer one request late,
                           until the power goes
      off-on[=N]           N power cycles before the command; off-on-storm is 20
      reset[=N]            N warm resets before the command; reset-storm is 20
      swap[=serial]        another person's card with the same ATR comes back
      swap=atr             the same card with another ATR comes back
      no-card              the card leaves, until it is inserted again
      no-reader            the connection is torn, until the card is inserted again
    WHEN
      N                    at the Nth command, counted from 1
      NAME[#N]             at the first (Nth) select, read, verify, tries-left, change-pin, sign,
                           authenticate, challenge, get-data, or ins=XX
      atr[#N]              when the reader asks for the ATR
      P%                   at each command with this probability
      always               at each command
    TIME is such as 200ms or 1.5s, at most 10 minutes.
    ");
}

#[test]
fn without_a_command_the_help_is_shown_as_an_error() {
    let ended = run(&mut vmyna::<&str>([]));
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""));
    assert!(ended.stderr.contains("Usage: vmyna <COMMAND>"), "{}", ended.stderr);
}

#[test]
fn every_shell_gets_completions() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let ended = run(&mut vmyna(["completions", shell]));
        assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
        assert!(ended.stdout.contains("vmyna") && ended.stdout.contains("fail-fast"), "{shell}");
    }
}

#[test]
fn holders_are_listed() {
    let ended = run(&mut vmyna(["holders"]));
    assert_eq!(ended.code, Some(0));
    assert!(ended.stdout.contains("Hanako Bango (an ordinary card)"), "{}", ended.stdout);
    let ended = run(vmyna(["holders"]).env("LC_ALL", "ja_JP.UTF-8"));
    assert!(ended.stdout.contains("番号花子（ふつうのカード）"), "{}", ended.stdout);
}

#[test]
fn a_holder_is_shown_in_words() {
    let ended = run(&mut vmyna(["holders", "show", "child", "--lang", "en"]));
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
    assert!(ended.stdout.contains("digital signature     none (under 15)"), "{}", ended.stdout);
    let ended = run(&mut vmyna(["holders", "show", "nobody"]));
    assert_eq!(ended.code, Some(2));
    assert!(ended.stderr.contains("there is no built-in holder \"nobody\""), "{}", ended.stderr);
}

#[test]
fn the_built_in_card_can_be_of_another_kind() {
    let ended = run(&mut vmyna(["run", "--profile", "android", "--tag", "token", "--lang", "en"]));
    assert_eq!(ended.code, Some(0));
    assert!(ended.stdout.contains("n/a  jpki.token.information "), "{}", ended.stdout);
    assert!(ended.stdout.ends_with("6 passed, 0 failed, 3 skipped\n"), "{}", ended.stdout);
    let ended = run(&mut vmyna(["run", "--profile", "contactless-2", "--tag", "pin and not lockout"]));
    assert_eq!(ended.code, Some(0), "{}", ended.stdout);
    let ended = run(&mut vmyna(["run", "--profile", "android", "--card", "vpcd"]));
    assert_eq!(ended.code, Some(2));
    let ended = run(&mut vmyna(["run", "--profile", "nokia"]));
    assert_eq!(ended.code, Some(2));
    assert!(ended.stderr.contains("there is no built-in profile \"nokia\""), "{}", ended.stderr);
}

#[test]
fn a_reader_of_the_output_may_leave_early() {
    for arguments in [
        &["run"][..],
        &["run", "--list"],
        &["--help"],
        &["run", "--help"],
        &["holders"],
        &["completions", "bash"],
        &["completions", "zsh"],
    ] {
        let (output, input) = std::io::pipe().expect("a pipe");
        drop(output);
        let mut child = vmyna(arguments).stdout(input).stderr(Stdio::piped()).spawn().expect("a process");
        let stderr = std::io::read_to_string(child.stderr.take().expect("a pipe")).expect("text");
        let status = child.wait().expect("it ends");
        assert_eq!((status.code(), stderr.as_str()), (Some(0), ""), "{arguments:?}");
    }
}
