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

#[cfg(test)]
mod tests {
    #[test]
    fn a_body_has_its_length_and_depends_on_its_fill() {
        for len in [0, 1, 8, 9, 3_000] {
            assert_eq!(super::of(len, 5).len() as u64, len);
        }
        assert_eq!(super::of(20, 5), super::of(20, 5));
        assert_ne!(super::of(20, 5), super::of(20, 6 << 3));
    }
}
