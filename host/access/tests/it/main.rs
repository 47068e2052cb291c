//! The door and the vault, on both databases.

mod audit;
mod links;
mod members;
mod registry;
mod rotation;
mod sessions;
mod support;
mod vault;
