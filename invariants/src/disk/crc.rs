//! CRC-32 (the polynomial of zip and Java), written down again so that a broken one is noticed.

/// How many bytes are taken at once.
const WIDE: usize = 8;

/// What a byte does to the checksum when so many bytes follow it.
const TABLES: [[u32; 256]; WIDE] = {
    let mut tables = [[0u32; 256]; WIDE];
    let mut byte = 0;
    while byte < 256 {
        let mut rest = byte as u32;
        let mut bit = 0;
        while bit < 8 {
            rest = if rest & 1 == 1 { rest >> 1 ^ 0xEDB8_8320 } else { rest >> 1 };
            bit += 1;
        }
        tables[0][byte] = rest;
        byte += 1;
    }
    let mut follow = 1;
    while follow < WIDE {
        let mut byte = 0;
        while byte < 256 {
            let before = tables[follow - 1][byte];
            tables[follow][byte] = tables[0][(before & 0xff) as usize] ^ before >> 8;
            byte += 1;
        }
        follow += 1;
    }
    tables
};

/// The checksum of a body in a record: without the highest bit.
pub(super) fn of_body(body: &[u8]) -> u32 {
    of(body) & 0x7fff_ffff
}

/// The checksum of some bytes.
pub(super) fn of(bytes: &[u8]) -> u32 {
    let (wide, rest) = bytes.as_chunks::<WIDE>();
    let crc = wide.iter().fold(!0u32, |crc, bytes| {
        let [a, b, c, d] = crc.to_le_bytes();
        let mut bytes = *bytes;
        for (byte, with) in bytes.iter_mut().zip([a, b, c, d]) {
            *byte ^= with;
        }
        let of_each = bytes.iter().zip(TABLES.iter().rev());
        of_each.fold(0, |crc, (byte, table)| crc ^ table[usize::from(*byte)])
    });
    !rest.iter().fold(crc, |crc, byte| TABLES[0][usize::from(crc as u8 ^ byte)] ^ crc >> 8)
}

#[cfg(test)]
mod tests {
    #[test]
    fn it_equals_the_checksums_a_4_9_broker_stored() {
        assert_eq!(super::of_body(b"hello0"), 0x7036_e992);
        assert_eq!(super::of_body(b"hello"), 0x3610_a686);
        assert_eq!(super::of_body(b""), 0);
    }

    #[test]
    fn eight_bytes_at_once_are_eight_bytes_one_by_one() {
        let bytes: Vec<u8> = (0..100u32).map(|at| ((at * 151) >> 2) as u8).collect();
        let slowly = |bytes: &[u8]| {
            !bytes.iter().fold(!0u32, |crc, byte| {
                (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
                    if crc & 1 == 1 { crc >> 1 ^ 0xEDB8_8320 } else { crc >> 1 }
                })
            })
        };
        assert!((0..100).all(|len| super::of(&bytes[..len]) == slowly(&bytes[..len])));
    }
}
