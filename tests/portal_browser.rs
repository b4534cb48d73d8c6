//! The portal's pages in a real browser: headless Chromium, driven through chromedriver. Where they
//! are missing the tests are skipped, unless `VMYNA_REQUIRE_BROWSER` says that they must not be.
//! Screenshots are kept in `target/portal-screenshots` to be looked at.

#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

#[path = "flow_support/chromium.rs"]
mod chromium;
#[path = "portal_support/mod.rs"]
mod portal;
mod process;

use chromium::has_browser;
use fantoccini::actions::{InputSource, KeyAction, KeyActions};
use fantoccini::key::Key;
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use portal::RunningPortal;
use process::{PATIENCE, Running};
use std::future::Future;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

/// The browser's window, as tall as a page needs.
const PHONE: (u32, u32) = (320, 1600);
const DESKTOP: (u32, u32) = (1280, 900);

struct Visit {
    client: Client,
    portal: RunningPortal,
    _driver: Running,
}

/// Browsers at the same time only make each other slow.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// Runs a visit in a browser of its own, at a portal of its own.
fn visit<F: Future<Output = Visit>>(arguments: &[&str], dark: bool, play: impl FnOnce(Visit) -> F) {
    if !has_browser() {
        return;
    }
    let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let portal = RunningPortal::start(arguments);
    let (driver, url) = chromium::driver();
    let mut options = vec![
        "--headless=new",
        "--no-sandbox",
        "--disable-dev-shm-usage",
        "--force-prefers-reduced-motion",
        "--hide-scrollbars",
    ];
    if dark {
        options.push("--force-dark-mode");
        options.push("--blink-settings=preferredColorScheme=0");
    }
    let capabilities = serde_json::json!({
        "goog:chromeOptions": { "args": options, "binary": "/usr/bin/chromium" }
    });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut builder = ClientBuilder::new(HttpConnector::new());
        builder.capabilities(capabilities.as_object().unwrap().clone());
        let client = builder.connect(&url).await.expect("a browser");
        let visit = play(Visit { client, portal, _driver: driver }).await;
        visit.client.close().await.expect("the browser closes");
    });
}

impl Visit {
    async fn wait(&self, css: &str) -> fantoccini::elements::Element {
        let found = self.client.wait().at_most(PATIENCE).for_element(Locator::Css(css)).await;
        match found {
            Ok(element) => element,
            Err(error) => {
                let source = self.client.source().await.unwrap_or_default();
                panic!("no {css}: {error}\n{source}")
            }
        }
    }

    async fn click(&self, css: &str) {
        self.wait(css).await.click().await.unwrap_or_else(|error| panic!("{css}: {error}"));
    }

    async fn press(&self, button: &str) {
        self.click(&format!(r#"button[value="{button}"]"#)).await;
    }

    async fn text(&self, css: &str) -> String {
        self.wait(css).await.text().await.unwrap()
    }

    /// From the top page to the terminal's.
    async fn ask(&self, purpose: &str, tick: bool) {
        self.client.goto(&format!("{}/", self.portal.origin)).await.unwrap();
        self.click(&format!(r#"form:has(input[value="{purpose}"]) button"#)).await;
        if purpose == "application" {
            self.wait(r#"[data-state="A1"]"#).await;
            if tick {
                self.click(r#"input[name="register_user"]"#).await;
            }
            self.press("agree").await;
            self.press("apply").await;
        } else {
            self.press("authenticate").await;
        }
        self.wait("#screen:not([data-stage=none])").await;
    }

    async fn choose(&self, platform: &str) {
        self.click(&format!(r#"label:has(input[value="{platform}"])"#)).await;
    }

    async fn enter(&self, form: &str, pin: &str) {
        self.wait(&format!("#{form}:not([hidden])")).await;
        self.wait(&format!(r#"#{form} input[name="pin"]"#)).await.send_keys(pin).await.unwrap();
        self.click(&format!(r#"#{form} button.primary"#)).await;
    }

    async fn stage(&self, stage: &str) {
        self.wait(&format!(r#"#screen[data-stage="{stage}"]"#)).await;
    }

    /// A key on the keyboard, wherever the focus is.
    async fn key(&self, key: char) {
        let keys = KeyActions::new("keyboard".to_owned());
        let keys = keys.then(KeyAction::Down { value: key }).then(KeyAction::Up { value: key });
        self.client.perform_actions(keys).await.unwrap();
    }

    async fn keys(&self, text: &str) {
        for key in text.chars() {
            self.key(key).await;
        }
    }

    /// Tabs on until the focus is on what is called `name`; there must be a mark that shows it.
    async fn tab_to(&self, name: &str) {
        const FOCUSED: &str = "const at = document.activeElement; \
            if (at === document.body) return ['', false]; \
            const label = at.labels?.[0]?.innerText || at.getAttribute('aria-label') || at.innerText || ''; \
            const style = getComputedStyle(at); \
            return [label.trim(), style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2]";
        let mut passed = Vec::new();
        for _ in 0..40 {
            self.key(Key::Tab.into()).await;
            let focused = self.client.execute(FOCUSED, Vec::new()).await.unwrap();
            let label = focused[0].as_str().unwrap().to_owned();
            if label.contains(name) {
                assert_eq!(focused[1], true, "nothing shows that {name} has the focus");
                return;
            }
            passed.push(label);
        }
        panic!("Tab never comes to {name}, but to {passed:?}");
    }

    async fn rows(&self) -> usize {
        self.client.find_all(Locator::Css("dl.rows dt")).await.unwrap().len()
    }

    async fn screenshot(&self, name: &str, (width, height): (u32, u32)) {
        self.client.set_window_size(width, height).await.unwrap();
        let wide =
            self.client.execute("return document.documentElement.scrollWidth > innerWidth", Vec::new());
        assert_eq!(wide.await.unwrap(), false, "{name}: the page is wider than {width} pixels");
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).parent().unwrap().join("portal-screenshots");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join(format!("{name}.png")), self.client.screenshot().await.unwrap()).unwrap();
    }

    async fn screenshots(&self, name: &str) {
        self.screenshot(&format!("{name}-phone"), PHONE).await;
        self.screenshot(&format!("{name}-desktop"), DESKTOP).await;
    }
}

#[test]
fn a_whole_application_with_the_box_ticked_on_an_iphone_and_the_inquiry_on_android() {
    visit(&["--pace", "0"], false, |visit| async move {
        visit.client.goto(&format!("{}/", visit.portal.origin)).await.unwrap();
        visit.screenshots("1-top").await;
        visit.ask("application", true).await;
        visit.screenshots("3-pin").await;
        visit.enter("pin-page", "1234").await;
        visit.stage("touch").await;
        visit.screenshots("4-touch").await;
        visit.click("#hold").await;
        visit.wait(r#"[data-state="A5"]"#).await;
        assert_eq!(visit.text("h1").await, "申し込みを受け付けました");
        assert_eq!(visit.rows().await, 3);
        visit.screenshots("5-done").await;
        visit.press("finish").await;
        visit.click("a[lang=en]").await;
        // the card still lies on the phone, as it did
        visit.ask("inquiry", false).await;
        visit.choose("android").await;
        visit.stage("dialog").await;
        assert_eq!(visit.text("#tries").await, "Tries left: 3");
        visit.screenshots("6-dialog-en").await;
        visit.enter("pin-dialog", "1234").await;
        visit.wait(r#"[data-state="B3"]"#).await;
        assert_eq!(visit.rows().await, 3);
        visit.screenshots("7-status-en").await;
        visit
            .client
            .goto(&format!("{}/operator?token={}", visit.portal.origin, visit.portal.operator_token))
            .await
            .unwrap();
        visit.screenshots("8-operator-en").await;
        visit
    });
}

#[test]
fn without_the_box_there_are_two_rows_in_the_dark_too() {
    visit(&["--pace", "0"], true, |visit| async move {
        visit.client.goto(&format!("{}/", visit.portal.origin)).await.unwrap();
        visit.click("form:has(input[value=application]) button").await;
        visit.wait(r#"[data-state="A1"]"#).await;
        visit.screenshots("2-confirm-dark").await;
        visit.ask("application", false).await;
        visit.choose("pc").await;
        visit.stage("touch").await;
        visit.click("#hold").await;
        visit.stage("dialog").await;
        visit.screenshots("6-dialog-dark").await;
        visit.enter("pin-dialog", "1234").await;
        visit.wait(r#"[data-state="A5"]"#).await;
        assert_eq!(visit.rows().await, 2);
        visit.screenshots("5-done-dark").await;
        visit
    });
}

#[test]
fn wrong_pins_lead_to_the_block_and_the_portal_says_where_to_unblock() {
    visit(&["--pace", "0"], false, |visit| async move {
        visit.ask("application", true).await;
        visit.click("#hold").await;
        visit.wait("#card[data-held=true]").await;
        for told in ["あと2回", "あと1回", "ロックされています"] {
            visit.enter("pin-page", "0000").await;
            visit.stage("failed").await;
            assert!(visit.text("#failed-title").await.contains(told), "{told}");
            if told != "ロックされています" {
                visit.click("[data-do=again]").await;
            }
        }
        visit.screenshots("9-blocked").await;
        visit.click("[data-do=give-up]").await;
        visit.wait(r#"[data-outcome="pin_blocked"]"#).await;
        assert!(visit.text(".failure .lead").await.contains("市区町村の窓口"));
        visit.screenshots("9-blocked-portal").await;
        assert_eq!(visit.portal.applications(), 0);
        visit
    });
}

#[test]
fn a_card_that_is_lifted_in_the_middle_can_be_held_again() {
    // slower than the test looks: only lifting ends the conversation
    visit(&["--pace", "2000"], false, |visit| async move {
        visit.ask("application", true).await;
        visit.enter("pin-page", "1234").await;
        visit.stage("touch").await;
        visit.click("#hold").await;
        visit.wait(".exchange:nth-of-type(2)").await;
        visit.stage("reading").await;
        visit.screenshots("a-reading").await;
        visit.click("#lift").await;
        visit.stage("failed").await;
        assert!(visit.text("#failed-title").await.contains("途切れました"));
        assert_eq!(visit.portal.applications(), 0);
        visit.click("[data-do=again]").await;
        visit.click("#hold").await;
        visit.wait("#card[data-held=true]").await;
        visit.enter("pin-page", "1234").await;
        visit.wait(r#"[data-state="A5"]"#).await;
        assert_eq!((visit.rows().await, visit.portal.applications()), (3, 1));
        visit
    });
}

#[test]
fn another_holders_card_is_noticed_before_it_gets_the_pin() {
    visit(&["--pace", "0"], false, |visit| async move {
        visit.ask("application", false).await;
        visit.choose("android").await;
        visit.stage("touch").await;
        visit.click("#hold").await;
        visit.stage("dialog").await;
        visit.click(r#"#holders option[value="taro"]"#).await;
        visit.wait("#card[data-held=false]").await;
        assert!(visit.text("#tries").await.contains("当て直して"));
        visit.click("#hold").await;
        visit.stage("failed").await;
        visit.wait(r#"#screen[data-failure="other_card"]"#).await;
        visit.screenshots("b-other-card").await;
        visit.click("[data-do=give-up]").await;
        visit.wait(r#"[data-outcome="other_card"]"#).await;
        assert_eq!(visit.portal.applications(), 0);
        visit
    });
}

#[test]
fn the_keyboard_is_enough() {
    visit(&["--pace", "0"], false, |visit| async move {
        let enter: char = Key::Enter.into();
        visit.client.goto(&format!("{}/", visit.portal.origin)).await.unwrap();
        visit.tab_to("利用を申し込む").await;
        visit.key(enter).await;
        visit.wait(r#"[data-state="A1"]"#).await;
        visit.tab_to("マイナポータルの利用者登録を行う").await;
        visit.key(' ').await;
        visit.tab_to("同意して次へ進む").await;
        visit.key(enter).await;
        visit.wait(r#"[data-state="A2"]"#).await;
        visit.tab_to("申し込む").await;
        visit.key(enter).await;
        visit.stage("pin").await;
        // the field has the focus already
        visit.keys("1234").await;
        visit.key(enter).await;
        visit.stage("touch").await;
        visit.tab_to("カードをかざす").await;
        visit.key(enter).await;
        visit.wait(r#"[data-state="A5"]"#).await;
        assert_eq!(visit.rows().await, 3);
        visit.tab_to("終了").await;
        visit.key(enter).await;
        visit.wait(r#"[data-state="A0"]"#).await;

        visit.tab_to("申込状況を確認").await;
        visit.key(enter).await;
        visit.wait(r#"[data-state="B1"]"#).await;
        visit.tab_to("認証する").await;
        visit.key(enter).await;
        visit.stage("pin").await;
        visit.wait("#card[data-held=true]").await;
        visit.tab_to("カードを離す").await;
        visit.key(enter).await;
        visit.wait("#card[data-held=false]").await;
        visit.tab_to("iPhone").await;
        visit.key(Key::Right.into()).await;
        visit.stage("touch").await;
        visit.tab_to("カードをかざす").await;
        visit.key(enter).await;
        visit.stage("dialog").await;
        visit.keys("0000").await;
        visit.key(enter).await;
        visit.stage("failed").await;
        // so has the way on
        visit.key(enter).await;
        visit.stage("dialog").await;
        visit.keys("1234").await;
        visit.tab_to("パスワードを表示する").await;
        visit.key(' ').await;
        visit.wait("#pin-b[type=text]").await;
        visit.tab_to("OK").await;
        visit.key(enter).await;
        visit.wait(r#"[data-state="B3"]"#).await;
        assert_eq!(visit.rows().await, 3);
        visit
    });
}
