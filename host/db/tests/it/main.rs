//! The database layer on both databases.

#![expect(clippy::disallowed_methods, reason = "shows what happens to those who go around the transactions")]

mod cancel;
mod ledger;
mod plans;
mod row_security;
mod schema;
mod settings;
mod support;
mod tenancy;
mod tls;
mod transactions;
mod trouble;
