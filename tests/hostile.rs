//! Readers that mean no good, or know no better, before `vmyna serve` in both roles.

#![allow(clippy::unwrap_used, reason = "a test that unwraps fails where it should")]
#![expect(clippy::print_stdout, reason = "which reader it was is shown when a test fails")]

mod process;

use process::{Running, soon, vmyna};
use rustix::process::Signal;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::time::{Duration, Instant};
use vmyna_sim::vpcd::frame;

/// Bytes without meaning, the same each time.
fn garbage(length: usize) -> Vec<u8> {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 24) as u8
    };
    (0..length).map(|_| next()).collect()
}

/// Sends one frame, and reads the one that answers it.
fn ask(stream: &mut TcpStream, body: &[u8]) -> Vec<u8> {
    frame::write(stream, body).unwrap();
    let mut answer = Vec::new();
    frame::read(stream, &mut answer, || {}).unwrap();
    answer
}

const SELECT_JPKI: &[u8] = b"\x00\xA4\x04\x0C\x0A\xD3\x92\xF0\x00\x26\x01\x00\x00\x00\x01";

/// The card answers as ever, and has all its tries.
fn is_as_ever(stream: &mut TcpStream) {
    frame::write(stream, &[frame::POWER_ON]).unwrap();
    assert_eq!(ask(stream, &[frame::GET_ATR])[0], 0x3B);
    assert_eq!(ask(stream, SELECT_JPKI), [0x90, 0x00]);
    for (file, tries) in [(0x18, 0xC3), (0x1B, 0xC5)] {
        assert_eq!(ask(stream, &[0x00, 0xA4, 0x02, 0x0C, 0x02, 0x00, file]), [0x90, 0x00]);
        assert_eq!(ask(stream, b"\x00\x20\x00\x80"), [0x63, tries]);
    }
}

type Misbehaviour = fn(TcpStream);

/// What a reader can do to a card. Writing may fail at any time, since the card may close.
const READERS: [(&str, Misbehaviour); 11] = [
    ("goes at once", drop),
    ("goes within a header", |mut stream| drop(stream.write_all(&[0]))),
    ("goes within a body", |mut stream| drop(stream.write_all(&[0, 9, 0x00, 0x20, 0x00, 0x80, 0x04, b'0']))),
    ("promises 65,535 bytes and closes its half", |mut stream| {
        stream.write_all(&[0xFF, 0xFF, 1, 2, 3]).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        assert_eq!(stream.read(&mut [0; 9]).unwrap_or(0), 0, "no answer to half a command");
    }),
    ("asks and closes its half", |mut stream| {
        stream.write_all(&[0, 1, frame::GET_ATR]).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        assert_eq!(answer[2], 0x3B);
    }),
    ("resets the connection", |stream| {
        (&stream).write_all(&[0, 1, frame::GET_ATR]).unwrap();
        socket2::SockRef::from(&stream).set_linger(Some(Duration::ZERO)).unwrap();
    }),
    ("talks nonsense", |mut stream| drop(stream.write_all(&garbage(1 << 20)))),
    ("talks nonsense in frames", |mut stream| {
        for body in garbage(300_000).chunks(300) {
            frame::write(&mut stream, body).unwrap();
            frame::read(&mut stream, &mut Vec::new(), || {}).unwrap();
        }
    }),
    ("says one byte at a time", |mut stream| {
        stream.set_nodelay(true).unwrap();
        for byte in [0, 1, frame::POWER_ON, 0, 4, 0x00, 0x20, 0x00, 0x80] {
            stream.write_all(&[byte]).unwrap();
        }
        frame::read(&mut stream, &mut Vec::new(), || {}).unwrap();
    }),
    ("floods with what needs no answer", |mut stream| {
        let storm: Vec<u8> = (0..100_000_u32).flat_map(|n| [0, 1, [0, 1, 2][n as usize % 3]]).collect();
        stream.write_all(&storm).unwrap();
        stream.write_all(&[0, 1, 0x77, 0, 0].repeat(1_000)).unwrap();
        assert_eq!(ask(&mut stream, &[frame::GET_ATR])[0], 0x3B, "all of it was heard");
    }),
    ("asks for ever and reads nothing", |mut stream| {
        stream.set_write_timeout(Some(Duration::from_millis(200))).unwrap();
        let challenge = [&[0, 5][..], b"\x00\x84\x00\x00\x00"].concat().repeat(1_000);
        let mut asked = 0;
        while asked < 1_000_000 && stream.write_all(&challenge).is_ok() {
            asked += 1_000;
        }
    }),
];

fn figure(card: &Running, name: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", card.pid().as_raw_nonzero())).unwrap();
    let line = status.lines().find(|line| line.starts_with(name)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// Waits until it has the threads that it always has, and no other; and so many open files.
fn settles(card: &Running, files: usize) {
    let place = format!("/proc/{}", card.pid().as_raw_nonzero());
    let names = || {
        let tasks = std::fs::read_dir(format!("{place}/task")).unwrap();
        // One that ends while it is looked at is none.
        let mut names: Vec<_> = tasks
            .filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("comm")).ok())
            .map(|name| name.trim_end().to_owned())
            .collect();
        names.sort();
        names
    };
    let until = soon();
    while (names() != ["control", "ctrl-c", "vmyna"] || open_files(card) != files) && Instant::now() < until {
        std::thread::yield_now();
    }
    assert_eq!(names(), ["control", "ctrl-c", "vmyna"]);
    assert_eq!(open_files(card), files);
}

fn open_files(card: &Running) -> usize {
    std::fs::read_dir(format!("/proc/{}/fd", card.pid().as_raw_nonzero())).unwrap().count()
}

/// Whether `card` got along with all readers: `meet` brings it together with the next one.
fn outlives_all(mut card: Running, mut meet: impl FnMut(&mut Running) -> TcpStream) {
    let mut first = meet(&mut card);
    is_as_ever(&mut first);
    let (memory, files) = (figure(&card, "VmRSS"), open_files(&card));
    settles(&card, files);
    drop(first);
    for (name, misbehave) in READERS {
        println!("a reader that {name}"); // shown when it fails
        misbehave(meet(&mut card));
        is_as_ever(&mut meet(&mut card));
    }
    let grown = figure(&card, "VmRSS").saturating_sub(memory);
    assert!(grown < 16 * 1024, "{grown} KiB more");
    // And the last: it can be ended while a reader does not take its answers.
    let mut deaf = meet(&mut card);
    is_as_ever(&mut deaf);
    settles(&card, files);
    deaf.set_write_timeout(Some(Duration::from_millis(200))).unwrap();
    while deaf.write_all(&[&[0, 5][..], b"\x00\x84\x00\x00\x00"].concat().repeat(1_000)).is_ok() {}
    card.signal(Signal::TERM);
    let ended = card.ends();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(!ended.stderr.contains("panicked"), "{}", ended.stderr);
    assert!(ended.stderr.contains("ignored in all: 2000 frames"), "{}", ended.stderr);
    assert!(ended.stderr.lines().count() < 200, "a flood is not repeated:\n{}", ended.stderr);
}

#[test]
fn a_card_that_listens_outlives_every_reader() {
    let mut card = Running::start(&mut vmyna(["serve", "--listen", "0"]));
    let port = card.tells_port("listening for a reader on 127.0.0.1:");
    outlives_all(card, |_| TcpStream::connect(("127.0.0.1", port)).unwrap());
}

#[test]
fn a_card_that_connects_outlives_every_reader() {
    let reader = TcpListener::bind("127.0.0.1:0").unwrap();
    let card = Running::start(&mut vmyna(["serve", "--connect", &reader.local_addr().unwrap().to_string()]));
    outlives_all(card, |_| reader.accept().unwrap().0);
}

#[test]
fn thousands_of_connections_leave_nothing_behind() {
    let mut card = Running::start(&mut vmyna(["serve", "--listen", "0"]));
    let port = card.tells_port("listening for a reader on 127.0.0.1:");
    let connect = || TcpStream::connect(("127.0.0.1", port)).unwrap();
    let mut first = connect();
    is_as_ever(&mut first);
    let (memory, files) = (figure(&card, "VmRSS"), open_files(&card));
    drop(first);
    for _ in 0..2_000 {
        drop(connect());
    }
    // A crowd at the door at once; one that is let in says nothing, and goes.
    let crowd: Vec<_> = (0..100).map(|_| connect()).collect();
    drop(crowd);
    let mut last = connect();
    is_as_ever(&mut last);
    let grown = figure(&card, "VmRSS").saturating_sub(memory);
    assert!(grown < 8 * 1024, "{grown} KiB more");
    settles(&card, files);
}
