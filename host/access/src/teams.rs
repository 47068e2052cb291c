//! Teams: people who hold roles together.

use std::collections::BTreeSet;

use portolan_core::{Instant, UserId};
use portolan_db::entity::{membership, team, team_grant, team_member};
use portolan_db::{DbError, TenantTx};
use sea_orm::ActiveValue::{Set, Unchanged};
use sea_orm::{ColumnTrait, IntoActiveModel, QueryFilter, QueryOrder};
use serde_json::json;
use uuid::Uuid;

use crate::audit::{self, Who};
use crate::members::{bump_access, check_may_change};
use crate::{MemberError, Rights, SystemRole};

const LONGEST_NAME_CHARS: usize = 80;

/// A team with everybody in it and every role that they hold by it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Team {
    pub id: Uuid,
    pub name: String,
    pub created_at: Instant,
    pub members: BTreeSet<UserId>,
    pub roles: BTreeSet<String>,
}

/// Every team of the tenant, by name.
pub async fn teams(tx: &TenantTx) -> Result<Vec<Team>, DbError> {
    let rows = tx.find::<team::Entity>().order_by_asc(team::Column::Name).all(tx).await?;
    let members = tx.find::<team_member::Entity>().all(tx).await?;
    let grants = tx.find::<team_grant::Entity>().all(tx).await?;
    let teams = rows.into_iter().map(|row| {
        let in_team = members.iter().filter(|member| member.team_id == row.id);
        let of_team = grants.iter().filter(|grant| grant.team_id == row.id);
        Team {
            id: row.id,
            name: row.name,
            created_at: Instant(row.created_at),
            members: in_team.map(|member| UserId(member.user_id)).collect(),
            roles: of_team.map(|grant| grant.role.clone()).collect(),
        }
    });
    Ok(teams.collect())
}

pub async fn find_team(tx: &TenantTx, id: Uuid) -> Result<Team, MemberError> {
    let found = teams(tx).await?.into_iter().find(|team| team.id == id);
    found.ok_or(MemberError::NoTeam)
}

/// Makes a team without members and roles.
pub async fn create_team(
    tx: &TenantTx,
    by: &Who,
    id: Uuid,
    name: &str,
    at: Instant,
) -> Result<(), MemberError> {
    bump_access(tx.host_wide(), tx.tenant()).await?;
    let name = free_name(tx, name, None).await?;
    audit::write(tx, at, by.did("team.create", "team", id).after(json!({ "name": name })));
    let row = team::Model { tenant_id: tx.tenant().0, id, name, created_at: at.0 };
    tx.insert(row.into_active_model()).await?;
    Ok(())
}

pub async fn rename_team(
    tx: &TenantTx,
    by: &Who,
    id: Uuid,
    name: &str,
    at: Instant,
) -> Result<(), MemberError> {
    bump_access(tx.host_wide(), tx.tenant()).await?;
    let team = find_team(tx, id).await?;
    let name = free_name(tx, name, Some(id)).await?;
    let entry = by.did("team.rename", "team", id).before(json!({ "name": team.name }));
    audit::write(tx, at, entry.after(json!({ "name": name })));
    let row = team::ActiveModel {
        tenant_id: Unchanged(tx.tenant().0),
        id: Unchanged(id),
        name: Set(name),
        ..Default::default()
    };
    tx.update(row).await?;
    Ok(())
}

/// Says who is in the team. Whoever does may give and take all of its roles.
pub async fn set_team_members(
    tx: &TenantTx,
    by: &Who,
    id: Uuid,
    members: &BTreeSet<UserId>,
    at: Instant,
) -> Result<(), MemberError> {
    bump_access(tx.host_wide(), tx.tenant()).await?;
    let before = Rights::load(tx).await?;
    let team = find_team(tx, id).await?;
    check_may_change(tx, by, &team.roles).await?;
    let wanted: Vec<Uuid> = members.iter().map(|user| user.0).collect();
    let known = tx.host_wide().find::<membership::Entity>();
    let known = known.filter(membership::Column::TenantId.eq(tx.tenant().0));
    let known = known.filter(membership::Column::UserId.is_in(wanted)).all(tx.host_wide()).await;
    if known.map_err(DbError::from)?.len() != members.len() {
        return Err(MemberError::NotMember);
    }
    let gone = tx.delete_many::<team_member::Entity>().filter(team_member::Column::TeamId.eq(id));
    gone.exec(tx).await.map_err(DbError::from)?;
    let rows: Vec<_> = members
        .iter()
        .map(|user| {
            let row = team_member::Model { tenant_id: tx.tenant().0, team_id: id, user_id: user.0 };
            row.into_active_model()
        })
        .collect();
    tx.insert_many(rows).await?;
    let entry = by.did("team.set_members", "team", id).before(json!({ "members": ids(&team.members) }));
    audit::write(tx, at, entry.after(json!({ "members": ids(members) })));
    before.check_changed(tx, by).await
}

/// Says which roles everybody in the team holds. None makes owners: those are named one by one.
pub async fn set_team_roles(
    tx: &TenantTx,
    by: &Who,
    id: Uuid,
    roles: &BTreeSet<String>,
    at: Instant,
) -> Result<(), MemberError> {
    bump_access(tx.host_wide(), tx.tenant()).await?;
    let before = Rights::load(tx).await?;
    let team = find_team(tx, id).await?;
    if roles.contains(SystemRole::Owner.as_str()) {
        return Err(MemberError::OwnerTeam);
    }
    check_may_change(tx, by, team.roles.symmetric_difference(roles)).await?;
    let gone = tx.delete_many::<team_grant::Entity>().filter(team_grant::Column::TeamId.eq(id));
    gone.exec(tx).await.map_err(DbError::from)?;
    let rows: Vec<_> = roles
        .iter()
        .map(|role| {
            let row = team_grant::Model { tenant_id: tx.tenant().0, team_id: id, role: role.clone() };
            row.into_active_model()
        })
        .collect();
    tx.insert_many(rows).await?;
    let entry = by.did("team.set_roles", "team", id).before(json!({ "roles": team.roles }));
    audit::write(tx, at, entry.after(json!({ "roles": roles })));
    before.check_changed(tx, by).await
}

/// Takes a team away; whoever was in it loses what they held by it alone.
pub async fn delete_team(tx: &TenantTx, by: &Who, id: Uuid, at: Instant) -> Result<(), MemberError> {
    bump_access(tx.host_wide(), tx.tenant()).await?;
    let before = Rights::load(tx).await?;
    let team = find_team(tx, id).await?;
    check_may_change(tx, by, &team.roles).await?;
    let gone = tx.delete_many::<team::Entity>().filter(team::Column::Id.eq(id));
    gone.exec(tx).await.map_err(DbError::from)?;
    let was = json!({ "name": team.name, "members": ids(&team.members), "roles": team.roles });
    audit::write(tx, at, by.did("team.delete", "team", id).before(was));
    before.check_changed(tx, by).await
}

/// People as the audit tells them.
fn ids(people: &BTreeSet<UserId>) -> Vec<String> {
    people.iter().map(UserId::to_string).collect()
}

async fn free_name(tx: &TenantTx, name: &str, of: Option<Uuid>) -> Result<String, MemberError> {
    let name = name.trim();
    if name.is_empty() || name.chars().count() > LONGEST_NAME_CHARS || name.chars().any(char::is_control) {
        return Err(MemberError::TeamName);
    }
    let taken = tx.find::<team::Entity>().filter(team::Column::Name.eq(name)).one(tx).await;
    match taken.map_err(DbError::from)? {
        Some(other) if Some(other.id) != of => Err(MemberError::NameTaken(name.to_owned())),
        _ => Ok(name.to_owned()),
    }
}
