//! What must hold in every flow, whatever its steps say: what the portal holds changes only when it
//! says that an application was accepted, tries are spent by wrong PINs that reached a card and by
//! nothing else, and asking once more changes nothing.

use super::stage::{Absent, Held, Seen, Stage, Trouble};
use crate::language::{Bilingual, Language, in_both};
use crate::scenario::{EnterStep, HoldStep, OperatorStep, Pressable, RowName, ScreenName, Verb};
use vmyna_sim::pin::PinName;

/// Something that must not be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// the requirement; none where the flow itself is wrong
    pub requirement: Option<&'static str>,
    /// what must hold
    pub expected: Bilingual,
    /// what was found
    pub came: Bilingual,
}

/// An unfinished touch leaves no application.
const UNFINISHED: &str = "FLOW-08";
/// However an answer arrives, there is one application.
const ONCE: &str = "FLOW-13";
/// The PIN that inquiries ask for.
const PIN: PinName = PinName::UserAuthentication;
/// A wrong PIN spends one try, and nothing else does.
const COUNTED: &str = "PIN-03";

/// Looks on while a flow is played.
#[derive(Debug, Default)]
pub struct Watch {
    held: Vec<Held>,
    screen: Option<ScreenName>,
    asked: bool,
    told: Option<Seen>,
}

impl Watch {
    /// After each step.
    ///
    /// # Errors
    /// The stage has trouble of its own.
    pub fn after(&mut self, verb: &Verb, stage: &mut dyn Stage) -> Result<Option<Violation>, Trouble> {
        let before = self.screen;
        let screen = match stage.seen() {
            Ok(seen) => Some(seen.screen),
            Err(Trouble::NotThere(_)) => None,
            Err(trouble) => return Err(trouble),
        };
        self.screen = screen;
        let accepted = screen == Some(ScreenName::Done) && before != screen && brings_an_answer(verb);
        if brings_an_answer(verb) {
            self.asked = screen == Some(ScreenName::Status);
        }
        let held = stage.applications()?;
        let expected = self.held.len() + usize::from(accepted);
        let registered = screen == Some(ScreenName::Registered) && before != screen;
        let is_kept = match verb {
            _ if registered => {
                let without = |application: &Held| Held { signature_on_file: true, ..application.clone() };
                held.iter().map(without).eq(self.held.iter().map(without))
            }
            Verb::Operator(OperatorStep::CompleteRegistration) => {
                held.len() == expected && held.iter().all(|application| application.registered)
            }
            _ => held.len() == expected && self.held.iter().all(|application| held.contains(application)),
        };
        if !is_kept {
            let requirement = if held.len() > expected && !accepted { UNFINISHED } else { ONCE };
            let violation = changed(requirement, &self.held, &held, expected);
            return Ok(Some(violation));
        }
        self.held = held;
        Ok(miscounted(stage))
    }

    /// Whether something else is on the screen than when this was asked last.
    pub fn is_news(&mut self, seen: &Seen) -> bool {
        let is_news = self.told.as_ref() != Some(seen);
        self.told = Some(seen.clone());
        is_news
    }

    /// At the end: whatever cards were to suffer they have suffered, and an inquiry that was made is made
    /// once more.
    ///
    /// # Errors
    /// The stage has trouble of its own.
    pub fn at_the_end(&mut self, stage: &mut dyn Stage) -> Result<Option<Violation>, Trouble> {
        if let Some(violation) = never_struck(stage) {
            return Ok(Some(violation));
        }
        if !self.asked || self.screen != Some(ScreenName::Status) {
            return Ok(None);
        }
        let (rows, tries) = (stage.seen()?.rows, stage.tries_left(PIN)?);
        stage.press(Pressable::Finish)?;
        stage.press(Pressable::StartInquiry)?;
        stage.press(Pressable::Authenticate)?;
        present(stage, EnterStep::Right, &HoldStep { card: None, suffering: Vec::new() })?;
        let (again, held) = (stage.seen()?, stage.applications()?);
        if held != self.held {
            return Ok(Some(changed(ONCE, &self.held, &held, self.held.len())));
        }
        if again.rows != rows || stage.tries_left(PIN)? != tries {
            return Ok(Some(Violation {
                requirement: Some("FLOW-05"),
                expected: shown(&rows, tries),
                came: shown(&again.rows, stage.tries_left(PIN)?),
            }));
        }
        Ok(miscounted(stage))
    }
}

const fn brings_an_answer(verb: &Verb) -> bool {
    matches!(verb, Verb::Press(_) | Verb::Hold(_) | Verb::Present(_) | Verb::Callback(_) | Verb::Wait(_))
}

fn changed(requirement: &'static str, before: &[Held], held: &[Held], expected: usize) -> Violation {
    Violation {
        requirement: Some(requirement),
        expected: Bilingual::new(
            format!("サイトの申込は {expected} 件で、受け付けた一件のほかは変わらない"),
            format!("{expected} applications in the portal, unchanged but for one that was accepted"),
        ),
        came: Bilingual::new(
            format!("前は {} 件、後は {} 件", before.len(), held.len()),
            format!("{} before, {} after", before.len(), held.len()),
        ),
    }
}

/// What an inquiry shows, each time it is made.
fn shown(rows: &[RowName], tries: u8) -> Bilingual {
    in_both(|language| {
        let rows: Vec<_> = rows.iter().map(|row| row.title(language)).collect();
        match language {
            Language::Ja => format!("照会の結果は毎回 [{}]、残り {tries} 回", rows.join("、")),
            Language::En => {
                format!("an inquiry shows [{}] each time, with {tries} tries left", rows.join(", "))
            }
        }
    })
}

fn miscounted(stage: &mut dyn Stage) -> Option<Violation> {
    stage.miscounted().map(|came| Violation {
        requirement: Some(COUNTED),
        expected: Bilingual::new(
            "カードに届いた誤った暗証番号の数だけ残り回数が減る",
            "as many tries spent as wrong PINs reached the card",
        ),
        came,
    })
}

fn never_struck(stage: &mut dyn Stage) -> Option<Violation> {
    let faults = stage.never_struck();
    let faults = faults.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    (!faults.is_empty()).then(|| Violation {
        requirement: None,
        expected: Bilingual::new(format!("{faults} が起きる"), format!("{faults} strikes")),
        came: Bilingual::new(
            "このフローには、それが起きるコマンドがない",
            "it does not: the flow sends the card no such command",
        ),
    })
}

/// Enters the PIN and holds the card, in the order in which the terminal asks for them, as long as it
/// asks.
///
/// # Errors
/// [`Trouble`] of the stage.
pub fn present(stage: &mut dyn Stage, pin: EnterStep, hold: &HoldStep) -> Result<(), Trouble> {
    let (mut entered, mut held) = (false, false);
    loop {
        match stage.seen()?.screen {
            ScreenName::Pin if !entered => {
                stage.enter(pin, hold.card.as_deref())?;
                stage.press(Pressable::Confirm)?;
                entered = true;
            }
            ScreenName::Touch if !held => {
                stage.hold(hold)?;
                held = true;
            }
            seen if !entered && !held => {
                return Err(Trouble::NotThere(Absent::Terminal(seen)));
            }
            _ => return Ok(()),
        }
    }
}
