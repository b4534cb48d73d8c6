//! What SET SESSION KEY and the commands of secure messaging do (myna-card 3.3.4, measured).

use super::VirtualCard;
use super::commands::Answer;
use crate::apdu::{CommandApdu, Status};
use crate::application;
use crate::command::Refusal;
use crate::file::SessionKeyDelivery;
use crate::key::DecryptError;
use crate::secure_messaging::Session;
use crate::undocumented::Situation;

/// Bytes that an RSA key of 2048 bits encrypts to.
const CIPHERTEXT: usize = 256;

impl VirtualCard {
    /// SET SESSION KEY. Who may deliver a key is checked before anything is decrypted.
    pub(super) fn set_session_key(&mut self, ciphertext: &[u8]) -> Answer {
        match application::ALL[self.volatile.application].session_key {
            SessionKeyDelivery::Refused(status) => return Err(status.into()),
            SessionKeyDelivery::Undocumented => return Err(Situation::SessionKeyNoApplication.into()),
            SessionKeyDelivery::After(pin) if !self.verified().contains(pin) => {
                return Err(Status::SecurityStatusNotSatisfied.into());
            }
            SessionKeyDelivery::After(_) => {}
        }
        if ciphertext.len() != CIPHERTEXT {
            return Err(Situation::SessionKeyLength.into());
        }
        let key = &self.personalised.issued().body.session_key;
        let message = key.decrypt_oaep_sha256(ciphertext).map_err(|error| match error {
            DecryptError::NotBelowModulus => Status::NoPreciseDiagnosis,
            DecryptError::Padding => Status::IncorrectData,
        })?;
        self.volatile.session = Some(Session::delivered_by(&message)?);
        Ok(Vec::with_capacity(2))
    }

    /// A command of class `08`. What is refused inside is refused as it would be in the clear, and
    /// counts; what cannot be unwrapped ends the session.
    pub(super) fn execute_secured(&mut self, apdu: &CommandApdu<'_>) -> Answer {
        let session = self.volatile.session.as_mut().ok_or(Status::NoSecureMessagingSession)?;
        let unwrapped = match session.unwrap(apdu) {
            Ok(unwrapped) => unwrapped,
            Err(refusal) => {
                self.volatile.session = None;
                return Err(refusal);
            }
        };
        // the command may end the session, by leaving the application
        let session = *session;
        let answer = self.execute_plain(apdu.unwrapped(&unwrapped.data, unwrapped.le))?;
        if answer.is_empty() {
            return Ok(answer);
        }
        let wrapped = session.wrap(&answer);
        match apdu.le() {
            Some(le) if wrapped.len() <= le as usize => Ok(wrapped),
            // GET DATA refuses a short Le so
            _ => Err(Situation::SecuredShortOuterLe.into()),
        }
    }

    /// A command of class `0C`: no session has a key for checksums. That it ends the session is not
    /// known; myna-card takes it for ended.
    pub(super) fn refuse_integrity(&mut self) -> Refusal {
        self.volatile.session = None;
        Status::SecureMessagingObjectsMissing.into()
    }
}
