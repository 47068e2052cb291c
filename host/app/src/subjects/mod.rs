//! The customers of a shop as people with rights: found by the channel's id, told all that is kept of them, forgotten.
//!
//! Everywhere else a customer is a pseudonym ([`crate::ingest::pseudonyms`]). Here is who it is, sealed with a key of that person's
//! alone. Erasing takes key and identity away and leaves the row: a tombstone that the next sync finds, so that it keeps
//! nothing of them again. Figures stay as they are, because they never knew more than the pseudonym.
//!
//! Whoever calls these says so to the audit, in the same transaction.

mod erase;
mod export;
mod find;
mod identity;

use uuid::Uuid;

pub use erase::{Erased, erase};
pub use export::export;
pub use find::{find, of_pseudonym, unseen_since};
pub use identity::{Identity, identity};

/// A customer of one connection. Whether they were erased, [`identity`] says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    pub person_id: Uuid,
    pub connection_id: Uuid,
    /// What stands for the channel's id wherever the customer is named.
    pub pseudonym: String,
}

impl From<portolan_db::entity::person::Model> for Subject {
    fn from(row: portolan_db::entity::person::Model) -> Self {
        Self { person_id: row.id, connection_id: row.connection_id, pseudonym: row.pseudonym }
    }
}
