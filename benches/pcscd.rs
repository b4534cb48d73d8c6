//! The same APDU all the way: OpenSC's `opensc-tool`, pcscd, the installed vpcd, the socket, the
//! card. What is measured is what each further APDU adds to one run of the tool. Skipped unless
//! pcscd is running with an empty second virtual reader.

#![expect(clippy::print_stderr, reason = "a bench that cannot run here says so on the terminal")]

mod peer;

use criterion::{Criterion, SamplingMode, criterion_group, criterion_main};
use peer::{Inserted, Peer, SELECT_JPKI};
use std::net::{Ipv4Addr, SocketAddr};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use vmyna_sim::vpcd::DEFAULT_PORT;

/// The second slot, because the first is where a card is likelier to lie.
const READER: &str = "Virtual PCD 00 01";
const PORT: u16 = DEFAULT_PORT + 1;

/// pcscd looks every 400 ms.
const NOTICED_WITHIN: Duration = Duration::from_secs(2);

fn through_pcscd(c: &mut Criterion) {
    if let Err(reason) = readers() {
        eprintln!("round trip through pcscd was skipped: {reason}");
        return;
    }
    let mut group = c.benchmark_group("pcscd");
    group.sample_size(10).sampling_mode(SamplingMode::Flat);
    group.warm_up_time(Duration::from_nanos(1)).measurement_time(Duration::from_millis(1));
    for peer in Peer::ALL {
        let inserted = Inserted::new(peer, SocketAddr::from((Ipv4Addr::LOCALHOST, PORT)));
        let noticed = inserted.as_ref().is_ok_and(|card| card.is_noticed(NOTICED_WITHIN));
        if !noticed {
            eprintln!("round trip through pcscd was skipped: another card is in {READER}, or no reader");
            return;
        }
        let count = if peer.is_slow() { 20 } else { 1000 };
        group.bench_function(peer.name(), |b| {
            b.iter_custom(|round_trips| {
                let all = run_of_the_tool(1 + count).saturating_sub(run_of_the_tool(1));
                all.mul_f64(round_trips as f64 / count as f64)
            });
        });
        drop(inserted);
        // A card that comes before pcscd has seen the slot empty is not noticed.
        let until = Instant::now() + NOTICED_WITHIN;
        while !readers().is_ok_and(|listed| is_empty(&listed)) {
            assert!(Instant::now() < until, "the card has gone, and pcscd still shows it");
        }
    }
}

/// What OpenSC lists, if our reader is among it.
fn readers() -> Result<String, String> {
    let tool = Command::new("opensc-tool").arg("--list-readers").output();
    let output = tool.map_err(|error| format!("opensc-tool: {error}"))?;
    let listed = String::from_utf8_lossy(&output.stdout).into_owned();
    if listed.contains(READER) { Ok(listed) } else { Err(format!("pcscd shows no reader {READER}")) }
}

/// Whether our reader is listed without a card: `0    No              Virtual PCD 00 00`.
fn is_empty(listed: &str) -> bool {
    let line = listed.lines().find(|line| line.contains(READER));
    line.is_some_and(|line| line.split_whitespace().nth(1) == Some("No"))
}

/// How long the tool takes to send so many APDUs.
fn run_of_the_tool(apdus: usize) -> Duration {
    let apdu: String = SELECT_JPKI.iter().map(|byte| format!("{byte:02X}")).collect();
    let mut tool = Command::new("opensc-tool");
    tool.args(["--reader", READER, "--card-driver", "default"]);
    tool.args(std::iter::repeat_n(["--send-apdu", &apdu], apdus).flatten());
    let began = Instant::now();
    let status = tool.stdout(Stdio::null()).stderr(Stdio::null()).status();
    let took = began.elapsed();
    assert!(status.is_ok_and(|status| status.success()), "opensc-tool failed");
    took
}

criterion_group!(benches, through_pcscd);
criterion_main!(benches);
