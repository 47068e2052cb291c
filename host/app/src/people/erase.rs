//! Forgetting a person of this host: who they are, how they came in, what they held. What they did stays in the audit, which
//! knows them by an id that leads nowhere afterwards.

use std::sync::Arc;

use portolan_access::audit::Who;
use portolan_access::remove_member;
use portolan_core::{TenantId, UserId};
use portolan_db::entity::{invitation, membership, user};
use sea_orm::{ColumnTrait, QueryFilter};

use super::ops::change;
use crate::App;
use crate::web::error::{AppError, AppResult};

/// Takes somebody out of every company and forgets them: name, password, second factor, sessions, keys. Gives the number of
/// companies.
///
/// One company after the other, since each has an audit of its own: where they are the last owner of one it ends there and
/// says so, and doing it again goes on.
pub async fn erase_person(app: &Arc<App>, who: Who, person: UserId, confirm: &str) -> AppResult<usize> {
    let tx = app.db.system_read().await?;
    let row = tx.find::<user::Entity>().filter(user::Column::Id.eq(person.0)).one(&tx).await?;
    let name = row.ok_or_else(|| AppError::not_found("person"))?.sign_in_name;
    let everywhere = tx.find::<membership::Entity>().filter(membership::Column::UserId.eq(person.0));
    let tenants: Vec<TenantId> =
        everywhere.all(&tx).await?.into_iter().map(|member| TenantId(member.tenant_id)).collect();
    drop(tx);
    if confirm.trim().to_lowercase() != name {
        return Err(AppError::invalid("confirm", format!("Type {name:?} to have it forgotten for good.")));
    }
    let now = app.clock.now();
    for tenant in &tenants {
        let (by, name) = (who.clone(), name.clone());
        change(app, *tenant, move |tx| {
            Box::pin(async move {
                remove_member(tx, &by, person, now).await?;
                let invited = tx.delete_many::<invitation::Entity>();
                invited
                    .filter(invitation::Column::SignInName.eq(name))
                    .exec(tx)
                    .await
                    .map_err(portolan_db::DbError::from)?;
                Ok(())
            })
        })
        .await?;
    }
    app.db
        .system_write(move |tx| {
            Box::pin(async move {
                // Somebody may have let them in elsewhere meanwhile.
                let member = tx.find::<membership::Entity>().filter(membership::Column::UserId.eq(person.0));
                if member.one(tx).await?.is_some() {
                    return Err(AppError::conflict("They have joined a company meanwhile: do it again."));
                }
                tx.delete_many::<user::Entity>().filter(user::Column::Id.eq(person.0)).exec(tx).await?;
                Ok::<_, AppError>(())
            })
        })
        .await?;
    tracing::info!(user.id = %person, tenants = tenants.len(), "a person was forgotten");
    Ok(tenants.len())
}
