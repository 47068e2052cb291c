//! Invitations: a link, sent by hand, by which somebody joins a tenant with the roles that were chosen for them.
//!
//! Nobody is made or changed before the link is used. Whoever has signed in anywhere on this host already joins as the
//! person that they are signed in as: a link alone never opens an account that exists, so that inviting
//! somebody is no way to become them.

use std::collections::BTreeSet;

use portolan_core::{Clock, Duration, Instant, Random, TenantId, UserId, id};
use portolan_db::entity::{invitation, membership, tenant, user};
use portolan_db::{DbError, TenantTx};
use sea_orm::{ColumnTrait, ConnectionTrait, IntoActiveModel, QueryFilter, QueryOrder};
use serde_json::json;
use uuid::Uuid;

use crate::audit::{self, Who};
use crate::client::{Client, Factor};
use crate::members::{bump_access, check_may_change, check_roles, is_member_here, replace_roles};
use crate::people::{find_user, name_of_person};
use crate::token::{new_token, token_hash};
use crate::{AuthenticateError, MemberError, NewSession, Rights, Sessions};

/// How long an invitation is good where nobody says otherwise.
pub const INVITATION_LASTS: Duration = Duration::from_hours(24 * 7);

/// One that has not been used and whose time is not over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invitation {
    pub id: Uuid,
    pub sign_in_name: String,
    pub roles: BTreeSet<String>,
    pub invited_by: UserId,
    pub expires_at: Instant,
}

/// An invitation as whoever holds its link sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvitationSeen {
    pub tenant: TenantId,
    pub tenant_name: String,
    pub sign_in_name: String,
    /// Whether somebody of this name signs in to this host already: then they have to be signed in to accept.
    pub known: bool,
}

/// Why an invitation cannot be accepted.
#[derive(Debug, thiserror::Error)]
pub enum AcceptError {
    #[error("this invitation was used or withdrawn, or its time is over: ask for a new one")]
    Invalid,
    #[error("sign in as {0} first, then open the link again: the name exists on this server")]
    SignInFirst(String),
    #[error(
        "you are signed in by another company's provider alone, which does not count here: sign in with your password or a one-time link, then open the invitation again"
    )]
    ProviderAlone,
    #[error(
        "what you showed at the provider is linked with another person here: choose another account there"
    )]
    LinkedElsewhere,
    /// Whoever invited may no longer give what they gave, for example.
    #[error(transparent)]
    Member(#[from] MemberError),
    #[error(transparent)]
    Authenticate(#[from] AuthenticateError),
}

impl From<DbError> for AcceptError {
    fn from(error: DbError) -> Self {
        Self::Member(error.into())
    }
}

/// Makes an invitation and gives the token of its link, which is not known here any more. An older one for the
/// same name ends.
pub async fn invite(
    tx: &TenantTx,
    by: &Who,
    sign_in_name: &str,
    roles: &BTreeSet<String>,
    lasts: Duration,
    (clock, random): (&dyn Clock, &dyn Random),
) -> Result<(Invitation, String), MemberError> {
    // Somebody of the company answers for it; the command line adds people at once.
    let invited_by = by.user().ok_or(MemberError::NotMember)?;
    bump_access(tx.host_wide(), tx.tenant()).await?;
    let name = name_of_person(sign_in_name)?;
    check_roles(roles)?;
    check_may_change(tx, by, roles).await?;
    let rights = Rights::load(tx).await?;
    let known = find_user(tx.host_wide(), &name).await?.map(|user| UserId(user.id));
    if let Some(known) = known
        && is_member_here(tx, known).await?
    {
        return Err(MemberError::AlreadyMember(name));
    }
    rights.check_change(&rights.with_member(UserId(Uuid::nil()), roles), by)?;
    let older = tx.delete_many::<invitation::Entity>();
    let older = older.filter(invitation::Column::SignInName.eq(name.as_str()));
    older.filter(invitation::Column::AcceptedAt.is_null()).exec(tx).await.map_err(DbError::from)?;
    let token = format!("{}{}", tx.tenant().0.simple(), new_token(random));
    let made = Invitation {
        id: id::new_uuid(clock, random),
        sign_in_name: name,
        roles: roles.clone(),
        invited_by,
        expires_at: clock.now() + lasts,
    };
    let row = invitation::Model {
        tenant_id: tx.tenant().0,
        id: made.id,
        token_hash: token_hash(&token),
        sign_in_name: made.sign_in_name.clone(),
        roles: made.roles.iter().map(String::as_str).collect::<Vec<_>>().join(" "),
        invited_by: invited_by.0,
        created_at: clock.now().0,
        expires_at: made.expires_at.0,
        accepted_at: None,
    };
    tx.insert(row.into_active_model()).await?;
    // Whom it is for stands with the invitation, and goes with it.
    let entry = by.did("invitation.create", "invitation", made.id);
    audit::write(tx, clock.now(), entry.after(json!({ "roles": made.roles })));
    Ok((made, token))
}

/// Those that somebody could still accept, by name.
pub async fn open_invitations(tx: &TenantTx, now: Instant) -> Result<Vec<Invitation>, DbError> {
    let rows = tx
        .find::<invitation::Entity>()
        .filter(invitation::Column::AcceptedAt.is_null())
        .filter(invitation::Column::ExpiresAt.gt(now.0))
        .order_by_asc(invitation::Column::SignInName)
        .all(tx)
        .await?;
    Ok(rows.into_iter().map(Invitation::from).collect())
}

/// Ends an invitation before it is used.
pub async fn withdraw_invitation(tx: &TenantTx, by: &Who, id: Uuid, at: Instant) -> Result<(), MemberError> {
    let row = tx.find_by_id::<invitation::Entity>(id).await?.filter(|row| row.accepted_at.is_none());
    let found = Invitation::from(row.ok_or(MemberError::NoInvitation)?);
    match check_may_change(tx, by, &found.roles).await {
        // One that names a role which is gone may be withdrawn by anybody who manages people.
        Ok(()) | Err(MemberError::UnknownRole(_)) => {}
        Err(error) => return Err(error),
    }
    let gone = tx.delete_many::<invitation::Entity>().filter(invitation::Column::Id.eq(id));
    gone.exec(tx).await.map_err(DbError::from)?;
    let entry = by.did("invitation.withdraw", "invitation", id);
    audit::write(tx, at, entry.before(json!({ "roles": found.roles })));
    Ok(())
}

impl Sessions {
    /// What the link leads to; nothing where it leads nowhere. Looking does not use it up.
    pub async fn look_at_invitation(&self, token: &str) -> Result<Option<InvitationSeen>, DbError> {
        let Some(tenant) = tenant_of(token) else { return Ok(None) };
        let tx = self.database.read(tenant).await?;
        let found = tx
            .find::<invitation::Entity>()
            .filter(invitation::Column::TokenHash.eq(token_hash(token)))
            .filter(invitation::Column::AcceptedAt.is_null())
            .filter(invitation::Column::ExpiresAt.gt(self.clock.now().0))
            .one(&tx)
            .await?;
        let host = tx.host_wide();
        let of_tenant =
            host.find::<tenant::Entity>().filter(tenant::Column::Id.eq(tenant.0)).one(host).await?;
        let (Some(found), Some(of_tenant)) = (found, of_tenant) else { return Ok(None) };
        let known = find_user(host, &found.sign_in_name).await?.is_some();
        Ok(Some(InvitationSeen {
            tenant,
            tenant_name: of_tenant.name,
            sign_in_name: found.sign_in_name,
            known,
        }))
    }

    /// The sign-in name of whoever is behind a session's token.
    pub async fn name_behind(&self, token: &str) -> Result<Option<String>, AuthenticateError> {
        let Some(signed_in) = self.authenticate(token).await? else { return Ok(None) };
        let tx = self.database.system_read().await?;
        let found = tx.find::<user::Entity>().filter(user::Column::Id.eq(signed_in.user.0)).one(&tx).await;
        Ok(found.map_err(DbError::from)?.map(|user| user.sign_in_name))
    }

    /// Uses the invitation up and begins a session in its tenant. `present` is the token of the session that
    /// whoever asks has already, if any.
    pub async fn accept_invitation(
        &self,
        token: &str,
        present: Option<&str>,
        client: Client,
    ) -> Result<NewSession, AcceptError> {
        if self.look_at_invitation(token).await?.is_none() {
            return Err(AcceptError::Invalid);
        }
        let tenant = tenant_of(token).ok_or(AcceptError::Invalid)?;
        let present = match present {
            Some(present) => self.authenticate(present).await?,
            None => None,
        };
        if present.as_ref().is_some_and(|signed_in| signed_in.by_provider_alone) {
            return Err(AcceptError::ProviderAlone);
        }
        let present = present.map(|signed_in| signed_in.user);
        let (sessions, hash, coming) = (self.clone(), token_hash(token), client.clone());
        let session = self
            .database
            .write(tenant, move |tx| {
                Box::pin(async move {
                    let user = sessions.join_by(tx, &hash, present, &coming).await?;
                    let begun =
                        sessions.begin(tx.host_wide(), user, tx.tenant(), &[Factor::Link], coming).await;
                    Ok::<_, AcceptError>(begun?)
                })
            })
            .await?;
        self.end_earlier(client).await?;
        Ok(session)
    }

    /// Makes a member of whoever is present, or of somebody new.
    pub(crate) async fn join_by(
        &self,
        tx: &TenantTx,
        hash: &str,
        present: Option<UserId>,
        client: &Client,
    ) -> Result<UserId, AcceptError> {
        bump_access(tx.host_wide(), tx.tenant()).await?;
        let now = self.clock.now();
        let sql = "UPDATE invitation SET accepted_at = $3 \
                   WHERE tenant_id = $1 AND token_hash = $2 AND accepted_at IS NULL AND expires_at > $3";
        let used = tx.statement(sql, [tx.tenant().0.into(), hash.into(), now.0.into()]);
        if tx.execute_raw(used).await.map_err(DbError::from)?.rows_affected() != 1 {
            return Err(AcceptError::Invalid);
        }
        let row =
            tx.find::<invitation::Entity>().filter(invitation::Column::TokenHash.eq(hash)).one(tx).await;
        let invitation = Invitation::from(row.map_err(DbError::from)?.ok_or(AcceptError::Invalid)?);
        let user = match find_user(tx.host_wide(), &invitation.sign_in_name).await? {
            Some(known) if present == Some(UserId(known.id)) => UserId(known.id),
            Some(_) => return Err(AcceptError::SignInFirst(invitation.sign_in_name)),
            None => {
                let row = user::Model {
                    id: UserId::generate(&*self.clock, &*self.random).0,
                    sign_in_name: invitation.sign_in_name.clone(),
                    password_hash: None,
                    created_at: now.0,
                };
                UserId(tx.host_wide().insert(row.into_active_model()).await?.id)
            }
        };
        if is_member_here(tx, user).await? {
            return Err(MemberError::AlreadyMember(invitation.sign_in_name).into());
        }
        // Asked anew: whoever invited may have lost what they gave.
        let before = Rights::load(tx).await?;
        let inviter = Who::person(invitation.invited_by);
        check_may_change(tx, &inviter, &invitation.roles).await?;
        let row = membership::Model {
            tenant_id: tx.tenant().0,
            user_id: user.0,
            joined_at: now.0,
            banned_at: None,
            ban_reason: None,
        };
        tx.host_wide().insert(row.into_active_model()).await?;
        replace_roles(tx.host_wide(), tx.tenant(), user, &invitation.roles).await?;
        before.check_changed(tx, &inviter).await?;
        let entry = client.before_a_session(user).did("invitation.accept", "invitation", invitation.id);
        audit::write(tx, now, entry.after(json!({ "person": user.to_string(), "roles": invitation.roles })));
        Ok(user)
    }
}

impl From<invitation::Model> for Invitation {
    fn from(row: invitation::Model) -> Self {
        Self {
            id: row.id,
            sign_in_name: row.sign_in_name,
            roles: row.roles.split(' ').map(str::to_owned).collect(),
            invited_by: UserId(row.invited_by),
            expires_at: Instant(row.expires_at),
        }
    }
}

/// A link names its tenant, so that it is looked for there alone.
pub(crate) fn tenant_of(token: &str) -> Option<TenantId> {
    token.get(..32).and_then(|tenant| Uuid::try_parse(tenant).ok()).map(TenantId)
}
