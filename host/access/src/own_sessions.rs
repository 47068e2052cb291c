//! What people see and do about their own sessions, and their own password.

use portolan_core::{Instant, TenantId, UserId};
use portolan_db::entity::{password_reset, pending_sign_in, session, sign_in_link, user};
use portolan_db::{DbError, SystemTx};
use sea_orm::sea_query::{ExprTrait, SimpleExpr};
use sea_orm::{ColumnTrait, QueryFilter, QueryOrder};
use uuid::Uuid;

use crate::audit;
use crate::client::Client;
use crate::devices::forget_devices;
use crate::sessions::stands;
use crate::signed_in::SignedIn;
use crate::tenants::tenants_of;
use crate::{Sessions, SignInError, set_password_hash};

/// A session as its person sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnSession {
    /// Its public name: it opens nothing.
    pub id: Uuid,
    pub tenant: TenantId,
    pub begun_at: Instant,
    /// To the minute.
    pub last_seen_at: Instant,
    pub address: String,
    pub user_agent: String,
    /// How they came in: names of factors with `+` between them.
    pub factors: String,
}

/// Whether they sign in with a password: some come by a passkey or a provider alone.
pub(crate) async fn has_password(tx: &SystemTx, user: UserId) -> Result<bool, DbError> {
    let found = tx.find::<user::Entity>().filter(user::Column::Id.eq(user.0)).one(tx).await?;
    Ok(found.is_some_and(|user| user.password_hash.is_some()))
}

/// The person's sessions that stand, the one seen last first.
pub(crate) async fn sessions_of(
    tx: &SystemTx,
    user: UserId,
    now: Instant,
) -> Result<Vec<OwnSession>, DbError> {
    let rows = tx
        .find::<session::Entity>()
        .filter(session::Column::UserId.eq(user.0))
        .order_by_desc(session::Column::LastSeenAt)
        .order_by_desc(session::Column::CreatedAt)
        .all(tx)
        .await?;
    let own = |row: session::Model| OwnSession {
        id: row.id,
        tenant: TenantId(row.tenant_id),
        begun_at: Instant(row.created_at),
        last_seen_at: Instant(row.last_seen_at),
        address: row.address,
        user_agent: row.user_agent,
        factors: row.factors,
    };
    Ok(rows.into_iter().filter(|row| stands(row, now)).map(own).collect())
}

impl Sessions {
    /// Ends one of the person's sessions; says whether there was one.
    pub async fn end_session(&self, by: &SignedIn, id: Uuid, client: Client) -> Result<bool, DbError> {
        let (sessions, user, own) = (self.clone(), by.user, by.session);
        let ended = self
            .database
            .system_write(move |tx| {
                Box::pin(async move {
                    let one = session::Column::UserId.eq(user.0).and(session::Column::Id.eq(id));
                    Ok::<_, DbError>(sessions.end_where(tx, one, own, &client).await? == 1)
                })
            })
            .await?;
        self.tell_ended();
        Ok(ended)
    }

    /// Ends all of the person's sessions but this one, and whatever else could become one; says how many they were.
    pub async fn end_other_sessions(&self, by: &SignedIn, client: Client) -> Result<u64, DbError> {
        let (sessions, user, keep) = (self.clone(), by.user, by.session);
        let ended = self
            .database
            .system_write(move |tx| {
                Box::pin(async move { sessions.end_others(tx, user, keep, &client).await })
            })
            .await?;
        self.tell_ended();
        Ok(ended)
    }

    pub(crate) async fn end_others(
        &self,
        tx: &SystemTx,
        user: UserId,
        keep: Uuid,
        client: &Client,
    ) -> Result<u64, DbError> {
        end_sign_ins(tx, user).await?;
        let others = session::Column::UserId.eq(user.0).and(session::Column::Id.ne(keep));
        self.end_where(tx, others, keep, client).await
    }

    /// Ends sessions, each told to the tenant that it worked for, as done in the session `own`; says how many they were.
    async fn end_where(
        &self,
        tx: &SystemTx,
        which: SimpleExpr,
        own: Uuid,
        client: &Client,
    ) -> Result<u64, DbError> {
        let mut ended = 0;
        for row in tx.find::<session::Entity>().filter(which).all(tx).await? {
            let one = tx.delete_many::<session::Entity>().filter(session::Column::Id.eq(row.id));
            // Of two that end it at the same moment, one has.
            if one.exec(tx).await?.rows_affected == 1 {
                let entry = client.who(UserId(row.user_id), own).did("session.end", "session", row.id);
                audit::write_in_house(tx, TenantId(row.tenant_id), self.clock.now(), entry);
                ended += 1;
            }
        }
        Ok(ended)
    }

    /// The hash of a new password, for somebody who knows the old one or has none.
    ///
    /// Errors: [`SignInError::Refused`] where the old one is wrong, [`SignInError::Password`] where the new one cannot be
    /// taken.
    pub async fn hash_own_password(
        &self,
        signed_in: &SignedIn,
        old: &str,
        new: &str,
    ) -> Result<String, SignInError> {
        let user = signed_in.user;
        let has_one = has_password(&self.database.system_read().await?, user).await?;
        if has_one && !self.own_password_is_right(user, old).await? {
            return Err(SignInError::Refused);
        }
        Ok(self.passwords().hash_new(new, &self.words_about(user).await?).await?)
    }

    /// Stores the hash and ends all their other sessions; gives their sign-in name.
    pub async fn change_password(
        &self,
        tx: &SystemTx,
        signed_in: &SignedIn,
        hash: String,
        client: &Client,
    ) -> Result<String, DbError> {
        let (user, keep) = (signed_in.user, signed_in.session);
        set_password_hash(tx, user, Some(hash)).await?;
        self.end_others(tx, user, keep, client).await?;
        let entry = client.who(user, keep).did("person.set_password", "person", user);
        audit::write_in_house(tx, signed_in.tenant, self.clock.now(), entry);
        let sessions = self.clone();
        tx.after_commit(move || sessions.tell_ended());
        tracing::info!(user.id = %user, "somebody changed their password");
        self.name_in(tx, user).await
    }

    /// A person's sign-in name; empty for nobody.
    pub async fn name_in(&self, tx: &SystemTx, user: UserId) -> Result<String, DbError> {
        let person = tx.find::<user::Entity>().filter(user::Column::Id.eq(user.0)).one(tx).await?;
        Ok(person.map(|person| person.sign_in_name).unwrap_or_default())
    }

    /// What anybody may know of a person, so that it is no password of theirs: their name and those of their companies.
    pub async fn words_about(&self, user: UserId) -> Result<Vec<String>, DbError> {
        let tx = self.database.system_read().await?;
        let companies = tenants_of(&tx, user).await?.into_iter().map(|tenant| tenant.name);
        Ok(companies.chain([self.name_in(&tx, user).await?]).collect())
    }
}

/// Takes back what could still become a session, or make one easier: links that were not used, also those to a new
/// password, first steps, and remembered browsers.
pub(crate) async fn end_sign_ins(tx: &SystemTx, user: UserId) -> Result<(), DbError> {
    let links = sign_in_link::Column::UserId.eq(user.0);
    tx.delete_many::<sign_in_link::Entity>().filter(links).exec(tx).await?;
    let pending = pending_sign_in::Column::UserId.eq(user.0);
    tx.delete_many::<pending_sign_in::Entity>().filter(pending).exec(tx).await?;
    let resets = password_reset::Column::UserId.eq(user.0);
    tx.delete_many::<password_reset::Entity>().filter(resets).exec(tx).await?;
    forget_devices(tx, user).await
}
