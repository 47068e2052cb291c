//! Connections: one tenant's account at one channel, through one connector.

pub mod context;
pub mod ops;
pub mod uploads;
