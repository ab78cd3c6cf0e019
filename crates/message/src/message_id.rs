//! Message ids: the one that says where a message is stored, and the one its producer gives it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::offset::PhysicalOffset;

pub use crate::unique_ids::UniqueIds;

/// The length of the longest offset message id, which holds an IPv6 address.
pub const LEN_MAX: usize = 56;

const HEX: &[u8; 16] = b"0123456789ABCDEF";

/// Why a text is no offset message id.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MessageIdError {
    /// Neither 32 nor 56 characters.
    #[error("a message id has 32 or 56 characters, not {len}")]
    Length {
        /// How many bytes it has.
        len: usize,
    },
    /// A character that is no hexadecimal digit.
    #[error("byte {at} of the message id is no hexadecimal digit")]
    Digit {
        /// Where it stands.
        at: usize,
    },
    /// A port beyond 65 535.
    #[error("{0} in the message id is no port")]
    Port(u32),
}

/// The id of the message that `host` (the broker's advertised address) stores at `offset`: address,
/// port and offset in hexadecimal capitals, 32 characters or 56.
pub fn encode(host: SocketAddr, offset: PhysicalOffset) -> String {
    write(host, offset, &mut [0; LEN_MAX]).to_owned()
}

/// [`encode`] into a buffer of the caller's; returns the part that it filled.
pub fn write(host: SocketAddr, offset: PhysicalOffset, to: &mut [u8; LEN_MAX]) -> &str {
    let mut at = 0;
    let mut put = |bytes: &[u8]| {
        for byte in bytes {
            to[at] = HEX[usize::from(byte >> 4)];
            to[at + 1] = HEX[usize::from(byte & 15)];
            at += 2;
        }
    };
    match host.ip() {
        IpAddr::V4(ip) => put(&ip.octets()),
        IpAddr::V6(ip) => put(&ip.octets()),
    }
    put(&u32::from(host.port()).to_be_bytes());
    put(&offset.0.to_be_bytes());
    std::str::from_utf8(&to[..at]).expect("hexadecimal digits are UTF-8")
}

/// Where the message with this id is stored. Small letters are accepted.
///
/// # Errors
/// What is wrong with the id.
pub fn decode(id: &str) -> Result<(SocketAddr, PhysicalOffset), MessageIdError> {
    let len = id.len();
    if len != 32 && len != LEN_MAX {
        return Err(MessageIdError::Length { len });
    }
    let mut bytes = [0u8; LEN_MAX / 2];
    for (at, digit) in id.bytes().enumerate() {
        let value = char::from(digit).to_digit(16).ok_or(MessageIdError::Digit { at })?;
        bytes[at / 2] = bytes[at / 2] << 4 | value as u8;
    }
    let bytes = &bytes[..len / 2];
    let (ip, behind) = match bytes.split_first_chunk::<16>() {
        Some((ip, behind)) if len == LEN_MAX => (IpAddr::from(Ipv6Addr::from(*ip)), behind),
        _ => (IpAddr::from(Ipv4Addr::new(bytes[0], bytes[1], bytes[2], bytes[3])), &bytes[4..]),
    };
    let number = |from: usize, to: usize| {
        behind[from..to].iter().fold(0u64, |number, byte| number << 8 | u64::from(*byte))
    };
    let port = number(0, 4) as u32;
    let port = u16::try_from(port).map_err(|_| MessageIdError::Port(port))?;
    Ok((SocketAddr::new(ip, port), PhysicalOffset(number(4, 12))))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_id_equals_the_one_a_4_9_broker_gave() {
        let host = "127.0.0.1:20911".parse().unwrap();
        assert_eq!(encode(host, PhysicalOffset(0)), "7F000001000051AF0000000000000000");
    }

    #[test]
    fn what_is_no_id_is_named() {
        assert_eq!(decode("7F"), Err(MessageIdError::Length { len: 2 }));
        let digit = format!("{}g", "0".repeat(31));
        assert_eq!(decode(&digit), Err(MessageIdError::Digit { at: 31 }));
        let port = "7F000001000100000000000000000000";
        assert_eq!(decode(port), Err(MessageIdError::Port(65_536)));
        assert!(decode(&"é".repeat(16)).is_err());
    }

    proptest! {
        #[test]
        fn an_id_leads_back_to_host_and_offset(ip: IpAddr, port: u16, offset: u64) {
            let (host, offset) = (SocketAddr::new(ip, port), PhysicalOffset(offset));
            let id = encode(host, offset);
            prop_assert_eq!(id.len(), if host.is_ipv6() { 56 } else { 32 });
            prop_assert_eq!(decode(&id), Ok((host, offset)));
            prop_assert_eq!(decode(&id.to_lowercase()), Ok((host, offset)));
        }

        #[test]
        fn decoding_is_total(text in "\\PC{0,60}|[0-9A-Fa-f]{32}|[0-9A-F]{56}") {
            let _ = decode(&text);
        }
    }
}
