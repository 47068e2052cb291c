//! Who is behind the token of a request.

use std::net::IpAddr;
use std::sync::Arc;

use portolan_core::{Duration, Instant, TenantId, UserId};
use portolan_db::DbError;
use portolan_db::entity::session;
use sea_orm::{ConnectionTrait, FromQueryResult};
use uuid::Uuid;

use crate::data_policies::Restrictions;
use crate::policy::{PolicyError, TenantPolicy};
use crate::sessions::{is_by_provider_alone, stands};
use crate::token::token_hash;
use crate::{Permission, Sessions};

/// How exactly it is known when a session was seen: saves a write per request.
const SEEN_EVERY: Duration = Duration::from_minutes(1);

/// Somebody whose session stands.
#[derive(Debug, Clone)]
pub struct SignedIn {
    pub user: UserId,
    pub tenant: TenantId,
    /// The session's public name: it opens nothing.
    pub session: Uuid,
    /// When they last showed who they are.
    pub authenticated_at: Instant,
    /// Whether a second factor was shown, now or when they came in.
    pub second_factor: bool,
    /// Whether nothing but a provider of identities of this company vouches for them. Whom a company trusts is no other
    /// company's business, so such a session stays there ([`crate::oidc`]).
    pub by_provider_alone: bool,
    /// Whether it was begun under the company's own domain. Whoever holds that domain can read what is sent there: such a
    /// session is good for their company alone, and changes nothing of its person's account.
    pub at_domain: bool,
    policy: Arc<TenantPolicy>,
}

impl SignedIn {
    /// Whether they may do it, by the rules as they stood when the session was looked up.
    pub fn may(&self, permission: Permission) -> bool {
        self.policy.allows(self.user, permission)
    }

    /// Whether their company lets them come from there.
    pub fn may_come_from(&self, from: Option<IpAddr>) -> bool {
        self.policy.sign_in().admits(from)
    }

    /// Whether their company asks for a second factor that they have not shown.
    pub fn lacks_second_factor(&self) -> bool {
        !self.second_factor && self.policy.needs_second_factor(self.user)
    }

    /// Whether their company asks for a second factor.
    pub fn company_asks_second_factor(&self) -> bool {
        self.policy.needs_second_factor(self.user)
    }

    /// What of the data is kept from them, by the same rules.
    pub fn restrictions(&self) -> Restrictions {
        self.policy.restrictions(self.user)
    }
}

/// Why it is not known who is behind a token.
#[derive(Debug, thiserror::Error)]
pub enum AuthenticateError {
    #[error(transparent)]
    Database(#[from] DbError),
    #[error(transparent)]
    Policy(#[from] PolicyError),
}

impl Sessions {
    /// Who is behind a token: `None` when the session has ended, by time, by signing out, or because the
    /// person is no longer a member or is banned.
    pub async fn authenticate(&self, token: &str) -> Result<Option<SignedIn>, AuthenticateError> {
        let Some((session, signed_in)) = self.look_up(token).await? else { return Ok(None) };
        let now = self.clock.now();
        if now.since(Instant(session.last_seen_at)) >= SEEN_EVERY {
            // Reading must go on where nothing can be written: on a full disk, for example.
            if let Err(error) = self.note_seen(session.id_hash, now).await {
                tracing::warn!(%error, "failed to note when a session was last seen");
            }
        }
        Ok(Some(signed_in))
    }

    /// [`Self::authenticate`] for what stays open without anybody asking: it does not count as being seen,
    /// so that a forgotten window cannot keep its session alive.
    pub async fn still_stands(&self, token: &str) -> Result<Option<SignedIn>, AuthenticateError> {
        Ok(self.look_up(token).await?.map(|(_, signed_in)| signed_in))
    }

    async fn look_up(&self, token: &str) -> Result<Option<(session::Model, SignedIn)>, AuthenticateError> {
        let now = self.clock.now();
        let Some((session, access_version)) = self.find_of_member(token).await? else { return Ok(None) };
        let (user, tenant) = (UserId(session.user_id), TenantId(session.tenant_id));
        let of_another = session.domain_tenant_id.is_some_and(|holder| holder != session.tenant_id);
        if of_another || !stands(&session, now) {
            return Ok(None);
        }
        let policy = self.policies.of(tenant, access_version).await?;
        if !policy.sign_in().lets_go_on(&session, now) {
            return Ok(None);
        }
        let authenticated_at = Instant(session.authenticated_at);
        let second_factor = policy.sign_in().takes_as_second_factor(&session.factors);
        let by_provider_alone = is_by_provider_alone(&session);
        let signed_in = SignedIn {
            user,
            tenant,
            session: session.id,
            authenticated_at,
            second_factor,
            by_provider_alone,
            at_domain: session.domain_tenant_id.is_some(),
            policy,
        };
        Ok(Some((session, signed_in)))
    }

    /// The session with this token where its person belongs to its tenant, and the version of that tenant's rules. Every
    /// request asks: it is one statement.
    async fn find_of_member(&self, token: &str) -> Result<Option<(session::Model, i64)>, DbError> {
        // By name: PostgreSQL refuses a prepared `*` once a migration has added a column.
        let sql = "SELECT session.id_hash, session.user_id, session.tenant_id, session.created_at, \
                   session.last_seen_at, session.expires_at, session.id, session.authenticated_at, session.factors, \
                   session.user_agent, session.address, session.domain_tenant_id, tenant.access_version FROM session \
                   JOIN membership ON membership.tenant_id = session.tenant_id \
                   AND membership.user_id = session.user_id AND membership.banned_at IS NULL \
                   JOIN tenant ON tenant.id = session.tenant_id WHERE session.id_hash = $1";
        let tx = self.database.system_read().await?;
        let found = tx.query_one_raw(tx.statement(sql, [token_hash(token).into()])).await?;
        let Some(row) = found else { return Ok(None) };
        Ok(Some((session::Model::from_query_result(&row, "")?, row.try_get("", "access_version")?)))
    }

    async fn note_seen(&self, id_hash: String, now: Instant) -> Result<(), DbError> {
        self.database
            .system_write(move |tx| {
                Box::pin(async move {
                    let sql = "UPDATE session SET last_seen_at = $2 WHERE id_hash = $1 AND last_seen_at < $2";
                    tx.execute_raw(tx.statement(sql, [id_hash.into(), now.0.into()])).await?;
                    Ok(())
                })
            })
            .await
    }
}
