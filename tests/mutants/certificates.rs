//! Wrong certificates: another issuer, usage, key, dates, order. Each is the holder's own, changed and
//! signed again by the TEST authority that issued it, unless the signature is what is wrong.

use super::Mutant;
use super::reading::overlay;
use super::wrong_card::{Right, Wrongness};
use vmyna_sim::pki::{Authority, CertificationAuthority};

pub const ALL: &[Mutant] = &[
    Mutant::new("not-a-certificate", "CERT-01", "EF 000A holds something else", || {
        authentication(|_, der| der.fill(0x30))
    }),
    Mutant::new(
        "certificate-header-wrong",
        "CERT-01",
        "the header of EF 000A tells a byte too little",
        || authentication(|_, der| der[3] = der[3].wrapping_sub(1)),
    ),
    Mutant::new("signed-by-nobody", "CERT-02", "the certificate's signature is wrong by a bit", || {
        authentication(|_, der| *der.last_mut().expect("a certificate") ^= 1)
    }),
    Mutant::new(
        "signed-by-the-other-authority",
        "CERT-02",
        "署名用's authority signed 利用者証明用's",
        || authentication(|right, der| resign(right, der, Authority::DigitalSignature)),
    ),
    Mutant::new(
        "signature-certificate-signed-by-nobody",
        "CERT-03",
        "EF 0001's signature is wrong by a bit",
        || signature(|_, der| *der.last_mut().expect("a certificate") ^= 1),
    ),
    Mutant::new(
        "signed-by-another-generation",
        "CERT-02",
        "an older authority of the same name signed it",
        || {
            authentication(|right, der| {
                let now = right.card.personalised().issued().user_authentication.record.generation;
                let older = now.previous().expect("an older generation");
                let authority = CertificationAuthority::of(Authority::UserAuthentication, older);
                sign(der, &authority.expect("a TEST authority"));
            })
        },
    ),
    Mutant::new("exponent-three", "CERT-04", "the public exponent is 65539", || {
        authentication(|right, der| {
            replace(der, &[0x02, 0x03, 0x01, 0x00, 0x01], &[0x02, 0x03, 0x01, 0x00, 0x03]);
            resign(right, der, Authority::UserAuthentication);
        })
    }),
    Mutant::new("usage-non-repudiation", "CERT-05", "利用者証明用 may be used for 署名用", || {
        authentication(|right, der| {
            replace(der, &[0x03, 0x02, 0x07, 0x80], &[0x03, 0x02, 0x06, 0xC0]);
            resign(right, der, Authority::UserAuthentication);
        })
    }),
    Mutant::new("usage-lacks-non-repudiation", "CERT-05", "署名用 may not be used for 署名用", || {
        signature(|right, der| {
            replace(der, &[0x03, 0x02, 0x06, 0xC0], &[0x03, 0x02, 0x07, 0x80]);
            resign(right, der, Authority::DigitalSignature);
        })
    }),
    Mutant::new("usage-of-a-server", "CERT-05", "利用者証明用 is a server's certificate", || {
        authentication(|right, der| {
            const CLIENT: [u8; 10] = [0x06, 0x08, 0x2B, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x02];
            let mut server = CLIENT;
            server[9] = 0x01;
            replace(der, &CLIENT, &server);
            resign(right, der, Authority::UserAuthentication);
        })
    }),
    Mutant::new("expired", "CERT-06", "the certificate has expired", || {
        authentication(|right, der| {
            let [from, to] = validity(der);
            der[to..to + 2].copy_from_slice(b"16");
            der[from..from + 2].copy_from_slice(b"15");
            resign(right, der, Authority::UserAuthentication);
        })
    }),
    Mutant::new("not-yet-valid", "CERT-06", "the certificate is not yet valid", || {
        authentication(|right, der| {
            let [from, to] = validity(der);
            der[from..from + 2].copy_from_slice(b"48");
            der[to..to + 2].copy_from_slice(b"49");
            resign(right, der, Authority::UserAuthentication);
        })
    }),
    Mutant::new("extensions-in-another-order", "CERT-07", "key usage comes after extended key usage", || {
        authentication(|right, der| {
            let usage = find(der, &[0x30, 0x0E, 0x06, 0x03, 0x55, 0x1D, 0x0F]);
            let extended = usage + 16;
            let length = usize::from(der[extended + 1]) + 2;
            der[usage..extended + length].rotate_left(16);
            resign(right, der, Authority::UserAuthentication);
        })
    }),
];

type Change = fn(&Right, &mut Vec<u8>);

fn authentication(change: Change) -> Wrongness {
    overlay("jpki", 0x000A, move |right| {
        let mut der = right.card.personalised().issued().user_authentication.certificate.clone();
        change(right, &mut der);
        filled(der)
    })
}

fn signature(change: Change) -> Wrongness {
    overlay("jpki", 0x0001, move |right| {
        let issued = right.card.personalised().issued();
        let mut der = issued.digital_signature.as_ref().expect("a signature certificate").certificate.clone();
        change(right, &mut der);
        filled(der)
    })
}

fn filled(mut der: Vec<u8>) -> Vec<u8> {
    der.resize(der.len().max(2048), 0xFF);
    der
}

/// Signs the changed certificate with a key of `authority`, of the generation that issued the holder's.
fn resign(right: &Right, der: &mut [u8], authority: Authority) {
    let generation = right.card.personalised().issued().user_authentication.record.generation;
    sign(der, &CertificationAuthority::of(authority, generation).expect("a TEST authority"));
}

fn sign(der: &mut [u8], authority: &CertificationAuthority) {
    let tbs = 4..8 + usize::from(u16::from_be_bytes([der[6], der[7]]));
    let signature = authority.key().sign_message(&der[tbs]).expect("the TEST key signs");
    let end = der.len();
    der[end - 256..].copy_from_slice(&signature);
}

/// Where the years of notBefore and notAfter stand, as two digits.
fn validity(der: &[u8]) -> [usize; 2] {
    let from = find(der, &[0x30, 0x1E, 0x17, 0x0D]) + 4;
    [from, from + 15]
}

fn find(der: &[u8], bytes: &[u8]) -> usize {
    der.windows(bytes.len()).position(|window| window == bytes).expect("the certificate holds these bytes")
}

fn replace(der: &mut [u8], old: &[u8], new: &[u8]) {
    let at = find(der, old);
    der[at..at + new.len()].copy_from_slice(new);
}
