//! Taking keys away: a master key that nothing needs any more, and all of a tenant's, on purpose.

use portolan_core::TenantId;
use portolan_db::DbError;
use portolan_db::entity::tenant_key;

use super::columns::SEALED_COLUMNS;
use super::status::Needs;
use super::tenant_keys::{Turn, take_turn};
use super::{Secrets, SecretsError};
use crate::audit::{self, Who};
use crate::key_ring::{KeyRingError, MasterKeyId};

/// What was made unreadable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shredded {
    /// Data keys that are gone; what they have sealed opens nowhere any more.
    pub data_keys: u64,
    /// Values that a master key had sealed, which were emptied.
    pub emptied: u64,
}

impl Secrets {
    /// Takes a master key out of its file, once a look at everything finds nothing that needs it.
    ///
    /// Nobody makes or changes keys meanwhile; whoever makes one afterwards reads the file again before.
    pub async fn remove_master_key(&self, id: MasterKeyId) -> Result<(), SecretsError> {
        self.ring.reload()?;
        if self.ring.active_id() == id {
            return Err(KeyRingError::Active(id).into());
        }
        if !self.ring.ids().contains(&id) {
            return Err(KeyRingError::Unknown(id).into());
        }
        let tenants = self.tenants().await?;
        let secrets = self.clone();
        self.database
            .system_write(move |tx| {
                Box::pin(async move {
                    take_turn(tx, Turn::ChangesKeys).await?;
                    let mut needs = Needs::default();
                    needs.add_house(tx).await?;
                    for tenant in tenants {
                        let entry = Who::operator().did("secrets.remove_key", "master_key", id);
                        audit::write_in_house(tx, tenant, secrets.clock.now(), entry);
                        // A look of its own: this transaction is nobody's, and sees no tenant's rows.
                        let look = secrets.database.read(tenant).await?;
                        needs.add(&secrets.ring, &look).await?;
                    }
                    match needs.of(id) {
                        (0, 0) => Ok(secrets.ring.remove_key(id)?),
                        (data_keys, values) => Err(SecretsError::Needed { id, data_keys, values }),
                    }
                })
            })
            .await
    }

    /// Makes all sealed values of a tenant unreadable for ever, by forgetting its data keys. Copies of the
    /// database from before still hold the keys, wrapped: they have to go as well.
    pub async fn shred(&self, tenant: TenantId) -> Result<Shredded, SecretsError> {
        let now = self.clock.now();
        self.database
            .write(tenant, move |tx| {
                Box::pin(async move {
                    take_turn(tx.host_wide(), Turn::ChangesKeys).await?;
                    let mut emptied = 0;
                    for column in SEALED_COLUMNS {
                        emptied += column.empty_old(tx).await?;
                    }
                    let gone =
                        tx.delete_many::<tenant_key::Entity>().exec(tx).await.map_err(DbError::from)?;
                    audit::write(tx, now, Who::operator().did("secrets.shred", "tenant", tx.tenant()));
                    Ok(Shredded { data_keys: gone.rows_affected, emptied })
                })
            })
            .await
    }
}
