//! Small pieces of memory, from lists. Most of planning is small strings and lists that live for a moment, and a sixth of its time
//! went into finding places for them: here a piece that was given back lies on the list of its size, and the next one that is asked
//! for of that size is taken from there, in a handful of instructions. Larger pieces, and what the lists are filled with, come from
//! an allocator that joins free neighbours again.

#![expect(unsafe_code, reason = "an allocator hands out memory by its address")]

use std::alloc::{GlobalAlloc, Layout};
use std::cell::UnsafeCell;
use std::ptr::{self, NonNull};

/// Sizes differ by this many bytes, and all pieces are aligned to it.
const STEP: usize = 16;
/// The largest piece that comes from a list, in steps.
const SIZES: usize = 32;
/// Bytes that the lists are filled with at a time.
const SLAB: usize = 16 << 10;

/// An allocator for one thread. What lies on its lists stays there: it serves a call, and its memory goes with the call.
pub struct Lists<A> {
    larger: A,
    state: UnsafeCell<State>,
}

struct State {
    /// The first free piece of each size; each holds where the next one is.
    free: [Option<NonNull<Free>>; SIZES],
    /// What is left of the slab, and its bytes.
    slab: *mut u8,
    left: usize,
}

struct Free(Option<NonNull<Free>>);

// SAFETY: this WebAssembly has no threads.
#[cfg(target_family = "wasm")]
unsafe impl<A> Sync for Lists<A> {}

impl<A> Lists<A> {
    /// Empty lists before `larger`.
    pub const fn new(larger: A) -> Self {
        Self { larger, state: UnsafeCell::new(State { free: [None; SIZES], slab: ptr::null_mut(), left: 0 }) }
    }
}

/// The list that pieces of that layout are on.
fn list(layout: Layout) -> Option<usize> {
    let steps = layout.size().div_ceil(STEP);
    (steps.wrapping_sub(1) < SIZES && layout.align() <= STEP).then(|| steps - 1)
}

// SAFETY: a piece is on a list or in use, never both; it is as large as the largest layout of its list and as aligned; a slab is
// cut into pieces once. The callers' side of the contract is the trait's own.
unsafe impl<A: GlobalAlloc> GlobalAlloc for Lists<A> {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let Some(list) = list(layout) else { return unsafe { self.larger.alloc(layout) } };
        let state = unsafe { &mut *self.state.get() };
        if let Some(piece) = state.free[list] {
            state.free[list] = unsafe { piece.as_ref() }.0;
            return piece.as_ptr().cast();
        }
        let bytes = (list + 1) * STEP;
        if state.left < bytes {
            let Ok(slab) = Layout::from_size_align(SLAB, STEP) else { return ptr::null_mut() };
            let slab = unsafe { self.larger.alloc(slab) };
            if slab.is_null() {
                return slab;
            }
            (state.slab, state.left) = (slab, SLAB);
        }
        let piece = state.slab;
        state.slab = unsafe { piece.add(bytes) };
        state.left -= bytes;
        piece
    }

    unsafe fn dealloc(&self, piece: *mut u8, layout: Layout) {
        match (list(layout), NonNull::new(piece.cast::<Free>())) {
            (Some(list), Some(free)) => {
                let state = unsafe { &mut *self.state.get() };
                unsafe { free.write(Free(state.free[list])) };
                state.free[list] = Some(free);
            }
            _ => unsafe { self.larger.dealloc(piece, layout) },
        }
    }

    unsafe fn realloc(&self, piece: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        let Ok(wanted) = Layout::from_size_align(size, layout.align()) else { return ptr::null_mut() };
        match (list(layout), list(wanted)) {
            (None, None) => unsafe { self.larger.realloc(piece, layout, size) },
            (had, has) if had == has => piece,
            _ => {
                let moved = unsafe { self.alloc(wanted) };
                if !moved.is_null() {
                    unsafe { ptr::copy_nonoverlapping(piece, moved, layout.size().min(size)) };
                    unsafe { self.dealloc(piece, layout) };
                }
                moved
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::alloc::System;

    use super::*;

    /// Pieces of all sizes and alignments, asked for, resized and given back in no order: what is written into one stays in it.
    #[test]
    fn no_piece_lies_over_another() {
        let lists = Lists::new(System);
        let mut held: Vec<(*mut u8, Layout, u8)> = Vec::new();
        let mut random = 1_u64;
        let mut next = move |below: usize| {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (random >> 33) as usize % below
        };
        let whole = |(piece, layout, mark): &(*mut u8, Layout, u8), bytes: usize| {
            // SAFETY: the piece is held, and was filled when it came.
            let bytes = unsafe { std::slice::from_raw_parts(*piece, layout.size().min(bytes)) };
            piece.addr().is_multiple_of(layout.align()) && bytes.iter().all(|byte| byte == mark)
        };
        for turn in 0..50_000 {
            let mark = turn as u8;
            let layout = Layout::from_size_align(1 + next(700), 1 << next(7)).unwrap();
            // SAFETY: layouts are those that the pieces were asked for with, and only what is held is given back.
            unsafe {
                match next(5) {
                    0 | 1 => held.push((lists.alloc(layout), layout, mark)),
                    2 | 3 if !held.is_empty() => {
                        let one = held.swap_remove(next(held.len()));
                        assert!(whole(&one, usize::MAX), "{one:?}");
                        lists.dealloc(one.0, one.1);
                    }
                    _ if !held.is_empty() => {
                        let mut one = held.swap_remove(next(held.len()));
                        let kept = one.1.size();
                        one.0 = lists.realloc(one.0, one.1, layout.size());
                        one.1 = Layout::from_size_align(layout.size(), one.1.align()).unwrap();
                        assert!(whole(&one, kept), "{one:?} of {kept}");
                        one.2 = mark;
                        held.push(one);
                    }
                    _ => continue,
                }
                if let Some((piece, layout, mark)) = held.last() {
                    piece.write_bytes(*mark, layout.size());
                }
            }
        }
        assert!(held.len() > 10 && held.iter().all(|one| whole(one, usize::MAX)));
        let pieces: Vec<usize> = held.iter().map(|one| one.0.addr()).collect();
        assert!(pieces.iter().all(|piece| *piece != 0));
        for (piece, layout, _) in held {
            // SAFETY: as above.
            unsafe { lists.dealloc(piece, layout) };
        }
    }

    #[test]
    fn what_was_given_back_comes_again() {
        let lists = Lists::new(System);
        let layout = Layout::from_size_align(24, 8).unwrap();
        // SAFETY: as above; both are of the same list, of 17 to 32 bytes.
        unsafe {
            let first = lists.alloc(layout);
            lists.dealloc(first, layout);
            assert_eq!(lists.alloc(Layout::from_size_align(32, 1).unwrap()), first);
            assert_eq!(lists.realloc(first, Layout::from_size_align(32, 1).unwrap(), 17), first);
            assert_ne!(lists.alloc(layout), first);
        }
    }
}
