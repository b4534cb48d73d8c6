//! The steps in which a key of the card signs, and has what it made verified.

use super::Session;
use super::answer::{Answer, Played};
use super::content::{Key, key_of};
use crate::language::{Bilingual, Language, in_both};
use crate::run::judge::Judge;
use crate::scenario::{AuthenticateStep, SignExpect, SignStep, Verifier};
use crate::terminal;
use crate::terminal::{Digest, KeyName};
use crate::verify::{PublicKey, SignatureScheme};
use vmyna_sim::pki::public_key_objects;

/// P2 of COMPUTE DIGITAL SIGNATURE with the key that the application has for it.
const DEFAULT_KEY: u8 = 0x00;

impl Session<'_> {
    pub(super) fn sign(&mut self, step: &SignStep) -> Played {
        let p2 = match step.by.file() {
            Some(by) => self.address(by, terminal::key_file(step.key))?,
            None => DEFAULT_KEY,
        };
        let data = step.data.bytes(&self.captures);
        let command = terminal::compute_digital_signature(step.mode.p1(), p2, &data);
        let answer = self.transmit(&command)?;
        if let SignExpect::Answer(expect) = &step.expect {
            return answer.must_be(expect, &self.captures);
        }
        answer.must_succeed()?;
        let Some(verifier) = step.verifier() else { return Ok(()) };
        let (scheme, signed) = step.mode.verified_as(&data);
        self.must_verify(&answer, &verifier, scheme, &signed)
    }

    pub(super) fn authenticate(&mut self, step: &AuthenticateStep) -> Played {
        let p2 = self.address(step.by, terminal::key_file(step.key))?;
        let challenge = step.challenge.bytes(&self.captures);
        let answer = self.transmit(&terminal::internal_authenticate(p2, &challenge))?;
        if let SignExpect::Answer(expect) = &step.expect {
            return answer.must_be(expect, &self.captures);
        }
        answer.must_succeed()?;
        let signed = Digest::Sha256.digest_info(&Digest::Sha256.of(&challenge));
        if let Some(verifier) = &step.verified_by {
            return self.must_verify(&answer, verifier, SignatureScheme::Plain, &signed);
        }
        let Some(key) = self.test_key(step.key) else { return Ok(()) };
        let expected = Bilingual::new(
            format!("TEST 鍵 {} で検証できる、チャレンジへの署名", step.key),
            format!("a signature of the challenge that verifies with the TEST key {}", step.key),
        );
        key.verify(SignatureScheme::Plain, &signed, answer.data())
            .map_err(|problem| answer.differs(expected, problem.in_words()).into())
    }

    fn must_verify(
        &self,
        answer: &Answer,
        verifier: &Verifier,
        scheme: SignatureScheme,
        signed: &[u8],
    ) -> Played {
        // A certificate that was not as it should be has been told of already.
        if verifier.certificate_needed().is_some_and(|name| self.captures.certificate(name).is_none()) {
            return Ok(());
        }
        let expected = in_both(|language| match language {
            Language::Ja => format!("{}で検証できる署名", verifier.in_words(language)),
            Language::En => format!("a signature that verifies with {verifier}"),
        });
        let key = match key_of(verifier, &self.captures) {
            Key::Known(key) => key,
            Key::Malformed(problem) => return Err(answer.differs(expected, problem).into()),
            Key::Unknown(why) => return Err(super::Stop::Missing(why)),
        };
        key.verify(scheme, signed, answer.data())
            .map_err(|problem| answer.differs(expected, problem.in_words()).into())
    }

    /// The public half of a key that is published nowhere. The TEST cards of this project have known
    /// ones; of any other card it is known to nobody outside.
    fn test_key(&self, key: KeyName) -> Option<PublicKey> {
        let is_ours = matches!(self.surroundings.judge, Judge::BuiltIn | Judge::OurIssuer);
        let named = (is_ours && key == KeyName::Common).then_some(self.surroundings.holder.keys.common)?;
        PublicKey::of_card(&public_key_objects(&*named.key().ok()?).ok()?)
    }
}
