//! What a store holds during one call, and the WASI basics in it: a clock that stands still, random
//! numbers from a fixed seed, output that goes to the log.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use portolan_core::{Instant, Random, SeededRandom};
use rand_core::TryRng;
use wasmtime::component::ResourceTable;
use wasmtime_wasi::{HostMonotonicClock, HostWallClock, WasiCtx, WasiCtxView, WasiView};

use crate::capability::files::Files;
use crate::capability::http::HttpCall;
use crate::capability::log::Log;
use crate::capability::signer::Signer;
use crate::capability::sink::Sink;
use crate::limits::{MAX_RESOURCES, Meter};

const MAX_RANDOM_BYTES: u64 = 1 << 20;

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
        table.set_max_capacity(MAX_RESOURCES);
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
    let random = FixedRandom(Arc::new(SeededRandom::new(frozen_at.0 as u64)));
    let seed = u128::from(random.0.next_u64()) << 64 | u128::from(random.0.next_u64());
    WasiCtx::builder()
        .stdout(log.stream("info"))
        .stderr(log.stream("warn"))
        .wall_clock(FrozenClock(frozen_at))
        .monotonic_clock(FrozenClock(frozen_at))
        .secure_random(random.clone())
        .insecure_random(random)
        .insecure_random_seed(seed)
        .max_random_size(MAX_RANDOM_BYTES)
        .build()
}

/// Repeatable numbers: the guest has no use for secret ones, a replay has for the same ones.
#[derive(Clone)]
struct FixedRandom(Arc<SeededRandom>);

impl TryRng for FixedRandom {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(self.0.next_u64() as u32)
    }
    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(self.0.next_u64())
    }
    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        self.0.fill(bytes);
        Ok(())
    }
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
