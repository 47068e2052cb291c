//! The sandbox against a component that misbehaves in every way the tests can think of.

mod containment;
mod dns;
mod egress;
mod fuzz;
mod hostile;
mod loading;
mod network;
mod optional;
mod own_network;
mod parasite;
mod purity;
mod quotas;
mod recorded;
mod shapes;
mod spellings;
mod support;
mod tapes;
mod upstream;
