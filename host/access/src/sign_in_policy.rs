//! What a company asks of whoever signs in to it: a second factor of some roles and what counts as one, shorter sessions, its
//! own networks.
//!
//! It is read with the rules of a tenant ([`crate::Policies`]) and outlives no change of them. A change has to admit
//! whoever makes it, from where they are: nobody locks themselves out by a mistyped network.

use std::collections::BTreeSet;
use std::net::IpAddr;

use ipnet::IpNet;
use portolan_core::{Duration, Instant, TenantId, UserId};
use portolan_db::entity::{custom_role, session, sign_in_policy};
use portolan_db::{DbError, SystemTx, TenantTx};
use sea_orm::{ColumnTrait, IntoActiveModel, QueryFilter};
use serde_json::json;

use crate::SystemRole;
use crate::audit::{self, Who};
use crate::client::Factor;
use crate::devices::DEVICE_LASTS;
use crate::members::{all_roles_of, bump_access};
use crate::network::{contains, read_networks};
use crate::sessions::{ABSOLUTE, IDLE};

/// What a company may ask for, in minutes: never longer than what the house allows.
const SESSION_MINUTES: std::ops::RangeInclusive<i32> = 15..=720;
const IDLE_MINUTES: std::ops::RangeInclusive<i32> = 5..=120;
const MOST_NETWORKS: usize = 50;
/// For how many days a browser may be remembered; 0: none is.
const DEVICE_DAYS: std::ops::RangeInclusive<i32> = 0..=30;

/// What is asked of whoever signs in to a tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignInPolicy {
    /// Names of roles whose holders need a second factor.
    pub second_factor_roles: BTreeSet<String>,
    /// However busy it is, a session ends after this.
    pub session_minutes: i32,
    /// Without a request for this long, a session ends.
    pub idle_minutes: i32,
    /// From anywhere where empty.
    pub networks: Vec<IpNet>,
    /// Whether a code that was mailed counts as a second factor, of whoever has no other.
    pub mail_codes: bool,
    /// For how many days a browser may be remembered, in which no second factor is asked for; 0: none is.
    pub device_days: i32,
}

impl Default for SignInPolicy {
    fn default() -> Self {
        Self {
            second_factor_roles: BTreeSet::new(),
            session_minutes: *SESSION_MINUTES.end(),
            idle_minutes: *IDLE_MINUTES.end(),
            networks: Vec::new(),
            mail_codes: false,
            device_days: *DEVICE_DAYS.end(),
        }
    }
}

/// A policy as somebody asks for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewSignInPolicy {
    pub second_factor_roles: BTreeSet<String>,
    pub session_minutes: i32,
    pub idle_minutes: i32,
    /// `192.0.2.0/24`
    pub networks: Vec<String>,
    pub mail_codes: bool,
    pub device_days: i32,
}

/// What the house asks for.
impl Default for NewSignInPolicy {
    fn default() -> Self {
        let SignInPolicy {
            second_factor_roles, session_minutes, idle_minutes, mail_codes, device_days, ..
        } = SignInPolicy::default();
        let networks = Vec::new();
        Self { second_factor_roles, session_minutes, idle_minutes, networks, mail_codes, device_days }
    }
}

/// Whoever changes a policy, as far as it has to admit them.
#[derive(Debug, Clone, Copy)]
pub struct Changer {
    pub user: UserId,
    /// Whether their session has shown one.
    pub second_factor: bool,
    pub from: Option<IpAddr>,
}

/// Why a policy cannot be so.
#[derive(Debug, thiserror::Error)]
pub enum SignInPolicyError {
    #[error("{0:?} is no role of this company: use a system role, or make it on the roles page first")]
    Role(String),
    #[error("a session lasts 15 to 720 minutes")]
    Session,
    #[error("a session that nobody uses ends after 5 to 120 minutes, and not after it ends anyway")]
    Idle,
    #[error("a browser may be remembered for 0 to 30 days; with 0 none is")]
    DeviceDays,
    #[error("{0:?} is no network: write 192.0.2.0/24 or 2001:db8::/32, at most {MOST_NETWORKS} of them")]
    Network(String),
    #[error("you are at {0} yourself and would be locked out: name a network that this is in")]
    NotFromHere(String),
    #[error("this asks a second factor of you, too: set up your own first, in Profile and security")]
    OwnSecondFactor,
    #[error(transparent)]
    Database(#[from] DbError),
}

impl SignInPolicy {
    pub(crate) async fn read(tx: &TenantTx) -> Result<Self, DbError> {
        let row = tx.find::<sign_in_policy::Entity>().one(tx).await?;
        Ok(row.map(Self::from).unwrap_or_default())
    }

    /// The same, from a transaction of the house: for whoever is about to sign in to that tenant.
    pub(crate) async fn of_tenant(tx: &SystemTx, tenant: TenantId) -> Result<Self, DbError> {
        tx.act_for(tenant).await?;
        let own = tx.find_across_tenants::<sign_in_policy::Entity>();
        let row = own.filter(sign_in_policy::Column::TenantId.eq(tenant.0)).one(tx).await?;
        Ok(row.map(Self::from).unwrap_or_default())
    }

    /// Whether one of these factors, with `+` between their names, is a second one here.
    pub(crate) fn takes_as_second_factor(&self, factors: &str) -> bool {
        let strong =
            [Factor::Totp, Factor::RecoveryCode, Factor::Passkey, Factor::Device].map(Factor::as_str);
        factors.split('+').any(|factor| {
            strong.contains(&factor) || (self.mail_codes && factor == Factor::MailCode.as_str())
        })
    }

    /// For how long a browser is remembered; zero where none is.
    pub(crate) fn devices_last(&self) -> Duration {
        Duration::from_hours(24 * i64::from(self.device_days)).min(DEVICE_LASTS)
    }

    /// Whether somebody may come in from there.
    pub fn admits(&self, from: Option<IpAddr>) -> bool {
        self.networks.is_empty() || from.is_some_and(|from| contains(&self.networks, from))
    }

    /// Whether holders of any of these roles need a second factor.
    pub fn asks_second_factor_of<'a>(&self, roles: impl IntoIterator<Item = &'a str>) -> bool {
        roles.into_iter().any(|role| self.second_factor_roles.contains(role))
    }

    /// Whether a session that the house would let go on may go on here.
    pub(crate) fn lets_go_on(&self, session: &session::Model, now: Instant) -> bool {
        // A session that went from one tenant to another is as old as it was.
        let begun_at = Instant(session.expires_at - ABSOLUTE.0);
        // A browser that is not to be remembered brings nobody in, nor keeps them in who came in by it.
        let shown = |factor: Factor| session.factors.split('+').any(|name| name == factor.as_str());
        let by_device = shown(Factor::Device)
            && ![Factor::Totp, Factor::RecoveryCode, Factor::Passkey].into_iter().any(shown);
        (self.device_days > 0 || !by_device)
            && now.since(begun_at) < Duration::from_minutes(self.session_minutes.into()).min(ABSOLUTE)
            && now.since(Instant(session.last_seen_at))
                < Duration::from_minutes(self.idle_minutes.into()).min(IDLE)
    }

    /// As the audit and the API tell it.
    fn told(&self) -> serde_json::Value {
        json!({
            "second_factor_roles": self.second_factor_roles,
            "session_minutes": self.session_minutes,
            "idle_minutes": self.idle_minutes,
            "networks": self.networks.iter().map(IpNet::to_string).collect::<Vec<_>>(),
            "mail_codes": self.mail_codes,
            "device_days": self.device_days,
        })
    }
}

impl From<sign_in_policy::Model> for SignInPolicy {
    fn from(row: sign_in_policy::Model) -> Self {
        let words = |text: &str| {
            text.split(' ').filter(|word| !word.is_empty()).map(str::to_owned).collect::<Vec<_>>()
        };
        let networks = words(&row.networks);
        let mut read: Vec<IpNet> = networks.iter().filter_map(|network| network.parse().ok()).collect();
        if read.is_empty() && !networks.is_empty() {
            // What cannot be read admits nobody, rather than everybody: a network of no client.
            read.push(IpNet::from(IpAddr::from([0, 0, 0, 0])));
        }
        Self {
            second_factor_roles: words(&row.second_factor_roles).into_iter().collect(),
            session_minutes: row.session_minutes,
            idle_minutes: row.idle_minutes,
            networks: read,
            mail_codes: row.mail_codes == 1,
            device_days: row.device_days,
        }
    }
}

/// What is asked of whoever signs in.
pub async fn sign_in_policy(tx: &TenantTx) -> Result<SignInPolicy, DbError> {
    SignInPolicy::read(tx).await
}

/// Changes what is asked. From the next request on it holds for everybody who is signed in already.
pub async fn change_sign_in_policy(
    tx: &TenantTx,
    by: &Who,
    changer: Changer,
    new: NewSignInPolicy,
    at: Instant,
) -> Result<SignInPolicy, SignInPolicyError> {
    bump_access(tx.host_wide(), tx.tenant()).await?;
    let policy = checked(tx, new).await?;
    if !policy.admits(changer.from) {
        let from =
            changer.from.map_or_else(|| "no address that is known".to_owned(), |from| from.to_string());
        return Err(SignInPolicyError::NotFromHere(from));
    }
    let own_roles = all_roles_of(tx, changer.user).await?;
    if !changer.second_factor && policy.asks_second_factor_of(own_roles.iter().map(String::as_str)) {
        return Err(SignInPolicyError::OwnSecondFactor);
    }
    let before = SignInPolicy::read(tx).await?;
    store(tx, &policy, at).await?;
    let entry = by.did("sign_in_policy.change", "tenant", tx.tenant());
    audit::write(tx, at, entry.before(before.told()).after(policy.told()));
    Ok(policy)
}

/// Lets people come in from anywhere again: for the operator, when a company has locked itself out. Says whether there
/// was anything to lift.
pub async fn lift_networks(tx: &TenantTx, by: &Who, at: Instant) -> Result<bool, SignInPolicyError> {
    bump_access(tx.host_wide(), tx.tenant()).await?;
    let before = SignInPolicy::read(tx).await?;
    if before.networks.is_empty() {
        return Ok(false);
    }
    let after = SignInPolicy { networks: Vec::new(), ..before.clone() };
    store(tx, &after, at).await?;
    let entry = by.did("sign_in_policy.change", "tenant", tx.tenant());
    audit::write(tx, at, entry.before(before.told()).after(after.told()));
    Ok(true)
}

async fn checked(tx: &TenantTx, new: NewSignInPolicy) -> Result<SignInPolicy, SignInPolicyError> {
    let own = tx.find::<custom_role::Entity>().all(tx).await.map_err(DbError::from)?;
    for role in &new.second_factor_roles {
        let known = role.parse::<SystemRole>().is_ok() || own.iter().any(|own| own.name == *role);
        if !known {
            return Err(SignInPolicyError::Role(role.chars().take(60).collect()));
        }
    }
    if !SESSION_MINUTES.contains(&new.session_minutes) {
        return Err(SignInPolicyError::Session);
    }
    if !IDLE_MINUTES.contains(&new.idle_minutes) || new.idle_minutes > new.session_minutes {
        return Err(SignInPolicyError::Idle);
    }
    if !DEVICE_DAYS.contains(&new.device_days) {
        return Err(SignInPolicyError::DeviceDays);
    }
    let networks = read_networks(&new.networks, MOST_NETWORKS).map_err(SignInPolicyError::Network)?;
    Ok(SignInPolicy {
        second_factor_roles: new.second_factor_roles,
        session_minutes: new.session_minutes,
        idle_minutes: new.idle_minutes,
        networks,
        mail_codes: new.mail_codes,
        device_days: new.device_days,
    })
}

async fn store(tx: &TenantTx, policy: &SignInPolicy, at: Instant) -> Result<(), DbError> {
    tx.delete_many::<sign_in_policy::Entity>().exec(tx).await?;
    let joined = |words: Vec<String>| words.join(" ");
    let row = sign_in_policy::Model {
        tenant_id: tx.tenant().0,
        second_factor_roles: joined(policy.second_factor_roles.iter().cloned().collect()),
        session_minutes: policy.session_minutes,
        idle_minutes: policy.idle_minutes,
        networks: joined(policy.networks.iter().map(IpNet::to_string).collect()),
        changed_at: at.0,
        mail_codes: i32::from(policy.mail_codes),
        device_days: policy.device_days,
    };
    tx.insert(row.into_active_model()).await?;
    Ok(())
}
