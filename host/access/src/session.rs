//! Sessions of browsers and one-time sign-in links. Only hashes are stored: a copy of the database
//! opens no session.

use std::sync::Arc;

use portolan_core::{Clock, Duration, Instant, Random, TenantId, UserId};
use portolan_db::entity::{membership, session, sign_in_link, user};
use portolan_db::{Database, DbError};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, QueryFilter};
use uuid::Uuid;

use crate::password::{PasswordError, PasswordHashing};
use crate::permission::Role;
use crate::token;

/// A session that nobody uses ends after this.
pub const IDLE: Duration = Duration::from_hours(2);
/// Every session ends after this.
pub const ABSOLUTE: Duration = Duration::from_hours(12);
/// A sign-in link works for this long, once.
pub const LINK_VALID: Duration = Duration::from_minutes(15);
/// The last use is written at most this often: reading a page should not write.
const TOUCH_EVERY: Duration = Duration::from_minutes(1);

/// Who is signed in, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SignedIn {
    pub user: UserId,
    pub tenant: TenantId,
    pub role: Role,
}

/// A new session: the token goes into the browser's cookie and is known nowhere else.
#[derive(Debug)]
pub struct NewSession {
    pub token: String,
    pub signed_in: SignedIn,
}

/// Why somebody is not signed in.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// Unknown name, wrong password, used or expired link: deliberately one answer.
    #[error("not accepted")]
    Refused,
    #[error(transparent)]
    Database(#[from] DbError),
    #[error(transparent)]
    Password(#[from] PasswordError),
}

impl From<sea_orm::DbErr> for SignInError {
    fn from(error: sea_orm::DbErr) -> Self {
        Self::Database(error.into())
    }
}

/// Signs people in and out.
#[derive(Clone)]
pub struct Sessions {
    db: Database,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    passwords: PasswordHashing,
}

impl Sessions {
    pub fn new(
        db: Database,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
        passwords: PasswordHashing,
    ) -> Self {
        Self { db, clock, random, passwords }
    }

    /// Signs in by name and password; takes the same time for names that do not exist.
    pub async fn sign_in_with_password(&self, name: &str, password: &str) -> Result<NewSession, SignInError> {
        let tx = self.db.system_read().await?;
        let user = tx
            .find::<user::Entity>()
            .filter(user::Column::SignInName.eq(name.trim().to_lowercase()))
            .one(&tx)
            .await?;
        drop(tx);
        let stored = user.as_ref().and_then(|user| user.password_hash.clone());
        let accepted = self.passwords.verify(password, stored.as_deref()).await?;
        match user {
            Some(user) if accepted => self.begin(user.id, None).await,
            _ => Err(SignInError::Refused),
        }
    }

    /// Makes a one-time link's token for a member of a tenant.
    pub async fn create_link(&self, user: UserId, tenant: TenantId) -> Result<String, SignInError> {
        let token = token::generate(&*self.random);
        let row = sign_in_link::ActiveModel {
            token_hash: Set(token::hash(&token)),
            user_id: Set(user.0),
            tenant_id: Set(tenant.0),
            expires_at: Set((self.clock.now() + LINK_VALID).0),
            used_at: Set(None),
        };
        self.db
            .system_write(move |tx| {
                Box::pin(async move {
                    tx.insert(row).await?;
                    Ok::<_, SignInError>(())
                })
            })
            .await?;
        Ok(token)
    }

    /// Whether a link would still work. Looking does not use it up.
    pub async fn link_is_valid(&self, token: &str) -> Result<bool, SignInError> {
        let tx = self.db.system_read().await?;
        let link = tx
            .find::<sign_in_link::Entity>()
            .filter(sign_in_link::Column::TokenHash.eq(token::hash(token)))
            .filter(sign_in_link::Column::UsedAt.is_null())
            .filter(sign_in_link::Column::ExpiresAt.gt(self.clock.now().0))
            .one(&tx)
            .await?;
        Ok(link.is_some())
    }

    /// Uses a link: of any number of attempts at once, one succeeds.
    pub async fn sign_in_with_link(&self, token: &str) -> Result<NewSession, SignInError> {
        let (hash, now) = (token::hash(token), self.clock.now().0);
        let link = self
            .db
            .system_write(move |tx| {
                Box::pin(async move {
                    use sign_in_link::Column;
                    let used = tx
                        .update_many::<sign_in_link::Entity>()
                        .col_expr(Column::UsedAt, Expr::value(now))
                        .filter(Column::TokenHash.eq(hash.as_str()))
                        .filter(Column::UsedAt.is_null())
                        .filter(Column::ExpiresAt.gt(now))
                        .exec(tx)
                        .await?;
                    if used.rows_affected != 1 {
                        return Err(SignInError::Refused);
                    }
                    let link =
                        tx.find::<sign_in_link::Entity>().filter(Column::TokenHash.eq(hash)).one(tx).await?;
                    link.ok_or(SignInError::Refused)
                })
            })
            .await?;
        self.begin(link.user_id, Some(link.tenant_id)).await
    }

    /// Opens a session in the given tenant, or in the person's first one.
    async fn begin(&self, user: Uuid, tenant: Option<Uuid>) -> Result<NewSession, SignInError> {
        let (token, now) = (token::generate(&*self.random), self.clock.now());
        let id_hash = token::hash(&token);
        let signed_in = self
            .db
            .system_write(move |tx| {
                Box::pin(async move {
                    let mut memberships =
                        tx.find::<membership::Entity>().filter(membership::Column::UserId.eq(user));
                    if let Some(tenant) = tenant {
                        memberships = memberships.filter(membership::Column::TenantId.eq(tenant));
                    }
                    let membership = memberships.one(tx).await?.ok_or(SignInError::Refused)?;
                    let signed_in = read_membership(&membership).ok_or(SignInError::Refused)?;
                    tx.insert(session::ActiveModel {
                        id_hash: Set(id_hash),
                        user_id: Set(user),
                        tenant_id: Set(membership.tenant_id),
                        created_at: Set(now.0),
                        last_seen_at: Set(now.0),
                        expires_at: Set((now + ABSOLUTE).0),
                    })
                    .await?;
                    Ok::<_, SignInError>(signed_in)
                })
            })
            .await?;
        Ok(NewSession { token, signed_in })
    }

    /// Who holds this token; `None` for an unknown, idle or expired session, or one whose
    /// membership has ended.
    pub async fn authenticate(&self, token: &str) -> Result<Option<SignedIn>, SignInError> {
        let (id_hash, now) = (token::hash(token), self.clock.now());
        let tx = self.db.system_read().await?;
        let found = tx
            .find::<session::Entity>()
            .filter(session::Column::IdHash.eq(id_hash.as_str()))
            .filter(session::Column::ExpiresAt.gt(now.0))
            .filter(session::Column::LastSeenAt.gt((now - IDLE).0))
            .one(&tx)
            .await?;
        let Some(found) = found else { return Ok(None) };
        let membership = tx
            .find::<membership::Entity>()
            .filter(membership::Column::UserId.eq(found.user_id))
            .filter(membership::Column::TenantId.eq(found.tenant_id))
            .one(&tx)
            .await?;
        drop(tx);
        if now.since(Instant(found.last_seen_at)) > TOUCH_EVERY {
            self.touch(id_hash, now).await?;
        }
        Ok(membership.as_ref().and_then(read_membership))
    }

    async fn touch(&self, id_hash: String, now: Instant) -> Result<(), SignInError> {
        self.db
            .system_write(move |tx| {
                Box::pin(async move {
                    tx.update_many::<session::Entity>()
                        .col_expr(session::Column::LastSeenAt, Expr::value(now.0))
                        .filter(session::Column::IdHash.eq(id_hash))
                        .exec(tx)
                        .await?;
                    Ok(())
                })
            })
            .await
    }

    /// Ends a session.
    pub async fn sign_out(&self, token: &str) -> Result<(), SignInError> {
        let id_hash = token::hash(token);
        self.db
            .system_write(move |tx| {
                Box::pin(async move {
                    tx.delete_many::<session::Entity>()
                        .filter(session::Column::IdHash.eq(id_hash))
                        .exec(tx)
                        .await?;
                    Ok(())
                })
            })
            .await
    }
}

fn read_membership(membership: &membership::Model) -> Option<SignedIn> {
    let role = membership.role.parse().ok()?;
    Some(SignedIn { user: UserId(membership.user_id), tenant: TenantId(membership.tenant_id), role })
}
