//! The steps in secure messaging.

use super::Session;
use super::answer::{Answer, Played, Stop};
use crate::language::Bilingual;
use crate::run::judge::Judge;
use crate::run::verdict::bytes;
use crate::scenario::{SecureCommand, SecureRead, SecureSessionChoice, SecureSessionStep, SecureStep};
use crate::terminal::{
    self,
    secure_messaging::{SecureSession, SessionSeed},
};
use sha2::{Digest, Sha256};
use vmyna_sim::apdu::Status;

/// The short identifier of EF 0006, which holds the key that session keys are encrypted to.
const SESSION_KEY: u8 = 0x06;
const SESSION_KEY_SIZE: u32 = 269;
/// Where the padding indicator stands in SELECT and VERIFY: after header, Lc, tag and length.
const INDICATOR: usize = 7;
/// More bytes than any EF has.
const MOST_READ: usize = 0x7000;

impl Session<'_> {
    pub(super) fn secure_session(&mut self, step: &SecureSessionStep) -> Played {
        let public_key =
            self.transmit(&terminal::read_binary(Some(SESSION_KEY), 0, SESSION_KEY_SIZE, true))?;
        public_key.must_succeed()?;
        let seed = self.session_seed()?;
        let (secure, command) = SecureSession::open(public_key.data(), &seed).map_err(|problem| {
            let expected = Bilingual::new("EF 0006 の公開鍵", "a public key in EF 0006");
            public_key.differs(expected, problem.in_words())
        })?;
        let answer = self.transmit(&command)?;
        if answer.succeeded() {
            self.former_secure = self.secure.replace(secure);
        }
        answer.must_be(&step.expect, &self.captures)
    }

    /// Another seed for each session; on cards with TEST keys, and where two cards are
    /// compared, always the same ones, so that their conversations can be held against each other.
    fn session_seed(&mut self) -> Played<SessionSeed> {
        self.sessions_opened += 1;
        let mut seed = SessionSeed { key: [0; 32], padding: [0; 32] };
        match self.surroundings.judge {
            Judge::BuiltIn | Judge::OurIssuer | Judge::Nobody => {
                let count = self.sessions_opened.to_be_bytes();
                let derived = |purpose: &[u8]| {
                    Sha256::new().chain_update(b"vmyna session ").chain_update(purpose).chain_update(count)
                };
                seed.key = derived(b"key").finalize().into();
                seed.padding = derived(b"padding").finalize().into();
            }
            _ => {
                for part in [&mut seed.key, &mut seed.padding] {
                    aws_lc_rs::rand::fill(part).map_err(|_| {
                        Stop::Missing(Bilingual::new("乱数が得られない", "there is no source of randomness"))
                    })?;
                }
            }
        }
        Ok(seed)
    }

    pub(super) fn secure(&mut self, step: &SecureStep) -> Played {
        if let SecureCommand::ReadBinary(read) = step.command
            && read.to_the_end
        {
            return self.secure_to_the_end(step, read);
        }
        let (answer, plain) = self.secured(step, step.command)?;
        answer.must_have_status(&step.expect)?;
        let plain = self.decrypted(&answer, plain)?;
        self.yields(&plain);
        answer.must_hold(&step.expect, &plain, &self.captures)
    }

    /// Reads block by block until one is short: as a client does that does not know the size of the EF.
    fn secure_to_the_end(&mut self, step: &SecureStep, read: SecureRead) -> Played {
        let mut all = Vec::new();
        let mut at = read;
        loop {
            let (answer, plain) = self.secured(step, SecureCommand::ReadBinary(at))?;
            let is_past_the_end = !all.is_empty()
                && answer.response().is_some_and(|response| response.status == Status::OffsetOutsideEf);
            let block = if is_past_the_end {
                Vec::new()
            } else {
                answer.must_have_status(&step.expect)?;
                self.decrypted(&answer, plain)?
            };
            if block.len() > usize::from(read.length) {
                return Err(answer.differs(bytes(read.length.into()), bytes(block.len())).into());
            }
            all.extend(&block);
            at.offset = read.offset + all.len() as u16;
            if block.len() < usize::from(read.length) || all.len() > MOST_READ {
                self.yields(&all);
                return answer.must_hold(&step.expect, &all, &self.captures);
            }
        }
    }

    /// Sends `command` in the step's session: the answer, and the session as it was then.
    fn secured(&mut self, step: &SecureStep, command: SecureCommand) -> Played<(Answer, SecureSession)> {
        let holder = self.surroundings.holder;
        let session = match step.session {
            SecureSessionChoice::Current => &mut self.secure,
            SecureSessionChoice::Previous => &mut self.former_secure,
        };
        let Some(secure) = session else {
            return Err(Stop::Missing(Bilingual::new(
                "そのようなセキュアメッセージングのセッションは開かれていない",
                "no such session of secure messaging was opened",
            )));
        };
        let mut command = match command {
            SecureCommand::Select(id) => secure.select_file(id),
            SecureCommand::Verify(pin, choice) => {
                let value = terminal::pin_value(holder, pin, choice);
                secure.verify(terminal::pin_file(pin), value.as_bytes())
            }
            SecureCommand::ReadBinary(read) => secure.read_binary(read.sfi, read.offset, read.length),
        };
        let secure = secure.clone();
        if let Some(indicator) = step.indicator {
            command[INDICATOR] = indicator;
        }
        Ok((self.transmit(&command)?, secure))
    }

    fn decrypted(&self, answer: &Answer, secure: SecureSession) -> Played<Vec<u8>> {
        match answer.data() {
            [] => Ok(Vec::new()),
            data => Ok(secure.plain(data).map_err(|problem| {
                let expected = Bilingual::new("暗号化された応答", "an encrypted answer");
                answer.differs(expected, problem.in_words())
            })?),
        }
    }
}
