//! What the portal finds wrong with a signature or a certificate, and what the holder is told.

use super::message::Message;
use serde::{Deserialize, Serialize};
use vmyna_sim::pki::Reason;

/// Why an answer to a challenge is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum Rejection {
    /// the certificate does not parse, or its key is no RSA key
    MalformedCertificate,
    /// no configured authority signed the certificate
    UnknownIssuer,
    /// it is not a certificate for this: policy, key usage or extended key usage
    WrongCertificate,
    /// the signature is not one of this key over this challenge
    SignatureMismatch,
    /// its last day is over
    Expired,
    /// its first day has not come
    NotYetValid,
    /// revoked for good
    Revoked {
        /// as the authority says
        reason: Reason,
    },
    /// 一時保留
    OnHold,
    /// issued so recently that the services do not know it yet
    NotYetPropagated,
    /// the authority's answer could not be had
    StatusUnavailable,
}

impl Rejection {
    /// The name in this project's interfaces.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::MalformedCertificate => "malformed_certificate",
            Self::UnknownIssuer => "unknown_issuer",
            Self::WrongCertificate => "wrong_certificate",
            Self::SignatureMismatch => "signature_mismatch",
            Self::Expired => "expired",
            Self::NotYetValid => "not_yet_valid",
            Self::Revoked { .. } => "revoked",
            Self::OnHold => "on_hold",
            Self::NotYetPropagated => "not_yet_propagated",
            Self::StatusUnavailable => "status_unavailable",
        }
    }

    /// The requirement that it keeps.
    #[must_use]
    pub const fn requirement(self) -> &'static str {
        match self {
            Self::MalformedCertificate | Self::UnknownIssuer => "RP-06",
            Self::WrongCertificate => "RP-09",
            Self::SignatureMismatch => "RP-05",
            Self::Expired | Self::NotYetValid => "RP-08",
            Self::Revoked { .. } => "RP-10",
            Self::OnHold => "RP-11",
            Self::NotYetPropagated => "RP-15",
            Self::StatusUnavailable => "RP-12",
        }
    }

    /// What the holder is told.
    #[must_use]
    pub fn message(self) -> Message {
        match self {
            Self::MalformedCertificate => Message::new(
                "電子証明書を読み取れませんでした",
                "カードをもう一度かざしてください。",
                "The certificate could not be read",
                "Hold the card to the phone once more.",
            ),
            Self::UnknownIssuer => Message::new(
                "この試験用の認証局が発行した電子証明書ではありません",
                "このサイトは試験用です。vmynaの試験用カードをお使いください。本物のマイナンバーカードは受け付けません。",
                "This certificate was not issued by the TEST authorities",
                "This site is a simulation: use a vmyna TEST card. It does not accept real My Number cards.",
            ),
            Self::WrongCertificate => Message::new(
                "この手続きに使う電子証明書ではありません",
                "申込と照会には利用者証明用電子証明書（数字4桁の暗証番号）を、署名には署名用電子証明書（英数字6文字から16文字のパスワード）を使ってください。",
                "This is not the certificate for this procedure",
                "Applications and inquiries take the one for user authentication (4-digit PIN), signatures the one for signatures (password of 6 to 16 letters and digits).",
            ),
            Self::SignatureMismatch => Message::new(
                "電子署名を検証できませんでした",
                "はじめからやり直してください。",
                "The signature could not be verified",
                "Start over from the top page.",
            ),
            Self::Expired => Message::new(
                "電子証明書の有効期限が切れています",
                "お住まいの市区町村の窓口で、電子証明書を更新してください。",
                "The certificate has expired",
                "Have it renewed at your municipal office.",
            ),
            Self::NotYetValid => Message::new(
                "電子証明書の有効期間が始まっていません",
                "有効期間の開始日になってから、もう一度お試しください。端末の日付も確かめてください。",
                "The certificate is not valid yet",
                "Try again on or after its first day, and check the date of your device.",
            ),
            Self::Revoked { reason: Reason::Superseded } => Message::new(
                "この電子証明書は更新により失効しています",
                "新しい電子証明書の入ったカードをお使いください。",
                "This certificate was replaced by a newer one",
                "Use the card that holds the new certificate.",
            ),
            Self::Revoked { .. } => Message::new(
                "電子証明書が失効しています",
                "お住まいの市区町村の窓口で、電子証明書の発行手続きをしてください。",
                "The certificate has been revoked",
                "Have a new one issued at your municipal office.",
            ),
            Self::OnHold => Message::new(
                "電子証明書が一時保留されています",
                "紛失の届け出などで止められています。カードが見つかった場合は、お住まいの市区町村の窓口で一時停止の解除を届け出てください。",
                "The certificate is on hold",
                "It was suspended, perhaps because the card was reported lost. If you have found the card, ask your municipal office to end the hold.",
            ),
            Self::NotYetPropagated => Message::new(
                "更新したばかりの電子証明書です",
                "新しい電子証明書が使えるようになるまで1時間ほどかかります。時間をおいて、もう一度お試しください。",
                "The certificate was renewed only just now",
                "It takes about an hour before a new certificate can be used. Try again later.",
            ),
            Self::StatusUnavailable => Message::new(
                "電子証明書の有効性を確認できませんでした",
                "認証局の応答がありません。時間をおいて、もう一度お試しください。",
                "The status of the certificate could not be learnt",
                "The authority does not answer. Try again later.",
            ),
        }
    }
}
