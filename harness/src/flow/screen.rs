//! What a holder sees on a page of the portal and on the screens of the terminal, as text.

use super::stage::{Absent, Seen};
use crate::portal::phone::TerminalScreen;
use crate::portal::{Button, Message, Page, Registration, Row, Screen};
use crate::scenario::{Pressable, RowName, ScreenName};
use crate::terminal::{Credential, PinForm, Platform};

/// The portal's button; `None` for one of the terminal.
pub(super) const fn button(pressed: Pressable) -> Option<Button> {
    Some(match pressed {
        Pressable::StartApplication => Button::StartApplication,
        Pressable::StartInquiry => Button::StartInquiry,
        Pressable::Agree => Button::Agree,
        Pressable::Back => Button::Back,
        Pressable::Apply => Button::Apply,
        Pressable::Authenticate => Button::Authenticate,
        Pressable::Finish => Button::Finish,
        Pressable::Retry => Button::Retry,
        Pressable::RegisterSignature => Button::RegisterSignature,
        Pressable::Sign => Button::Sign,
        Pressable::Confirm | Pressable::Cancel => return None,
    })
}

const fn pressable(button: Button) -> Pressable {
    match button {
        Button::StartApplication => Pressable::StartApplication,
        Button::StartInquiry => Pressable::StartInquiry,
        Button::Agree => Pressable::Agree,
        Button::Back => Pressable::Back,
        Button::Apply => Pressable::Apply,
        Button::Authenticate => Pressable::Authenticate,
        Button::Finish => Pressable::Finish,
        Button::Retry => Pressable::Retry,
        Button::RegisterSignature => Pressable::RegisterSignature,
        Button::Sign => Pressable::Sign,
    }
}

const fn row(row: Row) -> RowName {
    match row {
        Row::Application => RowName::Accepted,
        Row::Registration(Registration::Preparing) => RowName::Preparing,
        Row::Registration(Registration::Complete) => RowName::Registered,
        Row::UserRegistration => RowName::UserRegistration,
    }
}

/// The portal's screen.
pub(super) const fn named(screen: Screen) -> ScreenName {
    match screen {
        Screen::Top => ScreenName::Top,
        Screen::Confirm => ScreenName::Confirm,
        Screen::Apply => ScreenName::Apply,
        Screen::Authenticate => ScreenName::Authenticate,
        Screen::Sign => ScreenName::Sign,
        Screen::Card | Screen::CardForInquiry | Screen::CardForSignature => ScreenName::Card,
        Screen::Done => ScreenName::Done,
        Screen::Status => ScreenName::Status,
        Screen::Registered => ScreenName::Registered,
        Screen::Failed => ScreenName::Failed,
    }
}

/// A button that is not on the screen.
pub(super) const fn no_button(button: Button, screen: Screen) -> Absent {
    Absent::Button { button: pressable(button), screen: named(screen) }
}

/// A page without its terminal.
pub(super) fn of_page(page: &Page) -> Seen {
    let outcome = page.outcome.map(|outcome| (outcome.code(), outcome.message()));
    of_portal(page.screen, page.register_user, outcome, &page.rows, page.buttons())
}

/// What a screen of the portal's comes to: its outcome by its name, with what the holder is told.
pub(super) fn of_portal(
    screen: Screen,
    is_ticked: bool,
    outcome: Option<(&str, Message)>,
    rows: &[Row],
    buttons: &[Button],
) -> Seen {
    let mut lines = Vec::new();
    let outcome = outcome.map(|(code, message)| {
        lines.extend([message.title.ja, message.advice.ja]);
        code.to_owned()
    });
    lines.extend(rows.iter().map(|row| format!("{}: {}", row.label().ja, row.value().ja)));
    if screen == Screen::Confirm {
        lines.push(format!("{} マイナポータルの利用者登録を行う", if is_ticked { "☑" } else { "☐" }));
    }
    lines.extend(buttons.iter().map(|button| format!("［{}］", button.label().ja)));
    Seen {
        screen: named(screen),
        rows: rows.iter().map(|found| row(*found)).collect(),
        outcome,
        buttons: buttons.iter().map(|button| pressable(*button)).collect(),
        text: lines.join("\n"),
    }
}

/// A screen of the terminal.
pub(super) fn of_terminal(platform: Platform, screen: TerminalScreen, credential: Credential) -> Seen {
    let words = credential.words();
    let (screen, buttons, text) = match (screen, platform.pin_form()) {
        (TerminalScreen::Pin, PinForm::Page) => (
            ScreenName::Pin,
            vec![Pressable::Confirm, Pressable::Cancel],
            format!("{}\n{}\n{}\n［次へ］ ［キャンセル］", words.title.ja, words.page.ja, words.place.ja),
        ),
        (TerminalScreen::Pin, PinForm::Dialog) => (
            ScreenName::Pin,
            vec![Pressable::Confirm, Pressable::Cancel],
            format!("パスワード入力\n{}\n［キャンセル］ ［OK］", words.dialog.ja),
        ),
        (TerminalScreen::Touch, _) => {
            (ScreenName::Touch, vec![Pressable::Cancel], platform.touch_instruction().ja)
        }
    };
    Seen { screen, rows: Vec::new(), outcome: None, buttons, text }
}
