//! Whose a domain is, once that is shown. What else there is to a domain is the product's.

use portolan_core::TenantId;
use portolan_db::entity::tenant_domain;
use portolan_db::{DbError, SystemTx};
use sea_orm::{ColumnTrait, QueryFilter};

/// The state of a domain that its company has shown to be its own. In the index that keeps it from two, too.
pub const VERIFIED: &str = "verified";

/// The company that has shown that this domain is its own, if one has. `domain` is in its canonical form.
pub async fn holder_of_domain(tx: &SystemTx, domain: &str) -> Result<Option<TenantId>, DbError> {
    let found = tx
        .find_across_tenants::<tenant_domain::Entity>()
        .filter(tenant_domain::Column::Domain.eq(domain))
        .filter(tenant_domain::Column::State.eq(VERIFIED));
    Ok(found.one(tx).await?.map(|row| TenantId(row.tenant_id)))
}
