//! Roles of a tenant's own: what each allows and denies.

use std::collections::BTreeMap;

use portolan_core::Instant;
use portolan_db::entity::{custom_role, custom_role_rule, role_grant, team, team_grant};
use portolan_db::{DbError, TenantTx};
use sea_orm::ActiveValue::{Set, Unchanged};
use sea_orm::{ColumnTrait, IntoActiveModel, QueryFilter, QueryOrder};
use serde_json::{Value, json};

use crate::audit::{self, Who};
use crate::members::{bump_access, check_may_change, members};
use crate::{Effect, MemberError, Permission, Rights, SystemRole};

const LONGEST_NAME_CHARS: usize = 40;
const LONGEST_DESCRIPTION_CHARS: usize = 200;

/// A role of the tenant's own making. What it says nothing about it leaves to others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustomRole {
    pub name: String,
    pub description: String,
    pub rules: BTreeMap<Permission, Effect>,
    pub created_at: Instant,
}

/// Who holds a role.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Holders {
    /// Sign-in names.
    pub people: Vec<String>,
    /// Names of teams.
    pub teams: Vec<String>,
}

impl Holders {
    pub fn is_empty(&self) -> bool {
        self.people.is_empty() && self.teams.is_empty()
    }
}

/// Every role of the tenant's own, by name.
pub async fn custom_roles(tx: &TenantTx) -> Result<Vec<CustomRole>, DbError> {
    let rows = tx.find::<custom_role::Entity>().order_by_asc(custom_role::Column::Name).all(tx).await?;
    let rules = tx.find::<custom_role_rule::Entity>().all(tx).await?;
    let roles = rows.into_iter().map(|row| {
        let of_role = rules.iter().filter(|rule| rule.role == row.name);
        let rules =
            of_role.filter_map(|rule| Some((rule.permission.parse().ok()?, Effect::of_stored(&rule.effect))));
        CustomRole {
            rules: rules.collect(),
            name: row.name,
            description: row.description,
            created_at: Instant(row.created_at),
        }
    });
    Ok(roles.collect())
}

pub async fn find_custom_role(tx: &TenantTx, name: &str) -> Result<CustomRole, MemberError> {
    let found = custom_roles(tx).await?.into_iter().find(|role| role.name == name);
    found.ok_or_else(|| MemberError::NoRoleNamed(name.chars().take(LONGEST_NAME_CHARS).collect()))
}

/// Makes a role that nobody holds yet.
pub async fn create_role(tx: &TenantTx, by: &Who, role: &CustomRole, at: Instant) -> Result<(), MemberError> {
    bump_access(tx.host_wide(), tx.tenant()).await?;
    let description = checked(role)?;
    check_own(&Rights::load(tx).await?, by, role)?;
    let taken = tx.find::<custom_role::Entity>().filter(custom_role::Column::Name.eq(role.name.as_str()));
    if taken.one(tx).await.map_err(DbError::from)?.is_some() {
        return Err(MemberError::NameTaken(role.name.clone()));
    }
    let row = custom_role::Model {
        tenant_id: tx.tenant().0,
        name: role.name.clone(),
        description,
        created_at: role.created_at.0,
    };
    tx.insert(row.into_active_model()).await?;
    insert_rules(tx, role).await?;
    audit::write(tx, at, by.did("role.create", "role", &role.name).after(told(role)));
    Ok(())
}

/// Says anew what a role is for, allows and denies. Its name stays: grants refer to it.
pub async fn change_role(tx: &TenantTx, by: &Who, role: &CustomRole, at: Instant) -> Result<(), MemberError> {
    bump_access(tx.host_wide(), tx.tenant()).await?;
    let before = Rights::load(tx).await?;
    let known = find_custom_role(tx, &role.name).await?;
    let description = checked(role)?;
    check_own(&before, by, role)?;
    if !holders(tx, &role.name).await?.is_empty() {
        check_may_change(tx, by, [&role.name]).await?;
    }
    let row = custom_role::ActiveModel {
        tenant_id: Unchanged(tx.tenant().0),
        name: Unchanged(role.name.clone()),
        description: Set(description),
        ..Default::default()
    };
    tx.update(row).await?;
    let gone = tx.delete_many::<custom_role_rule::Entity>();
    let gone = gone.filter(custom_role_rule::Column::Role.eq(role.name.as_str()));
    gone.exec(tx).await.map_err(DbError::from)?;
    insert_rules(tx, role).await?;
    let entry = by.did("role.change", "role", &role.name).before(told(&known));
    audit::write(tx, at, entry.after(told(role)));
    before.check_changed(tx, by).await
}

/// Takes a role away that nobody holds; else the error says who does.
pub async fn delete_role(tx: &TenantTx, by: &Who, name: &str, at: Instant) -> Result<(), MemberError> {
    bump_access(tx.host_wide(), tx.tenant()).await?;
    let known = find_custom_role(tx, name).await?;
    let holders = holders(tx, name).await?;
    if !holders.is_empty() {
        let told =
            holders.people.into_iter().chain(holders.teams.into_iter().map(|team| format!("team {team}")));
        return Err(MemberError::RoleHeld(told.collect::<Vec<_>>().join(", ")));
    }
    let gone = tx.delete_many::<custom_role::Entity>().filter(custom_role::Column::Name.eq(name));
    gone.exec(tx).await.map_err(DbError::from)?;
    audit::write(tx, at, by.did("role.delete", "role", name).before(told(&known)));
    Ok(())
}

/// A role as the audit tells it.
fn told(role: &CustomRole) -> Value {
    let rules = role.rules.iter().map(|(permission, effect)| (permission.as_str(), effect.as_str()));
    json!({ "description": role.description.trim(), "rules": rules.collect::<BTreeMap<_, _>>() })
}

/// Who holds a role, by themselves and as a team.
pub async fn holders(tx: &TenantTx, role: &str) -> Result<Holders, DbError> {
    let people = members(tx).await?.into_iter().filter(|member| member.roles.contains(role));
    let people = people.map(|member| member.sign_in_name).collect();
    let grants = tx.find::<team_grant::Entity>().filter(team_grant::Column::Role.eq(role));
    let ids: Vec<_> = grants.all(tx).await?.into_iter().map(|grant| grant.team_id).collect();
    let teams = tx.find::<team::Entity>().filter(team::Column::Id.is_in(ids));
    let teams = teams.order_by_asc(team::Column::Name).all(tx).await?;
    Ok(Holders { people, teams: teams.into_iter().map(|team| team.name).collect() })
}

/// How many people hold each role by themselves.
pub async fn holder_counts(tx: &TenantTx) -> Result<BTreeMap<String, usize>, DbError> {
    let mut counts = BTreeMap::new();
    for grant in tx.find::<role_grant::Entity>().all(tx).await? {
        *counts.entry(grant.role).or_default() += 1;
    }
    Ok(counts)
}

/// A role allows nothing that its maker may not do.
fn check_own(rights: &Rights, by: &Who, role: &CustomRole) -> Result<(), MemberError> {
    let own = rights.may_pass_on(by);
    let mut allowed = role.rules.iter().filter(|(_, effect)| **effect == Effect::Allow);
    match allowed.find(|(permission, _)| !own.contains(permission)) {
        Some((permission, _)) => Err(MemberError::MoreThanOwn(*permission)),
        None => Ok(()),
    }
}

/// The description, without the spaces around it.
fn checked(role: &CustomRole) -> Result<String, MemberError> {
    let name = role.name.as_str();
    let plain =
        name.chars().all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-');
    // Roles are made at the address `new`.
    if name.is_empty() || name == "new" || name.len() > LONGEST_NAME_CHARS || !plain {
        return Err(MemberError::RoleName);
    }
    if name.parse::<SystemRole>().is_ok() {
        return Err(MemberError::NameTaken(name.to_owned()));
    }
    let description = role.description.trim();
    if description.chars().count() > LONGEST_DESCRIPTION_CHARS || description.contains('\0') {
        return Err(MemberError::RoleDescription);
    }
    Ok(description.to_owned())
}

async fn insert_rules(tx: &TenantTx, role: &CustomRole) -> Result<(), MemberError> {
    let rows = role.rules.iter().map(|(permission, effect)| {
        let row = custom_role_rule::Model {
            tenant_id: tx.tenant().0,
            role: role.name.clone(),
            permission: permission.as_str().to_owned(),
            effect: effect.as_str().to_owned(),
        };
        row.into_active_model()
    });
    tx.insert_many(rows.collect::<Vec<_>>()).await?;
    Ok(())
}
