//! A fault in one line, the same on the command line and in YAML: `WHAT[=VALUE][@WHEN]`.

use super::kind::Kind;
use super::trigger::Trigger;
use serde::{Deserialize, Deserializer, de};
use std::fmt;
use std::str::FromStr;
use std::time::Duration;
use thiserror::Error;

/// What strikes, and when.
///
/// ```
/// use vmyna_sim::fault::Fault;
///
/// let pulled_out: Fault = "remove=during@sign".parse()?;
/// assert_eq!(pulled_out.to_string(), "remove=during,close@sign");
/// # Ok::<(), vmyna_sim::fault::MalformedFault>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fault {
    /// what it does
    pub kind: Kind,
    /// when it does it; without one written, at the first command
    pub trigger: Trigger,
}

/// Not a fault.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{text:?} is no fault: {reason}; a fault is WHAT[=VALUE][@WHEN], such as mute=2s@sign")]
pub struct MalformedFault {
    text: String,
    reason: String,
}

/// How faults are written, for help texts.
pub const SYNTAX: &str = "\
A fault is WHAT[=VALUE][@WHEN]; without WHEN it strikes at the first command.
WHAT
  remove[=before|during|after][,close|reset|half]
                       the card leaves: before the command is done, when it is done but not
                       answered, or after the answer; closing the connection, tearing it, or
                       within the answer
  mute[=TIME][,during] no answer for TIME (5s), then the card leaves; with `during` the command
                       is done all the same
  delay=TIME           the answer is later
  jitter=TIME..TIME    the answer is later, by chance
  wtx=N                the answer is later by N block waiting times of 1.6 s
  length=-N|+N         N bytes of data less or more; the status stays
  no-status            the status is missing
  half-status          half of the status is missing
  extra[=N]            N bytes follow the status
  flip[=N]             N bits of the answer are flipped
  status=XXXX          this status; the command does not reach the card
  stale                the answer before once more, and each later answer one request late,
                       until the power goes
  off-on[=N]           N power cycles before the command; off-on-storm is 20
  reset[=N]            N warm resets before the command; reset-storm is 20
  swap[=serial]        another person's card with the same ATR comes back
  swap=atr             the same card with another ATR comes back
  no-card              the card leaves, until it is inserted again
  no-reader            the connection is torn, until the card is inserted again
WHEN
  N                    at the Nth command, counted from 1
  NAME[#N]             at the first (Nth) select, read, verify, tries-left, change-pin, sign,
                       authenticate, challenge, get-data, or ins=XX
  atr[#N]              when the reader asks for the ATR
  P%                   at each command with this probability
  always               at each command
TIME is such as 200ms or 1.5s, at most 10 minutes.";

/// Longest time that a fault takes.
const LONGEST: f64 = 600.0;

impl Fault {
    /// Whether what it does, or when, depends on the seed.
    #[must_use]
    pub const fn is_random(self) -> bool {
        self.kind.is_random()
            || matches!(self.trigger, Trigger::Chance(_) if !matches!(self.trigger, Trigger::ALWAYS))
    }
}

impl FromStr for Fault {
    type Err = MalformedFault;

    fn from_str(text: &str) -> Result<Self, MalformedFault> {
        let malformed = |reason| MalformedFault { text: text.to_owned(), reason };
        let (what, when) = match text.split_once('@') {
            Some((what, when)) => (what, Some(when)),
            None => (text, None),
        };
        let (name, value) = match what.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (what, None),
        };
        let kind = Kind::parse(name, value).map_err(malformed)?;
        let trigger = when.map_or(Ok(Trigger::Nth(1)), str::parse).map_err(malformed)?;
        if matches!(trigger, Trigger::Atr(_)) && !kind.strikes_the_atr() {
            return Err(malformed(format!("{name} concerns the answer to a command, not the ATR")));
        }
        Ok(Self { kind, trigger })
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.kind, self.trigger)
    }
}

impl<'de> Deserialize<'de> for Fault {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

/// Reads `200ms`, `2s`, `1.5s`.
pub(super) fn time(text: &str) -> Result<Duration, String> {
    let seconds = match (text.strip_suffix("ms"), text.strip_suffix('s')) {
        (Some(milliseconds), _) => milliseconds.parse::<u32>().ok().map(|n| f64::from(n) / 1_000.0),
        (None, Some(seconds)) => seconds.parse::<f64>().ok(),
        (None, None) => None,
    };
    match seconds {
        Some(seconds) if (0.0..=LONGEST).contains(&seconds) => {
            Ok(Duration::from_millis((seconds * 1_000.0).round() as u64))
        }
        Some(_) => Err(format!("a time is at most 10 minutes, not {text:?}")),
        None => Err(format!("a time is such as 200ms or 1.5s, not {text:?}")),
    }
}

/// Reads a number within bounds.
pub(super) fn amount(text: &str, least: u16, most: u16) -> Result<u16, String> {
    text.parse()
        .ok()
        .filter(|amount| (least..=most).contains(amount))
        .ok_or_else(|| format!("expected a number from {least} to {most}, not {text:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::{Instruction, Moment, Swap};
    use crate::smart_card::Leaving;
    use proptest::prelude::*;

    #[test]
    fn a_fault_alone_strikes_at_the_first_command() {
        let fault: Fault = "mute".parse().unwrap();
        assert_eq!(fault.to_string(), "mute=5000ms,before@1");
        assert_eq!("mute=2s@sign#3".parse::<Fault>().unwrap().to_string(), "mute=2000ms,before@sign#3");
        assert_eq!("remove=half".parse::<Fault>().unwrap().to_string(), "remove=during,half@1");
    }

    #[test]
    fn what_is_no_fault_is_refused_with_what_was_expected() {
        for (text, expected) in [
            ("", "there are: remove, mute"),
            ("mut", "there is no fault \"mut\""),
            ("mute=5", "a time is such as 200ms or 1.5s"),
            ("mute=11m", "a time is such as"),
            ("mute=700s", "at most 10 minutes"),
            ("delay", "delay needs a value, such as delay=500ms"),
            ("delay=-1s", "at most 10 minutes"),
            ("delay=nans", "at most 10 minutes"),
            ("jitter=3s..1s", "the shorter one"),
            ("length=0", "such as -2 or +3"),
            ("status=9", "four hex digits"),
            ("stale=1", "takes no value"),
            ("extra=0", "a number from 1"),
            ("remove=after,half", "cannot come after"),
            ("remove=before,half", "cannot come before"),
            ("status=6F00@atr", "not the ATR"),
            ("mute@", "there is no moment"),
            ("swap=card", "swap=serial or swap=atr"),
        ] {
            let refusal = text.parse::<Fault>().unwrap_err().to_string();
            assert!(
                refusal.contains(expected) && refusal.contains("WHAT[=VALUE][@WHEN]"),
                "{text}: {refusal}"
            );
        }
    }

    #[test]
    fn what_chance_decides_is_known_beforehand() {
        for (text, random) in [
            ("mute", false),
            ("mute@5%", true),
            ("delay=1s@always", false),
            ("flip", true),
            ("jitter=0s..1s@3", true),
        ] {
            assert_eq!(text.parse::<Fault>().unwrap().is_random(), random, "{text}");
        }
    }

    fn kind() -> impl Strategy<Value = Kind> {
        let time = || (0_u64..600_000).prop_map(Duration::from_millis);
        let leaving = prop_oneof![Just(Leaving::Close), Just(Leaving::Reset)];
        let moment = prop_oneof![Just(Moment::Before), Just(Moment::During), Just(Moment::After)];
        let heard = prop_oneof![Just(Moment::Before), Just(Moment::During)];
        prop_oneof![
            (moment, leaving).prop_map(|(moment, leaving)| Kind::Remove { moment, leaving }),
            Just(Kind::Remove { moment: Moment::During, leaving: Leaving::HalfFrame }),
            (heard, time()).prop_map(|(moment, time)| Kind::Mute { moment, time }),
            time().prop_map(Kind::Delay),
            (time(), time()).prop_map(|(one, other)| Kind::Jitter(one.min(other), one.max(other))),
            (1_u16..=300).prop_map(Kind::WaitingTime),
            (1_i32..=65_535, any::<bool>()).prop_map(|(n, less)| Kind::Length(if less { -n } else { n })),
            (1_u16..).prop_map(Kind::Extra),
            (1_u16..=1_000).prop_map(Kind::Flip),
            any::<u16>().prop_map(Kind::Status),
            (1_u16..=10_000).prop_map(Kind::PowerCycle),
            (1_u16..=10_000).prop_map(Kind::Reset),
            prop::sample::select(vec![
                Kind::NoStatus,
                Kind::HalfStatus,
                Kind::Stale,
                Kind::Swap(Swap::Serial),
                Kind::Swap(Swap::Atr),
                Kind::NoCard,
                Kind::NoReader,
            ]),
        ]
    }

    fn trigger() -> impl Strategy<Value = Trigger> {
        prop_oneof![
            (1_u32..).prop_map(Trigger::Nth),
            (1_u32..).prop_map(|n| Trigger::Command(Instruction::Sign, n)),
            (any::<u8>(), 1_u32..).prop_map(|(byte, n)| Trigger::Command(Instruction::Byte(byte), n)),
            (1_u16..=10_000).prop_map(Trigger::Chance),
        ]
    }

    proptest! {
        #[test]
        fn a_fault_reads_as_it_is_written(kind in kind(), trigger in trigger()) {
            let fault = Fault { kind, trigger };
            prop_assert_eq!(fault.to_string().parse(), Ok(fault));
        }

        #[test]
        fn no_text_upsets_it(text in ".{0,40}") {
            let _ = text.parse::<Fault>();
        }
    }
}
