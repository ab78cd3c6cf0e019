//! Which request or response is this?

use crate::codec::binary::Reader;
use crate::ext_fields::ExtFields;
use crate::fast::walk::{Peeked, binary_numbers, walk};
use crate::frame::Frame;
use crate::serialize_type::SerializeType;

/// Looks into a header without decoding it.
pub fn peek(frame: &Frame) -> Option<Peeked> {
    if frame.serialize_type == SerializeType::RocketMq {
        return binary_numbers(&mut Reader(&frame.header));
    }
    let mut fields = 0;
    walk(frame, |_, _| {
        fields += 1;
        (fields <= ExtFields::COUNT_MAX).then_some(())
    })
}
