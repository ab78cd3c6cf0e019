//! The network as a whole: who is where, which ways are open, who listens, who is connected.

use std::collections::{BTreeMap, VecDeque};
use std::io::{self, ErrorKind};
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::time::Duration;

use tokio::sync::Notify;

use super::link::Link;
use super::shape::NetShape;
use super::wire::Wire;
use crate::ground::Ground;
use crate::node::Node;

/// The network of a world. Clones are the same network.
#[derive(Clone)]
pub(crate) struct Hub(Arc<Shared>);

struct Shared {
    ground: Ground,
    state: Mutex<State>,
    /// Rung when a way opens, a machine comes back or a backlog has room again.
    opened: Notify,
}

#[derive(Default)]
struct State {
    shape: NetShape,
    /// By index.
    hosts: BTreeMap<u32, Host>,
    links: BTreeMap<(u32, u32), Link>,
    listeners: BTreeMap<(u32, u16), Backlog>,
    connections: BTreeMap<u64, Arc<Connection>>,
    numbers: u64,
}

struct Host {
    node: Node,
    /// The machine has no power: nothing answers.
    dark: bool,
    /// Counts the lives of the process.
    epoch: u64,
    port: u16,
}

/// Connections that wait to be accepted.
struct Backlog {
    number: u64,
    ip: IpAddr,
    queue: VecDeque<Arc<Connection>>,
    acceptors: Vec<Waker>,
}

/// A connection and where its ends are. End 0 connected, end 1 accepted.
pub(crate) struct Connection {
    pub(crate) number: u64,
    pub(crate) nodes: [Node; 2],
    pub(crate) addresses: [SocketAddr; 2],
    wire: Mutex<Wire>,
}

impl Connection {
    pub(crate) fn wire(&self) -> MutexGuard<'_, Wire> {
        self.wire.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What became of an attempt to connect.
pub(crate) enum Answer {
    Accepted(Arc<Connection>),
    Refused,
    /// Nobody answers, or nobody can be heard.
    Silence,
}

/// The ephemeral ports, as on Linux.
const PORTS: std::ops::RangeInclusive<u16> = 32768..=60999;

impl State {
    fn link(&mut self, ground: &Ground, from: &Node, to: &Node) -> &mut Link {
        self.links
            .entry((from.index(), to.index()))
            .or_insert_with(|| Link::new(ground.stream(&format!("net/{from}>{to}")), from == to))
    }

    /// The node that has the address, as `from` sees it.
    fn host_at(&self, from: &Node, ip: IpAddr) -> Option<Node> {
        if ip.is_loopback() || ip.is_unspecified() {
            return Some(from.clone());
        }
        self.hosts.values().map(|host| &host.node).find(|node| node.ip() == ip).cloned()
    }

    fn is_dark(&self, node: &Node) -> bool {
        self.hosts.get(&node.index()).is_none_or(|host| host.dark)
    }

    /// Whether both ways between the nodes are open and both machines have power.
    fn is_open(&mut self, ground: &Ground, one: &Node, other: &Node) -> bool {
        !self.is_dark(one)
            && !self.is_dark(other)
            && !self.link(ground, one, other).cut
            && !self.link(ground, other, one).cut
    }

    fn latency(&mut self, ground: &Ground, from: &Node, to: &Node) -> Duration {
        let shape = self.shape.clone();
        self.link(ground, from, to).latency(&shape)
    }

    fn number(&mut self) -> u64 {
        self.numbers += 1;
        self.numbers
    }

    fn ephemeral_port(&mut self, node: &Node) -> Option<u16> {
        let used = |state: &Self, port: u16| {
            state.listeners.contains_key(&(node.index(), port))
                || state.connections.values().any(|connection| {
                    connection.nodes[0] == *node && connection.addresses[0].port() == port
                })
        };
        for _ in PORTS {
            let host = self.hosts.get_mut(&node.index())?;
            host.port =
                if PORTS.contains(&(host.port + 1)) { host.port + 1 } else { *PORTS.start() };
            let port = host.port;
            if !used(self, port) {
                return Some(port);
            }
        }
        None
    }
}

impl Hub {
    pub(crate) fn new(ground: Ground) -> Self {
        Self(Arc::new(Shared { ground, state: Mutex::default(), opened: Notify::new() }))
    }

    pub(crate) fn ground(&self) -> &Ground {
        &self.0.ground
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn add(&self, node: &Node) {
        let host = Host { node: node.clone(), dark: false, epoch: 1, port: *PORTS.start() };
        self.state().hosts.insert(node.index(), host);
    }

    pub(crate) fn shape(&self) -> NetShape {
        self.state().shape.clone()
    }

    pub(crate) fn reshape(&self, turn: impl FnOnce(&mut NetShape)) {
        turn(&mut self.state().shape);
    }

    /// Which life of the node's process may use the network.
    pub(crate) fn epoch(&self, node: &Node) -> u64 {
        self.state().hosts.get(&node.index()).map_or(0, |host| host.epoch)
    }

    /// Rung when a way opens.
    pub(crate) fn opened(&self) -> &Notify {
        &self.0.opened
    }

    /// The address that `HOST:PORT` means on `node`.
    pub(crate) fn resolve(&self, node: &Node, address: &str) -> io::Result<SocketAddr> {
        if let Ok(address) = address.parse() {
            return Ok(address);
        }
        let malformed =
            || io::Error::new(ErrorKind::InvalidInput, format!("{address}: not HOST:PORT"));
        let (host, port) = address.rsplit_once(':').ok_or_else(malformed)?;
        let port: u16 = port.parse().map_err(|_| malformed())?;
        if host == "localhost" {
            return Ok(SocketAddr::new(IpAddr::from([127, 0, 0, 1]), port));
        }
        let state = self.state();
        let named = state.hosts.values().find(|candidate| candidate.node.name() == host);
        let ip = named.map(|found| found.node.ip()).ok_or_else(|| {
            let message = format!("{address}: no such host (asked on {node})");
            io::Error::new(ErrorKind::NotFound, message)
        })?;
        Ok(SocketAddr::new(ip, port))
    }

    /// Opens a listener. Its number, and the address it really has.
    pub(crate) fn listen(&self, node: &Node, at: SocketAddr) -> io::Result<(u64, SocketAddr)> {
        let ip = at.ip();
        if !(ip.is_unspecified() || ip.is_loopback() || ip == node.ip()) {
            let message = format!("{at}: not an address of {node}");
            return Err(io::Error::new(ErrorKind::AddrNotAvailable, message));
        }
        let mut state = self.state();
        let in_use = || io::Error::new(ErrorKind::AddrInUse, format!("{at}: in use on {node}"));
        let port = match at.port() {
            0 => state.ephemeral_port(node).ok_or_else(in_use)?,
            port => port,
        };
        if state.listeners.contains_key(&(node.index(), port)) {
            return Err(in_use());
        }
        let number = state.number();
        let backlog = Backlog { number, ip, queue: VecDeque::new(), acceptors: Vec::new() };
        state.listeners.insert((node.index(), port), backlog);
        drop(state);
        self.0.ground.record(node, "listen", [u64::from(port), 0], format_args!(""));
        Ok((number, SocketAddr::new(ip, port)))
    }

    /// Closes a listener; who waits to be accepted is reset.
    pub(crate) fn unlisten(&self, node: &Node, port: u16, number: u64) {
        let mut state = self.state();
        let key = (node.index(), port);
        if state.listeners.get(&key).is_some_and(|backlog| backlog.number == number) {
            let backlog = state.listeners.remove(&key).expect("it is there: seen above");
            drop(state);
            backlog.queue.into_iter().for_each(|connection| self.close(&connection, 1, true));
        }
    }

    /// The next connection that waits at a listener. `None`: stand in line with `waker`.
    pub(crate) fn accept(
        &self,
        node: &Node,
        port: u16,
        waker: &Waker,
    ) -> io::Result<Option<Arc<Connection>>> {
        let mut state = self.state();
        let full = state.shape.backlog;
        let Some(backlog) = state.listeners.get_mut(&(node.index(), port)) else {
            return Err(io::Error::other(format!("{node}:{port}: the listener is closed")));
        };
        if backlog.queue.len() >= full {
            self.0.opened.notify_waiters();
        }
        let next = backlog.queue.pop_front();
        if next.is_none() {
            backlog.acceptors.push(waker.clone());
        }
        drop(state);
        if let Some(connection) = &next {
            let numbers = [connection.number, u64::from(port)];
            self.0.ground.record(node, "accept", numbers, format_args!("{}", connection.nodes[0]));
        }
        Ok(next)
    }

    /// The node that an address leads to from `from`; `from` itself when it leads nowhere.
    pub(crate) fn peer(&self, from: &Node, to: SocketAddr) -> Node {
        self.state().host_at(from, to.ip()).unwrap_or_else(|| from.clone())
    }

    /// One attempt of `from` to connect, at the moment it reaches the other side.
    pub(crate) fn knock(&self, from: &Node, to: SocketAddr) -> io::Result<Answer> {
        let ground = &self.0.ground;
        let mut state = self.state();
        let target = state.host_at(from, to.ip());
        let Some(target) = target else { return Ok(Answer::Silence) };
        if !state.is_open(ground, from, &target) {
            return Ok(Answer::Silence);
        }
        let link = state.link(ground, from, &target);
        let refused = link.refuse > 0.0 && link.rng.chance(link.refuse);
        let (full, key) = (state.shape.backlog, (target.index(), to.port()));
        let waiting = match state.listeners.get(&key) {
            Some(backlog) if !refused && reaches(backlog.ip, to.ip()) => backlog.queue.len(),
            _ => return Ok(Answer::Refused),
        };
        if waiting >= full {
            return Ok(Answer::Silence);
        }
        let Some(port) = state.ephemeral_port(from) else {
            return Err(io::Error::new(ErrorKind::AddrNotAvailable, "no ephemeral port is free"));
        };
        let ip = if to.ip().is_loopback() { to.ip() } else { from.ip() };
        let connection = Arc::new(Connection {
            number: state.number(),
            nodes: [from.clone(), target],
            addresses: [SocketAddr::new(ip, port), to],
            wire: Mutex::default(),
        });
        state.connections.insert(connection.number, connection.clone());
        let backlog = state.listeners.get_mut(&key).expect("it is there: seen above");
        backlog.queue.push_back(connection.clone());
        let acceptors = std::mem::take(&mut backlog.acceptors);
        drop(state);
        acceptors.into_iter().for_each(Waker::wake);
        Ok(Answer::Accepted(connection))
    }

    /// How long the next piece from one node to another takes.
    pub(crate) fn latency(&self, from: &Node, to: &Node) -> Duration {
        self.state().latency(&self.0.ground, from, to)
    }

    /// A number below `bound` from the stream of the way between the nodes.
    pub(crate) fn below(&self, from: &Node, to: &Node, bound: u64) -> u64 {
        self.state().link(&self.0.ground, from, to).rng.below(bound)
    }

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

impl State {
    /// The connections of a node, each with the end that is there; one to itself comes twice.
    fn connections_of(&self, node: &Node) -> Vec<(Arc<Connection>, usize)> {
        let ends = |connection: &Arc<Connection>| {
            let there = |end: &usize| connection.nodes[*end] == *node;
            [0, 1]
                .into_iter()
                .filter(there)
                .map(|end| (connection.clone(), end))
                .collect::<Vec<_>>()
        };
        self.connections.values().flat_map(ends).collect()
    }

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

/// Whether a listener on `bound` hears what is sent to `to`.
fn reaches(bound: IpAddr, to: IpAddr) -> bool {
    bound.is_unspecified() || bound == to || (bound.is_loopback() && to.is_unspecified())
}
