//! Bytes that wait to leave: small ones copied together, large ones kept as the slices they are.

use std::collections::VecDeque;
use std::io::IoSlice;

use bytes::{Buf, Bytes, BytesMut};
use protocol::RemotingCommand;
use protocol::frame::FRAME_SIZE_MAX;

/// Slices up to this length are copied: an entry in a vectored write costs more than the copy.
const COPIED_MAX: usize = 1024;

/// A drained buffer larger than this is given back.
const BUFFER_KEPT_MAX: usize = 1 << 20;

/// A command that would exceed the frame limit, at which a peer closes the connection.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a frame of {len} bytes exceeds the limit of {FRAME_SIZE_MAX}; send less in one command")]
pub struct FrameTooLarge {
    /// The length of the whole frame, in bytes.
    pub len: usize,
}

/// Whole frames in the order in which they leave.
///
/// *Invariant:* `chunks` leave before `tail`, and no chunk is empty.
#[derive(Default)]
pub struct Outbox {
    chunks: VecDeque<Bytes>,
    chunks_len: usize,
    tail: BytesMut,
}

impl Outbox {
    /// An empty one.
    pub fn new() -> Self {
        Self::default()
    }

    /// Where small replies are encoded, behind everything put in before.
    pub fn buffer(&mut self) -> &mut BytesMut {
        &mut self.tail
    }

    /// Puts in a slice without copying it (unless it is small).
    pub fn push_bytes(&mut self, bytes: Bytes) {
        if bytes.len() <= COPIED_MAX {
            self.tail.extend_from_slice(&bytes);
            return;
        }
        if !self.tail.is_empty() {
            let before = self.tail.split().freeze();
            self.push_chunk(before);
        }
        self.push_chunk(bytes);
    }

    /// Puts in one frame: the command, its body, and behind it `body`.
    ///
    /// # Errors
    /// [`FrameTooLarge`]; nothing is put in then.
    pub fn push_command(
        &mut self,
        command: &RemotingCommand,
        body: Vec<Bytes>,
    ) -> Result<(), FrameTooLarge> {
        let body_len = command.body.len() + body.iter().map(Bytes::len).sum::<usize>();
        if body_len > FRAME_SIZE_MAX {
            return Err(FrameTooLarge { len: body_len });
        }
        let before = self.tail.len();
        command.encode_head(body_len, &mut self.tail);
        let len = self.tail.len() - before + body_len;
        if len > FRAME_SIZE_MAX {
            self.tail.truncate(before);
            return Err(FrameTooLarge { len });
        }
        self.push_bytes(command.body.clone());
        body.into_iter().for_each(|slice| self.push_bytes(slice));
        Ok(())
    }

    /// All bytes that wait.
    pub fn len_bytes(&self) -> usize {
        self.chunks_len + self.tail.len()
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.len_bytes() == 0
    }

    /// Moves everything out of `other`, behind what is here.
    pub(crate) fn append(&mut self, other: &mut Outbox) {
        if self.is_empty() {
            std::mem::swap(self, other);
            return;
        }
        while let Some(chunk) = other.chunks.pop_front() {
            self.push_bytes(chunk);
        }
        other.chunks_len = 0;
        let tail = other.tail.split().freeze();
        self.push_bytes(tail);
    }

    /// The first bytes that wait, as many slices as fit; returns how many slices these are.
    pub(crate) fn slices<'a>(&'a self, into: &mut [IoSlice<'a>]) -> usize {
        let tail = Some(&self.tail[..]).filter(|tail| !tail.is_empty());
        let parts = self.chunks.iter().map(|chunk| &chunk[..]).chain(tail);
        into.iter_mut().zip(parts).map(|(slot, part)| *slot = IoSlice::new(part)).count()
    }

    /// Forgets the first `len` bytes: they have left.
    pub(crate) fn advance(&mut self, mut len: usize) {
        while len > 0 {
            let Some(chunk) = self.chunks.front_mut() else { break };
            let taken = len.min(chunk.len());
            chunk.advance(taken);
            if chunk.is_empty() {
                self.chunks.pop_front();
            }
            self.chunks_len -= taken;
            len -= taken;
        }
        self.tail.advance(len);
        if self.tail.is_empty() && self.tail.capacity() > BUFFER_KEPT_MAX {
            self.tail = BytesMut::new();
        }
    }

    fn push_chunk(&mut self, chunk: Bytes) {
        self.chunks_len += chunk.len();
        self.chunks.push_back(chunk);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content(outbox: &Outbox) -> Vec<u8> {
        let mut slots = [IoSlice::new(&[]); 16];
        let count = outbox.slices(&mut slots);
        slots[..count].iter().flat_map(|slice| slice.to_vec()).collect()
    }

    #[test]
    fn what_goes_in_comes_out_in_order_however_it_is_taken() {
        let large = Bytes::from(vec![7; COPIED_MAX + 1]);
        let mut expected = b"head".to_vec();
        expected.extend_from_slice(&large);
        expected.extend_from_slice(b"tail");
        for step in [1, 3, 1000, expected.len()] {
            let mut outbox = Outbox::new();
            outbox.buffer().extend_from_slice(b"head");
            outbox.push_bytes(large.clone());
            outbox.push_bytes(Bytes::from_static(b"tail"));
            let mut taken = Vec::new();
            while !outbox.is_empty() {
                let now = content(&outbox);
                assert_eq!(now.len(), outbox.len_bytes());
                let part = step.min(now.len());
                taken.extend_from_slice(&now[..part]);
                outbox.advance(part);
            }
            assert_eq!(taken, expected);
        }
    }

    #[test]
    fn a_large_slice_is_not_copied() {
        let large = Bytes::from(vec![7; COPIED_MAX + 1]);
        let mut outbox = Outbox::new();
        outbox.push_bytes(large.clone());
        assert_eq!(outbox.chunks[0].as_ptr(), large.as_ptr());
    }

    #[test]
    fn appending_keeps_the_order_of_both() {
        for first in [0, 4, COPIED_MAX * 2] {
            let (mut one, mut two) = (Outbox::new(), Outbox::new());
            one.push_bytes(Bytes::from(vec![1; first]));
            two.push_bytes(Bytes::from(vec![2; COPIED_MAX * 3]));
            two.push_bytes(Bytes::from(vec![3; 5]));
            one.append(&mut two);
            assert!(two.is_empty());
            let mut expected = vec![1; first];
            expected.extend(vec![2; COPIED_MAX * 3]);
            expected.extend([3; 5]);
            assert_eq!(content(&one), expected);
        }
    }
}
