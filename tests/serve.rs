//! `vmyna serve` as a process: what a reader meets, what the user is told, what outlives it.

mod process;

use process::reader::{AUTHENTICATION_PIN, SIGNATURE_PIN, Terminal, connect, listen};
use process::{Folder, ReservedPort, Running, assert_no_pin_in, run, vmyna};
use rustix::process::Signal;
use std::path::Path;
use std::process::Command;
use vmyna_sim::smart_card::Power;

/// Hanako's PINs, and what they are changed to here.
const PINS: [&str; 4] = ["1234", "ABC123", "7593", "ZK48QW"];

const HANAKOS_ATR: [u8; 9] = [0x3B, 0xE0, 0x00, 0xFF, 0x81, 0x31, 0xFE, 0x45, 0x14];

/// A card that listens, and its port.
fn listening(arguments: &[&str]) -> (Running, u16) {
    let mut card = Running::start(&mut vmyna(["serve", "--listen", "127.0.0.1:0"].iter().chain(arguments)));
    let port = card.tells_port("listening for a reader on 127.0.0.1:");
    (card, port)
}

fn with_state(path: &Path) -> (Running, u16) {
    listening(&["--state", &path.display().to_string()])
}

/// A card that connects to a reader at `port`.
fn connecting(port: u16) -> Running {
    Running::start(&mut vmyna(["serve", "--connect", &format!("127.0.0.1:{port}")]))
}

/// Ends it in good order, and returns what it said.
fn ended_by(card: Running, signal: Signal) -> process::Ended {
    card.signal(signal);
    let ended = card.ends();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    ended
}

#[test]
fn a_port_of_the_systems_choice_is_told_and_nobody_else_can_reach_it() {
    let (card, port) = listening(&[]);
    assert_ne!(port, 0);
    let mut reader = connect(port);
    reader.power(Power::On).unwrap();
    assert_eq!(reader.atr().unwrap(), HANAKOS_ATR);
    ended_by(card, Signal::TERM);
}

#[test]
fn a_port_alone_means_this_machine_only() {
    let mut card = Running::start(&mut vmyna(["serve", "--listen", "0"]));
    card.tells("listening for a reader on 127.0.0.1:");
    ended_by(card, Signal::TERM);
}

#[test]
fn ready_is_said_when_the_reader_has_powered_the_card_and_not_before() {
    let (card, port) = listening(&[]);
    let mut reader = connect(port);
    reader.atr().unwrap();
    assert_eq!(ended_by(card, Signal::TERM).stdout, "", "the reader only asked for the ATR");

    let (mut card, port) = listening(&[]);
    let mut reader = connect(port);
    reader.power(Power::On).unwrap();
    reader.atr().unwrap();
    card.says("ready");
    reader.atr().unwrap();
    assert_eq!(ended_by(card, Signal::TERM).stdout, "ready\n", "once for each time");
}

#[test]
fn a_signal_ends_it_in_good_order_whatever_it_is_doing() {
    for signal in [Signal::TERM, Signal::INT] {
        let nobody = ReservedPort::new();
        let mut card = connecting(nobody.number());
        card.tells("waiting: nothing listens there");
        ended_by(card, signal);

        let (card, _) = listening(&[]);
        ended_by(card, signal);

        let (mut card, port) = listening(&[]);
        let mut terminal = Terminal::power_on(connect(port));
        card.says("ready");
        ended_by(card, signal);
        assert!(terminal.0.atr().is_err(), "the reader sees that the card has gone");

        let (mut card, port) = listening(&[]);
        let silent = connect(port);
        card.tells("connected but silent");
        ended_by(card, signal);
        drop(silent);

        let reader = listen(0);
        let mut card = connecting(reader.local_addr().port());
        drop(Terminal::accept(&reader));
        card.tells("disconnected: ");
        ended_by(card, signal);
    }
}

#[test]
fn a_reader_that_goes_away_and_comes_back_finds_the_card_again() {
    let port = ReservedPort::new();
    let mut card = connecting(port.number());
    for _ in 0..2 {
        card.tells("waiting: nothing listens there");
        let reader = listen(port.number());
        let mut terminal = Terminal::accept(&reader);
        card.says("ready");
        assert_eq!(terminal.tries_left(AUTHENTICATION_PIN), 0x63C3);
        drop(reader);
        drop(terminal);
        card.tells("disconnected: the reader closed the connection");
    }
    assert_eq!(ended_by(card, Signal::TERM).stdout, "ready\nready\n");
}

#[test]
fn a_listening_card_serves_one_reader_after_the_other() {
    let (mut card, port) = listening(&[]);
    for _ in 0..3 {
        let mut terminal = Terminal::power_on(connect(port));
        card.says("ready");
        assert_eq!(terminal.tries_left(SIGNATURE_PIN), 0x63C5);
    }
    ended_by(card, Signal::TERM);
}

#[test]
fn what_it_waits_for_is_told_in_words() {
    let port = ReservedPort::new();
    let mut card = connecting(port.number());
    card.tells("waiting:");
    let told = ended_by(card, Signal::TERM).stderr.replace(&port.number().to_string(), "[port]");
    insta::assert_snapshot!(told, @"
    looking for a reader at 127.0.0.1:[port]
    waiting: nothing listens there (pcscd with the driver vsmartcard-vpcd listens once it runs; `pcscd --foreground` shows why not)
    ");
}

#[test]
fn a_second_card_in_the_same_slot_is_told_that_it_waits_and_takes_its_turn() {
    let reader = listen(0);
    let mut first = connecting(reader.local_addr().port());
    let terminal = Terminal::accept(&reader);
    first.says("ready");
    let mut second = connecting(reader.local_addr().port());
    second.tells("connected but silent: another card is in this slot");
    first.kill();
    drop(terminal);
    let mut terminal = Terminal::accept(&reader);
    second.says("ready");
    assert_eq!(terminal.tries_left(AUTHENTICATION_PIN), 0x63C3);
}

#[test]
fn spent_tries_and_changed_pins_outlive_a_kill() {
    let folder = Folder::new();
    let path = folder.path().join("hanako.json");
    let (card, port) = with_state(&path);
    let mut terminal = Terminal::power_on(connect(port));
    assert_eq!(terminal.verify(AUTHENTICATION_PIN, "0000"), 0x63C2);
    assert_eq!(terminal.verify(AUTHENTICATION_PIN, "0000"), 0x63C1);
    assert_eq!(terminal.verify(SIGNATURE_PIN, "ABC123"), 0x9000);
    assert_eq!(terminal.change(SIGNATURE_PIN, "ZK48QW"), 0x9000);
    card.kill();

    let (card, port) = with_state(&path);
    let mut terminal = Terminal::power_on(connect(port));
    assert_eq!(terminal.tries_left(AUTHENTICATION_PIN), 0x63C1);
    assert_eq!(terminal.verify(SIGNATURE_PIN, "ABC123"), 0x63C4);
    assert_eq!(terminal.verify(SIGNATURE_PIN, "ZK48QW"), 0x9000);
    assert_eq!(terminal.verify(AUTHENTICATION_PIN, "0000"), 0x63C0);
    card.kill();

    let (card, port) = with_state(&path);
    let mut terminal = Terminal::power_on(connect(port));
    assert_eq!(terminal.verify(AUTHENTICATION_PIN, "1234"), 0x6984, "blocked is blocked for good");
    ended_by(card, Signal::TERM);
    assert_eq!(folder.contents().len(), 1, "nothing else lies beside the state");
}

#[test]
fn a_kill_at_any_moment_never_gives_a_try_back() {
    let folder = Folder::new();
    let path = folder.path().join("hanako.json");
    for spent in 1..=5 {
        let (card, port) = with_state(&path);
        let mut terminal = Terminal::power_on(connect(port));
        // The answer says that the try is spent; nothing may come between it and the disk.
        assert_eq!(terminal.verify(SIGNATURE_PIN, "WRONG1"), 0x63C5 - spent);
        card.kill();
    }
    let (_card, port) = with_state(&path);
    assert_eq!(Terminal::power_on(connect(port)).tries_left(SIGNATURE_PIN), 0x63C0);
}

#[test]
fn when_the_state_cannot_be_kept_no_pin_is_compared() {
    let folder = Folder::new();
    let path = folder.write("state/hanako.json", "");
    std::fs::remove_file(&path).unwrap();
    let (card, port) = with_state(&path);
    let mut terminal = Terminal::power_on(connect(port));
    std::fs::remove_dir_all(folder.path().join("state")).unwrap();
    assert_eq!(terminal.verify(AUTHENTICATION_PIN, "1234"), 0x6581, "not even the right one");
    assert_eq!(terminal.verify(AUTHENTICATION_PIN, "0000"), 0x6581);
    assert_eq!(terminal.tries_left(AUTHENTICATION_PIN), 0x63C3);
    std::fs::create_dir(folder.path().join("state")).unwrap();
    assert_eq!(terminal.verify(AUTHENTICATION_PIN, "0000"), 0x63C2, "it goes on when it can");
    assert_eq!(terminal.verify(AUTHENTICATION_PIN, "1234"), 0x9000);
    std::fs::remove_dir_all(folder.path().join("state")).unwrap();
    assert_eq!(terminal.change(AUTHENTICATION_PIN, "7593"), 0x6581);
    std::fs::create_dir(folder.path().join("state")).unwrap();
    assert_eq!(terminal.verify(AUTHENTICATION_PIN, "1234"), 0x9000, "and the PIN is the old one");
    ended_by(card, Signal::TERM);
}

#[test]
fn a_state_file_lies_in_one_reader_at_a_time() {
    let folder = Folder::new();
    let (card, port) = with_state(&folder.path().join("hanako.json"));
    let refused = || folder.refusal(["serve", "--listen", "0", "--state", "hanako.json"]);
    insta::assert_snapshot!(refused(), @"
    error: hanako.json: this state file is in use by another process; a card lies in one reader at a time. Stop the other `vmyna serve`, or give this one a file of its own
    exit code 2
    ");
    // Each change replaces the file; the new one is held as well.
    let mut terminal = Terminal::power_on(connect(port));
    assert_eq!(terminal.verify(AUTHENTICATION_PIN, "0000"), 0x63C2);
    assert!(refused().contains("in use by another process"));
    card.kill();
    let (_card, port) = with_state(&folder.path().join("hanako.json"));
    assert_eq!(Terminal::power_on(connect(port)).tries_left(AUTHENTICATION_PIN), 0x63C2);
}

/// Presents and changes PINs in every way in which a command can carry one.
fn handle_pins(port: u16) {
    let mut terminal = Terminal::power_on(connect(port));
    assert_eq!(terminal.verify(AUTHENTICATION_PIN, "7593"), 0x63C2);
    assert_eq!(terminal.verify(AUTHENTICATION_PIN, "1234"), 0x9000);
    assert_eq!(terminal.change(AUTHENTICATION_PIN, "7593"), 0x9000);
    assert_eq!(terminal.verify(SIGNATURE_PIN, "ABC123"), 0x9000);
    terminal.status(b"\x80\x20\x00\x80\x06ABC123");
    terminal.status(b"\x00\x20\x00\x80\x07ABC123");
    terminal.status(b"\x00\x24\x00\x80\x0CABC123ZK48QW");
}

#[test]
fn a_trace_shows_every_exchange_in_words_and_no_pin() {
    let (card, port) = listening(&["--trace"]);
    handle_pins(port);
    let ended = ended_by(card, Signal::TERM);
    assert_no_pin_in(&ended.all(), &PINS);
    let trace: Vec<_> =
        ended.stderr.lines().filter(|line| line.starts_with(['>', '<', '-'])).take(7).collect();
    insta::assert_snapshot!(trace.join("\n"), @"
    - power on
    > 00 A4 04 0C 0A D3 92 F0 00 26 01 00 00 00 01  SELECT application jpki
    < 90 00  (success)
    > 00 A4 02 0C 02 00 18  SELECT EF 0018
    < 90 00  (success)
    > 00 20 00 80 04 ** ** ** **  VERIFY current EF
    < 63 C2  (2 tries left)
    ");
    assert!(ended.stderr.contains("CHANGE REFERENCE DATA current EF"), "{}", ended.stderr);
}

#[test]
fn a_trace_file_is_added_to_and_shows_no_pin() {
    let folder = Folder::new();
    let path = folder.write("trace.txt", "what was there\n");
    let (card, port) = listening(&[&format!("--trace={}", path.display())]);
    handle_pins(port);
    let ended = ended_by(card, Signal::TERM);
    let trace = std::fs::read_to_string(&path).unwrap();
    assert!(trace.starts_with("what was there\n- power on\n> 00 A4 04 0C"), "{trace}");
    assert!(
        trace.contains("> 00 20 00 80 04 ** ** ** **  VERIFY current EF\n< 63 C2  (2 tries left)"),
        "{trace}"
    );
    assert_no_pin_in(&format!("{trace}{}", ended.all()), &PINS);
}

#[test]
fn a_trace_that_cannot_be_written_does_not_stop_the_card() {
    if !Path::new("/dev/full").exists() {
        return;
    }
    let (mut card, port) = listening(&["--trace=/dev/full"]);
    handle_pins(port);
    card.tells("the trace ends here, it cannot be written: ");
    ended_by(card, Signal::TERM);
}

#[test]
fn a_trace_into_a_pipe_is_read_as_it_comes_and_one_that_nobody_reads_is_refused() {
    let folder = Folder::new();
    assert!(Command::new("mkfifo").arg(folder.path().join("pipe")).status().unwrap().success());
    let serve = || folder.vmyna(["serve", "--listen", "127.0.0.1:0", "--trace=pipe"]);
    let refused = run(&mut serve());
    assert_eq!(
        (refused.code, refused.stderr.as_str()),
        (Some(2), "error: --trace=pipe: cannot be written: nobody reads this pipe; start its reader first\n")
    );
    let mut reader = Command::new("sh");
    reader.args(["-c", "exec 3<>pipe; echo here; exec cat <&3"]).current_dir(folder.path());
    let mut reader = Running::start(&mut reader);
    reader.says("here");
    let mut card = Running::start(&mut serve());
    handle_pins(card.tells_port("listening for a reader on 127.0.0.1:"));
    reader.says("VERIFY current EF");
    ended_by(card, Signal::TERM);
}

#[test]
fn a_profile_from_a_file_makes_another_card() {
    let folder = Folder::new();
    let card = include_str!("../vectors/profiles/card.yaml");
    let mine =
        folder.write("mine.yaml", card.replace("blocked_status: \"6984\"", "blocked_status: \"6983\""));
    let (card, port) = listening(&["--profile", &mine.display().to_string()]);
    let mut terminal = Terminal::power_on(connect(port));
    for left in [0x63C2, 0x63C1, 0x63C0, 0x6983] {
        assert_eq!(terminal.verify(AUTHENTICATION_PIN, "0000"), left);
    }
    assert_eq!(terminal.verify(AUTHENTICATION_PIN, "1234"), 0x6983);
    ended_by(card, Signal::TERM);
}

#[test]
fn a_holder_from_a_file_has_pins_of_their_own() {
    let folder = Folder::new();
    let person = "person: {name: 試験　太郎, birth: 2001-02-03}\npins: {user_authentication: \"8642\"}\n";
    let taro = folder.write("taro.yaml", person);
    let (card, port) = listening(&["--holder", &taro.display().to_string()]);
    let mut terminal = Terminal::power_on(connect(port));
    assert_eq!(terminal.verify(AUTHENTICATION_PIN, "1234"), 0x63C2);
    assert_eq!(terminal.verify(AUTHENTICATION_PIN, "8642"), 0x9000);
    ended_by(card, Signal::TERM);
}

#[test]
fn nobody_needs_to_read_what_it_says() {
    let (output, input) = std::io::pipe().unwrap();
    drop(output);
    let mut command = vmyna(["serve", "--listen", "0"]);
    let mut card = Running::start_with_stdout(&mut command, input);
    let port = card.tells_port("listening for a reader on");
    let mut terminal = Terminal::power_on(connect(port));
    assert_eq!(terminal.tries_left(AUTHENTICATION_PIN), 0x63C3);
    ended_by(card, Signal::TERM);
}
