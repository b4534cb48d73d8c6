//! Headless Chromium, driven through chromedriver. One process serves many flows, one after the other.

#![allow(dead_code, reason = "each test uses its part")]

use crate::process::{PATIENCE, Running};
use fantoccini::error::CmdError;
use fantoccini::wd::WindowHandle;
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde::Deserialize;
use serde_json::Value;
use std::process::{Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;
use tokio::runtime::{Builder, Runtime};

/// Whether there is a browser, or there has to be one.
pub fn has_browser() -> bool {
    let is_there = |program: &str| {
        let found =
            Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
        found.is_ok_and(|status| status.success())
    };
    let there = is_there("chromedriver") && is_there("chromium");
    assert!(
        there || std::env::var_os("VMYNA_REQUIRE_BROWSER").is_none(),
        "chromium or chromedriver is missing: apt-get install chromium chromium-driver fonts-noto-cjk"
    );
    there
}

/// A chromedriver, and where it listens. It ends at once where the port that it was given for IPv6 is
/// taken for IPv4.
pub fn driver() -> (Running, String) {
    loop {
        let mut driver = Running::start(Command::new("chromedriver").arg("--port=0"));
        if let Some(line) = driver.may_say("started successfully on port ") {
            let port = line.trim_end_matches('.').rsplit(' ').next().expect("a port");
            let url = format!("http://127.0.0.1:{port}");
            return (driver, url);
        }
    }
}

/// A chromedriver, and the browsers that are free.
pub struct Browsers {
    _driver: Mutex<Running>,
    url: String,
    free: Mutex<Vec<Chromium>>,
}

impl Browsers {
    pub fn start() -> Self {
        let (driver, url) = driver();
        Self { _driver: Mutex::new(driver), url, free: Mutex::default() }
    }

    fn free(&self) -> MutexGuard<'_, Vec<Chromium>> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A browser as if it were new.
    pub fn take(&self) -> Chromium {
        let free = self.free().pop();
        let chromium = free.unwrap_or_else(|| Chromium::start(&self.url));
        chromium.forget();
        chromium
    }

    /// It is free again.
    pub fn give_back(&self, chromium: Chromium) {
        self.free().push(chromium);
    }

    pub fn end(&self) {
        for chromium in self.free().drain(..) {
            let _ = chromium.runtime.block_on(chromium.client.close());
        }
    }
}

/// What became of a click.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum Clicked {
    Done,
    /// there is no such element
    Missing,
    /// nobody could click on it: it is disabled, out of sight, or below something else
    Covered,
}

/// A browser.
pub struct Chromium {
    runtime: Runtime,
    client: Client,
}

impl Chromium {
    fn start(driver: &str) -> Self {
        let options = [
            "--headless=new",
            "--no-sandbox",
            "--disable-dev-shm-usage",
            "--force-prefers-reduced-motion",
            "--window-size=1280,1000",
        ];
        let capabilities = serde_json::json!({
            "goog:chromeOptions": { "args": options, "binary": "/usr/bin/chromium" },
            // whoever looks at a page waits for it
            "pageLoadStrategy": "none"
        });
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        let client = runtime.block_on(async {
            let mut builder = ClientBuilder::new(HttpConnector::new());
            builder.capabilities(capabilities.as_object().expect("an object").clone());
            builder.connect(driver).await.expect("a browser")
        });
        Self { runtime, client }
    }

    /// One tab, and nothing known of who was here before.
    fn forget(&self) {
        self.runtime.block_on(async {
            // on a page that is none's there are none
            let _ = self.client.delete_all_cookies().await;
            let windows = self.client.windows().await.expect("windows");
            for window in &windows[1..] {
                self.client.switch_to_window(window.clone()).await.expect("a window");
                self.client.close_window().await.expect("it closes");
            }
            self.client.switch_to_window(windows[0].clone()).await.expect("a window");
        });
    }

    pub fn window(&self) -> Result<WindowHandle, CmdError> {
        self.runtime.block_on(self.client.window())
    }

    /// A new tab, in front.
    pub fn new_window(&self) -> Result<WindowHandle, CmdError> {
        self.runtime.block_on(async {
            let window = self.client.new_window(true).await?.handle;
            self.client.switch_to_window(window.clone()).await?;
            Ok(window)
        })
    }

    pub fn switch_to(&self, window: WindowHandle) -> Result<(), CmdError> {
        self.runtime.block_on(self.client.switch_to_window(window))
    }

    pub fn goto(&self, url: &str) -> Result<(), CmdError> {
        self.runtime.block_on(self.client.goto(url))
    }

    pub fn forget_cookies(&self) -> Result<(), CmdError> {
        self.runtime.block_on(self.client.delete_all_cookies())
    }

    /// Clicks on what lies in the middle of an element, which must be the element, or the label that is
    /// about it. In one request: the driver's own click takes half a second, most of it for the mouse.
    pub fn click(&self, css: &str, leaves: bool) -> Result<Clicked, CmdError> {
        const CLICK: &str = r#"
            const [css, leaves] = arguments;
            const element = document.querySelector(css);
            if (!element) return "Missing";
            element.scrollIntoView({ block: "center", behavior: "instant" });
            const { x, y, width, height } = element.getBoundingClientRect();
            const hit = document.elementFromPoint(x + width / 2, y + height / 2);
            const is_hit = hit && (element.contains(hit) || hit.contains(element) && hit.tagName === "LABEL");
            if (!is_hit || element.disabled) return "Covered";
            if (leaves) document.documentElement.dataset.left = 1;
            hit.click();
            return "Done";"#;
        let clicked = self.execute(CLICK, vec![css.into(), leaves.into()])?;
        Ok(serde_json::from_value(clicked).expect("one of the three"))
    }

    /// Types into a field, in place of what was there.
    pub fn enter(&self, css: &str, text: &str) -> Result<(), CmdError> {
        const ENTER: &str = r#"
            const [css, text] = arguments;
            const field = document.querySelector(css);
            field.focus();
            field.select();
            document.execCommand(text ? "insertText" : "delete", false, text);"#;
        self.execute(ENTER, vec![css.into(), text.into()]).map(drop)
    }

    pub fn choose(&self, css: &str, value: &str) -> Result<(), CmdError> {
        self.runtime
            .block_on(async { self.client.find(Locator::Css(css)).await?.select_by_value(value).await })
    }

    pub fn execute(&self, script: &str, arguments: Vec<Value>) -> Result<Value, CmdError> {
        self.runtime.block_on(self.client.execute(script, arguments))
    }

    /// What `script`, which returns nothing until it is there, finds on the page at last. A page that
    /// goes away meanwhile is asked no more, but the one that comes.
    pub fn wait_for(&self, script: &str) -> Result<Value, String> {
        let patiently = format!(
            "const found = arguments[0]; const ask = () => {{ {script} }};
             const look = () => {{ const what = ask(); if (what) found(what); else setTimeout(look, 4); }}; look();"
        );
        let deadline = Instant::now() + PATIENCE;
        loop {
            match self.runtime.block_on(self.client.execute_async(&patiently, Vec::new())) {
                Ok(found) => return Ok(found),
                Err(error) if Instant::now() > deadline => return Err(error.to_string()),
                Err(_) => {}
            }
        }
    }
}
