//! One command to a card in the same process. A signature stands beside what it is made of: the
//! same operation by the library that the card signs with, and by the OpenSSL of this machine, as
//! `openssl speed` gives it (skipped where there is none).

#![expect(clippy::print_stderr, reason = "a bench that cannot run here says so on the terminal")]

use aws_lc_rs::digest::{Digest, SHA256};
use aws_lc_rs::rsa::KeyPair;
use aws_lc_rs::signature::RSA_PKCS1_SHA256;
use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, SamplingMode, criterion_group, criterion_main};
use rustix::time::{ClockId, clock_gettime};
use std::hint::black_box;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;
use vmyna_sim::apdu::CommandBuilder;
use vmyna_sim::card::{Personalised, VirtualCard, seeded};
use vmyna_sim::key::DigestInfo;
use vmyna_sim::smart_card::{Reaction, SmartCard};
use vmyna_sim::store::FileStore;

const JPKI: [u8; 10] = [0xD3, 0x92, 0xF0, 0x00, 0x26, 0x01, 0x00, 0x00, 0x00, 0x01];
const SIGNING_KEY: &str = include_str!("../vectors/pki/TEST-KEYS/hanako-user-authentication.TEST.pem");

fn select_jpki() -> Vec<u8> {
    CommandBuilder::new(0x00, 0xA4, 0x04, 0x0C).data(&JPKI).to_bytes()
}

fn select_file(id: [u8; 2]) -> Vec<u8> {
    CommandBuilder::new(0x00, 0xA4, 0x02, 0x0C).data(&id).to_bytes()
}

fn verify() -> Vec<u8> {
    CommandBuilder::new(0x00, 0x20, 0x00, 0x80).data(b"1234").to_bytes()
}

/// Sends a command that must succeed with this many bytes of data.
fn succeed(card: &mut VirtualCard, command: &[u8], length: usize) {
    match card.transmit(black_box(command)) {
        Reaction::Answer(answer) if answer.len() == length + 2 && answer.ends_with(&[0x90, 0x00]) => {
            black_box(answer);
        }
        other => panic!("{length} bytes and 9000 were expected, {other:02X?} came"),
    }
}

/// A card that has been sent these commands.
fn card_after(commands: &[Vec<u8>]) -> VirtualCard {
    let mut card = VirtualCard::built_in("hanako").expect("hanako is built in");
    for command in commands {
        succeed(&mut card, command, 0);
    }
    card
}

fn in_memory(c: &mut Criterion) {
    let read = CommandBuilder::new(0x00, 0xB0, 0x00, 0x00).le(256).to_bytes();
    let mut group = c.benchmark_group("card");
    group.warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(2));
    for (name, before, sent, length) in [
        ("SELECT application", vec![], select_jpki(), 0),
        ("SELECT file", vec![select_jpki()], select_file([0x00, 0x18]), 0),
        ("READ BINARY 256", vec![select_jpki(), select_file([0x00, 0x0A])], read, 256),
        ("VERIFY", vec![select_jpki(), select_file([0x00, 0x18])], verify(), 0),
    ] {
        let mut card = card_after(&before);
        group.bench_function(name, |b| b.iter(|| succeed(&mut card, &sent, length)));
    }
}

/// Each VERIFY makes two changes of the counter last, so this measures the disk under `target`.
fn with_a_state_file(c: &mut Criterion) {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a temporary folder");
    let personalised = Arc::new(Personalised::built_in("hanako").expect("hanako is built in"));
    let path = folder.path().join("hanako.json");
    let (store, state) =
        FileStore::open(&path, "hanako", personalised.profile().tries, personalised.fresh_state())
            .expect("a fresh state file");
    let mut card = VirtualCard::with(personalised, Box::new(store), state, Box::new(seeded(0)));
    succeed(&mut card, &select_jpki(), 0);
    succeed(&mut card, &select_file([0x00, 0x18]), 0);
    let sent = verify();
    let mut group = c.benchmark_group("card");
    group.sample_size(20).sampling_mode(SamplingMode::Flat);
    group.warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(2));
    group.bench_function("VERIFY with a state file", |b| b.iter(|| succeed(&mut card, &sent, 0)));
}

/// All in processor time, which is also what `openssl speed` gives: other programs on the machine
/// lengthen it less.
fn signing(c: &mut Criterion) {
    let mut group = c.benchmark_group("sign");
    group.sample_size(20).sampling_mode(SamplingMode::Flat);
    group.warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(4));
    by_the_card(&mut group);
    by_the_library_alone(&mut group);
    by_openssl(&mut group);
}

fn by_the_card(group: &mut BenchmarkGroup<'_, WallTime>) {
    let info = DigestInfo::sha256_of(b"message");
    let sign = CommandBuilder::new(0x80, 0x2A, 0x00, 0x80).data(&info).le(256).to_bytes();
    let before = [select_jpki(), select_file([0x00, 0x18]), verify(), select_file([0x00, 0x17])];
    let mut card = card_after(&before);
    group.bench_function("card", |b| {
        b.iter_custom(|times| in_processor_time(times, || succeed(&mut card, &sign, 256)));
    });
}

fn by_the_library_alone(group: &mut BenchmarkGroup<'_, WallTime>) {
    let (_, pkcs8) = der::pem::decode_vec(SIGNING_KEY.as_bytes()).expect("a TEST key in PEM");
    let key = KeyPair::from_pkcs8(&pkcs8).expect("an RSA key in PKCS #8");
    let mut signature = [0; 256];
    let mut sign = || {
        let digest = Digest::import_less_safe(black_box(&[0x5A; 32]), &SHA256).expect("32 bytes");
        key.sign_digest(&RSA_PKCS1_SHA256, &digest, &mut signature).expect("the library signs");
        black_box(&signature);
    };
    group.bench_function("aws-lc", |b| b.iter_custom(|times| in_processor_time(times, &mut sign)));
}

fn in_processor_time(times: u64, mut act: impl FnMut()) -> Duration {
    let now = || {
        let time = clock_gettime(ClockId::ThreadCPUTime);
        Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
    };
    let began = now();
    (0..times).for_each(|_| act());
    now() - began
}

fn by_openssl(group: &mut BenchmarkGroup<'_, WallTime>) {
    // Without --bench this is a test run, which measures nothing and has no seconds to spare.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    if let Err(reason) = openssl_signature() {
        eprintln!("sign/openssl was skipped: {reason}");
        return;
    }
    group.sample_size(10).warm_up_time(Duration::from_nanos(1));
    group.bench_function("openssl", |b| {
        b.iter_custom(|times| openssl_signature().expect("it did before").mul_f64(times as f64));
    });
}

/// The time of one private RSA-2048 operation, as the library's own tool measures it for a second.
fn openssl_signature() -> Result<Duration, String> {
    let mut speed = Command::new("openssl");
    let output = speed.args(["speed", "-mr", "-seconds", "1", "rsa2048"]).output();
    let output = output.map_err(|error| format!("openssl: {error}"))?;
    // +F2:2:2048:SIGNATURES PER SECOND:VERIFICATIONS PER SECOND
    let text = String::from_utf8_lossy(&output.stdout);
    let line = text.lines().find(|line| line.starts_with("+F2:"));
    let rate = line.and_then(|line| line.split(':').nth(3)).and_then(|field| field.parse::<f64>().ok());
    rate.filter(|rate| *rate > 0.0)
        .map(|rate| Duration::from_secs_f64(rate.recip()))
        .ok_or_else(|| format!("`openssl speed` printed {text:?}"))
}

criterion_group!(benches, in_memory, with_a_state_file, signing);
criterion_main!(benches);
