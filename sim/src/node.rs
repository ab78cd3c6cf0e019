//! A simulated machine's name tag.

use std::cmp::Ordering;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

/// A machine of the world: cheap to clone, the same through every restart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node(Arc<Tag>);

impl Ord for Node {
    fn cmp(&self, other: &Self) -> Ordering {
        // Within a world a node has one tag only.
        if Arc::ptr_eq(&self.0, &other.0) { Ordering::Equal } else { self.0.cmp(&other.0) }
    }
}

impl PartialOrd for Node {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Tag {
    index: u32,
    name: String,
    ip: IpAddr,
}

impl Node {
    pub(crate) fn new(index: u32, name: &str) -> Self {
        let [_, high, middle, low] = index.to_be_bytes();
        let ip = IpAddr::V4(Ipv4Addr::new(10, high, middle, low));
        Self(Arc::new(Tag { index, name: name.to_owned(), ip }))
    }

    /// Its number in the world, from 1 in order of making.
    pub fn index(&self) -> u32 {
        self.0.index
    }

    /// Its host name, which resolves to [`Node::ip`] everywhere in the world.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// Its address on the network.
    pub fn ip(&self) -> IpAddr {
        self.0.ip
    }
}

impl std::fmt::Display for Node {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        to.write_str(self.name())
    }
}
