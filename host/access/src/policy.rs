//! Decides with Casbin whether somebody may do something in a tenant.
//!
//! Each tenant has an enforcer of its own: the rules of the system roles, those of the tenant's own roles, and who holds which. It is
//! built aside and takes the older one's place when the tenant's `access_version` has grown, which every change of
//! rules or grants does in its own transaction: whoever asks with a session looked up after such a change is answered by
//! the new rules, on every server. Decisions are remembered beside the enforcer that made them, under
//! their full question, and go with it.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, PoisonError, RwLock};

use async_trait::async_trait;
use casbin::{Adapter, CoreApi, DefaultModel, Enforcer, Filter, Model};
use portolan_core::{TenantId, UserId};
use portolan_db::entity::{custom_role_rule, role_grant, team_grant, team_member, tenant};
use portolan_db::{Database, DbError, TenantTx};
use sea_orm::{ColumnTrait, DbErr, QueryFilter};

use crate::data_policies::{DataPolicies, Restrictions};
use crate::{Permission, SignInPolicy, SystemRole};

/// A rule has no tenant: only who holds a role where has one. The cheap comparisons come first.
const MODEL: &str = "
[request_definition]
r = sub, dom, obj, act
[policy_definition]
p = sub, obj, act, eft
[role_definition]
g = _, _, _
[policy_effect]
e = some(where (p.eft == allow)) && !some(where (p.eft == deny))
[matchers]
m = r.act == p.act && r.obj == p.obj && g(r.sub, p.sub, r.dom)
";

/// Tenants whose rules are kept at hand.
const TENANTS_AT_HAND: usize = 2_000;

/// What a rule does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    Allow,
    /// Wins over whatever else allows.
    Deny,
}

impl Effect {
    /// The stored name, which is Casbin's.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Deny => "deny",
        }
    }

    /// What cannot be read denies.
    pub fn of_stored(text: &str) -> Self {
        if text == Self::Allow.as_str() { Self::Allow } else { Self::Deny }
    }
}

/// The rules of all tenants, as far as they were needed.
#[derive(Clone)]
pub struct Policies {
    database: Database,
    tenants: Arc<RwLock<HashMap<TenantId, Arc<TenantPolicy>>>>,
}

/// The rules of a tenant as they were under one `access_version`.
pub struct TenantPolicy {
    tenant: TenantId,
    version: i64,
    enforcer: Enforcer,
    sign_in: SignInPolicy,
    /// Whose sessions need a second factor.
    need_second_factor: HashSet<UserId>,
    /// What is kept from whom, of the same version; without it everything is.
    data: Option<DataPolicies>,
    decisions: RwLock<HashMap<(UserId, Permission), bool>>,
}

/// Why rules cannot be read or asked.
#[derive(Debug, thiserror::Error)]
pub enum PolicyError {
    #[error(transparent)]
    Database(#[from] DbError),
    #[error("the rules of a tenant could not be read into Casbin: {0}")]
    Casbin(#[from] casbin::Error),
}

impl Policies {
    pub fn new(database: Database) -> Self {
        Self { database, tenants: Arc::default() }
    }

    /// The rules of a tenant, not older than `version`.
    pub async fn of(&self, tenant: TenantId, version: i64) -> Result<Arc<TenantPolicy>, PolicyError> {
        let at_hand = self.tenants.read().unwrap_or_else(PoisonError::into_inner).get(&tenant).cloned();
        if let Some(policy) = at_hand.filter(|policy| policy.version >= version) {
            return Ok(policy);
        }
        let tx = self.database.read(tenant).await?;
        let policy = Arc::new(TenantPolicy::load(&tx).await?);
        drop(tx);
        let mut tenants = self.tenants.write().unwrap_or_else(PoisonError::into_inner);
        if tenants.len() >= TENANTS_AT_HAND && !tenants.contains_key(&tenant) {
            // Rare, and what goes is read again when it is asked for.
            tenants.clear();
        }
        let kept = tenants.entry(tenant).or_insert_with(|| Arc::clone(&policy));
        if kept.version < policy.version {
            *kept = Arc::clone(&policy);
        }
        Ok(policy)
    }
}

impl TenantPolicy {
    /// Reads all of it in one snapshot.
    async fn load(tx: &TenantTx) -> Result<Self, PolicyError> {
        let tenant = tx.tenant();
        let own = tx.host_wide().find::<tenant::Entity>().filter(tenant::Column::Id.eq(tenant.0));
        let own = own.one(tx.host_wide()).await.map_err(DbError::from)?;
        let missing = || DbErr::RecordNotFound(format!("tenant {tenant}"));
        let own = own.ok_or_else(missing).map_err(DbError::from)?;
        let grants = tx.find::<role_grant::Entity>().all(tx).await.map_err(DbError::from)?;
        let team_grants = tx.find::<team_grant::Entity>().all(tx).await.map_err(DbError::from)?;
        let team_members = tx.find::<team_member::Entity>().all(tx).await.map_err(DbError::from)?;
        let rules = tx.find::<custom_role_rule::Entity>().all(tx).await.map_err(DbError::from)?;
        let sign_in = SignInPolicy::read(tx).await?;
        let domain = domain_of(tenant);
        let mut lines = Lines::of_system_roles();
        for rule in &rules {
            let effect = Effect::of_stored(&rule.effect);
            // A permission that this version no longer has can be neither given nor taken.
            if let Ok(permission) = rule.permission.parse::<Permission>() {
                lines.rule(&role_subject(&rule.role), permission, effect);
            }
        }
        for grant in &grants {
            lines.holds(user_subject(UserId(grant.user_id)), role_subject(&grant.role), &domain);
        }
        for member in &team_members {
            lines.holds(user_subject(UserId(member.user_id)), format!("team:{}", member.team_id), &domain);
        }
        for grant in &team_grants {
            lines.holds(format!("team:{}", grant.team_id), role_subject(&grant.role), &domain);
        }
        let asked = |role: &str| sign_in.asks_second_factor_of([role]);
        let by_themselves = grants.iter().filter(|grant| asked(&grant.role)).map(|grant| grant.user_id);
        let teams: HashSet<_> =
            team_grants.iter().filter(|grant| asked(&grant.role)).map(|grant| grant.team_id).collect();
        let by_team = team_members.iter().filter(|member| teams.contains(&member.team_id));
        let need_second_factor =
            by_themselves.chain(by_team.map(|member| member.user_id)).map(UserId).collect();
        let data = DataPolicies::load(tx).await?;
        let policy = Self::build(tenant, own.access_version, lines).await?;
        Ok(Self { sign_in, need_second_factor, data: Some(data), ..policy })
    }

    async fn build(tenant: TenantId, version: i64, lines: Lines) -> Result<Self, PolicyError> {
        let model = DefaultModel::from_str(MODEL).await?;
        let enforcer = Enforcer::new(model, lines).await?;
        let (sign_in, need_second_factor) = (SignInPolicy::default(), HashSet::new());
        let decisions = RwLock::default();
        Ok(Self { tenant, version, enforcer, sign_in, need_second_factor, data: None, decisions })
    }

    /// What is asked of whoever signs in.
    pub const fn sign_in(&self) -> &SignInPolicy {
        &self.sign_in
    }

    /// Whether this person's sessions need a second factor.
    pub fn needs_second_factor(&self, user: UserId) -> bool {
        self.need_second_factor.contains(&user)
    }

    /// Whether this person may do it. What cannot be decided is refused.
    pub fn allows(&self, user: UserId, permission: Permission) -> bool {
        let question = (user, permission);
        if let Some(known) =
            self.decisions.read().unwrap_or_else(PoisonError::into_inner).get(&question).copied()
        {
            return known;
        }
        let decided = self.decide(user, permission);
        self.decisions.write().unwrap_or_else(PoisonError::into_inner).insert(question, decided);
        decided
    }

    /// What of the data is kept from somebody.
    pub fn restrictions(&self, user: UserId) -> Restrictions {
        self.data.as_ref().map_or_else(Restrictions::unknown, |data| data.restrictions(user))
    }

    /// The same, asked of Casbin each time.
    pub fn decide(&self, user: UserId, permission: Permission) -> bool {
        let (object, action) = permission.object_and_action();
        let question = (user_subject(user), domain_of(self.tenant), object, action);
        self.enforcer.enforce(question).unwrap_or_else(|error| {
            tracing::error!(%error, %permission, "a permission could not be decided and is refused");
            false
        })
    }
}

impl std::fmt::Debug for TenantPolicy {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("TenantPolicy").field("version", &self.version).finish_non_exhaustive()
    }
}

fn user_subject(user: UserId) -> String {
    format!("user:{user}")
}

fn role_subject(role: &str) -> String {
    format!("role:{role}")
}

fn domain_of(tenant: TenantId) -> String {
    format!("t:{tenant}")
}

/// What an enforcer is built of: Casbin's lines, read once.
#[derive(Default)]
struct Lines {
    rules: Vec<Vec<String>>,
    holdings: Vec<Vec<String>>,
}

impl Lines {
    fn of_system_roles() -> Self {
        let mut lines = Self::default();
        for role in SystemRole::ALL {
            for permission in role.permissions() {
                lines.rule(&role_subject(role.as_str()), *permission, Effect::Allow);
            }
        }
        lines
    }

    fn rule(&mut self, subject: &str, permission: Permission, effect: Effect) {
        let (object, action) = permission.object_and_action();
        let line = [subject, object, action, effect.as_str()];
        self.rules.push(line.map(str::to_owned).to_vec());
    }

    fn holds(&mut self, subject: String, held: String, domain: &str) {
        self.holdings.push(vec![subject, held, domain.to_owned()]);
    }
}

/// Read only: rules are changed in the database, and enforcers built anew.
#[async_trait]
impl Adapter for Lines {
    async fn load_policy(&mut self, model: &mut dyn Model) -> casbin::Result<()> {
        model.add_policies("p", "p", std::mem::take(&mut self.rules));
        model.add_policies("g", "g", std::mem::take(&mut self.holdings));
        Ok(())
    }

    async fn load_filtered_policy<'a>(&mut self, model: &mut dyn Model, _: Filter<'a>) -> casbin::Result<()> {
        self.load_policy(model).await
    }

    async fn save_policy(&mut self, _: &mut dyn Model) -> casbin::Result<()> {
        Err(read_only())
    }

    async fn clear_policy(&mut self) -> casbin::Result<()> {
        Err(read_only())
    }

    fn is_filtered(&self) -> bool {
        false
    }

    async fn add_policy(&mut self, _: &str, _: &str, _: Vec<String>) -> casbin::Result<bool> {
        Err(read_only())
    }

    async fn add_policies(&mut self, _: &str, _: &str, _: Vec<Vec<String>>) -> casbin::Result<bool> {
        Err(read_only())
    }

    async fn remove_policy(&mut self, _: &str, _: &str, _: Vec<String>) -> casbin::Result<bool> {
        Err(read_only())
    }

    async fn remove_policies(&mut self, _: &str, _: &str, _: Vec<Vec<String>>) -> casbin::Result<bool> {
        Err(read_only())
    }

    async fn remove_filtered_policy(
        &mut self,
        _: &str,
        _: &str,
        _: usize,
        _: Vec<String>,
    ) -> casbin::Result<bool> {
        Err(read_only())
    }
}

fn read_only() -> casbin::Error {
    let reason = "rules are changed in the database";
    casbin::error::AdapterError(reason.into()).into()
}

#[cfg(test)]
mod tests;
