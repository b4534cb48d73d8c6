//! What must be seen on the screen in front.

use super::{PressStep, Pressable};
use crate::language::Language;
use crate::scenario::step::Action;
use schemars::JsonSchema;
use serde::de::{self, MapAccess, Visitor, value::MapAccessDeserializer};
use serde::{Deserialize, Deserializer};
use std::fmt;

/// A screen of the portal or of the terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ScreenName {
    /// A0 and B0: the top page
    Top,
    /// A1: step 1, confirmation
    Confirm,
    /// A2: 「申し込む」
    Apply,
    /// B1: 「認証する」
    Authenticate,
    /// A3 or A4: the terminal asks for the PIN or for the card, whichever its platform wants first
    Card,
    /// A3: the terminal asks for the PIN
    Pin,
    /// A4: the terminal asks for the card
    Touch,
    /// A5: the application was accepted
    Done,
    /// B3: the state of the application
    Status,
    /// S1: 「署名する」
    Sign,
    /// S3: the signature certificate is on file
    Registered,
    /// what went wrong, and what to do
    Failed,
}

impl ScreenName {
    /// Whether `seen` is this screen, or one of those that it stands for.
    #[must_use]
    pub fn is(self, seen: Self) -> bool {
        self == seen || (self == Self::Card && matches!(seen, Self::Pin | Self::Touch))
    }

    /// As scenarios write it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Top => "top",
            Self::Confirm => "confirm",
            Self::Apply => "apply",
            Self::Authenticate => "authenticate",
            Self::Card => "card",
            Self::Pin => "pin",
            Self::Touch => "touch",
            Self::Done => "done",
            Self::Status => "status",
            Self::Sign => "sign",
            Self::Registered => "registered",
            Self::Failed => "failed",
        }
    }
}

impl ScreenName {
    /// What a holder would call it.
    pub(crate) const fn title(self) -> &'static str {
        match self {
            Self::Top => "トップ",
            Self::Confirm => "確認",
            Self::Apply => "申込",
            Self::Authenticate => "認証",
            Self::Card => "暗証番号の入力またはカードの読み取り",
            Self::Pin => "暗証番号の入力",
            Self::Touch => "カードの読み取り",
            Self::Done => "申込完了",
            Self::Sign => "署名",
            Self::Registered => "署名用電子証明書の登録完了",
            Self::Status => "申込状況",
            Self::Failed => "エラー",
        }
    }
}

impl fmt::Display for ScreenName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A row of a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RowName {
    /// 申込状況: accepted
    Accepted,
    /// 健康保険証としての登録状況: システム準備中
    Preparing,
    /// 健康保険証としての登録状況: 登録完了
    Registered,
    /// マイナポータルの利用者登録: accepted
    UserRegistration,
}

impl RowName {
    /// As scenarios write it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Preparing => "preparing",
            Self::Registered => "registered",
            Self::UserRegistration => "user_registration",
        }
    }
}

impl RowName {
    /// What it says.
    pub(crate) const fn title(self, language: Language) -> &'static str {
        match (language, self) {
            (Language::En, row) => row.name(),
            (Language::Ja, Self::Accepted) => "受付済み",
            (Language::Ja, Self::Preparing) => "システム準備中",
            (Language::Ja, Self::Registered) => "登録完了",
            (Language::Ja, Self::UserRegistration) => "利用者登録",
        }
    }
}

/// `see: confirm`, `see: {screen: done, rows: [accepted, preparing]}`,
/// `see: {screen: failed, outcome: wrong_pin, says: あと2回}`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SeeMap {
    screen: ScreenName,
    rows: Option<Vec<RowName>>,
    outcome: Option<String>,
    buttons: Option<Vec<PressStep>>,
    #[serde(default)]
    says: Texts,
    #[serde(default)]
    never_says: Texts,
}

/// What must be seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeeStep {
    /// which screen
    pub screen: ScreenName,
    /// exactly these rows, in this order
    pub rows: Option<Vec<RowName>>,
    /// the code of the outcome
    pub outcome: Option<String>,
    /// exactly these buttons, in this order
    pub buttons: Option<Vec<Pressable>>,
    /// these stand in the Japanese text
    pub says: Vec<String>,
    /// these do not
    pub never_says: Vec<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Texts(Vec<String>);

impl<'de> Deserialize<'de> for Texts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OneOrMany;
        impl<'de> Visitor<'de> for OneOrMany {
            type Value = Texts;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text, or a list of texts")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Texts, E> {
                Ok(Texts(vec![text.to_owned()]))
            }

            fn visit_seq<A: de::SeqAccess<'de>>(self, mut seq: A) -> Result<Texts, A::Error> {
                let mut all = Vec::new();
                while let Some(text) = seq.next_element()? {
                    all.push(text);
                }
                Ok(Texts(all))
            }
        }
        deserializer.deserialize_any(OneOrMany)
    }
}

impl<'de> Deserialize<'de> for SeeStep {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ScreenOrMap;
        impl<'de> Visitor<'de> for ScreenOrMap {
            type Value = SeeStep;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a screen, or a map with screen, rows, outcome, says and never_says")
            }

            fn visit_str<E: de::Error>(self, word: &str) -> Result<SeeStep, E> {
                let screen = ScreenName::deserialize(de::value::StrDeserializer::<E>::new(word))?;
                Ok(SeeStep {
                    screen,
                    rows: None,
                    outcome: None,
                    buttons: None,
                    says: Vec::new(),
                    never_says: Vec::new(),
                })
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<SeeStep, A::Error> {
                let SeeMap { screen, rows, outcome, buttons, says, never_says } =
                    SeeMap::deserialize(MapAccessDeserializer::new(map))?;
                let buttons = buttons.map(|buttons| buttons.into_iter().map(|press| press.0).collect());
                Ok(SeeStep { screen, rows, outcome, buttons, says: says.0, never_says: never_says.0 })
            }
        }
        deserializer.deserialize_any(ScreenOrMap)
    }
}

impl Action for SeeStep {
    fn brief(&self) -> String {
        match &self.outcome {
            Some(outcome) => format!("see {} ({outcome})", self.screen),
            None => format!("see {}", self.screen),
        }
    }

    fn has_data(&self) -> bool {
        false
    }

    fn in_words(&self, language: Language) -> String {
        let names = |names: Vec<&str>| names.join(language.say("、", ", "));
        let rows = self.rows.as_ref().map(|rows| {
            let rows = names(rows.iter().map(|row| row.title(language)).collect());
            format!("{} [{rows}]", language.say("行", "the rows"))
        });
        let buttons = self.buttons.as_ref().map(|buttons| {
            let buttons = names(buttons.iter().map(|button| button.label()).collect());
            format!("{} [{buttons}]", language.say("ボタン", "the buttons"))
        });
        let says = self.says.iter().map(|text| match language {
            Language::Ja => format!("「{text}」がある"),
            Language::En => format!("it says 「{text}」"),
        });
        let never_says = self.never_says.iter().map(|text| match language {
            Language::Ja => format!("「{text}」がない"),
            Language::En => format!("it never says 「{text}」"),
        });
        let seen = match (language, &self.outcome) {
            (Language::Ja, None) => format!("{}の画面 ({}) が表示される", self.screen.title(), self.screen),
            (Language::Ja, Some(outcome)) => {
                format!("{}の画面 ({}、{outcome}) が表示される", self.screen.title(), self.screen)
            }
            (Language::En, _) => self.brief(),
        };
        let all: Vec<_> =
            std::iter::once(seen).chain(rows).chain(buttons).chain(says).chain(never_says).collect();
        all.join(language.say("、", "; "))
    }
}
