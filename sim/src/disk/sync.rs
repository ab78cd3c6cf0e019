//! Syncing a file: when its pages reach the device, and what a failure leaves.

use std::io;
use std::ops::Range;
use std::sync::Arc;

use super::file::Inode;
use super::machine::NodeDisk;
use super::page::PAGE;
use crate::incident::IncidentKind;

/// Makes everything written to `range` of the file before the call durable.
///
/// Scenario that each step is for: 1. some of the pages go to the device at once and some at the
/// end, so a crash in between leaves a part durable that nobody acknowledged; 2. what was written
/// after the call to a page that went at once is dirty again and not covered; 3. a failure leaves
/// each page that was still under way either written or not, and *clean* either way, so that the
/// next sync succeeds without a word about it; 4. a failure of the kernel's own writeback is told
/// by the next sync, once, whatever that sync itself does.
pub(crate) async fn sync(
    disk: &NodeDisk,
    file: &Arc<Inode>,
    path: &str,
    range: Range<u64>,
) -> io::Result<()> {
    let pages = file.content().dirty_in(&range);
    let id = file.id;
    disk.shared().record("sync", [id, pages.len() as u64], format_args!("{path}"));
    let fails = disk.sync_fails();
    let told = file.content().tell_failure();
    let (before, after) = disk.draw_latency();
    if !fails && !pages.is_empty() && disk.misdirects(path) {
        misdirect(disk, file, path, &pages);
    }
    let mut late = Vec::new();
    for page in pages {
        if !fails && disk.coin() {
            file.content().flush(page);
        } else {
            late.push(page);
        }
    }
    disk.wait(before).await;
    if !fails {
        let mut content = file.content();
        late.into_iter().for_each(|page| content.flush(page));
        content.flush_len();
    } else {
        let spared = disk.coin();
        for page in late {
            if spared && disk.coin() {
                file.content().flush(page);
            } else {
                file.content().forget(page);
            }
        }
    }
    disk.note_moment("sync", path);
    // What failed while this sync waited is told by it, too.
    let told = file.content().tell_failure() || told;
    // Noted when the pages are gone: the program may die before it hears of it.
    let error = (fails || told).then(|| disk.shared().injected(IncidentKind::Sync, path));
    disk.wait(after).await;
    disk.shared().record("synced", [id, u64::from(fails || told)], format_args!("{path}"));
    error.map_or(Ok(()), Err)
}

/// Makes everything written or named before the call durable. A failure leaves every page that was
/// under way written or not, and clean either way. A failure of the kernel's own writeback is told
/// here also when its file was closed since, which is when a sync of the file says no more of it.
pub(crate) async fn sync_all(disk: &NodeDisk) -> io::Result<()> {
    let files: Vec<_> = disk.state().tree.files().into_values().collect();
    let under_way: Vec<(Arc<Inode>, Vec<u64>)> = files
        .into_iter()
        .map(|file| {
            let dirty = file.content().dirty().collect();
            (file, dirty)
        })
        .collect();
    let pages = under_way.iter().map(|(_, dirty)| dirty.len() as u64).sum();
    disk.shared().record("sync-all", [under_way.len() as u64, pages], format_args!(""));
    let mut fails = disk.sync_fails();
    fails |= std::mem::take(&mut disk.state().failed_unseen);
    for (file, _) in &under_way {
        fails |= file.content().tell_failure();
    }
    let (before, after) = disk.draw_latency();
    disk.wait(before).await;
    for (file, dirty) in under_way {
        let mut content = file.content();
        for page in dirty {
            if !fails || disk.coin() {
                content.flush(page);
            } else {
                content.forget(page);
            }
        }
        content.flush_len();
    }
    let error = fails.then(|| disk.shared().injected(IncidentKind::Sync, "all"));
    if !fails {
        disk.state().tree.commit();
    }
    disk.note_moment("sync-all", "");
    disk.wait(after).await;
    error.map_or(Ok(()), Err)
}

/// One of the pages goes over another place of the file; a file of one page has none.
fn misdirect(disk: &NodeDisk, file: &Arc<Inode>, path: &str, pages: &[u64]) {
    let evicts = disk.state().knobs.misdirections_evict;
    let mut content = file.content();
    let page = pages[disk.pick(pages.len() as u64) as usize];
    let count = content.len().div_ceil(PAGE);
    if count < 2 {
        return;
    }
    let onto = (page + 1 + disk.pick(count - 1)) % count;
    content.misdirect(page, onto);
    if evicts {
        content.reload(page);
        content.reload(onto);
    }
    drop(content);
    for (kind, wrong) in [(IncidentKind::Misdirected, page), (IncidentKind::Overwritten, onto)] {
        disk.shared().note_at(kind, path, Some(wrong * PAGE..(wrong + 1) * PAGE));
    }
    disk.shared().record("misdirected", [page, onto], format_args!("page, onto"));
}
