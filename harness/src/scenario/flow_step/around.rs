//! What happens around a flow: at the reader, in the browser, on the way back to the portal, and at
//! the portal itself.

use super::plain;
use crate::language::Language;
use crate::scenario::words;
use crate::terminal::Credential;
use schemars::JsonSchema;
use serde::Deserialize;

/// `terminal: no_reader`: what becomes of the reader
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TerminalStep {
    /// NFC is switched off, or there is no reader
    NoReader,
    /// other software holds it
    ReaderBusy,
    /// all is well again
    ReaderReady,
    /// it takes every card for one that may be real
    Careful,
}

/// `browser: {show: first}`, `browser: {forget_session: true}`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BrowserStep {
    /// the tab of this name comes to the front
    pub show: Option<String>,
    /// the cookie is lost, as when an app returns to a private window
    #[serde(default)]
    pub forget_session: bool,
}

/// `callback: again`: how an answer of the terminal reaches the portal that should not count
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Delivery {
    /// the last answer, a second time
    Again,
    /// the last answer, a second time, from a browser without the session
    Elsewhere,
    /// other bytes for the challenge that was answered last
    Altered,
    /// the signature that was made last, for the challenge that is open now
    Replayed,
    /// the open challenge, answered with the right signature and another person's certificate
    OthersCertificate,
    /// the open challenge, signed with the key for signatures, with the signature certificate
    SignatureCertificate,
    /// the open challenge, signed with the key from before the renewal, with its certificate
    ReplacedCertificate,
    /// the open challenge, signed with the key for signatures, with the signature certificate that the
    /// holder had before the last birthday
    FormerSignatureCertificate,
    /// the open challenge, answered with half of the certificate
    BrokenCertificate,
    /// the last answer, for a challenge that there never was
    MadeUp,
}

/// `callback: replayed`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct CallbackStep(pub Delivery);

/// `operator: complete_registration`: what becomes of the portal
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OperatorStep {
    /// every 「システム準備中」 becomes 「登録完了」
    CompleteRegistration,
    /// too many visitors
    BecomeBusy,
    /// no longer
    BecomeReady,
    /// the authority's word on certificates cannot be had
    LoseStatus,
    /// it can again
    RegainStatus,
    /// certificates on hold are released
    ReleaseHold,
    /// the signature certificate that the holder had before the last birthday is revoked
    RevokeFormerSignature,
}

/// `stored: {applications: 1}`, `stored: {applications: 1, signatures: 1}`: what the portal must hold
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StoredStep {
    /// how many applications
    pub applications: usize,
    /// how many of them with a signature certificate on file
    pub signatures: Option<usize>,
}

/// `card: {tries_left: 2}`, `card: {tries_left: 5, of: digital_signature}`: what the holder's own card must hold
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CardStep {
    /// tries of the PIN
    pub tries_left: u8,
    /// which of the two PINs of JPKI
    #[serde(default)]
    pub of: Credential,
}

plain! {
    CardStep => |step|
        format!("card: {} tries of {} left", step.tries_left, step.of.name()),
        format!("カードの{}の残り回数は {} 回", words::pin(step.of.pin(), Language::Ja), step.tries_left);
    TerminalStep => |step| format!("terminal {}", written(step)), in_japanese(*step).to_owned();
    BrowserStep => |step|
        match &step.show {
            Some(tab) => format!("show the tab {tab}"),
            None => "forget the session".to_owned(),
        },
        match &step.show {
            Some(tab) => format!("タブ {tab} に切り替える"),
            None => "ブラウザのセッションが失われる".to_owned(),
        };
    CallbackStep => |step| format!("callback {}", written(&step.0)), format!("サイトに届く応答: {}", delivered(step.0));
    OperatorStep => |step| format!("operator {}", written(step)), operated(*step).to_owned();
    StoredStep => |step|
        match step.signatures {
            Some(signatures) => {
                format!("applications stored: {}, signature certificates: {signatures}", step.applications)
            }
            None => format!("applications stored: {}", step.applications),
        },
        match step.signatures {
            Some(signatures) => {
                format!("サイトの申込は {} 件、署名用電子証明書の登録は {signatures} 件", step.applications)
            }
            None => format!("サイトの申込は {} 件", step.applications),
        };
}

const fn in_japanese(step: TerminalStep) -> &'static str {
    match step {
        TerminalStep::NoReader => "NFC が切られる、またはリーダーがない",
        TerminalStep::ReaderBusy => "リーダーを他のソフトウェアが使っている",
        TerminalStep::ReaderReady => "リーダーが使えるようになる",
        TerminalStep::Careful => "端末はどのカードも実カードかもしれないとして扱う",
    }
}

/// Which answer, in Japanese.
const fn delivered(delivery: Delivery) -> &'static str {
    match delivery {
        Delivery::Again => "直前の応答がもう一度",
        Delivery::Elsewhere => "直前の応答が、セッションのないブラウザからもう一度",
        Delivery::Altered => "直前に答えたチャレンジへの別のバイト列",
        Delivery::Replayed => "直前の署名が、新しいチャレンジへの応答として",
        Delivery::OthersCertificate => "正しい署名と他人の証明書",
        Delivery::SignatureCertificate => "署名用の鍵による署名と署名用電子証明書",
        Delivery::FormerSignatureCertificate => "以前の署名用の鍵による署名とその証明書",
        Delivery::ReplacedCertificate => "更新前の鍵による署名とその証明書",
        Delivery::BrokenCertificate => "正しい署名と、途中で切れた証明書",
        Delivery::MadeUp => "直前の応答が、存在しないチャレンジへのものとして",
    }
}

const fn operated(step: OperatorStep) -> &'static str {
    match step {
        OperatorStep::CompleteRegistration => "「システム準備中」がすべて「登録完了」になる",
        OperatorStep::BecomeBusy => "サイトが混み合う",
        OperatorStep::BecomeReady => "サイトの混雑が収まる",
        OperatorStep::LoseStatus => "証明書の失効情報が得られなくなる",
        OperatorStep::RegainStatus => "証明書の失効情報が再び得られる",
        OperatorStep::RevokeFormerSignature => "以前の署名用電子証明書が失効する",
        OperatorStep::ReleaseHold => "一時停止中の証明書が再開される",
    }
}

/// An enum's words as scenarios write them.
fn written(word: &impl std::fmt::Debug) -> String {
    let mut text = String::new();
    for letter in format!("{word:?}").chars() {
        if letter.is_uppercase() && !text.is_empty() {
            text.push('_');
        }
        text.extend(letter.to_lowercase());
    }
    text
}
