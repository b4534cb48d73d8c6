//! Many cards in one process, driven by a few threads: whether every answer is right, whether any
//! card waits longer than others, what the process needs.

mod latencies;
mod work;

pub use latencies::Latencies;
pub use work::Work;

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStderr, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};
use vmyna_sim::smart_card::Power;
use vmyna_sim::vpcd::{Address, Connection, ReaderOptions};

/// What a card is asked, and what hanako's answers. PINs are hers, as published.
pub const KINDS: [&str; 6] =
    ["SELECT", "READ BINARY 256", "VERIFY, wrong", "VERIFY, right", "signature", "INTERNAL AUTHENTICATE"];

const PATIENCE: Duration = Duration::from_secs(60);

/// A `vmyna serve` with that many cards, each on a port of its own.
pub struct Crowd {
    process: Child,
    _stderr: BufReader<ChildStderr>,
    ports: Vec<u16>,
}

impl Crowd {
    /// Starts `program`, and returns when all its cards listen.
    pub fn start(program: &str, cards: u16) -> Self {
        let mut process = Command::new(program)
            .args(["serve", "--listen", "127.0.0.1:0", "--slots", &cards.to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program is built");
        let mut stderr = BufReader::new(process.stderr.take().expect("a pipe"));
        let mut ports = Vec::new();
        while ports.len() < usize::from(cards) {
            let mut line = String::new();
            assert_ne!(stderr.read_line(&mut line).expect("text"), 0, "it has ended");
            if let Some((_, port)) = line.trim_end().split_once("listening for a reader on 127.0.0.1:") {
                ports.push(port.parse().expect("a port"));
            }
        }
        Self { process, _stderr: stderr, ports }
    }

    /// A figure of `/proc/PID/status`: `VmHWM` and `VmRSS` in KiB, `Threads`.
    pub fn status(&self, name: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id())).expect("Linux");
        let line = status.lines().find(|line| line.starts_with(name)).expect("the kernel tells it");
        line.split_whitespace().nth(1).and_then(|figure| figure.parse().ok()).expect("a number")
    }

    /// What its threads did so far.
    pub fn work(&self) -> Work {
        Work::of_process(self.process.id())
    }

    /// Puts a terminal before each card, and shares them out among that many threads.
    pub fn terminals(&self, threads: usize) -> Vec<Vec<Terminal>> {
        let mut shares: Vec<Vec<Terminal>> = (0..threads).map(|_| Vec::new()).collect();
        for (index, port) in self.ports.iter().enumerate() {
            shares[index % threads].push(Terminal::before(*port));
        }
        shares
    }

    /// Ends it with SIGTERM; every thread is waited for by the process itself.
    pub fn ends(mut self) -> bool {
        let pid = rustix::process::Pid::from_child(&self.process);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).expect("it is there");
        drop(self._stderr);
        self.process.wait().is_ok_and(|status| status.success())
    }
}

/// A reader with one card in it, and what its answers should be.
pub struct Terminal {
    card: Connection,
    /// which of the rounds comes next, and how many there are
    round: usize,
    pub rounds: usize,
    block: Option<Vec<u8>>,
    signature: Option<Vec<u8>>,
    authentication: Option<Vec<u8>>,
    pub answered: u64,
}

/// How many rounds there are before a card begins anew, and how many before the first that signs.
pub const ROUNDS: usize = 10;
pub const BEFORE_SIGNING: usize = 7;

const SELECT_JPKI: &[u8] = b"\x00\xA4\x04\x0C\x0A\xD3\x92\xF0\x00\x26\x01\x00\x00\x00\x01";

impl Terminal {
    fn before(port: u16) -> Self {
        let deadline = Instant::now() + PATIENCE;
        let options = ReaderOptions { answer_timeout: PATIENCE, ..ReaderOptions::default() };
        let mut card = Connection::connect(&Address::loopback(port), deadline, options).expect("a card");
        card.power(Power::On).expect("the card is there");
        card.atr().expect("an ATR");
        assert_eq!(card.transmit(SELECT_JPKI).expect("an answer"), [0x90, 0x00]);
        Self {
            card,
            round: 0,
            rounds: ROUNDS,
            block: None,
            signature: None,
            authentication: None,
            answered: 0,
        }
    }

    /// Asks the next thing, and holds the answer against what it must be.
    pub fn ask(&mut self, latencies: &mut Latencies) {
        let select = |id: u8| [0x00, 0xA4, 0x02, 0x0C, 0x02, 0x00, id];
        let (kind, command): (usize, &[u8]) = match self.round {
            0 | 2 | 6 | 8 => (0, &select([0x0A, 0, 0x18, 0, 0, 0, 0x17, 0, 0x17][self.round])),
            1 => (1, &[0x00, 0xB0, 0x00, 0x00, 0x00]),
            3 => (2, b"\x00\x20\x00\x80\x040000"),
            4 | 5 => (3, b"\x00\x20\x00\x80\x041234"),
            7 => (4, &[&[0x80, 0x2A, 0x00, 0x80, 0x13][..], &DIGEST_INFO, &[0x00]].concat()),
            _ => (5, b"\x00\x88\x00\x80\x04abcd\x00"),
        };
        let from = Instant::now();
        let answer = self.card.transmit(command).expect("an answer");
        latencies.add(kind, from.elapsed());
        let status = [answer[answer.len() - 2], answer[answer.len() - 1]];
        let expected = match self.round {
            3 => [0x63, 0xC2],
            // whatever a card says to it, it says it always
            9 => status,
            _ => [0x90, 0x00],
        };
        assert_eq!(status, expected, "{} in round {}", KINDS[kind], self.round);
        let known = match self.round {
            1 => Some(&mut self.block),
            7 => Some(&mut self.signature),
            9 => Some(&mut self.authentication),
            _ => None,
        };
        if let Some(known) = known {
            assert_eq!(known.get_or_insert_with(|| answer.clone()), &answer, "{}", KINDS[kind]);
        }
        self.round = (self.round + 1) % self.rounds;
        self.answered += 1;
    }

    /// What a card answered that every card of its holder answers alike.
    pub fn answers(&self) -> (&[u8], &[u8]) {
        (self.block.as_deref().unwrap_or_default(), self.signature.as_deref().unwrap_or_default())
    }
}

/// Something to sign: the end of a DigestInfo would do as well.
const DIGEST_INFO: [u8; 19] = [0x55; 19];

/// Drives all terminals round and round until `enough`, each thread its share.
pub fn drive(shares: &mut [Vec<Terminal>], enough: impl Fn(u64) -> bool + Sync) -> Latencies {
    let enough = &enough;
    thread::scope(|scope| {
        let driving: Vec<_> = shares
            .iter_mut()
            .map(|terminals| {
                scope.spawn(move || {
                    let mut latencies = Latencies::new(KINDS.len());
                    let mut rounds = 0;
                    while !enough(rounds) {
                        for terminal in &mut *terminals {
                            terminal.ask(&mut latencies);
                        }
                        rounds += 1;
                    }
                    latencies.work = Work::of_this_thread();
                    latencies
                })
            })
            .collect();
        let mut all = Latencies::new(KINDS.len());
        for thread in driving {
            all.join(&thread.join().expect("every answer is right"));
        }
        all
    })
}

/// Every card of one holder answers alike.
pub fn assert_alike(shares: &[Vec<Terminal>]) {
    let first = shares[0][0].answers();
    assert!(first.0.len() == 258 && first.1.len() == 258, "a block and a signature");
    for terminal in shares.iter().flatten() {
        assert_eq!(terminal.answers(), first);
    }
}
