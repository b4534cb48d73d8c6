//! Reports: sinks of the one stream of events.

mod text;

pub use text::Text;
