//! `vmyna portal` as a process, visited over HTTP: what is delivered twice, late, to another tab or
//! without the session; restarts and kills; many at once; and what protects visitors.

#[path = "portal/guide.rs"]
mod guide;
#[path = "portal_support/mod.rs"]
mod portal;
mod process;

use base64ct::{Base64, Encoding};
use portal::{RunningPortal, Visitor, agent, answer, challenge, post_json, sign};
use process::{Folder, run, vmyna};
use rustix::process::Signal;
use sha2::Digest;
use std::sync::Barrier;
use std::thread;

#[test]
fn an_application_and_its_inquiry_show_the_rows_and_the_operators_action() {
    let portal = RunningPortal::start(&[]);
    for (holder, tick, rows) in [("hanako", true, 3), ("taro", false, 2)] {
        let mut visitor = Visitor::at(&portal);
        let asked = visitor.ask("application", tick);
        let done = visitor.deliver(&asked.state, &sign(holder, &asked.nonce));
        assert!(done.body.contains("申し込みを受け付けました") && done.body.contains("ご確認ください。"));
        assert_eq!(done.rows(), rows, "{holder}");
        let mut visitor = Visitor::at(&portal);
        let asked = visitor.ask("inquiry", false);
        let status = visitor.deliver(&asked.state, &sign(holder, &asked.nonce));
        assert!(status.body.contains("システム準備中のため") && status.body.contains("ご確認してください。"));
        assert_eq!(status.rows(), rows, "{holder}");
        assert_eq!(portal.operate("complete_all"), 303);
        let later = visitor.get(&asked.flow);
        assert!(later.body.contains("<dd>登録完了") && !later.body.contains("システム準備中"));
    }
}

#[test]
fn a_callback_delivered_twice_and_two_tabs_apply_once() {
    let portal = RunningPortal::start(&[]);
    let mut visitor = Visitor::at(&portal);
    let (first, second) = (visitor.ask("application", true), visitor.ask("application", false));
    let signature = sign("hanako", &first.nonce);
    let done = visitor.deliver(&first.state, &signature);
    assert_eq!(visitor.deliver(&first.state, &signature), done);
    let other = visitor.deliver(&first.state, &sign("hanako", b"something else"));
    assert_eq!(other.status, 409);
    let again = visitor.deliver(&second.state, &sign("hanako", &second.nonce));
    assert!(again.body.contains("すでに申し込まれています"));
    assert_eq!(portal.applications(), 1);
}

#[test]
fn a_lost_cookie_or_a_foreign_one_records_nothing() {
    let portal = RunningPortal::start(&[]);
    let mut visitor = Visitor::at(&portal);
    let asked = visitor.ask("application", true);
    let signature = sign("hanako", &asked.nonce);
    let mut private = visitor.clone();
    private.forget_cookies();
    let lost = private.deliver(&asked.state, &signature);
    assert_eq!(lost.status, 403);
    assert!(lost.body.contains("「プライベートブラウザ」"), "{}", lost.body);
    let mut stranger = Visitor::at(&portal);
    stranger.get("/");
    assert_eq!(stranger.deliver(&asked.state, &signature).status, 403);
    assert_eq!(stranger.get(&asked.flow).status, 403, "nor is anybody else's flow shown");
    assert_eq!(portal.applications(), 0);
    assert_eq!(visitor.deliver(&asked.state, &signature).rows(), 3);
}

#[test]
fn a_session_that_the_portal_did_not_issue_is_none_and_is_replaced() {
    const SESSION: &str = "vmyna_session";
    let portal = RunningPortal::start(&[]);
    let planted = "ab".repeat(32);
    let mut visitor = Visitor::at(&portal);
    visitor.plant(SESSION, &planted);
    // whoever planted it can work out what its forms would carry
    let digest = sha2::Sha256::digest(format!("vmyna portal form {planted}"));
    let token: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    let refused = visitor.post("/start", &[("form_token", &token), ("purpose", "application")]);
    assert_eq!(refused.status, 403);
    visitor.get("/");
    let issued = visitor.cookie_named(SESSION).to_owned();
    assert_ne!(issued, planted);
    visitor.get("/");
    assert_eq!(visitor.cookie_named(SESSION), issued, "its own it keeps");
    let asked = serde_json::json!({ "purpose": "application", "session": planted });
    let reply = post_json(&portal.origin, "/challenges", &asked);
    assert_eq!(reply.status, 201);
    assert!(!reply.body.contains(&planted));
    let other = RunningPortal::start(&[]);
    let mut elsewhere = Visitor::at(&other);
    elsewhere.plant(SESSION, &issued);
    elsewhere.get("/");
    assert_ne!(elsewhere.cookie_named(SESSION), issued, "another portal's is none either");
}

#[test]
fn authentication_gives_the_browser_another_session_and_its_other_tab_goes_on() {
    const SESSION: &str = "vmyna_session";
    let portal = RunningPortal::start(&[]);
    let mut visitor = Visitor::at(&portal);
    let (first, second) = (visitor.ask("application", true), visitor.ask("inquiry", false));
    let token = visitor.get(&second.flow).after(r#"name="form_token" value=""#);
    let before = visitor.cookie_named(SESSION).to_owned();
    // somebody who planted that session, and knows where the holder is
    let mut stranger = visitor.clone();
    let signature = sign("hanako", &first.nonce);
    assert_eq!(visitor.deliver(&first.state, &signature).rows(), 3);
    assert_ne!(visitor.cookie_named(SESSION), before);
    assert_eq!(stranger.get(&first.flow).status, 403);
    let start = [("form_token", &token[..]), ("purpose", "application")];
    assert_eq!(stranger.post("/start", &start).status, 403);
    let asked = serde_json::json!({ "purpose": "signature", "session": before });
    assert!(!post_json(&portal.origin, "/challenges", &asked).body.contains(&before[..32]));
    stranger.get("/");
    assert_ne!(stranger.cookie_named(SESSION), before, "the top page gives a new one");
    let back = visitor.post(&second.flow, &[("form_token", &token), ("button", "back")]);
    assert_eq!((back.status, &back.location), (303, &second.flow), "the form of the other tab is still good");
    assert_eq!(visitor.deliver(&first.state, &signature).rows(), 3, "the same answer again");
}

#[test]
fn the_api_renews_the_session_and_says_so() {
    let portal = RunningPortal::start(&["--no-terminal"]);
    let inquire = |session: Option<&str>| {
        let asked = serde_json::json!({ "purpose": "inquiry", "session": session.unwrap_or_default() });
        let challenge = portal::ApiChallenge::of(&post_json(&portal.origin, "/challenges", &asked));
        let body = answer(&challenge, &sign("hanako", &challenge.nonce));
        let reply = post_json(&portal.origin, "/inquiries", &body);
        assert_eq!(post_json(&portal.origin, "/inquiries", &body), reply, "the same again");
        let told: serde_json::Value = serde_json::from_str(&reply.body).unwrap();
        assert_eq!(told["code"], "not_registered");
        (challenge.session, told["session"].as_str().unwrap().to_owned())
    };
    let (first, renewed) = inquire(None);
    assert_ne!(first, renewed);
    assert_eq!(inquire(Some(&renewed)).0, renewed, "one goes on in it");
    assert_ne!(inquire(Some(&first)).0, first, "and not in the one before");
}

#[test]
fn a_form_without_its_token_or_from_elsewhere_does_nothing() {
    let portal = RunningPortal::start(&[]);
    let mut visitor = Visitor::at(&portal);
    visitor.get("/");
    for token in ["", "0", &"0".repeat(64)] {
        assert_eq!(visitor.post("/start", &[("form_token", token), ("purpose", "application")]).status, 403);
    }
    let elsewhere = agent().get(format!("{}/", portal.origin)).header("host", "rebound.example").call();
    assert_eq!(elsewhere.unwrap().status(), 421);
    let operator = agent().post(format!("{}/operator", portal.origin)).send_form([("action", "busy")]);
    assert_eq!(operator.unwrap().status(), 403);
    let desk = agent().post(format!("{}/card/hold", portal.terminal)).send_empty();
    assert_eq!(desk.unwrap().status(), 403, "the terminal obeys its own page only");
}

#[test]
fn every_answer_is_hardened_and_the_cookie_hidden_from_scripts() {
    let portal = RunningPortal::start(&[]);
    for (url, script) in [(&portal.origin, false), (&portal.terminal, true)] {
        let reply = agent().get(format!("{url}/")).call().unwrap();
        let header = |name: &str| reply.headers()[name].to_str().unwrap().to_owned();
        let policy = header("content-security-policy");
        assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"));
        assert_eq!(policy.contains("script-src"), script, "the portal itself needs no script at all");
        assert_eq!(header("x-content-type-options"), "nosniff");
        assert_eq!(header("cache-control"), "no-store");
    }
    let mut visitor = Visitor::at(&portal);
    let cookie = visitor.get("/").cookies.remove(0);
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"), "{cookie}");
}

#[test]
fn bodies_and_rates_are_limited() {
    let portal = RunningPortal::start(&["--rate", "5", "--no-terminal"]);
    let long = agent().post(format!("{}/api/v1/challenges", portal.origin)).send(vec![b' '; 100_000]);
    assert_eq!(long.unwrap().status(), 413);
    let statuses: Vec<u16> = (0..20)
        .map(|_| agent().get(format!("{}/healthz", portal.origin)).call().unwrap().status().as_u16())
        .collect();
    assert!(statuses.contains(&429), "{statuses:?}");
}

#[test]
fn the_api_says_what_is_wrong_by_name() {
    let portal = RunningPortal::start(&["--no-terminal"]);
    let origin = &portal.origin;
    let deliver = |path: &str, purpose: &str, holder: &str| {
        let challenge = challenge(origin, purpose);
        post_json(origin, path, &answer(&challenge, &sign(holder, &challenge.nonce)))
    };
    for (holder, status, code) in [
        ("expired", 403, "expired"),
        ("revoked", 403, "revoked"),
        ("on-hold", 403, "on_hold"),
        ("not-yet-valid", 403, "not_yet_valid"),
        ("renewed", 403, "not_yet_propagated"),
    ] {
        let reply = deliver("/applications", "application", holder);
        assert_eq!(reply.status, status, "{holder}");
        assert!(reply.body.contains(&format!(r#""code":"{code}""#)), "{}", reply.body);
    }
    assert_eq!(deliver("/inquiries", "inquiry", "hanako").status, 404);
    assert_eq!(deliver("/applications", "inquiry", "hanako").status, 404, "another purpose");
    assert_eq!(deliver("/applications", "application", "hanako").status, 201);
    assert_eq!(deliver("/applications", "application", "hanako").status, 409);
    assert_eq!(deliver("/inquiries", "inquiry", "hanako").status, 200);
    portal.operate("busy");
    assert_eq!(deliver("/inquiries", "inquiry", "hanako").status, 503);
}

#[test]
fn two_hundred_holders_at_once_apply_once_each_without_an_error() {
    const HOLDERS: usize = 200;
    let portal = RunningPortal::start(&["--no-terminal", "--rate", "100000"]);
    let (origin, start) = (&portal.origin, Barrier::new(HOLDERS));
    // certificates beforehand, so that they really come at once
    let holders: Vec<String> = (0..HOLDERS).map(|number| format!("holder-{number}")).collect();
    for holder in &holders {
        sign(holder, b"");
    }
    thread::scope(|scope| {
        let apply = |holder| {
            let start = &start;
            scope.spawn(move || {
                start.wait();
                let challenge = challenge(origin, "application");
                let body = answer(&challenge, &sign(holder, &challenge.nonce));
                let (first, again) =
                    (post_json(origin, "/applications", &body), post_json(origin, "/applications", &body));
                assert_eq!((first.status, &again.body), (201, &first.body));
            })
        };
        let threads: Vec<_> = holders.iter().map(|holder| apply(holder)).collect();
        for thread in threads {
            thread.join().expect("an application without an error");
        }
    });
    assert_eq!(portal.applications(), HOLDERS);
}

#[test]
fn what_was_acknowledged_survives_a_kill_and_nothing_is_half_done() {
    let folder = Folder::new();
    let state = folder.path().join("portal.redb");
    let arguments = ["--no-terminal", "--rate", "100000", "--state", state.to_str().unwrap()];
    let portal = RunningPortal::start(&arguments);
    let origin = portal.origin.clone();
    let appliers: Vec<_> = (0..8)
        .map(|applier| {
            let origin = origin.clone();
            thread::spawn(move || {
                let mut acknowledged = Vec::new();
                for number in 0.. {
                    let holder = format!("killed-{applier}-{number}");
                    let body = serde_json::json!({ "purpose": "application" });
                    let asked = agent()
                        .post(format!("{origin}/api/v1/challenges"))
                        .header("content-type", "application/json")
                        .send(body.to_string());
                    let Ok(mut asked) = asked else { return acknowledged };
                    let Ok(asked) = asked.body_mut().read_to_string() else { return acknowledged };
                    let asked: serde_json::Value = serde_json::from_str(&asked).unwrap();
                    let text = |name: &str| asked[name].as_str().unwrap().to_owned();
                    let challenge = portal::ApiChallenge {
                        id: text("challenge_id"),
                        session: text("session"),
                        nonce: Base64::decode_vec(&text("nonce")).unwrap(),
                    };
                    let body = answer(&challenge, &sign(&holder, &challenge.nonce));
                    let sent = agent()
                        .post(format!("{origin}/api/v1/applications"))
                        .header("content-type", "application/json")
                        .send(body.to_string());
                    match sent {
                        Ok(reply) if reply.status() == 201 => acknowledged.push((holder, body)),
                        _ => return acknowledged,
                    }
                }
                acknowledged
            })
        })
        .collect();
    while portal.applications() < 20 {
        assert!(!appliers.iter().all(thread::JoinHandle::is_finished), "nobody applies any more");
        thread::yield_now();
    }
    portal.process.kill();
    let acknowledged: Vec<_> = appliers.into_iter().flat_map(|applier| applier.join().unwrap()).collect();
    assert!(acknowledged.len() >= 10);
    let portal = RunningPortal::start(&arguments);
    let recorded = portal.applications();
    assert!(recorded >= acknowledged.len() && recorded <= acknowledged.len() + 8, "{recorded}");
    for (holder, body) in &acknowledged {
        let again = post_json(&portal.origin, "/applications", body);
        assert_eq!(again.status, 201, "{holder}: the same answer gets the same result: {}", again.body);
    }
    assert_eq!(portal.applications(), recorded);
}

#[test]
fn a_browser_goes_on_after_a_restart() {
    let folder = Folder::new();
    let state = folder.path().join("portal.redb");
    let arguments = ["--no-terminal", "--state", state.to_str().unwrap()];
    let portal = RunningPortal::start(&arguments);
    let first = challenge(&portal.origin, "application");
    let body = answer(&first, &sign("hanako", &first.nonce));
    portal.process.signal(Signal::TERM);
    assert_eq!(portal.process.ends().code, Some(0));
    let portal = RunningPortal::start(&arguments);
    assert_eq!(post_json(&portal.origin, "/applications", &body).status, 201, "the challenge is still there");
    let in_use = run(&mut vmyna(["portal", "--bind", "0", "--state", state.to_str().unwrap()]));
    assert_eq!(in_use.code, Some(2));
    assert!(in_use.stderr.contains("another `vmyna portal` is using it"), "{}", in_use.stderr);
}

#[test]
fn wrong_usage_is_told_with_the_way_out() {
    let portal = RunningPortal::start(&[]);
    let address = portal.origin.trim_start_matches("http://");
    for (arguments, told) in [
        (vec!["portal", "--bind", address], "--bind ADDR:PORT"),
        (vec!["portal", "--bind", "0.0.0.0:0"], "--origin http://HOST:"),
        (
            vec!["portal", "--bind", "0.0.0.0:0", "--origin", "http://here", "--card", "sim@taro"],
            "Bind to 127.0.0.1, or leave out --card",
        ),
        (vec!["portal", "--bind", "0", "--pki", "/nonexistent"], "`vmyna pki write /nonexistent` makes one"),
        (vec!["portal", "--bind", "0", "--card", "sim@nobody"], "built in are: "),
        (vec!["portal", "--bind", "0", "--state", "/proc/version"], "name a file in a folder that there is"),
        (vec!["portal", "--bind", "0", "--state", "/nonexistent/x"], "name a file in a folder that there is"),
    ] {
        let ended = run(&mut vmyna(&arguments));
        assert_eq!(ended.code, Some(2), "{arguments:?}");
        assert!(ended.stderr.contains(told), "{arguments:?}: {}", ended.stderr);
    }
    let folder = Folder::new();
    let file = folder.path().join("other");
    std::fs::write(&file, "not a database at all").unwrap();
    let ended = run(&mut vmyna(["portal", "--bind", "0", "--state", file.to_str().unwrap()]));
    assert!(ended.stderr.contains("it was left as it is"), "{}", ended.stderr);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "not a database at all");
}

#[test]
fn who_binds_to_every_address_is_told_that_there_is_no_terminal_and_no_tls() {
    let mut portal = process::Running::start(&mut vmyna([
        "portal",
        "--bind",
        "0.0.0.0:0",
        "--origin",
        "http://portal.example:8480",
    ]));
    assert!(portal.tells("terminal ").contains("none: it is for this machine alone"));
    assert!(portal.tells("TLS ").contains("--tls"));
    assert!(portal.says("ready ").contains("http://portal.example:8480"));
}

#[test]
fn revoking_in_the_folder_of_the_pki_is_seen_at_once() {
    let folder = Folder::new();
    let pki = folder.path().join("pki");
    let pki = pki.to_str().unwrap();
    assert_eq!(run(&mut vmyna(["pki", "write", pki])).code, Some(0));
    let portal = RunningPortal::start(&["--no-terminal", "--pki", pki]);
    let inquire = || {
        let challenge = challenge(&portal.origin, "inquiry");
        post_json(&portal.origin, "/inquiries", &answer(&challenge, &sign("hanako", &challenge.nonce))).body
    };
    assert!(inquire().contains("not_registered"));
    assert_eq!(run(&mut vmyna(["pki", "hold", "hanako", "--in", pki])).code, Some(0));
    assert!(inquire().contains("on_hold"));
    assert_eq!(run(&mut vmyna(["pki", "release", "hanako", "--in", pki])).code, Some(0));
    assert!(inquire().contains("not_registered"));
}

#[test]
fn a_responder_is_asked_and_its_silence_is_told() {
    let folder = Folder::new();
    let pki = folder.path().join("pki");
    let pki = pki.to_str().unwrap();
    let mut responder = process::Running::start(&mut vmyna(["pki", "serve", pki, "--bind", "0"]));
    let ready = responder.says("ready http://");
    let url = ready.trim_start_matches("ready ");
    let portal = RunningPortal::start(&["--no-terminal", "--ocsp-url", url]);
    let inquire = |holder: &str| {
        let challenge = challenge(&portal.origin, "inquiry");
        post_json(&portal.origin, "/inquiries", &answer(&challenge, &sign(holder, &challenge.nonce)))
    };
    assert!(inquire("hanako").body.contains("not_registered"));
    assert!(inquire("revoked").body.contains(r#""code":"revoked""#));
    responder.kill();
    let silent = inquire("hanako");
    assert!(silent.status == 503 && silent.body.contains("status_unavailable"), "{silent:?}");
}

#[test]
fn with_tls_the_certificate_can_be_trusted_and_cookies_are_secure() {
    let folder = Folder::new();
    let certificate = folder.path().join("tls.pem");
    let portal = RunningPortal::start(&["--tls", "--tls-certificate", certificate.to_str().unwrap()]);
    let address = portal.origin.trim_start_matches("https://");
    let script = format!(
        "printf 'GET / HTTP/1.1\\r\\nHost: {address}\\r\\nConnection: close\\r\\n\\r\\n' | timeout 60 openssl s_client \
         -connect {address} -CAfile {} -verify_ip 127.0.0.1 -verify_return_error -ign_eof",
        certificate.display()
    );
    let ended = run(std::process::Command::new("sh").args(["-c", &script]));
    assert!(ended.stdout.contains("Verify return code: 0 (ok)"), "{}", ended.all());
    assert!(ended.stdout.contains("__Host-vmyna_session=") && ended.stdout.contains("; Secure"));
    assert!(ended.stdout.contains("strict-transport-security"));
}

/// schemathesis sends what the description allows and what it forbids. `tests/schemathesis install` provides it.
#[test]
fn schemathesis_finds_no_server_error_and_no_breach_of_the_description() {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/schemathesis");
    let installed = run(std::process::Command::new(script).arg("check")).code == Some(0);
    if !installed {
        assert!(
            std::env::var_os("VMYNA_REQUIRE_SCHEMATHESIS").is_none(),
            "schemathesis is missing: `tests/schemathesis install`"
        );
        return;
    }
    let portal = RunningPortal::start(&["--no-terminal", "--rate", "100000"]);
    let ended = run(std::process::Command::new(script).arg("run").arg(&portal.origin));
    assert_eq!(ended.code, Some(0), "{}", ended.all());
}

#[test]
fn the_phone_reads_a_card_that_connects() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = free.local_addr().unwrap().port();
    drop(free);
    let portal = RunningPortal::start(&["--pace", "0", "--card", &format!("vpcd:{port}")]);
    let connect = format!("127.0.0.1:{port}");
    let _card = process::Running::start(&mut vmyna(["serve", "--connect", &connect]));
    portal::must_apply_with_the_card_in_the_seat(&portal);
}

#[test]
fn the_phone_reads_a_card_that_listens_and_finds_it_again() {
    let mut card = process::Running::start(&mut vmyna(["serve", "--listen", "127.0.0.1:0"]));
    let port = card.tells_port("listening for a reader on 127.0.0.1:");
    let portal = RunningPortal::start(&["--pace", "0", "--card", &format!("vicc:127.0.0.1:{port}")]);
    portal::must_apply_with_the_card_in_the_seat(&portal);
    card.kill();
    let mut visitor = Visitor::at(&portal);
    let asked = visitor.ask("inquiry", false);
    let phone = portal::Phone::at(&portal, &asked);
    let shown = phone.present("1234");
    assert!(shown["failed"].is_object() || shown["shows"]["screen"] == "touch", "{shown}");
    let again = format!("127.0.0.1:{port}");
    let mut card = process::Running::start(&mut vmyna(["serve", "--listen", &again]));
    card.tells("listening for a reader on 127.0.0.1:");
    phone.ask("/card/lift", serde_json::json!({}));
    let status = visitor.deliver(&asked.state, &portal::signed(&phone.present("1234")));
    assert_eq!(status.rows(), 3, "{status:?}");
}

#[test]
fn a_seat_that_is_taken_is_told_at_the_start() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let seat = format!("vpcd:{}", taken.local_addr().unwrap().port());
    let ended = run(&mut vmyna(["portal", "--bind", "0", "--card", &seat]));
    assert_eq!(ended.code, Some(2));
    assert!(ended.stderr.contains("--card vpcd:PORT"), "{}", ended.stderr);
}

#[test]
fn an_inquiry_after_a_kill_shows_what_was_applied_for() {
    let folder = Folder::new();
    let state = folder.path().join("portal.redb");
    let arguments = ["--pace", "0", "--state", state.to_str().unwrap()];
    let mut portal = RunningPortal::start(&arguments);
    for (purpose, after) in [("application", "申し込みを受け付けました"), ("inquiry", "登録の申込状況は")]
    {
        let mut visitor = Visitor::at(&portal);
        let asked = visitor.ask(purpose, true);
        let page = visitor
            .deliver(&asked.state, &portal::signed(&portal::Phone::at(&portal, &asked).present("1234")));
        assert!(page.body.contains(after), "{}", page.body);
        assert_eq!((page.rows(), portal.applications()), (3, 1));
        portal.process.kill();
        portal = RunningPortal::start(&arguments);
    }
}

#[test]
fn no_page_needs_the_network() {
    let portal = RunningPortal::start(&[]);
    let mut visitor = Visitor::at(&portal);
    let asked = visitor.ask("application", true);
    visitor.get(&format!("/operator?token={}", portal.operator_token));
    let mut texts: Vec<String> = ["/", "/terms", "/nothing", "/static/portal.css", &asked.flow, "/operator"]
        .map(|path| visitor.get(path).body)
        .into();
    for path in ["/", "/static/terminal.js"] {
        texts.push(portal::Reply::of(agent().get(format!("{}{path}", portal.terminal)).call().unwrap()).body);
    }
    for text in texts {
        let own = text.replace(&portal.origin, "").replace(&portal.terminal, "");
        assert!(text.len() > 100 && !own.contains("http://") && !own.contains("https://"), "{own}");
        assert!(!own.contains("url(") && !own.contains("@import"), "{own}");
    }
}

#[test]
fn no_pin_is_told_by_the_process() {
    let portal = RunningPortal::start(&["--pace", "0"]);
    let mut visitor = Visitor::at(&portal);
    let asked = visitor.ask("application", true);
    let phone = portal::Phone::at(&portal, &asked);
    for pin in ["4711", "0815", "1234"] {
        phone.present(pin);
    }
    visitor.deliver(&asked.state, &portal::signed(&phone.present("1234")));
    portal.process.signal(Signal::TERM);
    let told = portal.process.ends();
    process::assert_no_pin_in(&told.all(), &["1234", "4711", "0815"]);
}

#[test]
fn flows_that_leave_the_card_alone_are_played_with_a_card_behind_a_socket() {
    let mut card = process::Running::start(&mut vmyna(["serve", "--listen", "127.0.0.1:0"]));
    let seat = format!("vicc:127.0.0.1:{}", card.tells_port("listening for a reader on 127.0.0.1:"));
    let ended = run(&mut vmyna(["run", "--tag", "flow", "--card", &seat, "--mine"]));
    assert_eq!(ended.code, Some(0), "{}", ended.all());
    let passed: usize = ended.closing_line().split(' ').next().unwrap().parse().unwrap();
    assert!(passed >= 30 && ended.closing_line().contains(" 0 failed"), "{}", ended.all());
    assert!(ended.stdout.contains("the flow disturbs the card"), "{}", ended.stdout);
    for flow in ["flow.signature.registered[pc-lower-case]", "flow.signature.wrong-then-right[ios]"] {
        let line = ended.stdout.lines().find(|line| line.contains(flow));
        assert!(line.is_some_and(|line| line.contains(" ok ")), "{flow}: {line:?}");
    }
}
