//! The PINs and private keys of a card, in everything that the program says of it: what each command prints, with
//! `RUST_LOG=trace` and `RUST_BACKTRACE=full` around it, every report, trace, log and recording, errors about broken
//! files, `Debug` and panics. The holder's PINs are ones that stand nowhere by chance.

#![allow(clippy::unwrap_used, reason = "a test that unwraps fails where it should")]

#[path = "secrets/kept.rs"]
mod kept;
#[path = "portal_support/mod.rs"]
mod portal;
mod process;

use kept::{PASSWORD, PINS, assert_kept, broken_copies, holder_file, state_file};
use portal::{RunningPortal, Visitor};
use process::reader::{AUTHENTICATION_PIN, SIGNATURE_PIN, Terminal, connect};
use process::{Folder, Running};
use rustix::process::Signal;
use sha1::{Digest, Sha1};
use std::fmt::Debug;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::SystemTime;
use vmyna::requirement::Requirements;
use vmyna::run::{self, Judge};
use vmyna::scenario;
use vmyna_sim::apdu::CommandApdu;
use vmyna_sim::card::{Personalised, VirtualCard};
use vmyna_sim::exchange::Exchange;
use vmyna_sim::holder::Holder;
use vmyna_sim::pin::{PinName, PinState, PinStates};
use vmyna_sim::profile::Profile;
use vmyna_sim::store::{FileStore, MemoryStore};

/// A folder with the holder's file, and `vmyna` in it, asked to say all it can.
struct Room(Folder);

impl Room {
    fn new() -> Self {
        let folder = Folder::new();
        folder.write("secret.yaml", holder_file());
        folder.write("run/.here", "");
        Self(folder)
    }

    fn vmyna(&self, arguments: &[&str]) -> Command {
        let mut command = self.0.vmyna(arguments);
        command.env("RUST_LOG", "trace").env("RUST_BACKTRACE", "full");
        command.env("XDG_RUNTIME_DIR", self.0.path().join("run"));
        command
    }

    /// Runs it to its end; nothing that it says is secret. Returns the exit code.
    fn run(&self, arguments: &[&str]) -> i32 {
        let ended = process::run(&mut self.vmyna(arguments));
        assert!(!ended.stderr.contains("panicked"), "{}", ended.stderr);
        assert_kept(&arguments.join(" "), ended.all().as_bytes());
        ended.code.unwrap()
    }

    /// A card that is served and traced, and its port.
    fn serve(&self, arguments: &[&str]) -> (Running, u16) {
        let serve = ["serve", "--listen", "127.0.0.1:0", "--holder", "secret.yaml", "--trace"];
        let mut card = Running::start(&mut self.vmyna(&[&serve, arguments].concat()));
        let port = card.tells_port("listening for a reader on 127.0.0.1:");
        (card, port)
    }

    /// Nothing that was written since is secret, the state file and the holder's own aside.
    fn holds_no_secret(&self, but: &[&str]) {
        let mut looked_at = 0;
        for (path, bytes) in self.0.contents() {
            let name = path.strip_prefix(self.0.path()).unwrap().display().to_string();
            if let Some(bytes) = bytes
                && !but.contains(&name.as_str())
            {
                assert_kept(&name, &bytes);
                looked_at += 1;
            }
        }
        assert!(looked_at > 1, "nothing was written");
    }
}

fn ends(card: Running) {
    card.signal(Signal::TERM);
    let ended = card.ends();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(ended.stderr.contains("** ** ** **"), "it was traced: {}", ended.stderr);
    assert_kept("a served card", ended.all().as_bytes());
}

const REPORTS: [&str; 8] = [
    "--report",
    "junit=r.xml",
    "--report",
    "json=r.json",
    "--report",
    "html=r.html",
    "--report",
    "tap=r.tap",
];

/// What goes wrong in each way in which a step with a PIN can, and commands with a PIN in their bytes.
fn failing() -> String {
    let password: String = PASSWORD.bytes().map(|byte| format!("{byte:02X}")).collect();
    format!("{FAILING}  - transmit: {{apdu: \"00 20 00 80 0F {password}\", expect: {{sw: \"6F00\"}}}}\n")
}

const FAILING: &str = "\
id: mine.all-wrong
title: {ja: 誤り, en: Everything is wrong}
covers: [PIN-03]
holder: hanako
steps:
  - select: jpki
  - verify: {pin: user_authentication, value: right, expect: {tries_left: 1}}
  - verify: {pin: digital_signature, value: right, expect: blocked}
  - change_pin: {pin: digital_signature, to: new, expect: blocked}
";

#[test]
fn no_secret_is_in_what_a_run_says_or_writes() {
    let room = Room::new();
    room.0.write("wrong/all.yaml", failing());
    let run = ["run", "--holder", "secret.yaml", "--verbose"];
    assert!(room.run(&[&run, &["--tag", "pin or signature"][..], &REPORTS].concat()) < 2);
    room.holds_no_secret(&["secret.yaml", "wrong/all.yaml"]);
    for lang in ["ja", "en"] {
        assert_eq!(room.run(&[&run, &["--lang", lang, "wrong"][..], &REPORTS].concat()), 1);
        room.holds_no_secret(&["secret.yaml", "wrong/all.yaml"]);
    }
    assert_eq!(room.run(&["run", "--holder", "secret.yaml", "--list=steps"]), 0);
    assert_eq!(room.run(&["run", "--ask-pins", "--holder", "secret.yaml"]), 2);
}

#[test]
fn no_secret_is_in_what_is_said_of_a_card_behind_a_socket() {
    let room = Room::new();
    let (card, port) = room.serve(&["--state", "secret.json"]);
    let seat = format!("vicc:127.0.0.1:{port}");
    let run = ["run", "--card", &seat, "--holder", "secret.yaml", "--mine", "--verbose", "--tag", "lockout"];
    assert!(room.run(&[&run, &REPORTS[..]].concat()) < 2);
    assert!(
        room.run(&[
            "diff",
            "sim@secret.yaml",
            &seat,
            "--holder",
            "secret.yaml",
            "--mine",
            "--tag",
            "lockout"
        ]) < 2
    );
    let mut terminal = Terminal::power_on(connect(port));
    for pin in PINS {
        terminal.verify(AUTHENTICATION_PIN, pin);
        terminal.verify(SIGNATURE_PIN, pin);
        terminal.change(SIGNATURE_PIN, pin);
        terminal.status(&[&b"\x80\x20\x00\x80\x10"[..], pin.as_bytes()].concat());
        terminal.status(&[&b"\x00\x2C\x00\x80\x10"[..], pin.as_bytes()].concat());
    }
    for order in ["status", "counters", "log", "fault", "remove", "insert"] {
        assert_eq!(room.run(&["card", order]), 0);
    }
    assert_eq!(room.run(&["card", "counters", "--json"]), 0);
    let mut following = Running::start(&mut room.vmyna(&["card", "log", "--follow"]));
    following.says("VERIFY current EF");
    drop(terminal);
    room.run(&["wait", "--wait", "0"]);
    assert_eq!(room.run(&["card", "unblock", "digital_signature"]), 0);
    assert_eq!(room.run(&["card", "swap", "taro"]), 0);
    ends(card);
    assert_kept("card log --follow", following.ends().all().as_bytes());
    room.holds_no_secret(&["secret.yaml", "secret.json"]);
}

#[test]
fn no_secret_is_in_what_the_portal_says() {
    let room = Room::new();
    let seat = format!("sim@{}", room.0.path().join("secret.yaml").display());
    let running = RunningPortal::start(&["--pace", "0", "--card", &seat]);
    let mut visitor = Visitor::at(&running);
    let asked = visitor.ask("application", true);
    let phone = portal::Phone::at(&running, &asked);
    let mut answers: Vec<_> = PINS[..2].iter().rev().map(|pin| format!("{:?}", phone.present(pin))).collect();
    let done = visitor.deliver(&asked.state, &portal::signed(&phone.present(PINS[0])));
    assert!(done.body.contains("申し込みを受け付けました"), "{}", done.body);
    answers.extend([done.body, running.operator_page()]);
    running.process.signal(Signal::TERM);
    answers.push(running.process.ends().all());
    assert_kept("the portal", answers.concat().as_bytes());
}

#[test]
fn no_secret_is_in_what_is_recorded() {
    let room = Room::new();
    let record = ["record", "client.yaml", "--listen", "127.0.0.1:0", "--card", "sim@secret.yaml"];
    let mut recording = Running::start(&mut room.vmyna(&record));
    let port = recording.tells_port("listening for a reader on 127.0.0.1:");
    let mut client = Terminal::power_on(connect(port));
    assert_eq!(client.verify(SIGNATURE_PIN, PASSWORD), 0x9000);
    for pin in PINS {
        client.verify(AUTHENTICATION_PIN, pin);
        client.change(SIGNATURE_PIN, pin);
    }
    recording.signal(Signal::INT);
    let ended = recording.ends();
    assert_eq!(ended.code, Some(0), "{}", ended.all());
    assert_kept("record", ended.all().as_bytes());
    room.holds_no_secret(&["secret.yaml"]);
    assert!(room.run(&["run", "client.yaml", "--holder", "secret.yaml", "--verbose"]) < 2);
}

#[test]
fn no_secret_is_in_what_is_told_of_people_and_certificates() {
    let room = Room::new();
    for lang in ["ja", "en"] {
        assert_eq!(room.run(&["holders", "show", "secret.yaml", "--lang", lang]), 0);
    }
    assert_eq!(room.run(&["pki", "write", "--holder", "secret.yaml"]), 0);
    for change in ["hold", "release", "revoke"] {
        assert_eq!(room.run(&["pki", change, "secret.yaml"]), 0, "{change}");
    }
    room.holds_no_secret(&["secret.yaml"]);
    assert_eq!(room.run(&["explain", "PIN-05"]), 0);
    room.run(&["doctor"]);
    room.holds_no_secret(&["secret.yaml"]);
}

/// A responder that knows the holder's certificates, asked as it should be and otherwise, and while its folder is broken.
#[test]
fn no_secret_is_in_what_the_responder_says() {
    let room = Room::new();
    assert_eq!(room.run(&["pki", "write", "--holder", "secret.yaml"]), 0);
    let mut responder = Running::start(&mut room.vmyna(&["pki", "serve", "--bind", "127.0.0.1:0"]));
    let ready = responder.says("ready http://");
    let address = ready.strip_prefix("ready http://").unwrap();
    let hash = |text: &[u8]| [&[0x04, 20][..], &Sha1::digest(text)].concat();
    let request = ocsp_request(&[&hash(b"name")[..], &hash(b"key"), &[0x02, 1, 7]].concat());
    let mut answered = Vec::new();
    let mut ask = |body: &[u8]| {
        let mut stream = TcpStream::connect(address).unwrap();
        let head = format!(
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Type: application/ocsp-request\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all(&[head.as_bytes(), body].concat()).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        assert!(answer.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&answer));
        answered.extend(answer);
    };
    ask(&request);
    responder.tells(" asks: ");
    ask(PASSWORD.as_bytes());
    responder.tells(" asks: ");
    room.0.write("vmyna-pki/pki.json", holder_file());
    ask(&request);
    responder.tells(" asks: ");
    responder.signal(Signal::TERM);
    let ended = responder.ends();
    assert_eq!(ended.code, Some(0), "{}", ended.all());
    assert!(!ended.stderr.contains("panicked"), "{}", ended.stderr);
    assert_kept("pki serve", &[ended.all().as_bytes(), &answered].concat());
}

/// An OCSP request about one certificate (RFC 6960, 4.1.1): `id` is issuerNameHash, issuerKeyHash, serialNumber.
fn ocsp_request(id: &[u8]) -> Vec<u8> {
    let sequence = |contents: &[u8]| [&[0x30, u8::try_from(contents.len()).unwrap()][..], contents].concat();
    let sha1 = sequence(b"\x06\x05\x2B\x0E\x03\x02\x1A\x05\x00");
    (0..5).fold([&sha1[..], id].concat(), |inner, _| sequence(&inner))
}

#[test]
fn no_secret_is_in_what_is_put_together_of_shards() {
    let room = Room::new();
    room.0.write("wrong/all.yaml", failing());
    room.0.write("wrong/more.yaml", failing().replace("all-wrong", "more"));
    for shard in ["1", "2"] {
        let (part, report) = (format!("{shard}/2"), format!("json={shard}.json"));
        let run = ["run", "wrong", "--holder", "secret.yaml", "--shard", &part, "--report", &report];
        assert!(room.run(&run) < 2);
    }
    assert_eq!(room.run(&[&["report", "merge", "1.json", "2.json"], &REPORTS[..]].concat()), 1);
    room.holds_no_secret(&["secret.yaml", "wrong/all.yaml", "wrong/more.yaml"]);
}

/// The password of an author who has written it down in a scenario's bytes.
#[test]
fn no_secret_is_in_debug_of_a_scenario_or_what_is_said_of_one_that_is_broken() {
    let requirements = Requirements::built_in();
    let text = failing();
    let scenarios = scenario::parse("all.yaml", &text, &requirements).unwrap();
    assert_kept("Debug", format!("{scenarios:?}\n{scenarios:#?}").as_bytes());
    let personalised = Arc::new(Personalised::built_in("hanako").unwrap());
    let said = run::converse(&scenarios[0], personalised, &requirements, Judge::BuiltIn, SystemTime::now());
    assert_kept("Debug", format!("{said:?}\n{said:#?}").as_bytes());
    let mut refused = 0;
    for text in broken_copies(&text) {
        if let Err(error) = scenario::parse("all.yaml", &text, &requirements) {
            assert_kept(&text, format!("{error}\n{error:?}").as_bytes());
            refused += 1;
        }
    }
    assert!(refused > 800, "{refused} refusals");
}

/// Every way in which a file with PINs in it is broken off, garbled or indented otherwise: read or refused, and no secret
/// in the refusal, neither for people nor for programmers.
#[test]
fn no_secret_is_in_what_is_wrong_with_a_file() {
    let mut refused = 0;
    let whole = holder_file();
    let turned_round = [
        format!("{whole}pins: {{{PASSWORD}: digital_signature}}\n"),
        format!("person: {{name: 試　験, age: 40}}\npins: {{{PASSWORD}: digital_signature}}\n"),
        format!("person: {{name: 試　験, age: 40}}\n{PASSWORD}: {PASSWORD}\n{PASSWORD}: {PASSWORD}\n"),
        format!("person: {{name: 試　験, age: 40}}\npins: {PASSWORD}\n"),
        format!("person: {{name: 試　験, age: 40}}\nkeys: {{user_authentication: {PASSWORD}}}\n"),
    ];
    for text in turned_round.into_iter().chain(broken_copies(&whole)) {
        if let Err(error) = Holder::parse("secret.yaml", &text) {
            assert_kept(&text, format!("{error}\n{error:?}").as_bytes());
            refused += 1;
        }
    }
    assert!(refused > 800, "{refused} refusals");

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("secret.json");
    let full = Profile::card().tries;
    let fresh = || PinStates::new(|pin| PinState { tries_left: full.of(pin), changed_value: None });
    refused = 0;
    for text in broken_copies(&state_file()) {
        std::fs::write(&path, &text).unwrap();
        if let Err(error) = FileStore::open(&path, "secret", full, fresh()) {
            assert_kept(&text, format!("{error}\n{error:?}").as_bytes());
            refused += 1;
        }
    }
    assert!(refused > 400, "{refused} refusals");

    let room = Room::new();
    room.0.write("torn.yaml", &whole[..whole.len() - 4]);
    room.0.write("torn.json", &state_file()[..220]);
    for command in [
        &["run", "--holder", "torn.yaml"][..],
        &["serve", "--listen", "0", "--holder", "torn.yaml"],
        &["serve", "--listen", "0", "--holder", "secret.yaml", "--state", "torn.json"],
        &["holders", "show", "torn.yaml"],
        &["record", "a.yaml", "--holder", "torn.yaml"],
        &["diff", "sim", "sim@torn.yaml"],
        &["portal", "--bind", "0", "--card", "sim@torn.yaml"],
        // The one file taken for the other.
        &["run", "secret.yaml"],
        &["run", "--profile", "secret.yaml"],
        &["run", "--expected", "secret.yaml"],
        &["serve", "--listen", "0", "--timing", "secret.yaml"],
        &["serve", "--listen", "0", "--state", "secret.yaml"],
        &["report", "merge", "secret.yaml"],
    ] {
        assert_eq!(room.run(command), 2, "{command:?}");
    }
}

#[test]
fn what_shows_is_found() {
    let numbers = format!("{:?}", PASSWORD.as_bytes());
    for shown in [
        PASSWORD,
        &PASSWORD[3..9],
        "05a5137584b57394d",
        &numbers,
        "39 37 35 33",
        "[57, 55, 53, 51]",
        "\"9753\"",
    ] {
        assert!(std::panic::catch_unwind(|| assert_kept("a text", shown.as_bytes())).is_err(), "{shown}");
    }
    let key = include_bytes!("../vectors/pki/TEST-KEYS/hanako-user-authentication.TEST.pem");
    assert!(std::panic::catch_unwind(|| assert_kept("a key", key)).is_err());
}

#[test]
fn no_secret_is_in_debug_or_a_panic() {
    let holder = Holder::parse("secret.yaml", &holder_file()).unwrap();
    let personalised =
        Arc::new(Personalised::new(holder.clone(), Profile::card(), jiff::Timestamp::UNIX_EPOCH).unwrap());
    let mut card = VirtualCard::new(personalised.clone());
    let verify = [&b"\x00\x20\x00\x9B\x0F"[..], PASSWORD.as_bytes()].concat();
    let change = [&b"\x00\x24\x01\x9B\x0F"[..], PASSWORD.as_bytes()].concat();
    let told = |all: &[&dyn Debug]| {
        for one in all {
            assert_kept("Debug", format!("{one:?}\n{one:#?}").as_bytes());
        }
    };
    for command in [&verify, &change] {
        let apdu = CommandApdu::parse(command).unwrap();
        let typed = vmyna_sim::command::Command::try_from(apdu);
        told(&[&typed, &Exchange::new(command, Some(&[0x90, 0x00]))]);
        vmyna_sim::smart_card::SmartCard::transmit(&mut card, command);
    }
    let changed = PinStates::new(|pin| PinState {
        tries_left: 1,
        changed_value: (pin == PinName::DigitalSignature).then(|| holder.pins.digital_signature.clone()),
    });
    told(&[&holder, &personalised, &card.pins(), &changed, &MemoryStore]);
    told(&[&holder.keys.user_authentication.key(), &personalised.issued()]);

    // A panic shows the `Debug` of an error.
    let said = Arc::new(Mutex::new(String::new()));
    let heard = said.clone();
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| heard.lock().unwrap().push_str(&panic.to_string())));
    for text in broken_copies(&holder_file()).step_by(50) {
        let _ = std::panic::catch_unwind(|| Holder::parse("secret.yaml", &text).unwrap());
    }
    std::panic::set_hook(before);
    let said = said.lock().unwrap();
    assert!(said.contains("secret.yaml"), "{said}");
    assert_kept("a panic", said.as_bytes());
}
