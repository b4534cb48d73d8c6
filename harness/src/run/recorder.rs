//! What happens within a scenario, as the session tells it and as the link sees it. Exchanges are
//! masked the moment they are recorded, so nothing behind here ever holds a PIN.

use crate::language::Bilingual;
use crate::link::{CardLink, LinkError, ReaderIdentity};
use crate::scenario::ScreenName;
use std::cell::RefCell;
use std::rc::Rc;
use std::time::{Duration, Instant};
use vmyna_sim::document::Position;
use vmyna_sim::exchange::Exchange;
use vmyna_sim::fault::Fault;
use vmyna_sim::smart_card::Power;

/// Something that happened within a scenario.
#[derive(Debug, Clone)]
pub enum Happening {
    /// a step begins
    StepBegan {
        /// where it is written
        position: Position,
        /// the step, in short
        step: String,
        /// the step, as a sentence
        words: Bilingual,
    },
    /// the step that began last ended
    StepEnded(StepOutcome),
    /// a command was sent and answered, or not answered
    Exchange {
        /// both, PINs masked
        exchange: Exchange,
        /// from the command to its answer, as the terminal sees it
        took: Duration,
    },
    /// the power was switched
    Power(Power),
    /// a screen as the holder sees it
    Screen {
        /// which screen
        screen: ScreenName,
        /// its text, with its line breaks
        text: String,
    },
}

/// How a step ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum StepOutcome {
    /// as expected
    Passed,
    /// different where that is only recorded
    Observed,
    /// different
    Failed,
    /// the scenario ended here for another reason
    Stopped,
}

/// How much of what happens within scenarios is taken down.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Detail {
    /// nothing
    #[default]
    Nothing,
    /// the screens of flows
    Screens,
    /// steps, exchanges, screens
    Everything,
}

/// Takes down what happens. Clones share one record; the default keeps nothing.
#[derive(Debug, Clone, Default)]
pub struct Recorder {
    detail: Detail,
    record: Rc<RefCell<Vec<Happening>>>,
}

impl Recorder {
    /// One that keeps so much of what it is told.
    #[must_use]
    pub fn new(detail: Detail) -> Self {
        Self { detail, record: Rc::default() }
    }

    /// Whether it keeps so much.
    #[must_use]
    pub fn keeps(&self, detail: Detail) -> bool {
        self.detail >= detail
    }

    /// Takes down what `happening` makes; it is not called where that is not kept.
    pub fn record(&self, happening: impl FnOnce() -> Happening) {
        if self.keeps(Detail::Everything) {
            self.record.borrow_mut().push(happening());
        }
    }

    /// Takes down a screen.
    pub fn record_screen(&self, screen: ScreenName, text: String) {
        if self.keeps(Detail::Screens) {
            self.record.borrow_mut().push(Happening::Screen { screen, text });
        }
    }

    /// Everything since the last time.
    #[must_use]
    pub fn take(&self) -> Vec<Happening> {
        self.record.take()
    }
}

/// A link whose exchanges and power switches are taken down.
pub struct Recorded<L> {
    link: L,
    recorder: Recorder,
}

impl<L: CardLink> Recorded<L> {
    /// Takes down what passes through `link`.
    pub const fn new(link: L, recorder: Recorder) -> Self {
        Self { link, recorder }
    }
}

impl<L: CardLink> CardLink for Recorded<L> {
    fn reader(&self) -> Option<&ReaderIdentity> {
        self.link.reader()
    }

    fn atr(&mut self) -> Result<Vec<u8>, LinkError> {
        self.link.atr()
    }

    fn power(&mut self, power: Power) -> Result<(), LinkError> {
        self.recorder.record(|| Happening::Power(power));
        self.link.power(power)
    }

    fn transmit(&mut self, command: &[u8]) -> Result<Vec<u8>, LinkError> {
        if !self.recorder.keeps(Detail::Everything) {
            return self.link.transmit(command);
        }
        let began = Instant::now();
        let answer = self.link.transmit(command);
        let took = began.elapsed();
        // A command that the guard holds back has not been sent.
        if !matches!(answer, Err(LinkError::Refused(_))) {
            let response = answer.as_deref().ok();
            self.recorder
                .record(|| Happening::Exchange { exchange: Exchange::kept(command, response), took });
        }
        answer
    }

    fn suffer(&mut self, faults: &[Fault]) -> Result<Vec<Fault>, LinkError> {
        self.link.suffer(faults)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::link::InProcess;
    use hex_literal::hex;
    use vmyna_sim::card::VirtualCard;

    fn play(recorder: &Recorder) {
        let mut link = Recorded::new(InProcess(VirtualCard::built_in("hanako").unwrap()), recorder.clone());
        link.power(Power::On).unwrap();
        link.transmit(&hex!("00A4040C0AD392F000260100000001")).unwrap();
        link.transmit(&hex!("002000980431323334")).unwrap();
    }

    #[test]
    fn exchanges_are_taken_down_without_their_pins() {
        let recorder = Recorder::new(Detail::Everything);
        play(&recorder);
        let taken = recorder.take();
        let [Happening::Power(_), Happening::Exchange { .. }, Happening::Exchange { exchange, .. }] =
            &taken[..]
        else {
            panic!("{taken:?}")
        };
        assert_eq!(exchange.command.hex(), "00 20 00 98 04 ** ** ** **");
        assert!(!format!("{taken:?}").contains("49, 50, 51, 52"), "the PIN itself is not kept");
        assert!(recorder.take().is_empty());
    }

    #[test]
    fn nothing_is_kept_where_nobody_wants_it() {
        let recorder = Recorder::default();
        play(&recorder);
        assert!(recorder.take().is_empty());
    }
}
