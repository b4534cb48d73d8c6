//! What the fields of a certificate are called, in Japanese and English.

use crate::language::Language;

/// The name of a field of a certificate: Japanese, English.
pub(crate) type FieldName = (&'static str, &'static str);
pub(crate) const SUBJECT: FieldName = ("主体者", "subject");
pub(crate) const ISSUER: FieldName = ("発行者", "issuer");
pub(crate) const NOT_BEFORE: FieldName = ("有効期間の開始", "not before");
pub(crate) const NOT_AFTER: FieldName = ("有効期間の終了", "not after");
pub(crate) const SUBJECT_PARTS: FieldName = ("主体者名の各部", "subject parts");
pub(crate) const KEY_USAGE: FieldName = ("鍵用途", "key usage");
pub(crate) const EXTENDED_KEY_USAGE: FieldName = ("拡張鍵用途", "extended key usage");
pub(crate) const POLICIES: FieldName = ("証明書ポリシー", "policies");
pub(crate) const EXTENSIONS: FieldName = ("拡張領域", "extensions");
pub(crate) const OTHER_NAMES: FieldName = ("別名", "other names");
pub(crate) const CRL_POINTS: FieldName = ("CRL 配布点", "CRL points");
pub(crate) const SUBJECT_KEY_IDENTIFIER: FieldName = ("主体者鍵識別子", "subject key identifier");
pub(crate) const AUTHORITY_KEY_IDENTIFIER: FieldName = ("認証局鍵識別子", "authority key identifier");
pub(crate) const SERIAL: FieldName = ("シリアル番号", "serial");

/// A key of that size.
pub(crate) fn key(bits: u64, language: Language) -> String {
    match language {
        Language::Ja => format!("{bits} ビットの鍵"),
        Language::En => format!("a key of {bits} bits"),
    }
}

/// All of `items`, or that there must be none.
pub(crate) fn list(items: &[String], language: Language) -> String {
    match items {
        [] => language.say("なし", "none").to_owned(),
        items => items.join(language.say("、", ", ")),
    }
}
