//! Dated exchange rates, and amounts converted by them: rounded once, or not at all.
//!
//! A table knows what was said of each pair of currencies on each day. What a day's rate *is* depends on the
//! [`RatePolicy`]. Where nothing was said that a policy may use there is no rate: the amount stays unconverted and is
//! never added at par.

mod policy;
mod rate;
mod table;

pub use policy::RatePolicy;
pub use rate::Rate;
pub use table::{DatedRate, RateTable};

#[cfg(test)]
mod tests;
