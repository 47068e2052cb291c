//! Questions to passkeys between asking and answering: kept in the database, since another server may hear the answer.

use portolan_core::{Duration, id};
use portolan_db::entity::passkey_ceremony;
use portolan_db::{DbError, SystemTx};
use sea_orm::{ColumnTrait, IntoActiveModel, QueryFilter};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{PasskeyError, Passkeys, unreadable};
use crate::secrets::PASSKEY_CEREMONY;
use crate::signed_in::SignedIn;
use crate::token::{new_token, token_hash};

/// As long as browsers are told to wait for their person.
const LASTS: Duration = Duration::from_minutes(5);

/// A question for a browser: what it hands to the passkey, and what it names the question by when it answers.
#[derive(Clone)]
pub struct Question {
    pub ceremony: String,
    /// `publicKey`, as `navigator.credentials` takes it, with base64url in the place of bytes.
    pub options: Value,
}

impl std::fmt::Debug for Question {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Question(…)")
    }
}

/// What an answer is for. No answer counts for anything else.
#[derive(Clone, Copy)]
pub(super) enum Purpose<'a> {
    Register(&'a SignedIn),
    /// By whoever it turns out to be.
    SignIn,
    /// The token of the first step.
    SecondStep(&'a str),
    StepUp(&'a SignedIn),
}

impl Purpose<'_> {
    fn bound_to(self) -> String {
        match self {
            Self::Register(signed_in) => format!("register {}", signed_in.session),
            Self::SignIn => "sign_in".to_owned(),
            Self::SecondStep(token) => format!("second_step {}", token_hash(token)),
            Self::StepUp(signed_in) => format!("step_up {}", signed_in.session),
        }
    }
}

impl Passkeys {
    /// Writes down what was asked. A session or first step has one open question of a kind: a newer one voids it.
    pub(super) async fn ask(
        &self,
        tx: &SystemTx,
        purpose: Purpose<'_>,
        state: &impl Serialize,
        options: Value,
    ) -> Result<Question, PasskeyError> {
        let sessions = &self.factors.sessions;
        let (random, now) = (&*sessions.random, sessions.clock.now());
        let bound_to = purpose.bound_to();
        if !matches!(purpose, Purpose::SignIn) {
            let older = passkey_ceremony::Column::BoundTo.eq(bound_to.as_str());
            let older = tx.delete_many::<passkey_ceremony::Entity>().filter(older);
            older.exec(tx).await.map_err(DbError::from)?;
        }
        let (id, token) = (id::new_uuid(&*sessions.clock, random), new_token(random));
        let plain = serde_json::to_vec(state).map_err(|_| unreadable())?;
        let row = passkey_ceremony::Model {
            id,
            token_hash: token_hash(&token),
            bound_to,
            sealed: PASSKEY_CEREMONY.seal(&self.factors.ring, tx, id, &plain, random).await?,
            expires_at: (now + LASTS).0,
        };
        tx.insert(row.into_active_model()).await?;
        Ok(Question { ceremony: token, options })
    }

    /// What was asked, for the first who answers in time. The transaction has to be committed whatever comes of the answer,
    /// or it could be tried again.
    pub(super) async fn take<T: DeserializeOwned>(
        &self,
        tx: &SystemTx,
        purpose: Purpose<'_>,
        ceremony: &str,
    ) -> Result<Option<T>, PasskeyError> {
        let found = tx
            .find::<passkey_ceremony::Entity>()
            .filter(passkey_ceremony::Column::TokenHash.eq(token_hash(ceremony)))
            .filter(passkey_ceremony::Column::BoundTo.eq(purpose.bound_to()))
            .filter(passkey_ceremony::Column::ExpiresAt.gt(self.factors.sessions.clock.now().0));
        let Some(row) = found.one(tx).await.map_err(DbError::from)? else { return Ok(None) };
        let own = passkey_ceremony::Column::Id.eq(row.id);
        let taken = tx.delete_many::<passkey_ceremony::Entity>().filter(own).exec(tx).await;
        if taken.map_err(DbError::from)?.rows_affected != 1 {
            return Ok(None);
        }
        let plain = PASSKEY_CEREMONY.open(&self.factors.ring, row.id, &row.sealed)?;
        Ok(Some(serde_json::from_slice(&plain).map_err(|_| unreadable())?))
    }
}
