//! `vmyna run`: scenarios against a card.

mod arguments;

pub(super) use arguments::Arguments;

use super::Failure;
use super::explain::Explanation;
use super::seat::CardSeat;
use crate::exit::Exit;
use crate::language::Language;
use crate::link::Consent;
use crate::report::{Collector, Output, Progress, Text};
use crate::requirement::Requirements;
use crate::run::{
    Beginning, Cards, Conduct, Detail, Event, ExpectedFailures, Interrupt, NothingCouldRun, PeerOptions,
    PeerSource, Sink, Summary, run_on_fresh_peers, run_on_peer, run_on_simulator,
};
use crate::scenario::{self, Scenario};
use crate::verify::Trust;
use arguments::Listing;
use owo_colors::OwoColorize;
use std::collections::BTreeSet;
use std::io::Write;
use std::num::NonZeroUsize;
use std::path::Path;
use std::time::Duration;
use vmyna_sim::document;
use vmyna_sim::holder::Holder;

pub(super) fn run(arguments: Arguments) -> Result<Exit, Failure> {
    let requirements = Requirements::built_in();
    let scenarios = super::scenarios(&arguments.paths, &requirements)?;
    let is_selected =
        |scenario: &&Scenario| arguments.tag.as_ref().is_none_or(|expression| expression.selects(scenario));
    let mut selected: Vec<&Scenario> = scenarios.iter().filter(is_selected).collect();
    if selected.is_empty() {
        return Err(nothing_selected(&scenarios));
    }
    let shard = arguments.shard.map(|shard| shard.of(&selected));
    if let Some(shard) = arguments.shard {
        selected.retain(|scenario| shard.has(&scenario.id));
    }
    let language = arguments.lang.unwrap_or_else(Language::of_environment);
    if let Some(listing) = arguments.list {
        list(&selected, listing, &Explanation { language, requirements: &requirements });
        return Ok(Exit::Success);
    }
    let holder = match &arguments.holder {
        Some(holder) => Some(super::holder(holder)?),
        None if arguments.ask_pins => Some(super::pins::ask(&selected)?),
        None => None,
    };
    if holder.is_none() {
        holders_are_known(&selected)?;
    }
    if arguments.fresh.is_some() && matches!(arguments.card, CardSeat::Sim(_)) {
        return Err(Failure::Usage(
            "--fresh starts another card; the built-in one is a fresh one for each scenario already"
                .to_owned(),
        ));
    }
    if arguments.profile.is_some() && !matches!(arguments.card, CardSeat::Sim(_)) {
        return Err(Failure::Usage("--profile makes the built-in card; --card brings another".to_owned()));
    }
    let expected = match &arguments.expected {
        None => ExpectedFailures::default(),
        Some(path) => {
            ExpectedFailures::load(path, &scenarios, &scenario::built_in(&requirements), &requirements)?
        }
    };
    let trust = arguments.trust.as_deref().map_or(Ok(Trust::CardItself), load_trust)?;
    let interrupt = Interrupt::default();
    let conduct = Conduct {
        requirements: &requirements,
        trust: &trust,
        expected,
        fail_fast: arguments.fail_fast,
        jobs: jobs(&arguments)?,
        interrupt: interrupt.clone(),
    };
    let is_empty_shard = selected.is_empty();
    let beginning = Beginning { shard, ..Beginning::now(selected.len(), arguments.card.to_string()) };
    let outputs = Output::open_all(&arguments.report)?;
    end_on_signals(&interrupt)?;
    let on_stdout = arguments.report.iter().any(|destination| destination.path.is_none());
    let out: Box<dyn Write> =
        if on_stdout { Box::new(anstream::stderr()) } else { Box::new(anstream::stdout()) };
    let detail = outputs.iter().map(|output| output.format().detail()).max().unwrap_or_default();
    let mut sinks = Sinks {
        text: Progress::around(Text::new(out, language, &requirements).verbose(arguments.verbose)),
        collector: (!outputs.is_empty()).then(|| Collector::new(&requirements, detail)),
    };
    let summary = play(&arguments, &selected, holder, &conduct, &beginning, &mut sinks)?;
    if let Some(collector) = sinks.collector {
        let report = collector.into_report();
        for output in outputs {
            output.write(&report, language)?;
        }
    }
    Ok(match summary {
        Summary { failed: 1.., .. } => Exit::Failed,
        Summary { not_run: 1.., .. } => Exit::Interrupted,
        Summary { passed: 0, .. } if !is_empty_shard => Exit::NoCard,
        _ => Exit::Success,
    })
}

/// The text for whoever is there, and what the other reports are written from.
struct Sinks<'a> {
    text: Progress<Text<'a, Box<dyn Write>>>,
    collector: Option<Collector<'a>>,
}

impl Sink for Sinks<'_> {
    fn event(&mut self, event: &Event<'_>) {
        self.text.event(event);
        if let Some(collector) = &mut self.collector {
            collector.event(event);
        }
    }

    fn wants(&self) -> Detail {
        let files = self.collector.as_ref().map(Sink::wants).unwrap_or_default();
        self.text.wants().max(files)
    }
}

/// The first signal ends the run in good order, the second at once.
fn end_on_signals(interrupt: &Interrupt) -> Result<(), Failure> {
    let interrupt = interrupt.clone();
    ctrlc::set_handler(move || {
        if interrupt.has_come() {
            std::process::exit(Exit::Interrupted as i32);
        }
        interrupt.now();
        let _ = writeln!(
            anstream::stderr(),
            "stopping when the scenario in progress has ended and the card is put right; once more stops at once"
        );
    })
    .map_err(|error| Failure::Usage(format!("signals cannot be handled: {error}")))
}

fn jobs(arguments: &Arguments) -> Result<NonZeroUsize, Failure> {
    let one = NonZeroUsize::MIN;
    if matches!(arguments.card, CardSeat::Sim(_)) {
        let by_default = || match arguments.fail_fast {
            true => one,
            false => std::thread::available_parallelism().unwrap_or(one),
        };
        return Ok(arguments.jobs.unwrap_or_else(by_default));
    }
    match arguments.jobs {
        Some(jobs) if arguments.fresh.is_some() => Ok(jobs),
        Some(jobs) if jobs > one => {
            let _ = writeln!(
                anstream::stderr(),
                "--jobs: this card keeps its state from one scenario to the next, so they are played one by one"
            );
            Ok(one)
        }
        _ => Ok(one),
    }
}

fn play(
    arguments: &Arguments,
    scenarios: &[&Scenario],
    holder: Option<Holder>,
    conduct: &Conduct<'_>,
    beginning: &Beginning,
    sink: &mut dyn Sink,
) -> Result<Summary, Failure> {
    let options = PeerOptions {
        holder: holder.clone(),
        mine: arguments.mine,
        consent: Consent { spend_tries: arguments.spend_tries, change_pins: arguments.change_pins },
        wait: Duration::from_secs(arguments.wait),
        fresh: arguments.fresh.clone(),
        judge: None,
    };
    if let (Some(fresh), 2..) = (&arguments.fresh, conduct.jobs.get())
        && !matches!(arguments.card, CardSeat::Sim(_))
    {
        let jobs = u16::try_from(conduct.jobs.get().min(scenarios.len())).unwrap_or(u16::MAX);
        let sources = arguments.card.open_several(jobs, options.wait, fresh)?;
        return run_on_fresh_peers(scenarios, sources, &options, conduct, beginning, sink)
            .map_err(|error| nothing_could_run(&error, arguments));
    }
    let mut source: Box<dyn PeerSource> = match &arguments.card {
        CardSeat::Sim(sim) => {
            let named = arguments.profile.as_deref().or(sim.profile.as_deref());
            let profile = named.map(super::profile).transpose()?;
            let holder = holder.map_or_else(
                || sim.holder.as_deref().map(super::holder).transpose(),
                |holder| Ok(Some(holder)),
            )?;
            let cards = Cards::of_all(holder, profile);
            let name = named.unwrap_or("card");
            return run_on_simulator(scenarios, &cards, name, conduct, beginning, sink)
                .map_err(|error| Failure::Usage(error.to_string()));
        }
        other => other.open(Duration::from_secs(arguments.wait), arguments.exclusive)?,
    };
    run_on_peer(scenarios, &mut *source, &options, conduct, beginning, sink)
        .map_err(|error| nothing_could_run(&error, arguments))
}

fn nothing_could_run(error: &NothingCouldRun, arguments: &Arguments) -> Failure {
    let language = arguments.lang.unwrap_or_else(Language::of_environment);
    let reason = language.of(&error.in_words()).to_owned();
    match error {
        NothingCouldRun::NoCard(_) | NothingCouldRun::Interrupted => Failure::NoCard(reason),
        NothingCouldRun::Fresh { .. } | NothingCouldRun::UnknownHolder { .. } => Failure::Usage(reason),
    }
}

fn nothing_selected(scenarios: &[Scenario]) -> Failure {
    let known: BTreeSet<&str> =
        scenarios.iter().flat_map(|scenario| &scenario.tags).map(String::as_str).collect();
    let known: Vec<_> = known.into_iter().collect();
    Failure::Usage(format!(
        "none of the {} scenarios is selected by --tag; their tags are: {}",
        scenarios.len(),
        known.join(", ")
    ))
}

/// Before anything is sent: a run that stops in the middle leaves a card in the middle.
fn holders_are_known(scenarios: &[&Scenario]) -> Result<(), Failure> {
    let known = Holder::built_in_names();
    match scenarios.iter().find(|scenario| !known.contains(&scenario.holder.as_str())) {
        None => Ok(()),
        Some(Scenario { holder, holder_position, .. }) => Err(Failure::Usage(format!(
            "{holder_position}: there is no built-in holder {holder:?}; built in are: {}. --holder FILE takes \
             another for all scenarios",
            known.join(", ")
        ))),
    }
}

fn load_trust(path: &Path) -> Result<Trust, Failure> {
    let shown = path.display();
    let bytes = document::read_bytes(path, document::MAX_BYTES)
        .map_err(|error| Failure::Usage(format!("--trust {error}")))?;
    Trust::from_bytes(&bytes).map_err(|error| {
        Failure::Usage(format!("--trust {shown}: CA certificates in PEM or DER are expected; {error}"))
    })
}

fn list(scenarios: &[&Scenario], listing: Listing, explanation: &Explanation<'_>) {
    let mut out = anstream::stdout().lock();
    for scenario in scenarios {
        let title = explanation.language.of(&scenario.title);
        // Who stops reading a list has seen enough of it.
        let _ = writeln!(out, "{}  {}  {}", scenario.id, title, scenario.tags.join(" ").dimmed());
        if listing == Listing::Steps {
            let _ = out.write_all(explanation.steps(scenario).as_bytes());
        }
    }
}
