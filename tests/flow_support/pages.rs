//! A flow on the pages, in a real browser: buttons are pressed, the box is ticked and the PIN entered
//! where they stand, the card is held to the phone that is shown and lifted from it, and what is seen
//! is what the page shows. What a page cannot do, a reader that is switched off or an hour that
//! passes, is done to the world around it.

use crate::chromium::{Chromium, Clicked};
use crate::flow_support::served::Served;
use base64ct::{Base64, Encoding};
use fantoccini::wd::WindowHandle;
use serde::Deserialize;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::Duration;
use vmyna::flow::{Absent, DirectHand, Held, InProcess, MADE_UP, Seen, Stage, Trouble, World, forged, typed};
use vmyna::language::Bilingual;
use vmyna::portal::Answer;
use vmyna::portal::phone::Reader;
use vmyna::scenario::{
    Delivery, EnterStep, HoldStep, OperatorStep, Pressable, RowName, ScreenName, TerminalStep,
};
use vmyna::terminal::Credential;
use vmyna_sim::fault::Fault;
use vmyna_sim::pin::PinName;

/// What is on the page, once nothing is under way.
const LOOK: &str = r#"
if (document.readyState !== "complete" || document.documentElement.dataset.left) return null;
const text = (node) => node ? node.innerText.trim() : "";
const page = document.querySelector("[data-state]:not(.desk)");
if (page) return {
  terminal: false, screen: page.dataset.state, outcome: page.dataset.outcome || null,
  text: text(document.querySelector("main")), title: text(page.querySelector("h1")),
  rows: [...page.querySelectorAll("dl.rows > .row")].map((row) => [text(row.querySelector("dt")), text(row.querySelector("dd"))]),
  buttons: [...page.querySelectorAll("button, [data-button]")].map((button) =>
    button.dataset.button || (button.name === "go" ? "start_" + button.form.elements.purpose.value : button.value)),
  ticked: page.querySelector("[name=register_user]")?.checked ?? null,
};
const screen = document.getElementById("screen");
if (!screen || Number(screen.dataset.waiting || 0) > 0) return null;
const { stage, moments } = screen.dataset;
if (["none", "reading", "done"].includes(stage)) return null;
if (!document.getElementById("holder-name").textContent) return null;
const shown = screen.querySelector(`[data-of="${stage}"]`);
const places = [...shown.querySelectorAll("input[placeholder]")].map((field) => field.placeholder);
return {
  terminal: true, screen: stage, outcome: screen.dataset.failure || null,
  text: [text(shown), ...places].join("\n"), title: text(shown.querySelector("h1")), rows: [],
  buttons: ["button.primary", "[data-do=cancel]"].filter((css) => shown.querySelector(css)).map((css) => css[0] === "b" ? "ok" : "cancel"),
  ticked: null, platform: document.querySelector(".phone").dataset.platform,
  held: document.getElementById("card").dataset.held === "true", holder: document.getElementById("holders").value,
  key: document.querySelector(".desk").dataset.key, challenge: document.querySelector(".desk").dataset.state, nonce: document.querySelector(".desk").dataset.nonce,
  moments: Number(moments || 0),
};"#;

/// The page as it was looked at.
#[derive(Debug, Clone, Deserialize)]
struct Look {
    terminal: bool,
    screen: String,
    outcome: Option<String>,
    text: String,
    title: String,
    rows: Vec<(String, String)>,
    buttons: Vec<String>,
    ticked: Option<bool>,
    #[serde(default)]
    platform: String,
    #[serde(default)]
    held: bool,
    #[serde(default)]
    holder: String,
    #[serde(default)]
    key: Credential,
    #[serde(default)]
    challenge: String,
    #[serde(default)]
    nonce: String,
    #[serde(default)]
    moments: u64,
}

impl Look {
    fn screen(&self) -> Result<ScreenName, Trouble> {
        Ok(match &*self.screen {
            "A0" => ScreenName::Top,
            "A1" => ScreenName::Confirm,
            "A2" => ScreenName::Apply,
            "B1" => ScreenName::Authenticate,
            "S1" => ScreenName::Sign,
            "A3" | "B2" | "S2" => ScreenName::Card,
            "S3" => ScreenName::Registered,
            "A5" => ScreenName::Done,
            "B3" => ScreenName::Status,
            "F" => ScreenName::Failed,
            "pin" | "dialog" => ScreenName::Pin,
            "touch" => ScreenName::Touch,
            other => return Err(broken(format!("there is no screen {other}"))),
        })
    }

    fn is_before_card(&self) -> bool {
        self.terminal && ["pin", "dialog", "touch"].contains(&&*self.screen)
    }
}

fn broken(error: impl std::fmt::Display) -> Trouble {
    Trouble::broken(error)
}

/// A flow on the pages.
pub struct Pages<'w> {
    world: &'w World,
    served: Served,
    chromium: &'w Chromium,
    tabs: BTreeMap<String, WindowHandle>,
    /// what is on the page, as long as nothing was done since it was looked at
    seen: RefCell<Option<Look>>,
}

impl<'w> Pages<'w> {
    pub fn of(world: &'w World, chromium: &'w Chromium) -> Self {
        Self { world, served: Served::of(world), chromium, tabs: BTreeMap::new(), seen: RefCell::default() }
    }

    /// What was sent to the portal so far must have been its own fields, and no PIN.
    pub fn has_kept_the_pin(&self) -> Result<(), String> {
        const FIELDS: [&str; 11] = [
            "state",
            "certificate",
            "signature",
            "failure",
            "form_token",
            "purpose",
            "has_box",
            "register_user",
            "button",
            "go",
            "action",
        ];
        let own = self.world.wallet().card(None).map_err(|error| error.to_string())?;
        let holder = own.personalised().holder();
        let pins: Vec<_> = [Credential::UserAuthentication, Credential::DigitalSignature]
            .into_iter()
            .flat_map(|key| {
                [EnterStep::Right, EnterStep::Wrong, EnterStep::LowerCase].map(|pin| typed(holder, key, pin))
            })
            .collect();
        for (place, fields) in self.served.sent.all() {
            let is_known = |name: &String| FIELDS.contains(&&**name);
            if place.contains("pin=")
                || !fields.keys().all(is_known)
                || fields.values().any(|value| pins.iter().any(|pin| **pin == *value))
            {
                return Err(format!("{place} was sent {:?}", fields.keys()));
            }
        }
        Ok(())
    }

    fn is_open(&self) -> Result<(), Trouble> {
        if self.tabs.is_empty() { Err(Trouble::NotThere(Absent::Tab)) } else { Ok(()) }
    }

    fn look(&self) -> Result<Look, Trouble> {
        self.is_open()?;
        let found = self.chromium.wait_for(LOOK).map_err(broken)?;
        let look: Look = serde_json::from_value(found).map_err(broken)?;
        *self.seen.borrow_mut() = Some(look.clone());
        Ok(look)
    }

    fn as_seen(&self) -> Result<Look, Trouble> {
        let seen = self.seen.borrow().clone();
        seen.map_or_else(|| self.look(), Ok)
    }

    /// Waits until nothing is under way. The phone is the scenario's from its first screen on; a
    /// failure that it shows is taken back to the portal, which must say the same.
    fn settle(&self) -> Result<Look, Trouble> {
        let mut look = self.look()?;
        if look.is_before_card() && look.platform != self.world.platform().name() {
            let platform = self.world.platform().name();
            self.click(&format!(r#"label:has(input[value="{platform}"])"#))?;
            look = self.look()?;
        }
        if look.terminal && look.screen == "failed" {
            let told = (look.title, look.outcome);
            self.click("[data-do=give-up]")?;
            look = self.look()?;
            let session_is_gone = look.outcome.as_deref() == Some("session_lost");
            if !session_is_gone && told != (look.title.clone(), look.outcome.clone()) {
                return Err(broken(format!("the terminal says {told:?}, the portal {:?}", look.title)));
            }
        }
        if !look.terminal {
            // the phone is put away, and the card with it
            self.served.table.lift();
        }
        Ok(look)
    }

    fn click(&self, css: &str) -> Result<(), Trouble> {
        self.click_and(css, false)
    }

    /// Clicks; when that `leaves` the page, it does not count any more.
    fn click_and(&self, css: &str, leaves: bool) -> Result<(), Trouble> {
        *self.seen.borrow_mut() = None;
        match self.chromium.click(css, leaves).map_err(|error| broken(format!("{css}: {error}")))? {
            Clicked::Done => Ok(()),
            Clicked::Missing => Err(Trouble::NotThere(Absent::Element(css.to_owned()))),
            Clicked::Covered => Err(broken(format!("{css} cannot be clicked on"))),
        }
    }

    /// From here on this page does not count any more.
    fn leave(&self) -> Result<(), Trouble> {
        *self.seen.borrow_mut() = None;
        let mark = "document.documentElement.dataset.left = 1";
        self.chromium.execute(mark, Vec::new()).map(drop).map_err(broken)
    }

    fn press_of_portal(&self, look: &Look, button: Pressable) -> Result<(), Trouble> {
        let name = button.name();
        if look.terminal || !look.buttons.iter().any(|button| button == name) {
            return Err(Trouble::NotThere(Absent::Button { button, screen: look.screen()? }));
        }
        match name.strip_prefix("start_") {
            Some(purpose) => self.click_and(&format!(r#"form:has(input[value="{purpose}"]) button"#), true),
            None => self.click_and(&format!(r#"button[value="{name}"], [data-button="{name}"]"#), true),
        }
    }

    /// Posts a callback from the page in front.
    fn post(&self, fields: &BTreeMap<String, String>) -> Result<(), Trouble> {
        self.leave()?;
        let script = r#"
            const form = document.createElement("form");
            [form.method, form.action] = ["post", arguments[0] + "/callback"];
            for (const [name, value] of Object.entries(arguments[1])) {
              const input = document.createElement("input");
              [input.type, input.name, input.value] = ["hidden", name, value];
              form.append(input);
            }
            document.body.append(form);
            form.submit();"#;
        let fields = serde_json::to_value(fields).map_err(broken)?;
        self.chromium
            .execute(script, vec![self.served.origin.clone().into(), fields])
            .map(drop)
            .map_err(broken)
    }

    fn last(&self) -> Result<BTreeMap<String, String>, Trouble> {
        let none = || Trouble::NotThere(Absent::FormerAnswer);
        self.served.sent.last_callback().ok_or_else(none)
    }

    fn open_challenge(&self) -> Result<(String, [u8; 32]), Trouble> {
        let none = || Trouble::NotThere(Absent::Challenge);
        let look = self.look()?;
        let mut nonce = [0; 32];
        for (at, byte) in nonce.iter_mut().enumerate() {
            let digits = look.nonce.get(2 * at..2 * at + 2).ok_or_else(none)?;
            *byte = u8::from_str_radix(digits, 16).map_err(broken)?;
        }
        Ok((look.challenge, nonce))
    }

    fn await_held(&self, held: bool) -> Result<(), Trouble> {
        let script = format!(r#"return document.getElementById("card").dataset.held === "{held}" || null"#);
        self.chromium.wait_for(&script).map(drop).map_err(broken)
    }
}

impl Stage for Pages<'_> {
    fn open(&mut self, name: &str) -> Result<(), Trouble> {
        let window = match self.tabs.get(name) {
            Some(window) => {
                self.chromium.switch_to(window.clone()).map_err(broken)?;
                window.clone()
            }
            None if self.tabs.is_empty() => self.chromium.window().map_err(broken)?,
            None => self.chromium.new_window().map_err(broken)?,
        };
        self.tabs.insert(name.to_owned(), window);
        self.leave()?;
        self.chromium.goto(&format!("{}/", self.served.origin)).map_err(broken)?;
        self.settle().map(drop)
    }

    fn show(&mut self, name: &str) -> Result<(), Trouble> {
        let none = || Trouble::NotThere(Absent::TabNamed(name.to_owned()));
        let window = self.tabs.get(name).ok_or_else(none)?.clone();
        *self.seen.borrow_mut() = None;
        self.chromium.switch_to(window).map_err(broken)
    }

    fn forget_session(&mut self) -> Result<(), Trouble> {
        self.chromium.forget_cookies().map_err(broken)
    }

    fn press(&mut self, button: Pressable) -> Result<(), Trouble> {
        let look = self.as_seen()?;
        match button {
            Pressable::Confirm | Pressable::Cancel => {
                if !look.is_before_card() || !look.buttons.iter().any(|found| found == button.name()) {
                    return Err(Trouble::NotThere(Absent::Button { button, screen: look.screen()? }));
                }
                let css = if button == Pressable::Confirm { "button.primary" } else { "[data-do=cancel]" };
                self.click(&format!(r#"[data-of="{}"] {css}"#, look.screen))?;
            }
            _ => self.press_of_portal(&look, button)?,
        }
        self.settle().map(drop)
    }

    fn tick(&mut self, ticked: bool) -> Result<(), Trouble> {
        let look = self.as_seen()?;
        match look.ticked {
            None => Err(Trouble::NotThere(Absent::Tick(look.screen()?))),
            Some(is_ticked) if is_ticked == ticked => Ok(()),
            Some(_) => self.click("[name=register_user]"),
        }
    }

    fn enter(&mut self, pin: EnterStep, whose: Option<&str>) -> Result<(), Trouble> {
        let look = self.as_seen()?;
        if look.screen()? != ScreenName::Pin {
            return Err(Trouble::NotThere(Absent::PinField(look.screen()?)));
        }
        let card = self.world.wallet().card(whose).map_err(Trouble::no_such_card)?;
        let text = typed(card.personalised().holder(), look.key, pin);
        let field = format!(r#"[data-of="{}"] input[name=pin]"#, look.screen);
        self.chromium.enter(&field, &text).map_err(broken)
    }

    fn hold(&mut self, hold: &HoldStep) -> Result<(), Trouble> {
        let look = self.look()?;
        if !look.is_before_card() {
            return Err(Trouble::NotThere(Absent::Terminal(look.screen()?)));
        }
        let name = hold.card.as_deref().unwrap_or(self.world.holder());
        let card = self.world.wallet().card(Some(name)).map_err(Trouble::no_such_card)?;
        card.suffer(&hold.suffering).map_err(Trouble::no_such_card)?;
        if look.held {
            self.lift()?;
        }
        if look.holder != name {
            self.chromium.choose("#holders", name).map_err(broken)?;
            let swapped = format!(r#"return document.getElementById("holders").value === "{name}" || null"#);
            self.chromium.wait_for(&swapped).map_err(broken)?;
        }
        self.click("#hold")?;
        self.settle().map(drop)
    }

    fn lift(&mut self) -> Result<(), Trouble> {
        self.await_held(true)?;
        self.click("#lift")?;
        self.await_held(false)
    }

    fn wait(&mut self, time: Duration) -> Result<(), Trouble> {
        let look = self.look()?;
        self.world.clock().pass(time);
        self.served.table.time_passes();
        if look.terminal {
            let seen = format!(
                r#"const screen = document.getElementById("screen");
                   return !screen || Number(screen.dataset.moments || 0) > {} || null"#,
                look.moments
            );
            self.chromium.wait_for(&seen).map_err(broken)?;
        }
        self.settle().map(drop)
    }

    fn terminal(&mut self, step: TerminalStep) -> Result<(), Trouble> {
        let mut circumstances = self.served.circumstances.lock().map_err(broken)?;
        match step {
            TerminalStep::NoReader => circumstances.reader = Reader::Missing,
            TerminalStep::ReaderBusy => circumstances.reader = Reader::Busy,
            TerminalStep::ReaderReady => circumstances.reader = Reader::Ready,
            TerminalStep::Careful => circumstances.careful = true,
        }
        Ok(())
    }

    fn deliver(&mut self, delivery: Delivery) -> Result<(), Trouble> {
        match delivery {
            Delivery::Again => self.post(&self.last()?)?,
            Delivery::Elsewhere => {
                self.forget_session()?;
                self.post(&self.last()?)?;
            }
            Delivery::Altered => {
                let mut fields = self.last()?;
                if let Some(signature) = fields.get_mut("signature") {
                    let mut bytes = Base64::decode_vec(signature).map_err(broken)?;
                    bytes.reverse();
                    *signature = Base64::encode_string(&bytes);
                }
                self.post(&fields)?;
            }
            Delivery::MadeUp => {
                let mut fields = self.last()?;
                fields.insert("state".to_owned(), MADE_UP.to_owned());
                self.post(&fields)?;
            }
            Delivery::Replayed => {
                let (challenge, _) = self.open_challenge()?;
                let mut fields = self.last()?;
                fields.insert("state".to_owned(), challenge);
                self.post(&fields)?;
            }
            Delivery::OthersCertificate
            | Delivery::SignatureCertificate
            | Delivery::ReplacedCertificate
            | Delivery::FormerSignatureCertificate
            | Delivery::BrokenCertificate => {
                let (challenge, nonce) = self.open_challenge()?;
                let Answer::Signed { certificate, signature } = forged(self.world, delivery, &nonce)? else {
                    return Err(broken("nothing was signed"));
                };
                let encoded = |bytes: &[u8]| Base64::encode_string(bytes);
                let fields = [
                    ("state", challenge),
                    ("certificate", encoded(&certificate)),
                    ("signature", encoded(&signature)),
                ];
                self.post(&fields.map(|(name, value)| (name.to_owned(), value)).into())?;
            }
        }
        self.settle().map(drop)
    }

    fn operate(&mut self, step: OperatorStep) -> Result<(), Trouble> {
        match step {
            OperatorStep::CompleteRegistration => self.served.operate("complete_all"),
            OperatorStep::BecomeBusy => self.served.operate("busy"),
            OperatorStep::BecomeReady => self.served.operate("open"),
            // the authority is nobody's page
            _ => InProcess::new(self.world, Box::new(DirectHand)).operate(step)?,
        }
        Ok(())
    }

    fn seen(&mut self) -> Result<Seen, Trouble> {
        let look = self.as_seen()?;
        let row = |(label, value): &(String, String)| match &**label {
            "申込状況" => Ok(RowName::Accepted),
            "健康保険証としての登録状況" if value.contains("登録完了") && !value.contains("準備中") => {
                Ok(RowName::Registered)
            }
            "健康保険証としての登録状況" => Ok(RowName::Preparing),
            "マイナポータルの利用者登録" => Ok(RowName::UserRegistration),
            other => Err(broken(format!("there is no row {other}"))),
        };
        let button = |name: &String| {
            Pressable::ALL.into_iter().find(|button| button.name() == name).ok_or_else(|| broken(name))
        };
        Ok(Seen {
            screen: look.screen()?,
            rows: look.rows.iter().map(row).collect::<Result<_, _>>()?,
            outcome: look.outcome.clone(),
            buttons: look.buttons.iter().map(button).collect::<Result<_, _>>()?,
            text: look.text,
        })
    }

    fn applications(&mut self) -> Result<Vec<Held>, Trouble> {
        InProcess::new(self.world, Box::new(DirectHand)).applications()
    }

    fn tries_left(&mut self, of: PinName) -> Result<u8, Trouble> {
        let own = self.world.wallet().card(None).map_err(broken)?;
        Ok(own.tries_left(of))
    }

    fn miscounted(&mut self) -> Option<Bilingual> {
        self.world.wallet().miscounted()
    }

    fn never_struck(&mut self) -> Vec<Fault> {
        self.world.wallet().never_struck()
    }
}
