//! Holding the fields of a certificate against what a scenario says of them.

use super::text::{shown, text_fits};
use crate::scenario::{Captures, CertificateMatch, DataExpectation, SerialMatch, TextMatch, list};
use crate::verify::{Certificate, CertificateProblem};
use std::fmt::Display;
use vmyna_sim::hex::Spaced;

/// What was expected, and what came.
type Differs = (String, String);

/// How the certificate `der` differs from `wanted`.
pub(super) fn certificate_differs(
    wanted: &CertificateMatch,
    der: &[u8],
    captures: &Captures,
) -> Option<Differs> {
    let differs = Certificate::parse(der).and_then(|certificate| {
        let compared = Compared { wanted, certificate, captures };
        Ok(compared
            .texts()
            .or(compared.serial())
            .or(compared.lists()?)
            .or(compared.names()?)
            .or(compared.keys()?))
    });
    differs.unwrap_or_else(|problem| Some((format!("a certificate with {wanted}"), problem.to_string())))
}

struct Compared<'a> {
    wanted: &'a CertificateMatch,
    certificate: Certificate,
    captures: &'a Captures,
}

impl Compared<'_> {
    fn texts(&self) -> Option<Differs> {
        let (not_before, not_after) = self.certificate.validity();
        let texts = [
            ("subject", &self.wanted.subject, self.certificate.subject()),
            ("issuer", &self.wanted.issuer, self.certificate.issuer()),
            ("not before", &self.wanted.not_before, not_before),
            ("not after", &self.wanted.not_after, not_after),
        ];
        texts.into_iter().find_map(|(name, wanted, came)| {
            let wanted = wanted.as_ref().filter(|wanted| !text_fits(wanted, &came, self.captures))?;
            Some((format!("{name} {}", shown(wanted, self.captures)), format!("{name} {came:?}")))
        })
    }

    fn serial(&self) -> Option<Differs> {
        let wanted = self.wanted.serial.as_ref()?;
        let serial = self.certificate.serial();
        let fits = match wanted {
            SerialMatch::Positive => self.certificate.has_positive_serial(),
            SerialMatch::Bytes(bytes) => bytes.is_met(serial, self.captures),
        };
        (!fits).then(|| (format!("serial {wanted}"), format!("serial {}", Spaced(serial))))
    }

    fn lists(&self) -> Result<Option<Differs>, CertificateProblem> {
        let (wanted, certificate) = (self.wanted, &self.certificate);
        let lists: [(_, _, Words); 4] = [
            ("key usage", &wanted.key_usage, |certificate| certificate.key_usages().map(words)),
            ("extended key usage", &wanted.extended_key_usage, |certificate| {
                certificate.extended_key_usages().map(words)
            }),
            ("policies", &wanted.policies, |certificate| certificate.policies().map(words)),
            ("extensions", &wanted.extensions, |certificate| Ok(extensions(certificate))),
        ];
        for (name, wanted, came) in lists {
            let Some(wanted) = wanted else { continue };
            let came = came(certificate)?;
            if *wanted != came {
                return Ok(Some((format!("{name} {}", list(wanted)), format!("{name} {}", list(&came)))));
            }
        }
        Ok(None)
    }

    fn names(&self) -> Result<Option<Differs>, CertificateProblem> {
        let lists: [(_, _, Words); 2] = [
            ("subject parts", &self.wanted.subject_parts, |certificate| Ok(certificate.subject_parts())),
            ("CRL points", &self.wanted.crl_points, Certificate::crl_points),
        ];
        for (name, wanted, came) in lists {
            let Some(wanted) = wanted else { continue };
            let came = came(&self.certificate)?;
            if !all_fit(wanted, &came, self.captures) {
                let wanted: Vec<_> = wanted.iter().map(|wanted| shown(wanted, self.captures)).collect();
                return Ok(Some((format!("{name} {}", list(&wanted)), format!("{name} {}", list(&came)))));
            }
        }
        let Some(wanted) = &self.wanted.other_names else { return Ok(None) };
        let came = self.certificate.other_names()?;
        let fits = wanted.len() == came.len()
            && wanted.iter().zip(&came).all(|(wanted, (oid, text))| {
                let fits = |text: &String| {
                    wanted.text.as_ref().is_none_or(|wanted| text_fits(wanted, text, self.captures))
                };
                wanted.oid == oid.to_string() && text.as_ref().is_some_and(fits)
            });
        let told = |(oid, text): &(_, Option<String>)| match text {
            Some(text) => format!("{oid} {text:?}"),
            None => format!("{oid}, no UTF8String"),
        };
        let came: Vec<_> = came.iter().map(told).collect();
        let wanted = wanted.iter().map(|name| match &name.text {
            Some(text) => format!("{} {}", name.oid, shown(text, self.captures)),
            None => name.oid.clone(),
        });
        let wanted: Vec<_> = wanted.collect();
        Ok((!fits)
            .then(|| (format!("other names {}", list(&wanted)), format!("other names {}", list(&came)))))
    }

    fn keys(&self) -> Result<Option<Differs>, CertificateProblem> {
        let (wanted, certificate) = (self.wanted, &self.certificate);
        let identifiers: [(_, _, Identifier); 2] = [
            ("subject key identifier", &wanted.subject_key_identifier, Certificate::subject_key_identifier),
            (
                "authority key identifier",
                &wanted.authority_key_identifier,
                Certificate::authority_key_identifier,
            ),
        ];
        for (name, wanted, came) in identifiers {
            let Some(wanted) = wanted else { continue };
            let came = came(certificate)?;
            if !came.as_ref().is_some_and(|came| wanted.is_met(came, self.captures)) {
                let came = came.map_or("none".to_owned(), |came| Spaced(&came).to_string());
                return Ok(Some((format!("{name} {}", self.shown(wanted)), format!("{name} {came}"))));
            }
        }
        let Some(bits) = wanted.key_bits else { return Ok(None) };
        let came = certificate.public_key()?.bits();
        Ok((bits != came).then(|| (format!("a key of {bits} bits"), format!("a key of {came} bits"))))
    }

    fn shown(&self, wanted: &DataExpectation) -> String {
        match wanted.wanted(self.captures) {
            Some(bytes) => format!("{wanted} ({})", Spaced(&bytes)),
            None => wanted.to_string(),
        }
    }
}

/// What a certificate tells of one of its fields.
type Words = fn(&Certificate) -> Result<Vec<String>, CertificateProblem>;
type Identifier = fn(&Certificate) -> Result<Option<Vec<u8>>, CertificateProblem>;

fn all_fit(wanted: &[TextMatch], came: &[String], captures: &Captures) -> bool {
    wanted.len() == came.len()
        && wanted.iter().zip(came).all(|(wanted, came)| text_fits(wanted, came, captures))
}

fn words(items: Vec<impl Display>) -> Vec<String> {
    items.iter().map(ToString::to_string).collect()
}

fn extensions(certificate: &Certificate) -> Vec<String> {
    let word = |(oid, critical): (_, bool)| format!("{oid}{}", if critical { " critical" } else { "" });
    certificate.extensions().into_iter().map(word).collect()
}
