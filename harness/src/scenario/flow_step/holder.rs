//! What the holder does: opens the portal in a tab, presses, ticks, enters a PIN, holds a card to the
//! phone and lifts it, waits.

use super::plain;
use crate::language::Language;
use crate::scenario::step::lower;
use schemars::JsonSchema;
use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer};
use std::fmt;
use std::time::Duration;
use vmyna_sim::fault::{Fault, Kind, MalformedFault, Swap};

/// `open: top`, `open: {tab: second}`: the top page, in a tab that is then in front
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenStep {
    /// which tab; `first` unless told otherwise
    pub tab: String,
}

/// The tab that a flow is in unless told otherwise.
const FIRST_TAB: &str = "first";

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Tab {
    /// which tab
    tab: String,
}

impl<'de> Deserialize<'de> for OpenStep {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TopOrTab;
        impl<'de> Visitor<'de> for TopOrTab {
            type Value = OpenStep;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("`top`, or a map such as {tab: second}")
            }

            fn visit_str<E: de::Error>(self, word: &str) -> Result<OpenStep, E> {
                match word {
                    "top" => Ok(OpenStep { tab: FIRST_TAB.to_owned() }),
                    _ => Err(E::invalid_value(de::Unexpected::Str(word), &self)),
                }
            }

            fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<OpenStep, A::Error> {
                let Tab { tab } = Tab::deserialize(de::value::MapAccessDeserializer::new(map))?;
                Ok(OpenStep { tab })
            }
        }
        deserializer.deserialize_any(TopOrTab)
    }
}

/// `press: agree`, or as the screen says it: `press: 同意して次へ進む`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PressStep(pub Pressable);

/// What can be pressed, on the portal's screens and on the terminal's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Pressable {
    /// 「利用を申し込む」 on the top page
    StartApplication,
    /// 「申込状況を確認」 on the top page
    StartInquiry,
    /// 「同意して次へ進む」
    Agree,
    /// 「戻る」
    Back,
    /// 「申し込む」
    Apply,
    /// 「認証する」
    Authenticate,
    /// 「終了」
    Finish,
    /// 「もう一度試す」
    Retry,
    /// 「署名用電子証明書を登録する」
    RegisterSignature,
    /// 「署名する」
    Sign,
    /// 「次へ」 or 「OK」 below the PIN
    Confirm,
    /// 「キャンセル」
    Cancel,
}

/// Each button: its name in scenarios, and what may stand on it.
pub(super) const BUTTONS: [(Pressable, &str, &[&str]); 12] = [
    (Pressable::StartApplication, "start_application", &["利用を申し込む"]),
    (Pressable::StartInquiry, "start_inquiry", &["申込状況を確認"]),
    (Pressable::Agree, "agree", &["同意して次へ進む"]),
    (Pressable::Back, "back", &["戻る"]),
    (Pressable::Apply, "apply", &["申し込む"]),
    (Pressable::Authenticate, "authenticate", &["認証する"]),
    (Pressable::Finish, "finish", &["終了"]),
    (Pressable::Retry, "retry", &["もう一度試す"]),
    (Pressable::RegisterSignature, "register_signature", &["署名用電子証明書を登録する"]),
    (Pressable::Sign, "sign", &["署名する"]),
    (Pressable::Confirm, "ok", &["次へ", "OK"]),
    (Pressable::Cancel, "cancel", &["キャンセル"]),
];

impl Pressable {
    /// All of them.
    pub const ALL: [Self; 12] = {
        let mut all = [Self::Back; 12];
        let mut index = 0;
        while index < all.len() {
            all[index] = BUTTONS[index].0;
            index += 1;
        }
        all
    };

    /// Its name in scenarios.
    #[must_use]
    pub fn name(self) -> &'static str {
        BUTTONS.iter().find(|(button, ..)| *button == self).map_or("", |(_, name, _)| name)
    }

    /// What stands on it; of a button that differs between platforms, on the first.
    #[must_use]
    pub fn label(self) -> &'static str {
        BUTTONS.iter().find(|(button, ..)| *button == self).map_or("", |(_, _, labels)| labels[0])
    }
}

impl<'de> Deserialize<'de> for PressStep {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let found = BUTTONS.iter().find(|(_, name, labels)| *name == text || labels.contains(&&*text));
        found.map(|(button, ..)| Self(*button)).ok_or_else(|| {
            let known: Vec<_> =
                BUTTONS.iter().map(|(_, name, labels)| format!("{name} ({})", labels.join(", "))).collect();
            de::Error::custom(format!("there is no button {text:?}; there are {}", known.join(", ")))
        })
    }
}

/// `tick: true`: the box 「マイナポータルの利用者登録を行う」
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct TickStep(pub bool);

/// `enter: right`: what is typed into the PIN field, by its role
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EnterStep {
    /// the holder's own PIN
    Right,
    /// another one of the same form
    Wrong,
    /// the holder's own, its letters in lower case
    LowerCase,
    /// one character too few
    TooShort,
    /// one too many
    TooLong,
    /// four letters
    Letters,
    /// nothing
    Nothing,
}

/// `hold: card`, `hold: taro`, `hold: {card: own, suffering: remove=before@3}`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HoldStep {
    /// whose card; `None` is the holder's own
    pub card: Option<String>,
    /// what it suffers from now on; what it suffered before is over
    pub suffering: Vec<Fault>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct HoldMap {
    #[serde(default)]
    card: Whose,
    #[serde(default)]
    suffering: Faults,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Faults(Vec<Fault>);

impl<'de> Deserialize<'de> for Faults {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OneOrMany;
        impl<'de> Visitor<'de> for OneOrMany {
            type Value = Faults;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a fault such as remove=before@3, or a list of them")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Faults, E> {
                Ok(Faults(vec![read(text).map_err(E::custom)?]))
            }

            fn visit_seq<A: de::SeqAccess<'de>>(self, mut seq: A) -> Result<Faults, A::Error> {
                let mut all = Vec::new();
                while let Some(text) = seq.next_element::<String>()? {
                    all.push(read(&text).map_err(de::Error::custom)?);
                }
                Ok(Faults(all))
            }
        }
        deserializer.deserialize_any(OneOrMany)
    }
}

/// A fault that the card in the holder's hand can suffer.
fn read(text: &str) -> Result<Fault, String> {
    let fault: Fault = text.parse().map_err(|error: MalformedFault| error.to_string())?;
    match fault.kind {
        Kind::Swap(Swap::Serial) => {
            Err(format!("{text}: in a flow the holder holds another person's card: `hold: taro`"))
        }
        _ => Ok(fault),
    }
}

/// The words for the holder's own card.
const OWN: [&str; 2] = ["card", "own"];

fn whose(card: String) -> Option<String> {
    (!OWN.contains(&card.as_str())).then_some(card)
}

impl<'de> Deserialize<'de> for HoldStep {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NameOrMap;
        impl<'de> Visitor<'de> for NameOrMap {
            type Value = HoldStep;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(
                    "`card` for the holder's own, another holder's name, or a map with card and suffering",
                )
            }

            fn visit_str<E: de::Error>(self, card: &str) -> Result<HoldStep, E> {
                Ok(HoldStep { card: whose(card.to_owned()), suffering: Vec::new() })
            }

            fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<HoldStep, A::Error> {
                let HoldMap { card, suffering } =
                    HoldMap::deserialize(de::value::MapAccessDeserializer::new(map))?;
                Ok(HoldStep { card: card.0, suffering: suffering.0 })
            }
        }
        deserializer.deserialize_any(NameOrMap)
    }
}

/// `present: {pin: right}`, `present: {pin: wrong, card: taro, suffering: remove=before@sign}`: the PIN
/// is entered, `OK` pressed, and the card held, in the order that the platform wants
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PresentStep {
    /// what is entered; `right` is that of the card's holder
    pub pin: EnterStep,
    /// which card
    #[serde(default)]
    card: Whose,
    /// what it suffers from now on
    #[serde(default)]
    suffering: Faults,
}

impl PresentStep {
    /// The card, as it is held.
    #[must_use]
    pub fn hold(&self) -> HoldStep {
        HoldStep { card: self.card.0.clone(), suffering: self.suffering.0.clone() }
    }
}

/// Whose card; `None` is the holder's own.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Whose(Option<String>);

impl<'de> Deserialize<'de> for Whose {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(whose(String::deserialize(deserializer)?)))
    }
}

/// `lift: card`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LiftStep {
    /// the card that is held
    Card,
}

/// `wait: 61s`: time passes, on the flow's own clock
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WaitStep(pub Duration);

impl<'de> Deserialize<'de> for WaitStep {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let span = super::span(&String::deserialize(deserializer)?)?;
        Duration::try_from(span).map(Self).map_err(|_| de::Error::custom("time passes forwards"))
    }
}

plain! {
    OpenStep => |step|
        format!("open the top page in the tab {}", step.tab),
        format!("タブ {} でトップページを開く", step.tab);
    PressStep => |step| format!("press {}", step.0.label()), format!("「{}」を押す", step.0.label());
    TickStep => |step|
        if step.0 { "tick the box".to_owned() } else { "untick the box".to_owned() },
        if step.0 { "利用者登録にチェックを入れる".to_owned() } else { "利用者登録のチェックを外す".to_owned() };
    HoldStep => |step| format!("hold {}", held(step, Language::En)), format!("{}をかざす", held(step, Language::Ja));
    LiftStep => |_| "lift the card".to_owned(), "カードを離す".to_owned();
    WaitStep => |step| format!("wait {:?}", step.0), format!("{:?} 待つ", step.0);
}

plain! {
    touching a PIN:
    PresentStep => |step|
        format!("present the PIN ({}) and {}", lower(&step.pin), held(&step.hold(), Language::En)),
        format!("暗証番号に{}を入力し、{}をかざす", entered(step.pin), held(&step.hold(), Language::Ja));
    EnterStep => |step|
        format!("enter a PIN ({})", lower(step)),
        format!("暗証番号に{}を入力する", entered(*step));
}

/// What is entered, in Japanese.
const fn entered(step: EnterStep) -> &'static str {
    match step {
        EnterStep::Right => "正しい値",
        EnterStep::Wrong => "誤った値",
        EnterStep::LowerCase => "英字を小文字にした値",
        EnterStep::TooShort => "短すぎる値",
        EnterStep::TooLong => "長すぎる値",
        EnterStep::Letters => "4 文字の英字",
        EnterStep::Nothing => "空の値",
    }
}

fn held(step: &HoldStep, language: Language) -> String {
    let card = match (&step.card, language) {
        (None, Language::Ja) => "カード".to_owned(),
        (None, Language::En) => "the card".to_owned(),
        (Some(card), Language::Ja) => format!("{card} のカード"),
        (Some(card), Language::En) => format!("the card of {card}"),
    };
    let suffering: Vec<_> = step.suffering.iter().map(|fault| format!(" ({fault})")).collect();
    format!("{card}{}", suffering.concat())
}
