//! Two hundred holders who apply at the same moment: how long each waits for the portal, at the
//! median and at the slowest hundredth, with applications kept in a file.

#![expect(clippy::print_stdout, reason = "the figures are told, not compared")]

#[path = "../tests/portal_support/mod.rs"]
mod portal;
#[path = "../tests/process/mod.rs"]
mod process;

use portal::{RunningPortal, answer, challenge, post_json, sign};
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

const HOLDERS: usize = 200;

fn main() {
    let folder = process::Folder::new();
    let state = folder.path().join("portal.redb");
    let portal = RunningPortal::start(&[
        "--no-terminal",
        "--rate",
        "100000",
        "--state",
        state.to_str().expect("a path of ours"),
    ]);
    let holders: Vec<String> = (0..HOLDERS).map(|number| format!("holder-{number}")).collect();
    for holder in &holders {
        sign(holder, b"");
    }
    let (origin, start) = (&portal.origin, Barrier::new(HOLDERS));
    let mut took: Vec<Duration> = thread::scope(|scope| {
        let apply = |holder| {
            let start = &start;
            scope.spawn(move || {
                start.wait();
                let challenge = challenge(origin, "application");
                let body = answer(&challenge, &sign(holder, &challenge.nonce));
                let began = Instant::now();
                let reply = post_json(origin, "/applications", &body);
                assert_eq!(reply.status, 201, "{reply:?}");
                began.elapsed()
            })
        };
        let threads: Vec<_> = holders.iter().map(|holder| apply(holder)).collect();
        threads.into_iter().map(|thread| thread.join().expect("an application without an error")).collect()
    });
    took.sort();
    assert_eq!(portal.applications(), HOLDERS);
    let [median, slowest] = [50, 99].map(|percent| took[HOLDERS * percent / 100]);
    println!("{HOLDERS} parallel applications: p50 {median:.1?}, p99 {slowest:.1?}, no error, each once");
}
