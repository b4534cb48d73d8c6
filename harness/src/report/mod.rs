//! Reports: sinks of the one stream of events.

mod collector;
mod html;
mod junit;
mod latency;
mod merge;
mod model;
mod output;
mod plot;
mod progress;
mod tap;
mod text;
mod words;

pub use collector::Collector;
pub use junit::serialize as write_junit;
pub use merge::{MergeError, merge_json, merge_junit};
pub use model::{
    Case, ExchangeRecord, FindingRecord, HappeningRecord, Latency, ReaderRecord, Report, RequirementResult,
    RequirementVerdict, Tool, Unexpected, VERSION,
};
pub use output::{Destination, Format, Output, OutputError};
pub use progress::Progress;
pub use text::Text;
