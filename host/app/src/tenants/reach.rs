//! Whoever manages people in a client does so from a session of the agency: here it is asked what the client would ask them
//! if they came in by its own door.

use std::collections::BTreeSet;
use std::net::IpAddr;

use portolan_access::{Permission, people_of};
use portolan_core::{TenantId, UserId};
use portolan_db::entity::tenant;
use portolan_db::{DbError, SystemTx};
use sea_orm::{ColumnTrait, QueryFilter};

use crate::App;
use crate::web::actor::Require;
use crate::web::error::{AppError, AppResult};

/// A client of the agency, in which whoever asks may let people in.
#[derive(Debug, Clone)]
pub struct Client {
    pub tenant: TenantId,
    pub name: String,
    pub agency: TenantId,
    pub of_agency: BTreeSet<UserId>,
}

pub async fn find(tx: &SystemTx, id: TenantId) -> AppResult<tenant::Model> {
    let found = tx.find::<tenant::Entity>().filter(tenant::Column::Id.eq(id.0)).one(tx).await?;
    found.ok_or_else(|| AppError::not_found("company"))
}

pub async fn name_of(tx: &SystemTx, id: TenantId) -> Result<Option<String>, DbError> {
    let found = tx.find::<tenant::Entity>().filter(tenant::Column::Id.eq(id.0)).one(tx).await?;
    Ok(found.map(|tenant| tenant.name))
}

/// The client, for somebody who manages people in it: by a role *there*, meeting its rules of signing in. For everybody else
/// of the agency it is as much *not found* as for a stranger.
pub async fn reach<G>(
    app: &App,
    actor: &Require<G>,
    from: Option<IpAddr>,
    id: TenantId,
) -> AppResult<Client> {
    let signed_in = actor.signed_in()?;
    let tx = app.db.system_read().await?;
    let row = find(&tx, id).await?;
    let belongs = people_of(&tx, id).await?.contains(&actor.user);
    if row.parent_id != Some(actor.tenant.0) || !belongs {
        return Err(AppError::not_found("company"));
    }
    let of_agency = people_of(&tx, actor.tenant).await?;
    drop(tx);
    let policy = app.sessions.policies().of(id, row.access_version).await.map_err(AppError::internal)?;
    if !policy.sign_in().admits(from) {
        return Err(AppError::network_not_allowed(from));
    }
    if policy.needs_second_factor(actor.user) && !signed_in.second_factor {
        return Err(AppError::second_factor_required());
    }
    // Whoever holds the agency's domain could have read this session's token.
    if signed_in.at_domain || !policy.allows(actor.user, Permission::PeopleManage) {
        return Err(AppError::forbidden(Permission::PeopleManage.as_str()));
    }
    Ok(Client { tenant: id, name: row.name, agency: actor.tenant, of_agency })
}
