//! How a visit ends: every outcome with its name and what the holder is told.

use super::failure::TerminalFailure;
use super::message::Message;
use super::rejection::Rejection;
use serde::{Deserialize, Serialize};

/// How an answer to a challenge ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// the application was accepted
    Accepted,
    /// the state of the application is shown
    Shown,
    /// the signature certificate is on file
    SignatureRegistered,
    /// an inquiry by someone whose signature certificate on file has been revoked
    SignatureRevoked,
    /// the terminal brought no signature
    Terminal(TerminalFailure),
    /// the signature or the certificate was not accepted
    Rejected(Rejection),
    /// another card than the one that this session began with
    OtherCard,
    /// an inquiry by someone who has not applied
    NotRegistered,
    /// an application by someone who has applied before
    AlreadyRegistered,
    /// the challenge is not known: made up, or replaced by a later one
    ChallengeUnknown,
    /// the challenge was answered before, with something else
    ChallengeUsed,
    /// the challenge is too old
    ChallengeExpired,
    /// the answer came back into another session than the challenge went out to
    SessionLost,
    /// too many visitors at once
    ServerBusy,
}

impl Outcome {
    /// Whether what the holder wanted has happened.
    #[must_use]
    pub const fn is_success(self) -> bool {
        matches!(self, Self::Accepted | Self::Shown | Self::SignatureRegistered)
    }

    /// The name in this project's interfaces: not an official error code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Shown => "shown",
            Self::SignatureRegistered => "signature_registered",
            Self::SignatureRevoked => "signature_revoked",
            Self::Terminal(failure) => failure.code(),
            Self::Rejected(rejection) => rejection.code(),
            Self::OtherCard => "other_card",
            Self::NotRegistered => "not_registered",
            Self::AlreadyRegistered => "already_registered",
            Self::ChallengeUnknown => "challenge_unknown",
            Self::ChallengeUsed => "challenge_used",
            Self::ChallengeExpired => "challenge_expired",
            Self::SessionLost => "session_lost",
            Self::ServerBusy => "server_busy",
        }
    }

    /// The requirement that it keeps, as `vmyna explain` tells it.
    #[must_use]
    pub const fn requirement(self) -> Option<&'static str> {
        Some(match self {
            Self::Accepted => "FLOW-01",
            Self::Shown => "FLOW-05",
            Self::SignatureRegistered => "FLOW-18",
            Self::SignatureRevoked => "RP-20",
            Self::Terminal(failure) => return failure.requirement(),
            Self::Rejected(rejection) => rejection.requirement(),
            Self::OtherCard => "FLOW-14",
            Self::NotRegistered | Self::AlreadyRegistered => "RP-19",
            Self::ChallengeUnknown | Self::ChallengeExpired => "RP-01",
            Self::ChallengeUsed => "RP-03",
            Self::SessionLost => "RP-02",
            Self::ServerBusy => "RP-21",
        })
    }

    /// What the holder is told.
    #[must_use]
    pub fn message(self) -> Message {
        match self {
            Self::Accepted => Message::new(
                "申し込みを受け付けました",
                "申込状況をご確認ください。",
                "Your application has been accepted",
                "Please check its state below.",
            ),
            Self::Shown => Message::new(
                "申込状況",
                "申込状況をご確認ください。",
                "State of your application",
                "Please check it below.",
            ),
            Self::SignatureRegistered => Message::new(
                "署名用電子証明書を登録しました",
                "引っ越しや結婚などで失効したときは、新しい署名用電子証明書の登録をお願いします。",
                "The signature certificate has been registered",
                "When it is revoked, after a move or a marriage for instance, you will be asked for the new one.",
            ),
            Self::SignatureRevoked => Message::new(
                "登録されている署名用電子証明書が失効しています",
                "市区町村の窓口で新しい署名用電子証明書の発行を受けたあと、そのカードで「署名用電子証明書を登録する」を押して、もう一度読み取ってください。",
                "The signature certificate on file has been revoked",
                "Have a new one issued at your municipal office, then press “Register the signature certificate” and present it with that card.",
            ),
            Self::Terminal(failure) => failure.message(),
            Self::Rejected(rejection) => rejection.message(),
            Self::OtherCard => TerminalFailure::OtherCard.message(),
            Self::NotRegistered => Message::new(
                "申し込みが見つかりません",
                "このカードではまだ申し込まれていません。トップページの「利用を申し込む」から申し込んでください。カードの電子証明書を更新した場合も、改めて申し込みが必要です。",
                "No application was found",
                "Nothing was applied for with this card. Apply from the top page; after a renewal of the certificate too, because its number is a new one.",
            ),
            Self::AlreadyRegistered => Message::new(
                "すでに申し込まれています",
                "改めて申し込む必要はありません。トップページの「申込状況を確認」から状況をご確認ください。",
                "You have applied already",
                "There is no need to apply again. See the state of your application from the top page.",
            ),
            Self::ChallengeUnknown | Self::ChallengeUsed => Message::new(
                "この手続きは続けられません",
                "別のタブで手続きが進んだか、同じ操作が繰り返されました。開いているタブをすべて閉じて、はじめからやり直してください。二重に申し込まれることはありません。",
                "This procedure cannot go on",
                "It went on in another tab, or was repeated. Close all tabs and start over. Nothing is applied for twice.",
            ),
            Self::ChallengeExpired => Message::new(
                "時間切れです",
                "安全のため、手続きには時間の制限があります。もう一度お試しください。",
                "It took too long",
                "For safety a procedure has a time limit. Please try again.",
            ),
            Self::SessionLost => Message::new(
                "ブラウザの状態が引き継がれませんでした",
                "「プライベートブラウザ」「シークレット」モードをOFFにし、開いているタブをすべて閉じて、はじめからやり直してください。申し込みは行われていません。",
                "The browser session was lost",
                "Switch private (incognito) browsing off, close all tabs, and start over. Nothing was applied for.",
            ),
            Self::ServerBusy => Message::new(
                "ただいま混み合っています",
                "時間をおいて、もう一度お試しください。電子証明書に問題があるわけではありません。",
                "The service is busy",
                "Please try again later. Nothing is wrong with your certificate.",
            ),
        }
    }
}

impl From<TerminalFailure> for Outcome {
    fn from(failure: TerminalFailure) -> Self {
        Self::Terminal(failure)
    }
}

impl From<Rejection> for Outcome {
    fn from(rejection: Rejection) -> Self {
        Self::Rejected(rejection)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::requirement::Requirements;
    use crate::scenario::{self, Scenario, Verb};
    use std::collections::BTreeSet;
    use vmyna_sim::pki::Reason;

    fn all() -> Vec<Outcome> {
        use {Rejection as R, TerminalFailure as T};
        let failures = [
            T::WrongPin { tries_left: 1 },
            T::PinBlocked,
            T::TooFewTries { tries_left: 1 },
            T::NotMyNumberCard,
            T::NoCertificate,
            T::WrongPassword { tries_left: 4 },
            T::PasswordBlocked,
            T::NoSignatureCertificate,
            T::LostContact,
            T::LostDuringVerify,
            T::OtherCard,
            T::NoReader,
            T::ReaderBusy,
            T::TimedOut,
            T::Cancelled,
            T::MalformedAnswer,
            T::CommandRefused { status: 0x6F00 },
        ];
        let rejections = [
            R::MalformedCertificate,
            R::UnknownIssuer,
            R::WrongCertificate,
            R::SignatureMismatch,
            R::Expired,
            R::NotYetValid,
            R::Revoked { reason: Reason::Superseded },
            R::Revoked { reason: Reason::Unspecified },
            R::OnHold,
            R::NotYetPropagated,
            R::StatusUnavailable,
        ];
        let others = [
            Outcome::Accepted,
            Outcome::Shown,
            Outcome::SignatureRegistered,
            Outcome::SignatureRevoked,
            Outcome::OtherCard,
            Outcome::NotRegistered,
            Outcome::AlreadyRegistered,
            Outcome::ChallengeUnknown,
            Outcome::ChallengeUsed,
            Outcome::ChallengeExpired,
            Outcome::SessionLost,
            Outcome::ServerBusy,
        ];
        let failures = failures.map(Outcome::from).into_iter();
        failures.chain(rejections.map(Outcome::from)).chain(others).collect()
    }

    #[test]
    fn each_says_in_both_languages_what_happened_and_what_to_do() {
        let is_japanese = |text: &str| text.chars().any(|c| ('\u{3040}'..='\u{9fff}').contains(&c));
        for outcome in all() {
            let message = outcome.message();
            for sentence in [&message.title, &message.advice] {
                assert!(is_japanese(&sentence.ja), "{outcome:?}: {sentence:?}");
                assert!(!is_japanese(&sentence.en) && sentence.en.len() > 3, "{outcome:?}: {sentence:?}");
            }
        }
    }

    #[test]
    fn each_is_seen_in_a_flow() {
        let requirements = Requirements::built_in();
        let scenarios = scenario::built_in(&requirements);
        let seen: BTreeSet<_> = scenarios
            .iter()
            .flat_map(Scenario::all_steps)
            .filter_map(|placed| match &placed.step.verb {
                Verb::See(step) => step.outcome.as_deref(),
                _ => None,
            })
            .collect();
        for outcome in all() {
            assert!(seen.contains(outcome.code()), "no flow shows {}", outcome.code());
        }
    }

    #[test]
    fn each_keeps_a_requirement_that_there_is() {
        let requirements = Requirements::built_in();
        for outcome in all() {
            let Some(id) = outcome.requirement() else { continue };
            assert!(requirements.get(id).is_some(), "{outcome:?}: {id}");
        }
    }
}
