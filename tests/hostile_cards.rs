//! Cards that mean no good, or know no better, before the harness: whatever one answers, or does not, each command ends in
//! bounded time and memory, with a verdict or an error and never in a panic.

#![allow(clippy::unwrap_used, reason = "a test that unwraps fails where it should")]

mod process;

use process::{Ended, Folder, PATIENCE, Running, soon, vmyna};
use rustix::process::Signal;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::sync::Arc;
use std::thread;
use std::time::Duration;
use vmyna::requirement::Requirements;
use vmyna::scenario;
use vmyna_sim::card::VirtualCard;
use vmyna_sim::smart_card::{Power, Reaction, SmartCard};
use vmyna_sim::vpcd::frame::{self, Request};
use vmyna_sim::vpcd::{Address, Connection, ReaderOptions, Shutdown};

/// How much memory a command may take before a hostile card, in bytes.
const MEMORY: u64 = 256 << 20;

/// And how much processor time, in seconds: unlike the time that passes, it does not depend on what else
/// the machine does.
const PROCESSOR: u64 = 60;

/// How a card treats one connection; writing fails when the reader has had enough.
type Misbehaviour = fn(TcpStream) -> io::Result<()>;

const ATR: [u8; 9] = [0x3B, 0xE0, 0x00, 0xFF, 0x81, 0x31, 0xFE, 0x45, 0x14];

/// Hears requests, and has `answer` answer every command; the bytes go out as they are, header included.
fn answers(mut stream: TcpStream, mut answer: impl FnMut(&[u8]) -> Vec<u8>) -> io::Result<()> {
    let mut body = Vec::new();
    while frame::read(&mut stream, &mut body, || {}).is_ok() {
        match Request::from(&body[..]) {
            Request::GetAtr => stream.write_all(&frame::encode(&ATR).unwrap())?,
            Request::Apdu(command) => stream.write_all(&answer(command))?,
            _ => {}
        }
    }
    Ok(())
}

fn framed(answer: &[u8]) -> Vec<u8> {
    frame::encode(answer).unwrap()
}

/// Says nothing until the reader goes.
fn waits(mut stream: TcpStream) -> io::Result<()> {
    stream.read_to_end(&mut Vec::new()).map(drop)
}

fn block(first: &[u8], length: usize) -> Vec<u8> {
    let mut answer = first.to_vec();
    answer.resize(length, 0x30);
    framed(&[&answer[..], &[0x90, 0x00]].concat())
}

/// Whose answers add up to most: everything is a success, so that much is asked.
const SAYS_MOST: &str = "succeeds with 65,535 bytes";

const CARDS: [(&str, Misbehaviour); 23] = [
    ("leaves at once", |stream| stream.shutdown(std::net::Shutdown::Both)),
    ("resets the connection", |stream| socket2::SockRef::from(&stream).set_linger(Some(Duration::ZERO))),
    ("says nothing", waits),
    ("has an ATR of no bytes", |mut stream| {
        stream.write_all(&[0, 0])?;
        waits(stream)
    }),
    ("has an ATR without end", |mut stream| {
        stream.write_all(&[0xFF, 0xFF])?;
        stream.write_all(&[0x3B; 70_000])?;
        waits(stream)
    }),
    ("says nothing to commands", |stream| answers(stream, |_| Vec::new())),
    ("leaves within the header of an answer", |stream| {
        let leaving = stream.try_clone()?;
        answers(stream, move |_| {
            let _ = (&leaving).write_all(&[0]);
            let _ = leaving.shutdown(std::net::Shutdown::Both);
            Vec::new()
        })
    }),
    ("leaves within an answer", |stream| {
        let leaving = stream.try_clone()?;
        answers(stream, move |_| {
            let _ = (&leaving).write_all(&[0, 10, 1, 2, 3]);
            let _ = leaving.shutdown(std::net::Shutdown::Write);
            Vec::new()
        })
    }),
    ("promises 65,535 bytes and sends three", |stream| answers(stream, |_| vec![0xFF, 0xFF, 1, 2, 3])),
    ("sends more than it promised", |stream| answers(stream, |_| vec![0, 2, 0x90, 0x00, 0x90, 0x00])),
    ("answers in frames of no bytes", |stream| answers(stream, |_| vec![0, 0])),
    ("answers with one byte", |stream| answers(stream, |_| framed(&[0x90]))),
    ("answers everything twice", |stream| answers(stream, |_| framed(&[0x90, 0x00]).repeat(2))),
    ("talks all the time", |mut stream| {
        let talk = framed(&[0x90, 0x00]).repeat(1_000);
        loop {
            stream.write_all(&talk)?;
        }
    }),
    ("answers with 65,535 bytes", |stream| answers(stream, |_| framed(&[0x90; 65_535]))),
    (SAYS_MOST, |stream| answers(stream, |_| block(&[], 65_533))),
    ("promises more of its answer for ever", |stream| answers(stream, |_| framed(&[0x30, 0x61, 0xFF]))),
    ("wants another length for ever", |stream| answers(stream, |_| framed(&[0x6C, 0x01]))),
    ("has files without end", |stream| answers(stream, |_| block(&[], 256))),
    ("has a certificate longer than any file", |stream| {
        answers(stream, |_| block(&[0x30, 0x84, 0xFF, 0xFF, 0xFF, 0xFF], 256))
    }),
    ("has objects that contain themselves", |stream| {
        answers(stream, |_| block(&[0x7F, 0x21, 0x80, 0xFF, 0x40], 256))
    }),
    ("answers at random", |stream| {
        let mut state = 0x9E37_79B9_7F4A_7C15_u64;
        answers(stream, move |_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            let noise = state.to_be_bytes();
            let status =
                [[0x90, 0x00], [0x63, 0xC1], [0x69, 0x84], [noise[6], noise[7]]][usize::from(noise[5] % 4)];
            framed(&[&noise.repeat(usize::from(noise[4] % 40)), &status[..]].concat())
        })
    }),
    ("answers one byte in a while, and never ends", |mut stream| {
        stream.set_read_timeout(Some(Duration::from_millis(20)))?;
        stream.write_all(&[0xFF, 0xFF])?;
        loop {
            match stream.read(&mut [0; 512]) {
                Ok(0) => return Ok(()),
                _ => stream.write_all(&[0x90])?,
            }
        }
    }),
];

/// A card that listens, and treats everyone who connects alike; gone when dropped.
struct Hostile {
    port: u16,
    shutdown: Shutdown,
    thread: Option<thread::JoinHandle<()>>,
}

impl Hostile {
    fn new(misbehave: Misbehaviour) -> Self {
        let listener = Arc::new(TcpListener::bind("127.0.0.1:0").unwrap());
        let port = listener.local_addr().unwrap().port();
        let shutdown = Shutdown::new();
        let end = shutdown.clone();
        let thread = thread::spawn(move || {
            while let Some(Ok((stream, _))) = end.accept(&listener) {
                thread::spawn(move || drop(misbehave(stream)));
            }
        });
        Self { port, shutdown, thread: Some(thread) }
    }
}

impl Drop for Hostile {
    fn drop(&mut self) {
        self.shutdown.now();
        self.thread.take().unwrap().join().unwrap();
    }
}

/// `vmyna` with so much memory and processor time and no more: what would take more is aborted.
fn bounded(folder: &Folder, arguments: &[&str]) -> Command {
    let program = vmyna(arguments);
    let mut command = Command::new("prlimit");
    command
        .arg(format!("--data={MEMORY}"))
        .arg(format!("--cpu={PROCESSOR}"))
        .arg(program.get_program())
        .args(program.get_args());
    command.env("LC_ALL", "C.UTF-8").env("NO_COLOR", "1").current_dir(folder.path());
    command.stdin(std::process::Stdio::null());
    command
}

fn meets(misbehave: Misbehaviour, command: &[&str]) -> Ended {
    let card = Hostile::new(misbehave);
    let seat = format!("vicc:127.0.0.1:{}", card.port);
    let folder = Folder::new();
    let arguments: Vec<_> = command.iter().map(|word| if *word == "CARD" { &seat } else { *word }).collect();
    Running::start(&mut bounded(&folder, &arguments)).ends()
}

/// These cards at once, for most of the time passes in waiting for the mute; each command ends with a verdict.
fn meet(cards: &[(&str, Misbehaviour)], command: &[&str]) {
    thread::scope(|scope| {
        for (name, misbehave) in cards {
            scope.spawn(move || {
                let ended = meets(*misbehave, command);
                let all = ended.all();
                assert!(matches!(ended.code, Some(1 | 3)), "a card that {name}: {:?}\n{all}", ended.code);
                assert!(!all.contains("panicked"), "a card that {name}:\n{all}");
            });
        }
    });
}

/// The files of a few scenarios that play every verb, each as early in its scenario as any does. What a card says is
/// heard by the verbs, and by what is read before the first scenario: the rest of the catalogue says the same again.
fn every_verb() -> Vec<String> {
    let scenarios = scenario::built_in(&Requirements::built_in());
    let mut earliest: BTreeMap<&str, (usize, &str)> = BTreeMap::new();
    for scenario in scenarios.iter().filter(|scenario| scenario.row.is_none()) {
        for (at, placed) in scenario.all_steps().enumerate() {
            let found = (at, scenario.position.file.as_str());
            let best = earliest.entry(placed.step.verb.name()).or_insert(found);
            *best = (*best).min(found);
        }
    }
    let files: BTreeSet<_> = earliest.into_values().map(|(_, file)| file).collect();
    files.into_iter().map(|file| format!("{}/../{file}", env!("CARGO_MANIFEST_DIR"))).collect()
}

const REPORTS: [&str; 8] = [
    "--report",
    "json=r.json",
    "--report",
    "html=r.html",
    "--report",
    "junit=r.xml",
    "--report",
    "tap=r.tap",
];

const RUN: [&str; 6] = ["run", "--card", "CARD", "--mine", "--wait", "1"];

#[test]
fn a_run_with_every_report_ends_before_every_card() {
    let files = every_verb();
    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    meet(&CARDS, &[&RUN[..], &["--verbose"], &REPORTS, &files].concat());
}

#[test]
fn the_whole_catalogue_and_its_reports_end_before_the_card_that_says_most() {
    let says_most = CARDS.into_iter().find(|(name, _)| *name == SAYS_MOST).unwrap();
    meet(&[says_most], &[&RUN[..], &REPORTS].concat());
}

/// It hears a card as a run does; what is its own is to hold what came against what another card said.
#[test]
fn a_comparison_ends_with_every_card() {
    let token = concat!(env!("CARGO_MANIFEST_DIR"), "/../vectors/scenarios/jpki/token/information.yaml");
    meet(&CARDS, &["diff", "sim", "CARD", "--mine", "--wait", "1", token]);
}

/// The client gives up on no card sooner than the harness does.
#[test]
fn a_recording_ends_with_every_card() {
    thread::scope(|scope| {
        for (name, misbehave) in CARDS {
            scope.spawn(move || {
                let (card, folder) = (Hostile::new(misbehave), Folder::new());
                let seat = format!("vicc:127.0.0.1:{}", card.port);
                let record =
                    ["record", "r.yaml", "--listen", "127.0.0.1:0", "--mine", "--wait", "1", "--card", &seat];
                let mut recording = Running::start(&mut bounded(&folder, &record));
                // It may have ended already, when the card has no ATR.
                if let Some(port) = recording.may_tell_port("listening for a reader on 127.0.0.1:") {
                    let options = ReaderOptions { answer_timeout: PATIENCE, ..ReaderOptions::default() };
                    let client = Connection::connect(&Address::loopback(port), soon(), options);
                    if let Ok(mut client) = client {
                        let _ = (client.power(Power::On), client.atr());
                        let commands = [
                            &b"\x00\xA4\x04\x0C\x0A\xD3\x92\xF0\x00\x26\x01\x00\x00\x00\x01"[..],
                            b"\x00\xB0\x8A\x00\x00",
                        ];
                        let _ = commands.iter().all(|command| client.transmit(command).is_ok());
                    }
                    recording.signal(Signal::INT);
                }
                let ended = recording.ends();
                assert!(
                    matches!(ended.code, Some(0..=3)),
                    "a card that {name}: {:?}\n{}",
                    ended.code,
                    ended.all()
                );
                assert!(!ended.all().contains("panicked"), "a card that {name}:\n{}", ended.all());
            });
        }
    });
}

#[test]
fn an_honest_card_that_answers_a_byte_at_a_time_is_as_good_as_any() {
    let honest: Misbehaviour = |mut stream| {
        stream.set_nodelay(true)?;
        let mut card = VirtualCard::built_in("hanako").unwrap();
        let mut body = Vec::new();
        while frame::read(&mut stream, &mut body, || {}).is_ok() {
            let reaction = match Request::from(&body[..]) {
                Request::GetAtr => card.atr(),
                Request::Apdu(command) => card.transmit(command),
                control => {
                    card.power(match control {
                        Request::PowerOn => Power::On,
                        Request::WarmReset => Power::WarmReset,
                        _ => Power::Off,
                    });
                    continue;
                }
            };
            let Reaction::Answer(answer) = reaction else { panic!("it answers") };
            for byte in framed(&answer) {
                stream.write_all(&[byte])?;
            }
        }
        Ok(())
    };
    let ended = meets(honest, &["run", "--card", "CARD", "--mine", "--tag", "read"]);
    assert_eq!(ended.code, Some(0), "{}", ended.all());
}
