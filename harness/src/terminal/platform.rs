//! The three kinds of terminal. They differ in when the PIN is asked for and when the card must be
//! there, and in what they tell the holder.

use crate::language::Bilingual;
use serde::{Deserialize, Serialize};

/// A kind of terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Platform {
    /// iPhone: the PIN first, then one contact for everything
    #[default]
    Ios,
    /// Android: the card must be held while the PIN is entered
    Android,
    /// a PC with a card reader: the card lies in the reader before the PIN is asked for
    Pc,
}

/// The two forms in which the guide asks for a PIN. It does not say which device shows which; the
/// order suggests iOS and Android.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PinForm {
    /// 「スマホでログイン」 with 「次へ」
    Page,
    /// 「パスワード入力」 with 「パスワードを表示する」, 「キャンセル」 and 「OK」
    Dialog,
}

impl Platform {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Ios, Self::Android, Self::Pc];

    /// Its name in scenarios and on the page.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ios => "ios",
            Self::Android => "android",
            Self::Pc => "pc",
        }
    }

    /// How it asks for the PIN.
    #[must_use]
    pub const fn pin_form(self) -> PinForm {
        match self {
            Self::Ios => PinForm::Page,
            Self::Android | Self::Pc => PinForm::Dialog,
        }
    }

    /// Whether the card must be there before the PIN is asked for, and stay while it is entered.
    #[must_use]
    pub const fn wants_card_first(self) -> bool {
        matches!(self, Self::Android | Self::Pc)
    }

    /// A4: where to hold the card.
    #[must_use]
    pub fn touch_instruction(self) -> Bilingual {
        let (ja, en) = match self {
            Self::Ios => (
                "スマートフォンの上部に、マイナンバーカードの中心を、押し当てて、動かさずに、しばらくお待ちください",
                "Press the centre of your My Number card against the top of the phone, hold still, and wait",
            ),
            Self::Android => (
                "スマートフォンの裏面のモバイル非接触IC通信マークに、マイナンバーカードの中心を、押し当てて、動かさずに、しばらくお待ちください。",
                "Press the centre of your My Number card against the contactless mark on the back of the phone, hold still, and wait.",
            ),
            Self::Pc => (
                "ICカードリーダライタにマイナンバーカードを置いて、読み取りが終わるまで、そのままお待ちください。",
                "Lay your My Number card on the card reader and leave it there until reading has ended.",
            ),
        };
        Bilingual { ja: ja.to_owned(), en: en.to_owned() }
    }
}
