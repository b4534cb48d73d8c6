//! The step that reads a certificate as a client would, and checks it.

use super::Session;
use super::answer::{Answer, Played};
use crate::language::{Bilingual, Language};
use crate::link::LinkError;
use crate::run::verdict::{Difference, Expectation, bytes};
use crate::scenario::{CertificateCheck, CertificateStep, certificate_in_words};
use crate::terminal::{self, Read};
use crate::terminal::{CertificateName, ReadStyle};
use crate::verify::{Certificate, CertificateProblem, Purpose, shape_problem};
use vmyna_sim::hex::Spaced;

impl Session<'_> {
    fn read(&mut self, file: u16, style: ReadStyle, read: Read) -> Result<Answer, LinkError> {
        // Only the first 256 bytes can be reached by short identifier; all its reads start there.
        let short = (style == ReadStyle::Sfi).then_some((file & 0x1F) as u8);
        self.transmit(&terminal::read_binary(short, read.offset, read.le, read.extended))
    }

    pub(super) fn certificate(&mut self, step: &CertificateStep) -> Played {
        let file = terminal::certificate_file(step.of);
        if step.style != ReadStyle::Sfi {
            self.transmit(&terminal::select_file(file))?.must_succeed()?;
        }
        let header = self.read(file, step.style, step.style.header())?;
        header.must_have_status(&step.expect)?;
        if !header.succeeded() {
            return Ok(());
        }
        let length = terminal::der_length(header.data()).ok_or_else(|| {
            let expected = Bilingual::new("DER の SEQUENCE の先頭", "the beginning of a DER sequence");
            header.differs(expected, Bilingual::alike(Spaced(header.data()).to_string()))
        })?;
        let mut der = header.data().to_vec();
        for read in step.style.body(length) {
            let answer = self.read(file, step.style, read)?;
            answer.must_succeed()?;
            let came = answer.data();
            let wanted = read.le.min(u32::from(length) - u32::from(read.offset)) as usize;
            if came.len() < wanted || came.len() > read.le as usize {
                return Err(answer.differs(bytes(wanted), bytes(came.len())).into());
            }
            der.truncate(read.offset.into());
            der.extend(came);
        }
        der.truncate(length.into());
        let problem = |problem: CertificateProblem| {
            let expected = Bilingual::new(
                certificate_in_words(step.of, Language::Ja),
                certificate_in_words(step.of, Language::En),
            );
            header.differs(expected, problem.in_words())
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
        header.must_hold(&step.expect, &der, &self.captures)?;
        self.yields(&der);
        self.captures.keep_certificate(step.of, der);
        self.certificates.insert(step.of, certificate);
        Ok(())
    }

    fn check(
        &self,
        name: CertificateName,
        certificate: &Certificate,
        check: CertificateCheck,
    ) -> Result<(), (Bilingual, Bilingual, Expectation)> {
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
        let ((ja, en), result, kind) = match check {
            CertificateCheck::Path => match issuer.map(|issuer| self.certificates.get(&issuer)) {
                Some(Some(issuer)) => (
                    ("発行者が署名した証明書", "a certificate signed by its issuer"),
                    certificate.is_signed_by(issuer),
                    Expectation::Requirement,
                ),
                Some(None) => return Ok(()),
                None => (
                    ("信頼される認証局の証明書", "a trusted CA certificate"),
                    self.surroundings.trust.accepts(certificate),
                    Expectation::Requirement,
                ),
            },
            CertificateCheck::Usage => {
                (("目的に合う用途", "usages that fit"), certificate.fits(purpose), Expectation::Requirement)
            }
            CertificateCheck::Key => {
                (("RSA-2048 の鍵", "an RSA-2048 key"), certificate.has_card_key(), Expectation::Requirement)
            }
            CertificateCheck::Validity => (
                ("現在有効な証明書", "a certificate valid now"),
                certificate.is_valid_at(self.surroundings.now),
                Expectation::OurIssuer,
            ),
            CertificateCheck::Shape => {
                let problem = shape_problem(name, certificate);
                let result = problem.map_or(Ok(()), |problem| Err(CertificateProblem::Usage(problem)));
                (("文書どおりの形", "the documented shape"), result, Expectation::OurIssuer)
            }
        };
        result.map_err(|problem| {
            let certificate = certificate_in_words(name, Language::Ja);
            let expected = Bilingual::new(format!("{certificate}: {ja}"), format!("{name}: {en}"));
            (expected, problem.in_words(), kind)
        })
    }
}
