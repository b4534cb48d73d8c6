//! A card over vpcd: the harness plays the reader.

use super::{CardLink, LinkError};
use crate::language::Bilingual;
use std::time::Duration;
use vmyna_sim::smart_card::Power;
use vmyna_sim::vpcd::frame::MAX_BODY;
use vmyna_sim::vpcd::{Connection, LinkLost, ReaderError, TransmitError, Unreachable};

impl CardLink for Connection {
    fn atr(&mut self) -> Result<Vec<u8>, LinkError> {
        Self::atr(self).map_err(|error| lost(error.into()))
    }

    fn power(&mut self, power: Power) -> Result<(), LinkError> {
        Self::power(self, power).map_err(|error| lost(error.into()))
    }

    fn transmit(&mut self, command: &[u8]) -> Result<Vec<u8>, LinkError> {
        Self::transmit(self, command).map_err(lost)
    }
}

fn lost(error: TransmitError) -> LinkError {
    let japanese = match error {
        TransmitError::Empty => "空のコマンドは送れない".to_owned(),
        TransmitError::OneByte => {
            "1 バイトのコマンドは送れない。vpcd では 1 バイトは電源操作かリセットであり、APDU ではない"
                .to_owned()
        }
        TransmitError::TooLong(length) => {
            format!("{length} バイトのコマンドは送れない。vpcd で送れるのは {MAX_BODY} バイトまで")
        }
        TransmitError::Lost(lost) => lost_in_japanese(lost),
    };
    LinkError::lost(japanese, error.to_string())
}

fn lost_in_japanese(lost: LinkLost) -> String {
    let ms = |waited: Duration| waited.as_millis();
    match lost {
        LinkLost::Closed => "カードがリーダーから離れた（接続が閉じられた）".to_owned(),
        LinkLost::Reset => "カードがリーダーから離れた（接続がリセットされた）".to_owned(),
        LinkLost::HalfFrame { expected, got } => {
            format!("応答の途中でカードがリーダーから離れた（{expected} バイト中 {got} バイトまで届いた）")
        }
        LinkLost::Mute { waited } => format!("カードが {} ミリ秒以内に応答しなかった", ms(waited)),
        LinkLost::Stalled { expected, got, waited } => format!(
            "カードが {} ミリ秒以内に応答を終えなかった（{expected} バイト中 {got} バイトまで届いた）",
            ms(waited)
        ),
        LinkLost::Deaf { waited } => {
            format!("カードが {} ミリ秒以内に要求を受け取らなかった", ms(waited))
        }
        LinkLost::Unsolicited => {
            "カードが求められていないものを送った。以後の応答はそれと区別できない".to_owned()
        }
        LinkLost::EmptyFrame => "カードが長さ 0 のフレームで応答した".to_owned(),
        LinkLost::Failed(kind) => format!("接続に失敗した: {kind}"),
        other => format!("カードとの通信に失敗した: {other}"),
    }
}

/// Why no card came within `waited` seconds, and what helps.
pub(crate) fn no_card(error: ReaderError, waited: u64) -> Bilingual {
    match error {
        ReaderError::NoCard { on, .. } => Bilingual::new(
            format!(
                "{waited} 秒待ったが、{on} に接続したカードがない。接続するカードを起動するか、--wait 秒 で長く待つ"
            ),
            format!(
                "no card connected to {on} within {waited} s; start one that does, or wait longer with --wait \
                 SECONDS"
            ),
        ),
        ReaderError::NotReached { address, reason, .. } => {
            let why = match &reason {
                Unreachable::NothingListens => "待ち受けているものがない".to_owned(),
                Unreachable::NoReply => {
                    "応答がない。ファイアウォールか、このスロットの順番を待つ別のカードがあるかもしれない"
                        .to_owned()
                }
                Unreachable::UnknownHost(error) => format!("名前を引けない: {error}"),
                other => other.to_string(),
            };
            Bilingual::new(
                format!(
                    "{waited} 秒待ったが、{address} にカードがない: {why}。そこで待ち受けるカードを起動するか、\
                     --wait 秒 で長く待つ"
                ),
                format!(
                    "no card at {address} within {waited} s: {reason}; start one that listens there, or wait longer \
                     with --wait SECONDS"
                ),
            )
        }
        other => Bilingual::new(format!("リーダーのソケットが使えない: {other}"), other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::ErrorKind;

    #[test]
    fn a_lost_link_and_a_card_that_did_not_come_are_told_in_japanese() {
        let waited = Duration::from_secs(10);
        for lost_as in [
            LinkLost::Closed,
            LinkLost::Reset,
            LinkLost::HalfFrame { expected: 12, got: 7 },
            LinkLost::Mute { waited },
            LinkLost::Stalled { expected: 12, got: 7, waited },
            LinkLost::Deaf { waited },
            LinkLost::Unsolicited,
            LinkLost::EmptyFrame,
        ] {
            let told = lost(lost_as.into()).in_words();
            assert_eq!(told.en, lost_as.to_string());
            assert!(!told.ja.contains("card") && !told.ja.is_ascii(), "{}", told.ja);
        }
        let failed = lost(LinkLost::Failed(ErrorKind::BrokenPipe).into()).in_words();
        assert_eq!(failed.ja, "接続に失敗した: broken pipe");
        let on = "127.0.0.1:35963".parse().unwrap();
        let missing = no_card(ReaderError::NoCard { on, waited }, 10);
        assert!(missing.ja.starts_with("10 秒待ったが、127.0.0.1:35963 に"), "{}", missing.ja);
        assert!(missing.en.starts_with("no card connected to 127.0.0.1:35963 within 10 s"), "{}", missing.en);
    }
}
