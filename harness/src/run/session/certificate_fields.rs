//! Holding the fields of a certificate against what a scenario says of them.

use super::text::{shown, text_fits};
use crate::language::{Bilingual, Language, in_both, quoted, readable};
use crate::scenario::certificate_names::{self as names, FieldName, list};
use crate::scenario::{Captures, CertificateMatch, DataExpectation, SerialMatch, TextMatch};
use crate::verify::{Certificate, CertificateProblem};
use std::fmt::Display;
use vmyna_sim::hex::Spaced;

/// What was expected, and what came.
type Differs = (Bilingual, Bilingual);

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
    differs.unwrap_or_else(|problem| {
        let expected = in_both(|language| match language {
            Language::Ja => format!("証明書 ({})", wanted.in_words(language)),
            Language::En => format!("a certificate with {}", wanted.in_words(language)),
        });
        Some((expected, problem.in_words()))
    })
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
            (names::SUBJECT, &self.wanted.subject, self.certificate.subject()),
            (names::ISSUER, &self.wanted.issuer, self.certificate.issuer()),
            (names::NOT_BEFORE, &self.wanted.not_before, not_before),
            (names::NOT_AFTER, &self.wanted.not_after, not_after),
        ];
        texts.into_iter().find_map(|(name, wanted, came)| {
            let wanted = wanted.as_ref().filter(|wanted| !text_fits(wanted, &came, self.captures))?;
            let expected = in_both(|language| shown(wanted, self.captures, language));
            let came = in_both(|language| quoted(&came, language));
            Some((of(name, &expected), of(name, &came)))
        })
    }

    fn serial(&self) -> Option<Differs> {
        let wanted = self.wanted.serial.as_ref()?;
        let serial = self.certificate.serial();
        let fits = match wanted {
            SerialMatch::Positive => self.certificate.has_positive_serial(),
            SerialMatch::Bytes(bytes) => bytes.is_met(serial, self.captures),
        };
        let expected = in_both(|language| wanted.in_words(language));
        let came = Bilingual::alike(Spaced(serial).to_string());
        (!fits).then(|| (of(names::SERIAL, &expected), of(names::SERIAL, &came)))
    }

    fn lists(&self) -> Result<Option<Differs>, CertificateProblem> {
        let (wanted, certificate) = (self.wanted, &self.certificate);
        let lists: [(_, _, Words); 4] = [
            (names::KEY_USAGE, &wanted.key_usage, |certificate| certificate.key_usages().map(words)),
            (names::EXTENDED_KEY_USAGE, &wanted.extended_key_usage, |certificate| {
                certificate.extended_key_usages().map(words)
            }),
            (names::POLICIES, &wanted.policies, |certificate| certificate.policies().map(words)),
            (names::EXTENSIONS, &wanted.extensions, |certificate| Ok(extensions(certificate))),
        ];
        for (name, wanted, came) in lists {
            let Some(wanted) = wanted else { continue };
            let came = came(certificate)?;
            if *wanted != came {
                return Ok(Some((all_of(name, |_| wanted.clone()), all_of(name, |_| came.clone()))));
            }
        }
        Ok(None)
    }

    fn names(&self) -> Result<Option<Differs>, CertificateProblem> {
        let lists: [(_, _, Words); 2] = [
            (names::SUBJECT_PARTS, &self.wanted.subject_parts, |certificate| Ok(certificate.subject_parts())),
            (names::CRL_POINTS, &self.wanted.crl_points, Certificate::crl_points),
        ];
        for (name, wanted, came) in lists {
            let Some(wanted) = wanted else { continue };
            let came = came(&self.certificate)?;
            if !all_fit(wanted, &came, self.captures) {
                let expected = all_of(name, |language| {
                    wanted.iter().map(|wanted| shown(wanted, self.captures, language)).collect()
                });
                let came = all_of(name, |_| came.iter().map(|came| readable(came)).collect());
                return Ok(Some((expected, came)));
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
        if fits {
            return Ok(None);
        }
        let expected = all_of(names::OTHER_NAMES, |language| {
            let wanted = wanted.iter().map(|name| match &name.text {
                Some(text) => format!("{} {}", name.oid, shown(text, self.captures, language)),
                None => name.oid.clone(),
            });
            wanted.collect()
        });
        let came = all_of(names::OTHER_NAMES, |language| {
            let told = |(oid, text): &(_, Option<String>)| match text {
                Some(text) => format!("{oid} {}", quoted(text, language)),
                None => format!("{oid}{}", language.say("、UTF8String ではない", ", no UTF8String")),
            };
            came.iter().map(told).collect()
        });
        Ok(Some((expected, came)))
    }

    fn keys(&self) -> Result<Option<Differs>, CertificateProblem> {
        let (wanted, certificate) = (self.wanted, &self.certificate);
        let identifiers: [(_, _, Identifier); 2] = [
            (
                names::SUBJECT_KEY_IDENTIFIER,
                &wanted.subject_key_identifier,
                Certificate::subject_key_identifier,
            ),
            (
                names::AUTHORITY_KEY_IDENTIFIER,
                &wanted.authority_key_identifier,
                Certificate::authority_key_identifier,
            ),
        ];
        for (name, wanted, came) in identifiers {
            let Some(wanted) = wanted else { continue };
            let came = came(certificate)?;
            if !came.as_ref().is_some_and(|came| wanted.is_met(came, self.captures)) {
                let came = came.map_or(Bilingual::new("なし", "none"), |came| {
                    Bilingual::alike(Spaced(&came).to_string())
                });
                return Ok(Some((of(name, &self.shown(wanted)), of(name, &came))));
            }
        }
        let Some(bits) = wanted.key_bits else { return Ok(None) };
        let came = certificate.public_key()?.bits();
        let told = |bits| in_both(|language| names::key(bits, language));
        Ok((bits != came).then(|| (told(bits), told(came))))
    }

    fn shown(&self, wanted: &DataExpectation) -> Bilingual {
        let bytes = wanted.wanted(self.captures);
        let bytes = bytes.map_or_else(String::new, |bytes| format!(" ({})", Spaced(&bytes)));
        in_both(|language| wanted.in_words(language) + &bytes)
    }
}

/// What is said of a field.
fn of((ja, en): FieldName, said: &Bilingual) -> Bilingual {
    Bilingual::new(format!("{ja} {}", said.ja), format!("{en} {}", said.en))
}

/// A field and all that it holds.
fn all_of(name: FieldName, items: impl Fn(Language) -> Vec<String>) -> Bilingual {
    of(name, &in_both(|language| list(&items(language), language)))
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
