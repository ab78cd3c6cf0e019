//! The send path without maps of owned strings.
//!
//! Headers are scanned in place, replies and requests are written straight into a buffer. These
//! functions know the common shapes only: whatever is unusual (a repeated key, an escape, white
//! space, a missing or a strange field) is `None`, and the ordinary path decides what it means.
//! Where a fast function answers, its answer is the ordinary one's; tests hold it to that.

mod fields;
mod json_scan;
mod peek;
mod reply;
mod reply_view;
mod request;
mod send_view;
mod walk;

pub use peek::peek;
pub use reply::{SendReply, encode_send_reply};
pub use reply_view::send_reply_view;
pub use request::{SendRequest, encode_send_request};
pub use send_view::{SendView, send_view};
pub use walk::Peeked;
