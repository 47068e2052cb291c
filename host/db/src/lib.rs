//! The database behind one door: tables, tenant transactions, pools, and the few differences
//! between SQLite and PostgreSQL.
//!
//! **Invariants**
//! - A tenant's rows are reached through a [`TenantTx`] alone; every statement it sends binds its tenant.
//! - On PostgreSQL, policies of the database are a second wall: no transaction begins before it is sure that
//!   they stand and hold the role it works as.
//! - Every write is an explicit transaction that runs in a task of its own ([`Database::write`]), so that
//!   a caller who goes away can cancel neither `BEGIN` nor `COMMIT`. sqlx 0.9.0 hands out connections
//!   inside an open transaction otherwise, and later acknowledged writes vanish.
//! - Success is said only after `COMMIT` said it.
//!
//! ```ignore
//! let label = database
//!     .write(tenant, move |tx| Box::pin(async move {
//!         tx.insert(connection).await?;
//!         Ok::<_, DbError>(())
//!     }))
//!     .await?;
//! let tx = database.read(tenant).await?;
//! let active = tx.find::<connection::Entity>().filter(connection::Column::State.eq(state)).all(&tx).await?;
//! ```

#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "the one place that holds connections and begins, fences and ends transactions"
)]

pub mod entity;

mod bulk;
mod cash_ledger;
mod cells;
mod config;
mod connect;
mod database;
mod dialect;
mod disk;
mod error;
mod keyed;
mod ledger;
mod system_tx;
mod tenant_tx;
#[cfg(feature = "testing")]
pub mod testing;
mod wall;

pub use bulk::Rows;
pub use cells::Cells;
pub use config::DatabaseConfig;
pub use database::{Database, Work, WriteClass};
pub use dialect::Dialect;
pub use error::DbError;
pub use ledger::{Posting, StoredEventError};
pub use sea_orm;
pub use system_tx::SystemTx;
pub use tenant_tx::TenantTx;

use sea_orm::EntityTrait;

/// A table whose rows belong to tenants.
pub trait TenantEntity: EntityTrait {
    fn tenant_column() -> Self::Column;
}

/// A table that the house shares, or that spans tenants by its nature (who is a member where).
pub trait HostEntity: EntityTrait {}
