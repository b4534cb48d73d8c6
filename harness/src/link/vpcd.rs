//! A card over vpcd: the harness plays the reader.

use super::{CardLink, LinkError};
use vmyna_sim::smart_card::Power;
use vmyna_sim::vpcd::{Connection, LinkLost, TransmitError};

impl CardLink for Connection {
    fn atr(&mut self) -> Result<Vec<u8>, LinkError> {
        Self::atr(self).map_err(|error| lost(&error))
    }

    fn power(&mut self, power: Power) -> Result<(), LinkError> {
        Self::power(self, power).map_err(|error| lost(&error))
    }

    fn transmit(&mut self, command: &[u8]) -> Result<Vec<u8>, LinkError> {
        Self::transmit(self, command).map_err(|error| match error {
            TransmitError::Lost(error) => lost(&error),
            other => LinkError::Lost(other.to_string()),
        })
    }
}

fn lost(error: &LinkLost) -> LinkError {
    LinkError::Lost(error.to_string())
}
