//! What is said of a served card: events on standard error, `ready` on standard output, the trace.

use std::io::Write;
use vmyna_sim::smart_card::Power;
use vmyna_sim::trace::Traced;
use vmyna_sim::vpcd::Event;

/// Which of several cards is spoken of; nothing when there is only one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Speaker(pub(super) Option<u16>);

impl Speaker {
    /// Says a line on standard error.
    pub(super) fn tell(self, line: impl std::fmt::Display) {
        let _ = match self.0 {
            None => writeln!(anstream::stderr(), "{line}"),
            Some(slot) => writeln!(anstream::stderr(), "slot {slot}: {line}"),
        };
    }

    /// Writes a trace; when that fails, it is said, and the card goes on without.
    pub(super) fn writer(self, out: impl Write + Send) -> impl FnMut(Traced) + Send {
        let mut out = Some(out);
        move |traced| {
            let Some(writing) = &mut out else { return };
            let text = match traced {
                Traced::Power(Power::Off) => "- power off".to_owned(),
                Traced::Power(Power::On) => "- power on".to_owned(),
                Traced::Power(Power::WarmReset) => "- warm reset".to_owned(),
                Traced::Exchange(exchange) => format!("{exchange:#}"),
            };
            let text: String = match self.0 {
                None => format!("{text}\n"),
                Some(slot) => text.lines().map(|line| format!("slot {slot} {line}\n")).collect(),
            };
            if let Err(error) = writing.write_all(text.as_bytes()) {
                out = None;
                self.tell(format_args!("the trace ends here, it cannot be written: {error}"));
            }
        }
    }

    /// Says what is happening, and `ready` on standard output.
    pub(super) fn hear(self, event: &Event) {
        match event {
            Event::Ready => {
                let mut stdout = std::io::stdout();
                let _ = match self.0 {
                    None => writeln!(stdout, "ready"),
                    Some(slot) => writeln!(stdout, "ready slot {slot}"),
                }
                .and_then(|()| stdout.flush());
            }
            Event::Connecting { to } => self.tell(format_args!("looking for a reader at {to}")),
            Event::Listening { on } => self.tell(format_args!("listening for a reader on {on}")),
            Event::Waiting { reason } => self.tell(format_args!(
                "waiting: {reason} (pcscd with the driver vsmartcard-vpcd listens once it runs; `pcscd --foreground` shows why not)"
            )),
            Event::Connected { peer } => self.tell(format_args!("connected to {peer}")),
            Event::Silent(_) => self.tell("connected but silent: another card is in this slot"),
            Event::UndefinedControl(byte) => {
                self.tell(format_args!("the reader sent the undefined control byte {byte:02X}; ignored, and so is each further one"));
            }
            Event::EmptyFrame => self.tell("the reader sent an empty frame; ignored, and so is each further one"),
            Event::Meaningless(count) => self.tell(format_args!("ignored in all: {count} frames without a meaning")),
            Event::Disconnected(ended) => self.tell(format_args!("disconnected: {ended}")),
            other => self.tell(format_args!("{other:?}")),
        }
    }
}
