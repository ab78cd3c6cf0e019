//! A store looked at from outside: checked, shown, put right. For tools, not for a broker.
//!
//! *Invariant:* everything here but [`repair`] only reads, and reads through
//! [`runtime::Disk::open_sparse`]: no hole is filled, nothing changed, no permission to write
//! needed. It works on stores of RocketMQ 4.9 as on hotfire's. Nothing is opened for longer than
//! it is read, and memory is bounded by the number of queues, not by their length: see
//! `queues.rs` and `index.rs`.

mod check;
mod dump;
mod error;
mod finding;
mod index;
mod json;
mod queues;
mod repair;
mod survey;
mod trust;
mod walk;
mod window;

pub use check::{CheckOptions, Report, Summary, check};
pub use dump::{DumpRequest, Dumped, Sink, dump};
pub use error::InspectError;
pub use finding::{FINDINGS_PER_KIND_MAX, Finding, Findings, Group, Kind, Severity};
pub use repair::{Plan, Remedy, Step, repair};
pub use survey::Survey;
