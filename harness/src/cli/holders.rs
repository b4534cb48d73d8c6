//! `vmyna holders`: who is built in.

use super::Failure;
use crate::exit::Exit;
use crate::language::Language;
use std::io::Write;
use vmyna_sim::holder::Holder;

pub(super) fn list() -> Result<Exit, Failure> {
    let mut out = anstream::stdout().lock();
    for name in Holder::built_in_names() {
        if let Some(holder) = Holder::built_in(name) {
            let title = match Language::of_environment() {
                Language::Ja => &holder.title.ja,
                Language::En => &holder.title.en,
            };
            // Who stops reading a list has seen enough of it.
            let _ = writeln!(out, "{name}  {title}");
        }
    }
    Ok(Exit::Success)
}
