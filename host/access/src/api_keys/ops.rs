//! Making, listing, changing and ending keys.

use std::collections::BTreeSet;

use portolan_core::{Clock, Duration, Instant, Random, UserId, id};
use portolan_db::entity::api_key;
use portolan_db::{DbError, TenantTx};
use sea_orm::ActiveValue::Set;
use sea_orm::{ColumnTrait, IntoActiveModel, QueryFilter, QueryOrder};
use serde_json::json;
use uuid::Uuid;

use super::NEVER;
use super::token::{TokenKind, new_key};
use super::tokens;
use crate::Permission;
use crate::audit::{self, Who};
use crate::network::read_networks;
use crate::token::token_hash;

const LONGEST_NAME_CHARS: usize = 100;
const MOST_NETWORKS: usize = 20;
/// A key lives so long where nobody says otherwise.
pub const DEFAULT_DAYS: i64 = 90;
const MOST_DAYS: i64 = 730;
/// The longest that an old secret goes on beside the new one.
const LONGEST_OVERLAP: Duration = Duration::from_hours(24);

/// A key as somebody asks for it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NewApiKey {
    pub name: String,
    pub scopes: BTreeSet<Permission>,
    /// 90 where absent.
    pub days: Option<i64>,
    /// `192.0.2.0/24`; from anywhere where empty.
    pub networks: Vec<String>,
}

/// A key that was just made, with what nobody sees again.
#[derive(Clone)]
pub struct Made {
    pub row: api_key::Model,
    pub key: String,
}

impl std::fmt::Debug for Made {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Made").field("id", &self.row.id).finish_non_exhaustive()
    }
}

/// Why a key cannot be made or changed so.
#[derive(Debug, thiserror::Error)]
pub enum ApiKeyError {
    #[error("give the key a name of 1 to {LONGEST_NAME_CHARS} characters that says who uses it")]
    Name,
    #[error("choose at least one thing that the key may do")]
    NoScope,
    #[error("no key may have {0}: it decides over people and keys")]
    Never(Permission),
    #[error("you may not {0} yourself, so no key of yours may")]
    NotYours(Permission),
    #[error("a key lives 1 to {MOST_DAYS} days")]
    Days,
    #[error("{0:?} is no network: write 192.0.2.0/24 or 2001:db8::/32, at most {MOST_NETWORKS} of them")]
    Network(String),
    #[error("the old key may go on for at most 24 hours")]
    Overlap,
    #[error("there is no such key of yours")]
    Unknown,
    #[error("the key has ended: make a new one")]
    Ended,
    #[error(transparent)]
    Database(#[from] DbError),
}

/// Makes a key of `owner`, who may do everything that is asked for.
pub async fn create(
    tx: &TenantTx,
    who: &Who,
    owner: UserId,
    may: impl Fn(Permission) -> bool,
    new: NewApiKey,
    (clock, random): (&dyn Clock, &dyn Random),
) -> Result<Made, ApiKeyError> {
    let name = new.name.trim();
    if name.is_empty() || name.chars().count() > LONGEST_NAME_CHARS {
        return Err(ApiKeyError::Name);
    }
    if new.scopes.is_empty() {
        return Err(ApiKeyError::NoScope);
    }
    for scope in &new.scopes {
        if NEVER.contains(scope) {
            return Err(ApiKeyError::Never(*scope));
        }
        if !may(*scope) {
            return Err(ApiKeyError::NotYours(*scope));
        }
    }
    let days = new.days.unwrap_or(DEFAULT_DAYS);
    if !(1..=MOST_DAYS).contains(&days) {
        return Err(ApiKeyError::Days);
    }
    let networks = read_networks(&new.networks, MOST_NETWORKS).map_err(ApiKeyError::Network)?;
    let now = clock.now();
    let id = id::new_uuid(clock, random);
    let key = new_key(TokenKind::Key, id, random);
    let row = api_key::Model {
        tenant_id: tx.tenant().0,
        id,
        name: name.to_owned(),
        created_by: owner.0,
        key_sha256: token_hash(&key),
        previous_sha256: None,
        previous_until: None,
        scopes: joined(new.scopes.iter().map(|scope| scope.as_str().to_owned())),
        networks: joined(networks.iter().map(ToString::to_string)),
        created_at: now.0,
        expires_at: (now + Duration::from_hours(24 * days)).0,
        last_used_at: None,
        revoked_at: None,
    };
    let told = json!({
        "owner": owner, "scopes": new.scopes.iter().map(|scope| scope.as_str()).collect::<Vec<_>>(),
        "networks": row.networks, "days": days,
    });
    audit::write(tx, now, who.did("api_key.create", "api_key", id).after(told));
    let row = tx.insert(row.into_active_model()).await?;
    Ok(Made { row, key })
}

/// Gives a key another secret; the one before goes on for `overlap`. Tokens that it bought end at once.
pub async fn rotate(
    tx: &TenantTx,
    who: &Who,
    id: Uuid,
    owner: Option<UserId>,
    overlap: Duration,
    (clock, random): (&dyn Clock, &dyn Random),
) -> Result<Made, ApiKeyError> {
    if !(Duration::ZERO..=LONGEST_OVERLAP).contains(&overlap) {
        return Err(ApiKeyError::Overlap);
    }
    let row = find(tx, id, owner).await?;
    let now = clock.now();
    if !super::stands(&row, now) {
        return Err(ApiKeyError::Ended);
    }
    let key = new_key(TokenKind::Key, id, random);
    let mut change = row.clone().into_active_model();
    change.key_sha256 = Set(token_hash(&key));
    // Without an overlap the old one ends here, and nothing of it is kept.
    let grace = (overlap > Duration::ZERO).then_some(row.key_sha256);
    change.previous_until = Set(grace.as_ref().map(|_| (now + overlap).0));
    change.previous_sha256 = Set(grace);
    let told = json!({ "overlap_hours": overlap.as_ms() / 3_600_000 });
    audit::write(tx, now, who.did("api_key.rotate", "api_key", id).after(told));
    tokens::end_all_of(tx, id, now).await?;
    let row = tx.update(change).await?;
    Ok(Made { row, key })
}

/// Ends a key for good. One that has ended already stays so.
pub async fn revoke(
    tx: &TenantTx,
    who: &Who,
    id: Uuid,
    owner: Option<UserId>,
    at: Instant,
) -> Result<(), ApiKeyError> {
    let row = find(tx, id, owner).await?;
    if row.revoked_at.is_some() {
        return Err(ApiKeyError::Ended);
    }
    let mut change = row.into_active_model();
    change.revoked_at = Set(Some(at.0));
    change.previous_sha256 = Set(None);
    change.previous_until = Set(None);
    audit::write(tx, at, who.did("api_key.revoke", "api_key", id));
    tx.update(change).await?;
    Ok(())
}

/// The key with this id, of this owner where one is named.
pub async fn find(tx: &TenantTx, id: Uuid, owner: Option<UserId>) -> Result<api_key::Model, ApiKeyError> {
    let found = tx.find_by_id::<api_key::Entity>(id).await?;
    let found = found.filter(|row| owner.is_none_or(|owner| row.created_by == owner.0));
    found.ok_or(ApiKeyError::Unknown)
}

/// Keys, the newest first; of one owner where one is named.
pub async fn list(tx: &TenantTx, owner: Option<UserId>) -> Result<Vec<api_key::Model>, DbError> {
    let mut wanted = tx.find::<api_key::Entity>();
    if let Some(owner) = owner {
        wanted = wanted.filter(api_key::Column::CreatedBy.eq(owner.0));
    }
    Ok(wanted.order_by_desc(api_key::Column::CreatedAt).all(tx).await?)
}

fn joined(parts: impl IntoIterator<Item = String>) -> String {
    parts.into_iter().collect::<Vec<_>>().join(" ")
}
