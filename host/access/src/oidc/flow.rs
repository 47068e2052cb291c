//! On the way to a provider and back. What is needed to come back rests sealed in a row that is used once; the browser
//! holds a cookie, and the address that it comes back to a state: one without the other opens nothing.

use portolan_core::{Duration, Instant, UserId, id};
use portolan_db::DbError;
use portolan_db::entity::identity_flow;
use sea_orm::{ColumnTrait, IntoActiveModel, QueryFilter};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::protocol::{self, Secrets, Verified};
use super::providers::{OpenedProvider, open_provider};
use super::{Identities, IdentityError, ProviderHandle};
use crate::SecretsError;
use crate::secrets::IDENTITY_FLOW;
use crate::token::{new_token, token_hash};

/// How long somebody may be away.
const AWAY_FOR: Duration = Duration::from_minutes(10);
/// Where a provider says when somebody showed who they are, it may be wrong by so much.
const LEEWAY: Duration = Duration::from_secs(60);
const LONGEST_CODE_BYTES: usize = 4_096;

/// What somebody goes to a provider for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Purpose {
    SignIn,
    /// To sign in anew, since what comes next asks for it.
    SignInAgain,
    /// To link what they are called there with the person of this session.
    Link {
        user: UserId,
        session: Uuid,
    },
    /// To join by this invitation.
    Join {
        invitation: String,
    },
}

/// Somebody sent on their way.
pub struct Started {
    /// Where the browser goes.
    pub url: String,
    /// Stays in the browser, in a cookie.
    pub browser: String,
}

/// What a browser comes back with.
pub struct Callback {
    pub provider: ProviderHandle,
    pub state: String,
    /// Of its cookie.
    pub browser: String,
    pub code: Option<String>,
    /// In place of a code: why there is none.
    pub error: Option<String>,
    /// RFC 9207: who says so.
    pub issuer: Option<String>,
}

/// Somebody whom a provider has proven to be who they are there. Nothing else makes one.
#[derive(Debug)]
pub struct CameBack {
    pub provider: ProviderHandle,
    pub purpose: Purpose,
    /// Where they wanted to go.
    pub next: Option<String>,
    pub(super) verified: Verified,
}

/// As it rests.
#[derive(Serialize, Deserialize)]
struct Flow {
    tenant: Uuid,
    provider: Uuid,
    purpose: Purpose,
    next: Option<String>,
    nonce: String,
    verifier: String,
    begun_at: i64,
}

impl Identities {
    /// Sends somebody on their way. `redirect_uri` is where the provider is asked to send them back to.
    pub async fn begin(
        &self,
        provider: ProviderHandle,
        purpose: Purpose,
        next: Option<String>,
        redirect_uri: &str,
    ) -> Result<Started, IdentityError> {
        let opened = self.opened(provider).await?;
        let metadata = self.outside.metadata(&opened.issuer).await?;
        let random = &*self.sessions.random;
        let secrets =
            Secrets { state: new_token(random), nonce: new_token(random), verifier: new_token(random) };
        let again = purpose == Purpose::SignInAgain;
        let url = protocol::address_to_go_to(&metadata, &opened, redirect_uri, &secrets, again)?;
        let (browser, now) = (new_token(random), self.sessions.clock.now());
        let flow = Flow {
            tenant: provider.tenant.0,
            provider: provider.id,
            purpose,
            next,
            nonce: secrets.nonce,
            verifier: secrets.verifier,
            begun_at: now.0,
        };
        let id = id::new_uuid(&*self.sessions.clock, random);
        let row = identity_flow::Model {
            id,
            state_hash: token_hash(&secrets.state),
            browser_hash: token_hash(&browser),
            sealed: Vec::new(),
            expires_at: (now + AWAY_FOR).0,
        };
        let plain = serde_json::to_vec(&flow).map_err(|_| IdentityError::Gone)?;
        let identities = self.clone();
        self.sessions
            .database
            .system_write(move |tx| {
                Box::pin(async move {
                    let random = &*identities.sessions.random;
                    let sealed = IDENTITY_FLOW.seal(&identities.ring, tx, id, &plain, random).await?;
                    let row = identity_flow::Model { sealed, ..row };
                    tx.insert(row.into_active_model()).await?;
                    Ok::<_, SecretsError>(())
                })
            })
            .await?;
        Ok(Started { url, browser })
    }

    /// Takes what a browser comes back with, once, and has the provider prove who it is.
    pub async fn come_back(&self, callback: Callback, redirect_uri: &str) -> Result<CameBack, IdentityError> {
        let flow = self.take(&callback).await?.ok_or(IdentityError::Gone)?;
        let begun_at = Instant(flow.begun_at);
        // Used up by now, whoever's it is: one provider's answer says nothing about a way to another one.
        if (flow.tenant, flow.provider) != (callback.provider.tenant.0, callback.provider.id) {
            return Err(IdentityError::Gone);
        }
        let opened = self.opened(callback.provider).await?;
        let metadata = self.outside.metadata(&opened.issuer).await?;
        let more = metadata.additional_metadata();
        let names_itself = more.authorization_response_iss_parameter_supported.unwrap_or_default();
        if callback.issuer.as_ref().map_or(names_itself, |issuer| *issuer != opened.issuer) {
            return Err(IdentityError::Untrusted("it comes from another provider".to_owned()));
        }
        if let Some(error) = callback.error {
            return Err(IdentityError::Declined(declined(&error)));
        }
        let code = callback.code.filter(|code| !code.is_empty() && code.len() <= LONGEST_CODE_BYTES);
        let code = code.ok_or_else(|| IdentityError::Untrusted("it holds no code".to_owned()))?;
        let now = self.sessions.clock.now();
        let secrets = (code, flow.nonce, flow.verifier);
        let verified =
            protocol::verify_code(&self.outside, metadata, &opened, redirect_uri, secrets, now).await?;
        if flow.purpose == Purpose::SignInAgain
            && verified.authenticated_at.is_some_and(|at| at.0 < begun_at.0 - LEEWAY.0)
        {
            return Err(IdentityError::Untrusted("it did not ask anew who you are".to_owned()));
        }
        Ok(CameBack { provider: callback.provider, purpose: flow.purpose, next: flow.next, verified })
    }

    /// Of many who bring the same back, one takes it.
    async fn take(&self, callback: &Callback) -> Result<Option<Flow>, IdentityError> {
        let (state, browser) = (token_hash(&callback.state), token_hash(&callback.browser));
        let now = self.sessions.clock.now();
        let found = {
            let tx = self.sessions.database.system_read().await?;
            let found = tx
                .find::<identity_flow::Entity>()
                .filter(identity_flow::Column::StateHash.eq(state))
                .filter(identity_flow::Column::BrowserHash.eq(browser))
                .filter(identity_flow::Column::ExpiresAt.gt(now.0));
            found.one(&tx).await.map_err(DbError::from)?
        };
        let Some(row) = found else { return Ok(None) };
        let plain = IDENTITY_FLOW.open(&self.ring, row.id, &row.sealed)?;
        let id = row.id;
        let taken = self
            .sessions
            .database
            .system_write(move |tx| {
                Box::pin(async move {
                    let own = tx.delete_many::<identity_flow::Entity>();
                    let own = own.filter(identity_flow::Column::Id.eq(id)).exec(tx).await?;
                    Ok::<_, DbError>(own.rows_affected == 1)
                })
            })
            .await?;
        Ok(if taken { serde_json::from_slice(&plain).ok() } else { None })
    }

    async fn opened(&self, provider: ProviderHandle) -> Result<OpenedProvider, IdentityError> {
        let tx = self.sessions.database.read(provider.tenant).await?;
        open_provider(&tx, &self.ring, provider.id).await?.ok_or(IdentityError::UnknownProvider)
    }
}

/// Why a provider says no, in words of ours: what stands in an address may be anybody's.
fn declined(error: &str) -> String {
    match error {
        "access_denied" => "it was cancelled there, or you may not use this application",
        "login_required" | "interaction_required" | "account_selection_required" | "consent_required" => {
            "it wanted to ask you something: begin again"
        }
        "temporarily_unavailable" | "server_error" => "it has trouble of its own: try again in a moment",
        "invalid_scope" | "invalid_request" | "unauthorized_client" | "unsupported_response_type" => {
            "it is not set up for this application: an admin compares its settings with ours"
        }
        _ => "it gave no reason that we know",
    }
    .to_owned()
}
