//! A few tenants with connections whose secrets rest sealed, as the tests of keys need them.

use std::collections::BTreeMap;
use std::sync::Arc;

use portolan_access::{CONNECTION_SECRET, KeyRing, Secrets, TenantKeys};
use portolan_core::{SystemClock, SystemRandom, TenantId, id};
use portolan_db::entity::{connection, connection_secret};
use portolan_db::testing::TestDatabase;
use portolan_db::{Database, DbError};
use sea_orm::prelude::Uuid;
use sea_orm::{ActiveValue::Set, ColumnTrait, IntoActiveModel, QueryFilter};
use tempfile::TempDir;

use crate::support::new_tenant;

/// Connection and field.
pub type Place = (Uuid, String);

pub struct Vault {
    pub database: Database,
    pub tenants: Vec<TenantId>,
    pub folder: TempDir,
}

impl Vault {
    pub async fn new(test: &TestDatabase, tenants: usize) -> Self {
        let database = test.database.clone();
        let mut ids = Vec::new();
        for _ in 0..tenants {
            ids.push(new_tenant(&database).await);
        }
        Self { database, tenants: ids, folder: TempDir::new().expect("folder") }
    }

    /// The keys as one more process has them.
    pub fn ring(&self) -> Arc<KeyRing> {
        Arc::new(KeyRing::load_or_create(self.folder.path(), None, &SystemRandom).expect("ring"))
    }

    pub fn secrets(&self, ring: Arc<KeyRing>) -> Secrets {
        Secrets::new(self.database.clone(), ring, Arc::new(SystemClock), Arc::new(SystemRandom))
    }

    pub async fn connect(&self, tenant: TenantId) -> Uuid {
        let row = connection::Model {
            tenant_id: tenant.0,
            id: id::new_uuid(&SystemClock, &SystemRandom),
            plugin_id: "fake".to_owned(),
            plugin_sha256: None,
            pseudonyms: false,
            label: "Harbour".to_owned(),
            state: connection::ConnectionState::Active,
            config: "{}".to_owned(),
            time_zone: "UTC".to_owned(),
            day_cutover_minutes: 0,
            consent: "{}".to_owned(),
            created_at: 0,
            updated_at: 0,
        };
        let id = row.id;
        let insert = self.database.write(tenant, move |tx| {
            Box::pin(async move { tx.insert(row.into_active_model()).await.map(|_| ()) })
        });
        insert.await.map_err(|error: DbError| error).expect("connection");
        id
    }
}

/// Stores a secret, in the place of one that is there.
pub async fn put(database: &Database, ring: &Arc<KeyRing>, tenant: TenantId, place: Place, plain: String) {
    let ring = Arc::clone(ring);
    let put = database.write(tenant, move |tx| {
        Box::pin(async move {
            let keys =
                TenantKeys::load_to_seal(&ring, tx, &SystemClock, &SystemRandom).await.map_err(other)?;
            let row = format!("{}/{}", place.0, place.1);
            let cell = CONNECTION_SECRET.cell(tenant, &row);
            let sealed = keys.seal(cell, plain.as_bytes(), &SystemRandom).expect("seal");
            store(tx, place, sealed).await
        })
    });
    put.await.map_err(|error: DbError| error).expect("stored");
}

/// Stores a secret as it was done before tenants had data keys.
pub async fn put_old(database: &Database, ring: &Arc<KeyRing>, tenant: TenantId, place: Place, plain: &str) {
    let row = format!("{}/{}", place.0, place.1);
    let cell = CONNECTION_SECRET.cell(tenant, &row);
    let sealed = ring.seal_old(cell, plain.as_bytes(), &SystemRandom).expect("seal");
    let put = database.write(tenant, move |tx| Box::pin(async move { store(tx, place, sealed).await }));
    put.await.map_err(|error: DbError| error).expect("stored");
}

fn other(error: impl std::fmt::Display) -> DbError {
    DbError::Unsafe(error.to_string())
}

async fn store(tx: &portolan_db::TenantTx, place: Place, sealed: Vec<u8>) -> Result<(), DbError> {
    let (connection, field) = place;
    tx.delete_many::<connection_secret::Entity>()
        .filter(connection_secret::Column::ConnectionId.eq(connection))
        .filter(connection_secret::Column::Field.eq(&field))
        .exec(tx)
        .await?;
    let row = connection_secret::ActiveModel {
        tenant_id: Set(tx.tenant().0),
        connection_id: Set(connection),
        field: Set(field),
        sealed: Set(sealed),
        set_by: Set(None),
        set_at: Set(0),
    };
    tx.insert_many(vec![row]).await.map(|_| ())
}

/// All secrets of a tenant, opened; an error names the first that does not open.
pub async fn open_all(
    database: &Database,
    ring: &KeyRing,
    tenant: TenantId,
) -> Result<BTreeMap<Place, String>, String> {
    let tx = database.read(tenant).await.map_err(|error| error.to_string())?;
    let keys = TenantKeys::load(ring, &tx).await.map_err(|error| error.to_string())?;
    let rows = tx.find::<connection_secret::Entity>().all(&tx).await.map_err(|error| error.to_string())?;
    let open = |row: connection_secret::Model| {
        let name = format!("{}/{}", row.connection_id, row.field);
        let plain = keys.open(CONNECTION_SECRET.cell(tenant, &name), &row.sealed);
        let plain = plain.map_err(|error| format!("{name}: {error}"))?;
        Ok(((row.connection_id, row.field), String::from_utf8(plain).map_err(|error| error.to_string())?))
    };
    rows.into_iter().map(open).collect()
}
