//! The screens of the guide 健康保険証利用の申込に関する注意事項及び画面遷移, the buttons on them, and
//! the rows of a result.

use crate::language::Bilingual;
use serde::{Deserialize, Serialize};

/// What the holder wants of the portal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// 健康保険証利用の申込
    Application,
    /// 健康保険証利用の状況照会
    Inquiry,
    /// not in the guide: the signature certificate is put on file, by somebody who has made an inquiry
    Signature,
}

/// A screen of the portal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Screen {
    /// A0 and B0: the top page
    Top,
    /// A1: step 1, confirmation, with the optional box
    Confirm,
    /// A2: 「申し込む」
    Apply,
    /// A3 and A4 of an application: the terminal asks for the PIN and the card
    Card,
    /// A5: the application was accepted
    Done,
    /// B1: 「認証する」
    Authenticate,
    /// B2: PIN and card again, for an inquiry
    CardForInquiry,
    /// B3: the state of the application
    Status,
    /// S1, not in the guide: 「署名する」
    Sign,
    /// S2: the signature password and the card
    CardForSignature,
    /// S3: the signature certificate is on file
    Registered,
    /// not in the guide: what went wrong, and what to do
    Failed,
}

impl Screen {
    /// The state in the guide's order, A0 to A5 and B0 to B3; S1 to S3 for the signature certificate, `F` for a failure.
    #[must_use]
    pub const fn state(self) -> &'static str {
        match self {
            Self::Top => "A0",
            Self::Confirm => "A1",
            Self::Apply => "A2",
            Self::Card => "A3",
            Self::Done => "A5",
            Self::Authenticate => "B1",
            Self::CardForInquiry => "B2",
            Self::Status => "B3",
            Self::Sign => "S1",
            Self::CardForSignature => "S2",
            Self::Registered => "S3",
            Self::Failed => "F",
        }
    }
}

/// Something to press on a screen of the portal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Button {
    /// 「利用を申し込む」 on the top page
    StartApplication,
    /// 「申込状況を確認」 on the top page
    StartInquiry,
    /// 「同意して次へ進む」 on step 1; agreeing is pressing it
    Agree,
    /// 「戻る」
    Back,
    /// 「申し込む」
    Apply,
    /// 「認証する」
    Authenticate,
    /// 「終了」
    Finish,
    /// 「もう一度試す」 after a failure
    Retry,
    /// 「署名用電子証明書を登録する」 after an inquiry
    RegisterSignature,
    /// 「署名する」
    Sign,
}

impl Button {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::StartApplication,
        Self::StartInquiry,
        Self::Agree,
        Self::Back,
        Self::Apply,
        Self::Authenticate,
        Self::Finish,
        Self::Retry,
        Self::RegisterSignature,
        Self::Sign,
    ];

    /// What is written on it.
    #[must_use]
    pub fn label(self) -> Bilingual {
        let (ja, en) = match self {
            Self::StartApplication => ("利用を申し込む", "Apply for use"),
            Self::StartInquiry => ("申込状況を確認", "Check the application"),
            Self::Agree => ("同意して次へ進む", "Agree and go on"),
            Self::Back => ("戻る", "Back"),
            Self::Apply => ("申し込む", "Apply"),
            Self::Authenticate => ("認証する", "Authenticate"),
            Self::Finish => ("終了", "Finish"),
            Self::Retry => ("もう一度試す", "Try again"),
            Self::RegisterSignature => ("署名用電子証明書を登録する", "Register the signature certificate"),
            Self::Sign => ("署名する", "Sign"),
        };
        Bilingual { ja: ja.to_owned(), en: en.to_owned() }
    }
}

/// How far the registration as a health insurance card has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Registration {
    /// システム準備中
    Preparing,
    /// 登録完了, by an operator's action
    Complete,
}

/// A row of a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "row", content = "value")]
pub enum Row {
    /// 申込状況: always accepted
    Application,
    /// 健康保険証としての登録状況
    Registration(Registration),
    /// マイナポータルの利用者登録: there only when the box was ticked at the application
    UserRegistration,
}

impl Row {
    /// The rows of an application: three exactly when the box was ticked.
    #[must_use]
    pub fn of(registration: Registration, register_user: bool) -> Vec<Self> {
        let mut rows = vec![Self::Application, Self::Registration(registration)];
        if register_user {
            rows.push(Self::UserRegistration);
        }
        rows
    }

    /// Whether it tells how far the registration has come.
    #[must_use]
    pub const fn is_registration(self) -> bool {
        matches!(self, Self::Registration(_))
    }

    /// Its heading.
    #[must_use]
    pub fn label(self) -> Bilingual {
        let (ja, en) = match self {
            Self::Application => ("申込状況", "Application"),
            Self::Registration(_) => {
                ("健康保険証としての登録状況", "Registration as a health insurance card")
            }
            Self::UserRegistration => ("マイナポータルの利用者登録", "User registration"),
        };
        Bilingual { ja: ja.to_owned(), en: en.to_owned() }
    }

    /// Its value.
    #[must_use]
    pub fn value(self) -> Bilingual {
        let (ja, en) = match self {
            Self::Application | Self::UserRegistration => ("✓ 正常に受け付けました。", "✓ Accepted."),
            Self::Registration(Registration::Preparing) => (
                "⚠ システム準備中のため、しばらくお待ちください。 2021年3月までに登録完了予定。",
                "⚠ The system is being prepared; please wait. Registration is to be complete by March 2021.",
            ),
            Self::Registration(Registration::Complete) => ("登録完了", "Registration complete"),
        };
        Bilingual { ja: ja.to_owned(), en: en.to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_three_rows_exactly_when_the_box_was_ticked() {
        assert_eq!(Row::of(Registration::Preparing, true).len(), 3);
        let two = Row::of(Registration::Complete, false);
        assert_eq!(two, [Row::Application, Row::Registration(Registration::Complete)]);
    }
}
