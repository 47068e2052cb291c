//! Short tokens that a program buys with its key, so that the key itself can stay in one safe place.
//!
//! An access token comes in for ten minutes. The refresh token beside it buys the next pair, once: every pair descends
//! from the one that the key bought, and together they are a family. A refresh token that is sent a second time is in two
//! hands, and nobody knows which is the thief's: the whole family ends, and the program goes back to its key.

use std::collections::BTreeSet;
use std::net::IpAddr;

use portolan_core::{Clock, Duration, Instant, Random, id};
use portolan_db::entity::api_token;
use portolan_db::{DbError, SystemTx, TenantTx};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, IntoActiveModel, PaginatorTrait, QueryFilter};
use serde_json::json;
use subtle::ConstantTimeEq as _;
use uuid::Uuid;

use super::ops::{ApiKeyError, find};
use super::token::{ParsedKey, TokenKind, new_key};
use super::{KeyHolder, find_key, scopes_of, stands};
use crate::audit::{self, Who};
use crate::token::token_hash;
use crate::{AuthenticateError, Permission, Sessions};

/// How long an access token comes in.
const ACCESS_LASTS: Duration = Duration::from_minutes(10);
/// How long a family goes on, if its key lives so long.
const FAMILY_LASTS: Duration = Duration::from_hours(24 * 30);
/// A refresh token that comes again so soon is a request that was repeated, not a thief: it buys nothing, and ends nothing.
const REPEATED_WITHIN: Duration = Duration::from_secs(10);
/// Families of one key at a time.
const MOST_FAMILIES: u64 = 100;

/// Two tokens, to be shown once.
#[derive(Clone)]
pub struct TokenPair {
    pub access_token: String,
    pub access_until: Instant,
    pub refresh_token: String,
    /// When the family ends, however often it is renewed.
    pub refresh_until: Instant,
    pub scopes: BTreeSet<Permission>,
}

impl std::fmt::Debug for TokenPair {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("TokenPair").field("access_until", &self.access_until).finish_non_exhaustive()
    }
}

/// Why a key buys no tokens.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    #[error("the key does not say {0}, so no token of its own can")]
    Scope(Permission),
    #[error(
        "choose at least one thing that the token may do, or leave the scopes out to have all of the key's"
    )]
    NoScope,
    #[error(
        "{MOST_FAMILIES} sets of tokens of this key are in use: end some with DELETE, or renew one in place of buying another"
    )]
    TooMany,
    #[error(transparent)]
    Key(#[from] ApiKeyError),
}

impl From<DbError> for TokenError {
    fn from(error: DbError) -> Self {
        Self::Key(error.into())
    }
}

/// A refresh token of ours, whether or not it has been used, and who holds its key.
#[derive(Debug, Clone)]
pub struct Refreshing {
    pub holder: KeyHolder,
    pair: api_token::Model,
}

/// What a refresh token came to.
#[derive(Debug, Clone)]
pub enum Refreshed {
    New(Box<TokenPair>),
    /// Used a moment ago.
    Repeated,
    /// In two hands: its family has ended.
    Reused,
}

impl Sessions {
    /// Whose refresh token this is; `None` as [`Sessions::authenticate_key`] says it.
    pub async fn refreshing(
        &self,
        token: &str,
        from: Option<IpAddr>,
    ) -> Result<Option<Refreshing>, AuthenticateError> {
        let Some(parsed) = ParsedKey::parse(token).filter(|parsed| parsed.kind == TokenKind::Refresh) else {
            return Ok(None);
        };
        let now = self.clock.now();
        let tx = self.database.system_read().await?;
        let Some(pair) = find_pair(&tx, parsed.id).await? else { return Ok(None) };
        let goes_on = pair.ended_at.is_none() && now.0 < pair.refresh_until;
        if !goes_on || !is_same(&pair.refresh_sha256, &parsed) {
            return Ok(None);
        }
        let key = find_key(&tx, pair.key_id).await?.filter(|key| key.tenant_id == pair.tenant_id);
        let Some(key) = key else { return Ok(None) };
        let holder = self.holder_of(tx, &key, from).await?;
        Ok(holder.map(|holder| Refreshing { holder, pair }))
    }
}

/// A pair of tokens, whoever's it is.
pub(super) async fn find_pair(tx: &SystemTx, id: Uuid) -> Result<Option<api_token::Model>, DbError> {
    let found = tx.find_across_tenants::<api_token::Entity>().filter(api_token::Column::Id.eq(id));
    Ok(found.one(tx).await?)
}

/// Whether this access token is the pair's, and still comes in.
pub(super) fn lets_in(pair: &api_token::Model, sent: &ParsedKey, now: Instant) -> bool {
    is_same(&pair.access_sha256, sent) && pair.ended_at.is_none() && now.0 < pair.access_until
}

fn is_same(stored: &str, sent: &ParsedKey) -> bool {
    stored.as_bytes().ct_eq(sent.sha256().as_bytes()).into()
}

/// The first pair of a new family, for whoever came with the key itself; of all its scopes where none are named.
pub async fn issue(
    tx: &TenantTx,
    who: &Who,
    holder: &KeyHolder,
    scopes: Option<BTreeSet<Permission>>,
    (clock, random): (&dyn Clock, &dyn Random),
) -> Result<TokenPair, TokenError> {
    let now = clock.now();
    let key = find(tx, holder.key, None).await?;
    if !stands(&key, now) {
        return Err(ApiKeyError::Ended.into());
    }
    let of_key = scopes_of(&key.scopes);
    let scopes = scopes.unwrap_or_else(|| of_key.clone());
    if scopes.is_empty() {
        return Err(TokenError::NoScope);
    }
    if let Some(more) = scopes.difference(&of_key).next() {
        return Err(TokenError::Scope(*more));
    }
    let old = tx.delete_many::<api_token::Entity>().filter(api_token::Column::RefreshUntil.lte(now.0));
    old.exec(tx).await.map_err(DbError::from)?;
    let in_use = tx
        .find::<api_token::Entity>()
        .filter(api_token::Column::KeyId.eq(key.id))
        .filter(api_token::Column::EndedAt.is_null())
        .filter(api_token::Column::UsedAt.is_null());
    if in_use.count(tx).await.map_err(DbError::from)? >= MOST_FAMILIES {
        return Err(TokenError::TooMany);
    }
    let family = id::new_uuid(clock, random);
    let until = (now + FAMILY_LASTS).min(Instant(key.expires_at));
    let told =
        json!({ "api_key": key.id, "scopes": scopes.iter().map(|scope| scope.as_str()).collect::<Vec<_>>() });
    audit::write(tx, now, who.did("api_token.issue", "api_token", family).after(told));
    Ok(insert_pair(tx, (key.id, family), scopes, until, (clock, random)).await?)
}

/// The next pair, once: of all who come with the same token at the same time one is given it.
pub async fn refresh(
    tx: &TenantTx,
    who: &Who,
    refreshing: &Refreshing,
    (clock, random): (&dyn Clock, &dyn Random),
) -> Result<Refreshed, DbError> {
    let (pair, now) = (&refreshing.pair, clock.now());
    let use_up = tx
        .update_many::<api_token::Entity>()
        .col_expr(api_token::Column::UsedAt, Expr::value(now.0))
        .filter(api_token::Column::Id.eq(pair.id))
        .filter(api_token::Column::UsedAt.is_null())
        .filter(api_token::Column::EndedAt.is_null());
    if use_up.exec(tx).await?.rows_affected == 1 {
        audit::write(tx, now, who.did("api_token.refresh", "api_token", pair.family_id));
        let scopes = scopes_of(&pair.scopes);
        let until = Instant(pair.refresh_until);
        let next = insert_pair(tx, (pair.key_id, pair.family_id), scopes, until, (clock, random)).await?;
        return Ok(Refreshed::New(Box::new(next)));
    }
    let used_at = tx.find_by_id::<api_token::Entity>(pair.id).await?.and_then(|pair| pair.used_at);
    if used_at.is_some_and(|at| now.since(Instant(at)) < REPEATED_WITHIN) {
        return Ok(Refreshed::Repeated);
    }
    end_family_of(tx, who, pair.family_id, "reused", now).await?;
    Ok(Refreshed::Reused)
}

/// Ends the family of this token: its program has done its work.
pub async fn end_family(
    tx: &TenantTx,
    who: &Who,
    refreshing: &Refreshing,
    now: Instant,
) -> Result<(), DbError> {
    end_family_of(tx, who, refreshing.pair.family_id, "ended", now).await
}

async fn end_family_of(
    tx: &TenantTx,
    who: &Who,
    family: Uuid,
    why: &'static str,
    now: Instant,
) -> Result<(), DbError> {
    let end = tx
        .update_many::<api_token::Entity>()
        .col_expr(api_token::Column::EndedAt, Expr::value(now.0))
        .filter(api_token::Column::FamilyId.eq(family))
        .filter(api_token::Column::EndedAt.is_null());
    if end.exec(tx).await?.rows_affected > 0 {
        let told = json!({ "why": why });
        audit::write(tx, now, who.did("api_token.end", "api_token", family).after(told));
    }
    Ok(())
}

/// Ends whatever a key has bought.
pub(super) async fn end_all_of(tx: &TenantTx, key: Uuid, now: Instant) -> Result<(), DbError> {
    let end = tx
        .update_many::<api_token::Entity>()
        .col_expr(api_token::Column::EndedAt, Expr::value(now.0))
        .filter(api_token::Column::KeyId.eq(key))
        .filter(api_token::Column::EndedAt.is_null());
    end.exec(tx).await?;
    Ok(())
}

async fn insert_pair(
    tx: &TenantTx,
    (key, family): (Uuid, Uuid),
    scopes: BTreeSet<Permission>,
    refresh_until: Instant,
    (clock, random): (&dyn Clock, &dyn Random),
) -> Result<TokenPair, DbError> {
    let (now, id) = (clock.now(), id::new_uuid(clock, random));
    let access_token = new_key(TokenKind::Access, id, random);
    let refresh_token = new_key(TokenKind::Refresh, id, random);
    let access_until = (now + ACCESS_LASTS).min(refresh_until);
    let row = api_token::Model {
        tenant_id: tx.tenant().0,
        id,
        key_id: key,
        family_id: family,
        scopes: scopes.iter().map(|scope| scope.as_str()).collect::<Vec<_>>().join(" "),
        access_sha256: token_hash(&access_token),
        access_until: access_until.0,
        refresh_sha256: token_hash(&refresh_token),
        refresh_until: refresh_until.0,
        created_at: now.0,
        used_at: None,
        ended_at: None,
    };
    tx.insert(row.into_active_model()).await?;
    Ok(TokenPair { access_token, access_until, refresh_token, refresh_until, scopes })
}
