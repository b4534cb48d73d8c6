//! The desk with a phone and a card on it: the terminal as a small service of its own, on its own
//! port and so its own origin. PINs are entered on its page and go no further than to the card; the
//! portal gets a signature and a certificate, brought by the browser. Only this machine reaches it.

mod call;
mod http;
mod table;

pub use call::Circumstances;
pub use http::{Terminal, router};
pub use table::{Card, Cards, Contact, Table, Told};
