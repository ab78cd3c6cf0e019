//! What a topic allows: three bits of one number.

/// Messages can be pulled.
pub const READ: u32 = 4;
/// Messages can be sent.
pub const WRITE: u32 = 2;
/// Topics that are created on demand may copy this topic's settings.
pub const INHERIT: u32 = 1;

/// Whether `permission` lets consumers read.
pub fn is_readable(permission: u32) -> bool {
    permission & READ != 0
}

/// Whether `permission` lets producers write.
pub fn is_writable(permission: u32) -> bool {
    permission & WRITE != 0
}

/// Whether `permission` lets new topics inherit.
pub fn is_inherited(permission: u32) -> bool {
    permission & INHERIT != 0
}

/// The three letters that tools print: `RWX`, with `-` for what is missing.
pub fn to_letters(permission: u32) -> String {
    [(READ, 'R'), (WRITE, 'W'), (INHERIT, 'X')]
        .map(|(bit, letter)| if permission & bit == 0 { '-' } else { letter })
        .iter()
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_name_the_bits_that_are_set() {
        assert_eq!(to_letters(READ | WRITE), "RW-");
        assert_eq!(to_letters(7), "RWX");
        assert_eq!(to_letters(0), "---");
    }

    #[test]
    fn each_bit_is_asked_for_alone() {
        assert!(is_readable(6) && is_writable(6) && !is_inherited(6));
        assert!(!is_readable(2) && !is_writable(4) && is_inherited(1));
    }
}
