//! What the commands that use a private key do. None of them uses up the security status.

use super::VirtualCard;
use super::commands::Answer;
use crate::apdu::Status;
use crate::application;
use crate::command::{FileReference, KeyReference, Refusal};
use crate::file::{FileKind, PrivateKey};
use crate::key::{SignError, SignatureScheme};
use crate::undocumented::Situation;

impl VirtualCard {
    /// COMPUTE DIGITAL SIGNATURE.
    pub(super) fn compute_digital_signature(
        &mut self,
        scheme: SignatureScheme,
        key: KeyReference,
        data: &[u8],
    ) -> Answer {
        let key = match key {
            KeyReference::Default => {
                application::ALL[self.volatile.application].default_key.ok_or(Status::IncorrectP1P2)?
            }
            KeyReference::File(file) => {
                self.usable_key(file, Situation::SignNoCurrentEf, Situation::SignNotAKey)?
            }
        };
        if key.authenticates() {
            return Err(Situation::SignWithAuthenticatingKey.into());
        }
        if scheme != SignatureScheme::Verbatim && !key.is_of_jpki() {
            return Err(Situation::SignSchemeElsewhere.into());
        }
        let key = self.personalised.key(key).ok_or(Status::ConditionsOfUseNotSatisfied)?;
        key.sign(scheme, data, &mut *self.randomness).map_err(refused)
    }

    /// INTERNAL AUTHENTICATE: the signature of the challenge's SHA-256, by the one key that is for
    /// it. A key that signs is refused, with another status where it lies behind a PIN.
    pub(super) fn internal_authenticate(&mut self, key: FileReference, challenge: &[u8]) -> Answer {
        let key = self.usable_key(key, Situation::AuthenticateNoCurrentEf, Situation::AuthenticateNotAKey)?;
        match key {
            key if key.authenticates() => {
                let key = self.personalised.key(key).ok_or(Status::ConditionsOfUseNotSatisfied)?;
                key.sign_message(challenge).map_err(refused)
            }
            PrivateKey::Text | PrivateKey::Visual => Err(Status::ConditionsOfUseNotSatisfied.into()),
            _ => Err(Situation::AuthenticateWithSigningKey.into()),
        }
    }

    /// The key in an EF, where the security status allows its use.
    fn usable_key(
        &mut self,
        file: FileReference,
        no_current_ef: Situation,
        not_a_key: Situation,
    ) -> Result<PrivateKey, Refusal> {
        let index = self.refer_to(file)?.ok_or(no_current_ef)?;
        match self.files()[index].kind {
            FileKind::PrivateKey { usage, .. } if !usage.is_met(self.verified()) => {
                Err(Status::SecurityStatusNotSatisfied.into())
            }
            FileKind::PrivateKey { key, .. } => Ok(key),
            _ => Err(not_a_key.into()),
        }
    }
}

fn refused(error: SignError) -> Refusal {
    match error {
        SignError::Length(_) => Status::WrongLength,
        SignError::Unsupported => Status::IncorrectP1P2,
        SignError::Refused => Status::ConditionsOfUseNotSatisfied,
    }
    .into()
}
