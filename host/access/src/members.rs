//! Who belongs to a tenant, and the roles they hold.
//!
//! Every change first moves the tenant's `access_version`, which locks its row: changes of one tenant's people happen one
//! after the other, so that two owners can't make each other the last but one at the same moment.

use std::collections::{BTreeMap, BTreeSet};

use portolan_core::{Instant, TenantId, UserId};
use portolan_db::entity::{custom_role, membership, role_grant, session, team_grant, team_member, user};
use portolan_db::{DbError, SystemTx, TenantTx};
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, IntoActiveModel, QueryFilter, QueryOrder, Select};
use serde_json::json;

use crate::audit::{self, Who};
use crate::{Permission, Rights, SystemRole, UnknownRole};

const LONGEST_REASON_CHARS: usize = 500;

/// Somebody in a tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    pub user: UserId,
    pub sign_in_name: String,
    pub joined_at: Instant,
    /// Held by themselves, by name; those of their teams come on top.
    pub roles: BTreeSet<String>,
    pub ban: Option<Ban>,
}

/// Why and since when somebody may not come in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ban {
    pub at: Instant,
    pub reason: String,
}

/// Why people cannot be changed so.
#[derive(Debug, thiserror::Error)]
pub enum MemberError {
    #[error("this person does not belong to the company: invite them first")]
    NotMember,
    #[error("{0:?} is no role of this company: use a system role, or make it on the roles page first")]
    UnknownRole(String),
    #[error("you may not give or take the role {0}: ask somebody who holds a higher one")]
    MayNotGive(String),
    #[error("an owner may do everything already: give either the owner role or others")]
    OwnerAlone,
    #[error("the company needs at least one owner who can come in: make somebody else an owner first")]
    LastOwner,
    #[error("nobody bans themselves: leave the company instead")]
    Themselves,
    #[error("say why, in 1 to {LONGEST_REASON_CHARS} characters: others will want to know later")]
    Reason,
    #[error("give at least one role; to keep somebody out, ban them or take them off the list")]
    NoRole,
    #[error("you may not do {0} yourself, so you cannot let anybody do it: ask an owner")]
    MoreThanOwn(Permission),
    #[error("this would deny {0} to an owner: take owners out of the team, or the denial out of the role")]
    OwnerDenied(Permission),
    #[error("by this somebody would see what a policy keeps from you: ask an owner")]
    MoreThanSeen,
    #[error("no team makes owners: name each owner by themselves")]
    OwnerTeam,
    #[error("there is no such team")]
    NoTeam,
    #[error("a team's name has 1 to 80 characters")]
    TeamName,
    #[error("the name {0} is taken: choose another one")]
    NameTaken(String),
    #[error("there is no role {0} of the company's own")]
    NoRoleNamed(String),
    #[error("a role's name has 1 to 40 small letters, digits and hyphens, and is not \"new\"")]
    RoleName,
    #[error("a role's description has at most 200 characters")]
    RoleDescription,
    #[error("this role is held by {0}: take it from them first")]
    RoleHeld(String),
    #[error("{0:?} cannot be a sign-in name: use 1 to 200 characters without spaces")]
    SignInName(String),
    #[error("{0} belongs to the company already: change their roles instead")]
    AlreadyMember(String),
    #[error("there is no such invitation, or it was used")]
    NoInvitation,
    #[error(transparent)]
    Database(#[from] DbError),
}

/// Everybody who belongs to the tenant, by name.
pub async fn members(tx: &TenantTx) -> Result<Vec<Member>, DbError> {
    let memberships = of_tenant(tx).all(tx.host_wide()).await?;
    let ids: Vec<_> = memberships.iter().map(|member| member.user_id).collect();
    let people = tx
        .host_wide()
        .find::<user::Entity>()
        .filter(user::Column::Id.is_in(ids))
        .order_by_asc(user::Column::SignInName)
        .all(tx.host_wide())
        .await?;
    let mut roles: BTreeMap<_, BTreeSet<String>> = BTreeMap::new();
    for grant in tx.find::<role_grant::Entity>().all(tx).await? {
        roles.entry(grant.user_id).or_default().insert(grant.role);
    }
    let mut of_person: BTreeMap<_, _> = memberships.into_iter().map(|row| (row.user_id, row)).collect();
    let listed = people.into_iter().filter_map(|person| {
        let row = of_person.remove(&person.id)?;
        Some(Member {
            user: UserId(person.id),
            sign_in_name: person.sign_in_name,
            joined_at: Instant(row.joined_at),
            roles: roles.remove(&person.id).unwrap_or_default(),
            ban: row.banned_at.map(|at| Ban { at: Instant(at), reason: row.ban_reason.unwrap_or_default() }),
        })
    });
    Ok(listed.collect())
}

/// Gives somebody these roles and no others.
pub async fn set_roles(
    tx: &TenantTx,
    by: &Who,
    of: UserId,
    roles: &BTreeSet<String>,
    at: Instant,
) -> Result<(), MemberError> {
    bump_access(tx.host_wide(), tx.tenant()).await?;
    check_member(tx, of).await?;
    check_roles(roles)?;
    let before = Rights::load(tx).await?;
    let held = roles_held(tx, of).await?;
    check_may_change(tx, by, held.symmetric_difference(roles)).await?;
    replace_roles(tx.host_wide(), tx.tenant(), of, roles).await?;
    before.check_changed(tx, by).await?;
    let entry = by.did("member.set_roles", "person", of).before(json!({ "roles": held }));
    audit::write(tx, at, entry.after(json!({ "roles": roles })));
    check_owner_left(tx).await
}

/// Whether these can be all the roles that somebody holds.
pub(crate) fn check_roles(roles: &BTreeSet<String>) -> Result<(), MemberError> {
    if roles.is_empty() {
        return Err(MemberError::NoRole);
    }
    if roles.len() > 1 && roles.contains(SystemRole::Owner.as_str()) {
        return Err(MemberError::OwnerAlone);
    }
    Ok(())
}

/// Keeps somebody out from now on, and ends what they have open here.
pub async fn ban(
    tx: &TenantTx,
    by: &Who,
    whom: UserId,
    reason: &str,
    at: Instant,
) -> Result<(), MemberError> {
    let reason = reason.trim();
    if reason.is_empty() || reason.chars().count() > LONGEST_REASON_CHARS {
        return Err(MemberError::Reason);
    }
    if by.user() == Some(whom) {
        return Err(MemberError::Themselves);
    }
    bump_access(tx.host_wide(), tx.tenant()).await?;
    check_member(tx, whom).await?;
    check_may_change(tx, by, all_roles_of(tx, whom).await?.iter()).await?;
    set_ban(tx, whom, Some((at, reason))).await?;
    end_sessions_here(tx, whom).await?;
    // The reason is about a person: it stands with the ban, and goes with it.
    audit::write(tx, at, by.did("member.ban", "person", whom));
    check_owner_left(tx).await
}

/// Lets somebody who was banned come in again, with the roles they had.
pub async fn lift_ban(tx: &TenantTx, by: &Who, whom: UserId, at: Instant) -> Result<(), MemberError> {
    bump_access(tx.host_wide(), tx.tenant()).await?;
    check_member(tx, whom).await?;
    check_may_change(tx, by, all_roles_of(tx, whom).await?.iter()).await?;
    let before = Rights::load(tx).await?;
    set_ban(tx, whom, None).await?;
    audit::write(tx, at, by.did("member.lift_ban", "person", whom));
    before.check_changed(tx, by).await
}

/// Ends what somebody has open here; they may sign in again. For a device that is lost, without keeping its owner out.
pub async fn sign_out_member(tx: &TenantTx, by: &Who, whom: UserId, at: Instant) -> Result<(), MemberError> {
    check_member(tx, whom).await?;
    if by.user() != Some(whom) {
        check_may_change(tx, by, all_roles_of(tx, whom).await?.iter()).await?;
    }
    audit::write(tx, at, by.did("member.sign_out", "person", whom));
    Ok(end_sessions_here(tx, whom).await?)
}

/// Takes somebody off the list; their own leaving needs nobody's leave.
pub async fn remove_member(tx: &TenantTx, by: &Who, whom: UserId, at: Instant) -> Result<(), MemberError> {
    bump_access(tx.host_wide(), tx.tenant()).await?;
    check_member(tx, whom).await?;
    let held = roles_held(tx, whom).await?;
    if by.user() != Some(whom) {
        check_may_change(tx, by, all_roles_of(tx, whom).await?.iter()).await?;
    }
    audit::write(tx, at, by.did("member.remove", "person", whom).before(json!({ "roles": held })));
    end_sessions_here(tx, whom).await?;
    tx.host_wide()
        .delete_many::<membership::Entity>()
        .filter(membership::Column::TenantId.eq(tx.tenant().0))
        .filter(membership::Column::UserId.eq(whom.0))
        .exec(tx.host_wide())
        .await
        .map_err(DbError::from)?;
    check_owner_left(tx).await
}

/// Names of the roles that somebody holds by themselves and by their teams.
pub async fn all_roles_of(tx: &TenantTx, user: UserId) -> Result<BTreeSet<String>, DbError> {
    let mut roles = roles_held(tx, user).await?;
    let teams = tx.find::<team_member::Entity>().filter(team_member::Column::UserId.eq(user.0));
    let teams: Vec<_> = teams.all(tx).await?.into_iter().map(|member| member.team_id).collect();
    let grants = tx.find::<team_grant::Entity>().filter(team_grant::Column::TeamId.is_in(teams));
    roles.extend(grants.all(tx).await?.into_iter().map(|grant| grant.role));
    Ok(roles)
}

/// Fails unless somebody may give and take all of these roles: system roles as [`SystemRole::may_give`] says, the
/// tenant's own whoever may give every system role but the owner's. The command line gives and takes as an owner does.
pub async fn check_may_change(
    tx: &TenantTx,
    by: &Who,
    roles: impl IntoIterator<Item = &String>,
) -> Result<(), MemberError> {
    let givers: Vec<SystemRole> = match by.user() {
        Some(user) => all_roles_of(tx, user).await?.iter().filter_map(|role| role.parse().ok()).collect(),
        None => vec![SystemRole::Owner],
    };
    for role in roles {
        let needed = match role.parse::<SystemRole>() {
            Ok(role) => role,
            Err(UnknownRole(_)) if is_custom_role(tx, role).await? => SystemRole::Admin,
            Err(UnknownRole(_)) => return Err(MemberError::UnknownRole(role.clone())),
        };
        if !givers.iter().any(|giver| giver.may_give(needed)) {
            return Err(MemberError::MayNotGive(role.clone()));
        }
    }
    Ok(())
}

/// Moves the tenant's `access_version`, and holds its row until the end of the transaction. Every change of who may
/// do what comes after it.
pub async fn bump_access(tx: &SystemTx, tenant: TenantId) -> Result<(), DbError> {
    let sql = "UPDATE tenant SET access_version = access_version + 1 WHERE id = $1";
    let done = tx.execute_raw(tx.statement(sql, [tenant.0.into()])).await?;
    if done.rows_affected() == 1 { Ok(()) } else { Err(DbError::Missing(DbErr::RecordNotUpdated)) }
}

/// Makes somebody a member with this one role, or gives a member this one role: for whoever founds a tenant, and for
/// the command line, which asks nobody's leave.
pub(crate) async fn join(
    tx: &SystemTx,
    tenant: TenantId,
    user: UserId,
    role: SystemRole,
    at: Instant,
) -> Result<(), DbError> {
    tx.act_for(tenant).await?;
    bump_access(tx, tenant).await?;
    let row = membership::Model {
        tenant_id: tenant.0,
        user_id: user.0,
        joined_at: at.0,
        banned_at: None,
        ban_reason: None,
    };
    tx.insert_many_on_conflict_do_nothing(vec![row.into_active_model()]).await?;
    replace_roles(tx, tenant, user, &BTreeSet::from([role.as_str().to_owned()])).await
}

pub(crate) async fn replace_roles(
    tx: &SystemTx,
    tenant: TenantId,
    user: UserId,
    roles: &BTreeSet<String>,
) -> Result<(), DbError> {
    let sql = "DELETE FROM role_grant WHERE tenant_id = $1 AND user_id = $2";
    tx.execute_raw(tx.statement(sql, [tenant.0.into(), user.0.into()])).await?;
    let rows = roles.iter().map(|role| {
        role_grant::Model { tenant_id: tenant.0, user_id: user.0, role: role.clone() }.into_active_model()
    });
    tx.insert_many(rows.collect()).await?;
    Ok(())
}

async fn roles_held(tx: &TenantTx, user: UserId) -> Result<BTreeSet<String>, DbError> {
    let grants = tx.find::<role_grant::Entity>().filter(role_grant::Column::UserId.eq(user.0));
    Ok(grants.all(tx).await?.into_iter().map(|grant| grant.role).collect())
}

async fn is_custom_role(tx: &TenantTx, name: &str) -> Result<bool, DbError> {
    let found = tx.find::<custom_role::Entity>().filter(custom_role::Column::Name.eq(name));
    Ok(found.one(tx).await?.is_some())
}

fn of_tenant(tx: &TenantTx) -> Select<membership::Entity> {
    tx.host_wide().find::<membership::Entity>().filter(membership::Column::TenantId.eq(tx.tenant().0))
}

/// Whether they belong to the tenant, banned or not.
pub(crate) async fn is_member_here(tx: &TenantTx, user: UserId) -> Result<bool, DbError> {
    let member = of_tenant(tx).filter(membership::Column::UserId.eq(user.0));
    Ok(member.one(tx.host_wide()).await?.is_some())
}

async fn check_member(tx: &TenantTx, user: UserId) -> Result<(), MemberError> {
    if is_member_here(tx, user).await? { Ok(()) } else { Err(MemberError::NotMember) }
}

/// Owners by a team don't count: a team is emptied without a thought of this.
pub(crate) async fn check_owner_left(tx: &TenantTx) -> Result<(), MemberError> {
    let sql = "SELECT count(*) FROM role_grant AS held JOIN membership AS member \
               ON member.tenant_id = held.tenant_id AND member.user_id = held.user_id \
               WHERE held.tenant_id = $1 AND held.role = $2 AND member.banned_at IS NULL";
    let statement = tx.statement(sql, [tx.tenant().0.into(), SystemRole::Owner.as_str().into()]);
    let row = tx.query_one_raw(statement).await.map_err(DbError::from)?;
    let owners: i64 = row.map_or(Ok(0), |row| row.try_get_by_index(0)).map_err(DbError::from)?;
    if owners > 0 { Ok(()) } else { Err(MemberError::LastOwner) }
}

async fn set_ban(tx: &TenantTx, user: UserId, ban: Option<(Instant, &str)>) -> Result<(), DbError> {
    let sql = "UPDATE membership SET banned_at = $3, ban_reason = $4 WHERE tenant_id = $1 AND user_id = $2";
    let (at, reason) = (ban.map(|(at, _)| at.0), ban.map(|(_, reason)| reason.to_owned()));
    let values = [tx.tenant().0.into(), user.0.into(), at.into(), reason.into()];
    tx.execute_raw(tx.statement(sql, values)).await?;
    Ok(())
}

/// Ends somebody's sessions in this tenant; those in others are none of its business.
async fn end_sessions_here(tx: &TenantTx, user: UserId) -> Result<(), DbError> {
    tx.host_wide()
        .delete_many::<session::Entity>()
        .filter(session::Column::TenantId.eq(tx.tenant().0))
        .filter(session::Column::UserId.eq(user.0))
        .exec(tx.host_wide())
        .await?;
    Ok(())
}
