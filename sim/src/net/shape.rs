//! How the network behaves when nothing is wrong with it.

use std::time::Duration;

use crate::latency::Latency;

/// How the network behaves on every link; what is wrong with one link stands in [`crate::fault`].
#[derive(Clone, Debug)]
pub struct NetShape {
    /// From one node to another, one way.
    pub latency: Latency,
    /// From a node to itself, one way.
    pub loopback: Latency,
    /// What may be under way or unread in one direction of a connection, in bytes, at least 1.
    pub window: usize,
    /// How many bytes one direction of a connection carries in a second; 0 for any number.
    pub bandwidth: u64,
    /// One in so many writes is accepted in part only or arrives in two pieces; 0 for none.
    pub split_one_in: u64,
    /// A read takes no more bytes than this, at least 1.
    pub read_max: usize,
    /// One in so many pieces is lost and arrives after a retransmission; 0 for none.
    pub loss_one_in: u64,
    /// How long a connection survives without an acknowledgement for what it sent.
    pub give_up: Duration,
    /// How long an idle connection to a machine that was away survives its return.
    pub keepalive: Duration,
    /// How many connections may wait to be accepted at one listener.
    pub backlog: usize,
}

impl Default for NetShape {
    fn default() -> Self {
        Self {
            latency: Latency::between(Duration::from_micros(150), Duration::from_millis(300)),
            loopback: Latency::between(Duration::from_micros(10), Duration::from_millis(20)),
            window: 64 << 10,
            bandwidth: 125_000_000,
            split_one_in: 3,
            read_max: usize::MAX,
            loss_one_in: 0,
            // Linux: tcp_retries2 = 15 gives up after some 924 seconds.
            give_up: Duration::from_secs(924),
            keepalive: Duration::from_secs(7200),
            backlog: 128,
        }
    }
}
