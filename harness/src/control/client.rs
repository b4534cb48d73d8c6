//! Gives orders to a running card.

use super::order::{Order, Reply, Request};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use thiserror::Error;

/// Longest reply that is read, in bytes: a whole log.
const LONGEST_REPLY: u64 = 1 << 20;

/// A connection to a running process.
pub struct Client {
    path: PathBuf,
    stream: BufReader<UnixStream>,
}

/// Why there is no reply.
#[derive(Debug, Error)]
pub enum ControlError {
    /// nobody is there
    #[error("{}: nobody listens there: {source}", path.display())]
    NobodyThere {
        /// the socket
        path: PathBuf,
        /// why
        source: io::Error,
    },
    /// it is somebody else's
    #[error("{}: this socket is its owner's only; the user who runs `vmyna serve` controls its card", .0.display())]
    NotYours(PathBuf),
    /// the connection failed, or what came is no reply
    #[error("{}: the running vmyna does not answer: {reason}", path.display())]
    NoReply {
        /// the socket
        path: PathBuf,
        /// why
        reason: String,
    },
}

impl Client {
    /// Connects to the process that listens at `path`.
    ///
    /// # Errors
    /// Nobody listens there.
    pub fn connect(path: &Path) -> Result<Self, ControlError> {
        match UnixStream::connect(path) {
            Ok(stream) => Ok(Self { path: path.to_owned(), stream: BufReader::new(stream) }),
            Err(source) if source.kind() == io::ErrorKind::PermissionDenied => {
                Err(ControlError::NotYours(path.to_owned()))
            }
            Err(source) => Err(ControlError::NobodyThere { path: path.to_owned(), source }),
        }
    }

    /// Gives an order about the card in `slot`, and waits for the reply.
    ///
    /// # Errors
    /// The process has ended, or is no vmyna.
    pub fn order(&mut self, slot: u16, order: Order) -> Result<Reply, ControlError> {
        let request =
            serde_json::to_string(&Request { slot, order }).map_err(|error| self.no_reply(error))?;
        let sent = writeln!(self.stream.get_mut(), "{request}");
        sent.map_err(|error| self.no_reply(error))?;
        self.next_reply()?.ok_or_else(|| self.no_reply("it has ended"))
    }

    /// The next reply to an order that has several; `None` when there are no more.
    ///
    /// # Errors
    /// What came is no reply.
    pub fn next_reply(&mut self) -> Result<Option<Reply>, ControlError> {
        let mut line = String::new();
        let read = (&mut self.stream).take(LONGEST_REPLY).read_line(&mut line);
        match read.map_err(|error| self.no_reply(error))? {
            0 => Ok(None),
            _ => serde_json::from_str(&line).map(Some).map_err(|error| self.no_reply(error)),
        }
    }

    fn no_reply(&self, reason: impl ToString) -> ControlError {
        ControlError::NoReply { path: self.path.clone(), reason: reason.to_string() }
    }
}
