//! The sandbox against a component that misbehaves in every way the tests can think of.

mod hostile;
mod loading;
mod network;
mod optional;
mod purity;
mod support;
mod upstream;
