//! CRC-32 (the polynomial of zip and Java), written down again so that a broken one is noticed.

const TABLE: [u32; 256] = {
    let mut table = [0u32; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut rest = byte as u32;
        let mut bit = 0;
        while bit < 8 {
            rest = if rest & 1 == 1 { rest >> 1 ^ 0xEDB8_8320 } else { rest >> 1 };
            bit += 1;
        }
        table[byte] = rest;
        byte += 1;
    }
    table
};

/// The checksum of a body in a record: without the highest bit.
pub(super) fn of_body(body: &[u8]) -> u32 {
    of(body) & 0x7fff_ffff
}

/// The checksum of some bytes.
pub(super) fn of(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0u32, |crc, byte| TABLE[usize::from(crc as u8 ^ byte)] ^ crc >> 8)
}

#[cfg(test)]
mod tests {
    #[test]
    fn it_equals_the_checksums_a_4_9_broker_stored() {
        assert_eq!(super::of_body(b"hello0"), 0x7036_e992);
        assert_eq!(super::of_body(b"hello"), 0x3610_a686);
        assert_eq!(super::of_body(b""), 0);
    }
}
