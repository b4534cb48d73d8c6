//! Holding bytes against what they must hold: data objects, certificates, signatures.

use crate::scenario::{
    Captures, CertificateField, CertificateMatch, Content, Part, SignatureMatch, TextMatch, Verifier,
};
use crate::terminal;
use crate::verify::{Certificate, CertificateProblem};
use std::borrow::Cow;
use std::fmt::Display;
use vmyna_sim::hex::Spaced;

/// Most bytes of a value that are shown.
const SHOWN: usize = 64;

/// How `data` differs from `content`: what was expected, and what came.
pub(super) fn unmet_content(content: &Content, data: &[u8], captures: &Captures) -> Option<(String, String)> {
    let value = match &content.object {
        None => data,
        Some(object) => match object.find(data) {
            Some(value) => value,
            None => return Some((content.to_string(), format!("no such object in {}", shown(data)))),
        },
    };
    let plain = content.data.as_ref().is_none_or(|wanted| wanted.is_met(value, captures))
        && content.length.is_none_or(|length| length.contains(value.len()));
    if !plain {
        return Some((content.to_string(), format!("{} ({} bytes)", shown(value), value.len())));
    }
    if let Some(wanted) = &content.certificate
        && let Some(difference) = certificate_differs(wanted, value, captures)
    {
        return Some(difference);
    }
    let signature = content.signature.as_ref()?;
    verify(signature, value, captures).err().map(|problem| (content.to_string(), problem))
}

fn shown(data: &[u8]) -> String {
    match data.len() {
        0 => "nothing".to_owned(),
        1..=SHOWN => Spaced(data).to_string(),
        _ => format!("{} …", Spaced(&data[..SHOWN])),
    }
}

fn verify(wanted: &SignatureMatch, signature: &[u8], captures: &Captures) -> Result<(), String> {
    let der = match &wanted.by {
        Verifier::Read(name) => captures.certificate(*name).unwrap_or_default(),
        Verifier::Captured(name) => captures.get(name),
    };
    let key = Certificate::parse(der).and_then(|certificate| certificate.public_key());
    let data = terminal::signature_input(&wanted.over, captures);
    key.map_err(|problem| problem.to_string())?
        .verify(&data, signature)
        .map_err(|problem| problem.to_string())
}

fn certificate_differs(
    wanted: &CertificateMatch,
    der: &[u8],
    captures: &Captures,
) -> Option<(String, String)> {
    match fields_differ(wanted, der, captures) {
        Ok(difference) => difference,
        Err(problem) => Some((format!("a certificate with {wanted}"), problem.to_string())),
    }
}

fn fields_differ(
    wanted: &CertificateMatch,
    der: &[u8],
    captures: &Captures,
) -> Result<Option<(String, String)>, CertificateProblem> {
    let certificate = Certificate::parse(der)?;
    let (not_before, not_after) = certificate.validity();
    let texts = [
        ("subject", &wanted.subject, certificate.subject()),
        ("issuer", &wanted.issuer, certificate.issuer()),
        ("not before", &wanted.not_before, not_before),
        ("not after", &wanted.not_after, not_after),
    ];
    for (name, wanted, came) in texts {
        if let Some(wanted) = wanted.as_ref().filter(|wanted| !text_fits(wanted, &came, captures)) {
            return Ok(Some((format!("{name} {wanted}"), format!("{name} {came:?}"))));
        }
    }
    if let Some(serial) = &wanted.serial
        && !serial.is_met(certificate.serial(), captures)
    {
        return Ok(Some((format!("serial {serial}"), format!("serial {}", Spaced(certificate.serial())))));
    }
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
        let came = came(&certificate)?;
        if *wanted != came {
            return Ok(Some((
                format!("{name} {}", wanted.join(", ")),
                format!("{name} {}", if came.is_empty() { "none".to_owned() } else { came.join(", ") }),
            )));
        }
    }
    let Some(bits) = wanted.key_bits else { return Ok(None) };
    let came = certificate.public_key()?.bits();
    Ok((bits != came).then(|| (format!("a key of {bits} bits"), format!("a key of {came} bits"))))
}

fn words(items: Vec<impl Display>) -> Vec<String> {
    items.iter().map(ToString::to_string).collect()
}

fn extensions(certificate: &Certificate) -> Vec<String> {
    let word = |(oid, critical): (_, bool)| format!("{oid}{}", if critical { " critical" } else { "" });
    certificate.extensions().into_iter().map(word).collect()
}

fn text_fits(wanted: &TextMatch, came: &str, captures: &Captures) -> bool {
    match wanted {
        TextMatch::Exactly(text) => text == came,
        TextMatch::Contains(text) => came.contains(text),
        TextMatch::Captured(name) => captures.get(name) == came.as_bytes(),
    }
}

/// The part of `data` that is captured; `None` where there is no such part.
pub(super) fn part<'a>(part: &Part, data: &'a [u8]) -> Option<Cow<'a, [u8]>> {
    match part {
        Part::Data => Some(Cow::Borrowed(data)),
        Part::Bytes { from, length } => data.get(*from..from.checked_add(*length)?).map(Cow::Borrowed),
        Part::Object(object) => object.find(data).map(Cow::Borrowed),
        Part::Certificate(field) => {
            let certificate = Certificate::parse(data).ok()?;
            let (not_before, not_after) = certificate.validity();
            Some(Cow::Owned(match field {
                CertificateField::Serial => certificate.serial().to_vec(),
                CertificateField::Subject => certificate.subject().into_bytes(),
                CertificateField::Issuer => certificate.issuer().into_bytes(),
                CertificateField::NotBefore => not_before.into_bytes(),
                CertificateField::NotAfter => not_after.into_bytes(),
                CertificateField::Modulus => certificate.public_key().ok()?.modulus(),
            }))
        }
    }
}

/// What a certificate tells of one of its fields.
type Words = fn(&Certificate) -> Result<Vec<String>, CertificateProblem>;
