//! The steps in secure messaging.

use super::Session;
use super::answer::{Played, Stop};
use crate::language::Bilingual;
use crate::run::judge::Judge;
use crate::scenario::{SecureCommand, SecureSessionStep, SecureStep};
use crate::terminal::{
    self,
    secure_messaging::{SecureSession, SessionSeed},
};
use sha2::{Digest, Sha256};

/// The short identifier of EF 0006, which holds the key that session keys are encrypted to.
const SESSION_KEY: u8 = 0x06;
const SESSION_KEY_SIZE: u32 = 269;

impl Session<'_> {
    pub(super) fn secure_session(&mut self, step: &SecureSessionStep) -> Played {
        let public_key =
            self.transmit(&terminal::read_binary(Some(SESSION_KEY), 0, SESSION_KEY_SIZE, true))?;
        public_key.must_succeed()?;
        let seed = self.session_seed()?;
        let (secure, command) = SecureSession::open(public_key.data(), &seed)
            .map_err(|problem| public_key.differs("a public key in EF 0006", problem.to_string()))?;
        let answer = self.transmit(&command)?;
        if answer.succeeded() {
            self.secure = Some(secure);
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
        let holder = self.surroundings.holder;
        let Some(secure) = &mut self.secure else {
            return Err(Stop::Missing(Bilingual::new(
                "セキュアメッセージングのセッションが開かれていない",
                "no session of secure messaging was opened",
            )));
        };
        let command = match step.command {
            SecureCommand::Select(id) => secure.select_file(id),
            SecureCommand::Verify(pin, choice) => {
                let value = terminal::pin_value(holder, pin, choice);
                secure.verify(terminal::pin_file(pin), value.as_bytes())
            }
            SecureCommand::ReadBinary(read) => secure.read_binary(read.sfi, read.offset, read.length),
        };
        let secure = secure.clone();
        let answer = self.transmit(&command)?;
        answer.must_have_status(&step.expect)?;
        let plain = match answer.data() {
            [] => Vec::new(),
            data => secure
                .plain(data)
                .map_err(|problem| answer.differs("an encrypted answer", problem.to_string()))?,
        };
        self.yields(&plain);
        answer.must_hold(&step.expect, &plain, &self.captures)
    }
}
