//! The verbs, each in one transaction with the mail that tells of it.

use std::sync::Arc;

use portolan_access::passkeys::{NoRelyingParty, PasskeyError, Registered};
use portolan_access::{Client, SignedIn};
use uuid::Uuid;

use crate::App;
use crate::mail::{Letter, outbox};
use crate::people::ops::sentence;
use crate::web::error::{AppError, AppResult};

/// Stores a new password's hash; its person is told by mail, in case it was somebody else.
pub async fn change_password(
    app: &Arc<App>,
    signed_in: &SignedIn,
    hash: String,
    client: Client,
) -> AppResult<()> {
    let (in_task, signed_in) = (Arc::clone(app), signed_in.clone());
    app.db
        .system_write(move |tx| {
            Box::pin(async move {
                let app = in_task;
                let to = app.sessions.change_password(tx, &signed_in, hash, &client).await?;
                let letter = Letter::PasswordChanged { to, address: client.address };
                outbox::post(&app, tx, &letter).await?;
                Ok(())
            })
        })
        .await
}

/// A passkey as a browser brings it.
pub struct NewPasskey {
    pub ceremony: String,
    pub name: String,
    /// The browser's credential as JSON.
    pub answer: String,
}

/// Stores a passkey and tells its person.
///
/// Errors: [`PasskeyError::Refused`] where the answer is not right, whatever the reason; the question is used up then.
pub async fn add_passkey(
    app: &Arc<App>,
    signed_in: &SignedIn,
    new: NewPasskey,
    client: Client,
) -> Result<Registered, AddError> {
    let (passkeys, in_task, signed_in) = (app.passkeys()?, Arc::clone(app), signed_in.clone());
    let added = app.db.system_write(move |tx| {
        Box::pin(async move {
            let (app, address) = (in_task, client.address.clone());
            let NewPasskey { ceremony, name, answer } = new;
            let registering = passkeys.finish_registration(tx, &signed_in, &ceremony, &name, &answer, client);
            let Some(registered) = registering.await? else { return Ok(None) };
            let to = app.sessions.name_in(tx, signed_in.user).await.map_err(AppError::from)?;
            let letter = Letter::PasskeyAdded { to, name: name.trim().to_owned(), address };
            outbox::post(&app, tx, &letter).await?;
            Ok::<_, AddError>(Some(registered))
        })
    });
    added.await?.ok_or(AddError::Passkey(PasskeyError::Refused))
}

/// Removes a passkey and tells its person; says whether there was one.
pub async fn remove_passkey(
    app: &Arc<App>,
    signed_in: &SignedIn,
    id: Uuid,
    client: Client,
) -> Result<bool, AddError> {
    let (in_task, signed_in) = (Arc::clone(app), signed_in.clone());
    let removed = app.db.system_write(move |tx| {
        Box::pin(async move {
            let (app, address) = (in_task, client.address.clone());
            if !app.sessions.remove_passkey(tx, &signed_in, id, client).await? {
                return Ok(false);
            }
            let to = app.sessions.name_in(tx, signed_in.user).await.map_err(AppError::from)?;
            outbox::post(&app, tx, &Letter::PasskeyRemoved { to, address }).await?;
            Ok::<_, AddError>(true)
        })
    });
    removed.await
}

/// Why a passkey is not added or removed: what its person can mend, or anything else.
#[derive(Debug)]
pub enum AddError {
    Passkey(PasskeyError),
    Other(AppError),
}

impl From<PasskeyError> for AddError {
    fn from(error: PasskeyError) -> Self {
        Self::Passkey(error)
    }
}

impl From<AppError> for AddError {
    fn from(error: AppError) -> Self {
        Self::Other(error)
    }
}

impl From<portolan_db::DbError> for AddError {
    fn from(error: portolan_db::DbError) -> Self {
        Self::Other(error.into())
    }
}

impl From<NoRelyingParty> for AddError {
    fn from(error: NoRelyingParty) -> Self {
        Self::Other(error.into())
    }
}

impl From<AddError> for AppError {
    fn from(error: AddError) -> Self {
        match error {
            AddError::Passkey(error) => error.into(),
            AddError::Other(error) => error,
        }
    }
}

impl From<NoRelyingParty> for AppError {
    fn from(error: NoRelyingParty) -> Self {
        Self::conflict(sentence(&error.to_string()))
    }
}

impl From<PasskeyError> for AppError {
    fn from(error: PasskeyError) -> Self {
        let text = sentence(&error.to_string());
        match error {
            PasskeyError::SecondFactor(error) => error.into(),
            PasskeyError::Refused => Self::invalid("answer", text),
            PasskeyError::Name => Self::invalid("name", text),
            PasskeyError::TooOften => Self::too_many_requests(60),
            PasskeyError::TooMany | PasskeyError::None | PasskeyError::LastOne => Self::conflict(text),
        }
    }
}
