//! Ways that are cut and opened again, and machines that fall silent and come back.

use std::io::ErrorKind;
use std::sync::Arc;
use std::time::Duration;

use super::hub::{Connection, Hub, State};
use super::link::Link;
use crate::ground::Ground;
use crate::node::Node;

impl Hub {
    /// The process of the node dies; `silently` when its machine does.
    pub(crate) fn crash(&self, node: &Node, silently: bool) {
        let mut state = self.state();
        if let Some(host) = state.hosts.get_mut(&node.index()) {
            host.epoch += 1;
            host.dark = silently;
        }
        let gone: Vec<_> =
            state.listeners.keys().filter(|(index, _)| *index == node.index()).copied().collect();
        gone.iter().for_each(|key| drop(state.listeners.remove(key)));
        let mine = state.connections_of(node);
        if silently {
            state.sever(&mine, node, self.0.ground.now());
        }
        drop(state);
        for (connection, end) in mine {
            // A kernel that outlives its process resets some peers and ends others in good order.
            let abrupt = !silently && {
                let (me, peer) = (&connection.nodes[end], &connection.nodes[1 - end]);
                self.below(me, peer, 2) == 0
            };
            self.close(&connection, end, abrupt);
        }
    }

    /// The machine of the node has power again: it answers old connections with a reset, as soon
    /// as it hears from them.
    pub(crate) fn light(&self, node: &Node) {
        let ground = &self.0.ground;
        let mut state = self.state();
        let Some(host) = state.hosts.get_mut(&node.index()) else { return };
        if !std::mem::take(&mut host.dark) {
            return;
        }
        for (connection, end) in state.connections_of(node) {
            state.mend(ground, &connection, end);
        }
        drop(state);
        self.0.opened.notify_waiters();
    }

    /// Cuts the way from one node to another. Again is harmless.
    pub(crate) fn cut(&self, from: &Node, to: &Node) {
        let ground = &self.0.ground;
        let mut state = self.state();
        state.link(ground, from, to).cut = true;
        for (connection, end) in state.connections_of(from) {
            if connection.nodes[1 - end] == *to {
                connection.wire().cut(end, ground.now());
            }
        }
        drop(state);
        ground.record(from, "cut", [0, u64::from(to.index())], format_args!("to {to}"));
    }

    /// Opens the way from one node to another. Again is harmless.
    pub(crate) fn heal(&self, from: &Node, to: &Node) {
        let ground = &self.0.ground;
        let mut state = self.state();
        if !std::mem::take(&mut state.link(ground, from, to).cut) {
            return;
        }
        for (connection, end) in state.connections_of(from) {
            if connection.nodes[1 - end] == *to {
                state.mend(ground, &connection, end);
            }
        }
        drop(state);
        ground.record(from, "heal", [0, u64::from(to.index())], format_args!("to {to}"));
        self.0.opened.notify_waiters();
    }

    /// Every way of the world that is cut.
    pub(crate) fn cuts(&self) -> Vec<(Node, Node)> {
        let state = self.state();
        let cut = state.links.iter().filter(|(_, link)| link.cut);
        cut.filter_map(|((from, to), _)| {
            let node = |index| state.hosts.get(index).map(|host| host.node.clone());
            Some((node(from)?, node(to)?))
        })
        .collect()
    }

    /// Changes what is wrong with the way from one node to another.
    pub(crate) fn turn_link(&self, from: &Node, to: &Node, turn: impl FnOnce(&mut Link)) {
        turn(self.state().link(&self.0.ground, from, to));
    }
}

impl State {
    /// The machine falls silent: nothing reaches it and nothing leaves it.
    fn sever(&mut self, connections: &[(Arc<Connection>, usize)], node: &Node, now: Duration) {
        for (connection, end) in connections {
            debug_assert!(connection.nodes[*end] == *node, "an end of the node");
            connection.wire().cut(1 - end, now);
        }
    }

    /// Opens the pipes of a connection as far as the ways and machines between its ends allow.
    fn mend(&mut self, ground: &Ground, connection: &Connection, end: usize) {
        let now = ground.now();
        for from in [end, 1 - end] {
            let (me, peer) = (&connection.nodes[from], &connection.nodes[1 - from]);
            if self.is_dark(me) || self.is_dark(peer) || self.link(ground, me, peer).cut {
                continue;
            }
            let retransmission = self.link(ground, me, peer).retransmission();
            connection.wire().heal(from, now, retransmission);
        }
        if !self.is_open(ground, &connection.nodes[0], &connection.nodes[1]) {
            return;
        }
        let keepalive = self.shape.keepalive;
        for from in [0, 1] {
            let mut wire = connection.wire();
            if wire.is_gone(1 - from) && !wire.is_gone(from) {
                let (me, peer) = (&connection.nodes[from], &connection.nodes[1 - from]);
                let retransmission = self.link(ground, me, peer).retransmission();
                let hears = if wire.owes_answer(from) { retransmission } else { keepalive };
                wire.fail(from, now + hears, ErrorKind::ConnectionReset);
            }
        }
    }
}
