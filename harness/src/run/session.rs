//! One scenario played against one card: each step becomes commands, each answer is held against
//! what the step expects.

use super::judge::Judge;
use super::recorder::{Happening, Recorder, StepOutcome};
use super::verdict::{Difference, Expectation, Finding, Verdict};
use crate::link::{CardLink, LinkError};
use crate::requirement::Requirements;
use crate::scenario::{
    By, CertificateCheck, CertificateName, CertificateStep, ChangePinStep, Expect, PinChoice, PlacedStep,
    PowerStep, ReadStyle, Scenario, SelectTarget, SignExpect, SignStep, StatusExpectation, TriesExpectation,
    TriesLeftStep, Verb,
};
use crate::terminal::{self, Read};
use crate::verify::{Certificate, CertificateProblem, Purpose, Trust, shape_problem};
use std::collections::{BTreeMap, HashMap};
use std::time::SystemTime;
use vmyna_sim::apdu::{CommandBuilder, ResponseApdu, Status};
use vmyna_sim::exchange::{Exchange, ShownResponse};
use vmyna_sim::hex::Spaced;
use vmyna_sim::holder::Holder;
use vmyna_sim::pin::PinName;
use vmyna_sim::smart_card::Power;

/// What a scenario is played with, besides the card.
#[derive(Clone, Copy)]
pub struct Surroundings<'a> {
    /// the rules
    pub requirements: &'a Requirements,
    /// whose PINs
    pub holder: &'a Holder,
    /// anchors for certificate paths
    pub trust: &'a Trust,
    /// whose card it is
    pub judge: Judge,
    /// now
    pub now: SystemTime,
}

/// One scenario being played.
pub struct Session<'a> {
    link: &'a mut dyn CardLink,
    surroundings: Surroundings<'a>,
    certificates: HashMap<CertificateName, Certificate>,
    values: BTreeMap<PinName, PinChoice>,
    /// tries left when the scenario last asked
    asked: BTreeMap<PinName, u8>,
    recorder: Recorder,
}

/// Why a step did not end as it should.
enum Stop {
    Differs(Box<Difference>),
    Link(LinkError),
    Missing(String),
}

impl From<LinkError> for Stop {
    fn from(error: LinkError) -> Self {
        Self::Link(error)
    }
}

impl From<Difference> for Stop {
    fn from(difference: Difference) -> Self {
        Self::Differs(Box::new(difference))
    }
}

type Played<T = ()> = Result<T, Stop>;

/// An answer with the command that it answers.
struct Answer {
    command: Vec<u8>,
    bytes: Vec<u8>,
}

impl Answer {
    fn response(&self) -> Option<ResponseApdu<'_>> {
        ResponseApdu::try_from(&self.bytes[..]).ok()
    }

    fn data(&self) -> &[u8] {
        self.response().map_or(&[], |response| response.data)
    }

    fn succeeded(&self) -> bool {
        self.response().is_some_and(|response| response.status == Status::Success)
    }

    fn differs(&self, expected: impl Into<String>, came: impl Into<String>) -> Difference {
        Difference {
            expected: expected.into(),
            came: came.into(),
            exchange: Some(Exchange::new(&self.command, Some(&self.bytes))),
            kind: Expectation::Requirement,
        }
    }

    /// Holds the answer against `expect`.
    fn must_be(&self, expect: &Expect) -> Played {
        if self.response().is_some_and(|response| expect.is_met(&response)) {
            return Ok(());
        }
        let kind = match expect.status {
            StatusExpectation::Undocumented(_) => Expectation::Undocumented,
            StatusExpectation::AnyOf(_) | StatusExpectation::Blocked => Expectation::Requirement,
        };
        let came = ShownResponse::new(&self.bytes).to_string();
        Err(Difference { kind, ..self.differs(expect.to_string(), came) }.into())
    }
}

impl<'a> Session<'a> {
    /// Begins with a card that is powered and has nothing selected.
    pub fn new(link: &'a mut dyn CardLink, surroundings: Surroundings<'a>) -> Self {
        Self {
            link,
            surroundings,
            certificates: HashMap::new(),
            values: BTreeMap::new(),
            asked: BTreeMap::new(),
            recorder: Recorder::default(),
        }
    }

    /// Tells `recorder` of its steps.
    #[must_use]
    pub fn recording(self, recorder: Recorder) -> Self {
        Self { recorder, ..self }
    }

    /// Plays `scenario` to its end, or to the first step that fails.
    pub fn play(&mut self, scenario: &Scenario) -> Verdict {
        let mut observations = Vec::new();
        for placed in &scenario.steps {
            self.recorder.record(|| Happening::StepBegan {
                position: placed.position.clone(),
                step: placed.step.verb.to_string(),
            });
            let observed = observations.len();
            let end = self.play_step(scenario, placed, &mut observations);
            self.recorder.record(|| {
                Happening::StepEnded(match &end {
                    None if observations.len() == observed => StepOutcome::Passed,
                    None => StepOutcome::Observed,
                    Some(Verdict::Failed { .. }) => StepOutcome::Failed,
                    Some(_) => StepOutcome::Stopped,
                })
            });
            if let Some(verdict) = end {
                return verdict;
            }
        }
        Verdict::Passed { observations }
    }

    /// Plays one step; a verdict ends the scenario.
    fn play_step(
        &mut self,
        scenario: &Scenario,
        placed: &PlacedStep,
        observations: &mut Vec<Finding>,
    ) -> Option<Verdict> {
        let difference = match self.step(&placed.step.verb) {
            Ok(()) => return None,
            Err(stop) => match self.unless_not_applicable(&placed.step.verb, stop) {
                Err(verdict) => return Some(verdict),
                Ok(Stop::Link(LinkError::Refused(refused))) => return Some(Verdict::RefusedByGuard(refused)),
                Ok(Stop::Link(LinkError::Lost(reason))) => {
                    return Some(Verdict::LinkLost { position: Some(placed.position.clone()), reason });
                }
                Ok(Stop::Missing(reason)) => return Some(Verdict::RequirementMissing(reason)),
                Ok(Stop::Differs(difference)) => difference,
            },
        };
        let finding = finding(scenario, placed, *difference);
        let Surroundings { judge, requirements, .. } = self.surroundings;
        if placed.step.precondition && judge != Judge::BuiltIn {
            let Finding { position, step, difference, .. } = finding;
            let missing = format!("{step}: {} ({position})", difference.came);
            return Some(Verdict::RequirementMissing(missing));
        }
        if judge.fails(finding.difference.kind, &finding.requirements, requirements) {
            let observations = std::mem::take(observations);
            return Some(Verdict::Failed { finding: Box::new(finding), observations });
        }
        observations.push(finding);
        None
    }

    /// Somebody else's card that answers "file not found" when an application is selected, and does
    /// so again when it is the first thing it is asked after power-up, does not have it.
    fn unless_not_applicable(&mut self, verb: &Verb, stop: Stop) -> Result<Stop, Verdict> {
        let (Verb::Select(select), Stop::Differs(_)) = (verb, &stop) else { return Ok(stop) };
        let SelectTarget::Application { name, aid } = select.target else { return Ok(stop) };
        if matches!(self.surroundings.judge, Judge::BuiltIn | Judge::Nobody) || !select.expects_success() {
            return Ok(stop);
        }
        let asked_again = self.power(PowerStep::Cycle).and_then(|()| {
            Ok(self.transmit(&terminal::select_application(aid))?.response().map(|answer| answer.status))
        });
        match asked_again {
            Ok(Some(Status::FileNotFound)) => {
                Err(Verdict::NotApplicable(format!("the card has no application {name}")))
            }
            Ok(_) => Ok(stop),
            Err(stop) => Ok(stop),
        }
    }

    /// PINs whose value is not the holder's own any more.
    pub fn changed_pins(&self) -> impl Iterator<Item = PinName> {
        self.values.iter().filter(|(_, value)| **value != PinChoice::Right).map(|(pin, _)| *pin)
    }

    fn step(&mut self, verb: &Verb) -> Played {
        match verb {
            Verb::Power(power) => self.power(*power),
            Verb::Atr(step) => {
                let atr = self.link.atr()?;
                if step.expect.matches(&atr) {
                    return Ok(());
                }
                Err(Difference {
                    expected: format!("ATR {}", step.expect),
                    came: format!("ATR {}", Spaced(&atr)),
                    exchange: None,
                    kind: Expectation::Requirement,
                }
                .into())
            }
            Verb::Select(step) => {
                let command = match &step.target {
                    SelectTarget::Application { aid, .. } => terminal::select_application(aid),
                    SelectTarget::Aid(aid) => terminal::select_application(aid),
                    SelectTarget::File(id) => terminal::select_file(*id),
                };
                self.transmit(&command)?.must_be(&step.expect)
            }
            Verb::TriesLeft(step) => self.tries_left(step),
            Verb::Verify(step) => {
                let p2 = self.address(step.by, terminal::pin_file(step.pin))?;
                let value = terminal::pin_value(self.surroundings.holder, step.pin, step.value);
                if step.value == PinChoice::LowerCase
                    && value == terminal::own_pin(self.surroundings.holder, step.pin)
                {
                    return Err(Stop::Missing(format!("the holder's {} has no letter", step.pin)));
                }
                let command = CommandBuilder::new(0x00, 0x20, 0x00, p2).data(value.as_bytes()).to_bytes();
                self.transmit(&command)?.must_be(&step.expect)
            }
            Verb::ChangePin(step) => self.change_pin(step),
            Verb::ReadBinary(step) => {
                let command = terminal::read_binary(step.sfi, step.offset, step.le, step.extended);
                self.transmit(&command)?.must_be(&step.expect)
            }
            Verb::Certificate(step) => self.certificate(step),
            Verb::Sign(step) => self.sign(step),
            Verb::Challenge(step) => {
                let command = CommandBuilder::new(0x00, 0x84, 0x00, 0x00).le(step.length.into()).to_bytes();
                let length = Expect { length: Some(step.length.into()), ..Expect::default() };
                let expect = step.expect.as_ref().unwrap_or(&length);
                let first = self.transmit(&command)?;
                first.must_be(expect)?;
                if !step.twice {
                    return Ok(());
                }
                let second = self.transmit(&command)?;
                second.must_be(expect)?;
                if first.data() == second.data() {
                    return Err(second
                        .differs("other bytes than the first time", "the same bytes again")
                        .into());
                }
                Ok(())
            }
            Verb::Transmit(step) => self.transmit(&step.apdu)?.must_be(&step.expect),
        }
    }

    fn power(&mut self, power: PowerStep) -> Played {
        let powers: &[Power] = match power {
            PowerStep::Cycle => &[Power::Off, Power::On],
            PowerStep::Off => &[Power::Off],
            PowerStep::On => &[Power::On],
            PowerStep::WarmReset => &[Power::WarmReset],
        };
        for power in powers {
            self.link.power(*power)?;
        }
        // A reader asks for the ATR after every reset; some cards wait for it.
        if powers.last() != Some(&Power::Off) {
            self.link.atr()?;
        }
        Ok(())
    }

    fn transmit(&mut self, command: &[u8]) -> Result<Answer, LinkError> {
        let bytes = self.link.transmit(command)?;
        Ok(Answer { command: command.to_vec(), bytes })
    }

    /// Selects `file` where it has to be, and returns the P2 that reaches it.
    fn address(&mut self, by: By, file: u16) -> Played<u8> {
        match by {
            By::Select => {
                self.transmit(&terminal::select_file(file))?.must_be(&Expect::default())?;
                Ok(terminal::reference(None))
            }
            By::Current => Ok(terminal::reference(None)),
            By::Sfi => Ok(terminal::reference(Some(file))),
        }
    }

    fn tries_left(&mut self, step: &TriesLeftStep) -> Played {
        let p2 = self.address(step.by, terminal::pin_file(step.of))?;
        let answer = self.transmit(&CommandBuilder::new(0x00, 0x20, 0x00, p2).to_bytes())?;
        let status = answer.response().map(|response| response.status);
        let Some(Status::TriesLeft(left)) = status else {
            let came = ShownResponse::new(&answer.bytes).to_string();
            return Err(answer.differs("63Cx, the tries left", came).into());
        };
        let expected = match step.expect {
            TriesExpectation::Count(count) => Some(count),
            TriesExpectation::Same => self.asked.get(&step.of).copied(),
            TriesExpectation::Any => None,
        };
        self.asked.insert(step.of, left);
        match expected {
            Some(expected) if expected != left => {
                Err(answer.differs(format!("{expected} tries left"), format!("{left} tries left")).into())
            }
            _ => Ok(()),
        }
    }

    fn change_pin(&mut self, step: &ChangePinStep) -> Played {
        let p2 = self.address(step.by, terminal::pin_file(step.pin))?;
        let value = terminal::pin_value(self.surroundings.holder, step.pin, step.to);
        let command = CommandBuilder::new(0x00, 0x24, 0x01, p2).data(value.as_bytes()).to_bytes();
        let answer = self.transmit(&command)?;
        if answer.succeeded() {
            self.values.insert(step.pin, step.to);
        }
        answer.must_be(&step.expect)
    }

    fn read(&mut self, file: u16, style: ReadStyle, read: Read) -> Result<Answer, LinkError> {
        // Only the first 256 bytes can be reached by short identifier; all its reads start there.
        let short = (style == ReadStyle::Sfi).then_some((file & 0x1F) as u8);
        self.transmit(&terminal::read_binary(short, read.offset, read.le, read.extended))
    }

    fn certificate(&mut self, step: &CertificateStep) -> Played {
        let file = terminal::certificate_file(step.of);
        if step.style != ReadStyle::Sfi {
            self.transmit(&terminal::select_file(file))?.must_be(&Expect::default())?;
        }
        let header = self.read(file, step.style, step.style.header())?;
        header.must_be(&step.expect)?;
        if !header.succeeded() {
            return Ok(());
        }
        let length = terminal::der_length(header.data()).ok_or_else(|| {
            header.differs("the beginning of a DER sequence", Spaced(header.data()).to_string())
        })?;
        let mut der = header.data().to_vec();
        for read in step.style.body(length) {
            let answer = self.read(file, step.style, read)?;
            answer.must_be(&Expect::default())?;
            let came = answer.data();
            let wanted = read.le.min(u32::from(length) - u32::from(read.offset)) as usize;
            if came.len() < wanted || came.len() > read.le as usize {
                return Err(answer
                    .differs(format!("{wanted} bytes"), format!("{} bytes", came.len()))
                    .into());
            }
            der.truncate(read.offset.into());
            der.extend(came);
        }
        der.truncate(length.into());
        let problem = |problem: CertificateProblem| {
            let expected = format!("a {} certificate", step.of);
            header.differs(expected, problem.to_string())
        };
        let certificate = Certificate::parse(&der).map_err(problem)?;
        for check in &step.check {
            self.check(step.of, &certificate, *check).map_err(|(expected, came, kind)| Difference {
                expected,
                came,
                exchange: None,
                kind,
            })?;
        }
        self.certificates.insert(step.of, certificate);
        Ok(())
    }

    fn check(
        &self,
        name: CertificateName,
        certificate: &Certificate,
        check: CertificateCheck,
    ) -> Result<(), (String, String, Expectation)> {
        let (purpose, issuer) = match name {
            CertificateName::UserAuthentication => {
                (Purpose::UserAuthentication, Some(CertificateName::UserAuthenticationCa))
            }
            CertificateName::DigitalSignature => {
                (Purpose::DigitalSignature, Some(CertificateName::DigitalSignatureCa))
            }
            CertificateName::UserAuthenticationCa | CertificateName::DigitalSignatureCa => {
                (Purpose::Issuing, None)
            }
        };
        let (expected, result, kind) = match check {
            CertificateCheck::Path => match issuer.map(|issuer| self.certificates.get(&issuer)) {
                Some(Some(issuer)) => (
                    "a certificate signed by its issuer",
                    certificate.is_signed_by(issuer),
                    Expectation::Requirement,
                ),
                Some(None) => return Ok(()),
                None => (
                    "a trusted CA certificate",
                    self.surroundings.trust.accepts(certificate),
                    Expectation::Requirement,
                ),
            },
            CertificateCheck::Usage => {
                ("usages that fit", certificate.fits(purpose), Expectation::Requirement)
            }
            CertificateCheck::Key => {
                ("an RSA-2048 key", certificate.has_card_key(), Expectation::Requirement)
            }
            CertificateCheck::Validity => (
                "a certificate valid now",
                certificate.is_valid_at(self.surroundings.now),
                Expectation::OurIssuer,
            ),
            CertificateCheck::Shape => {
                let problem = shape_problem(name, certificate);
                let result = problem.map_or(Ok(()), |problem| Err(CertificateProblem::Usage(problem)));
                ("the documented shape", result, Expectation::OurIssuer)
            }
        };
        result.map_err(|problem| (format!("{name}: {expected}"), problem.to_string(), kind))
    }

    fn sign(&mut self, step: &SignStep) -> Played {
        let p2 = self.address(step.by, terminal::key_file(step.key))?;
        let data = terminal::signature_input(&step.data);
        let command = CommandBuilder::new(0x80, 0x2A, 0x00, p2).data(&data).le(256).to_bytes();
        let answer = self.transmit(&command)?;
        if let SignExpect::Answer(expect) = &step.expect {
            return answer.must_be(expect);
        }
        answer.must_be(&Expect::default())?;
        let Some(certificate) = self.certificates.get(&step.key.certificate()) else { return Ok(()) };
        let expected = format!("a signature that verifies with the certificate {}", step.key.certificate());
        let key =
            certificate.public_key().map_err(|problem| answer.differs(&expected, problem.to_string()))?;
        key.verify(&data, answer.data())
            .map_err(|problem| answer.differs(expected, problem.to_string()).into())
    }
}

fn finding(scenario: &Scenario, placed: &PlacedStep, difference: Difference) -> Finding {
    let step = &placed.step;
    Finding {
        position: placed.position.clone(),
        step: step.verb.to_string(),
        requirements: if step.covers.is_empty() { scenario.covers.clone() } else { step.covers.clone() },
        why: step.why.clone(),
        difference,
    }
}
