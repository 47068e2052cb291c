//! What a store holds during one call, and the WASI basics in it: a clock that stands still, random
//! numbers from a fixed seed, output that goes to the log.

use std::time::Duration;

use portolan_core::{Instant, Random, SeededRandom};
use wasmtime::component::ResourceTable;
use wasmtime_wasi::{Deterministic, HostMonotonicClock, HostWallClock, WasiCtx, WasiCtxView, WasiView};

use crate::capability::files::Files;
use crate::capability::http::HttpCall;
use crate::capability::log::Log;
use crate::capability::signer::Signer;
use crate::capability::sink::Sink;
use crate::limits::Meter;

const RANDOM_BYTES: usize = 4_096;
const MAX_RANDOM_BYTES: u64 = 1 << 20;
const MAX_WASI_RESOURCES: usize = 1_000;

/// The data of a store.
pub struct HostState {
    pub meter: Meter,
    pub log: Log,
    pub sink: Sink,
    pub http: Option<HttpCall>,
    pub signer: Signer,
    pub files: Files,
    wasi: WasiCtx,
    table: ResourceTable,
}

impl HostState {
    /// `frozen_at` is the only time that the guest can read, and the seed of its random numbers.
    pub fn new(meter: Meter, log: Log, sink: Sink, frozen_at: Instant) -> Self {
        let mut table = ResourceTable::new();
        table.set_max_capacity(MAX_WASI_RESOURCES);
        Self {
            meter,
            wasi: wasi(&log, frozen_at),
            log,
            sink,
            http: None,
            signer: Signer::default(),
            files: Files::default(),
            table,
        }
    }
}

impl WasiView for HostState {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

fn wasi(log: &Log, frozen_at: Instant) -> WasiCtx {
    let random = SeededRandom::new(frozen_at.0 as u64);
    let mut bytes = vec![0_u8; RANDOM_BYTES];
    random.fill(&mut bytes);
    let seed = u128::from(random.next_u64()) << 64 | u128::from(random.next_u64());
    WasiCtx::builder()
        .stdout(log.stream("info"))
        .stderr(log.stream("warn"))
        .wall_clock(FrozenClock(frozen_at))
        .monotonic_clock(FrozenClock(frozen_at))
        .secure_random(Deterministic::new(bytes.clone()))
        .insecure_random(Deterministic::new(bytes))
        .insecure_random_seed(seed)
        .max_random_size(MAX_RANDOM_BYTES)
        .build()
}

struct FrozenClock(Instant);

impl HostWallClock for FrozenClock {
    fn resolution(&self) -> Duration {
        Duration::from_micros(1)
    }
    fn now(&self) -> Duration {
        Duration::from_micros(u64::try_from(self.0.0).unwrap_or_default())
    }
}

impl HostMonotonicClock for FrozenClock {
    fn resolution(&self) -> u64 {
        1_000
    }
    fn now(&self) -> u64 {
        0
    }
}
