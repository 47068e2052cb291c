//! Keys for programs: made by a person, who can never do less than their keys.
//!
//! A key may do what its scopes say *and* its maker may do at this moment, by the very rules that sessions are asked by: whoever
//! loses a role, leaves or is banned takes it from their keys at the next request. What decides over people and keys
//! is no scope at all.

mod ops;
mod token;
mod tokens;

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;

use ipnet::IpNet;
use portolan_core::{Duration, Instant, TenantId, UserId};
use portolan_db::entity::{api_key, tenant};
use portolan_db::{DbError, SystemTx};
use sea_orm::{ColumnTrait, ConnectionTrait, QueryFilter};
use subtle::ConstantTimeEq as _;
use uuid::Uuid;

pub use ops::{ApiKeyError, Made, NewApiKey, create, find, list, revoke, rotate};
pub use token::{ParsedKey, TokenKind};
pub use tokens::{Refreshed, Refreshing, TokenError, TokenPair, end_family, issue, refresh};

use crate::data_policies::Restrictions;
use crate::network::contains;
use crate::policy::TenantPolicy;
use crate::sessions::is_member;
use crate::{AuthenticateError, Permission, Sessions};

/// How exactly it is known when a key was used: saves a write per request.
const USED_EVERY: Duration = Duration::from_minutes(1);

/// What no key may do, whatever its maker may.
pub const NEVER: &[Permission] = &[
    Permission::PeopleManage,
    Permission::RolesManage,
    Permission::PoliciesManage,
    Permission::SecurityManage,
    Permission::ApiKeysManage,
];

/// A program whose key stands.
#[derive(Debug, Clone)]
pub struct KeyHolder {
    pub key: Uuid,
    /// Who made the key, and answers for it.
    pub owner: UserId,
    pub tenant: TenantId,
    pub tenant_slug: String,
    scopes: BTreeSet<Permission>,
    policy: Arc<TenantPolicy>,
}

impl KeyHolder {
    /// Whether the key says so and its maker may, by the rules as they stood when the key was looked up.
    pub fn may(&self, permission: Permission) -> bool {
        self.scopes.contains(&permission)
            && !NEVER.contains(&permission)
            && self.policy.allows(self.owner, permission)
    }

    /// What is kept from its maker is kept from the key.
    pub fn restrictions(&self) -> Restrictions {
        self.policy.restrictions(self.owner)
    }
}

impl Sessions {
    /// Whose key or access token this is: `None` where it is none of ours, has ended, comes from elsewhere than it or its
    /// company's people may, or its maker may not come in any more. Why, is not told.
    pub async fn authenticate_key(
        &self,
        key: &str,
        from: Option<IpAddr>,
    ) -> Result<Option<KeyHolder>, AuthenticateError> {
        let Some(parsed) = ParsedKey::parse(key) else {
            tracing::warn!("a key was not right: it is none of ours, or mistyped");
            return Ok(None);
        };
        let now = self.clock.now();
        let tx = self.database.system_read().await?;
        let found = match parsed.kind {
            TokenKind::Key => find_key(&tx, parsed.id)
                .await?
                .filter(|row| is_this(row, &parsed, now))
                .map(|row| (row, None)),
            TokenKind::Access => match tokens::find_pair(&tx, parsed.id).await? {
                Some(pair) if tokens::lets_in(&pair, &parsed, now) => {
                    let key = find_key(&tx, pair.key_id).await?;
                    key.filter(|key| key.tenant_id == pair.tenant_id).map(|key| (key, Some(pair.scopes)))
                }
                _ => None,
            },
            TokenKind::Refresh => None,
        };
        let Some((row, limit)) = found else {
            tracing::warn!("a key or a token of one was not right, or has ended");
            return Ok(None);
        };
        let holder = self.holder_of(tx, &row, from).await?;
        if holder.is_none() {
            tracing::warn!(api_key.id = %row.id, "a key was not taken: it has ended, or comes from elsewhere, or its maker may not come in");
        }
        // Of what the key says, what was asked for when the token was bought.
        let limit = limit.map(|scopes| scopes_of(&scopes));
        Ok(holder.map(|mut holder| {
            holder.scopes.retain(|scope| limit.as_ref().is_none_or(|limit| limit.contains(scope)));
            holder
        }))
    }

    /// Whoever holds a key that stands, comes from where it may, and may still come in.
    async fn holder_of(
        &self,
        tx: SystemTx,
        row: &api_key::Model,
        from: Option<IpAddr>,
    ) -> Result<Option<KeyHolder>, AuthenticateError> {
        let now = self.clock.now();
        if !stands(row, now) || !may_come_from(&row.networks, from) {
            return Ok(None);
        }
        let (owner, tenant) = (UserId(row.created_by), TenantId(row.tenant_id));
        if !is_member(&tx, owner, tenant).await? {
            return Ok(None);
        }
        let of_tenant = tx.find::<tenant::Entity>().filter(tenant::Column::Id.eq(tenant.0));
        let Some(house) = of_tenant.one(&tx).await.map_err(DbError::from)? else { return Ok(None) };
        drop(tx);
        let policy = self.policies().of(tenant, house.access_version).await?;
        if !policy.sign_in().admits(from) {
            return Ok(None);
        }
        if row.last_used_at.is_none_or(|at| now.since(Instant(at)) >= USED_EVERY) {
            // Reading must go on where nothing can be written: on a full disk, for example.
            if let Err(error) = self.note_used(tenant, row.id, now).await {
                tracing::warn!(%error, "failed to note when a key was last used");
            }
        }
        let scopes = scopes_of(&row.scopes);
        Ok(Some(KeyHolder { key: row.id, owner, tenant, tenant_slug: house.slug, scopes, policy }))
    }

    async fn note_used(&self, tenant: TenantId, key: Uuid, now: Instant) -> Result<(), DbError> {
        self.database
            .write(tenant, move |tx| {
                Box::pin(async move {
                    let sql = "UPDATE api_key SET last_used_at = $3 WHERE tenant_id = $1 AND id = $2 \
                               AND (last_used_at IS NULL OR last_used_at < $3)";
                    let values = [tenant.0.into(), key.into(), now.0.into()];
                    tx.execute_raw(tx.statement(sql, values)).await?;
                    Ok(())
                })
            })
            .await
    }
}

/// A key, whoever's it is.
async fn find_key(tx: &SystemTx, id: Uuid) -> Result<Option<api_key::Model>, DbError> {
    let found = tx.find_across_tenants::<api_key::Entity>().filter(api_key::Column::Id.eq(id));
    Ok(found.one(tx).await?)
}

/// Whether it is the key of this row, or the one before within its grace. The time that it takes tells nothing.
fn is_this(row: &api_key::Model, sent: &ParsedKey, now: Instant) -> bool {
    let same = |stored: &str| stored.as_bytes().ct_eq(sent.sha256().as_bytes());
    let in_grace = row.previous_until.is_some_and(|until| now.0 < until);
    let previous = row.previous_sha256.as_deref().filter(|_| in_grace).unwrap_or_default();
    (same(&row.key_sha256) | same(previous)).into()
}

fn stands(row: &api_key::Model, now: Instant) -> bool {
    row.revoked_at.is_none() && now.0 < row.expires_at
}

/// Whether an address is in one of the networks; where none are named, any is.
fn may_come_from(networks: &str, from: Option<IpAddr>) -> bool {
    if networks.is_empty() {
        return true;
    }
    // A network that cannot be read lets nobody in.
    let networks: Vec<IpNet> = networks.split(' ').filter_map(|network| network.parse().ok()).collect();
    from.is_some_and(|from| contains(&networks, from))
}

/// A permission that this version no longer has is no scope.
fn scopes_of(stored: &str) -> BTreeSet<Permission> {
    stored.split(' ').filter_map(|scope| scope.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_comes_from_its_networks_only() {
        let from = |networks: &str, address: &str| may_come_from(networks, address.parse().ok());
        let ours = "192.0.2.0/24 2001:db8::/32";
        for inside in ["192.0.2.1", "2001:db8::1", "::ffff:192.0.2.7"] {
            assert!(from(ours, inside), "{inside}");
        }
        for outside in ["192.0.3.1", "2001:db9::1", "::ffff:192.0.3.7", "nowhere"] {
            assert!(!from(ours, outside), "{outside}");
        }
        assert!(from("", "198.51.100.1") && from("", "nowhere"));
        assert!(!from("damaged", "198.51.100.1"));
    }
}
