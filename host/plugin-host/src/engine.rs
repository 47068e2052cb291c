//! The engine: Cranelift only, on-demand allocation, interrupted every 10 ms.

use std::time::Duration;

use wasmtime::{Config, Engine, OptLevel};

/// One tick of the epoch: the unit of a call's computing time.
pub const TICK_MS: u64 = 10;

const WASM_STACK_BYTES: usize = 1 << 20;
const ASYNC_STACK_BYTES: usize = 2 << 20;

/// Builds the engine and the thread that ticks it for as long as the engine lives.
///
/// The ticker has a thread of its own: on the executor, the very plugin that has to be interrupted
/// could keep it from running.
pub fn new_engine() -> wasmtime::Result<Engine> {
    let engine = Engine::new(&config())?;
    let weak = engine.weak();
    std::thread::Builder::new().name("plugin-ticker".to_owned()).spawn(move || {
        while let Some(engine) = weak.upgrade() {
            engine.increment_epoch();
            drop(engine);
            std::thread::sleep(Duration::from_millis(TICK_MS));
        }
    })?;
    Ok(engine)
}

/// No pooling allocator and no Winch: their advisories outweigh what they save.
fn config() -> Config {
    let mut config = Config::new();
    config
        .strategy(wasmtime::Strategy::Cranelift)
        .cranelift_opt_level(OptLevel::Speed)
        // Which NaN a float operation yields must not depend on the machine: normalize is replayed.
        .cranelift_nan_canonicalization(true)
        .relaxed_simd_deterministic(true)
        .epoch_interruption(true)
        // Nobody is shown addresses in WebAssembly code, and nothing unwinds through it: without these
        // tables an artefact is a third smaller, and as much quicker to check and to load.
        .generate_address_map(false)
        .native_unwind_info(false)
        .wasm_backtrace_max_frames(None)
        .memory_init_cow(true)
        .max_wasm_stack(WASM_STACK_BYTES)
        .async_stack_size(ASYNC_STACK_BYTES)
        .wasm_component_model(true)
        .wasm_memory64(false)
        .wasm_multi_memory(false);
    config
}
