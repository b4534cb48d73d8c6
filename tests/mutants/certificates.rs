//! Wrong certificates: another issuer, usage, key, dates, order. Each is the holder's own, changed and
//! signed again by the TEST authority that issued it, unless the signature is what is wrong.

use super::Mutant;
use super::applications::changed;
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
    Mutant::new(
        "authentication-tells-the-name",
        "CERT-11",
        "利用者証明用 names its holder and the birth",
        || {
            authentication(|right, der| {
                let at = find(der, &COMMON_NAME) + 7;
                der[at..at + 23].copy_from_slice(b"Hanako Bango 1980-06-15");
                resign(right, der, Authority::UserAuthentication);
            })
        },
    ),
    Mutant::new(
        "subject-lacks-the-prefecture",
        "CERT-12",
        "署名用 has the prefecture as an organisation",
        || {
            signature(|right, der| {
                replace(der, &[0x06, 0x03, 0x55, 0x04, 0x07], &[0x06, 0x03, 0x55, 0x04, 0x0A]);
                resign(right, der, Authority::DigitalSignature);
            })
        },
    ),
    Mutant::new("basic-data-in-another-order", "CERT-13", "sex stands where the birth should", || {
        signature(|right, der| {
            let [birth, sex] = [find(der, &other_name(4)) + 11, find(der, &other_name(3)) + 11];
            der.swap(birth, sex);
            resign(right, der, Authority::DigitalSignature);
        })
    }),
    Mutant::new("basic-data-not-in-utf-8", "CERT-13", "the address is a PrintableString", || {
        signature(|right, der| {
            let at = find(der, &other_name(5)) + 11;
            let tag = der[at..].iter().position(|byte| *byte == 0x0C).expect("a UTF8String");
            der[at + tag] = 0x13;
            resign(right, der, Authority::DigitalSignature);
        })
    }),
    Mutant::new("birth-without-an-era", "CERT-14", "the birth begins with 9, which is no era", || {
        signature(|right, der| told(right, der, 4, |birth| birth[0] = b'9'))
    }),
    Mutant::new("birth-of-another-day", "CERT-14", "the birth is a day later than in EF 0002", || {
        signature(|right, der| told(right, der, 4, |birth| birth[8] += 1))
    }),
    Mutant::new(
        "certificate-name-in-ascii",
        "CERT-25",
        "the name begins with three letters of ASCII",
        || signature(|right, der| told(right, der, 1, |name| name[..3].copy_from_slice(b"Abc"))),
    ),
    Mutant::new("unknown-day-in-nines", "CERT-26", "an unknown day of birth is 99", || {
        signature(|right, der| told(right, der, 4, |birth| birth[7..9].fill(b'9')))
    }),
    Mutant::new("sex-in-letters", "CERT-15", "the sex is F", || {
        signature(|right, der| told(right, der, 3, |sex| sex[0] = b'F'))
    }),
    Mutant::new("substitutes-in-letters", "CERT-16", "substituted characters are told by N and Y", || {
        signature(|right, der| told(right, der, 2, |map| map.fill(b'N')))
    }),
    Mutant::new(
        "certificate-outlives-the-fifth-birthday",
        "CERT-18",
        "validity ends a year too late",
        || {
            authentication(|right, der| {
                let [_, to] = validity(der);
                der[to + 1] += 1;
                resign(right, der, Authority::UserAuthentication);
            })
        },
    ),
    Mutant::new("certificate-ends-before-the-birthday", "CERT-18", "署名用 ends in another month", || {
        signature(|right, der| {
            let [_, to] = validity(der);
            der[to + 3] = if der[to + 3] == b'2' { b'1' } else { b'2' };
            resign(right, der, Authority::DigitalSignature);
        })
    }),
    Mutant::new(
        "authority-of-another-key",
        "CERT-19",
        "the authority key identifier is another key's",
        || {
            authentication(|right, der| {
                let at = find(der, &[0x06, 0x03, 0x55, 0x1D, 0x23]);
                let key = at + find(&der[at..], &[0x80, 0x14]) + 2;
                der[key] ^= 1;
                resign(right, der, Authority::UserAuthentication);
            })
        },
    ),
    Mutant::new("one-revocation-list-for-all", "CERT-22", "the CRL point is no municipality's", || {
        authentication(|right, der| {
            replace(der, b" CRLDP", b" TOTAL");
            resign(right, der, Authority::UserAuthentication);
        })
    }),
    Mutant::new("serial-negative", "CERT-23", "the serial number is negative", || {
        authentication(|right, der| {
            der[15] |= 0x80;
            resign(right, der, Authority::UserAuthentication);
        })
    }),
    Mutant::new("serial-nought", "CERT-23", "署名用's serial number is 0", || {
        signature(|right, der| {
            let length = usize::from(der[14]);
            der[15..15 + length].fill(0);
            resign(right, der, Authority::DigitalSignature);
        })
    }),
    Mutant::new(
        "certificate-of-another-person",
        "CERT-24",
        "署名用 has another name than EF 0002",
        || signature(|right, der| told(right, der, 1, |name| name[2] ^= 1)),
    ),
    Mutant::new("certificate-of-another-sex", "CERT-24", "署名用 has another sex than EF 0002", || {
        signature(|right, der| told(right, der, 3, |sex| sex[0] ^= 3))
    }),
    Mutant::new(
        "address-not-substituted",
        "HLD-10",
        "署名用 has another character in the address",
        || signature(|right, der| told(right, der, 5, |address| address[2] ^= 1)),
    ),
    Mutant::new("card-valid-for-eleven-years", "HLD-12", "the card ends a birthday too late", || {
        changed("visual", 0x0002, 0x82, |bytes| {
            let year = find(bytes, &[0xDF, 0x29, 0x08]) + 6;
            bytes[year] = if bytes[year] == b'9' { b'0' } else { bytes[year] + 1 };
        })
    }),
];

/// The object identifier of a common name.
const COMMON_NAME: [u8; 5] = [0x06, 0x03, 0x55, 0x04, 0x03];

/// The object identifier of one of the four basic data: 1.2.392.200149.8.5.5.x
const fn other_name(which: u8) -> [u8; 12] {
    [0x06, 0x0A, 0x2A, 0x83, 0x08, 0x8C, 0x9B, 0x55, 0x08, 0x05, 0x05, which]
}

/// Changes what one of the four basic data says.
fn told(right: &Right, der: &mut [u8], which: u8, change: impl FnOnce(&mut [u8])) {
    let at = find(der, &other_name(which)) + other_name(which).len();
    let tag = at + der[at..].iter().position(|byte| *byte == 0x0C).expect("a UTF8String");
    let length = usize::from(der[tag + 1]);
    change(&mut der[tag + 2..tag + 2 + length]);
    resign(right, der, Authority::DigitalSignature);
}

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
