//! The second step of signing in, and showing again who one is.
//!
//! Between the steps there is no session: a pending sign-in has a token of its own kind, in a table of its own, and
//! nothing but the second step asks for it. What comes after is a session with a new token.

use portolan_core::{Duration, Instant, TenantId, UserId};
use portolan_db::entity::{pending_sign_in, session, user};
use portolan_db::{DbError, SystemTx};
use sea_orm::{ColumnTrait, ConnectionTrait, IntoActiveModel, QueryFilter};
use serde_json::json;

use crate::audit;
use crate::client::{Client, Factor};
use crate::guesses::Guess;
use crate::recovery_codes::codes_left;
use crate::second_factor::{SecondFactorError, has_second_factor};
use crate::sessions::is_member;
use crate::signed_in::SignedIn;
use crate::token::{new_token, token_hash};
use crate::{NewSession, SecondFactors, Sessions, SignInError};

/// How long somebody may look for their telephone.
const PENDING_FOR: Duration = Duration::from_minutes(10);

/// The first step is done. The token opens the second step and nothing else.
#[derive(Clone)]
pub struct PendingSignIn {
    pub token: String,
    pub expires_at: Instant,
}

impl std::fmt::Debug for PendingSignIn {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("PendingSignIn(…)")
    }
}

/// What came of the first step.
pub(crate) enum FirstStep {
    In(NewSession),
    Pending(PendingSignIn),
}

impl FirstStep {
    pub fn into_result(self) -> Result<NewSession, SignInError> {
        match self {
            Self::In(session) => Ok(session),
            Self::Pending(pending) => Err(SignInError::SecondStep(pending)),
        }
    }
}

/// Somebody has shown who they are.
#[derive(Debug, Clone)]
pub struct Shown {
    pub session: NewSession,
    /// How many recovery codes are left, where one was used.
    pub recovery_codes_left: Option<u64>,
}

impl Sessions {
    /// A session for somebody without a second factor, or in a browser that is remembered; a pending sign-in for everybody
    /// else.
    /// Whoever has none is asked for a mailed code, where their company wants one of them and lets it count.
    pub(crate) async fn begin_or_ask(
        &self,
        tx: &SystemTx,
        user: UserId,
        tenant: TenantId,
        factor: Factor,
        client: Client,
    ) -> Result<FirstStep, DbError> {
        if !has_second_factor(tx, user).await? && self.mail_code_for(tx, user, tenant).await?.is_none() {
            return Ok(FirstStep::In(self.begin(tx, user, tenant, &[factor], client).await?));
        }
        if let Some(shown_at) = self.use_device(tx, user, tenant, &client.device).await? {
            let session = self.begin(tx, user, tenant, &[factor, Factor::Device], client).await?;
            // Whatever needs somebody who has just shown who they are asks them for a code.
            let sql = "UPDATE session SET authenticated_at = $2 WHERE id_hash = $1";
            let back = tx.statement(sql, [token_hash(&session.token).into(), shown_at.0.into()]);
            tx.execute_raw(back).await?;
            return Ok(FirstStep::In(session));
        }
        let token = new_token(&*self.random);
        let expires_at = self.clock.now() + PENDING_FOR;
        let row = pending_sign_in::Model {
            token_hash: token_hash(&token),
            user_id: user.0,
            tenant_id: tenant.0,
            factor: factor.as_str().to_owned(),
            expires_at: expires_at.0,
        };
        tx.insert(row.into_active_model()).await?;
        Ok(FirstStep::Pending(PendingSignIn { token, expires_at }))
    }

    /// Who stands between the two steps with this token, and where they would come in; `None` where nobody does.
    pub async fn who_is_pending(&self, token: &str) -> Result<Option<(UserId, TenantId)>, DbError> {
        let tx = self.database.system_read().await?;
        let found = self.find_pending(&tx, token).await?;
        Ok(found.map(|pending| (UserId(pending.user_id), TenantId(pending.tenant_id))))
    }

    pub(crate) async fn find_pending(
        &self,
        tx: &SystemTx,
        token: &str,
    ) -> Result<Option<pending_sign_in::Model>, DbError> {
        let found = tx
            .find::<pending_sign_in::Entity>()
            .filter(pending_sign_in::Column::TokenHash.eq(token_hash(token)))
            .filter(pending_sign_in::Column::ExpiresAt.gt(self.clock.now().0));
        Ok(found.one(tx).await?)
    }

    /// The session goes on under a new token, as one whose person has just shown who they are; `None` where it has
    /// ended.
    pub(crate) async fn renew(
        &self,
        tx: &SystemTx,
        user: UserId,
        session: uuid::Uuid,
        factor: Factor,
    ) -> Result<Option<NewSession>, DbError> {
        let row = tx
            .find::<session::Entity>()
            .filter(session::Column::Id.eq(session))
            .filter(session::Column::UserId.eq(user.0));
        let Some(row) = row.one(tx).await? else { return Ok(None) };
        let mut factors: Vec<&str> = row.factors.split('+').collect();
        if !factors.contains(&factor.as_str()) {
            factors.push(factor.as_str());
        }
        let token = new_token(&*self.random);
        let sql = "UPDATE session SET id_hash = $2, authenticated_at = $3, factors = $4 WHERE id_hash = $1";
        let values = [
            row.id_hash.clone().into(),
            token_hash(&token).into(),
            self.clock.now().0.into(),
            factors.join("+").into(),
        ];
        if tx.execute_raw(tx.statement(sql, values)).await?.rows_affected() != 1 {
            return Ok(None);
        }
        let (tenant, expires_at) = (TenantId(row.tenant_id), Instant(row.expires_at));
        Ok(Some(NewSession { token, user, tenant, expires_at, start_page: None }))
    }
}

impl SecondFactors {
    /// Ends a pending sign-in with a code or a recovery code, or with a mailed one of somebody who has neither. Of many who send one right code at once, one comes in.
    pub async fn finish_sign_in(
        &self,
        token: &str,
        code: &str,
        client: Client,
    ) -> Result<Shown, SecondFactorError> {
        let (factors, token, code) = (self.clone(), token.to_owned(), code.to_owned());
        let shown = self
            .sessions
            .database
            .system_write(move |tx| {
                Box::pin(async move {
                    let Some(pending) = factors.sessions.find_pending(tx, &token).await? else {
                        return Ok(None);
                    };
                    let (user, tenant) = (UserId(pending.user_id), TenantId(pending.tenant_id));
                    let second = match has_second_factor(tx, user).await? {
                        true => factors.try_code(tx, user, &code).await?,
                        false => factors.sessions.try_mail_code(tx, &pending, &token, &code).await?,
                    };
                    let Some(second) = second else { return Ok(None) };
                    let own = pending_sign_in::Column::TokenHash.eq(pending.token_hash);
                    let gone = tx.delete_many::<pending_sign_in::Entity>().filter(own).exec(tx).await;
                    let used = gone.map_err(DbError::from)?.rows_affected == 1;
                    if !used || !is_member(tx, user, tenant).await? {
                        return Ok(None);
                    }
                    let first = Factor::of_first_step(&pending.factor);
                    let session = factors.sessions.begin(tx, user, tenant, &[first, second], client).await?;
                    let recovery_codes_left = left_after(tx, user, second).await?;
                    Ok::<_, SecondFactorError>(Some(Shown { session, recovery_codes_left }))
                })
            })
            .await?;
        shown.ok_or(SecondFactorError::Refused)
    }

    /// Shows again who one is: by a code where there is a second factor, else by the password. The session goes on
    /// under a new token.
    pub async fn step_up(
        &self,
        signed_in: &SignedIn,
        typed: &str,
        client: Client,
    ) -> Result<Shown, SignInError> {
        let (user, session) = (signed_in.user, signed_in.session);
        let (tenant, who) = (signed_in.tenant, client.who(user, session));
        let (factors, code) = (self.clone(), typed.to_owned());
        let asked_for_code = self.ways_of(user).await?.any();
        if !asked_for_code && !self.sessions.own_password_is_right(user, typed).await? {
            return Err(SignInError::Refused);
        }
        let shown = self
            .sessions
            .database
            .system_write(move |tx| {
                Box::pin(async move {
                    let factor = if asked_for_code {
                        factors.try_code(tx, user, &code).await?
                    } else {
                        // Switched on in between: the password is not enough any more.
                        (!has_second_factor(tx, user).await?).then_some(Factor::Password)
                    };
                    let Some(factor) = factor else { return Ok(None) };
                    let renewed = factors.sessions.renew(tx, user, session, factor).await?;
                    if renewed.is_some() {
                        let entry = who.did("session.step_up", "session", session);
                        let entry = entry.after(json!({ "factor": factor.as_str() }));
                        audit::write_in_house(tx, tenant, factors.sessions.clock.now(), entry);
                    }
                    let recovery_codes_left = left_after(tx, user, factor).await?;
                    Ok::<_, SecondFactorError>(renewed.map(|session| Shown { session, recovery_codes_left }))
                })
            })
            .await?;
        shown.ok_or(SignInError::Refused)
    }
}

async fn left_after(tx: &SystemTx, user: UserId, factor: Factor) -> Result<Option<u64>, DbError> {
    match factor {
        Factor::RecoveryCode => codes_left(tx, user).await.map(Some),
        _ => Ok(None),
    }
}

impl Sessions {
    /// Whether this is the person's password, within a budget of guesses of their own.
    pub async fn own_password_is_right(&self, user: UserId, password: &str) -> Result<bool, SignInError> {
        let tx = self.database.system_read().await?;
        let found = tx.find::<user::Entity>().filter(user::Column::Id.eq(user.0)).one(&tx).await;
        drop(tx);
        let Some(person) = found.map_err(DbError::from)? else { return Ok(false) };
        let stored = person.password_hash.as_deref();
        self.try_password(Guess::InSession { user }, stored, password).await
    }
}
