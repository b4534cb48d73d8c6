//! Where the persistent state of a card goes: nowhere but memory, or a file.

mod file;

pub use file::{FileStore, StateFileError};

use crate::pin::PinStates;
use std::io;

/// Keeps the persistent state. What has been saved is there after a crash.
pub trait Store: Send {
    /// Saves the state before anything is done that depends on it.
    ///
    /// # Errors
    /// When it could not be made to last; the card then behaves as if nothing had happened.
    fn save(&mut self, state: &PinStates) -> io::Result<()>;
}

/// Keeps nothing: the state lasts as long as the card object.
#[derive(Debug, Clone, Copy, Default)]
pub struct MemoryStore;

impl Store for MemoryStore {
    fn save(&mut self, _: &PinStates) -> io::Result<()> {
        Ok(())
    }
}
