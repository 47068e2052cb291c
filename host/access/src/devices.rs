//! Browsers in which the second step is not asked for again, for 30 days, or as many as the company says.
//!
//! The browser's token takes the place of the code when somebody signs in, and of nothing else: the first step stays, and
//! so does whatever asks for somebody who has shown who they are, for which the code's own moment counts. A new
//! password, another second factor and the end of all other sessions forget every browser of that person.

use portolan_core::{Duration, Instant, TenantId, UserId, id};
use portolan_db::entity::remembered_device;
use portolan_db::{DbError, SystemTx};
use sea_orm::{ColumnTrait, ConnectionTrait, IntoActiveModel, QueryFilter, QueryOrder};
use uuid::Uuid;

use crate::audit;
use crate::client::{Client, LONGEST_USER_AGENT_CHARS};
use crate::signed_in::SignedIn;
use crate::token::{new_token, token_hash};
use crate::{Sessions, Shown, SignInPolicy};

/// How long a browser is remembered, however often it is used.
pub const DEVICE_LASTS: Duration = Duration::from_hours(30 * 24);

/// A browser's token, as its cookie holds it.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct DeviceToken(pub Option<String>);

impl std::fmt::Debug for DeviceToken {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(if self.0.is_some() { "DeviceToken(…)" } else { "DeviceToken(none)" })
    }
}

/// A remembered browser as its person sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnDevice {
    /// Its public name: it opens nothing.
    pub id: Uuid,
    pub since: Instant,
    pub last_used_at: Instant,
    pub expires_at: Instant,
    pub address: String,
    pub user_agent: String,
}

/// The person's remembered browsers, the one used last first.
pub(crate) async fn devices_of(tx: &SystemTx, user: UserId, now: Instant) -> Result<Vec<OwnDevice>, DbError> {
    let rows = tx
        .find::<remembered_device::Entity>()
        .filter(remembered_device::Column::UserId.eq(user.0))
        .filter(remembered_device::Column::ExpiresAt.gt(now.0))
        .order_by_desc(remembered_device::Column::LastUsedAt);
    let own = |row: remembered_device::Model| OwnDevice {
        id: row.id,
        since: Instant(row.created_at),
        last_used_at: Instant(row.last_used_at),
        expires_at: Instant(row.expires_at),
        address: row.address,
        user_agent: row.user_agent,
    };
    Ok(rows.all(tx).await?.into_iter().map(own).collect())
}

impl Sessions {
    /// Remembers the browser of somebody who has just shown a code; gives the token of its cookie for the only time.
    /// `None` where the company that they came in to wants none remembered.
    pub async fn remember_device(&self, shown: &Shown, client: Client) -> Result<Option<String>, DbError> {
        let (user, tenant, now) = (shown.session.user, shown.session.tenant, self.clock.now());
        let lasts = self.devices_last(tenant).await?;
        if lasts <= Duration::ZERO {
            return Ok(None);
        }
        let token = new_token(&*self.random);
        let row = remembered_device::Model {
            token_hash: token_hash(&token),
            id: id::new_uuid(&*self.clock, &*self.random),
            user_id: user.0,
            created_at: now.0,
            last_used_at: now.0,
            expires_at: (now + lasts).0,
            user_agent: client.user_agent.chars().take(LONGEST_USER_AGENT_CHARS).collect(),
            address: client.address.clone(),
        };
        self.database
            .system_write(move |tx| {
                Box::pin(async move {
                    let entry = client.before_a_session(user).did("device.remember", "device", row.id);
                    tx.insert(row.into_active_model()).await?;
                    audit::write_in_house(tx, tenant, now, entry);
                    Ok::<_, DbError>(())
                })
            })
            .await?;
        Ok(Some(token))
    }

    /// For how long a browser is remembered by whoever comes in to this company; zero where none is.
    pub async fn devices_last(&self, tenant: TenantId) -> Result<Duration, DbError> {
        let tx = self.database.system_read().await?;
        Ok(SignInPolicy::of_tenant(&tx, tenant).await?.devices_last())
    }

    /// When the person showed a code in the browser with this token; `None` where it is not remembered for them, or the company
    /// wants a newer one.
    pub(crate) async fn use_device(
        &self,
        tx: &SystemTx,
        user: UserId,
        tenant: TenantId,
        token: &DeviceToken,
    ) -> Result<Option<Instant>, DbError> {
        let (Some(token), now) = (&token.0, self.clock.now()) else { return Ok(None) };
        let lasts = SignInPolicy::of_tenant(tx, tenant).await?.devices_last();
        let hash = token_hash(token);
        let found = tx
            .find::<remembered_device::Entity>()
            .filter(remembered_device::Column::TokenHash.eq(hash.as_str()))
            .filter(remembered_device::Column::UserId.eq(user.0))
            .filter(remembered_device::Column::CreatedAt.gt(now.0 - lasts.0))
            .filter(remembered_device::Column::ExpiresAt.gt(now.0));
        let Some(row) = found.one(tx).await? else { return Ok(None) };
        let sql = "UPDATE remembered_device SET last_used_at = $2 WHERE token_hash = $1";
        tx.execute_raw(tx.statement(sql, [hash.into(), now.0.into()])).await?;
        Ok(Some(Instant(row.created_at)))
    }

    /// Forgets one of the person's browsers; says whether there was one.
    pub async fn forget_device(&self, by: &SignedIn, device: Uuid, client: Client) -> Result<bool, DbError> {
        let (user, tenant, now) = (by.user, by.tenant, self.clock.now());
        let who = client.who(user, by.session);
        self.database
            .system_write(move |tx| {
                Box::pin(async move {
                    let own = tx
                        .delete_many::<remembered_device::Entity>()
                        .filter(remembered_device::Column::UserId.eq(user.0))
                        .filter(remembered_device::Column::Id.eq(device));
                    let gone = own.exec(tx).await.map_err(DbError::from)?.rows_affected == 1;
                    if gone {
                        audit::write_in_house(tx, tenant, now, who.did("device.forget", "device", device));
                    }
                    Ok(gone)
                })
            })
            .await
    }
}

/// Forgets all browsers of a person.
pub(crate) async fn forget_devices(tx: &SystemTx, user: UserId) -> Result<(), DbError> {
    let own = remembered_device::Column::UserId.eq(user.0);
    tx.delete_many::<remembered_device::Entity>().filter(own).exec(tx).await?;
    Ok(())
}
