//! Bodies made from two numbers, so that a plan stays small.

/// `len` bytes that depend on `fill` and hardly repeat (xorshift).
pub(crate) fn of(len: u64, fill: u64) -> Vec<u8> {
    let mut state = fill | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let mut body = Vec::with_capacity(len as usize + 8);
    while (body.len() as u64) < len {
        body.extend_from_slice(&next().to_le_bytes());
    }
    body.truncate(len as usize);
    body
}

/// What CRC-32 divides by, its bits reversed.
const POLYNOMIAL: u32 = 0xEDB8_8320;

/// The same body with its last four bytes such that the checksum of a record, which is the body's
/// CRC-32 without its highest bit, is 0.
pub(crate) fn with_checksum_0(mut body: Vec<u8>) -> Vec<u8> {
    body.truncate(body.len().saturating_sub(4));
    let step = |crc: u32| if crc & 1 == 1 { crc >> 1 ^ POLYNOMIAL } else { crc >> 1 };
    let eight = |crc: u32, byte: &u8| (0..8).fold(crc ^ u32::from(*byte), |crc, _| step(crc));
    let register = body.iter().fold(!0, eight);
    // What the register must be before its last 32 steps, so that its complement is 0 then.
    let back = |crc: u32| if crc >> 31 == 1 { (crc ^ POLYNOMIAL) << 1 | 1 } else { crc << 1 };
    let before = (0..32).fold(!0, |crc, _| back(crc));
    body.extend_from_slice(&u32::to_le_bytes(before ^ register));
    body
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_body_can_be_given_the_checksum_0() {
        for len in [4, 5, 100] {
            let body = super::with_checksum_0(super::of(len, 9));
            assert_eq!((body.len() as u64, message::record::body_crc(&body)), (len, 0));
        }
    }

    #[test]
    fn a_body_has_its_length_and_depends_on_its_fill() {
        for len in [0, 1, 8, 9, 3_000] {
            assert_eq!(super::of(len, 5).len() as u64, len);
        }
        assert_eq!(super::of(20, 5), super::of(20, 5));
        assert_ne!(super::of(20, 5), super::of(20, 6 << 3));
    }
}
