//! The plan in words: printed before the first command leaves. It says what every scenario together
//! would do, and what of it is left when the card may be real.

use super::ownership::refusal;
use super::peer_source::PeerOptions;
use super::plan::{Cost, Plan};
use crate::language::{Bilingual, Language};
use crate::scenario::{Scenario, pin_in_words};
use std::collections::BTreeMap;
use vmyna_sim::holder::Holder;
use vmyna_sim::pin::PinName;
use vmyna_sim::profile::Tries;

/// What `planned` will do to a card whose full counters are `full`, and what of it is allowed.
pub(super) fn describe(planned: &[(&Scenario, Plan)], options: &PeerOptions, full: Tries) -> Bilingual {
    let in_language = |language| Announcement { planned, options, full, language }.text();
    Bilingual { ja: in_language(Language::Ja), en: in_language(Language::En) }
}

struct Announcement<'a> {
    planned: &'a [(&'a Scenario, Plan)],
    options: &'a PeerOptions,
    full: Tries,
    language: Language,
}

impl Announcement<'_> {
    fn text(&self) -> String {
        let mut text = self.costs();
        self.pins(&mut text, self.planned.iter().map(|(_, plan)| plan));
        if self.options.mine {
            text.push_str(self.language.say(
                "\n  --mine: カードはシミュレータ。何も差し控えない",
                "\n  --mine: the card is a simulator; nothing is held back",
            ));
            return text;
        }
        text.push_str(self.language.say(
            "\n  証明書に JPKI-VMYNA-TEST とない限り、実カードかもしれない。そのときは先に残り回数を読む。シナリオのうち",
            "\n  unless its certificate names JPKI-VMYNA-TEST, the card may be real. Then counters are read first, and of \
             these scenarios",
        ));
        self.held_back(&mut text);
        text.push_str(&self.consents());
        text
    }

    fn costs(&self) -> String {
        let count = |cost: Cost| self.planned.iter().filter(|(_, plan)| plan.cost() == cost).count();
        let [reading, refilling, changing, locking] =
            [Cost::Reading, Cost::Refilling, Cost::Changing, Cost::LockingOut].map(count);
        let all = self.planned.len();
        match self.language {
            Language::Ja => format!(
                "シナリオ {all} 件: 読むだけ {reading} 件、暗証番号を照合して回数を戻す {refilling} 件、\
                 暗証番号を変更して元に戻す {changing} 件、回数が減ったままか閉塞する {locking} 件"
            ),
            Language::En => format!(
                "{}: {reading} only read, {refilling} present PINs and refill the counters, {changing} \
                 change a PIN and change it back, {locking} leave tries spent or a PIN blocked",
                scenarios(all)
            ),
        }
    }

    fn held_back(&self, text: &mut String) {
        let allowed = || {
            let plans = self.planned.iter().map(|(_, plan)| plan);
            plans.filter(|plan| refusal(plan, self.options).is_none())
        };
        let held_back = self.planned.len() - allowed().count();
        if held_back == 0 {
            text.push_str(self.language.say("、差し控えるものはない", " none is held back"));
            return;
        }
        text.push_str(&match self.language {
            Language::Ja => format!(" {held_back} 件を差し控え、残りは次のとおり"),
            Language::En => format!(" {held_back} are held back, which leaves:"),
        });
        let before = text.len();
        self.pins(text, allowed());
        if text.len() == before {
            text.push_str(
                self.language
                    .say("\n  暗証番号の照合も変更もしない", "\n  no PIN is presented, and none is changed"),
            );
        }
    }

    fn consents(&self) -> String {
        let consent = |given: bool, flag: &str| match (self.language, given) {
            (Language::Ja, true) => "許可".to_owned(),
            (Language::Ja, false) => format!("{flag} がなければ行わない"),
            (Language::En, true) => "allowed".to_owned(),
            (Language::En, false) => format!("not without {flag}"),
        };
        let wrong = consent(self.options.consent.spend_tries, "--spend-tries");
        let change = consent(self.options.consent.change_pins, "--change-pins");
        let right = match &self.options.holder {
            Some(holder) => self.told_by(holder),
            None => self
                .language
                .say("--holder か --ask-pins がなければ照合しない", "not without --holder or --ask-pins")
                .to_owned(),
        };
        match self.language {
            Language::Ja => {
                format!("\n  誤った暗証番号: {wrong}、暗証番号の変更: {change}、正しい暗証番号: {right}")
            }
            Language::En => format!("\n  wrong PINs: {wrong}; PIN changes: {change}; right PINs: {right}"),
        }
    }

    fn pin(&self, pin: PinName) -> String {
        match self.language {
            Language::Ja => pin_in_words(pin, Language::Ja).to_owned(),
            Language::En => pin.to_string(),
        }
    }

    /// The PINs that the user has written down; no other is presented to a card that may be real.
    fn told_by(&self, holder: &Holder) -> String {
        let told = PinName::ALL.into_iter().filter(|pin| holder.states(*pin)).map(|pin| self.pin(pin));
        match &told.collect::<Vec<_>>()[..] {
            [] => self.language.say("ファイルに書かれていない", "the holder's file tells none").to_owned(),
            told => match self.language {
                Language::Ja => told.join("、"),
                Language::En => format!("of {}", told.join(", ")),
            },
        }
    }

    /// A line for each PIN that `plans` touch.
    fn pins<'a>(&self, text: &mut String, plans: impl Iterator<Item = &'a Plan>) {
        let mut sums: BTreeMap<PinName, Sum> = BTreeMap::new();
        for (pin, usage) in plans.flat_map(|plan| &plan.pins) {
            let sum = sums.entry(*pin).or_default();
            sum.right += usage.right;
            sum.wrong += usage.wrong;
            sum.changes += usize::from(usage.changed);
            sum.blocking += usize::from(usage.blocked);
            sum.spent = sum.spent.max(usage.spent_at_end);
        }
        for (pin, sum) in sums {
            if sum.right + sum.wrong > 0 || sum.changes > 0 {
                text.push_str(&self.line(pin, &sum));
            }
        }
    }

    fn line(&self, pin: PinName, sum: &Sum) -> String {
        let (name, full) = (self.pin(pin), self.full.of(pin));
        let Sum { right, wrong, changes, blocking, spent } = sum;
        let times = |count: u32| if count == 1 { "once".to_owned() } else { format!("{count} times") };
        let japanese = self.language == Language::Ja;
        let mut line = match (self.language, wrong) {
            (Language::Ja, 0) => format!("\n  {name}: 正しい値を {right} 回、誤った値はなし"),
            (Language::Ja, _) => format!("\n  {name}: 正しい値を {right} 回、誤った値を {wrong} 回"),
            (Language::En, 0) => format!("\n  {name}: the right value {}, no wrong one", times(*right)),
            (Language::En, _) => {
                format!("\n  {name}: the right value {}, wrong ones {}", times(*right), times(*wrong))
            }
        };
        if *changes > 0 {
            line.push_str(&match self.language {
                Language::Ja => format!("、{changes} 件で変更して元に戻す"),
                Language::En => format!("; changed and changed back in {}", scenarios(*changes)),
            });
        }
        line.push_str(&match (blocking, spent) {
            (0, 0) => String::new(),
            (0, spent) if japanese => format!("、{full} 回のうち {spent} 回が減ったままになる"),
            (0, spent) => format!("; {spent} of {full} tries stay spent"),
            (blocking, _) if japanese => format!("、{blocking} 件で閉塞する"),
            (blocking, _) => format!("; blocked in {}", scenarios(*blocking)),
        });
        line
    }
}

fn scenarios(count: usize) -> String {
    format!("{count} {}", if count == 1 { "scenario" } else { "scenarios" })
}

/// What all scenarios together do with one PIN.
#[derive(Default)]
struct Sum {
    right: u32,
    wrong: u32,
    changes: usize,
    blocking: usize,
    spent: u8,
}
