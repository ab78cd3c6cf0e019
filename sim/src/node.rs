//! A simulated machine's name tag.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

/// A machine of the world: cheap to clone, the same through every restart.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Node(Arc<Tag>);

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
