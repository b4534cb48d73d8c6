//! What the commands that use a private key do. None of them uses up the security status.

use super::VirtualCard;
use super::commands::Answer;
use crate::apdu::Status;
use crate::application;
use crate::command::{FileReference, KeyReference, Refusal};
use crate::file::{FileKind, PrivateKey};
use crate::key::{SignError, Signer};
use crate::undocumented::Situation;

impl VirtualCard {
    /// COMPUTE DIGITAL SIGNATURE over the bytes as they are.
    pub(super) fn compute_digital_signature(&mut self, key: KeyReference, data: &[u8]) -> Answer {
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
        self.signer(key)?.sign_verbatim(data).map_err(refused)
    }

    /// INTERNAL AUTHENTICATE: the signature of the challenge's SHA-256, by the one key that is for
    /// it. A key that signs is refused, with another status where it lies behind a PIN.
    pub(super) fn internal_authenticate(&mut self, key: FileReference, challenge: &[u8]) -> Answer {
        let key = self.usable_key(key, Situation::AuthenticateNoCurrentEf, Situation::AuthenticateNotAKey)?;
        match key {
            key if key.authenticates() => self.signer(key)?.sign_sha256(challenge).map_err(refused),
            PrivateKey::Text | PrivateKey::Visual => Err(Status::ConditionsOfUseNotSatisfied.into()),
            _ => Err(Situation::AuthenticateWithSigningKey.into()),
        }
    }

    /// The key itself, which a card without a signature certificate lacks.
    fn signer(&self, key: PrivateKey) -> Result<&dyn Signer, Refusal> {
        Ok(self.personalised.key(key).ok_or(Status::ConditionsOfUseNotSatisfied)?)
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
            FileKind::PrivateKey { usage, .. } if !usage.is_met(self.volatile.verified) => {
                Err(Status::SecurityStatusNotSatisfied.into())
            }
            FileKind::PrivateKey { key, .. } => Ok(key),
            _ => Err(not_a_key.into()),
        }
    }
}

fn refused(_: SignError) -> Refusal {
    Status::ConditionsOfUseNotSatisfied.into()
}
