//! What a fault does, without when.

use super::spec::{amount, time};
use crate::hex;
use crate::smart_card::Leaving;
use std::fmt;
use std::time::Duration;

/// What a fault does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The card leaves the reader.
    Remove {
        /// how far the command gets
        moment: Moment,
        /// in which way the card leaves
        leaving: Leaving,
    },
    /// The card says nothing for so long, and then leaves. Readers wait for ever, so it is bounded.
    Mute {
        /// how far the command gets
        moment: Moment,
        /// how long the silence lasts
        time: Duration,
    },
    /// The answer comes so much later.
    Delay(Duration),
    /// The answer comes later, each time by another time between these two.
    Jitter(Duration, Duration),
    /// The answer comes after so many block waiting times of 1.6 seconds: what a card with contacts
    /// asks for with waiting-time extensions.
    WaitingTime(u16),
    /// The data of the answer are so many bytes longer (filled with zeros) or shorter; the status
    /// stays.
    Length(i32),
    /// The answer lacks its status. Without data nothing is left to send, which is a silence.
    NoStatus,
    /// The answer lacks the last byte of its status.
    HalfStatus,
    /// So many bytes follow the status.
    Extra(u16),
    /// So many bits of the answer are flipped.
    Flip(u16),
    /// This status comes, and the command does not reach the card.
    Status(u16),
    /// The answer before comes once more, and from then on each answer one request late, until the
    /// power goes: what a frame too many does to a connection.
    Stale,
    /// The power is switched off and on so many times before the command.
    PowerCycle(u16),
    /// The card is reset (a warm reset) so many times before the command.
    Reset(u16),
    /// The card leaves, and another one comes back.
    Swap(Swap),
    /// The card leaves, and does not come back until it is inserted.
    NoCard,
    /// The connection is torn, and there is none until the card is inserted.
    NoReader,
}

/// How far the command gets that a fault strikes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// the card does not hear it
    Before,
    /// the card does what it is told; the answer is lost
    During,
    /// the answer arrives, and then it happens
    After,
}

/// What differs between the card that was there and the one that comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Swap {
    /// another person's card of the same kind: the ATR is the same, serial numbers and keys are not
    Serial,
    /// the same card with another ATR, as in another kind of reader
    Atr,
}

/// BWT of a card whose BWI is 4, as My Number cards have it: 2⁴ times 100 ms (ISO/IEC 7816-3,
/// 11.4.3, at the default clock).
pub const BLOCK_WAITING_TIME: Duration = Duration::from_millis(1_600);

/// A silence, unless told otherwise: longer than a reader's patience for a command.
const SILENCE: Duration = Duration::from_secs(5);

/// Of power cycles and resets.
const MANY: u16 = 20;

impl Kind {
    /// Reads a kind and its value: `mute`, `length=-2`.
    pub(super) fn parse(name: &str, value: Option<&str>) -> Result<Self, String> {
        let none = |kind: Self| match value {
            None => Ok(kind),
            Some(value) => Err(format!("{name} takes no value, and {value:?} was given")),
        };
        let needed =
            |example: &str| value.ok_or_else(|| format!("{name} needs a value, such as {name}={example}"));
        match name {
            "remove" => remove(value),
            "mute" => mute(value),
            "delay" => time(needed("500ms")?).map(Self::Delay),
            "jitter" => jitter(needed("10ms..300ms")?),
            "wtx" => amount(needed("5")?, 1, 300).map(Self::WaitingTime),
            "length" => length(needed("-2")?),
            "no-status" => none(Self::NoStatus),
            "half-status" => none(Self::HalfStatus),
            "extra" => amount(value.unwrap_or("1"), 1, u16::MAX).map(Self::Extra),
            "flip" => amount(value.unwrap_or("1"), 1, 1_000).map(Self::Flip),
            "status" => status(needed("6F00")?),
            "stale" => none(Self::Stale),
            "off-on" => amount(value.unwrap_or("1"), 1, 10_000).map(Self::PowerCycle),
            "reset" => amount(value.unwrap_or("1"), 1, 10_000).map(Self::Reset),
            "off-on-storm" => none(Self::PowerCycle(MANY)),
            "reset-storm" => none(Self::Reset(MANY)),
            "swap" => match value {
                None | Some("serial") => Ok(Self::Swap(Swap::Serial)),
                Some("atr") => Ok(Self::Swap(Swap::Atr)),
                Some(other) => Err(format!("swap is swap=serial or swap=atr, not {other:?}")),
            },
            "no-card" => none(Self::NoCard),
            "no-reader" => none(Self::NoReader),
            _ => Err(format!("there is no fault {name:?}; there are: {}", NAMES.join(", "))),
        }
    }

    /// Whether it makes sense when the card is asked for its ATR, which has no status and is no
    /// command.
    pub(super) const fn strikes_the_atr(self) -> bool {
        !matches!(self, Self::NoStatus | Self::HalfStatus | Self::Status(_) | Self::Stale)
    }

    /// Whether the card is lost when it strikes, always.
    #[must_use]
    pub const fn loses_the_card(self) -> bool {
        matches!(
            self,
            Self::Remove { moment: Moment::Before | Moment::During, .. }
                | Self::Mute { .. }
                | Self::Swap(_)
                | Self::NoCard
                | Self::NoReader
        )
    }

    /// Whether the card may be lost when it strikes: there may be nothing left to send.
    #[must_use]
    pub const fn may_lose_the_card(self) -> bool {
        self.loses_the_card() || matches!(self, Self::NoStatus | Self::HalfStatus)
    }

    /// Whether chance has a part in what it does.
    pub(super) const fn is_random(self) -> bool {
        matches!(self, Self::Jitter(..) | Self::Flip(_))
    }
}

const NAMES: [&str; 19] = [
    "remove",
    "mute",
    "delay",
    "jitter",
    "wtx",
    "length",
    "no-status",
    "half-status",
    "extra",
    "flip",
    "status",
    "stale",
    "off-on",
    "reset",
    "swap",
    "no-card",
    "no-reader",
    "off-on-storm",
    "reset-storm",
];

fn remove(value: Option<&str>) -> Result<Kind, String> {
    let (mut moment, mut leaving) = (Moment::Before, None);
    for word in value.into_iter().flat_map(|value| value.split(',')) {
        match word {
            "before" => moment = Moment::Before,
            "during" => moment = Moment::During,
            "after" => moment = Moment::After,
            "close" => leaving = Some(Leaving::Close),
            "reset" => leaving = Some(Leaving::Reset),
            "half" => leaving = Some(Leaving::HalfFrame),
            _ => {
                return Err(format!(
                    "remove takes before, during or after, and close, reset or half, not {word:?}"
                ));
            }
        }
    }
    // Half an answer is an answer begun: the command was done.
    if leaving == Some(Leaving::HalfFrame) {
        match moment {
            Moment::After => return Err("half an answer cannot come after the answer".to_owned()),
            Moment::Before if value.is_some_and(|value| value.contains("before")) => {
                return Err("half an answer cannot come before the command is done".to_owned());
            }
            Moment::Before | Moment::During => moment = Moment::During,
        }
    }
    Ok(Kind::Remove { moment, leaving: leaving.unwrap_or(Leaving::Close) })
}

fn mute(value: Option<&str>) -> Result<Kind, String> {
    let (mut moment, mut silence) = (Moment::Before, SILENCE);
    for word in value.into_iter().flat_map(|value| value.split(',')) {
        match word {
            "before" => moment = Moment::Before,
            "during" => moment = Moment::During,
            other => silence = time(other)?,
        }
    }
    Ok(Kind::Mute { moment, time: silence })
}

fn jitter(value: &str) -> Result<Kind, String> {
    let (from, to) = value.split_once("..").ok_or("jitter is two times, such as jitter=10ms..300ms")?;
    let (from, to) = (time(from)?, time(to)?);
    if from > to {
        return Err("the first time of jitter is the shorter one".to_owned());
    }
    Ok(Kind::Jitter(from, to))
}

fn length(value: &str) -> Result<Kind, String> {
    match value.parse::<i32>() {
        Ok(change @ -65_535..=65_535) if change != 0 => Ok(Kind::Length(change)),
        _ => Err(format!("length is by how many bytes the data change, such as -2 or +3, not {value:?}")),
    }
}

fn status(value: &str) -> Result<Kind, String> {
    match hex::decode(value).as_deref() {
        Ok(&[sw1, sw2]) => Ok(Kind::Status(u16::from_be_bytes([sw1, sw2]))),
        _ => Err(format!("a status is four hex digits, such as 6F00, not {value:?}")),
    }
}

/// A time as it is written.
struct Time(Duration);

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}ms", self.0.as_millis())
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Before => "before",
            Self::During => "during",
            Self::After => "after",
        })
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Remove { moment, leaving } => {
                let leaving = match leaving {
                    Leaving::Close => "close",
                    Leaving::Reset => "reset",
                    Leaving::HalfFrame => "half",
                };
                write!(f, "remove={moment},{leaving}")
            }
            Self::Mute { moment, time } => write!(f, "mute={},{moment}", Time(time)),
            Self::Delay(time) => write!(f, "delay={}", Time(time)),
            Self::Jitter(from, to) => write!(f, "jitter={}..{}", Time(from), Time(to)),
            Self::WaitingTime(times) => write!(f, "wtx={times}"),
            Self::Length(change) => write!(f, "length={change:+}"),
            Self::NoStatus => f.write_str("no-status"),
            Self::HalfStatus => f.write_str("half-status"),
            Self::Extra(bytes) => write!(f, "extra={bytes}"),
            Self::Flip(bits) => write!(f, "flip={bits}"),
            Self::Status(status) => write!(f, "status={status:04X}"),
            Self::Stale => f.write_str("stale"),
            Self::PowerCycle(times) => write!(f, "off-on={times}"),
            Self::Reset(times) => write!(f, "reset={times}"),
            Self::Swap(Swap::Serial) => f.write_str("swap=serial"),
            Self::Swap(Swap::Atr) => f.write_str("swap=atr"),
            Self::NoCard => f.write_str("no-card"),
            Self::NoReader => f.write_str("no-reader"),
        }
    }
}
