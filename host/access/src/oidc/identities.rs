//! What comes of it when somebody has come back: they are signed in, linked, or join.

use portolan_core::{Instant, TenantId, UserId, id};
use portolan_db::entity::{identity, passkey, session, user};
use portolan_db::{DbError, SystemTx};
use sea_orm::{ColumnTrait, ConnectionTrait, IntoActiveModel, QueryFilter, QueryOrder};
use serde_json::json;
use uuid::Uuid;

use super::flow::{CameBack, Purpose};
use super::protocol::Verified;
use super::{Identities, IdentityError};
use crate::audit;
use crate::client::{Client, Factor};
use crate::invitations::tenant_of;
use crate::second_step::FirstStep;
use crate::sessions::is_member;
use crate::signed_in::SignedIn;
use crate::token::token_hash;
use crate::{AcceptError, NewSession, Sessions};

/// What a provider calls somebody, as they see it themselves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnIdentity {
    pub id: Uuid,
    pub issuer: String,
    pub linked_at: Instant,
    pub last_used_at: Option<Instant>,
}

impl From<identity::Model> for OwnIdentity {
    fn from(row: identity::Model) -> Self {
        Self {
            id: row.id,
            issuer: row.issuer,
            linked_at: Instant(row.linked_at),
            last_used_at: row.last_used_at.map(Instant),
        }
    }
}

impl Identities {
    /// Signs in to the company whose provider it was, and to no other. Goes on as after a right password.
    pub async fn sign_in(&self, came_back: CameBack, client: Client) -> Result<NewSession, IdentityError> {
        if !matches!(came_back.purpose, Purpose::SignIn | Purpose::SignInAgain) {
            return Err(IdentityError::Gone);
        }
        let (identities, tenant) = (self.clone(), came_back.provider.tenant);
        let verified = came_back.verified;
        self.sessions
            .database
            .system_write(move |tx| {
                Box::pin(async move {
                    let known = find(tx, &verified).await?.ok_or(IdentityError::Unlinked)?;
                    let user = UserId(known.user_id);
                    // A stranger is not told whether somebody was a member once.
                    if !is_member(tx, user, tenant).await? {
                        return Err(IdentityError::Unlinked);
                    }
                    note_used(tx, &verified, identities.sessions.clock.now()).await?;
                    identities.go_on(tx, user, tenant, &verified, client).await
                })
            })
            .await
            .and_then(into_session)
    }

    /// Joins the company whose provider it was: as who is linked already, else as somebody new who is linked by it.
    pub async fn join(&self, came_back: CameBack, client: Client) -> Result<NewSession, IdentityError> {
        let Purpose::Join { invitation } = came_back.purpose else { return Err(IdentityError::Gone) };
        let tenant = came_back.provider.tenant;
        if tenant_of(&invitation) != Some(tenant) {
            return Err(AcceptError::Invalid.into());
        }
        let (identities, hash, verified) = (self.clone(), token_hash(&invitation), came_back.verified);
        let coming = client.clone();
        let session = self
            .sessions
            .database
            .write(tenant, move |tx| {
                Box::pin(async move {
                    let house = tx.host_wide();
                    let known = find(house, &verified).await?.map(|known| UserId(known.user_id));
                    let user = identities.sessions.join_by(tx, &hash, known, &coming).await?;
                    match known {
                        Some(known) if known != user => return Err(AcceptError::LinkedElsewhere.into()),
                        Some(_) => note_used(house, &verified, identities.sessions.clock.now()).await?,
                        None => identities.insert(house, user, tenant, &verified, &coming, None).await?,
                    }
                    identities.go_on(house, user, tenant, &verified, coming).await
                })
            })
            .await
            .and_then(into_session)?;
        self.sessions.end_earlier(client).await?;
        Ok(session)
    }

    /// Links what somebody is called at the provider with who they are here.
    pub async fn link(
        &self,
        came_back: CameBack,
        signed_in: &SignedIn,
        client: Client,
    ) -> Result<(), IdentityError> {
        let began = Purpose::Link { user: signed_in.user, session: signed_in.session };
        if came_back.purpose != began || came_back.provider.tenant != signed_in.tenant {
            return Err(IdentityError::OtherSession);
        }
        let (identities, user, session) = (self.clone(), signed_in.user, signed_in.session);
        let (tenant, verified) = (signed_in.tenant, came_back.verified);
        self.sessions
            .database
            .system_write(move |tx| {
                Box::pin(async move {
                    match find(tx, &verified).await? {
                        Some(known) if known.user_id == user.0 => Ok(()),
                        Some(_) => Err(IdentityError::LinkedElsewhere),
                        None => {
                            let session = Some(session);
                            Ok(identities.insert(tx, user, tenant, &verified, &client, session).await?)
                        }
                    }
                })
            })
            .await
    }

    /// Takes a link away, unless it is the last way in. Says whether there was one.
    pub async fn unlink(
        &self,
        signed_in: &SignedIn,
        id: Uuid,
        client: Client,
    ) -> Result<bool, IdentityError> {
        let (now, user) = (self.sessions.clock.now(), signed_in.user);
        let (tenant, own) = (signed_in.tenant, signed_in.session);
        self.sessions
            .database
            .system_write(move |tx| {
                Box::pin(async move {
                    lock(tx, user).await?;
                    let theirs = identities_of(tx, user).await?;
                    let Some(gone) = theirs.iter().find(|known| known.id == id) else { return Ok(false) };
                    if theirs.len() == 1 && !has_another_way_in(tx, user).await? {
                        return Err(IdentityError::LastWayIn);
                    }
                    let one = tx.delete_many::<identity::Entity>().filter(identity::Column::Id.eq(id));
                    one.filter(identity::Column::UserId.eq(user.0)).exec(tx).await.map_err(DbError::from)?;
                    // What somebody else may have opened with it ends.
                    let others = tx.delete_many::<session::Entity>();
                    let others = others.filter(session::Column::UserId.eq(user.0));
                    let others = others.filter(session::Column::Factors.eq(Factor::Oidc.as_str()));
                    others.filter(session::Column::Id.ne(own)).exec(tx).await.map_err(DbError::from)?;
                    let entry = client.who(user, own).did("identity.unlink", "person", user);
                    audit::write_in_house(tx, tenant, now, entry.before(json!({ "issuer": gone.issuer })));
                    Ok(true)
                })
            })
            .await
    }

    async fn insert(
        &self,
        tx: &SystemTx,
        user: UserId,
        tenant: TenantId,
        verified: &Verified,
        client: &Client,
        session: Option<Uuid>,
    ) -> Result<(), DbError> {
        let now = self.sessions.clock.now();
        let row = identity::Model {
            issuer: verified.issuer.clone(),
            subject: verified.subject.clone(),
            id: id::new_uuid(&*self.sessions.clock, &*self.sessions.random),
            user_id: user.0,
            linked_at: now.0,
            last_used_at: None,
        };
        tx.insert(row.into_active_model()).await?;
        let who = match session {
            Some(session) => client.who(user, session),
            None => client.before_a_session(user),
        };
        let entry = who.did("identity.link", "person", user);
        audit::write_in_house(tx, tenant, now, entry.after(json!({ "issuer": verified.issuer })));
        Ok(())
    }

    /// A session, or the second step; how fresh it is, is the provider's word where it gives it.
    async fn go_on(
        &self,
        tx: &SystemTx,
        user: UserId,
        tenant: TenantId,
        verified: &Verified,
        client: Client,
    ) -> Result<FirstStep, IdentityError> {
        let first = self.sessions.begin_or_ask(tx, user, tenant, Factor::Oidc, client).await?;
        if let (FirstStep::In(session), Some(shown_at)) = (&first, verified.authenticated_at) {
            self.sessions.was_shown_at(tx, session, shown_at).await?;
        }
        Ok(first)
    }
}

impl Sessions {
    /// Whatever needs somebody who has just shown who they are goes by this moment, where it lies before now.
    async fn was_shown_at(&self, tx: &SystemTx, session: &NewSession, at: Instant) -> Result<(), DbError> {
        let sql = "UPDATE session SET authenticated_at = $2 WHERE id_hash = $1 AND authenticated_at > $2";
        let values = [token_hash(&session.token).into(), at.0.into()];
        tx.execute_raw(tx.statement(sql, values)).await?;
        Ok(())
    }
}

fn into_session(first: FirstStep) -> Result<NewSession, IdentityError> {
    match first {
        FirstStep::In(session) => Ok(session),
        FirstStep::Pending(pending) => Err(IdentityError::SecondStep(pending)),
    }
}

async fn find(tx: &SystemTx, verified: &Verified) -> Result<Option<identity::Model>, DbError> {
    let found = tx
        .find::<identity::Entity>()
        .filter(identity::Column::Issuer.eq(verified.issuer.as_str()))
        .filter(identity::Column::Subject.eq(verified.subject.as_str()));
    Ok(found.one(tx).await?)
}

/// The person's, those linked first come first.
pub(crate) async fn identities_of(tx: &SystemTx, user: UserId) -> Result<Vec<identity::Model>, DbError> {
    let own = tx.find::<identity::Entity>().filter(identity::Column::UserId.eq(user.0));
    Ok(own.order_by_asc(identity::Column::LinkedAt).order_by_asc(identity::Column::Id).all(tx).await?)
}

async fn note_used(tx: &SystemTx, verified: &Verified, now: Instant) -> Result<(), DbError> {
    let sql = "UPDATE identity SET last_used_at = $3 WHERE issuer = $1 AND subject = $2";
    let values = [verified.issuer.clone().into(), verified.subject.clone().into(), now.0.into()];
    tx.execute_raw(tx.statement(sql, values)).await?;
    Ok(())
}

/// Of two who take away the last two ways in at once, the second sees what the first has done.
async fn lock(tx: &SystemTx, user: UserId) -> Result<(), DbError> {
    let sql = "UPDATE \"user\" SET created_at = created_at WHERE id = $1";
    tx.execute_raw(tx.statement(sql, [user.0.into()])).await?;
    Ok(())
}

/// Whether somebody comes in without any provider. One-time links do not count: an operator makes those.
async fn has_another_way_in(tx: &SystemTx, user: UserId) -> Result<bool, DbError> {
    let found = tx.find::<user::Entity>().filter(user::Column::Id.eq(user.0)).one(tx).await?;
    if found.is_some_and(|user| user.password_hash.is_some()) {
        return Ok(true);
    }
    let passkeys = tx.find::<passkey::Entity>().filter(passkey::Column::UserId.eq(user.0));
    Ok(passkeys.one(tx).await?.is_some())
}
