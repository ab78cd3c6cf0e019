//! How connections end: closed, left by a process that died, reset.

use std::io::ErrorKind;
use std::sync::Arc;

use super::hub::{Connection, Hub};
use crate::node::Node;

impl Hub {
    /// The process at `end` closes it, or dies and its kernel does (`abrupt`).
    ///
    /// As TCP has it: with bytes unread the other end is reset; otherwise it reads to the end, and
    /// is reset when it writes on.
    pub(crate) fn close(&self, connection: &Arc<Connection>, end: usize, abrupt: bool) {
        let ground = &self.0.ground;
        let (me, peer) = (&connection.nodes[end], &connection.nodes[1 - end]);
        let mut state = self.state();
        let mut wire = connection.wire();
        if wire.is_gone(end) {
            return;
        }
        let silent = state.is_dark(me);
        let reset = abrupt || wire.unread(end);
        wire.leave(end);
        if !silent && !wire.is_gone(1 - end) {
            let latency = state.latency(ground, me, peer);
            if !reset {
                wire.shutdown(end, ground.now(), latency);
            } else if state.is_open(ground, me, peer) {
                wire.fail(1 - end, ground.now() + latency, ErrorKind::ConnectionReset);
            }
        }
        if wire.is_gone(1 - end) {
            state.connections.remove(&connection.number);
        }
        drop((wire, state));
        let numbers = [connection.number, u64::from(reset)];
        ground.record(me, "close", numbers, format_args!("{peer}"));
    }

    /// Something was sent to an end that nobody holds: its kernel answers with a reset, if it can.
    pub(crate) fn answer_dead_letter(&self, connection: &Connection, from: usize) {
        let ground = &self.0.ground;
        let (me, peer) = (&connection.nodes[from], &connection.nodes[1 - from]);
        let mut state = self.state();
        if state.is_open(ground, me, peer) {
            let trip = state.latency(ground, me, peer) + state.latency(ground, peer, me);
            drop(state);
            let at = ground.now() + trip;
            connection.wire().fail(from, at, ErrorKind::ConnectionReset);
        }
    }

    /// What nobody has read yet in the connections of a node, in words.
    pub(crate) fn unread(&self, node: &Node) -> Vec<String> {
        let mut words = Vec::new();
        for (connection, end) in self.state().connections_of(node) {
            let (count, silent) = connection.wire().unread_bytes(end);
            let peer = &connection.nodes[1 - end];
            if count > 0 {
                let cut = if silent { ", and the way is cut" } else { "" };
                words.push(format!("{count} bytes from {peer} are unread{cut}"));
            }
        }
        words
    }

    /// Every connection between the two is forgotten on its way, as by a middlebox that was started
    /// anew: what is sent on it vanishes. How many there were.
    pub(crate) fn lose_between(&self, one: &Node, other: &Node) -> u64 {
        let ground = &self.0.ground;
        let connections = self.state().connections_of(one);
        let between =
            connections.iter().filter(|(connection, end)| connection.nodes[1 - *end] == *other);
        let count = between.map(|(connection, _)| connection.wire().lose(ground.now())).count();
        let numbers = [count as u64, u64::from(other.index())];
        ground.record(one, "half-open", numbers, format_args!("{other}"));
        count as u64
    }

    /// Resets every connection between the two. How many there were.
    pub(crate) fn reset_between(&self, one: &Node, other: &Node) -> u64 {
        let ground = &self.0.ground;
        let connections = self.state().connections_of(one);
        let mut count = 0;
        for (connection, end) in connections {
            if connection.nodes[1 - end] == *other {
                let mut wire = connection.wire();
                wire.drop_under_way(ground.now());
                wire.fail(0, ground.now(), ErrorKind::ConnectionReset);
                wire.fail(1, ground.now(), ErrorKind::ConnectionReset);
                count += 1;
            }
        }
        ground.record(one, "reset", [count, u64::from(other.index())], format_args!("{other}"));
        count
    }
}
