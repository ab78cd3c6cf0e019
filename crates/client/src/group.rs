//! Names of groups.

use crate::error::ClientError;

/// The longest name, in bytes.
const LEN_MAX: usize = 255;

/// Refuses a name that no broker takes.
pub(crate) fn validate(name: &str) -> Result<(), ClientError> {
    let is_legal = |byte: u8| byte.is_ascii_alphanumeric() || b"%|_-".contains(&byte);
    if name.is_empty() || name.len() > LEN_MAX || !name.bytes().all(is_legal) {
        return Err(ClientError::Group { name: name.to_owned() });
    }
    Ok(())
}
