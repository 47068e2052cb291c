//! The sandbox against a component that misbehaves in every way the tests can think of.

mod dns;
mod egress;
mod hostile;
mod loading;
mod network;
mod optional;
mod own_network;
mod purity;
mod quotas;
mod spellings;
mod support;
mod upstream;
