//! Making, changing and taking away what keeps data to some.

use std::collections::BTreeSet;

use portolan_core::{Instant, UserId};
use portolan_db::entity::{custom_role, data_policy, data_policy_subject, person_attribute, team};
use portolan_db::{DbError, TenantTx};
use sea_orm::ActiveValue::{Set, Unchanged};
use sea_orm::{ColumnTrait, IntoActiveModel, QueryFilter};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Attributes, DataPolicies, DataPolicy, DataPolicyKind, Subject, list};
use crate::SystemRole;
use crate::audit::{self, Who};
use crate::members::{bump_access, is_member_here};

const LONGEST_NAME_CHARS: usize = 80;
const MOST_POLICIES: usize = 200;
const MOST_SUBJECTS: usize = 200;
const MOST_ATTRIBUTES: usize = 20;
const MOST_ITEMS: usize = 200;

/// A policy as somebody writes it. That its body is one was checked by whoever understands it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDataPolicy {
    pub kind: DataPolicyKind,
    pub name: String,
    pub body: Value,
    pub subjects: BTreeSet<Subject>,
}

/// Why a policy or an attribute cannot be kept so.
#[derive(Debug, thiserror::Error)]
pub enum DataPolicyError {
    #[error("a policy's name has 1 to {LONGEST_NAME_CHARS} characters")]
    Name,
    #[error("there is a policy {0} already: choose another name")]
    NameTaken(String),
    #[error("there are {MOST_POLICIES} policies already: put some of them together")]
    TooMany,
    #[error("a policy applies to at most {MOST_SUBJECTS} roles, teams and people: use a team")]
    TooManySubjects,
    #[error("owners always see everything: name other roles, teams or people")]
    Owner,
    #[error("there is no {0} here: choose a role, a team or a person of the company")]
    NoSubject(String),
    #[error("what applies to yourself or to an admin is changed by an owner: ask one")]
    OwnersOnly,
    #[error("somebody has at most {MOST_ATTRIBUTES} attributes of {MOST_ITEMS} values each")]
    TooManyAttributes,
    #[error("a policy is kept as it was made, of rows or of columns: make a new one for the other")]
    OtherKind,
    #[error("there is no such policy")]
    Unknown,
    #[error("this person does not belong to the company: invite them first")]
    NotMember,
    #[error(transparent)]
    Database(#[from] DbError),
}

pub async fn find(tx: &TenantTx, id: Uuid) -> Result<DataPolicy, DataPolicyError> {
    let found = list(tx).await?.into_iter().find(|policy| policy.id == id);
    found.ok_or(DataPolicyError::Unknown)
}

/// Makes a policy, which counts from the next request on.
pub async fn create(
    tx: &TenantTx,
    by: &Who,
    id: Uuid,
    new: &NewDataPolicy,
    at: Instant,
) -> Result<(), DataPolicyError> {
    bump_access(tx.host_wide(), tx.tenant()).await?;
    let before = DataPolicies::load(tx).await?;
    if before.policies.len() >= MOST_POLICIES {
        return Err(DataPolicyError::TooMany);
    }
    let name = checked(tx, &before, new, None).await?;
    let row = data_policy::Model {
        tenant_id: tx.tenant().0,
        id,
        kind: new.kind.as_str().to_owned(),
        name,
        body: new.body.to_string(),
        created_at: at.0,
        updated_at: at.0,
    };
    tx.insert(row.into_active_model()).await?;
    insert_subjects(tx, id, &new.subjects).await?;
    audit::write(tx, at, by.did("data_policy.create", "data_policy", id).after(told_new(new)));
    check_changed(tx, by, &before).await
}

/// Says anew what a policy is called, keeps, and to whom it applies.
pub async fn change(
    tx: &TenantTx,
    by: &Who,
    id: Uuid,
    new: &NewDataPolicy,
    at: Instant,
) -> Result<(), DataPolicyError> {
    bump_access(tx.host_wide(), tx.tenant()).await?;
    let before = DataPolicies::load(tx).await?;
    let known = find(tx, id).await?;
    if known.kind != Some(new.kind) {
        return Err(DataPolicyError::OtherKind);
    }
    let name = checked(tx, &before, new, Some(id)).await?;
    let row = data_policy::ActiveModel {
        tenant_id: Unchanged(tx.tenant().0),
        id: Unchanged(id),
        name: Set(name),
        body: Set(new.body.to_string()),
        updated_at: Set(at.0),
        ..Default::default()
    };
    tx.update(row).await?;
    let gone = tx.delete_many::<data_policy_subject::Entity>();
    let gone = gone.filter(data_policy_subject::Column::PolicyId.eq(id));
    gone.exec(tx).await.map_err(DbError::from)?;
    insert_subjects(tx, id, &new.subjects).await?;
    let entry = by.did("data_policy.change", "data_policy", id).before(told(&known));
    audit::write(tx, at, entry.after(told_new(new)));
    check_changed(tx, by, &before).await
}

/// Takes a policy away: whoever it applied to sees what it kept from them.
pub async fn delete(tx: &TenantTx, by: &Who, id: Uuid, at: Instant) -> Result<(), DataPolicyError> {
    bump_access(tx.host_wide(), tx.tenant()).await?;
    let before = DataPolicies::load(tx).await?;
    let known = find(tx, id).await?;
    let gone = tx.delete_many::<data_policy::Entity>().filter(data_policy::Column::Id.eq(id));
    gone.exec(tx).await.map_err(DbError::from)?;
    audit::write(tx, at, by.did("data_policy.delete", "data_policy", id).before(told(&known)));
    check_changed(tx, by, &before).await
}

/// Says what is known of somebody: these attributes and no others.
pub async fn set_attributes(
    tx: &TenantTx,
    by: &Who,
    of: UserId,
    attributes: &Attributes,
    at: Instant,
) -> Result<(), DataPolicyError> {
    bump_access(tx.host_wide(), tx.tenant()).await?;
    if !is_member_here(tx, of).await? {
        return Err(DataPolicyError::NotMember);
    }
    if attributes.len() > MOST_ATTRIBUTES || attributes.values().any(|items| items.len() > MOST_ITEMS) {
        return Err(DataPolicyError::TooManyAttributes);
    }
    let before = DataPolicies::load(tx).await?;
    let gone = tx.delete_many::<person_attribute::Entity>();
    let gone = gone.filter(person_attribute::Column::UserId.eq(of.0));
    gone.exec(tx).await.map_err(DbError::from)?;
    let rows = attributes.iter().map(|(name, items)| {
        let row = person_attribute::Model {
            tenant_id: tx.tenant().0,
            user_id: of.0,
            name: name.clone(),
            items: json!(items).to_string(),
        };
        row.into_active_model()
    });
    tx.insert_many(rows.collect::<Vec<_>>()).await?;
    let was = before.attributes.get(&of).cloned().unwrap_or_default();
    let entry = by.did("member.set_attributes", "person", of).before(json!({ "attributes": was }));
    audit::write(tx, at, entry.after(json!({ "attributes": attributes })));
    check_changed(tx, by, &before).await
}

/// The name without the spaces around it.
async fn checked(
    tx: &TenantTx,
    before: &DataPolicies,
    new: &NewDataPolicy,
    of: Option<Uuid>,
) -> Result<String, DataPolicyError> {
    let name = new.name.trim();
    if name.is_empty() || name.chars().count() > LONGEST_NAME_CHARS || name.chars().any(char::is_control) {
        return Err(DataPolicyError::Name);
    }
    if before.policies.iter().any(|policy| policy.name == name && Some(policy.id) != of) {
        return Err(DataPolicyError::NameTaken(name.to_owned()));
    }
    if new.subjects.len() > MOST_SUBJECTS {
        return Err(DataPolicyError::TooManySubjects);
    }
    for subject in &new.subjects {
        check_subject(tx, before, subject).await?;
    }
    Ok(name.to_owned())
}

async fn check_subject(
    tx: &TenantTx,
    before: &DataPolicies,
    subject: &Subject,
) -> Result<(), DataPolicyError> {
    let known = match subject {
        Subject::Role(role) => match role.parse::<SystemRole>() {
            Ok(SystemRole::Owner) => return Err(DataPolicyError::Owner),
            Ok(_) => true,
            Err(_) => {
                let own = tx.find::<custom_role::Entity>();
                let own = own.filter(custom_role::Column::Name.eq(role.as_str())).one(tx).await;
                own.map_err(DbError::from)?.is_some()
            }
        },
        Subject::Team(id) => {
            let team = tx.find::<team::Entity>().filter(team::Column::Id.eq(*id)).one(tx).await;
            team.map_err(DbError::from)?.is_some()
        }
        Subject::Person(user) if before.rights.is_owner(*user) => return Err(DataPolicyError::Owner),
        Subject::Person(user) => is_member_here(tx, *user).await?,
    };
    if known { Ok(()) } else { Err(DataPolicyError::NoSubject(subject.kind().to_owned())) }
}

/// Fails where somebody who is no owner changed what applies to themselves, or to an admin. The command line acts with the
/// rights of an owner.
async fn check_changed(tx: &TenantTx, by: &Who, before: &DataPolicies) -> Result<(), DataPolicyError> {
    let Some(actor) = by.user().filter(|actor| !before.rights.is_owner(*actor)) else { return Ok(()) };
    let after = DataPolicies::load(tx).await?;
    let kept = |user: UserId| same(before, &after, user);
    if kept(actor) && after.admins().all(kept) { Ok(()) } else { Err(DataPolicyError::OwnersOnly) }
}

/// Whether the same applies to somebody as before, whatever policies are called.
fn same(before: &DataPolicies, after: &DataPolicies, user: UserId) -> bool {
    let of = |policies: &DataPolicies| {
        let restrictions = policies.restrictions(user);
        let kept: Vec<_> =
            restrictions.policies.into_iter().map(|policy| (policy.id, policy.kind, policy.body)).collect();
        (kept.into_iter().collect::<BTreeSet<_>>(), restrictions.attributes)
    };
    of(before) == of(after)
}

async fn insert_subjects(
    tx: &TenantTx,
    policy: Uuid,
    subjects: &BTreeSet<Subject>,
) -> Result<(), DataPolicyError> {
    let rows = subjects.iter().map(|subject| {
        let row = data_policy_subject::Model {
            tenant_id: tx.tenant().0,
            policy_id: policy,
            kind: subject.kind().to_owned(),
            subject: subject.name(),
        };
        row.into_active_model()
    });
    tx.insert_many(rows.collect::<Vec<_>>()).await?;
    Ok(())
}

/// A policy as the audit tells it.
fn told(policy: &DataPolicy) -> Value {
    let body: Value = serde_json::from_str(&policy.body).unwrap_or(Value::Null);
    let kind = policy.kind.map(DataPolicyKind::as_str);
    json!({ "kind": kind, "name": policy.name, "body": body, "subjects": names(&policy.subjects) })
}

fn told_new(policy: &NewDataPolicy) -> Value {
    let subjects = names(&policy.subjects);
    json!({ "kind": policy.kind.as_str(), "name": policy.name.trim(), "body": policy.body, "subjects": subjects })
}

fn names(subjects: &BTreeSet<Subject>) -> Vec<String> {
    subjects.iter().map(Subject::to_string).collect()
}
