//! Two hundred holders who apply at the same moment: how long each waits for the portal, at the
//! median and at the slowest hundredth, with applications kept in a file; and that beside as many who
//! come one after another.

#![expect(clippy::print_stdout, reason = "the figures are told, not compared")]
#![expect(clippy::cast_precision_loss, reason = "counts of some hundred")]

#[path = "../tests/portal_support/mod.rs"]
mod portal;
#[path = "../tests/process/mod.rs"]
mod process;

use portal::{RunningPortal, answer, challenge, post_json, sign};
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

const HOLDERS: usize = 200;
/// So many come one after another before, to see how long one takes that is alone.
const ALONE: usize = 20;

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
    let holders: Vec<String> = (0..ALONE + HOLDERS).map(|number| format!("holder-{number}")).collect();
    for holder in &holders {
        sign(holder, b"");
    }
    let origin = &portal.origin;
    let apply = |holder: &str| {
        let challenge = challenge(origin, "application");
        let body = answer(&challenge, &sign(holder, &challenge.nonce));
        let began = Instant::now();
        let reply = post_json(origin, "/applications", &body);
        assert_eq!(reply.status, 201, "{reply:?}");
        began.elapsed()
    };
    let (alone, at_once) = holders.split_at(ALONE);
    let alone: Duration = alone.iter().map(|holder| apply(holder)).sum();
    let start = Barrier::new(HOLDERS);
    let mut took: Vec<Duration> = thread::scope(|scope| {
        let together = |holder| {
            let (start, apply) = (&start, &apply);
            scope.spawn(move || {
                start.wait();
                apply(holder)
            })
        };
        let threads: Vec<_> = at_once.iter().map(|holder| together(holder)).collect();
        threads.into_iter().map(|thread| thread.join().expect("an application without an error")).collect()
    });
    took.sort();
    assert_eq!(portal.applications(), ALONE + HOLDERS);
    let [median, slowest] = [50, 99].map(|percent| took[HOLDERS * percent / 100]);
    println!("{HOLDERS} parallel applications: p50 {median:.1?}, p99 {slowest:.1?}, no error, each once");
    let in_a_row = alone.as_secs_f64() * HOLDERS as f64 / ALONE as f64;
    println!("p99 of {HOLDERS} at once : as many in a row          {:.3}", slowest.as_secs_f64() / in_a_row);
}
