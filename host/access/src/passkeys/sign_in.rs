//! Coming in with a passkey: alone, in the place of a code, and to show again who one is.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use portolan_core::{TenantId, UserId};
use portolan_db::entity::{passkey, pending_sign_in};
use portolan_db::{DbError, SystemTx};
use sea_orm::{ColumnTrait, QueryFilter};
use serde_json::json;
use webauthn_rs::prelude::PublicKeyCredential;

use super::answer::Whose;
use super::ceremony::Purpose;
use super::{PasskeyError, Passkeys, Question, credential_hash, passkeys_of, unreadable};
use crate::audit;
use crate::client::{Client, Factor};
use crate::guesses::may_ask_for_passkey;
use crate::sessions::is_member;
use crate::signed_in::SignedIn;
use crate::token::token_hash;
use crate::{NewSession, Shown, SignInError};

impl Passkeys {
    /// For whoever it turns out to be. Costs the network that it comes from, whatever it is worth.
    pub async fn begin_sign_in(&self, client: &Client) -> Result<Question, PasskeyError> {
        let (passkeys, address) = (self.clone(), client.address.clone());
        let sessions = &self.factors.sessions;
        let question = sessions.database.system_write(move |tx| {
            Box::pin(async move {
                if !may_ask_for_passkey(tx, &address, passkeys.factors.sessions.clock.now()).await? {
                    return Err(PasskeyError::TooOften);
                }
                passkeys.ask_for(tx, Purpose::SignIn, None).await
            })
        });
        question.await
    }

    /// For somebody who has done the first step.
    pub async fn begin_second_step(&self, token: &str) -> Result<Question, PasskeyError> {
        let (passkeys, token) = (self.clone(), token.to_owned());
        let sessions = &self.factors.sessions;
        let question = sessions.database.system_write(move |tx| {
            Box::pin(async move {
                let pending = passkeys.factors.sessions.find_pending(tx, &token).await?;
                let pending = pending.ok_or(PasskeyError::Refused)?;
                passkeys.ask_for(tx, Purpose::SecondStep(&token), Some(UserId(pending.user_id))).await
            })
        });
        question.await
    }

    /// For somebody in their session.
    pub async fn begin_step_up(&self, signed_in: &SignedIn) -> Result<Question, PasskeyError> {
        let (passkeys, signed_in) = (self.clone(), signed_in.clone());
        let sessions = &self.factors.sessions;
        let question = sessions.database.system_write(move |tx| {
            Box::pin(
                async move { passkeys.ask_for(tx, Purpose::StepUp(&signed_in), Some(signed_in.user)).await },
            )
        });
        question.await
    }

    async fn ask_for(
        &self,
        tx: &SystemTx,
        purpose: Purpose<'_>,
        of: Option<UserId>,
    ) -> Result<Question, PasskeyError> {
        // Whoever is known is asked like whoever is not: an answer is held against the passkey that is stored when it
        // comes. One that has become fit for backups since it was added is refused, as it is where somebody signs in.
        let (options, state) = self.party.0.start_discoverable_authentication().map_err(|error| {
            tracing::error!(%error, "a passkey could not be asked for");
            PasskeyError::Refused
        })?;
        let mut options = serde_json::to_value(&options).map_err(|_| unreadable())?;
        if let Some(user) = of {
            let rows = passkeys_of(tx, user).await?;
            if rows.is_empty() {
                return Err(PasskeyError::None);
            }
            // Only what the browser is told: a security key that keeps no passkeys is found by their ids.
            let known = rows.iter().map(|row| {
                let id = URL_SAFE_NO_PAD.encode(self.open(row)?.cred_id());
                Ok::<_, PasskeyError>(json!({ "type": "public-key", "id": id }))
            });
            options["publicKey"]["allowCredentials"] = known.collect::<Result<Vec<_>, _>>()?.into();
        }
        self.ask(tx, purpose, &state, options).await
    }

    /// A session for whoever's passkey answers: it has verified its person, and counts as both factors.
    pub async fn finish_sign_in(
        &self,
        ceremony: &str,
        answer: &str,
        client: Client,
    ) -> Result<NewSession, SignInError> {
        let Some(answer) = read(answer) else { return Err(SignInError::Refused) };
        let tenant = self.tenant_of_owner(&answer, &client).await?;
        let (passkeys, ceremony) = (self.clone(), ceremony.to_owned());
        let sessions = &self.factors.sessions;
        let begun = sessions.database.system_write(move |tx| {
            Box::pin(async move {
                let sessions = &passkeys.factors.sessions;
                let asked = passkeys.take(tx, Purpose::SignIn, &ceremony).await?;
                let (Some(asked), Some(tenant)) = (asked, tenant) else { return Ok(None) };
                let Some(user) = passkeys.judge(tx, Whose::Anybodys, asked, &answer).await? else {
                    return Ok(None);
                };
                if !is_member(tx, user, tenant).await? {
                    return Ok(None);
                }
                let session = sessions.begin(tx, user, tenant, &[Factor::Passkey], client).await?;
                Ok::<_, PasskeyError>(Some(session))
            })
        });
        begun.await?.ok_or(SignInError::Refused)
    }

    /// Where the owner of the passkey comes in, if the answer turns out to be theirs.
    async fn tenant_of_owner(
        &self,
        answer: &PublicKeyCredential,
        client: &Client,
    ) -> Result<Option<TenantId>, DbError> {
        let sessions = &self.factors.sessions;
        let tx = sessions.database.system_read().await?;
        let hash = credential_hash(answer.get_credential_id());
        let found = tx.find::<passkey::Entity>().filter(passkey::Column::CredentialHash.eq(hash));
        let Some(row) = found.one(&tx).await? else { return Ok(None) };
        drop(tx);
        sessions.tenant_to_enter(UserId(row.user_id), client).await
    }

    /// Ends a pending sign-in with a passkey in the place of a code. Of many answers to one question, one comes in.
    pub async fn finish_second_step(
        &self,
        token: &str,
        ceremony: &str,
        answer: &str,
        client: Client,
    ) -> Result<Shown, SignInError> {
        let Some(answer) = read(answer) else { return Err(SignInError::Refused) };
        let (passkeys, token, ceremony) = (self.clone(), token.to_owned(), ceremony.to_owned());
        let sessions = &self.factors.sessions;
        let begun = sessions.database.system_write(move |tx| {
            Box::pin(async move {
                let sessions = &passkeys.factors.sessions;
                let asked = passkeys.take(tx, Purpose::SecondStep(&token), &ceremony).await?;
                let pending = sessions.find_pending(tx, &token).await?;
                let (Some(asked), Some(pending)) = (asked, pending) else { return Ok(None) };
                let (user, tenant) = (UserId(pending.user_id), TenantId(pending.tenant_id));
                if passkeys.judge(tx, Whose::Of(user), asked, &answer).await?.is_none() {
                    return Ok(None);
                }
                let own = pending_sign_in::Column::TokenHash.eq(token_hash(&token));
                let gone = tx.delete_many::<pending_sign_in::Entity>().filter(own).exec(tx).await;
                let used = gone.map_err(DbError::from)?.rows_affected == 1;
                if !used || !is_member(tx, user, tenant).await? {
                    return Ok(None);
                }
                let factors = [Factor::of_first_step(&pending.factor), Factor::Passkey];
                Ok::<_, PasskeyError>(Some(sessions.begin(tx, user, tenant, &factors, client).await?))
            })
        });
        let session = begun.await?.ok_or(SignInError::Refused)?;
        Ok(Shown { session, recovery_codes_left: None })
    }

    /// Shows again who one is. The session goes on under a new token.
    pub async fn finish_step_up(
        &self,
        signed_in: &SignedIn,
        ceremony: &str,
        answer: &str,
        client: Client,
    ) -> Result<Shown, SignInError> {
        let Some(answer) = read(answer) else { return Err(SignInError::Refused) };
        let (passkeys, signed_in, ceremony) = (self.clone(), signed_in.clone(), ceremony.to_owned());
        let sessions = &self.factors.sessions;
        let renewed = sessions.database.system_write(move |tx| {
            Box::pin(async move {
                let (user, session) = (signed_in.user, signed_in.session);
                let sessions = &passkeys.factors.sessions;
                let asked = passkeys.take(tx, Purpose::StepUp(&signed_in), &ceremony).await?;
                let Some(asked) = asked else { return Ok(None) };
                if passkeys.judge(tx, Whose::Of(user), asked, &answer).await?.is_none() {
                    return Ok(None);
                }
                let renewed = sessions.renew(tx, user, session, Factor::Passkey).await?;
                if renewed.is_some() {
                    let entry = client.who(user, session).did("session.step_up", "session", session);
                    let entry = entry.after(json!({ "factor": Factor::Passkey.as_str() }));
                    audit::write_in_house(tx, signed_in.tenant, sessions.clock.now(), entry);
                }
                Ok::<_, PasskeyError>(renewed)
            })
        });
        let session = renewed.await?.ok_or(SignInError::Refused)?;
        Ok(Shown { session, recovery_codes_left: None })
    }
}

fn read(answer: &str) -> Option<PublicKeyCredential> {
    serde_json::from_str(answer).ok()
}

impl From<PasskeyError> for SignInError {
    fn from(error: PasskeyError) -> Self {
        match error {
            PasskeyError::SecondFactor(error) => error.into(),
            _ => Self::Refused,
        }
    }
}
