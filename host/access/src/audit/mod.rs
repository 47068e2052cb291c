//! Who did what: an event for each operation that changes something, written in the transaction that changes it.
//!
//! The events of a tenant are a chain: each names the hash of the one before it, and is hashed with it. Once an hour its
//! head is signed ([`Signer`]) and kept as an [`Anchor`], also outside the database where the operator says so. Whoever
//! changes, takes away or adds an event later meets a hash that does not fit; whoever hashes everything anew from there
//! meets an anchor.
//!
//! An event holds ids in place of names: nothing of it has to go when a person is erased.

mod anchor;
mod chain;
mod verify;

use std::fmt;

use portolan_core::{Instant, TenantId, UserId};
use portolan_db::{SystemTx, TenantTx};
use serde_json::Value;
use uuid::Uuid;

pub use anchor::{Anchor, AnchorError, Signer, anchor_head, signers_of, stored_anchors};
pub use verify::{Broken, Fault, Verification, verify};

/// The last thing that a transaction locks, so that it is held shortly: after the lanes of the queue.
const PLACE: &str = "~audit";

/// Who acts, as far as the audit tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Actor {
    Person(UserId),
    /// A program, with a key that this person made.
    ApiKey {
        key: Uuid,
        owner: UserId,
    },
    /// Somebody of an agency in the audit of its client, or the other way round: who, is not this company's to know.
    OtherCompany,
    /// Whoever runs the server, on its command line.
    Operator,
    /// A channel that tells us something, by the address of this connection.
    Channel(Uuid),
    /// The server, by what was set up or asked before.
    Server,
}

impl Actor {
    /// The stored name.
    pub const fn kind(self) -> &'static str {
        match self {
            Self::Person(_) => "person",
            Self::ApiKey { .. } => "api_key",
            Self::OtherCompany => "other_company",
            Self::Operator => "operator",
            Self::Channel(_) => "channel",
            Self::Server => "server",
        }
    }

    pub const fn id(self) -> Option<Uuid> {
        match self {
            Self::Person(user) => Some(user.0),
            Self::ApiKey { key, .. } => Some(key),
            Self::Channel(connection) => Some(connection),
            Self::OtherCompany | Self::Operator | Self::Server => None,
        }
    }
}

/// Who acts, and from where: what a verb is given beside what it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Who {
    pub actor: Actor,
    /// The session that it is done in, by its public name.
    pub session: Option<Uuid>,
    /// Empty on the command line.
    pub address: String,
    pub request_id: String,
}

impl Who {
    fn without_a_request(actor: Actor) -> Self {
        Self { actor, session: None, address: String::new(), request_id: String::new() }
    }

    /// The command line.
    pub fn operator() -> Self {
        Self::without_a_request(Actor::Operator)
    }

    /// A person outside of a request.
    pub fn person(user: UserId) -> Self {
        Self::without_a_request(Actor::Person(user))
    }

    /// The server itself, in a job.
    pub fn server() -> Self {
        Self::without_a_request(Actor::Server)
    }

    /// The same request, without who it is and where they are.
    pub fn as_another_company(&self) -> Self {
        let nobody = Self::without_a_request(Actor::OtherCompany);
        Self { request_id: self.request_id.clone(), ..nobody }
    }

    /// The person behind it: for rows that name who made them.
    pub const fn user(&self) -> Option<UserId> {
        match self.actor {
            Actor::Person(user) | Actor::ApiKey { owner: user, .. } => Some(user),
            Actor::OtherCompany | Actor::Operator | Actor::Channel(_) | Actor::Server => None,
        }
    }

    /// That they did `object.verb` to something.
    pub fn did(&self, action: &'static str, kind: &'static str, id: impl fmt::Display) -> Entry {
        let subject_id = id.to_string();
        Entry { who: self.clone(), action, subject_kind: kind, subject_id, before: None, after: None }
    }
}

/// What is told of an operation. Neither secrets nor personal data belong into `before` and `after`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct Entry {
    who: Who,
    action: &'static str,
    subject_kind: &'static str,
    subject_id: String,
    before: Option<Value>,
    after: Option<Value>,
}

impl Entry {
    pub fn before(self, before: Value) -> Self {
        Self { before: Some(before), ..self }
    }

    pub fn after(self, after: Value) -> Self {
        Self { after: Some(after), ..self }
    }
}

/// Adds an event to the tenant's chain when this transaction is committed, and never if it is not. Where it cannot be
/// added the transaction fails.
pub fn write(tx: &TenantTx, at: Instant, entry: Entry) {
    let tenant = tx.tenant();
    tx.host_wide().before_commit(PLACE, move |house| {
        Box::pin(async move { chain::append(house, tenant, at, entry).await })
    });
}

/// [`write`] from a transaction of the house: signing in, and what is done to all tenants at once.
pub fn write_in_house(tx: &SystemTx, tenant: TenantId, at: Instant, entry: Entry) {
    // Of several tenants, in the order of their ids: as everybody locks them.
    tx.before_commit(format!("{PLACE}:{tenant}"), move |house| {
        Box::pin(async move {
            house.act_for(tenant).await?;
            chain::append(house, tenant, at, entry).await
        })
    });
}

#[cfg(test)]
mod tests;
