//! The door and the vault, on both databases.

mod api_keys;
mod api_tokens;
mod audit;
mod guesses;
mod histories;
mod invitations;
mod links;
mod mail_codes;
mod members;
mod passkeys;
mod registry;
mod rotation;
mod second_factor;
mod sessions;
mod set_up;
mod support;
mod vault;
