//! One card, seen from the reader. Nothing that a card does wrong can hang this end or make it grow:
//! every answer has a deadline for the whole of it, frames are bounded by their length field, and
//! what comes unasked is noticed before it is taken for the answer to the next request. After the
//! first such thing the connection is closed and stays lost, since no later answer could be trusted.

use super::{
    Address, ReaderError,
    connecting::{BackOff, CONNECT_TIMEOUT, reach},
    frame::{self, HEADER, MAX_BODY},
};
use crate::smart_card::Power;
use std::{
    fmt,
    io::{self, Read, Write},
    net::TcpStream,
    thread,
    time::{Duration, Instant},
};
use thiserror::Error;

/// How long a card may take for an answer, unless told otherwise.
pub const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

/// Room for a short response APDU and its header at the first reading.
const SHORT_ANSWER: usize = HEADER + 256 + 2;

/// How the reader's end behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReaderOptions {
    /// how long a card may take for a whole answer, and for hearing a request; at least 1 ms
    pub answer_timeout: Duration,
    /// Sends header and body in two writes and leaves Nagle's algorithm on, as Debian 12's vpcd
    /// does: to measure what this costs a card.
    pub like_debian: bool,
}

impl Default for ReaderOptions {
    fn default() -> Self {
        Self { answer_timeout: ANSWER_TIMEOUT, like_debian: false }
    }
}

/// What became of the link to the card. Lengths are in bytes and count the header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum LinkLost {
    /// the card closed the connection: it has left the reader
    #[error("the card left the reader: it closed the connection")]
    Closed,
    /// the connection was reset
    #[error("the card left the reader: the connection was reset")]
    Reset,
    /// the card closed the connection within an answer
    #[error("the card left the reader within an answer: {got} of {expected} bytes came")]
    HalfFrame {
        /// bytes in the whole frame, or in its header as long as that is not complete
        expected: usize,
        /// bytes that came
        got: usize,
    },
    /// no answer in time
    #[error("the card did not answer within {} ms", .waited.as_millis())]
    Mute {
        /// the answer timeout
        waited: Duration,
    },
    /// an answer was begun and not completed in time
    #[error("the card did not complete its answer within {} ms: {got} of {expected} bytes came", .waited.as_millis())]
    Stalled {
        /// bytes in the whole frame, or in its header as long as that is not complete
        expected: usize,
        /// bytes that came
        got: usize,
        /// the answer timeout
        waited: Duration,
    },
    /// the card does not read: the request could not be sent in time
    #[error("the card took in no request within {} ms", .waited.as_millis())]
    Deaf {
        /// the answer timeout
        waited: Duration,
    },
    /// the card sent something that it was not asked for; frames carry no tag, so that from here on
    /// each answer would be taken for another
    #[error("the card sent what it was not asked for; no later answer can be told from it")]
    Unsolicited,
    /// the card answered with a frame of length zero, on which vpcd hangs
    #[error("the card answered with a frame of length zero")]
    EmptyFrame,
    /// the transport failed otherwise
    #[error("the connection failed: {0}")]
    Failed(io::ErrorKind),
}

/// Why there is no response APDU.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum TransmitError {
    /// no command; the connection is as good as before
    #[error("an empty command cannot be sent to a card")]
    Empty,
    /// a single byte would be taken for a control byte; the connection is as good as before
    #[error("a command of one byte cannot be sent: over vpcd a single byte is power or reset, not an APDU")]
    OneByte,
    /// longer than a frame; the connection is as good as before
    #[error("a command of {0} bytes cannot be sent: over vpcd {MAX_BODY} is the most")]
    TooLong(usize),
    /// the link to the card is lost
    #[error(transparent)]
    Lost(#[from] LinkLost),
}

/// A connection to one card. Closed when dropped: the reader has gone.
pub struct Connection {
    stream: TcpStream,
    options: ReaderOptions,
    incoming: Vec<u8>,
    surplus: bool,
    lost: Option<LinkLost>,
}

impl Connection {
    /// Connects to a card that listens (vpcd's reversed mode), and tries until the deadline, at
    /// least once. Looking up a name is not bounded by it.
    ///
    /// # Errors
    /// [`ReaderError::NotReached`] at the deadline, with the reason of the last failure.
    pub fn connect(
        address: &Address,
        deadline: Instant,
        options: ReaderOptions,
    ) -> Result<Self, ReaderError> {
        let from = Instant::now();
        let left = || deadline.saturating_duration_since(Instant::now());
        let mut back_off = BackOff::new();
        loop {
            match reach(address, left().clamp(Duration::from_millis(1), CONNECT_TIMEOUT)) {
                Ok((stream, _)) => return Ok(Self::new(stream, options)?),
                Err(reason) if left().is_zero() => {
                    return Err(ReaderError::NotReached {
                        address: address.clone(),
                        reason,
                        waited: from.elapsed(),
                    });
                }
                Err(_) => thread::sleep(back_off.next().min(left())),
            }
        }
    }

    /// Takes over a connected stream.
    ///
    /// # Errors
    /// The system refuses to set the stream's options.
    pub fn new(stream: TcpStream, options: ReaderOptions) -> io::Result<Self> {
        let answer_timeout = options.answer_timeout.max(Duration::from_millis(1));
        let options = ReaderOptions { answer_timeout, ..options };
        stream.set_nodelay(!options.like_debian)?;
        stream.set_read_timeout(Some(answer_timeout))?;
        stream.set_write_timeout(Some(answer_timeout))?;
        Ok(Self { stream, options, incoming: vec![0; SHORT_ANSWER], surplus: false, lost: None })
    }

    /// Switches the card's power, or resets it. A card does not answer that.
    ///
    /// # Errors
    /// The link is lost, be it earlier.
    pub fn power(&mut self, power: Power) -> Result<(), LinkLost> {
        let control = match power {
            Power::Off => frame::POWER_OFF,
            Power::On => frame::POWER_ON,
            Power::WarmReset => frame::WARM_RESET,
        };
        self.guard(|connection| connection.send(&[control]))
    }

    /// The card's ATR, whatever its power state, as it came: 1 to 65,535 bytes.
    ///
    /// # Errors
    /// The link is lost, be it earlier.
    pub fn atr(&mut self) -> Result<Vec<u8>, LinkLost> {
        self.guard(|connection| {
            connection.send(&[frame::GET_ATR])?;
            connection.receive()
        })
    }

    /// Sends a command APDU of 2 to 65,535 bytes and gives the answer as it came: 1 to 65,535 bytes,
    /// which may be too short for a response APDU.
    ///
    /// # Errors
    /// The command cannot be sent, or the link is lost, be it earlier.
    pub fn transmit(&mut self, command: &[u8]) -> Result<Vec<u8>, TransmitError> {
        match command.len() {
            0 => Err(TransmitError::Empty),
            1 => Err(TransmitError::OneByte),
            2..=MAX_BODY => Ok(self.guard(|connection| {
                connection.send(command)?;
                connection.receive()
            })?),
            length => Err(TransmitError::TooLong(length)),
        }
    }

    /// Watches for a while that the card says nothing of its own accord. Without it, what comes
    /// unasked is noticed at the next request if it is there by then, or else at the one after.
    ///
    /// # Errors
    /// [`LinkLost::Unsolicited`], or the link is lost otherwise, be it earlier.
    pub fn stays_quiet(&mut self, during: Duration) -> Result<(), LinkLost> {
        self.guard(|connection| {
            connection.check_nothing_came()?;
            connection.stream.set_read_timeout(Some(during.max(Duration::from_millis(1)))).map_err(failed)?;
            let peeked = connection.stream.peek(&mut [0]);
            connection.stream.set_read_timeout(Some(connection.options.answer_timeout)).map_err(failed)?;
            nothing_came(peeked)
        })
    }

    /// Does it unless the link is lost; closes it when this loses it.
    fn guard<T>(&mut self, act: impl FnOnce(&mut Self) -> Result<T, LinkLost>) -> Result<T, LinkLost> {
        if let Some(lost) = self.lost {
            return Err(lost);
        }
        let done = act(self);
        if let Err(lost) = done {
            self.lost = Some(lost);
            let _ = self.stream.shutdown(std::net::Shutdown::Both);
        }
        done
    }

    fn send(&mut self, body: &[u8]) -> Result<(), LinkLost> {
        self.check_nothing_came()?;
        let frame = frame::encode(body).map_err(|_| LinkLost::Failed(io::ErrorKind::InvalidInput))?;
        if self.options.like_debian {
            let (header, body) = frame.split_at(HEADER);
            self.write(header)?;
            self.write(body)
        } else {
            self.write(&frame)
        }
    }

    fn write(&mut self, mut bytes: &[u8]) -> Result<(), LinkLost> {
        let waited = self.options.answer_timeout;
        let deadline = Instant::now() + waited;
        loop {
            match self.stream.write(bytes) {
                Ok(written) if written == bytes.len() => return Ok(()),
                Ok(written) => bytes = &bytes[written..],
                Err(error) if is_timeout(&error) => return Err(LinkLost::Deaf { waited }),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(failed(error)),
            }
            if Instant::now() >= deadline {
                return Err(LinkLost::Deaf { waited });
            }
        }
    }

    fn check_nothing_came(&mut self) -> Result<(), LinkLost> {
        if self.surplus {
            return Err(LinkLost::Unsolicited);
        }
        self.stream.set_nonblocking(true).map_err(failed)?;
        let peeked = self.stream.peek(&mut [0]);
        self.stream.set_nonblocking(false).map_err(failed)?;
        nothing_came(peeked)
    }

    /// Reads one frame. Mostly that is one read; only an answer in pieces needs its timeout adjusted,
    /// without which a card could hold the reader for ever with a byte at a time.
    fn receive(&mut self) -> Result<Vec<u8>, LinkLost> {
        let deadline = Instant::now() + self.options.answer_timeout;
        let mut got = self.read_some(0)?;
        let mut in_pieces = false;
        while got < self.expected(got) {
            in_pieces = true;
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(self.overdue(got));
            }
            self.stream.set_read_timeout(Some(left)).map_err(failed)?;
            if self.incoming.len() < self.expected(got) {
                self.incoming.resize(self.expected(got), 0);
            }
            got += self.read_some(got)?;
        }
        if in_pieces {
            self.stream.set_read_timeout(Some(self.options.answer_timeout)).map_err(failed)?;
        }
        let expected = self.expected(got);
        self.surplus = got > expected;
        if expected == HEADER {
            return Err(LinkLost::EmptyFrame);
        }
        let answer = self.incoming[HEADER..expected].to_vec();
        self.incoming.truncate(SHORT_ANSWER);
        Ok(answer)
    }

    /// Reads once, behind the bytes that came already.
    fn read_some(&mut self, got: usize) -> Result<usize, LinkLost> {
        loop {
            match self.stream.read(&mut self.incoming[got..]) {
                Ok(0) if got == 0 => return Err(LinkLost::Closed),
                Ok(0) => return Err(LinkLost::HalfFrame { expected: self.expected(got), got }),
                Ok(n) => return Ok(n),
                Err(error) if is_timeout(&error) => return Err(self.overdue(got)),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(failed(error)),
            }
        }
    }

    /// The length of the frame whose first `got` bytes are here, as far as it is known.
    fn expected(&self, got: usize) -> usize {
        if got < HEADER {
            HEADER
        } else {
            HEADER + usize::from(u16::from_be_bytes([self.incoming[0], self.incoming[1]]))
        }
    }

    fn overdue(&self, got: usize) -> LinkLost {
        let waited = self.options.answer_timeout;
        if got == 0 {
            LinkLost::Mute { waited }
        } else {
            LinkLost::Stalled { expected: self.expected(got), got, waited }
        }
    }
}

impl fmt::Debug for Connection {
    /// Without what came in, which is nobody's business.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("stream", &self.stream)
            .field("options", &self.options)
            .field("lost", &self.lost)
            .finish_non_exhaustive()
    }
}

fn nothing_came(peeked: io::Result<usize>) -> Result<(), LinkLost> {
    match peeked {
        Ok(0) => Err(LinkLost::Closed),
        Ok(_) => Err(LinkLost::Unsolicited),
        Err(error) if is_timeout(&error) || error.kind() == io::ErrorKind::Interrupted => Ok(()),
        Err(error) => Err(failed(error)),
    }
}

/// Systems differ in how they call it.
fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut)
}

#[expect(clippy::needless_pass_by_value, reason = "it stands where errors are mapped")]
fn failed(error: io::Error) -> LinkLost {
    match error.kind() {
        io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted | io::ErrorKind::BrokenPipe => {
            LinkLost::Reset
        }
        other => LinkLost::Failed(other),
    }
}

#[cfg(test)]
mod tests;
