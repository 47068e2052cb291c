//! What the tests share: tenants and rows.

use portolan_core::{SystemClock, SystemRandom, TenantId, id};
use portolan_db::entity::{quarantine, tenant};
use portolan_db::{Database, DbError};
use uuid::Uuid;

pub use portolan_db::testing::{TestDatabase, on_both};
pub use portolan_migrations::migrate;

pub fn new_id() -> Uuid {
    id::new_uuid(&SystemClock, &SystemRandom)
}

pub async fn new_tenant(database: &Database, slug: &str) -> TenantId {
    let row = tenant::Model {
        id: new_id(),
        slug: slug.to_owned(),
        name: slug.to_owned(),
        reporting_currency: "EUR".to_owned(),
        rate_policy: "event_date".to_owned(),
        rates_changed_at: 0,
        time_zone: "Europe/Lisbon".to_owned(),
        week_start: 1,
        fiscal_start_month: 1,
        created_at: 0,
        access_version: 0,
        parent_id: None,
    };
    let tenant = TenantId(row.id);
    database
        .system_write(move |tx| {
            Box::pin(async move {
                tx.insert(tenant::ActiveModel::from(row)).await?;
                Ok::<_, DbError>(())
            })
        })
        .await
        .expect("new tenant");
    tenant
}

/// A row of a table without foreign keys.
pub fn note(tenant: TenantId, reason: &str) -> quarantine::Model {
    quarantine::Model {
        tenant_id: tenant.0,
        id: new_id(),
        connection_id: Uuid::nil(),
        stream: "orders".to_owned(),
        chunk_id: Uuid::nil(),
        src: 0,
        path: None,
        reason: reason.to_owned(),
        created_at: 0,
    }
}

pub async fn write_note(database: &Database, row: quarantine::Model) -> Result<(), DbError> {
    database
        .write(TenantId(row.tenant_id), move |tx| {
            Box::pin(async move {
                tx.insert(quarantine::ActiveModel::from(row)).await?;
                Ok(())
            })
        })
        .await
}
