use super::*;
use crate::link::InProcess;
use crate::portal::phone::Phone;
use crate::portal::{Answer, Browser, Rejection, Screen, TerminalFailure};
use jiff::ToSpan;
use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use vmyna_sim::card::{Personalised, VirtualCard};
use vmyna_sim::holder::Holder;
use vmyna_sim::profile::Profile;

fn noon() -> Timestamp {
    "2026-04-01T12:30:00Z".parse().unwrap()
}

fn portal() -> Portal {
    Portal::built_in(noon()).unwrap()
}

/// The holder's own card and PIN answer what the portal asks.
fn answer(holder: &str, request: &CardRequest) -> Answer {
    let personalised = Personalised::new(Holder::built_in(holder).unwrap(), Profile::card(), noon()).unwrap();
    let pin = crate::terminal::own_pin(personalised.holder(), request.purpose.credential().pin());
    let mut card = InProcess(VirtualCard::new(Arc::new(personalised)));
    let mut phone = Phone::new(request.purpose.credential());
    phone
        .touch(&mut card)
        .and_then(|_| phone.authenticate(&mut card, &pin, &request.nonce))
        .unwrap_or_else(Answer::Failed)
}

fn ask(tab: &mut Browser<'_>, purpose: Purpose, tick: bool) -> CardRequest {
    match purpose {
        Purpose::Application => {
            tab.press(Button::StartApplication).unwrap();
            tab.tick(tick);
            tab.press(Button::Agree).unwrap();
            tab.press(Button::Apply).unwrap();
        }
        Purpose::Inquiry => {
            tab.press(Button::StartInquiry).unwrap();
            tab.press(Button::Authenticate).unwrap();
        }
        Purpose::Signature => {
            tab.press(Button::RegisterSignature).unwrap();
            tab.press(Button::Sign).unwrap();
        }
    }
    tab.request().unwrap().clone()
}

fn go(tab: &mut Browser<'_>, purpose: Purpose, tick: bool, holder: &str) -> Page {
    let request = ask(tab, purpose, tick);
    tab.deliver(&answer(holder, &request)).unwrap().clone()
}

#[test]
fn an_application_shows_two_rows_or_three_and_so_does_the_inquiry() {
    for (holder, tick, rows) in [("hanako", true, 3), ("taro", false, 2)] {
        let portal = portal();
        let mut tab = Browser::open(&portal);
        let done = go(&mut tab, Purpose::Application, tick, holder);
        assert_eq!((done.screen, done.outcome), (Screen::Done, Some(Outcome::Accepted)));
        assert_eq!(done.rows, Row::of(Registration::Preparing, tick));
        assert_eq!(done.rows.len(), rows);
        tab.press(Button::Finish).unwrap();
        let mut tab = Browser::open(&portal);
        let status = go(&mut tab, Purpose::Inquiry, false, holder);
        assert_eq!((status.screen, status.rows), (Screen::Status, done.rows));
    }
}

#[test]
fn the_operator_completes_the_registration() {
    let portal = portal();
    let mut tab = Browser::open(&portal);
    go(&mut tab, Purpose::Application, true, "hanako");
    let [(applicant, _)] = &portal.applications().unwrap()[..] else { panic!("one application") };
    assert!(portal.complete_registration(applicant).unwrap());
    assert_eq!(tab.reload().unwrap().rows, Row::of(Registration::Complete, true));
    let nobody = Applicant::parse(&format!("{}:00", "0".repeat(64))).unwrap();
    assert!(!portal.complete_registration(&nobody).unwrap());
}

#[test]
fn every_holder_gets_the_outcome_of_the_card() {
    for (holder, outcome) in [
        ("expired", Rejection::Expired.into()),
        ("revoked", Rejection::Revoked { reason: vmyna_sim::pki::Reason::CessationOfOperation }.into()),
        ("on-hold", Rejection::OnHold.into()),
        ("not-yet-valid", Rejection::NotYetValid.into()),
        ("renewed", Rejection::NotYetPropagated.into()),
        ("blocked", TerminalFailure::PinBlocked.into()),
        ("face-authentication", TerminalFailure::PinBlocked.into()),
        ("child", Outcome::Accepted),
        ("last-try", Outcome::Accepted),
    ] {
        let portal = portal();
        let page = go(&mut Browser::open(&portal), Purpose::Application, true, holder);
        assert_eq!(page.outcome, Some(outcome), "{holder}");
        let applied = usize::from(outcome == Outcome::Accepted);
        assert_eq!(portal.applications().unwrap().len(), applied, "{holder}");
    }
}

#[test]
fn an_inquiry_before_and_a_second_application_are_told_so() {
    let portal = portal();
    let mut tab = Browser::open(&portal);
    assert_eq!(go(&mut tab, Purpose::Inquiry, false, "hanako").outcome, Some(Outcome::NotRegistered));
    tab.press(Button::Finish).unwrap();
    go(&mut tab, Purpose::Application, true, "hanako");
    tab.press(Button::Finish).unwrap();
    let again = go(&mut tab, Purpose::Application, false, "hanako");
    assert_eq!(again.outcome, Some(Outcome::AlreadyRegistered));
    assert!(portal.applications().unwrap()[0].1.register_user, "the first application stays as it is");
}

#[test]
fn a_callback_delivered_twice_applies_once_and_shows_the_same() {
    let portal = portal();
    let mut tab = Browser::open(&portal);
    let request = ask(&mut tab, Purpose::Application, true);
    let answer = answer("hanako", &request);
    let first = tab.deliver(&answer).unwrap().clone();
    assert_eq!(tab.deliver_to(&request.challenge, &answer).unwrap(), &first);
    let other = Answer::Failed(TerminalFailure::LostContact);
    assert_eq!(tab.deliver_to(&request.challenge, &other).unwrap().outcome, Some(Outcome::ChallengeUsed));
    assert_eq!(portal.applications().unwrap().len(), 1);
}

#[test]
fn two_tabs_apply_once() {
    let portal = portal();
    let mut one = Browser::open(&portal);
    let mut two = one.new_tab();
    let [first, second] =
        [ask(&mut one, Purpose::Application, true), ask(&mut two, Purpose::Application, false)];
    assert_eq!(one.deliver(&answer("hanako", &first)).unwrap().outcome, Some(Outcome::Accepted));
    assert_eq!(two.deliver(&answer("hanako", &second)).unwrap().outcome, Some(Outcome::AlreadyRegistered));
    assert_eq!(portal.applications().unwrap().len(), 1);
}

#[test]
fn the_answer_to_one_tab_does_not_fit_the_other_and_another_card_is_noticed() {
    let portal = portal();
    let mut one = Browser::open(&portal);
    let mut two = one.new_tab();
    let [first, _] = [ask(&mut one, Purpose::Application, true), ask(&mut two, Purpose::Application, false)];
    let crossed = two.deliver(&answer("hanako", &first)).unwrap().outcome;
    assert_eq!(crossed, Some(Rejection::SignatureMismatch.into()));
    one.deliver(&answer("hanako", &first)).unwrap();
    two.press(Button::Retry).unwrap();
    two.press(Button::Apply).unwrap();
    let request = two.request().unwrap().clone();
    assert_eq!(two.deliver(&answer("taro", &request)).unwrap().outcome, Some(Outcome::OtherCard));
    assert_eq!(portal.applications().unwrap().len(), 1);
}

#[test]
fn without_the_session_nothing_is_recorded_and_the_challenge_is_not_spent() {
    let portal = portal();
    let mut tab = Browser::open(&portal);
    let request = ask(&mut tab, Purpose::Application, true);
    let answer = answer("hanako", &request);
    let mut stranger = Browser::open(&portal);
    let strange = stranger.deliver_to(&request.challenge, &answer).unwrap();
    assert_eq!(strange.outcome, Some(Outcome::SessionLost));
    stranger.forget_session();
    assert_eq!(stranger.deliver_to(&request.challenge, &answer).unwrap().outcome, Some(Outcome::SessionLost));
    assert_eq!(portal.applications().unwrap().len(), 0);
    assert_eq!(tab.deliver(&answer).unwrap().outcome, Some(Outcome::Accepted));
}

#[test]
fn who_knew_a_session_before_its_holder_was_authenticated_shares_it_no_longer() {
    let portal = portal();
    let lost = |page: Page| page.outcome == Some(Outcome::SessionLost);
    let planted = portal.new_session();
    let (session, request) = portal.challenge_for_terminal(Purpose::Inquiry, Some(planted.clone())).unwrap();
    assert_eq!(session, planted);
    let signed = answer("hanako", &request);
    let shown = portal.deliver(Some(&session), &request.challenge, &signed).unwrap();
    let (flow, renewed) = (shown.flow.unwrap(), shown.renewed.unwrap());
    assert_eq!((portal.is_current(&planted).unwrap(), portal.is_current(&renewed).unwrap()), (false, true));
    assert!(lost(portal.page(&planted, &flow).unwrap()));
    assert!(lost(portal.start(&planted, Purpose::Application).unwrap()));
    assert!(lost(portal.press(&planted, &flow, Button::Finish, None).unwrap()));
    let (other, _) = portal.challenge_for_terminal(Purpose::Signature, Some(planted.clone())).unwrap();
    assert!(other.key() != renewed.key(), "a new session is begun");
    let again = portal.deliver(Some(&planted), &request.challenge, &signed).unwrap();
    assert_eq!(again.renewed.as_ref(), Some(&renewed), "whoever has what the card signed may come again");
    portal.press(&renewed, &flow, Button::Finish, None).unwrap();
    assert!(!portal.is_current(&planted).unwrap());
}

#[test]
fn each_authentication_renews_the_session_and_nothing_else_does() {
    let portal = portal();
    let mut tab = Browser::open(&portal);
    ask(&mut tab, Purpose::Application, true);
    assert_eq!(tab.deliver(&Answer::Failed(TerminalFailure::LostContact)).unwrap().renewed, None);
    tab.press(Button::Retry).unwrap();
    tab.press(Button::Apply).unwrap();
    let request = tab.request().unwrap().clone();
    let first = tab.deliver(&answer("hanako", &request)).unwrap().renewed.clone();
    let mut other = tab.new_tab();
    let second = go(&mut other, Purpose::Inquiry, false, "hanako").renewed;
    assert!(first.is_some() && second.is_some() && first != second);
    assert_eq!(tab.reload().unwrap().screen, Screen::Done, "the other tab goes on");
}

#[test]
fn an_old_state_is_refused() {
    let portal = portal();
    let mut tab = Browser::open(&portal);
    let old = ask(&mut tab, Purpose::Application, true);
    tab.press(Button::Back).unwrap();
    tab.press(Button::Apply).unwrap();
    let replayed = tab.deliver_to(&old.challenge, &answer("hanako", &old)).unwrap();
    assert_eq!(replayed.outcome, Some(Outcome::ChallengeUnknown));
    assert_eq!(portal.applications().unwrap().len(), 0);
}

/// A portal whose clock the returned handle moves, in minutes.
fn portal_with_clock() -> (Portal, Arc<AtomicI64>) {
    let minutes = Arc::new(AtomicI64::new(0));
    let clock = minutes.clone();
    let now = move || noon() + clock.load(Ordering::Relaxed).minutes();
    let checker = Checker::new(built_in_anchors(noon()).unwrap(), Box::new(BuiltInRegister::default()));
    let store = Store::in_memory().unwrap();
    let portal = Portal::new(store, checker, Box::new(now), seeded_randomness(1), Lives::default());
    (portal, minutes)
}

#[test]
fn a_late_answer_is_told_to_be_late_and_flows_are_forgotten() {
    let (portal, minutes) = portal_with_clock();
    let mut tab = Browser::open(&portal);
    let request = ask(&mut tab, Purpose::Application, true);
    minutes.store(6, Ordering::Relaxed);
    let late = tab.deliver(&answer("hanako", &request)).unwrap();
    assert_eq!(late.outcome, Some(Outcome::ChallengeExpired));
    let mut tab = Browser::open(&portal);
    ask(&mut tab, Purpose::Application, true);
    minutes.store(60, Ordering::Relaxed);
    Browser::open(&portal).press(Button::StartApplication).unwrap();
    assert_eq!(tab.reload().unwrap().outcome, Some(Outcome::SessionLost));
    assert_eq!(portal.store.all::<Flow>().unwrap().len(), 1);
}

#[test]
fn an_unfinished_touch_leaves_no_application_and_can_be_tried_again() {
    let portal = portal();
    let mut tab = Browser::open(&portal);
    ask(&mut tab, Purpose::Application, true);
    let failed = tab.deliver(&Answer::Failed(TerminalFailure::LostContact)).unwrap();
    assert_eq!((failed.screen, failed.buttons().len()), (Screen::Failed, 2));
    assert_eq!(portal.applications().unwrap().len(), 0);
    tab.press(Button::Retry).unwrap();
    tab.press(Button::Apply).unwrap();
    let request = tab.request().unwrap().clone();
    assert_eq!(tab.deliver(&answer("hanako", &request)).unwrap().rows.len(), 3);
}

#[test]
fn a_busy_portal_says_so_and_takes_the_same_answer_later() {
    let portal = portal();
    let mut tab = Browser::open(&portal);
    let request = ask(&mut tab, Purpose::Application, false);
    let answer = answer("hanako", &request);
    portal.set_busy(true);
    assert_eq!(tab.deliver(&answer).unwrap().outcome, Some(Outcome::ServerBusy));
    portal.set_busy(false);
    let later = tab.deliver_to(&request.challenge, &answer).unwrap();
    assert_eq!(later.outcome, Some(Outcome::Accepted));
}

#[test]
fn a_terminal_of_its_own_needs_the_right_purpose() {
    let portal = portal();
    let (session, request) = portal.challenge_for_terminal(Purpose::Inquiry, None).unwrap();
    let answer = answer("hanako", &request);
    let deliver = |purpose| {
        portal.deliver_from_terminal(Some(&session), &request.challenge, &answer, purpose, true).unwrap()
    };
    assert_eq!(deliver(Purpose::Application).outcome, Some(Outcome::ChallengeUnknown));
    assert_eq!(deliver(Purpose::Inquiry).outcome, Some(Outcome::NotRegistered));
}

#[test]
fn applications_survive_a_restart_and_the_file_is_nobody_elses() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("portal.redb");
    let open = || {
        let checker = Checker::new(built_in_anchors(noon()).unwrap(), Box::new(BuiltInRegister::default()));
        let store = Store::open(&path)?;
        Ok::<_, StoreError>(Portal::new(
            store,
            checker,
            Box::new(noon),
            seeded_randomness(2),
            Lives::default(),
        ))
    };
    let portal = open().unwrap();
    let (session, request) = portal.challenge_for_terminal(Purpose::Application, None).unwrap();
    assert!(matches!(open().err(), Some(StoreError::InUse(_))));
    let answer = answer("hanako", &request);
    portal.deliver(Some(&session), &request.challenge, &answer).unwrap();
    drop(portal);
    let portal = open().unwrap();
    assert_eq!(portal.applications().unwrap().len(), 1);
    let again = portal.deliver(Some(&session), &request.challenge, &answer).unwrap();
    assert_eq!(again.outcome, Some(Outcome::Accepted), "even the page is there again");
    drop(portal);
    let other = folder.path().join("other.redb");
    let table = redb::TableDefinition::<&str, &str>::new("somebody else's");
    {
        let database = redb::Database::create(&other).unwrap();
        let transaction = database.begin_write().unwrap();
        transaction.open_table(table).unwrap().insert("key", "value").unwrap();
        transaction.commit().unwrap();
    }
    assert!(matches!(Store::open(&other).err(), Some(StoreError::Foreign(_))));
    let database = redb::Database::open(&other).unwrap();
    let tables = redb::ReadableDatabase::begin_read(&database).unwrap().list_tables().unwrap().count();
    assert_eq!(tables, 1, "it was left as it is");
    std::fs::write(&path, b"something else, and long enough to be looked at as a file of its own").unwrap();
    assert!(matches!(open().err(), Some(StoreError::Foreign(_))));
}
