//! What must be on a node's disk, and whether it is: shared by the properties of what is owed.

use crate::disk::NodeDisk;
use crate::history::{Placed, Sent};
use crate::outcome::Class;
use crate::world::World;

/// The messages of that class that must be on a node.
pub(super) fn owed_on<'a>(
    world: &'a World<'_>,
    node: &'a str,
    class: Class,
) -> impl Iterator<Item = (&'a Sent, &'a Placed)> {
    let is_owed = move |sent: &Sent| sent.class() == class && world.owed(sent).is_must();
    world.stored_on(node).filter(move |(sent, _)| is_owed(sent))
}

/// A place in words.
pub(super) fn at(placed: &Placed) -> String {
    format!("{} offset {}", placed.queue, placed.offset)
}

/// Whether the log holds the message, whole, at its place; yes where the log cannot be read.
///
/// # Errors
/// What is wrong instead.
pub(super) fn on_disk(
    world: &World<'_>,
    disk: &NodeDisk,
    sent: &Sent,
    placed: &Placed,
) -> Result<(), &'static str> {
    if placed.address().is_some_and(|address| address.0 >= world.readable_to(disk)) {
        return Ok(());
    }
    let record = disk.log.record_of(sent.id, placed.address());
    let record = record.ok_or("the log does not hold it there")?;
    if !record.is_sound() {
        return Err("its record is damaged");
    }
    if (record.queue_id, record.queue_offset) != (placed.queue.queue_id, placed.offset.0) {
        return Err("its record names another place in a queue");
    }
    match record.digest {
        Some(digest) if digest != sent.digest => Err("its record holds something else"),
        _ => Ok(()),
    }
}
