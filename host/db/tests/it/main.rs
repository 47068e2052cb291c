//! The database layer on both databases.

mod cancel;
mod ledger;
mod schema;
mod settings;
mod support;
mod tenancy;
mod transactions;
