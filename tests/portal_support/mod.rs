//! The portal as a process, a plain visitor without scripts, and a card's owner who signs.

#![allow(dead_code, reason = "each test uses its part")]
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

use super::process::{Running, vmyna};
use std::collections::BTreeMap;
use std::sync::{Mutex, OnceLock};
use std::time::Duration;
use vmyna_sim::holder::Holder;
use vmyna_sim::issue::{Issued, issue};
use vmyna_sim::pki::JAPAN;

/// A portal on free ports.
pub struct RunningPortal {
    pub process: Running,
    pub origin: String,
    pub terminal: String,
    pub operator_token: String,
}

impl RunningPortal {
    pub fn start(arguments: &[&str]) -> Self {
        let mut process = Running::start(&mut vmyna(["portal", "--bind", "0"].iter().chain(arguments)));
        let word = |line: String| line.split_whitespace().last().unwrap_or_default().to_owned();
        let origin = word(process.tells("portal ")).trim_end_matches('/').to_owned();
        let terminal = if arguments.contains(&"--no-terminal") {
            String::new()
        } else {
            word(process.tells("terminal ")).trim_end_matches('/').to_owned()
        };
        let operator = word(process.tells("operator "));
        let operator_token = operator.split_once('=').expect("a token").1.to_owned();
        process.says("ready ");
        Self { process, origin, terminal, operator_token }
    }

    /// What the operator's page shows.
    pub fn operator_page(&self) -> String {
        let bearer = format!("Bearer {}", self.operator_token);
        let page = agent().get(format!("{}/operator", self.origin)).header("authorization", bearer).call();
        page.unwrap().body_mut().read_to_string().unwrap()
    }

    /// How many have applied.
    pub fn applications(&self) -> usize {
        let page = self.operator_page();
        page.split("<tbody").nth(1).map_or(0, |body| body.matches("<tr").count())
    }

    pub fn operate(&self, action: &str) -> u16 {
        let bearer = format!("Bearer {}", self.operator_token);
        let post = agent().post(format!("{}/operator", self.origin)).header("authorization", bearer);
        post.send_form([("action", action)]).unwrap().status().as_u16()
    }
}

pub fn agent() -> ureq::Agent {
    ureq::Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .timeout_global(Some(Duration::from_secs(60)))
        .build()
        .into()
}

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    pub status: u16,
    pub location: String,
    pub cookies: Vec<String>,
    pub body: String,
}

impl Reply {
    pub fn of(mut response: ureq::http::Response<ureq::Body>) -> Self {
        let text = |name: &str| {
            let values = response.headers().get_all(name).iter();
            values.map(|value| value.to_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        let (location, cookies) = (text("location").pop().unwrap_or_default(), text("set-cookie"));
        let status = response.status().as_u16();
        Self { status, location, cookies, body: response.body_mut().read_to_string().unwrap_or_default() }
    }

    /// The value of an attribute after a piece of the page.
    pub fn after(&self, piece: &str) -> String {
        let rest = self.body.split(piece).nth(1).unwrap_or_else(|| panic!("no {piece:?} in:\n{}", self.body));
        rest.split('"').next().unwrap().to_owned()
    }

    pub fn rows(&self) -> usize {
        self.body.matches("<dt>").count()
    }
}

/// A browser without scripts: cookies, forms, redirects.
#[derive(Clone)]
pub struct Visitor {
    agent: ureq::Agent,
    origin: String,
    cookies: BTreeMap<String, String>,
}

/// A request that the terminal was to be given.
#[derive(Debug, Clone)]
pub struct Asked {
    pub flow: String,
    pub state: String,
    pub nonce: Vec<u8>,
}

impl Visitor {
    pub fn at(portal: &RunningPortal) -> Self {
        Self { agent: agent(), origin: portal.origin.clone(), cookies: BTreeMap::new() }
    }

    fn cookie(&self) -> String {
        let pairs = self.cookies.iter().map(|(name, value)| format!("{name}={value}"));
        pairs.collect::<Vec<_>>().join("; ")
    }

    fn note(&mut self, reply: Reply) -> Reply {
        for cookie in &reply.cookies {
            let (name, rest) = cookie.split_once('=').unwrap();
            self.cookies.insert(name.to_owned(), rest.split(';').next().unwrap().to_owned());
        }
        reply
    }

    /// What private browsing does.
    pub fn forget_cookies(&mut self) {
        self.cookies.clear();
    }

    /// What somebody who plants a cookie does.
    pub fn plant(&mut self, name: &str, value: &str) {
        self.cookies.insert(name.to_owned(), value.to_owned());
    }

    pub fn cookie_named(&self, name: &str) -> &str {
        &self.cookies[name]
    }

    pub fn get(&mut self, path: &str) -> Reply {
        let request = self.agent.get(format!("{}{path}", self.origin)).header("cookie", self.cookie());
        let reply = Reply::of(request.call().unwrap());
        self.note(reply)
    }

    pub fn post(&mut self, path: &str, form: &[(&str, &str)]) -> Reply {
        let request = self.agent.post(format!("{}{path}", self.origin)).header("cookie", self.cookie());
        let reply = Reply::of(request.send_form(form.iter().copied()).unwrap());
        self.note(reply)
    }

    /// From the top page to where the terminal is asked.
    pub fn ask(&mut self, purpose: &str, tick: bool) -> Asked {
        let top = self.get("/");
        let token = top.after(r#"name="form_token" value=""#);
        let flow = self.post("/start", &[("form_token", &token), ("purpose", purpose)]).location;
        let mut press = |button: &str, more: &[(&str, &str)]| {
            let form = [&[("form_token", &token[..]), ("button", button)], more].concat();
            self.post(&flow, &form)
        };
        let reply = if purpose == "application" {
            let mut form = vec![("has_box", "1")];
            form.extend(tick.then_some(("register_user", "1")));
            press("agree", &form);
            press("apply", &[])
        } else {
            press("authenticate", &[])
        };
        let parameter = |name: &str| {
            let rest =
                reply.location.split_once(&format!("{name}=")).unwrap_or_else(|| panic!("{reply:?}")).1;
            rest.split('&').next().unwrap().to_owned()
        };
        let nonce = parameter("nonce");
        let nonce = (0..nonce.len()).step_by(2).map(|at| u8::from_str_radix(&nonce[at..at + 2], 16).unwrap());
        Asked { state: parameter("state"), nonce: nonce.collect(), flow }
    }

    /// The callback, and the page that it leads to.
    pub fn deliver(&mut self, state: &str, answer: &Signature) -> Reply {
        let form = [
            ("state", state),
            ("certificate", &answer.certificate[..]),
            ("signature", &answer.signature[..]),
        ];
        let reply = self.post("/callback", &form);
        if reply.status == 303 { self.get(&reply.location.clone()) } else { reply }
    }
}

/// What a card gives, in base64.
#[derive(Debug, Clone)]
pub struct Signature {
    pub certificate: String,
    pub signature: String,
}

pub fn sign(holder: &str, nonce: &[u8]) -> Signature {
    static ISSUED: OnceLock<Mutex<BTreeMap<String, Issued>>> = OnceLock::new();
    let mut issued = ISSUED.get_or_init(Mutex::default).lock().unwrap();
    let issued = issued.entry(holder.to_owned()).or_insert_with(|| {
        let built_in = Holder::built_in(holder);
        let holder = built_in.unwrap_or_else(|| numbered(holder));
        issue(&holder, jiff::Timestamp::now()).unwrap()
    });
    signature_of(issued, nonce)
}

pub fn signature_of(issued: &Issued, nonce: &[u8]) -> Signature {
    use base64ct::{Base64, Encoding};
    let certified = &issued.user_authentication;
    Signature {
        certificate: Base64::encode_string(&certified.certificate),
        signature: Base64::encode_string(&certified.key.sign_message(nonce).unwrap()),
    }
}

/// A person who is only told apart from others by the name of the file.
pub fn numbered(name: &str) -> Holder {
    // a birthday of half a year ago: a certificate of today would not be known everywhere yet
    let birthday =
        JAPAN.to_datetime(jiff::Timestamp::now()).date().saturating_sub(jiff::Span::new().months(6));
    let text = format!("person: {{name: 試験　太郎, birth: 1980-{:02}-15}}\n", birthday.month());
    Holder::parse(&format!("{name}.yaml"), &text).unwrap()
}

/// A terminal of its own: a challenge, and what it must be answered with.
pub struct ApiChallenge {
    pub id: String,
    pub session: String,
    pub nonce: Vec<u8>,
}

impl ApiChallenge {
    pub fn of(reply: &Reply) -> Self {
        use base64ct::{Base64, Encoding};
        assert_eq!(reply.status, 201, "{reply:?}");
        let body: serde_json::Value = serde_json::from_str(&reply.body).unwrap();
        let text = |name: &str| body[name].as_str().unwrap().to_owned();
        Self {
            id: text("challenge_id"),
            session: text("session"),
            nonce: Base64::decode_vec(&text("nonce")).unwrap(),
        }
    }
}

pub fn post_json(origin: &str, path: &str, body: &serde_json::Value) -> Reply {
    let request = agent().post(format!("{origin}/api/v1{path}")).header("content-type", "application/json");
    Reply::of(request.send(body.to_string()).unwrap())
}

pub fn challenge(origin: &str, purpose: &str) -> ApiChallenge {
    ApiChallenge::of(&post_json(origin, "/challenges", &serde_json::json!({ "purpose": purpose })))
}

pub fn answer(challenge: &ApiChallenge, signature: &Signature) -> serde_json::Value {
    serde_json::json!({
        "challenge_id": challenge.id,
        "session": challenge.session,
        "certificate": signature.certificate,
        "signature": signature.signature,
    })
}

/// The phone on the desk, as the page's script talks to it.
pub struct Phone {
    origin: String,
    state: String,
    nonce: String,
}

impl Phone {
    /// The phone that was called for `asked`.
    pub fn at(portal: &RunningPortal, asked: &Asked) -> Self {
        let nonce = asked.nonce.iter().map(|byte| format!("{byte:02x}")).collect();
        Self { origin: portal.terminal.clone(), state: asked.state.clone(), nonce }
    }

    /// Asks it for something; what it shows then.
    pub fn ask(&self, path: &str, more: serde_json::Value) -> serde_json::Value {
        let mut body = serde_json::json!({ "state": self.state, "nonce": self.nonce });
        for (name, value) in more.as_object().into_iter().flatten() {
            body[name] = value.clone();
        }
        let request = agent().post(format!("{}{path}", self.origin)).header("x-vmyna-terminal", "1");
        let reply = Reply::of(request.content_type("application/json").send(body.to_string()).unwrap());
        assert_eq!(reply.status, 200, "{path}: {reply:?}");
        serde_json::from_str(&reply.body).unwrap()
    }

    /// An iPhone, the PIN, and the card; what came of it.
    pub fn present(&self, pin: &str) -> serde_json::Value {
        let shown = self.ask("/phone/call", serde_json::json!({ "platform": "ios" }));
        assert_eq!(shown["shows"]["screen"], "pin", "{shown}");
        let shown = self.ask("/phone/confirm", serde_json::json!({ "pin": pin }));
        if shown["shows"].is_null() {
            return shown;
        }
        assert_eq!(shown["shows"]["screen"], "touch", "{shown}");
        self.ask("/card/hold", serde_json::json!({}))
    }
}

/// What a phone has brought back from the card.
pub fn signed(shown: &serde_json::Value) -> Signature {
    let text = |name: &str| shown["signed"][name].as_str().unwrap_or_else(|| panic!("{shown}")).to_owned();
    Signature { certificate: text("certificate"), signature: text("signature") }
}

/// The card in the seat is hanako's: a wrong PIN is told with the tries left, the right one applies.
pub fn must_apply_with_the_card_in_the_seat(portal: &RunningPortal) {
    let mut visitor = Visitor::at(portal);
    let asked = visitor.ask("application", true);
    let phone = Phone::at(portal, &asked);
    let wrong = phone.present("0000");
    assert_eq!(wrong["failed"]["failure"]["code"], "wrong_pin", "{wrong}");
    assert_eq!(wrong["failed"]["failure"]["tries_left"], 2, "{wrong}");
    let done = visitor.deliver(&asked.state, &signed(&phone.present("1234")));
    assert_eq!((done.rows(), portal.applications()), (3, 1), "{done:?}");
}
