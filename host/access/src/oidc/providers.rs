//! A company's providers of identities. What they vouch for counts in this company alone: its admins choose whom it
//! trusts, and another company's need not.

use std::fmt;
use std::str::FromStr;

use openidconnect::url::Url;
use portolan_core::{Clock, Instant, Random, TenantId, id};
use portolan_db::entity::{identity_provider, pending_sign_in, session};
use portolan_db::{DbError, TenantTx};
use sea_orm::{ActiveModelTrait, ColumnTrait, IntoActiveModel, QueryFilter, QueryOrder};
use serde_json::{Value, json};
use uuid::Uuid;

use super::Outside;
use crate::audit::{self, Who};
use crate::members::bump_access;
use crate::secrets::{IDENTITY_PROVIDER_SECRET, SecretsError, TenantKeys};
use crate::{Factor, KeyRing};

/// What Google calls itself.
pub const GOOGLE_ISSUER: &str = "https://accounts.google.com";

/// As many buttons as anybody looks through.
const MOST_PROVIDERS: usize = 8;
const LONGEST_LABEL_CHARS: usize = 40;
const LONGEST_BYTES: usize = 500;

/// A provider as its company's admins see it; its secret is no part of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provider {
    pub id: Uuid,
    pub tenant: TenantId,
    pub label: String,
    pub issuer: String,
    pub client_id: String,
    pub has_secret: bool,
    pub enabled: bool,
    pub created_at: Instant,
    pub changed_at: Instant,
}

/// A provider ready to be spoken to.
pub(super) struct OpenedProvider {
    pub issuer: String,
    pub client_id: String,
    pub client_secret: Option<String>,
}

/// A provider as somebody enters it.
#[derive(Clone, Default)]
pub struct NewProvider {
    /// Chosen beforehand, so that the address to register at the provider is known before it is stored here.
    pub id: Option<Uuid>,
    pub label: String,
    pub issuer: String,
    pub client_id: String,
    /// `None` keeps what is stored; an empty one is none.
    pub client_secret: Option<String>,
    pub enabled: bool,
}

/// What a provider is called in addresses: it names its tenant, so that it is looked for there alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProviderHandle {
    pub tenant: TenantId,
    pub id: Uuid,
}

/// Why a provider cannot be so.
#[derive(Debug, thiserror::Error)]
pub enum ProviderError {
    #[error("use 1 to {LONGEST_LABEL_CHARS} characters: they stand on the button")]
    Label,
    #[error("{0}")]
    Issuer(String),
    #[error("enter the client id that the provider gave you, without spaces")]
    ClientId,
    #[error("this is too long for a client secret: copy it once more")]
    Secret,
    #[error("a company has at most {MOST_PROVIDERS} of them: delete one that nobody uses")]
    TooMany,
    #[error("this provider is stored already")]
    Exists,
    #[error("there is no such provider")]
    Unknown,
    #[error(transparent)]
    Secrets(#[from] SecretsError),
    #[error(transparent)]
    Database(#[from] DbError),
}

impl Provider {
    pub fn handle(&self) -> ProviderHandle {
        ProviderHandle { tenant: self.tenant, id: self.id }
    }

    /// As the audit tells it: the secret only as being there.
    fn told(&self) -> Value {
        json!({
            "label": self.label, "issuer": self.issuer, "client_id": self.client_id,
            "secret": self.has_secret, "enabled": self.enabled,
        })
    }
}

impl OpenedProvider {
    pub fn is_google(&self) -> bool {
        self.issuer == GOOGLE_ISSUER
    }
}

impl From<identity_provider::Model> for Provider {
    fn from(row: identity_provider::Model) -> Self {
        Self {
            id: row.id,
            tenant: TenantId(row.tenant_id),
            label: row.label,
            issuer: row.issuer,
            client_id: row.client_id,
            has_secret: row.sealed.is_some(),
            enabled: row.enabled,
            created_at: Instant(row.created_at),
            changed_at: Instant(row.changed_at),
        }
    }
}

impl fmt::Display for ProviderHandle {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}{}", self.tenant.0.simple(), self.id.simple())
    }
}

/// A text that names no provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotAHandle;

impl FromStr for ProviderHandle {
    type Err = NotAHandle;

    fn from_str(text: &str) -> Result<Self, NotAHandle> {
        let (tenant, id) = text.split_at_checked(32).ok_or(NotAHandle)?;
        let simple = |part: &str| {
            let read = Uuid::try_parse(part).ok();
            // One spelling alone: the address that is registered at the provider holds it.
            read.filter(|read| read.simple().to_string() == part).ok_or(NotAHandle)
        };
        Ok(Self { tenant: TenantId(simple(tenant)?), id: simple(id)? })
    }
}

/// All of the company's, by their labels.
pub async fn providers(tx: &TenantTx) -> Result<Vec<Provider>, DbError> {
    let rows = tx
        .find::<identity_provider::Entity>()
        .order_by_asc(identity_provider::Column::Label)
        .order_by_asc(identity_provider::Column::Id)
        .all(tx)
        .await?;
    Ok(rows.into_iter().map(Provider::from).collect())
}

pub async fn find_provider(tx: &TenantTx, id: Uuid) -> Result<Provider, ProviderError> {
    Ok(row(tx, id).await?.into())
}

async fn row(tx: &TenantTx, id: Uuid) -> Result<identity_provider::Model, ProviderError> {
    tx.find_by_id::<identity_provider::Entity>(id).await?.ok_or(ProviderError::Unknown)
}

/// The provider with its secret, where people may come in by it.
pub(super) async fn open_provider(
    tx: &TenantTx,
    ring: &KeyRing,
    id: Uuid,
) -> Result<Option<OpenedProvider>, SecretsError> {
    let found = tx.find_by_id::<identity_provider::Entity>(id).await?.filter(|row| row.enabled);
    let Some(row) = found else { return Ok(None) };
    let client_secret = match &row.sealed {
        Some(sealed) => {
            let name = row.id.to_string();
            let cell = IDENTITY_PROVIDER_SECRET.cell(tx.tenant(), &name);
            let plain = TenantKeys::load(ring, tx).await?.open(cell, sealed)?;
            Some(String::from_utf8_lossy(&plain).into_owned())
        }
        None => None,
    };
    Ok(Some(OpenedProvider { issuer: row.issuer, client_id: row.client_id, client_secret }))
}

/// What verbs need beside their transaction.
#[derive(Clone, Copy)]
pub struct ProviderTools<'app> {
    pub ring: &'app KeyRing,
    pub outside: &'app Outside,
    pub clock: &'app dyn Clock,
    pub random: &'app dyn Random,
}

pub async fn create_provider(
    tx: &TenantTx,
    by: &Who,
    new: NewProvider,
    tools: ProviderTools<'_>,
) -> Result<Provider, ProviderError> {
    bump_access(tx.host_wide(), tx.tenant()).await?;
    let new = checked(new)?;
    check_issuer(&new.issuer, tools.outside)?;
    if providers(tx).await?.len() >= MOST_PROVIDERS {
        return Err(ProviderError::TooMany);
    }
    let now = tools.clock.now();
    let id = new.id.unwrap_or_else(|| id::new_uuid(tools.clock, tools.random));
    if tx.find_by_id::<identity_provider::Entity>(id).await?.is_some() {
        return Err(ProviderError::Exists);
    }
    let sealed = seal(tx, id, new.client_secret.as_deref().unwrap_or_default(), tools).await?;
    let row = identity_provider::Model {
        tenant_id: tx.tenant().0,
        id,
        label: new.label,
        issuer: new.issuer,
        client_id: new.client_id,
        sealed,
        enabled: new.enabled,
        created_at: now.0,
        changed_at: now.0,
    };
    let made = Provider::from(tx.insert(row.into_active_model()).await?);
    audit::write(tx, now, by.did("identity_provider.create", "identity_provider", id).after(made.told()));
    Ok(made)
}

/// Changes all but the issuer, which stays what people's identities are of.
pub async fn change_provider(
    tx: &TenantTx,
    by: &Who,
    id: Uuid,
    new: NewProvider,
    tools: ProviderTools<'_>,
) -> Result<Provider, ProviderError> {
    bump_access(tx.host_wide(), tx.tenant()).await?;
    let old = row(tx, id).await?;
    let new = checked(NewProvider { issuer: old.issuer.clone(), ..new })?;
    let sealed = match new.client_secret.as_deref() {
        None => old.sealed.clone(),
        Some(secret) => seal(tx, id, secret, tools).await?,
    };
    let now = tools.clock.now();
    let changed = identity_provider::Model {
        label: new.label,
        client_id: new.client_id,
        sealed,
        enabled: new.enabled,
        changed_at: now.0,
        ..old.clone()
    };
    tx.update(changed.clone().into_active_model().reset_all()).await?;
    let (before, after) = (Provider::from(old), Provider::from(changed));
    if before.enabled && !after.enabled {
        end_what_it_let_in(tx, by).await?;
    }
    let entry = by.did("identity_provider.change", "identity_provider", id);
    audit::write(tx, now, entry.before(before.told()).after(after.told()));
    Ok(after)
}

/// Nobody comes in by it any more. What it called people stays with them: another company may know the same provider.
pub async fn delete_provider(tx: &TenantTx, by: &Who, id: Uuid, at: Instant) -> Result<(), ProviderError> {
    bump_access(tx.host_wide(), tx.tenant()).await?;
    let old = Provider::from(row(tx, id).await?);
    let gone = tx.delete_many::<identity_provider::Entity>();
    gone.filter(identity_provider::Column::Id.eq(id)).exec(tx).await.map_err(DbError::from)?;
    end_what_it_let_in(tx, by).await?;
    audit::write(tx, at, by.did("identity_provider.delete", "identity_provider", id).before(old.told()));
    Ok(())
}

/// Whoever is in by nothing but a provider signs in again; the one who changes it goes on.
async fn end_what_it_let_in(tx: &TenantTx, by: &Who) -> Result<(), DbError> {
    let (house, tenant, factor) = (tx.host_wide(), tx.tenant().0, Factor::Oidc.as_str());
    let sessions = house.delete_many::<session::Entity>().filter(session::Column::TenantId.eq(tenant));
    let sessions = sessions.filter(session::Column::Factors.eq(factor));
    let own = by.session.unwrap_or_default();
    sessions.filter(session::Column::Id.ne(own)).exec(house).await?;
    let pending = house.delete_many::<pending_sign_in::Entity>();
    let pending = pending.filter(pending_sign_in::Column::TenantId.eq(tenant));
    pending.filter(pending_sign_in::Column::Factor.eq(factor)).exec(house).await?;
    Ok(())
}

async fn seal(
    tx: &TenantTx,
    id: Uuid,
    secret: &str,
    tools: ProviderTools<'_>,
) -> Result<Option<Vec<u8>>, ProviderError> {
    if secret.is_empty() {
        return Ok(None);
    }
    let keys = TenantKeys::load_to_seal(tools.ring, tx, tools.clock, tools.random).await?;
    let name = id.to_string();
    let cell = IDENTITY_PROVIDER_SECRET.cell(tx.tenant(), &name);
    Ok(Some(keys.seal(cell, secret.as_bytes(), tools.random).map_err(SecretsError::from)?))
}

fn checked(new: NewProvider) -> Result<NewProvider, ProviderError> {
    let label = new.label.trim().to_owned();
    if label.is_empty() || label.chars().count() > LONGEST_LABEL_CHARS || label.chars().any(char::is_control)
    {
        return Err(ProviderError::Label);
    }
    let client_id = new.client_id.trim().to_owned();
    let strange = |letter: char| letter.is_whitespace() || letter.is_control();
    if client_id.is_empty() || client_id.len() > LONGEST_BYTES || client_id.chars().any(strange) {
        return Err(ProviderError::ClientId);
    }
    let client_secret = new.client_secret.map(|secret| secret.trim().to_owned());
    if client_secret
        .as_ref()
        .is_some_and(|secret| secret.len() > LONGEST_BYTES || secret.chars().any(char::is_control))
    {
        return Err(ProviderError::Secret);
    }
    Ok(NewProvider { label, client_id, client_secret, issuer: new.issuer.trim().to_owned(), ..new })
}

fn check_issuer(issuer: &str, outside: &Outside) -> Result<(), ProviderError> {
    let refused = |reason: &str| Err(ProviderError::Issuer(reason.to_owned()));
    if issuer.len() > LONGEST_BYTES {
        return refused("this is too long for an issuer");
    }
    let Ok(url) = Url::parse(issuer) else {
        return refused("write the whole address: https://accounts.google.com");
    };
    if url.query().is_some() || url.fragment().is_some() {
        return refused("an issuer has neither ? nor #: copy it from the provider's pages");
    }
    outside.permits(issuer).map_err(|error| ProviderError::Issuer(error.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handle_has_one_spelling() {
        let handle = ProviderHandle { tenant: TenantId(Uuid::from_u128(0xab)), id: Uuid::from_u128(0xcd) };
        let text = handle.to_string();
        assert_eq!(text.len(), 64);
        assert_eq!(text.parse(), Ok(handle));
        let upper = text.to_uppercase();
        let short = &text[1..];
        for wrong in ["", "ab", upper.as_str(), short, &format!("{text}0"), &"é".repeat(32)] {
            assert_eq!(wrong.parse::<ProviderHandle>(), Err(NotAHandle), "{wrong}");
        }
    }
}
