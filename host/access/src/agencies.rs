//! Agencies and the companies that they look after, their clients.
//!
//! **Invariants**
//! - Looking after a company opens nothing of it. Whoever works in it has a membership there like anybody else, and what they
//!   may do there is what its own rows say: nothing is inherited.
//! - Whoever founds a client says who begins in it. From then on people are let in by whoever may do so *there*.
//! - One level: a company becomes a client when it is made and at no other time, and a client has no clients. So there are
//!   no circles, and nobody looks after somebody else's clients.
//! - Of one company's people the other's audit learns nothing: whoever acts on it from there is "somebody of another company".

use std::collections::{BTreeMap, BTreeSet};

use portolan_core::{Instant, TenantId, UserId};
use portolan_db::entity::{membership, tenant};
use portolan_db::{DbError, SystemTx, TenantTx};
use sea_orm::{ColumnTrait, ConnectionTrait, IntoActiveModel, QueryFilter, QueryOrder};
use serde_json::json;

use crate::audit::{self, Who};
use crate::members::{
    Member, check_owner_left, check_roles, is_member_here, join, members, replace_roles, set_roles,
};
use crate::{MemberError, Permission, Rights, SystemRole, bump_access, check_may_change, remove_member};

/// A client as its agency sees it: this and no more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientCompany {
    pub tenant: TenantId,
    pub slug: String,
    pub name: String,
    pub founded_at: Instant,
    /// Who may come in.
    pub people: usize,
}

/// Why something cannot be done to a client.
#[derive(Debug, thiserror::Error)]
pub enum AgencyError {
    #[error("there is no such company among the clients")]
    NoClient,
    #[error("name at least one owner: somebody has to be able to come in")]
    NoOwner,
    #[error("name people of the agency: others are invited by the client")]
    Stranger,
    #[error("only an owner of the company leaves its agency")]
    NotOwner,
    #[error(transparent)]
    Member(#[from] MemberError),
}

impl From<DbError> for AgencyError {
    fn from(error: DbError) -> Self {
        Self::Member(error.into())
    }
}

/// The clients of an agency, by name.
pub async fn clients_of(tx: &SystemTx, agency: TenantId) -> Result<Vec<ClientCompany>, DbError> {
    let found = tx.find::<tenant::Entity>().filter(tenant::Column::ParentId.eq(agency.0));
    let found = found.order_by_asc(tenant::Column::Name).order_by_asc(tenant::Column::Id).all(tx).await?;
    let ids: Vec<_> = found.iter().map(|client| client.id).collect();
    let members = tx.find::<membership::Entity>().filter(membership::Column::TenantId.is_in(ids));
    let members = members.filter(membership::Column::BannedAt.is_null()).all(tx).await?;
    let clients = found.into_iter().map(|client| ClientCompany {
        tenant: TenantId(client.id),
        people: members.iter().filter(|member| member.tenant_id == client.id).count(),
        slug: client.slug,
        name: client.name,
        founded_at: Instant(client.created_at),
    });
    Ok(clients.collect())
}

/// Whoever belongs to a company and may come in.
pub async fn people_of(tx: &SystemTx, tenant: TenantId) -> Result<BTreeSet<UserId>, DbError> {
    let members = tx.find::<membership::Entity>().filter(membership::Column::TenantId.eq(tenant.0));
    let members = members.filter(membership::Column::BannedAt.is_null()).all(tx).await?;
    Ok(members.into_iter().map(|member| UserId(member.user_id)).collect())
}

/// Lets the first people into a client that was just made: some of the agency's, and an owner among them. Tells both audits.
pub async fn open_client(
    tx: &SystemTx,
    by: &Who,
    agency: TenantId,
    client: TenantId,
    people: &BTreeMap<UserId, SystemRole>,
    at: Instant,
) -> Result<(), AgencyError> {
    let of_agency = people_of(tx, agency).await?;
    if people.keys().any(|user| !of_agency.contains(user)) {
        return Err(AgencyError::Stranger);
    }
    if !people.values().any(|role| *role == SystemRole::Owner) {
        return Err(AgencyError::NoOwner);
    }
    let there = who_there(by, by.user().is_some_and(|user| people.contains_key(&user)));
    for (user, role) in people {
        join(tx, client, *user, *role, at).await?;
        let entry = there.did("member.add", "person", user).after(json!({ "roles": [role.as_str()] }));
        audit::write_in_house(tx, client, at, entry);
    }
    let told: BTreeMap<String, &str> =
        people.iter().map(|(user, role)| (user.to_string(), role.as_str())).collect();
    let entry = by.did("client.create", "tenant", client).after(json!({ "people": told }));
    audit::write_in_house(tx, agency, at, entry);
    Ok(())
}

/// Who acts, as the audit of a company tells it that they belong to or don't.
pub fn who_there(by: &Who, belongs: bool) -> Who {
    if belongs || by.user().is_none() { by.clone() } else { by.as_another_company() }
}

/// People of the agency who belong to the client, with what they hold there by themselves.
pub async fn grants_in_client(tx: &TenantTx, of_agency: &BTreeSet<UserId>) -> Result<Vec<Member>, DbError> {
    let listed = members(tx).await?.into_iter();
    Ok(listed.filter(|member| of_agency.contains(&member.user)).collect())
}

/// Lets somebody of the agency into the client with these roles, or gives them these and no others. `tx` is the client's:
/// whoever does it has to be allowed to there.
pub async fn grant_in_client(
    tx: &TenantTx,
    by: &Who,
    agency: TenantId,
    (user, roles): (UserId, &BTreeSet<String>),
    at: Instant,
) -> Result<(), AgencyError> {
    bump_access(tx.host_wide(), tx.tenant()).await?;
    check_client(tx, agency).await?;
    check_manages_people(tx, by).await?;
    if is_member_here(tx, user).await? {
        set_roles(tx, by, user, roles, at).await?;
    } else {
        check_roles(roles)?;
        check_may_change(tx, by, roles).await?;
        let before = Rights::load(tx).await?;
        let row = membership::Model {
            tenant_id: tx.tenant().0,
            user_id: user.0,
            joined_at: at.0,
            banned_at: None,
            ban_reason: None,
        };
        tx.host_wide().insert(row.into_active_model()).await?;
        replace_roles(tx.host_wide(), tx.tenant(), user, roles).await?;
        before.check_changed(tx, by).await?;
        audit::write(tx, at, by.did("member.add", "person", user).after(json!({ "roles": roles })));
    }
    let told = json!({ "person": user.to_string(), "roles": roles });
    tell_agency(tx, agency, at, by.did("client.grant", "tenant", tx.tenant()).after(told));
    Ok(())
}

/// Takes somebody of the agency out of the client; oneself, too.
pub async fn revoke_in_client(
    tx: &TenantTx,
    by: &Who,
    agency: TenantId,
    user: UserId,
    at: Instant,
) -> Result<(), AgencyError> {
    bump_access(tx.host_wide(), tx.tenant()).await?;
    check_client(tx, agency).await?;
    if by.user() != Some(user) {
        check_manages_people(tx, by).await?;
    }
    remove_member(tx, by, user, at).await?;
    let told = json!({ "person": user.to_string() });
    tell_agency(tx, agency, at, by.did("client.revoke", "tenant", tx.tenant()).before(told));
    Ok(())
}

/// Which side lets go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReleasedBy {
    /// Somebody who manages the agency's clients.
    Agency,
    /// An owner of the client, alone.
    Client,
}

/// Ends that the agency looks after the client. Who belongs to it stays in it: its owners decide over them.
pub async fn release_client(
    tx: &TenantTx,
    (by, side): (&Who, ReleasedBy),
    agency: TenantId,
    acts_in_both: bool,
    at: Instant,
) -> Result<(), AgencyError> {
    bump_access(tx.host_wide(), tx.tenant()).await?;
    check_client(tx, agency).await?;
    let owns = match by.user() {
        Some(user) => Rights::load(tx).await?.is_owner(user),
        None => true,
    };
    if side == ReleasedBy::Client && !owns {
        return Err(AgencyError::NotOwner);
    }
    // One that nobody could come in to would be nobody's.
    check_owner_left(tx).await?;
    let sql = "UPDATE tenant SET parent_id = NULL WHERE id = $1";
    tx.execute_raw(tx.statement(sql, [tx.tenant().0.into()])).await.map_err(DbError::from)?;
    let belongs = |own: ReleasedBy| side == own || acts_in_both;
    let here = who_there(by, belongs(ReleasedBy::Client));
    let client = tx.tenant();
    audit::write(tx, at, here.did("agency.leave", "tenant", client));
    let there = who_there(by, belongs(ReleasedBy::Agency));
    tell_agency(tx, agency, at, there.did("client.release", "tenant", client));
    Ok(())
}

/// The client's event is written first, the agency's after it: always in this order.
fn tell_agency(tx: &TenantTx, agency: TenantId, at: Instant, entry: audit::Entry) {
    audit::write_in_house(tx.host_wide(), agency, at, entry);
}

async fn check_client(tx: &TenantTx, agency: TenantId) -> Result<(), AgencyError> {
    let house = tx.host_wide();
    let own = house.find::<tenant::Entity>().filter(tenant::Column::Id.eq(tx.tenant().0)).one(house).await;
    match own.map_err(DbError::from)? {
        Some(own) if own.parent_id == Some(agency.0) => Ok(()),
        _ => Err(AgencyError::NoClient),
    }
}

/// Asked anew in the transaction: what was known before it may be over.
async fn check_manages_people(tx: &TenantTx, by: &Who) -> Result<(), AgencyError> {
    let rights = Rights::load(tx).await?;
    let may = by.user().is_none_or(|user| rights.allowed(user).contains(&Permission::PeopleManage));
    if may { Ok(()) } else { Err(MemberError::MoreThanOwn(Permission::PeopleManage).into()) }
}
