//! The kernel's own writeback: dirty pages reach the device in any order, file by file and page by
//! page, without anybody having asked.

use std::time::Duration;

use super::machine::NodeDisk;

/// Sees to it that a page that has become dirty is written back some time.
///
/// Nothing runs while all pages are clean, so an idle node costs nothing.
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

/// Writes a random part of the dirty pages back. Whether any are left.
fn pass(disk: &NodeDisk) -> bool {
    let mut state = disk.state();
    let rng = &disk.shared().writeback;
    let share = [0.2, 0.5, 1.0][rng.below(3) as usize];
    let (mut written, mut left) = (0, 0);
    for file in state.tree.files().values() {
        let mut content = file.content();
        let dirty: Vec<u64> = content.dirty().collect();
        for page in dirty {
            if rng.chance(share) {
                content.flush(page);
                written += 1;
            } else {
                left += 1;
            }
        }
    }
    state.writeback_due = left > 0;
    drop(state);
    disk.shared().record("writeback", [written, left], format_args!("pages, left dirty"));
    left > 0
}
