//! The first owner of a host: whoever holds the token that the server prints while nobody is there.
//!
//! A new token at each start voids the one before. Making the owner deletes it in the same transaction, as does
//! anybody who is added on the command line: of many who try at once one becomes the owner, and once somebody is
//! there no token opens anything, whatever was printed.

use std::sync::atomic::Ordering;

use portolan_core::{Duration, TenantId, UserId};
use portolan_db::entity::{set_up_token, user};
use portolan_db::{DbError, SystemTx};
use sea_orm::{ColumnTrait, IntoActiveModel, QueryFilter};

use crate::client::{Client, Factor};
use crate::token::{new_token, token_hash};
use crate::{NewSession, Sessions};

/// As long as a server that waits to be set up may stand there before it is started again.
const VALID_FOR: Duration = Duration::from_hours(24);

/// That nobody was there and the token was right: good for one owner, in the transaction that found it out.
#[derive(Debug)]
pub struct FirstOwner(());

impl Sessions {
    /// Whether anybody has ever been let in to this host.
    pub async fn somebody_is_there(&self) -> Result<bool, DbError> {
        if self.somebody.load(Ordering::Relaxed) {
            return Ok(true);
        }
        let tx = self.database.system_read().await?;
        let found = anybody(&tx).await?;
        self.somebody.store(found, Ordering::Relaxed);
        Ok(found)
    }

    /// Makes the token, in the place of any other, and gives it for the only time; `None` where somebody is there.
    pub async fn make_set_up_token(&self) -> Result<Option<String>, DbError> {
        let token = new_token(&*self.random);
        let row = set_up_token::Model {
            token_hash: token_hash(&token),
            expires_at: (self.clock.now() + VALID_FOR).0,
        };
        let made = self
            .database
            .system_write(move |tx| {
                Box::pin(async move {
                    tx.delete_many::<set_up_token::Entity>().exec(tx).await.map_err(DbError::from)?;
                    if anybody(tx).await? {
                        return Ok::<_, DbError>(false);
                    }
                    tx.insert(row.into_active_model()).await?;
                    Ok(true)
                })
            })
            .await?;
        Ok(made.then_some(token))
    }

    /// Whether the token could be used now. Looking does not use it up.
    pub async fn set_up_token_is_valid(&self, token: &str) -> Result<bool, DbError> {
        let tx = self.database.system_read().await?;
        let found = tx
            .find::<set_up_token::Entity>()
            .filter(set_up_token::Column::TokenHash.eq(token_hash(token)))
            .filter(set_up_token::Column::ExpiresAt.gt(self.clock.now().0));
        Ok(found.one(&tx).await?.is_some())
    }

    /// Uses the token up; `None` where it opens nothing. Whoever else tries it waits until it is known how this
    /// transaction ends.
    pub async fn use_set_up_token(&self, tx: &SystemTx, token: &str) -> Result<Option<FirstOwner>, DbError> {
        let used = tx
            .delete_many::<set_up_token::Entity>()
            .filter(set_up_token::Column::TokenHash.eq(token_hash(token)))
            .filter(set_up_token::Column::ExpiresAt.gt(self.clock.now().0));
        let used = used.exec(tx).await?.rows_affected == 1;
        Ok((used && !anybody(tx).await?).then_some(FirstOwner(())))
    }

    /// Signs the first owner in, in the transaction that makes them.
    pub async fn begin_as_first_owner(
        &self,
        tx: &SystemTx,
        _right: FirstOwner,
        user: UserId,
        tenant: TenantId,
        client: Client,
    ) -> Result<NewSession, DbError> {
        tracing::info!(user.id = %user, tenant.id = %tenant, "the first owner was made");
        self.begin(tx, user, tenant, &[Factor::Password], client).await
    }
}

async fn anybody(tx: &SystemTx) -> Result<bool, DbError> {
    Ok(tx.find::<user::Entity>().one(tx).await?.is_some())
}
