//! The memory of a run: blocks of fixed sizes from one region, for the one thread that runs it.
//!
//! A run makes millions of small blocks, frees nearly all of them again and ends after a tenth of a
//! second, together with its process. So a freed block goes onto a list of its size and is the next
//! one handed out; nothing is ever merged, and the region is given back by the end of the process.
//! Every other thread, and every large block, takes what the system offers. That is faster than any
//! allocator that must think of other threads and of years of uptime.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::{Cell, UnsafeCell};
use std::ptr::null_mut;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// The most bytes of a block that the region holds; larger ones are few.
const BLOCK_BYTES_MAX: usize = 32 << 10;
/// Up to here sizes go up in steps of 16 bytes, after it in quarters of a power of two.
const FINE_BYTES_MAX: usize = 1 << 10;
/// Every block begins at a multiple of this.
const ALIGN: usize = 16;
/// How many sizes there are.
const SIZES: usize = FINE_BYTES_MAX / ALIGN + 4 * 5;
/// Addresses that are reserved; what is never touched costs nothing. A run that needs more than
/// this takes the rest from the system.
const REGION_BYTES: usize = 1 << 30;

/// The allocator of this program.
pub(crate) struct Arena {
    taken: AtomicBool,
    /// Where the region begins; as long as there is none, where no block can be.
    begin: AtomicUsize,
    state: UnsafeCell<State>,
}

struct State {
    /// The first free block of each size; each block begins with the address of the next.
    free: [*mut u8; SIZES],
    /// Where nothing was ever handed out from.
    fresh: usize,
    end: usize,
}

thread_local! {
    /// Whether the region is this thread's.
    static MINE: Cell<bool> = const { Cell::new(false) };
}

// The state is touched only by the thread whose `MINE` is set, and `take` sets it in one at most.
#[expect(unsafe_code, reason = "an allocator is shared by all threads")]
unsafe impl Sync for Arena {}

impl Arena {
    /// An arena without a region: all is the system's.
    pub(crate) const fn new() -> Self {
        let state = State { free: [null_mut(); SIZES], fresh: 0, end: 0 };
        let begin = AtomicUsize::new(usize::MAX - REGION_BYTES);
        Self { taken: AtomicBool::new(false), begin, state: UnsafeCell::new(state) }
    }

    /// Gives the region to this thread for ever. Whoever comes second gets nothing.
    pub(crate) fn take(&self) {
        if self.taken.swap(true, Ordering::Relaxed) {
            return;
        }
        let Ok(layout) = Layout::from_size_align(REGION_BYTES, 2 << 20) else { return };
        #[expect(unsafe_code, reason = "no safe way to ask the system for memory")]
        // SAFETY: the size is not zero.
        let begin = unsafe { System.alloc(layout) } as usize;
        if begin == 0 {
            return;
        }
        #[expect(unsafe_code, reason = "see `Sync`")]
        // SAFETY: nobody else comes so far, and no block was handed out yet.
        let state = unsafe { &mut *self.state.get() };
        (state.fresh, state.end) = (begin, begin + REGION_BYTES);
        self.begin.store(begin, Ordering::Relaxed);
        MINE.set(true);
    }

    /// Whether a block is of the region.
    fn holds(&self, block: *mut u8) -> bool {
        (block as usize).wrapping_sub(self.begin.load(Ordering::Relaxed)) < REGION_BYTES
    }
}

impl State {
    /// A block of the size, or null when the region is used up.
    #[inline]
    fn hand_out(&mut self, bytes: usize) -> *mut u8 {
        let size = size_of_block(bytes);
        let first = self.free[size];
        if first.is_null() {
            return self.hand_out_fresh(size);
        }
        #[expect(unsafe_code, reason = "free blocks hold the list of free blocks")]
        // SAFETY: the block is free, aligned and at least 16 bytes long; `put_back` wrote there.
        let next = unsafe { first.cast::<*mut u8>().read() };
        self.free[size] = next;
        first
    }

    #[cold]
    fn hand_out_fresh(&mut self, size: usize) -> *mut u8 {
        let (block, len) = (self.fresh, bytes_of(size));
        if self.end - block < len {
            return null_mut();
        }
        self.fresh += len;
        std::ptr::with_exposed_provenance_mut(block)
    }

    #[inline]
    fn put_back(&mut self, block: *mut u8, bytes: usize) {
        let size = size_of_block(bytes);
        #[expect(unsafe_code, reason = "free blocks hold the list of free blocks")]
        // SAFETY: whoever had the block gave it back; it is aligned and at least 16 bytes long.
        unsafe {
            block.cast::<*mut u8>().write(self.free[size]);
        }
        self.free[size] = block;
    }
}

/// Which of the sizes holds so many bytes, at most [`BLOCK_BYTES_MAX`].
#[inline]
fn size_of_block(bytes: usize) -> usize {
    if bytes <= FINE_BYTES_MAX {
        return bytes.saturating_sub(1) / ALIGN;
    }
    // The two bits below the highest say which quarter.
    let last = bytes - 1;
    let power = last.ilog2() as usize;
    let quarter = (last >> (power - 2)) & 3;
    FINE_BYTES_MAX / ALIGN + (power - FINE_BYTES_MAX.ilog2() as usize) * 4 + quarter
}

/// How many bytes a block of that size has.
fn bytes_of(size: usize) -> usize {
    let fine = FINE_BYTES_MAX / ALIGN;
    if size < fine {
        return (size + 1) * ALIGN;
    }
    let (power, quarter) = ((size - fine) / 4, (size - fine) % 4);
    (FINE_BYTES_MAX << power) / 4 * (5 + quarter)
}

/// Whether a block of the region serves.
#[inline]
fn fits(layout: &Layout) -> bool {
    layout.size() <= BLOCK_BYTES_MAX && layout.align() <= ALIGN
}

#[expect(unsafe_code, reason = "an allocator is unsafe by its contract")]
// SAFETY: blocks are disjoint, long enough and aligned; what is not of the region is the system's.
unsafe impl GlobalAlloc for Arena {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if fits(&layout) && MINE.get() {
            // SAFETY: the region is this thread's, and nothing below allocates.
            let block = unsafe { &mut *self.state.get() }.hand_out(layout.size());
            if !block.is_null() {
                return block;
            }
        }
        // SAFETY: the caller's promises are passed on.
        unsafe { System.alloc(layout) }
    }

    #[inline]
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        if !self.holds(block) {
            // SAFETY: what is not of the region came from the system.
            unsafe { System.dealloc(block, layout) }
        } else if MINE.get() {
            // SAFETY: as in `alloc`.
            unsafe { &mut *self.state.get() }.put_back(block, layout.size());
        }
        // Another thread frees little, and the process ends soon: it is left.
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        if !fits(&layout) || !MINE.get() {
            // SAFETY: the caller's promises are passed on. Fresh pages are zero without a write.
            return unsafe { System.alloc_zeroed(layout) };
        }
        // SAFETY: the block is as long as the layout says.
        unsafe {
            let block = self.alloc(layout);
            if !block.is_null() {
                block.write_bytes(0, layout.size());
            }
            block
        }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, bytes: usize) -> *mut u8 {
        if !self.holds(block) {
            // SAFETY: what is not of the region came from the system.
            return unsafe { System.realloc(block, layout, bytes) };
        }
        if bytes <= BLOCK_BYTES_MAX && size_of_block(bytes) == size_of_block(layout.size()) {
            return block;
        }
        // SAFETY: the caller promises that the new size is valid for the old alignment.
        unsafe {
            let longer = self.alloc(Layout::from_size_align_unchecked(bytes, layout.align()));
            if !longer.is_null() {
                longer.copy_from_nonoverlapping(block, layout.size().min(bytes));
                self.dealloc(block, layout);
            }
            longer
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_size_has_the_smallest_block_that_holds_it() {
        for bytes in 1..=BLOCK_BYTES_MAX {
            let size = size_of_block(bytes);
            assert!(size < SIZES && bytes <= bytes_of(size), "{bytes}");
            assert!(size == 0 || bytes > bytes_of(size - 1), "{bytes}");
        }
        assert!((0..SIZES).all(|size| bytes_of(size).is_multiple_of(ALIGN)));
    }

    #[test]
    fn blocks_are_reused_moved_and_freed_elsewhere() {
        static ARENA: Arena = Arena::new();
        let layout = |bytes| Layout::from_size_align(bytes, 8).expect("it is valid");
        std::thread::spawn(move || {
            ARENA.take();
            #[expect(unsafe_code, reason = "an allocator is tried by calling it")]
            // SAFETY: each block is freed once, with the layout that it has.
            unsafe {
                let one = ARENA.alloc(layout(40));
                assert!(ARENA.holds(one));
                one.write_bytes(7, 40);
                let same = ARENA.realloc(one, layout(40), 48);
                assert_eq!(one, same);
                let moved = ARENA.realloc(same, layout(48), 400_000);
                assert!(!ARENA.holds(moved), "large blocks are the system's");
                assert_eq!(moved.add(39).read(), 7);
                ARENA.dealloc(moved, layout(400_000));
                let zeroed = ARENA.alloc_zeroed(layout(48));
                assert_eq!(zeroed, one, "what was freed last is handed out first");
                assert!((0..48).all(|at| zeroed.add(at).read() == 0));
                let address = zeroed.expose_provenance();
                let elsewhere = std::thread::spawn(move || {
                    ARENA.dealloc(std::ptr::with_exposed_provenance_mut(address), layout(48));
                    ARENA.holds(ARENA.alloc(layout(48)))
                });
                assert!(!elsewhere.join().expect("it ends"), "the region is of one thread");
                assert_ne!(ARENA.alloc(layout(48)), one, "it was left");
            }
        })
        .join()
        .expect("it ends");
    }
}
