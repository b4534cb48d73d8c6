//! Every built-in scenario is a test, twice: against the card in this process, and against the card
//! behind a real socket; flows have tests of their own for that, `flows_http` and `flows_browser`.

#[path = "support/passed.rs"]
mod passed;

use libtest_mimic::{Arguments, Failed, Trial};
use passed::must_have_passed;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant, SystemTime};
use vmyna::requirement::Requirements;
use vmyna::run::{self, Cards, Judge, Session, Surroundings, Verdict};
use vmyna::scenario::{self, Scenario};
use vmyna::verify::Trust;
use vmyna_sim::card::Personalised;
use vmyna_sim::smart_card::Power;
use vmyna_sim::vpcd::{self, Address, Mode, Reader, ReaderOptions, Shutdown};

/// Nothing on a loopback socket takes this long.
const PATIENCE: Duration = Duration::from_secs(30);

fn main() {
    let arguments = Arguments::from_args();
    let requirements: &'static Requirements = Box::leak(Box::new(Requirements::built_in()));
    let mut trials = Vec::new();
    for scenario in scenario::built_in(requirements) {
        let scenario: &'static Scenario = Box::leak(Box::new(scenario));
        trials.push(Trial::test(format!("in_process::{}", scenario.id), move || {
            must_have_passed(scenario, requirements, &in_process(scenario, requirements))
        }));
        // Faults are for the built-in card alone.
        if scenario.flow.is_none() && !scenario.has_faults() {
            trials.push(Trial::test(format!("over_socket::{}", scenario.id), move || {
                must_have_passed(scenario, requirements, &over_socket(scenario, requirements)?)
            }));
        }
    }
    libtest_mimic::run(&arguments, trials).exit();
}

fn personalised(scenario: &Scenario) -> Arc<Personalised> {
    static CARDS: OnceLock<Cards> = OnceLock::new();
    CARDS.get_or_init(Cards::default).of(scenario).expect("a built-in holder")
}

fn in_process(scenario: &Scenario, requirements: &Requirements) -> Verdict {
    run::play_on_simulator(scenario, personalised(scenario), requirements, &Trust::CardItself)
}

fn over_socket(scenario: &Scenario, requirements: &Requirements) -> Result<Verdict, Failed> {
    let reader = Reader::listen(&Address::loopback(0), ReaderOptions::default())?;
    let address = Address::from(reader.local_addr());
    let personalised = personalised(scenario);
    let holder = personalised.holder().clone();
    let mut card = run::card_for(scenario, personalised);
    let shutdown = Shutdown::new();
    std::thread::scope(|scope| {
        scope.spawn(|| vpcd::serve(&mut card, Mode::Connect(address), &shutdown, &mut |_| {}));
        let verdict = reader.accept(Instant::now() + PATIENCE).map_err(Failed::from).and_then(|mut link| {
            link.power(Power::On)?;
            link.atr()?;
            let surroundings = Surroundings {
                requirements,
                holder: &holder,
                trust: &Trust::CardItself,
                judge: Judge::BuiltIn,
                now: SystemTime::now(),
            };
            Ok(Session::new(&mut link, surroundings).play(scenario))
        });
        shutdown.now();
        verdict
    })
}
