//! Signing in, being known, signing out.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use portolan_core::{Clock, Duration, Instant, Random, TenantId, UserId, id};
use portolan_db::entity::{membership, preference, session};
use portolan_db::{Database, DbError, SystemTx};
use sea_orm::{ColumnTrait, ConnectionTrait, IntoActiveModel, QueryFilter};
use serde_json::json;
use tokio::sync::watch;

use crate::audit;
use crate::client::{Client, Factor, LONGEST_USER_AGENT_CHARS};
use crate::guesses::Guess;
use crate::people::{LONGEST_NAME, find_user, normal_name, set_password_hash};
use crate::policy::Policies;
use crate::second_step::{FirstStep, PendingSignIn};
use crate::token::{new_token, token_hash};
use crate::{PasswordError, Passwords, SecondFactorError};

/// Without a request for this long, a session ends.
pub(crate) const IDLE: Duration = Duration::from_hours(2);
/// However busy it is, a session ends after this.
pub(crate) const ABSOLUTE: Duration = Duration::from_hours(12);

/// The door.
#[derive(Clone)]
pub struct Sessions {
    pub(crate) database: Database,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) random: Arc<dyn Random>,
    passwords: Passwords,
    pub(crate) policies: Policies,
    /// Counts the sessions that this process has ended.
    ended: Arc<watch::Sender<u64>>,
    /// Whether anybody was found on this host: whoever was once there has set it up.
    pub(crate) somebody: Arc<AtomicBool>,
    /// Whether this server can send mail: else nobody is asked for a code by mail.
    pub(crate) sends_mail: bool,
}

/// A session that has just begun. The token goes into the cookie and is not known here any more.
#[derive(Clone)]
pub struct NewSession {
    pub token: String,
    pub user: UserId,
    pub tenant: TenantId,
    pub expires_at: Instant,
    /// The page that they begin on, by its stored name, where they have said one.
    pub start_page: Option<String>,
}

impl std::fmt::Debug for NewSession {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("NewSession").field("user", &self.user).finish_non_exhaustive()
    }
}

/// Why nobody came in.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// The one answer to every wrong name, password, link or too many tries.
    #[error("name, password or link is not right")]
    Refused,
    /// The first step is done; nobody is in before the second.
    #[error("the second step of signing in is missing")]
    SecondStep(PendingSignIn),
    /// What vouches for them here does not count there.
    #[error("a company's provider does not count in another company")]
    ProviderAlone,
    #[error(transparent)]
    Database(#[from] DbError),
    #[error(transparent)]
    Password(#[from] PasswordError),
    #[error(transparent)]
    SecondFactor(SecondFactorError),
}

impl From<SecondFactorError> for SignInError {
    fn from(error: SecondFactorError) -> Self {
        match error {
            SecondFactorError::Refused => Self::Refused,
            other => Self::SecondFactor(other),
        }
    }
}

impl Sessions {
    pub fn new(database: Database, clock: Arc<dyn Clock>, random: Arc<dyn Random>) -> Self {
        let passwords = Passwords::new(random.clone());
        let policies = Policies::new(database.clone());
        let (ended, somebody) = (Arc::default(), Arc::default());
        Self { database, clock, random, passwords, policies, ended, somebody, sends_mail: false }
    }

    /// The same door, with codes by mail where a company wants them.
    #[must_use]
    pub fn with_mail(self) -> Self {
        Self { sends_mail: true, ..self }
    }

    /// The same door with passwords that cost next to nothing: for tests that try thousands.
    #[cfg(any(test, feature = "testing"))]
    #[must_use]
    pub fn with_cheap_passwords(self) -> Self {
        Self { passwords: Passwords::cheap(self.random.clone()), ..self }
    }

    /// The rules of all tenants.
    pub fn policies(&self) -> &Policies {
        &self.policies
    }

    /// Hashes passwords under the same limit as signing in.
    pub fn passwords(&self) -> &Passwords {
        &self.passwords
    }

    /// Signs in to the first of the person's tenants that lets them come from where they are.
    pub async fn sign_in_with_password(
        &self,
        name: &str,
        password: &str,
        client: Client,
    ) -> Result<NewSession, SignInError> {
        let name = normal_name(name);
        if name.chars().count() > LONGEST_NAME || name.contains('\0') {
            return Err(SignInError::Refused);
        }
        let user = find_user(&self.database.system_read().await?, &name).await?;
        let guess = Guess::AtTheDoor {
            normal_name: &name,
            user: user.as_ref().map(|user| UserId(user.id)),
            address: &client.address,
        };
        let stored = user.as_ref().and_then(|user| user.password_hash.as_deref());
        let right = self.try_password(guess, stored, password).await?;
        let (Some(user), true) = (&user, right) else { return Err(SignInError::Refused) };
        let user_id = UserId(user.id);
        let renewed = match user.password_hash.as_deref() {
            Some(stored) if Passwords::is_outdated(stored) => self.passwords.hash(password).await.ok(),
            _ => None,
        };
        let tenant = self.tenant_to_enter(user_id, &client).await?.ok_or(SignInError::Refused)?;
        let sessions = self.clone();
        self.database
            .system_write(move |tx| {
                Box::pin(async move {
                    if let Some(hash) = renewed {
                        set_password_hash(tx, user_id, Some(hash)).await?;
                    }
                    if !is_member(tx, user_id, tenant).await? {
                        return Err(SignInError::Refused);
                    }
                    Ok::<_, SignInError>(
                        sessions.begin_or_ask(tx, user_id, tenant, Factor::Password, client).await?,
                    )
                })
            })
            .await
            .and_then(FirstStep::into_result)
    }

    /// Changes whenever this process ends a session. Another process may end some, too: look now and then.
    pub fn endings(&self) -> watch::Receiver<u64> {
        self.ended.subscribe()
    }

    /// Ends a session; an unknown one has ended already.
    pub async fn sign_out(&self, token: &str, client: Client) -> Result<(), DbError> {
        let (id_hash, now) = (token_hash(token), self.clock.now());
        self.database
            .system_write(move |tx| Box::pin(async move { end_known(tx, id_hash, &client, now).await }))
            .await?;
        self.tell_ended();
        Ok(())
    }

    /// Ends the session that a browser had in another company, which a transaction of one company cannot see.
    pub(crate) async fn end_earlier(&self, client: Client) -> Result<(), DbError> {
        match client.earlier.0.clone() {
            Some(earlier) => self.sign_out(&earlier, client).await,
            None => Ok(()),
        }
    }

    /// What is open in this process looks whether its session still stands.
    pub(crate) fn tell_ended(&self) {
        self.ended.send_modify(|ended| *ended += 1);
    }

    /// Forgets sessions, links, first steps, set-up tokens and familiar places whose time is over, and budgets that are full
    /// again.
    pub async fn forget_expired(&self) -> Result<(), DbError> {
        let now = self.clock.now();
        self.database
            .system_write(move |tx| {
                Box::pin(async move {
                    for sql in [
                        "DELETE FROM session WHERE expires_at <= $1",
                        "DELETE FROM sign_in_link WHERE expires_at <= $1",
                        "DELETE FROM pending_sign_in WHERE expires_at <= $1",
                        "DELETE FROM set_up_token WHERE expires_at <= $1",
                        "DELETE FROM password_reset WHERE expires_at <= $1",
                        "DELETE FROM passkey_ceremony WHERE expires_at <= $1",
                        "DELETE FROM mail_code WHERE expires_at <= $1",
                        "DELETE FROM mail_code_tries WHERE wrong = 0 AND locked_until <= $1",
                        "DELETE FROM remembered_device WHERE expires_at <= $1",
                        "DELETE FROM identity_flow WHERE expires_at <= $1",
                        "DELETE FROM guess_budget WHERE full_at <= $1",
                        "DELETE FROM familiar_place WHERE until <= $1",
                    ] {
                        tx.execute_raw(tx.statement(sql, [now.0.into()])).await?;
                    }
                    Ok(())
                })
            })
            .await
    }

    /// A new session: always a new token, so that none from before signing in is carried over.
    pub(crate) async fn begin(
        &self,
        tx: &SystemTx,
        user: UserId,
        tenant: TenantId,
        factors: &[Factor],
        client: Client,
    ) -> Result<NewSession, DbError> {
        let token = new_token(&*self.random);
        let now = self.clock.now();
        if let Some(earlier) = &client.earlier.0 {
            end_known(tx, token_hash(earlier), &client, now).await?;
            let sessions = self.clone();
            tx.after_commit(move || sessions.tell_ended());
        }
        let expires_at = now + ABSOLUTE;
        let id = id::new_uuid(&*self.clock, &*self.random);
        let factors = factors.iter().map(|factor| factor.as_str()).collect::<Vec<_>>().join("+");
        let entry = client.who(user, id).did("session.begin", "session", id);
        audit::write_in_house(tx, tenant, now, entry.after(json!({ "factors": factors })));
        let row = session::Model {
            id_hash: token_hash(&token),
            user_id: user.0,
            tenant_id: tenant.0,
            created_at: now.0,
            last_seen_at: now.0,
            expires_at: expires_at.0,
            id,
            authenticated_at: now.0,
            factors,
            user_agent: client.user_agent.chars().take(LONGEST_USER_AGENT_CHARS).collect(),
            address: client.address,
            domain_tenant_id: client.domain.map(|holder| holder.0),
        };
        tx.insert(row.into_active_model()).await?;
        tracing::info!(user.id = %user, tenant.id = %tenant, "somebody signed in");
        let prefers = tx.find::<preference::Entity>().filter(preference::Column::UserId.eq(user.0));
        let start_page = prefers.one(tx).await?.map(|row| row.start_page);
        Ok(NewSession { token, user, tenant, expires_at, start_page })
    }
}

/// Ends a session by its hash; an unknown one has ended already.
async fn end_known(tx: &SystemTx, id_hash: String, client: &Client, now: Instant) -> Result<(), DbError> {
    let known = tx.find::<session::Entity>().filter(session::Column::IdHash.eq(&id_hash));
    let Some(known) = known.one(tx).await? else { return Ok(()) };
    let sessions = tx.delete_many::<session::Entity>();
    let ended = sessions.filter(session::Column::IdHash.eq(id_hash)).exec(tx).await?;
    // Of two that end it at the same moment, one has.
    if ended.rows_affected == 1 {
        let entry = client.who(UserId(known.user_id), known.id).did("session.end", "session", known.id);
        audit::write_in_house(tx, TenantId(known.tenant_id), now, entry);
    }
    Ok(())
}

pub(crate) fn stands(session: &session::Model, now: Instant) -> bool {
    now < Instant(session.expires_at) && now.since(Instant(session.last_seen_at)) < IDLE
}

pub(crate) fn is_by_provider_alone(session: &session::Model) -> bool {
    session.factors == Factor::Oidc.as_str()
}

/// Whether the person belongs to the tenant and is not banned from it.
pub(crate) async fn is_member(tx: &SystemTx, user: UserId, tenant: TenantId) -> Result<bool, DbError> {
    let member = tx
        .find::<membership::Entity>()
        .filter(membership::Column::TenantId.eq(tenant.0))
        .filter(membership::Column::UserId.eq(user.0))
        .filter(membership::Column::BannedAt.is_null())
        .one(tx)
        .await?;
    Ok(member.is_some())
}
