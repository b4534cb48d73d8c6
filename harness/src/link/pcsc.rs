//! Cards in readers of PC/SC. Readers and cards may come and go while one is waited for; the service
//! tells of it (`SCardGetStatusChange`, with the name that stands for plug and play), so that nothing
//! is asked over and over. What goes wrong is told in the user's terms, each with what helps.

mod connection;
mod reader;

pub use connection::{PcscLink, Sharing};
pub use reader::{PcscReader, ReaderChoice, reader_names};

use crate::language::Bilingual;
use pcsc::Error;

/// What PC/SC's error means for whoever sits before the reader, and what helps.
fn explain(error: Error) -> Bilingual {
    let [what, help] = match error {
        Error::NoService | Error::ServiceStopped => [
            ("PC/SC サービスが動いていない", "the PC/SC service is not running"),
            (
                "`systemctl start pcscd.socket` で起動する（Debian では `apt-get install pcscd`）。詳しくは `vmyna doctor`",
                "start it: `systemctl start pcscd.socket` (Debian: `apt-get install pcscd`); `vmyna doctor` says more",
            ),
        ],
        Error::NoReadersAvailable | Error::UnknownReader | Error::ReaderUnavailable => [
            ("リーダーがなくなった", "the reader is not there any more"),
            (
                "差し直す。`vmyna doctor` が今あるリーダーを示す",
                "plug it in again; `vmyna doctor` lists the readers that are there",
            ),
        ],
        Error::NoSmartcard | Error::RemovedCard => {
            [("カードがリーダーにない", "the card is not in the reader"), ("カードを戻す", "put it back")]
        }
        Error::SharingViolation => return in_use(Sharing::Shared),
        Error::UnresponsiveCard | Error::UnpoweredCard => [
            ("電源を入れてもカードが応答しない", "the card does not answer to power"),
            (
                "取り出して接点を拭き、正しい向きに入れる。非接触リーダーでは平らに置く",
                "take it out, clean its contacts, and put it in the right way round; on a contactless reader lay it flat",
            ),
        ],
        Error::UnsupportedCard | Error::ProtoMismatch | Error::CardUnsupported => [
            ("リーダーがカードのプロトコルで通信できない", "the reader cannot speak the card's protocol"),
            (
                "別のリーダーなら通信できることがある。対応するプロトコルはリーダーのドライバーによる",
                "another reader may; this one's driver says which it knows",
            ),
        ],
        Error::ResetCard => [
            ("別のプログラムがカードをリセットした", "another program has reset the card"),
            ("もう一度実行するか、--exclusive で専有して実行する", "run again, or alone with --exclusive"),
        ],
        Error::SecurityViolation | Error::NoAccess => [
            ("システムがリーダーの使用を許していない", "the system does not allow the use of readers"),
            (
                "Debian では polkit が決める。デスクトップのセッションか root で実行するか、\
                 org.debian.pcsc-lite.access_pcsc と access_card を許可する",
                "polkit decides that on Debian: run from the desktop session or as root, or allow \
                 org.debian.pcsc-lite.access_pcsc and access_card",
            ),
        ],
        Error::Timeout => [
            ("リーダーが時間内に応答しなかった", "the reader has not answered in time"),
            ("カードを取り出して入れ直す", "take the card out and put it back"),
        ],
        Error::CommError | Error::CommDataLost | Error::NotReady => [
            ("リーダーとカードの通信が切れた", "the reader and the card have lost each other"),
            (
                "カードを動かさないようにするか、取り出して入れ直し、もう一度実行する",
                "hold the card still, or take it out and put it back; then run again",
            ),
        ],
        other => return Bilingual::alike(format!("PC/SC: {other}")),
    };
    Bilingual::new(format!("{}。{}", what.0, help.0), format!("{}; {}", what.1, help.1))
}

/// Another program has the card that was to be used as `sharing` says.
fn in_use(sharing: Sharing) -> Bilingual {
    const WHO: (&str, &str) = (
        "ブラウザー、メールソフト、利用者クライアントソフトなどがカードを使っていることがある",
        "a browser, a mail program or an identity client may hold the card",
    );
    match sharing {
        Sharing::Shared => Bilingual::new(
            format!("別のプログラムがカードを専有している。それを閉じる（{}）", WHO.0),
            format!("another program uses the card alone; close it ({})", WHO.1),
        ),
        Sharing::Exclusive => Bilingual::new(
            format!(
                "別のプログラムがカードを使っている。それを閉じる（{}）か、--exclusive を付けずに実行する",
                WHO.0
            ),
            format!("another program uses the card; close it ({}), or run without --exclusive", WHO.1),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_wrong_is_told_with_what_helps() {
        for error in [
            Error::NoService,
            Error::RemovedCard,
            Error::SharingViolation,
            Error::UnresponsiveCard,
            Error::SecurityViolation,
        ] {
            let told = explain(error);
            assert!(told.en.contains("; ") && !told.en.contains("PC/SC: "), "{}", told.en);
            assert!(told.ja.contains('。') && told.ja != told.en, "{}", told.ja);
        }
    }
}
