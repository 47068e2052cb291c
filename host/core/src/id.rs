//! Identifiers: UUIDv7 inside, one type per thing so that they cannot be mixed up.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Clock, Random};

/// Declares one identifier type. A macro because the twelve types differ in nothing but their name.
macro_rules! id_type {
    ($(#[$doc:meta] $name:ident),* $(,)?) => {$(
        #[$doc]
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl $name {
            /// A new identifier that sorts by creation time.
            pub fn generate(clock: &dyn Clock, random: &dyn Random) -> Self {
                Self(new_uuid(clock, random))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(formatter)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::parse_str(text).map(Self)
            }
        }

        impl From<Uuid> for $name {
            fn from(id: Uuid) -> Self {
                Self(id)
            }
        }
    )*};
}

id_type!(
    /// A company; owns everything below.
    TenantId,
    /// A person who signs in.
    UserId,
    /// One tenant's account at one channel or provider.
    ConnectionId,
    /// One run of a connection's streams.
    SyncId,
    /// One unit of fetching inside a sync.
    SliceId,
    /// A page of raw records as the channel sent it.
    ChunkId,
    /// A canonical document with its versions.
    DocumentId,
    /// A row of the sales ledger.
    EventId,
    /// A unit of background work.
    JobId,
    /// An immutable Parquet file of ledger events.
    PartId,
);

/// UUIDv7 from the injected clock and randomness.
pub fn new_uuid(clock: &dyn Clock, random: &dyn Random) -> Uuid {
    let mut bytes = [0_u8; 10];
    random.fill(&mut bytes);
    let unix_ms = u64::try_from(clock.now().unix_ms()).unwrap_or_default();
    uuid::Builder::from_unix_timestamp_millis(unix_ms, &bytes).into_uuid()
}

/// Gives UUIDv7s that sort in the order in which they are given: a new one, and from it on each by one greater.
pub fn uuids_in_order(clock: &dyn Clock, random: &dyn Random) -> impl FnMut() -> Uuid + Send + use<> {
    /// Of the random bits below the variant the highest: without it, counting never reaches the variant.
    const ROOM: u128 = 1 << 61;
    let mut next = new_uuid(clock, random).as_u128() & !ROOM;
    move || {
        let id = Uuid::from_u128(next);
        next += 1;
        id
    }
}

#[cfg(test)]
mod tests;
