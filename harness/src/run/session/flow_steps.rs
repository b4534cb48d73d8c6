//! Steps of flows: they are played on the stage that the session was given, and looked at by the
//! watch.

use super::Session;
use super::answer::{Played, Stop, Unmet};
use crate::flow::{self, Seen, Trouble, Violation};
use crate::language::{Bilingual, in_both};
use crate::link::LinkError;
use crate::run::recorder::Detail;
use crate::run::verdict::{Difference, Expectation, Finding, Stage, tries_left};
use crate::scenario::{Pressable, RowName, Scenario, ScreenName, SeeStep, Verb};
use std::fmt::Display;

impl From<Trouble> for Stop {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::NotThere(absent) => {
                let expected = Bilingual::new("手順を行える画面", "a screen on which the step can be done");
                differs(expected, absent.in_words()).into()
            }
            Trouble::NotHere(reason) => Self::Missing(reason),
            Trouble::Broken(reason) => Self::Link(LinkError::Lost(reason)),
        }
    }
}

fn differs(expected: Bilingual, came: Bilingual) -> Difference {
    Difference { expected, came, exchange: None, kind: Expectation::Requirement }
}

fn violated(violation: Option<Violation>) -> Played {
    match violation {
        None => Ok(()),
        Some(Violation { requirement, expected, came }) => Err(Stop::Differs(Box::new(Unmet {
            difference: differs(expected, came),
            mark: None,
            why: requirement.map(|requirement| {
                Bilingual::new(
                    format!("{requirement}: どのフローでも成り立たなければならない"),
                    format!("{requirement}: it must hold in every flow"),
                )
            }),
        }))),
    }
}

impl Session<'_> {
    pub(super) fn flow_step(&mut self, verb: &Verb) -> Played {
        let Some((stage, watch)) = &mut self.flow else {
            return Err(Stop::Missing(Bilingual::new(
                "フローにはサイトと端末が必要だが、ここにはない",
                "a flow needs a portal and a terminal, which are not here",
            )));
        };
        let stage = &mut **stage;
        match verb {
            Verb::Open(step) => stage.open(&step.tab)?,
            Verb::Press(step) => stage.press(step.0)?,
            Verb::Tick(step) => stage.tick(step.0)?,
            Verb::Enter(step) => stage.enter(*step, None)?,
            Verb::Hold(step) => stage.hold(step)?,
            Verb::Lift(_) => stage.lift()?,
            Verb::Present(step) => flow::present(stage, step.pin, &step.hold())?,
            Verb::Wait(step) => stage.wait(step.0)?,
            Verb::Browser(step) => {
                if step.forget_session {
                    stage.forget_session()?;
                }
                if let Some(tab) = &step.show {
                    stage.show(tab)?;
                }
            }
            Verb::Terminal(step) => stage.terminal(*step)?,
            Verb::Callback(step) => stage.deliver(step.0)?,
            Verb::Operator(step) => stage.operate(*step)?,
            Verb::See(step) => return see(step, &stage.seen()?),
            Verb::Stored(step) => {
                let held = stage.applications()?;
                if held.len() != step.applications {
                    let applications = |count: usize| {
                        let applications = if count == 1 { "application" } else { "applications" };
                        Bilingual::new(
                            format!("ポータルに申請 {count} 件"),
                            format!("{count} {applications} in the portal"),
                        )
                    };
                    return Err(differs(applications(step.applications), applications(held.len())).into());
                }
                let signatures = held.iter().filter(|application| application.signature_on_file).count();
                if let Some(expected) = step.signatures.filter(|expected| *expected != signatures) {
                    let on_file = |count: usize| {
                        Bilingual::new(
                            format!("登録された署名用電子証明書 {count} 件"),
                            format!("{count} signature certificates on file"),
                        )
                    };
                    return Err(differs(on_file(expected), on_file(signatures)).into());
                }
                return Ok(());
            }
            Verb::Card(step) => {
                let left = stage.tries_left(step.of.pin())?;
                if left != step.tries_left {
                    return Err(differs(tries_left(step.tries_left), tries_left(left)).into());
                }
                return Ok(());
            }
            _ => {
                return Err(Stop::Missing(Bilingual::new(
                    format!("`{}` はフローの手順ではない", verb.name()),
                    format!("`{}` is no step of a flow", verb.name()),
                )));
            }
        }
        let violation = watch.after(verb, stage)?;
        if self.recorder.keeps(Detail::Screens)
            && let Ok(seen) = stage.seen()
            && watch.is_news(&seen)
        {
            self.recorder.record_screen(seen.screen, seen.text.clone());
        }
        violated(violation)
    }

    /// What must hold when a flow has ended; the finding where it does not.
    pub(super) fn flow_ended(&mut self, scenario: &Scenario) -> Option<Finding> {
        let (stage, watch) = self.flow.as_mut()?;
        let violation = match watch.at_the_end(&mut **stage) {
            Ok(violation) => violation?,
            Err(trouble) => Violation {
                requirement: Some("FLOW-07"),
                expected: Bilingual::new("繰り返せる照会", "an inquiry that can be repeated"),
                came: Bilingual::alike(trouble.to_string()),
            },
        };
        Some(Finding {
            position: scenario.position.clone(),
            snippet: scenario.source.snippet(&scenario.position),
            stage: Stage::Steps,
            step: "after the flow".to_owned(),
            words: Bilingual::new("フローの終わった後", "after the flow"),
            requirements: match violation.requirement {
                Some(requirement) => vec![requirement.to_owned()],
                None => scenario.covers.clone(),
            },
            why: None,
            difference: differs(violation.expected, violation.came),
        })
    }
}

fn see(step: &SeeStep, seen: &Seen) -> Played {
    let wrong = |expected: Bilingual, came: Bilingual| Err(differs(expected, came).into());
    if !step.screen.is(seen.screen)
        || step.outcome.as_ref().is_some_and(|outcome| seen.outcome.as_ref() != Some(outcome))
    {
        let expected = screen(step.screen, step.outcome.as_ref());
        return wrong(expected, screen(seen.screen, seen.outcome.as_ref()));
    }
    if let Some(rows) = step.rows.as_ref().filter(|rows| **rows != seen.rows) {
        let names = |rows: &[RowName]| {
            in_both(|language| {
                let names: Vec<_> = rows.iter().map(|row| row.title(language)).collect();
                format!("{} [{}]", language.say("行", "the rows"), names.join(language.say("、", ", ")))
            })
        };
        return wrong(names(rows), names(&seen.rows));
    }
    if let Some(buttons) = step.buttons.as_ref().filter(|buttons| **buttons != seen.buttons) {
        let names = |buttons: &[Pressable]| {
            let names = buttons.iter().map(|button| button.label()).collect::<Vec<_>>().join(", ");
            Bilingual::new(format!("ボタン [{names}]"), format!("the buttons [{names}]"))
        };
        return wrong(names(buttons), names(&seen.buttons));
    }
    let came = || Bilingual::alike(seen.text.clone());
    if let Some(missing) = step.says.iter().find(|text| !seen.text.contains(text.as_str())) {
        let expected = Bilingual::new(format!("画面に「{missing}」"), format!("「{missing}」 on the screen"));
        return wrong(expected, came());
    }
    if let Some(there) = step.never_says.iter().find(|text| seen.text.contains(text.as_str())) {
        let expected =
            Bilingual::new(format!("「{there}」のない画面"), format!("no 「{there}」 on the screen"));
        return wrong(expected, came());
    }
    Ok(())
}

fn screen(name: ScreenName, outcome: Option<&impl Display>) -> Bilingual {
    let (ja, en) = match outcome {
        Some(outcome) => (format!("{name}、{outcome}"), format!(" ({outcome})")),
        None => (name.to_string(), String::new()),
    };
    Bilingual::new(format!("{}の画面 ({ja})", name.title()), format!("the screen {name}{en}"))
}
