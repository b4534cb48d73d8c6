//! EMSA-PSS verification (RFC 8017, 9.1.2) with SHA-256, MGF1 of SHA-256, and a salt as long as the
//! hash, written out step by step.

use sha2::{Digest, Sha256};
use thiserror::Error;

const HASH: usize = 32;
const SALT: usize = HASH;
const TRAILER: u8 = 0xBC;

/// What is wrong with an encoded message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum PssProblem {
    /// the hash is none of SHA-256
    #[error("the hash has {0} bytes, and SHA-256 has 32")]
    Hash(usize),
    /// the key is too short for hash and salt
    #[error("the encoded message has {0} bytes, which hold no hash with its salt")]
    Short(usize),
    /// it does not end as PSS ends
    #[error("it ends with {0:02X}, not BC")]
    Trailer(u8),
    /// bits are set that the modulus does not reach
    #[error("bits are set before the encoded message begins")]
    HighBits,
    /// what stands before the salt is not zeros and 01
    #[error(
        "before a salt of 32 bytes there is not 00 … 00 01: the salt has another length, or the mask another hash"
    )]
    Padding,
    /// it is the signature of another hash
    #[error("it holds the hash of other data")]
    OtherHash,
}

/// Whether `encoded` is the encoding of `hash` into `bits` bits.
pub(super) fn verify(hash: &[u8], encoded: &[u8], bits: usize) -> Result<(), PssProblem> {
    if hash.len() != HASH {
        return Err(PssProblem::Hash(hash.len()));
    }
    // Step 3.
    let too_short = PssProblem::Short(encoded.len());
    if encoded.len() < HASH + SALT + 2 {
        return Err(too_short);
    }
    // Steps 4 and 5: EM = maskedDB ‖ H ‖ BC.
    let (trailer, rest) = encoded.split_last().ok_or(too_short)?;
    if *trailer != TRAILER {
        return Err(PssProblem::Trailer(*trailer));
    }
    let (masked, tag) = rest.split_at(rest.len() - HASH);
    // Step 6: the leftmost bits beyond `bits` are zero.
    let unused = 8 * encoded.len() - bits;
    let used = 0xFF_u8.checked_shr(unused as u32).unwrap_or(0);
    if masked.first().is_some_and(|first| first & !used != 0) {
        return Err(PssProblem::HighBits);
    }
    // Steps 7 to 9: DB = maskedDB xor MGF1(H).
    let mut block: Vec<u8> =
        masked.iter().zip(mask(tag, masked.len())).map(|(masked, mask)| masked ^ mask).collect();
    if let Some(first) = block.first_mut() {
        *first &= used;
    }
    // Step 10: DB = 00 … 00 01 salt.
    let (padding, salt) = block.split_at(block.len() - SALT);
    match padding.split_last() {
        Some((0x01, zeros)) if zeros.iter().all(|byte| *byte == 0) => {}
        _ => return Err(PssProblem::Padding),
    }
    // Steps 12 to 14: H = Hash(eight zeros ‖ mHash ‖ salt).
    let expected = Sha256::new().chain_update([0; 8]).chain_update(hash).chain_update(salt).finalize();
    if expected[..] != *tag {
        return Err(PssProblem::OtherHash);
    }
    Ok(())
}

/// MGF1 (RFC 8017, B.2.1).
fn mask(seed: &[u8], length: usize) -> Vec<u8> {
    let blocks = (0_u32..).map(|counter| {
        Sha256::new().chain_update(seed).chain_update(counter.to_be_bytes()).finalize().to_vec()
    });
    blocks.take(length.div_ceil(HASH)).flatten().take(length).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verify::{RsaPublicKey, SignatureProblem};
    use hex_literal::hex;

    // Made by OpenSSL 3: `openssl dgst -sha256 -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:32 -sign`
    // of the nine bytes "a message"; then with a salt of 20 bytes, then with MGF1 of SHA-1.
    const MODULUS: [u8; 256] = hex!(
        "9FAAA66C8CEA08CBCE604A9F7D7650615BB5459F0ADAE5727B4B08B40FE153A153EA79682D18591CA7C1388BC23855C3"
        "DBC8590C0A73CA54D9926F8070D43F6BD191E82547D5073432B3CB21268AC0A670D3924CBA29698C3AFD3D53E2089AF7"
        "646719764A5EA8184B4B019586A0140DA25AE9E2569A63642EE7B43C4B3E4B63952D12101C4D4AE3145F1FA6E3236835"
        "E949AD0109CF7FAC1774112BE3BD04F578C21E5F32F1529700C029D126198ADF0443CEE14E651A44F95CF42675613CBD"
        "6E2D7F0C351971643567494E5E9D39EFBB4B3AAAE854C9E64F73FF1C503A52C77A0A43478249DB352901697274CA2EF0"
        "C9747296910FA3ABDCA14836C623F721"
    );
    const SIGNATURE: [u8; 256] = hex!(
        "5BFCC3674EA3BFD3022F0B068A140DDBFFB593448E8D7095DEFFEF532153AE8D3887066D982E9620E353D31B5683028A"
        "399EEE683DF0FDF1BC2D6585C8B63795C058DD3B1B116C38553E624086C1352B16AA640B95949F837723C7BD560BB0B3"
        "7915DECE51F992B8049AADA6C7EF7012A261A99832A6A53A615A00DD667E95A8EE24596DC59DBB382678F0AACE801D44"
        "8295074BDF3F6957FBBE775378E24E213C053F184CC0FAFD12A9813A988BE218FCFA1E54EDEF153B7F88847F75DF0981"
        "984929560B49B56077BD3C925D7569E319EB3C34254EF67E64B49ACAA066105D1C587B3E8FDA27C319C4EBE110AA2CF2"
        "05DCC72A171A2AE5D4FAEAA415CCC3C3"
    );
    const SALT_OF_TWENTY: [u8; 256] = hex!(
        "8F94B76B073BE3E9761E7705C1BF2AC2AF0F98791F280160D9DEF76BFA9CB6E335A0392CC50849F70732FBBE17E00B76"
        "E69DB62CEE7FDE363453FCD68F05C67992083078484289EFB3970249B9EB09F4EA377F0A68ABF439B4C7A743578FC67B"
        "6FED5365C26A3B1A5B356A184220F5B360CBD39B318A3C10AE24CAC4EA837B29827EAC2AFEB3785810CA913F8B2238F6"
        "65A5B635F9CE903E473F65721052DB541E1A89BAAB12D8DDE476BAA99C3989A5239121B4A1C793BD8F4BDA7DED636087"
        "3921BC02E05D1D8D86F62237F9841681E382DFE27714F05623E4EB52CCFA445954DA73F65AB0EB48CC4EB4FA5CDC8CDA"
        "0E94991008900A73EF74C6DD6F9EAD13"
    );
    const MASK_OF_SHA1: [u8; 256] = hex!(
        "2398F1E37FA532DD93393D938F36A89B93045B774ABADE63B442FA0505C15A9FDD132C1C19D06E235B55BA54874CB755"
        "99F9CC152D962C4005425FB29E281EA9C4C4F1A6D1EF0606935C35A07EAEEC554F61E9847E3534D788D91180BE226E2E"
        "70C0546EC43536B3AAD6FF2D9CD4B133FCD156FF21402B40F37186CF5B75E88F8C9FA4F04572B9C4C574C2B26DF397D1"
        "0C568BE80B00C90D5CBD8D9AB451C0A71663BF9DBF3744B537585CED2EF8FD13FA8ABE57C2802946B839641994A00297"
        "F292ACB7EBCB515AC234E19A89D554187A33C61581788C15DA45786FE37492AC84864B353AB8C2473752C6A7BC8D5D70"
        "F7B8A20F1F39E2742D16C1BD76E951E3"
    );

    fn verified(message: &[u8], signature: &[u8]) -> Result<(), SignatureProblem> {
        RsaPublicKey::new(&MODULUS, &[1, 0, 1]).verify_pss(&Sha256::digest(message), signature)
    }

    #[test]
    fn what_openssl_signs_verifies() {
        assert_eq!(verified(b"a message", &SIGNATURE), Ok(()));
    }

    #[test]
    fn nothing_else_does() {
        let problem = |problem| Err(SignatureProblem::Pss(problem));
        assert_eq!(verified(b"another message", &SIGNATURE), problem(PssProblem::OtherHash));
        assert_eq!(verified(b"a message", &SALT_OF_TWENTY), problem(PssProblem::Padding));
        assert_eq!(verified(b"a message", &MASK_OF_SHA1), problem(PssProblem::Padding));
        let mut changed = SIGNATURE;
        changed[255] ^= 1;
        assert!(verified(b"a message", &changed).is_err());
        assert!(matches!(verified(b"a message", &SIGNATURE[1..]), Err(SignatureProblem::Length { .. })));
        let key = RsaPublicKey::new(&MODULUS, &[1, 0, 1]);
        assert_eq!(key.verify_pss(&[0; 20], &SIGNATURE), problem(PssProblem::Hash(20)));
    }

    #[test]
    fn an_encoding_of_another_form_is_told_apart() {
        let opened = |change: fn(&mut [u8; 256])| {
            let mut encoded = [0; 256];
            encoded[255] = TRAILER;
            change(&mut encoded);
            verify(&[0; 32], &encoded, 2047)
        };
        assert_eq!(opened(|encoded| encoded[255] = 0xCC), Err(PssProblem::Trailer(0xCC)));
        assert_eq!(opened(|encoded| encoded[0] = 0x80), Err(PssProblem::HighBits));
        assert_eq!(opened(|_| ()), Err(PssProblem::Padding));
        assert_eq!(verify(&[0; 32], &[TRAILER; 65], 520), Err(PssProblem::Short(65)));
    }
}
