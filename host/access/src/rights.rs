//! Who holds which role and why, and what it lets them do: for rules about giving, and to explain a decision.
//!
//! Requests are decided by Casbin ([`crate::TenantPolicy`]); this reads the same rows in the transaction that changes them,
//! and a test holds the two against each other.

use std::collections::{BTreeMap, BTreeSet};

use portolan_core::UserId;
use portolan_db::entity::{
    custom_role, custom_role_rule, data_policy_subject, membership, role_grant, team, team_grant, team_member,
};
use portolan_db::{DbError, TenantTx};
use sea_orm::{ColumnTrait, QueryFilter};
use uuid::Uuid;

use crate::audit::Who;
use crate::data_policies::Subject;
use crate::{Effect, MemberError, Permission, SystemRole};

/// The rules of one tenant, and who holds what, as of one transaction.
#[derive(Debug, Clone)]
pub struct Rights {
    /// Of the tenant's own roles.
    rules: BTreeMap<String, BTreeMap<Permission, Effect>>,
    /// Everybody who belongs to the tenant; whether they are banned.
    people: BTreeMap<UserId, bool>,
    held: BTreeMap<UserId, BTreeSet<String>>,
    teams: BTreeMap<Uuid, TeamRights>,
    /// Data policies, with those they apply to.
    policies: BTreeMap<Uuid, BTreeSet<Subject>>,
}

#[derive(Debug, Clone, Default)]
struct TeamRights {
    name: String,
    members: BTreeSet<UserId>,
    roles: BTreeSet<String>,
}

/// A role that somebody holds, and what it says about the permission in question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    pub role: String,
    /// The team that it comes by; nothing where it is held by oneself.
    pub team: Option<String>,
    /// Nothing where the role says nothing about it.
    pub effect: Option<Effect>,
}

/// Whether somebody may do something, and why or why not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    pub allowed: bool,
    /// A banned person may nothing, whatever their roles say.
    pub banned: bool,
    pub reasons: Vec<Reason>,
}

impl Rights {
    pub async fn load(tx: &TenantTx) -> Result<Self, DbError> {
        let own = tx.find::<custom_role::Entity>().all(tx).await?;
        let mut rules: BTreeMap<_, _> = own.into_iter().map(|role| (role.name, BTreeMap::new())).collect();
        for rule in tx.find::<custom_role_rule::Entity>().all(tx).await? {
            // A permission that this version no longer has can be neither given nor taken.
            if let Ok(permission) = rule.permission.parse::<Permission>() {
                let of_role = rules.entry(rule.role).or_default();
                of_role.insert(permission, Effect::of_stored(&rule.effect));
            }
        }
        let members = tx.host_wide().find::<membership::Entity>();
        let members =
            members.filter(membership::Column::TenantId.eq(tx.tenant().0)).all(tx.host_wide()).await?;
        let people = members.into_iter().map(|member| (UserId(member.user_id), member.banned_at.is_some()));
        let mut held: BTreeMap<_, BTreeSet<String>> = BTreeMap::new();
        for grant in tx.find::<role_grant::Entity>().all(tx).await? {
            held.entry(UserId(grant.user_id)).or_default().insert(grant.role);
        }
        let mut teams: BTreeMap<Uuid, TeamRights> = BTreeMap::new();
        for team in tx.find::<team::Entity>().all(tx).await? {
            teams.entry(team.id).or_default().name = team.name;
        }
        for member in tx.find::<team_member::Entity>().all(tx).await? {
            teams.entry(member.team_id).or_default().members.insert(UserId(member.user_id));
        }
        for grant in tx.find::<team_grant::Entity>().all(tx).await? {
            teams.entry(grant.team_id).or_default().roles.insert(grant.role);
        }
        let mut policies: BTreeMap<_, BTreeSet<Subject>> = BTreeMap::new();
        for row in tx.find::<data_policy_subject::Entity>().all(tx).await? {
            policies.entry(row.policy_id).or_default().extend(Subject::find(&row.kind, &row.subject));
        }
        Ok(Self { rules, people: people.collect(), held, teams, policies })
    }

    pub(crate) fn is_owner(&self, user: UserId) -> bool {
        self.held.get(&user).is_some_and(|roles| roles.contains(SystemRole::Owner.as_str()))
    }

    /// Whoever holds a role, by themselves or by a team.
    pub(crate) fn holders(&self, role: SystemRole) -> impl Iterator<Item = UserId> {
        let holds = move |user: &UserId| self.roles_of(*user).iter().any(|(held, _)| *held == role.as_str());
        self.people.keys().copied().filter(holds)
    }

    /// As what data policies may apply to somebody.
    pub(crate) fn subjects_of(&self, user: UserId) -> BTreeSet<Subject> {
        let roles = self.roles_of(user).into_iter().map(|(role, _)| Subject::Role(role.to_owned()));
        let teams = self.teams.iter().filter(|(_, team)| team.members.contains(&user));
        let teams = teams.map(|(id, _)| Subject::Team(*id));
        roles.chain(teams).chain([Subject::Person(user)]).collect()
    }

    /// The data policies that apply to somebody: none to owners.
    fn restricting(&self, user: UserId) -> BTreeSet<Uuid> {
        if self.is_owner(user) {
            return BTreeSet::new();
        }
        let of_person = self.subjects_of(user);
        let applying = self.policies.iter().filter(|(_, subjects)| !subjects.is_disjoint(&of_person));
        applying.map(|(policy, _)| *policy).collect()
    }

    /// Fails where a change of roles or teams lets somebody, its maker too, see what is kept from its maker.
    fn check_sight(&self, after: &Self, by: &Who) -> Result<(), MemberError> {
        let of_maker = by.user().map(|maker| self.restricting(maker)).unwrap_or_default();
        for user in after.people.keys() {
            let is_new = !self.people.contains_key(user);
            let (was, is) = (self.restricting(*user), after.restricting(*user));
            if (is_new || !was.is_subset(&is)) && !of_maker.is_subset(&is) {
                return Err(MemberError::MoreThanSeen);
            }
        }
        Ok(())
    }

    /// What somebody may do; nothing where they are banned or do not belong here.
    pub fn allowed(&self, user: UserId) -> BTreeSet<Permission> {
        let each = Permission::ALL.iter().copied();
        each.filter(|permission| self.explain(user, *permission).allowed).collect()
    }

    /// What whoever acts may let others do: a person what they may do themselves, the command line what owners may.
    pub(crate) fn may_pass_on(&self, by: &Who) -> BTreeSet<Permission> {
        match by.user() {
            Some(user) => self.allowed(user),
            None => SystemRole::Owner.permissions().iter().copied().collect(),
        }
    }

    /// Which of somebody's roles speak for or against it.
    pub fn explain(&self, user: UserId, permission: Permission) -> Explanation {
        let reasons: Vec<Reason> = self
            .roles_of(user)
            .into_iter()
            .map(|(role, team)| Reason {
                effect: self.says(role, permission),
                role: role.to_owned(),
                team: team.map(str::to_owned),
            })
            .collect();
        let says = |effect| reasons.iter().any(|reason| reason.effect == Some(effect));
        let banned = self.people.get(&user).copied().unwrap_or(false);
        let belongs = self.people.contains_key(&user);
        let allowed = belongs && !banned && says(Effect::Allow) && !says(Effect::Deny);
        Explanation { allowed, banned, reasons }
    }

    /// As if somebody had joined with these roles.
    pub(crate) fn with_member(&self, user: UserId, roles: &BTreeSet<String>) -> Self {
        let mut joined = self.clone();
        joined.people.insert(user, false);
        joined.held.insert(user, roles.clone());
        joined
    }

    /// Roles with the team that each comes by, one's own first.
    fn roles_of(&self, user: UserId) -> Vec<(&str, Option<&str>)> {
        let own = self.held.get(&user).into_iter().flatten().map(|role| (role.as_str(), None));
        let teams = self.teams.values().filter(|team| team.members.contains(&user));
        let by_team =
            teams.flat_map(|team| team.roles.iter().map(|role| (role.as_str(), Some(team.name.as_str()))));
        own.chain(by_team).collect()
    }

    fn says(&self, role: &str, permission: Permission) -> Option<Effect> {
        if let Ok(role) = role.parse::<SystemRole>() {
            return role.permissions().contains(&permission).then_some(Effect::Allow);
        }
        self.rules.get(role)?.get(&permission).copied()
    }

    /// Fails where a change gave somebody what its maker may not do themselves, or denied something to an owner: then
    /// nobody would be left who can put it right.
    pub fn check_change(&self, after: &Self, by: &Who) -> Result<(), MemberError> {
        let own = self.may_pass_on(by);
        self.check_sight(after, by)?;
        for user in after.people.keys() {
            let before = self.allowed(*user);
            let mut gained = after.allowed(*user).into_iter().filter(|one| !before.contains(one));
            if let Some(more) = gained.find(|gained| !own.contains(gained)) {
                return Err(MemberError::MoreThanOwn(more));
            }
            let owner = after.held.get(user).is_some_and(|roles| roles.contains(SystemRole::Owner.as_str()));
            let denied = |permission: &&Permission| {
                let reasons = after.explain(*user, **permission).reasons;
                reasons.iter().any(|reason| reason.effect == Some(Effect::Deny))
            };
            if let Some(denied) = Permission::ALL.iter().find(|permission| owner && denied(permission)) {
                return Err(MemberError::OwnerDenied(*denied));
            }
        }
        Ok(())
    }

    /// The same after the change whose transaction this is.
    pub(crate) async fn check_changed(&self, tx: &TenantTx, by: &Who) -> Result<(), MemberError> {
        self.check_change(&Self::load(tx).await?, by)
    }
}
