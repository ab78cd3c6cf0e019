//! A run as one page of HTML: lanes, arrows, bands, marks and what each process was like at any
//! moment.
//!
//! A [`Record`] goes in, a page comes out: [`page()`]. The page holds its data, its style and its
//! script, fetches nothing and opens from a file. Its parts are the files of `web/`.
//!
//! *Invariant:* this package is pure and knows neither the simulator nor the product: no node that
//! it did not get as a lane, no request code that it did not get as a word. Whoever has a history
//! of processes and messages can draw it.

mod page;
mod record;

pub use page::page;
pub use record::{Arrow, Band, Class, Event, Kind, Lane, Record, Row, State, Strip, Violation};
