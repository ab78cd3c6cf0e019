//! Producers, consumers and what they share: routes, heartbeats, rebalance, fault avoidance.
//!
//! Decisions are pure and stand alone: [`rebalance`] (which queues are mine), [`route`] (what a
//! topic's route means), [`fault`] (which broker to avoid), [`consumer::progress`] (how far may be
//! committed), [`consumer::reaction`] (what comes after a pull). The rest asks, waits and acts.
//!
//! *Invariant:* a client knows a cluster only by its protocol. It knows no store and no disk; its
//! verdict on a request without an answer is "unknown", never "it did not happen".

mod attempt;
mod client;
mod config;
pub mod consumer;
mod error;
pub mod fault;
mod group;
mod inbound;
mod link;
pub mod pipeline;
mod producer;
mod query;
pub mod rebalance;
mod registry;
pub mod route;
mod routes;
mod subscription;

pub use attempt::{Attempt, AttemptHook, AttemptOutcome, Stored};
pub use client::Client;
pub use config::{ClientConfig, ConsumeFrom, ProducerConfig, PushConfig};
pub use consumer::{
    Boundary, ConsumeStatus, Delivery, GroupObserver, MessageListener, PullConsumer, PullOptions,
    PullResult, PullStatus, PushConsumer,
};
pub use error::{ClientError, SendError};
pub use producer::{Producer, SendResult, SendStatus};
pub use query::{KeyAnswer, KeyQuery};
pub use subscription::{Subscription, TagFilter};
