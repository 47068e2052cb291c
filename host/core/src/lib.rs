//! Words of the domain that every crate shares: identifiers, money, time, randomness.
//!
//! **Invariant:** no I/O, and the only place that reads the wall clock or random numbers
//! ([`clock`], [`random`]); everyone else is handed a [`Clock`] or a [`Random`].

pub mod calendar;
pub mod clock;
pub mod currency;
pub mod decimal;
mod hex;
pub mod id;
pub mod money;
pub mod random;
pub mod rates;

pub use calendar::{
    Bucket, Comparison, DateRange, Grain, RelativeRange, StoreCalendar, TenantCalendar, Weekday,
};
pub use clock::{Clock, ManualClock, SystemClock};
pub use currency::Currency;
pub use decimal::{Decimal, InvalidDecimal};
pub use hex::{hex, unhex};
pub use id::*;
pub use money::{Money, MoneyError};
pub use random::{Random, SeededRandom, SystemRandom};
pub use rates::{DatedRate, Rate, RatePolicy, RateTable};

mod instant;
pub use instant::{Duration, Instant, LocalDate};
