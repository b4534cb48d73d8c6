//! What a user waits for: the whole built-in suite, a card's first certificates, and a served card
//! that answers its reader. Keys are read once in a process, so what happens first is measured in a
//! fresh process each time.

#![expect(clippy::print_stdout, reason = "a process started to be timed tells its time so")]

use criterion::{Criterion, SamplingMode, criterion_group};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use vmyna::requirement::Requirements;
use vmyna::run::{Beginning, Cards, Conduct, Event, Sink, run_on_simulator};
use vmyna::scenario::{self, Scenario};
use vmyna::verify::Trust;
use vmyna_sim::card::Personalised;
use vmyna_sim::holder::Holder;
use vmyna_sim::profile::Profile;
use vmyna_sim::smart_card::Power;
use vmyna_sim::vpcd::{Address, Reader, ReaderOptions};

/// Tells this program to issue once, to print how many nanoseconds that took, and to end.
const ISSUE_ONCE: &str = "VMYNA_BENCH_ISSUE_ONCE";

struct Silent;

impl Sink for Silent {
    fn event(&mut self, _: &Event<'_>) {}
}

/// From the documents in the program to the last verdict; every holder's card is issued anew.
fn suite(c: &mut Criterion) {
    let mut group = c.benchmark_group("suite");
    group.sample_size(20).sampling_mode(SamplingMode::Flat);
    group.warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(4));
    group.bench_function("in process", |b| {
        b.iter(|| {
            let requirements = Requirements::built_in();
            let scenarios = scenario::built_in(&requirements);
            let scenarios: Vec<&Scenario> = scenarios.iter().collect();
            let (cards, trust) = (Cards::default(), Trust::CardItself);
            let jobs = std::thread::available_parallelism().expect("a number of processors");
            let conduct = Conduct { jobs, ..Conduct::new(&requirements, &trust) };
            let beginning = Beginning::now(scenarios.len(), "sim");
            run_on_simulator(&scenarios, &cards, "card", &conduct, &beginning, &mut Silent)
                .expect("every holder exists")
        });
    });
}

fn issue(c: &mut Criterion) {
    let mut group = c.benchmark_group("issue");
    group.sample_size(30).sampling_mode(SamplingMode::Flat);
    group.warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(2));
    group.bench_function("first in a process", |b| {
        b.iter_custom(|times| (0..times).map(|_| issue_in_a_fresh_process()).sum());
    });
    // the whole card, with its keys read already: what another card costs
    let now = jiff::Timestamp::now();
    for name in Holder::built_in_names() {
        let holder = Holder::built_in(name).expect("it is built in");
        group.bench_function(format!("{name} with ready keys"), |b| {
            b.iter(|| Personalised::new(holder.clone(), Profile::card(), now).expect("a card is made"));
        });
    }
}

fn issue_in_a_fresh_process() -> Duration {
    let itself = std::env::current_exe().expect("this program has a path");
    let output = Command::new(itself).env(ISSUE_ONCE, "1").output().expect("this program runs");
    let nanoseconds = String::from_utf8_lossy(&output.stdout).trim().parse();
    Duration::from_nanos(nanoseconds.expect("a number of nanoseconds"))
}

fn issue_once() {
    let holder = Holder::built_in("hanako").expect("hanako is built in");
    let began = Instant::now();
    vmyna_sim::issue::issue(&holder, jiff::Timestamp::now()).expect("certificates are issued");
    println!("{}", began.elapsed().as_nanos());
}

/// A process that is ended when dropped.
struct Serving(Child);

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// From exec to the ATR in the hands of a reader that is already waiting.
fn serve(c: &mut Criterion) {
    let reader = Reader::listen(&Address::loopback(0), ReaderOptions::default()).expect("a free port");
    let address = reader.local_addr().to_string();
    let exec_to_atr = || {
        let mut serve = Command::new(env!("CARGO_BIN_EXE_vmyna"));
        serve.args(["serve", "--connect", &address]).stdout(Stdio::null()).stderr(Stdio::null());
        let began = Instant::now();
        let _serving = Serving(serve.spawn().expect("vmyna starts"));
        let mut card = reader.accept(began + Duration::from_secs(10)).expect("the card connects");
        card.power(Power::On).expect("the card is there");
        card.atr().expect("the card answers");
        began.elapsed()
    };
    let mut group = c.benchmark_group("serve");
    group.sample_size(30).sampling_mode(SamplingMode::Flat);
    group.warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(2));
    group.bench_function("exec to ATR", |b| b.iter_custom(|times| (0..times).map(|_| exec_to_atr()).sum()));
}

criterion_group!(benches, suite, issue, serve);

fn main() {
    if std::env::var_os(ISSUE_ONCE).is_some() {
        issue_once();
    } else {
        benches();
        Criterion::default().configure_from_args().final_summary();
    }
}
