//! What of a tenant's data is kept to some: policies with the roles, teams and people that they apply to, and the
//! attributes of people that policies ask for. What a policy says is kept as text here, and understood where the data is.
//!
//! - Every policy that applies to somebody narrows what they see; there is none that widens it.
//! - Owners see everything, so that somebody is always left who can put it right.
//! - Whoever is no owner changes nothing that applies to themselves or to an admin.

mod ops;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use portolan_core::{Instant, UserId};
use portolan_db::entity::{data_policy, data_policy_subject, person_attribute};
use portolan_db::{DbError, TenantTx};
use sea_orm::QueryOrder;
use uuid::Uuid;

pub use ops::{DataPolicyError, NewDataPolicy, change, create, delete, find, set_attributes};

use crate::{Rights, SystemRole};

/// Lists of texts by their names.
pub type Attributes = BTreeMap<String, BTreeSet<String>>;

/// What a policy is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DataPolicyKind {
    Rows,
    Columns,
}

impl DataPolicyKind {
    /// The stored name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rows => "rows",
            Self::Columns => "columns",
        }
    }

    pub fn find(text: &str) -> Option<Self> {
        [Self::Rows, Self::Columns].into_iter().find(|kind| kind.as_str() == text)
    }
}

/// To whom a policy applies.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// Whoever holds it, by themselves or by a team.
    Role(String),
    Team(Uuid),
    Person(UserId),
}

impl Subject {
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Role(_) => "role",
            Self::Team(_) => "team",
            Self::Person(_) => "person",
        }
    }

    /// The stored name: the role's, or an id.
    pub fn name(&self) -> String {
        match self {
            Self::Role(role) => role.clone(),
            Self::Team(id) => id.to_string(),
            Self::Person(user) => user.to_string(),
        }
    }

    pub fn find(kind: &str, name: &str) -> Option<Self> {
        match kind {
            "role" => Some(Self::Role(name.to_owned())),
            "team" => name.parse().ok().map(Self::Team),
            "person" => name.parse::<Uuid>().ok().map(|id| Self::Person(UserId(id))),
            _ => None,
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.kind(), self.name())
    }
}

/// A policy of the tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataPolicy {
    pub id: Uuid,
    /// Nothing where this version does not know its kind: then nobody it applies to sees anything.
    pub kind: Option<DataPolicyKind>,
    pub name: String,
    /// JSON.
    pub body: String,
    pub subjects: BTreeSet<Subject>,
    pub created_at: Instant,
    pub updated_at: Instant,
}

/// What applies to somebody.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Restrictions {
    pub policies: Vec<DataPolicy>,
    pub attributes: Attributes,
    /// Nothing applies to owners.
    pub is_owner: bool,
}

impl Restrictions {
    /// What applies where that can't be told: a policy of no kind, by which nothing is seen.
    pub(crate) fn unknown() -> Self {
        let policy = DataPolicy {
            id: Uuid::nil(),
            kind: None,
            name: String::new(),
            body: String::new(),
            subjects: BTreeSet::new(),
            created_at: Instant(0),
            updated_at: Instant(0),
        };
        Self { policies: vec![policy], ..Self::default() }
    }
}

/// The policies of a tenant and whom they apply to, as of one transaction.
#[derive(Debug, Clone)]
pub struct DataPolicies {
    rights: Rights,
    policies: Vec<DataPolicy>,
    attributes: BTreeMap<UserId, Attributes>,
}

impl DataPolicies {
    pub async fn load(tx: &TenantTx) -> Result<Self, DbError> {
        let mut attributes: BTreeMap<UserId, Attributes> = BTreeMap::new();
        for row in tx.find::<person_attribute::Entity>().all(tx).await? {
            // What can't be read is as if it were not there: then policies that ask for it show nothing.
            let items = serde_json::from_str(&row.items).unwrap_or_default();
            attributes.entry(UserId(row.user_id)).or_default().insert(row.name, items);
        }
        Ok(Self { rights: Rights::load(tx).await?, policies: list(tx).await?, attributes })
    }

    /// What applies to somebody, by themselves, their roles and their teams.
    pub fn restrictions(&self, user: UserId) -> Restrictions {
        if self.rights.is_owner(user) {
            return Restrictions { is_owner: true, ..Restrictions::default() };
        }
        let of_person = self.rights.subjects_of(user);
        let applies =
            |policy: &&DataPolicy| policy.subjects.iter().any(|subject| of_person.contains(subject));
        Restrictions {
            policies: self.policies.iter().filter(applies).cloned().collect(),
            attributes: self.attributes.get(&user).cloned().unwrap_or_default(),
            is_owner: false,
        }
    }

    /// Whom only owners may restrict otherwise: admins.
    fn admins(&self) -> impl Iterator<Item = UserId> {
        self.rights.holders(SystemRole::Admin)
    }
}

/// Every policy of the tenant, by name.
pub async fn list(tx: &TenantTx) -> Result<Vec<DataPolicy>, DbError> {
    let rows = tx.find::<data_policy::Entity>().order_by_asc(data_policy::Column::Name).all(tx).await?;
    let mut subjects: BTreeMap<Uuid, BTreeSet<Subject>> = BTreeMap::new();
    for row in tx.find::<data_policy_subject::Entity>().all(tx).await? {
        subjects.entry(row.policy_id).or_default().extend(Subject::find(&row.kind, &row.subject));
    }
    let policies = rows.into_iter().map(|row| DataPolicy {
        id: row.id,
        kind: DataPolicyKind::find(&row.kind),
        name: row.name,
        body: row.body,
        subjects: subjects.remove(&row.id).unwrap_or_default(),
        created_at: Instant(row.created_at),
        updated_at: Instant(row.updated_at),
    });
    Ok(policies.collect())
}

/// What is known of somebody here.
pub async fn attributes_of(tx: &TenantTx, user: UserId) -> Result<Attributes, DbError> {
    Ok(DataPolicies::load(tx).await?.attributes.remove(&user).unwrap_or_default())
}

/// What applies to somebody, as of this transaction.
pub async fn restrictions_of(tx: &TenantTx, user: UserId) -> Result<Restrictions, DbError> {
    Ok(DataPolicies::load(tx).await?.restrictions(user))
}
