//! A thousand cards in one process: every answer is right, the memory is bounded, and nothing is
//! left of it. `cargo bench --bench crowd` is the same for a minute, with figures.

#[allow(dead_code, reason = "the bench uses more of it")]
#[path = "../benches/crowd/mod.rs"]
mod crowd;

use crowd::{Crowd, assert_alike, drive};
use std::sync::Arc;
use std::time::{Duration, Instant};
use vmyna::control::Slot;
use vmyna_sim::card::{Personalised, VirtualCard};
use vmyna_sim::fault::Faults;
use vmyna_sim::profile::Latency;
use vmyna_sim::vpcd::{Address, Mode, bind};

const MEMORY: u64 = 200 * 1024;

#[test]
fn a_thousand_cards_answer_rightly_within_bounded_memory_and_end_in_good_order() {
    let crowd = Crowd::start(env!("CARGO_BIN_EXE_vmyna"), 1_000);
    let mut shares = crowd.terminals(8);
    // Twice through everything that is asked.
    drive(&mut shares, |rounds| rounds == 20);
    assert_alike(&shares);
    assert!(shares.iter().flatten().all(|terminal| terminal.answered == 20));
    let memory = crowd.status("VmHWM");
    assert!(memory < MEMORY, "{memory} KiB");
    assert!(crowd.ends());
}

#[test]
fn no_thread_is_left_behind() {
    let threads = || {
        let tasks = std::fs::read_dir("/proc/self/task").expect("Linux");
        tasks
            .filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("comm")).ok())
            .filter(|name| name.starts_with("card-") || name.starts_with("vpcd"))
            .count()
    };
    let personalised = Arc::new(Personalised::built_in("hanako").unwrap());
    let (listening, heard) = std::sync::mpsc::channel();
    let slots: Vec<_> = (0..50)
        .map(|number| {
            let slot = Slot::new(number, "", VirtualCard::new(personalised.clone()), Faults::new(0));
            let mut card = slot.card(Latency::default(), |_| {});
            let serving = slot.clone();
            let mode = Mode::Listen(bind(&Address::loopback(0)).unwrap());
            let thread = std::thread::Builder::new().name(format!("card-{number}"));
            let listening = listening.clone();
            let serve = move || {
                serving
                    .serve(&mut *card, mode, &mut |_| {
                        let _ = listening.send(());
                    })
                    .unwrap();
            };
            (slot, thread.spawn(serve).unwrap())
        })
        .collect();
    (0..50).for_each(|_| heard.recv_timeout(Duration::from_secs(60)).unwrap());
    assert_eq!(threads(), 50);
    let from = Instant::now();
    for (slot, thread) in slots {
        slot.end();
        thread.join().unwrap();
    }
    assert_eq!(threads(), 0);
    assert!(from.elapsed() < Duration::from_secs(60), "none has to be waited for");
}
