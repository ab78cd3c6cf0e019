//! Decimal integers into a buffer, without a detour through `String`.

use bytes::{BufMut, BytesMut};

/// Appends `value` in decimal.
pub(crate) fn put_integer(value: i64, to: &mut BytesMut) {
    let mut digits = [0u8; 20];
    let mut at = digits.len();
    let mut rest = value.unsigned_abs();
    loop {
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    if value < 0 {
        to.put_u8(b'-');
    }
    to.put_slice(&digits[at..]);
}

#[cfg(test)]
mod tests {
    use bytes::BytesMut;

    #[test]
    fn integers_are_written_as_the_standard_library_writes_them() {
        for value in [0, 7, -1, 10, 99, 100, i64::MAX, i64::MIN, i64::from(i32::MIN)] {
            let mut to = BytesMut::new();
            super::put_integer(value, &mut to);
            assert_eq!(to, value.to_string().as_bytes());
        }
    }
}
