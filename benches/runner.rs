//! What the runner costs beside the card: the same scenario played on a card that answers at once,
//! with and without a record of what happens, told for one APDU.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use std::path::Path;
use std::time::SystemTime;
use vmyna::link::InProcess;
use vmyna::requirement::Requirements;
use vmyna::run::{Detail, Judge, Recorded, Recorder, Session, Surroundings};
use vmyna::scenario;
use vmyna::verify::Trust;
use vmyna_sim::holder::Holder;
use vmyna_sim::smart_card::{Power, Reaction, SmartCard};

/// Answers success to everything.
struct Yes;

impl SmartCard for Yes {
    fn atr(&mut self) -> Reaction {
        Reaction::Answer(vec![0x3B])
    }

    fn power(&mut self, _: Power) {}

    fn transmit(&mut self, _: &[u8]) -> Reaction {
        Reaction::Answer(vec![0x90, 0x00])
    }
}

const APDUS: usize = 200;

fn overhead(c: &mut Criterion) {
    let folder = tempfile::tempdir().expect("a folder");
    let text = format!(
        "id: many.selects\ntitle: {{ja: 多い, en: many}}\ncovers: [SEL-01]\nsteps:\n{}",
        "  - select: jpki\n".repeat(APDUS)
    );
    let path = folder.path().join("many.yaml");
    std::fs::write(&path, text).expect("a file");
    let requirements = Requirements::built_in();
    let scenarios = scenario::load_paths(&[Path::new(&path).to_owned()], &requirements).expect("it loads");
    let holder = Holder::built_in("hanako").expect("hanako is built in");
    let surroundings = Surroundings {
        requirements: &requirements,
        holder: &holder,
        trust: &Trust::CardItself,
        judge: Judge::BuiltIn,
        now: SystemTime::now(),
    };
    let mut group = c.benchmark_group("runner, per APDU");
    group.throughput(Throughput::Elements(APDUS as u64));
    for (name, keeps) in [("nothing kept", Detail::Nothing), ("everything kept", Detail::Everything)] {
        group.bench_function(name, |b| {
            b.iter(|| {
                let recorder = Recorder::new(keeps);
                let mut link = Recorded::new(InProcess(Yes), recorder.clone());
                let verdict =
                    Session::new(&mut link, surroundings).recording(recorder.clone()).play(&scenarios[0]);
                (verdict, recorder.take())
            });
        });
    }
    group.finish();
}

criterion_group!(benches, overhead);
criterion_main!(benches);
