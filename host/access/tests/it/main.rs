//! The door, on both databases.

mod links;
mod sessions;
mod support;
