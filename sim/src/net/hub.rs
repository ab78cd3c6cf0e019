//! The network as a whole: who is where, which ways are open, who listens, who is connected.

use std::collections::{BTreeMap, VecDeque};
use std::io::{self, ErrorKind};
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::time::Duration;

use runtime::Rng;
use tokio::sync::Notify;

use super::link::Link;
use super::shape::NetShape;
use super::wire::Wire;
use crate::ground::Ground;
use crate::node::Node;

/// The network of a world. Clones are the same network.
#[derive(Clone)]
pub(crate) struct Hub(pub(super) Arc<Shared>);

pub(super) struct Shared {
    pub(super) ground: Ground,
    state: Mutex<State>,
    /// Rung when a way opens, a machine comes back or a backlog has room again.
    pub(super) opened: Notify,
}

#[derive(Default)]
pub(super) struct State {
    pub(super) shape: NetShape,
    /// By index.
    pub(super) hosts: BTreeMap<u32, Host>,
    pub(super) links: BTreeMap<(u32, u32), Link>,
    pub(super) listeners: BTreeMap<(u32, u16), Backlog>,
    pub(super) connections: BTreeMap<u64, Arc<Connection>>,
    numbers: u64,
}

pub(super) struct Host {
    pub(super) node: Node,
    /// The machine has no power: nothing answers.
    pub(super) dark: bool,
    /// Counts the lives of the process.
    pub(super) epoch: u64,
    port: u16,
    /// The chance that an accept fails, and where it is drawn.
    pub(super) accept_error: (f64, Rng),
    /// How slowly its process reads, if it does.
    pub(super) slow_reader: Option<SlowReader>,
}

/// A process that reads its connections slowly, so that windows fill up.
#[derive(Clone, Copy)]
pub(crate) struct SlowReader {
    /// The most bytes of one read, at least 1.
    pub(crate) most: usize,
    /// Until the next read of the same connection.
    pub(crate) pause: Duration,
}

/// Connections that wait to be accepted.
pub(super) struct Backlog {
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
    pub(super) fn link(&mut self, ground: &Ground, from: &Node, to: &Node) -> &mut Link {
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

    pub(super) fn is_dark(&self, node: &Node) -> bool {
        self.hosts.get(&node.index()).is_none_or(|host| host.dark)
    }

    /// Whether both ways between the nodes are open and both machines have power.
    pub(super) fn is_open(&mut self, ground: &Ground, one: &Node, other: &Node) -> bool {
        !self.is_dark(one)
            && !self.is_dark(other)
            && !self.link(ground, one, other).cut
            && !self.link(ground, other, one).cut
    }

    pub(super) fn latency(&mut self, ground: &Ground, from: &Node, to: &Node) -> Duration {
        let shape = self.shape.clone();
        self.link(ground, from, to).latency(&shape)
    }

    pub(super) fn number(&mut self) -> u64 {
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

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn add(&self, node: &Node) {
        let accept_error = (0.0, self.0.ground.stream(&format!("net/{node}/accept")));
        let port = *PORTS.start();
        let slow_reader = None;
        let node_is = node.clone();
        let host = Host { node: node_is, dark: false, epoch: 1, port, accept_error, slow_reader };
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
        let mut guard = self.state();
        let state = &mut *guard;
        let full = state.shape.backlog;
        let Some(backlog) = state.listeners.get_mut(&(node.index(), port)) else {
            return Err(io::Error::other(format!("{node}:{port}: the listener is closed")));
        };
        if backlog.queue.len() >= full {
            self.0.opened.notify_waiters();
        }
        if let (false, Some(host)) = (backlog.queue.is_empty(), state.hosts.get(&node.index()))
            && let (chance, rng) = &host.accept_error
            && *chance > 0.0
            && rng.chance(*chance)
        {
            return Err(io::Error::other("too many open files (injected)"));
        }
        let next = backlog.queue.pop_front();
        if next.is_none() {
            backlog.acceptors.push(waker.clone());
        }
        drop(guard);
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

    /// From now on an accept on the node fails with that chance.
    pub(crate) fn fail_accepts(&self, node: &Node, chance: f64) {
        if let Some(host) = self.state().hosts.get_mut(&node.index()) {
            host.accept_error.0 = chance;
        }
    }

    /// From now on the process of the node reads slowly, or as usual.
    pub(crate) fn slow_reader(&self, node: &Node, slow: Option<SlowReader>) {
        if let Some(host) = self.state().hosts.get_mut(&node.index()) {
            host.slow_reader = slow;
        }
    }

    /// How slowly the process of the node reads, if it does.
    pub(crate) fn reads_slowly(&self, node: &Node) -> Option<SlowReader> {
        self.state().hosts.get(&node.index()).and_then(|host| host.slow_reader)
    }

    /// How the network behaves on the way from one node to another.
    pub(crate) fn shape_between(&self, from: &Node, to: &Node) -> NetShape {
        let mut state = self.state();
        let mut shape = state.shape.clone();
        let link = state.link(&self.0.ground, from, to);
        shape.bandwidth = link.bandwidth.unwrap_or(shape.bandwidth);
        shape.split_one_in = link.split_one_in.unwrap_or(shape.split_one_in);
        shape
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
}

impl State {
    /// The connections of a node, each with the end that is there; one to itself comes twice.
    pub(super) fn connections_of(&self, node: &Node) -> Vec<(Arc<Connection>, usize)> {
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
}

/// Whether a listener on `bound` hears what is sent to `to`.
fn reaches(bound: IpAddr, to: IpAddr) -> bool {
    bound.is_unspecified() || bound == to || (bound.is_loopback() && to.is_unspecified())
}
