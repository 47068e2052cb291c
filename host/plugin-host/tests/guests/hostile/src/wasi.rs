//! WASI and the memory by hand: what the standard library uses, called as it never would.

#[cfg(target_arch = "wasm32")]
mod imports {
    #[link(wasm_import_module = "wasi:clocks/monotonic-clock@0.2.0")]
    unsafe extern "C" {
        #[link_name = "subscribe-duration"]
        pub fn subscribe_duration(nanoseconds: u64) -> i32;
    }

    #[link(wasm_import_module = "wasi:random/insecure-seed@0.2.4")]
    unsafe extern "C" {
        #[link_name = "insecure-seed"]
        pub fn insecure_seed(result: *mut [u64; 2]);
    }

    #[link(wasm_import_module = "wasi:io/poll@0.2.0")]
    unsafe extern "C" {
        #[link_name = "poll"]
        pub fn poll(handles: *const i32, length: usize, result: *mut [usize; 2]);
    }

    #[link(wasm_import_module = "wasi:cli/stdout@0.2.0")]
    unsafe extern "C" {
        #[link_name = "get-stdout"]
        pub fn get_stdout() -> i32;
    }

    #[link(wasm_import_module = "wasi:io/streams@0.2.0")]
    unsafe extern "C" {
        #[link_name = "[method]output-stream.write-zeroes"]
        pub fn output_stream_write_zeroes(stream: i32, length: u64, result: *mut [u32; 3]);
    }

    pub unsafe fn memory_grow(pages: usize) -> usize {
        core::arch::wasm32::memory_grow::<0>(pages)
    }
}

/// Lints and tests of the workspace compile this for their own machine; nothing calls it there.
#[cfg(not(target_arch = "wasm32"))]
mod imports {
    pub unsafe fn subscribe_duration(_: u64) -> i32 {
        0
    }
    pub unsafe fn insecure_seed(_: *mut [u64; 2]) {}
    pub unsafe fn poll(_: *const i32, _: usize, _: *mut [usize; 2]) {}
    pub unsafe fn get_stdout() -> i32 {
        0
    }
    pub unsafe fn output_stream_write_zeroes(_: i32, _: u64, _: *mut [u32; 3]) {}
    pub unsafe fn memory_grow(_: usize) -> usize {
        usize::MAX
    }
}

/// How many pages there were before, or `usize::MAX` where the host refuses.
pub fn memory_grow(pages: usize) -> usize {
    // SAFETY: memory that is added belongs to nobody yet.
    unsafe { imports::memory_grow(pages) }
}

/// A pollable that is never dropped.
pub fn leak_a_pollable() -> i32 {
    // SAFETY: the signature is the canonical one of this import.
    unsafe { imports::subscribe_duration(3_600_000_000_000) }
}

pub fn seed() -> [u64; 2] {
    let mut seed = [0; 2];
    // SAFETY: as above; the result is two words, aligned.
    unsafe { imports::insecure_seed(&raw mut seed) };
    std::hint::black_box(seed)
}

/// Waits for one pollable so many times at once.
pub fn poll_one_pollable(times: usize) -> usize {
    // SAFETY: as above; a pollable of no time is ready at once.
    let handles = vec![unsafe { imports::subscribe_duration(0) }; times];
    let mut ready = [0; 2];
    // SAFETY: as above; the list lives until the call returns.
    unsafe { imports::poll(handles.as_ptr(), handles.len(), &raw mut ready) };
    ready[1]
}

/// Asks the host to make up so many zeroes.
pub fn write_zeroes(length: u64) {
    let mut result = [0; 3];
    // SAFETY: as above; the result is smaller than the place for it.
    unsafe { imports::output_stream_write_zeroes(imports::get_stdout(), length, &raw mut result) };
    std::hint::black_box(result);
}
