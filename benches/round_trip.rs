//! One APDU over loopback and back. The reader's end behaves like Debian 12's vpcd: header and body
//! in two writes, with Nagle's algorithm on.

mod peer;

use criterion::{Criterion, SamplingMode, criterion_group, criterion_main};
use peer::{Inserted, Peer, SELECT_JPKI};
use std::time::{Duration, Instant};
use vmyna_sim::smart_card::Power;
use vmyna_sim::vpcd::{Address, Reader, ReaderOptions};

fn like_debian(c: &mut Criterion) {
    let options = ReaderOptions { like_debian: true, ..ReaderOptions::default() };
    let reader = Reader::listen(&Address::loopback(0), options).expect("a free port");
    let mut group = c.benchmark_group("round trip");
    group.sampling_mode(SamplingMode::Flat);
    group.warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(3));
    for peer in Peer::ALL {
        let inserted = Inserted::new(peer, reader.local_addr()).expect("the reader listens");
        let mut card = reader.accept(Instant::now() + Duration::from_secs(5)).expect("the card connects");
        card.power(Power::On).expect("the card is there");
        card.atr().expect("the card has an ATR");
        assert!(inserted.is_noticed(Duration::from_secs(5)));
        group.sample_size(if peer.is_slow() { 10 } else { 100 });
        group.bench_function(peer.name(), |b| {
            b.iter(|| card.transmit(&SELECT_JPKI).expect("the card answers"));
        });
    }
}

criterion_group!(benches, like_debian);
criterion_main!(benches);
