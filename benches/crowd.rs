//! A thousand cards in one process, driven by eight threads for a minute; with other numbers, a soak:
//! `cargo bench --bench crowd -- --cards 1000 --threads 8 --seconds 60`. Prints latencies by kind of
//! command, the fewest and the most answers of any card, the memory of the process, and what became of the time that
//! answers took: whether a processor worked on them, or they waited for one, or for something else.
//! `--without-signatures` leaves out what takes a card longer than some microseconds.

#![expect(clippy::print_stdout, reason = "it prints its figures")]

#[path = "crowd/mod.rs"]
mod crowd;

use crowd::{BEFORE_SIGNING, Crowd, KINDS, assert_alike, drive};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// Of a soak, how often the memory is looked at.
const LOOK: Duration = Duration::from_mins(1);

fn argument(name: &str, otherwise: u64) -> u64 {
    let mut arguments = std::env::args().skip_while(|argument| argument != name);
    arguments.nth(1).map_or(otherwise, |value| value.parse().expect("a number"))
}

fn main() {
    let (cards, threads) = (argument("--cards", 1_000) as u16, argument("--threads", 8) as usize);
    let time = Duration::from_secs(argument("--seconds", 60));
    let crowd = Crowd::start(env!("CARGO_BIN_EXE_vmyna"), cards);
    let mut shares = crowd.terminals(threads);
    let signs = !std::env::args().any(|argument| argument == "--without-signatures");
    if !signs {
        shares.iter_mut().flatten().for_each(|terminal| terminal.rounds = BEFORE_SIGNING);
    }
    let before = crowd.work();
    println!("{cards} cards, {threads} threads, {} s", time.as_secs());
    let (from, done) = (Instant::now(), AtomicBool::new(false));
    let mut memory = Vec::new();
    let latencies = thread::scope(|scope| {
        let driving = scope.spawn(|| drive(&mut shares, |_| done.load(Ordering::Relaxed)));
        loop {
            memory.push(crowd.status("VmRSS"));
            println!("after {:>4} s: {} KiB resident", from.elapsed().as_secs(), memory[memory.len() - 1]);
            let left = time.saturating_sub(from.elapsed());
            if left.is_zero() {
                break;
            }
            thread::sleep(left.min(LOOK));
        }
        done.store(true, Ordering::Relaxed);
        driving.join().expect("every answer is right")
    });
    let mut work = crowd.work() - before;
    if signs {
        assert_alike(&shares);
    }
    println!("{:<24} {:>10} {:>12} {:>12} {:>8}", "", "answers", "p50 us", "p99 us", "ratio");
    for (kind, name) in KINDS.iter().enumerate().filter(|(kind, _)| latencies.count(*kind) > 0) {
        let (p50, p99) = (latencies.quantile(kind, 0.5), latencies.quantile(kind, 0.99));
        println!(
            "{name:<24} {:>10} {:>12} {:>12} {:>8.1}",
            latencies.count(kind),
            p50.as_micros(),
            p99.as_micros(),
            p99.as_secs_f64() / p50.as_secs_f64()
        );
    }
    // Between two answers a thread counts, which takes next to nothing.
    work += latencies.work;
    let part = |time: Duration| 100.0 * time.as_secs_f64() / latencies.total.as_secs_f64();
    println!(
        "of the time that answers took: {:.1} % computing, {:.1} % ready and waiting for a processor",
        part(work.computing),
        part(work.waiting_for_a_processor)
    );
    let answered = || shares.iter().flatten().map(|terminal| terminal.answered);
    println!("answers of a card: {} to {}", answered().min().unwrap_or(0), answered().max().unwrap_or(0));
    println!("memory at most: {} KiB of 204800; threads: {}", crowd.status("VmHWM"), crowd.status("Threads"));
    println!("ended in good order: {}", crowd.ends());
}
