//! Adding a passkey.

use portolan_core::{UserId, id};
use portolan_db::entity::{passkey, user};
use portolan_db::{DbError, SystemTx};
use sea_orm::{ColumnTrait, IntoActiveModel, QueryFilter};
use serde_json::{Value, json};
use uuid::Uuid;
use webauthn_rs::prelude::{PasskeyRegistration, RegisterPublicKeyCredential};

use super::ceremony::Purpose;
use super::{
    LONGEST_NAME_CHARS, MOST, PasskeyError, Passkeys, Question, credential_hash, passkeys_of, unreadable,
};
use crate::audit;
use crate::client::{Client, Factor};
use crate::second_factor::has_second_factor;
use crate::secrets::PASSKEY;
use crate::signed_in::SignedIn;
use crate::{NewSession, RecoveryCodes, SecondFactorError};

/// A passkey that has been added.
#[derive(Debug, Clone)]
pub struct Registered {
    pub id: Uuid,
    /// Shown for the only time, where this is the first factor beside the password.
    pub codes: Option<RecoveryCodes>,
    /// The session goes on under a new token.
    pub session: NewSession,
}

impl Passkeys {
    /// What a browser is asked to make a passkey by.
    pub async fn begin_registration(&self, signed_in: &SignedIn) -> Result<Question, PasskeyError> {
        let (passkeys, signed_in) = (self.clone(), signed_in.clone());
        self.factors
            .sessions
            .database
            .system_write(move |tx| Box::pin(async move { passkeys.ask_to_register(tx, &signed_in).await }))
            .await
    }

    async fn ask_to_register(&self, tx: &SystemTx, signed_in: &SignedIn) -> Result<Question, PasskeyError> {
        let user = signed_in.user;
        let rows = passkeys_of(tx, user).await?;
        if rows.len() >= MOST {
            return Err(PasskeyError::TooMany);
        }
        // A device that has one already says so in the place of making a second one.
        let known = rows.iter().map(|row| self.open(row)).collect::<Result<Vec<_>, _>>()?;
        let known = known.iter().map(|passkey| passkey.cred_id().clone()).collect();
        let person = tx.find::<user::Entity>().filter(user::Column::Id.eq(user.0)).one(tx).await;
        let person = person.map_err(DbError::from)?.ok_or(PasskeyError::Refused)?;
        let name = &person.sign_in_name;
        let started = self.party.0.start_passkey_registration(user.0, name, name, Some(known));
        let (options, state) = started.map_err(|error| {
            tracing::error!(%error, "a passkey could not be asked for");
            PasskeyError::Refused
        })?;
        let options = serde_json::to_value(&options).map_err(|_| unreadable())?;
        self.ask(tx, Purpose::Register(signed_in), &state, discoverable(options)).await
    }

    /// Stores the passkey of an answer; `None` where the answer is not right. In a transaction that has to be committed
    /// then, too. Sessions that began without a second factor end where this is the first one.
    pub async fn finish_registration(
        &self,
        tx: &SystemTx,
        signed_in: &SignedIn,
        ceremony: &str,
        name: &str,
        answer: &str,
        client: Client,
    ) -> Result<Option<Registered>, PasskeyError> {
        let name = checked_name(name)?;
        let user = signed_in.user;
        let purpose = Purpose::Register(signed_in);
        let Some(state) = self.take::<PasskeyRegistration>(tx, purpose, ceremony).await? else {
            return Ok(None);
        };
        let Ok(answer) = serde_json::from_str::<RegisterPublicKeyCredential>(answer) else { return Ok(None) };
        let passkey = match self.party.0.finish_passkey_registration(&answer, &state) {
            Ok(passkey) => passkey,
            Err(error) => {
                tracing::warn!(user.id = %user, %error, "a passkey was not taken");
                return Ok(None);
            }
        };
        let credential_hash = credential_hash(passkey.cred_id());
        let taken = tx.find::<passkey::Entity>();
        let taken = taken.filter(passkey::Column::CredentialHash.eq(credential_hash.as_str())).one(tx).await;
        if taken.map_err(DbError::from)?.is_some() {
            tracing::warn!(user.id = %user, "a passkey was not taken: it is somebody's already");
            return Ok(None);
        }
        if passkeys_of(tx, user).await?.len() >= MOST {
            return Err(PasskeyError::TooMany);
        }
        let is_first = !has_second_factor(tx, user).await?;
        let id = self.store(tx, user, name, credential_hash, &passkey).await?;
        self.begin_with(tx, signed_in, id, is_first, client).await.map(Some)
    }

    async fn store(
        &self,
        tx: &SystemTx,
        user: UserId,
        name: String,
        credential_hash: String,
        passkey: &webauthn_rs::prelude::Passkey,
    ) -> Result<Uuid, PasskeyError> {
        let sessions = &self.factors.sessions;
        let id = id::new_uuid(&*sessions.clock, &*sessions.random);
        let plain = serde_json::to_vec(passkey).map_err(|_| unreadable())?;
        let row = passkey::Model {
            id,
            user_id: user.0,
            credential_hash,
            sealed: PASSKEY.seal(&self.factors.ring, tx, id, &plain, &*sessions.random).await?,
            name,
            created_at: sessions.clock.now().0,
            last_used_at: None,
        };
        tx.insert(row.into_active_model()).await?;
        Ok(id)
    }

    async fn begin_with(
        &self,
        tx: &SystemTx,
        signed_in: &SignedIn,
        id: Uuid,
        is_first: bool,
        client: Client,
    ) -> Result<Registered, PasskeyError> {
        let (user, session, sessions) = (signed_in.user, signed_in.session, &self.factors.sessions);
        let mut codes = None;
        if is_first {
            codes = Some(self.factors.replace_codes(tx, user).await?);
            sessions.end_others(tx, user, session, &client).await?;
            let ended = sessions.clone();
            tx.after_commit(move || ended.tell_ended());
        }
        let entry = client.who(user, session).did("passkey.add", "passkey", id);
        audit::write_in_house(tx, signed_in.tenant, sessions.clock.now(), entry);
        let Some(session) = sessions.renew(tx, user, session, Factor::Passkey).await? else {
            // Nobody is there any more to be shown recovery codes: nothing of it is kept.
            return Err(SecondFactorError::Refused.into());
        };
        tracing::info!(user.id = %user, "a passkey was added");
        Ok(Registered { id, codes, session })
    }
}

/// The library asks authenticators to keep nothing; a passkey that is to be found without a name has to be kept there. Only
/// what the browser is told changes: no answer is judged by it.
fn discoverable(mut options: Value) -> Value {
    options["publicKey"]["authenticatorSelection"]["residentKey"] = json!("preferred");
    options
}

pub(super) fn checked_name(name: &str) -> Result<String, PasskeyError> {
    let name = name.trim();
    let fits = (1..=LONGEST_NAME_CHARS).contains(&name.chars().count());
    if !fits || name.chars().any(char::is_control) {
        return Err(PasskeyError::Name);
    }
    Ok(name.to_owned())
}
