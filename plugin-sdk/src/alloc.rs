//! The allocator of a component: small blocks come from lists of free blocks, one list per size.
//!
//! Mapping a page of orders takes and gives back some fifty small blocks an order; with these lists
//! each costs a few instructions. What is given back is used again for the same size, so a long call
//! does not grow. Only where a call needs many blocks of one size first and of another afterwards is
//! the memory of the first not there for the second. An instance lives for one call, then all is gone.

#![expect(unsafe_code, reason = "an allocator hands out raw memory")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::UnsafeCell;
use std::ptr::{self, NonNull};

/// Blocks are multiples of this, and lie on multiples of it.
const STEP: usize = 16;
/// Larger blocks are the system's.
const LARGEST_BLOCK: usize = 1024;
/// What is asked of the system at once, to be cut into blocks.
const REGION: usize = 32 << 10;

/// Blocks by size. Not for threads: a component has none.
pub struct BlockAllocator {
    state: UnsafeCell<State>,
}

struct State {
    /// The first free block of each size; each begins with the address of the next.
    free: [*mut Block; LARGEST_BLOCK / STEP],
    /// What is left of the newest region.
    region: *mut u8,
    region_bytes: usize,
}

struct Block {
    next: *mut Block,
}

// SAFETY: as a static it has to be `Sync`. wasm32-wasip2 has no threads, and elsewhere it is no static.
#[cfg(target_arch = "wasm32")]
unsafe impl Sync for BlockAllocator {}

impl BlockAllocator {
    #[expect(clippy::new_without_default, reason = "only a static is made of it")]
    pub const fn new() -> Self {
        Self {
            state: UnsafeCell::new(State {
                free: [ptr::null_mut(); LARGEST_BLOCK / STEP],
                region: ptr::null_mut(),
                region_bytes: 0,
            }),
        }
    }
}

/// The list that a block of this layout comes from; `None`: it is the system's.
fn list_of(layout: Layout) -> Option<usize> {
    let small = layout.size() <= LARGEST_BLOCK && layout.align() <= STEP;
    small.then(|| layout.size().saturating_sub(1) / STEP)
}

impl State {
    fn take(&mut self, list: usize) -> *mut u8 {
        let block = self.free[list];
        if block.is_null() {
            return self.cut(list);
        }
        // SAFETY: a block on the list is ours until it is handed out, and begins with its successor.
        self.free[list] = unsafe { (*block).next };
        block.cast()
    }

    fn cut(&mut self, list: usize) -> *mut u8 {
        let bytes = (list + 1) * STEP;
        if self.region_bytes < bytes {
            const LAYOUT: Layout = match Layout::from_size_align(REGION, STEP) {
                Ok(layout) => layout,
                Err(_) => panic!("a region is a valid layout"),
            };
            // SAFETY: the layout is not empty. What is left of the old region is too small to matter.
            let Some(region) = NonNull::new(unsafe { System.alloc(LAYOUT) }) else { return ptr::null_mut() };
            (self.region, self.region_bytes) = (region.as_ptr(), REGION);
        }
        let block = self.region;
        // SAFETY: the region has at least so many bytes left.
        self.region = unsafe { block.add(bytes) };
        self.region_bytes -= bytes;
        block
    }

    fn give_back(&mut self, list: usize, block: *mut u8) {
        let block: *mut Block = block.cast();
        // SAFETY: the block was cut for this list, is large enough and aligned for a pointer, and its
        // user has let go of it.
        unsafe { (*block).next = self.free[list] };
        self.free[list] = block;
    }
}

// SAFETY: blocks are cut from regions without overlap, are handed out at most once until they are given
// back, and are as large and as aligned as their list says. Nothing here unwinds.
unsafe impl GlobalAlloc for BlockAllocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        match list_of(layout) {
            // SAFETY: there is one thread, and no reference to the state outlives a call.
            Some(list) => unsafe { &mut *self.state.get() }.take(list),
            // SAFETY: as our caller promises.
            None => unsafe { System.alloc(layout) },
        }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        match list_of(layout) {
            // SAFETY: as above.
            Some(list) => unsafe { &mut *self.state.get() }.give_back(list, block),
            // SAFETY: what has no list came from the system.
            None => unsafe { System.dealloc(block, layout) },
        }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: our caller promises that the new size is a valid one for this alignment.
        let new = unsafe { Layout::from_size_align_unchecked(size, layout.align()) };
        match (list_of(layout), list_of(new)) {
            (Some(old), Some(new)) if old == new => block,
            // SAFETY: both are the system's.
            (None, None) => unsafe { System.realloc(block, layout, size) },
            _ => {
                // SAFETY: two different blocks, each at least as large as what is copied.
                unsafe {
                    let moved = self.alloc(new);
                    if !moved.is_null() {
                        ptr::copy_nonoverlapping(block, moved, layout.size().min(size));
                        self.dealloc(block, layout);
                    }
                    moved
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    fn layout(size: usize, align: usize) -> Layout {
        Layout::from_size_align(size, align).expect("a layout")
    }

    proptest! {
        /// Every block keeps what is written into it, whatever else comes and goes.
        #[test]
        fn blocks_never_overlap(steps in prop::collection::vec((0_u8..4, 1_usize..3_000, 0_u32..6), 1..400)) {
            let allocator = BlockAllocator::new();
            let mut held: BTreeMap<usize, (*mut u8, Layout, u8)> = BTreeMap::new();
            for (number, (action, size, align)) in steps.into_iter().enumerate() {
                let mark = number as u8;
                let oldest = held.keys().next().copied();
                // SAFETY: blocks are used within their layouts and given back once.
                unsafe {
                    match (action, oldest) {
                        (0, Some(oldest)) => {
                            let (block, layout, mark) = held.remove(&oldest).expect("held");
                            let kept = std::slice::from_raw_parts(block, layout.size());
                            prop_assert!(kept.iter().all(|byte| *byte == mark));
                            allocator.dealloc(block, layout);
                        }
                        (1, Some(oldest)) => {
                            let (block, old, before) = held.remove(&oldest).expect("held");
                            let block = allocator.realloc(block, old, size);
                            let kept = std::slice::from_raw_parts(block, size.min(old.size()));
                            prop_assert!(kept.iter().all(|byte| *byte == before));
                            ptr::write_bytes(block, mark, size);
                            held.insert(number, (block, layout(size, old.align()), mark));
                        }
                        _ => {
                            let layout = layout(size, 1 << align);
                            let block = allocator.alloc(layout);
                            prop_assert!(!block.is_null() && block.addr().is_multiple_of(layout.align()));
                            ptr::write_bytes(block, mark, size);
                            held.insert(number, (block, layout, mark));
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn what_is_given_back_is_used_again() {
        let allocator = BlockAllocator::new();
        // SAFETY: as above.
        unsafe {
            let first = allocator.alloc(layout(40, 8));
            allocator.dealloc(first, layout(40, 8));
            assert_eq!(allocator.alloc(layout(33, 1)), first);
            assert_ne!(allocator.alloc(layout(33, 1)), first);
            assert_ne!(allocator.alloc(layout(49, 1)), first);
        }
    }
}
