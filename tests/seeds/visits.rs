//! Visits to the portal that get what they came for, request by request: a terminal's over the API, a browser's over
//! the pages, the operator's.

use super::fuzz::portal::{HOST, NOW, Reply, Visited, first};
use base64ct::{Base64, Encoding};
use std::fmt::Write;
use vmyna_sim::holder::Holder;
use vmyna_sim::issue::issue;

/// A visit and the requests it was made of.
#[derive(Default)]
struct Visit {
    portal: Visited,
    said: Vec<u8>,
    cookies: Vec<String>,
}

impl Visit {
    fn ask(&mut self, method: &str, path: &str, kind: &str, body: &str) -> Reply {
        let mut request = format!("{method} {path} HTTP/1.1\r\nhost: {HOST}\r\n");
        if !self.cookies.is_empty() {
            let _ = write!(request, "cookie: {}\r\n", self.cookies.join("; "));
        }
        if !body.is_empty() {
            let _ = write!(request, "content-type: {kind}\r\ncontent-length: {}\r\n", body.len());
        }
        let _ = write!(request, "\r\n{body}");
        self.said.extend(request.as_bytes());
        let reply = self.portal.ask(first(request.as_bytes()).expect("a whole request").0);
        for cookie in reply.headers.get_all("set-cookie") {
            let pair = cookie.to_str().unwrap().split(';').next().unwrap();
            let name = pair.split('=').next().unwrap();
            self.cookies.retain(|known| !known.starts_with(name));
            self.cookies.push(pair.to_owned());
        }
        reply
    }

    fn get(&mut self, path: &str) -> Reply {
        self.ask("GET", path, "", "")
    }

    fn send_form(&mut self, path: &str, form: &str) -> Reply {
        self.ask("POST", path, "application/x-www-form-urlencoded", form)
    }

    /// What the API answers to JSON.
    fn api(&mut self, path: &str, body: &serde_json::Value) -> (u16, serde_json::Value) {
        let reply = self.ask("POST", &format!("/api/v1{path}"), "application/json", &body.to_string());
        (reply.status.as_u16(), serde_json::from_slice(&reply.body).unwrap())
    }
}

/// Certificate and signature of hanako's card, in base64.
fn sign(nonce: &[u8]) -> [String; 2] {
    let issued = issue(&Holder::built_in("hanako").unwrap(), NOW.parse().unwrap()).unwrap();
    let card = &issued.user_authentication;
    [&card.certificate[..], &card.key.sign_message(nonce).unwrap()].map(Base64::encode_string)
}

fn location(reply: &Reply) -> String {
    reply.headers["location"].to_str().unwrap().to_owned()
}

/// All visits, by name.
pub fn all() -> Vec<(&'static str, Vec<u8>)> {
    vec![("terminal", terminal()), ("browser", browser()), ("operator", operator()), ("files", files())]
}

fn terminal() -> Vec<u8> {
    let mut visit = Visit::default();
    for (purpose, path, expected) in [
        ("application", "/applications", 201),
        ("inquiry", "/inquiries", 200),
        ("application", "/applications", 409),
    ] {
        let (status, asked) = visit.api("/challenges", &serde_json::json!({ "purpose": purpose }));
        assert_eq!(status, 201, "{asked}");
        let nonce = Base64::decode_vec(asked["nonce"].as_str().unwrap()).unwrap();
        let [certificate, signature] = sign(&nonce);
        let (status, told) = visit.api(
            path,
            &serde_json::json!({
                "challenge_id": asked["challenge_id"],
                "session": asked["session"],
                "certificate": certificate,
                "signature": signature,
            }),
        );
        assert_eq!(status, expected, "{told}");
    }
    visit.said
}

fn browser() -> Vec<u8> {
    let mut visit = Visit::default();
    visit.get("/language/en?to=none");
    let top = String::from_utf8(visit.get("/").body).unwrap();
    let token = top.split(r#"name="form_token" value=""#).nth(1).unwrap().split('"').next().unwrap();
    let started = visit.send_form("/start", &format!("form_token={token}&purpose=application"));
    let flow = location(&started);
    visit.get(&flow);
    visit.send_form(&flow, &format!("form_token={token}&button=agree&has_box=1&register_user=1"));
    visit.get(&flow);
    let sent = location(&visit.send_form(&flow, &format!("form_token={token}&button=apply")));
    let parameter = |name: &str| sent.split_once(name).unwrap().1.split('&').next().unwrap().to_owned();
    let (state, nonce) = (parameter("state="), vmyna_sim::hex::decode(&parameter("nonce=")).unwrap());
    let [certificate, signature] = sign(&nonce).map(|text| text.replace('+', "%2B").replace('=', "%3D"));
    let answer = format!("state={state}&certificate={certificate}&signature={signature}");
    assert_eq!(location(&visit.send_form("/callback", &answer)), flow);
    assert_eq!(visit.get(&flow).status, 200);
    visit.send_form("/callback", &format!("state={state}&failure=%22cancelled%22"));
    visit.send_form(&flow, &format!("form_token={token}&button=finish"));
    visit.said
}

fn operator() -> Vec<u8> {
    let mut visit = Visit { said: terminal(), ..Visit::default() };
    let mut earlier = &visit.said.clone()[..];
    while let Some((request, rest)) = first(earlier) {
        visit.portal.ask(request);
        earlier = rest;
    }
    let token = visit.portal.operator.clone();
    visit.get(&format!("/operator?token={token}"));
    let page = String::from_utf8(visit.get("/operator").body).unwrap();
    let token = page.split(r#"name="form_token" value=""#).nth(1).unwrap().split('"').next().unwrap();
    for action in ["complete_all", "busy", "open"] {
        let acted = visit.send_form("/operator", &format!("form_token={token}&action={action}"));
        assert!(acted.status.is_redirection(), "{action}: {}", acted.status);
    }
    visit.said
}

fn files() -> Vec<u8> {
    let mut visit = Visit::default();
    for path in
        ["/terms", "/static/portal.css", "/healthz", "/api/v1/openapi.yaml", "/nowhere", "/api/v1/nowhere"]
    {
        visit.get(path);
    }
    visit.ask("DELETE", "/api/v1/challenges", "", "");
    visit.said
}
