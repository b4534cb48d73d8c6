//! What the command line says when it is used wrongly and when a scenario fails: exit code, words, and that
//! nothing on disk has changed.

#[path = "command_line/broken_files.rs"]
mod broken_files;
#[path = "command_line/help.rs"]
mod help;
mod process;

use process::{Folder, ReservedPort, Running, assert_no_pin_in, run, vmyna};
use std::net::TcpListener;
use std::process::Stdio;

/// A scenario that loads, but for what is put in place of its steps.
fn scenario(id: &str, steps: &str) -> String {
    format!("id: {id}\ntitle: {{ja: 試し, en: a trial}}\ncovers: [PIN-01]\ntags: [trial]\nsteps:\n{steps}")
}

const RIGHT: &str = "  - select: jpki\n";

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
