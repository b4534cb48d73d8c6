//! What can go wrong between the phone and the card, as the terminal reports it, and what the holder
//! is told to do. The portal learns no more than this: never a PIN.

use super::message::Message;
use serde::{Deserialize, Serialize};

/// Why the terminal brings no signature. The taxonomy is a superset of that of open clients; the
/// names are this project's own, no official error codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum TerminalFailure {
    /// 63Cx: the PIN was wrong
    WrongPin {
        /// how many wrong ones are left before the PIN is blocked, at least 1
        tries_left: u8,
    },
    /// 63C0, 6984 or 6983: no try is left
    PinBlocked,
    /// the same of the signature password
    WrongPassword {
        /// how many wrong ones are left before it is blocked, at least 1
        tries_left: u8,
    },
    /// no try of the signature password is left
    PasswordBlocked,
    /// the terminal did not present a PIN, because a wrong one would have been the last
    TooFewTries {
        /// tries that are left
        tries_left: u8,
    },
    /// the JPKI application cannot be selected
    NotMyNumberCard,
    /// there is a JPKI application, but no certificate for user authentication
    NoCertificate,
    /// there is no signature certificate: the holder is under 15, or did not want one
    NoSignatureCertificate,
    /// the card left the field before or after a VERIFY
    LostContact,
    /// the card left the field during VERIFY: whether the try counts is not known
    LostDuringVerify,
    /// another card came back than the one that was lifted
    OtherCard,
    /// there is no reader, or NFC is off
    NoReader,
    /// another program holds the reader
    ReaderBusy,
    /// no card came, or the conversation took longer than the terminal lets it
    TimedOut,
    /// the holder pressed キャンセル
    Cancelled,
    /// an answer of the card makes no sense
    MalformedAnswer,
    /// the card refused a command
    CommandRefused {
        /// SW1-SW2
        status: u16,
    },
}

impl TerminalFailure {
    /// The name in this project's interfaces.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::WrongPin { .. } => "wrong_pin",
            Self::PinBlocked => "pin_blocked",
            Self::WrongPassword { .. } => "wrong_password",
            Self::PasswordBlocked => "password_blocked",
            Self::TooFewTries { .. } => "too_few_tries",
            Self::NotMyNumberCard => "not_my_number_card",
            Self::NoCertificate => "no_certificate",
            Self::NoSignatureCertificate => "no_signature_certificate",
            Self::LostContact => "lost_contact",
            Self::LostDuringVerify => "lost_during_verify",
            Self::OtherCard => "other_card",
            Self::NoReader => "no_reader",
            Self::ReaderBusy => "reader_busy",
            Self::TimedOut => "timed_out",
            Self::Cancelled => "cancelled",
            Self::MalformedAnswer => "malformed_answer",
            Self::CommandRefused { .. } => "command_refused",
        }
    }

    /// The requirement that it keeps.
    #[must_use]
    pub const fn requirement(self) -> Option<&'static str> {
        Some(match self {
            Self::WrongPin { .. } | Self::WrongPassword { .. } => "FLOW-15",
            Self::PinBlocked | Self::PasswordBlocked => "FLOW-16",
            Self::TooFewTries { .. } => "FLOW-19",
            Self::NotMyNumberCard => "FLOW-23",
            Self::NoCertificate => return None,
            Self::NoSignatureCertificate => "FLOW-24",
            Self::LostDuringVerify => "FLOW-20",
            Self::LostContact | Self::MalformedAnswer | Self::CommandRefused { .. } => "FLOW-21",
            Self::OtherCard => "FLOW-14",
            Self::NoReader | Self::ReaderBusy | Self::TimedOut => "FLOW-08",
            Self::Cancelled => "FLOW-03",
        })
    }

    /// What the holder is told.
    #[must_use]
    pub fn message(self) -> Message {
        match self {
            Self::WrongPin { tries_left } => Message::new(
                format!("暗証番号が違います（あと{tries_left}回）"),
                "数字4桁の暗証番号を確かめて、もう一度入力してください。続けて間違えると利用者証明用の暗証番号はロックされます。時間がたっても回数は戻りません。",
                format!("Wrong PIN ({tries_left} {} left)", if tries_left == 1 { "try" } else { "tries" }),
                "Check your 4-digit PIN and enter it again. Wrong PINs in a row block it, and waiting does not give tries back; one right PIN does.",
            ),
            Self::PinBlocked => Message::new(
                "暗証番号がロックされています",
                "お住まいの市区町村の窓口にカードを持参し、暗証番号を初期化してください。署名用の暗証番号が分かる場合は、スマートフォンのアプリで手続きをしてコンビニのキオスク端末でも再設定できます。",
                "The PIN is blocked",
                "Take the card to your municipal office to have the PIN reset. If you know the password of the signature certificate, an app and a convenience-store kiosk can reset it too.",
            ),
            Self::WrongPassword { tries_left } => Message::new(
                format!("署名用電子証明書のパスワードが違います（あと{tries_left}回）"),
                "英数字6文字から16文字の署名用パスワードを確かめて、もう一度入力してください。続けて間違えるとロックされます。時間がたっても回数は戻りません。",
                format!(
                    "Wrong signature password ({tries_left} {} left)",
                    if tries_left == 1 { "try" } else { "tries" }
                ),
                "Check the password of 6 to 16 letters and digits and enter it again. Wrong ones in a row block it, and waiting does not give tries back; one right password does.",
            ),
            Self::PasswordBlocked => Message::new(
                "署名用電子証明書のパスワードがロックされています",
                "お住まいの市区町村の窓口にカードを持参し、パスワードを初期化してください。利用者証明用の暗証番号が分かる場合は、スマートフォンのアプリで手続きをしてコンビニのキオスク端末でも再設定できます。",
                "The signature password is blocked",
                "Take the card to your municipal office to have it reset. If you know the PIN for user authentication, an app and a convenience-store kiosk can reset it too.",
            ),
            Self::TooFewTries { tries_left } => Message::new(
                format!("残り回数が{tries_left}回のため、暗証番号を送りませんでした"),
                "間違えるとロックされます。確実に分かる場合だけ、ご自身のソフトウェアで正しい暗証番号を入力すると回数は元に戻ります。",
                format!(
                    "Not sent: only {tries_left} {} left",
                    if tries_left == 1 { "try is" } else { "tries are" }
                ),
                "A wrong PIN would block this card, which may be a real one. Enter the right PIN with other software first; that refills the counter.",
            ),
            Self::NotMyNumberCard => Message::new(
                "マイナンバーカードではありません",
                "マイナンバーカードを1枚だけかざしてください。ほかのICカードは離してください。",
                "This is not a My Number card",
                "Hold only your My Number card to the phone, and keep other IC cards away.",
            ),
            Self::NoCertificate => Message::new(
                "利用者証明用電子証明書がありません",
                "お住まいの市区町村の窓口で、利用者証明用電子証明書の発行を受けてください。",
                "The card has no certificate for user authentication",
                "Ask your municipal office to issue the user authentication certificate.",
            ),
            Self::NoSignatureCertificate => Message::new(
                "カードに署名用電子証明書がありません",
                "15歳未満の方や、発行を希望しなかった方のカードには入っていません。必要な場合は、お住まいの市区町村の窓口で発行を受けてください。",
                "The card holds no signature certificate",
                "The cards of children under 15, and of those who did not want one, have none. Your municipal office issues it.",
            ),
            Self::LostContact => Message::new(
                "カードとの通信が途切れました",
                "読み取りが終わるまで、スマートフォンとカードをぴったりあて続けてください。カバーやケーブルを外し、金属の机を避けて、もう一度お試しください。",
                "Contact with the card was lost",
                "Keep phone and card pressed together until reading has ended. Take off covers and cables, avoid metal desks, and try again.",
            ),
            Self::LostDuringVerify => Message::new(
                "暗証番号の照合中に通信が途切れました",
                "暗証番号の試行回数が1回減っているかもしれません。もう一度かざすと残り回数を確認できます。",
                "Contact was lost while the PIN was checked",
                "A try may or may not have been spent. Hold the card again: the number of tries left is read first.",
            ),
            Self::OtherCard => Message::new(
                "先ほどとは別のカードです",
                "最初にかざしたカードをかざしてください。別の方のカードで手続きする場合は、はじめからやり直してください。",
                "This is another card than before",
                "Hold the card that you began with. To continue with another person's card, start over.",
            ),
            Self::NoReader => Message::new(
                "カードを読み取る機器がありません",
                "AndroidではNFC／おさいふケータイの機能をONにしてください。パソコンではICカードリーダライタを接続してください。",
                "There is no reader",
                "Switch NFC on (Android), or connect a card reader (PC).",
            ),
            Self::ReaderBusy => Message::new(
                "ほかのソフトウェアが読み取り機器を使用中です",
                "カードを使うほかのソフトウェアを終了してから、もう一度お試しください。",
                "Another program is using the reader",
                "Close other software that uses the card, then try again.",
            ),
            Self::TimedOut => Message::new(
                "時間内に読み取れませんでした",
                "カードの中心を読み取り位置に押し当て、動かさずに、もう一度お試しください。",
                "The card was not read in time",
                "Press the centre of the card against the reading position, hold still, and try again.",
            ),
            Self::Cancelled => Message::new(
                "キャンセルしました",
                "手続きは行われていません。続ける場合は、もう一度お試しください。",
                "Cancelled",
                "Nothing was recorded. Try again if you wish to go on.",
            ),
            Self::MalformedAnswer => Message::new(
                "カードの応答を理解できませんでした",
                "もう一度お試しください。繰り返す場合は、お住まいの市区町村の窓口にご相談ください。",
                "The card's answer makes no sense",
                "Try again. If it happens repeatedly, ask your municipal office.",
            ),
            Self::CommandRefused { status } => Message::new(
                format!("カードが処理を拒否しました（{status:04X}）"),
                "もう一度お試しください。繰り返す場合は、お住まいの市区町村の窓口にご相談ください。",
                format!("The card refused a command ({status:04X})"),
                "Try again. If it happens repeatedly, ask your municipal office.",
            ),
        }
    }
}
