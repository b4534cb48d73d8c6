//! The real process over a real file, killed at any moment: as it starts, as it writes, as it
//! answers. A hundred times; `VMYNA_KILLS` says how often otherwise, `VMYNA_SEED` which moments.

mod process;

use process::reader::{SIGNATURE_PIN, connect};
use process::{Folder, vmyna};
use rustix::process::{Pid, Signal, kill_process};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Stdio};
use std::thread;
use std::time::{Duration, Instant};
use vmyna::terminal::{JPKI_AID, select_application, select_file};
use vmyna_sim::smart_card::Power;
use vmyna_sim::vpcd::Connection;

const FULL: u8 = 5;
const VALUES: [&str; 2] = ["ABC123", "ZK48QW"];

/// Longest life of the process once it serves, and once it was started, in microseconds.
const SERVING: u64 = 20_000;
const STARTING: u64 = 60_000;

/// What the state file may say of the signature password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct State {
    tries: u8,
    value: usize,
}

const FRESH: State = State { tries: FULL, value: 0 };

#[derive(Debug, Clone, Copy)]
enum Operation {
    Wrong,
    Right,
    Change,
}

impl Operation {
    /// Every state in which it may have left the card when its answer did not come.
    fn outcomes(self, from: State) -> Vec<State> {
        let spent = State { tries: from.tries.saturating_sub(1), ..from };
        match self {
            Self::Wrong => vec![from, spent],
            Self::Right if from.tries == 0 => vec![from],
            Self::Right => vec![from, spent, State { tries: FULL, ..from }],
            Self::Change => vec![from, State { value: 1 - from.value, ..from }],
        }
    }
}

/// Moments that nobody chose, and that can be repeated.
struct Moments(u64);

impl Moments {
    fn below(&mut self, bound: u64) -> u64 {
        // xorshift64*
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) % bound
    }
}

/// Kills `process` after so many microseconds, by watching the clock: a moment is shorter than a
/// sleep.
fn kill_after(process: &Child, microseconds: u64) -> thread::JoinHandle<()> {
    let (pid, dies) = (Pid::from_child(process), Instant::now() + Duration::from_micros(microseconds));
    thread::spawn(move || {
        while Instant::now() < dies {
            std::hint::spin_loop();
        }
        kill_process(pid, Signal::KILL).expect("it has not been waited for");
    })
}

fn start(state: &Path) -> Child {
    let state = state.to_str().expect("a path in text");
    let mut command = vmyna(["serve", "--listen", "127.0.0.1:0", "--state", state]);
    command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("the program is built")
}

/// The port that the card listens on, unless it is killed first.
fn listens(process: &mut Child) -> Option<u16> {
    let stderr = BufReader::new(process.stderr.take()?);
    let mut lines = stderr.lines().map_while(Result::ok);
    let line = lines.by_ref().find(|line| {
        assert!(!line.starts_with("error:"), "{line}");
        line.starts_with("listening")
    })?;
    line.rsplit_once(':')?.1.parse().ok()
}

fn status(card: &mut Connection, command: &[u8]) -> Option<u16> {
    let answer = card.transmit(command).ok()?;
    answer.last_chunk().map(|status| u16::from_be_bytes(*status))
}

fn verify(card: &mut Connection, value: &str) -> Option<u16> {
    status(card, &[&[0x00, 0x20, 0x00, 0x80, value.len() as u8], value.as_bytes()].concat())
}

/// Where the card stands, which must be one of the states that it may be in.
fn found(card: &mut Connection, possible: &[State]) -> State {
    card.power(Power::On).expect("the card is there");
    status(card, &select_application(&JPKI_AID)).expect("an answer");
    status(card, &select_file(SIGNATURE_PIN)).expect("an answer");
    let tries = status(card, &[0x00, 0x20, 0x00, 0x80]).expect("an answer");
    let tries = (tries & 0x000F) as u8;
    let possible: Vec<_> = possible.iter().filter(|state| state.tries == tries).copied().collect();
    assert!(!possible.is_empty(), "{tries} tries are left; possible were {possible:?}");
    possible[0]
}

#[test]
fn however_often_it_is_killed_no_try_is_won_and_nothing_is_opened() {
    let number = |name: &str| std::env::var(name).ok().and_then(|value| value.parse::<u64>().ok());
    let (kills, seed) = (number("VMYNA_KILLS").unwrap_or(100), number("VMYNA_SEED").unwrap_or(20_261_124));
    println!("{kills} kills, VMYNA_SEED={seed}");
    let mut moments = Moments(seed | 1);
    let folder = Folder::new();
    let path = folder.path().join("hanako.json");
    let mut possible = vec![FRESH];
    let (mut early, mut torn, mut blocked, mut changed) = (0, 0, 0, 0);
    for _ in 0..kills {
        let mut process = start(&path);
        let killed = (moments.below(4) == 0).then(|| kill_after(&process, moments.below(STARTING)));
        let port = listens(&mut process);
        if let Some(killed) = killed {
            // Of a card that is only started, the state does not change.
            killed.join().expect("it was killed");
            process.wait().expect("it has ended");
            early += 1;
            continue;
        }
        let mut card = connect(port.expect("it listens"));
        let mut state = found(&mut card, &possible);
        if state.tries > 0
            && possible.iter().any(|other| other.tries == state.tries && other.value != state.value)
        {
            // The password is the old one or the new one: the right one is told by being right.
            if verify(&mut card, VALUES[state.value]) != Some(0x9000) {
                state = State { tries: state.tries - 1, value: 1 - state.value };
            } else {
                state.tries = FULL;
            }
        }
        if state.tries == 0 {
            blocked += 1;
            assert_eq!(verify(&mut card, VALUES[state.value]), Some(0x6984), "blocked is blocked");
            process.kill().expect("it is there");
            process.wait().expect("it has ended");
            // Another card, and as often as not one that is killed when it is first started.
            std::fs::remove_file(&path).expect("its state is there");
            possible = vec![FRESH];
            continue;
        }
        let killed = kill_after(&process, moments.below(SERVING));
        let mut verified = false;
        possible = loop {
            let operation = match moments.below(8) {
                0..=2 => Operation::Wrong,
                3..=5 => Operation::Right,
                _ if verified => Operation::Change,
                _ => Operation::Right,
            };
            let answer = match operation {
                Operation::Wrong => verify(&mut card, "WRONG1"),
                Operation::Right => verify(&mut card, VALUES[state.value]),
                Operation::Change => {
                    let value = VALUES[1 - state.value];
                    status(&mut card, &[&[0x00, 0x24, 0x01, 0x80, 6], value.as_bytes()].concat())
                }
            };
            let before = state;
            match (operation, answer) {
                (_, None) => break operation.outcomes(state),
                (Operation::Wrong, Some(told)) => {
                    verified = false;
                    state.tries = state.tries.saturating_sub(1);
                    let blocked = before.tries == 0 && told == 0x6984;
                    assert!(
                        blocked || told == 0x63C0 | u16::from(state.tries),
                        "{told:04X} after {before:?}"
                    );
                }
                (Operation::Right, Some(0x6984)) => assert_eq!(state.tries, 0),
                (Operation::Right, told) => {
                    assert_eq!(told, Some(0x9000), "{before:?}");
                    verified = true;
                    state.tries = FULL;
                }
                (Operation::Change, told) => {
                    assert_eq!(told, Some(0x9000), "{before:?}");
                    state.value = 1 - state.value;
                    changed += 1;
                }
            }
        };
        torn += 1;
        killed.join().expect("it was killed");
        process.wait().expect("it has ended");
    }
    println!(
        "{early} killed as they started, {torn} as they served, {blocked} blocked, {changed} passwords changed"
    );
    let left: Vec<_> = folder.contents().into_keys().collect();
    assert!(left.len() <= 2, "what a kill leaves beside the state does not add up: {left:?}");
}
