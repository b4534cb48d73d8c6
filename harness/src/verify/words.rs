//! What is wrong with certificates and signatures, in Japanese and English.

use super::{CertificateProblem, PssProblem, SignatureProblem};
use crate::language::Bilingual;

impl CertificateProblem {
    /// In both languages.
    #[must_use]
    pub fn in_words(&self) -> Bilingual {
        let japanese = match self {
            Self::Malformed(problem) => format!("DER の X.509 証明書ではない (「{problem}」)"),
            Self::OtherIssuer { issuer, subject } => {
                format!("発行者は {issuer} だが、認証局の証明書は {subject} のもの")
            }
            Self::Signature { issuer, problem } => {
                format!("{issuer} の鍵で署名を検証できない: {}", problem.in_words().ja)
            }
            Self::Algorithm(oid) => format!(
                "アルゴリズム {oid} は JPKI のもの (RSA と SHA-256・384・512、ECDSA と SHA-256・384) ではない"
            ),
            Self::Untrusted => "トラストアンカーのどれでもなく、どれの署名もない".to_owned(),
            Self::Usage(problem) => return problem.clone(),
            Self::Validity { not_before, not_after } => {
                format!("有効期間は {not_before} から {not_after} までで、現在は有効でない")
            }
            Self::Key { bits } => format!("鍵は {bits} ビット。2048 ビット、指数 65537 の RSA 鍵のはず"),
        };
        Bilingual::new(japanese, self.to_string())
    }
}

impl SignatureProblem {
    /// In both languages.
    #[must_use]
    pub fn in_words(&self) -> Bilingual {
        let japanese = match self {
            Self::Length { expected, came } => format!("署名は {came} バイトで、法は {expected} バイト"),
            Self::Monstrous { modulus, exponent } => {
                format!("鍵が並外れて大きい: 法は {modulus} ビット、公開指数は {exponent} ビット")
            }
            Self::Range => "署名が法より小さくない".to_owned(),
            Self::EncodedMessage { beginning, ending } => format!(
                "s^e mod n が「00 01 FF … FF 00 とデータ」ではない: {beginning} で始まり、{ending} で終わる"
            ),
            Self::Pss(problem) => {
                format!("このハッシュの RSASSA-PSS 署名ではない: {}", problem.in_japanese())
            }
            Self::Elliptic { curve } => format!("{curve} の鍵による、このハッシュの ECDSA 署名ではない"),
            Self::NotForThisKey { curve, expected } => {
                format!("{curve} の鍵は {expected} バイトのハッシュに ECDSA で署名するだけである")
            }
        };
        Bilingual::new(japanese, self.to_string())
    }
}

impl PssProblem {
    fn in_japanese(self) -> String {
        match self {
            Self::Hash(length) => format!("ハッシュは {length} バイトで、SHA-256 は 32 バイト"),
            Self::Short(length) => {
                format!("符号化されたメッセージは {length} バイトで、ハッシュとソルトが収まらない")
            }
            Self::Trailer(byte) => format!("末尾は {byte:02X} で、BC ではない"),
            Self::HighBits => "符号化されたメッセージの前にビットが立っている".to_owned(),
            Self::Padding => {
                "32 バイトのソルトの前が 00 … 00 01 ではない: ソルトの長さかマスクのハッシュが違う".to_owned()
            }
            Self::OtherHash => "別のデータのハッシュを含んでいる".to_owned(),
        }
    }
}
