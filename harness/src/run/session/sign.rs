//! The step that signs, and has the signature verified.

use super::Session;
use super::answer::Played;
use crate::scenario::{SignExpect, SignStep};
use crate::terminal;
use vmyna_sim::apdu::CommandBuilder;

impl Session<'_> {
    pub(super) fn sign(&mut self, step: &SignStep) -> Played {
        let p2 = self.address(step.by, terminal::key_file(step.key))?;
        let data = terminal::signature_input(&step.data, &self.captures);
        let command = CommandBuilder::new(0x80, 0x2A, 0x00, p2).data(&data).le(256).to_bytes();
        let answer = self.transmit(&command)?;
        if let SignExpect::Answer(expect) = &step.expect {
            return answer.must_be(expect, &self.captures);
        }
        answer.must_succeed()?;
        let Some(certificate) = self.certificates.get(&step.key.certificate()) else { return Ok(()) };
        let expected = format!("a signature that verifies with the certificate {}", step.key.certificate());
        let key =
            certificate.public_key().map_err(|problem| answer.differs(&expected, problem.to_string()))?;
        key.verify(&data, answer.data())
            .map_err(|problem| answer.differs(expected, problem.to_string()).into())
    }
}
