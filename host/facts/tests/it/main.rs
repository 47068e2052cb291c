//! The facts crate against real databases and the real engine.

mod as_of;
mod breakdowns;
mod cash;
mod customers;
mod folding;
mod generated;
mod levels;
mod metrics;
mod mixed;
mod property;
mod pruning;
mod questions;
mod support;
mod titles;
mod visibility;
