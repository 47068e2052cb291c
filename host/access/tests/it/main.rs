//! The door and the vault, on both databases.

mod api_keys;
mod api_tokens;
mod audit;
mod guesses;
mod histories;
mod invitations;
mod links;
mod members;
mod registry;
mod rotation;
mod second_factor;
mod sessions;
mod set_up;
mod support;
mod vault;
