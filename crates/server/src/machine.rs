//! What this machine is called and where it can be reached.

use std::net::{IpAddr, Ipv4Addr, UdpSocket};

/// The host's name, RocketMQ's default for a broker's name.
pub(crate) fn host_name() -> String {
    std::fs::read_to_string("/proc/sys/kernel/hostname")
        .or_else(|_| std::fs::read_to_string("/etc/hostname"))
        .map(|name| name.trim().to_owned())
        .ok()
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| "DEFAULT_BROKER".to_owned())
}

/// The address by which other machines most likely reach this one: that of the interface towards
/// the world, or the loopback when there is none.
pub(crate) fn address() -> IpAddr {
    // Connecting a datagram socket chooses the interface and sends nothing.
    UdpSocket::bind("0.0.0.0:0")
        .and_then(|socket| {
            socket.connect("198.51.100.1:9")?;
            socket.local_addr()
        })
        .map_or(IpAddr::V4(Ipv4Addr::LOCALHOST), |address| address.ip())
}
