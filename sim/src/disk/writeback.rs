//! The kernel's own writeback: dirty pages reach the device in any order, file by file and page by
//! page, without anybody having asked.

use std::time::Duration;

use super::machine::NodeDisk;
use crate::incident::IncidentKind;

/// Sees to it that what has become dirty, pages and names, is written back some time.
///
/// Nothing runs while all is clean, so an idle node costs nothing.
pub(crate) fn schedule(disk: &NodeDisk) {
    let longest = {
        let mut state = disk.state();
        if state.writeback_due || state.knobs.writeback.is_zero() {
            return;
        }
        state.writeback_due = true;
        state.knobs.writeback
    };
    let disk = disk.clone();
    let keeper = disk.shared().ground.keeper.clone();
    drop(keeper.spawn(async move {
        loop {
            let micros = disk.shared().writeback.below(longest.as_micros() as u64 + 1);
            disk.wait(Duration::from_micros(micros)).await;
            if !pass(&disk) {
                return;
            }
        }
    }));
}

/// Writes a random part of what is dirty back. Whether anything is left.
fn pass(disk: &NodeDisk) -> bool {
    let mut state = disk.state();
    let rng = &disk.shared().writeback;
    let share = [0.2, 0.5, 1.0][rng.below(3) as usize];
    let (mut written, mut left, mut failed_any) = (0, 0, false);
    let chance = state.knobs.writeback_error;
    for file in state.tree.files().values() {
        let mut content = file.content();
        let dirty: Vec<u64> = content.dirty().collect();
        let fails = !dirty.is_empty() && disk.goes_wrong(chance);
        let mut failed = false;
        for page in dirty {
            if !rng.chance(share) {
                left += 1;
            } else if fails {
                content.forget(page);
                content.fail_unseen();
                failed = true;
            } else {
                content.flush(page);
                written += 1;
            }
        }
        if content.dirty().next().is_none() {
            content.flush_len();
        }
        drop(content);
        // Only what was lost is a failure: an unlucky pass that took no page says nothing.
        if failed {
            failed_any = true;
            disk.shared().note(IncidentKind::Writeback, &state.tree.name_of(file));
        }
    }
    if state.tree.is_pending() && rng.chance(share) {
        state.tree.commit();
    }
    let more = left > 0 || state.tree.is_pending();
    state.writeback_due = more;
    state.failed_unseen |= failed_any;
    drop(state);
    disk.note_moment("writeback", "");
    disk.shared().record("writeback", [written, left], format_args!("pages, left dirty"));
    more
}
