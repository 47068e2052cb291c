//! Signed heads: what a chain was at a moment, in a form that only this server's keys can make.

use std::sync::Arc;

use portolan_core::{Clock, Instant, Random, TenantId, hex, id, unhex};
use portolan_db::entity::{audit_anchor, audit_head, audit_signer};
use portolan_db::{Database, DbError, TenantTx, WriteClass};
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use sea_orm::{IntoActiveModel, QueryOrder};
use secrecy::zeroize::Zeroizing;
use serde::{Deserialize, Serialize};

use super::verify::{Broken, Walk};
use crate::key_ring::KeyRing;
use crate::sealed::SealError;
use crate::secrets::{AUDIT_SIGNER, SecretsError, TenantKeys};

const SEED_BYTES: usize = 32;

/// The head of a tenant's chain at a moment, signed. As a line of JSON it stands in the operator's file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Anchor {
    pub tenant: TenantId,
    pub seq: i64,
    pub hash: String,
    /// Microseconds since 1970.
    pub at: Instant,
    /// Ed25519, in hex, as the signature.
    pub public_key: String,
    pub signature: String,
}

impl Anchor {
    /// Whether the key that it names has signed it.
    pub fn is_signed(&self) -> bool {
        let (Some(key), Some(signature)) = (unhex(&self.public_key), unhex(&self.signature)) else {
            return false;
        };
        let message = message(self.tenant, self.seq, &self.hash, self.at);
        UnparsedPublicKey::new(&ED25519, key).verify(&message, &signature).is_ok()
    }

    /// A line of the operator's file; `None` where it is none.
    pub fn parse(line: &str) -> Option<Self> {
        serde_json::from_str(line).ok()
    }

    pub fn to_line(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

impl From<audit_anchor::Model> for Anchor {
    fn from(row: audit_anchor::Model) -> Self {
        Self {
            tenant: TenantId(row.tenant_id),
            seq: row.seq,
            hash: row.hash,
            at: Instant(row.at),
            public_key: row.public_key,
            signature: row.signature,
        }
    }
}

impl From<Anchor> for audit_anchor::Model {
    fn from(anchor: Anchor) -> Self {
        Self {
            tenant_id: anchor.tenant.0,
            seq: anchor.seq,
            at: anchor.at.0,
            hash: anchor.hash,
            public_key: anchor.public_key,
            signature: anchor.signature,
        }
    }
}

/// What is signed: each part after its length.
fn message(tenant: TenantId, seq: i64, hash: &str, at: Instant) -> Vec<u8> {
    let mut bytes = Vec::new();
    let parts: [&[u8]; 5] = [
        b"portolan audit anchor 1",
        tenant.0.as_bytes(),
        &seq.to_be_bytes(),
        hash.as_bytes(),
        &at.0.to_be_bytes(),
    ];
    for part in parts {
        bytes.extend_from_slice(&(part.len() as u64).to_be_bytes());
        bytes.extend_from_slice(part);
    }
    bytes
}

/// Signs the heads of one tenant's chain. Its seed rests sealed: a copy of the database signs nothing.
pub struct Signer {
    pair: Ed25519KeyPair,
    /// In hex: what an operator may note elsewhere.
    pub public_key: String,
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Signer").field("public_key", &self.public_key).finish_non_exhaustive()
    }
}

impl Signer {
    /// The signer with this seed; nothing for what is no seed.
    pub fn from_seed(seed: &[u8]) -> Option<Self> {
        let pair = Ed25519KeyPair::from_seed_unchecked(seed).ok()?;
        let public_key = hex(pair.public_key().as_ref());
        Some(Self { pair, public_key })
    }

    pub fn sign(&self, tenant: TenantId, seq: i64, hash: &str, at: Instant) -> Anchor {
        let signature = self.pair.sign(&message(tenant, seq, hash, at));
        Anchor {
            tenant,
            seq,
            hash: hash.to_owned(),
            at,
            public_key: self.public_key.clone(),
            signature: hex(signature.as_ref()),
        }
    }
}

/// Every signer of the tenant that opens, the newest first. What does not open has signed nothing that can be believed.
pub async fn signers_of(ring: &KeyRing, tx: &TenantTx) -> Result<Vec<Signer>, DbError> {
    let rows =
        tx.find::<audit_signer::Entity>().order_by_desc(audit_signer::Column::CreatedAt).all(tx).await?;
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let keys = TenantKeys::load(ring, tx).await?;
    let open = |row: audit_signer::Model| {
        let name = row.id.to_string();
        match keys.open(AUDIT_SIGNER.cell(tx.tenant(), &name), &row.sealed).map(Zeroizing::new) {
            Ok(seed) => Signer::from_seed(&seed),
            Err(error) => {
                tracing::error!(tenant.id = %tx.tenant(), %error, "a signer of the audit does not open");
                None
            }
        }
    };
    Ok(rows.into_iter().filter_map(open).collect())
}

/// The newest signer, made where there is none.
async fn signer(
    ring: &KeyRing,
    tx: &TenantTx,
    clock: &dyn Clock,
    random: &dyn Random,
) -> Result<Signer, SecretsError> {
    if let Some(signer) = signers_of(ring, tx).await?.into_iter().next() {
        return Ok(signer);
    }
    let mut seed = Zeroizing::new([0; SEED_BYTES]);
    random.fill(&mut *seed);
    let id = id::new_uuid(clock, random);
    let keys = TenantKeys::load_to_seal(ring, tx, clock, random).await?;
    let sealed = keys.seal(AUDIT_SIGNER.cell(tx.tenant(), &id.to_string()), &*seed, random)?;
    let row = audit_signer::Model { tenant_id: tx.tenant().0, id, sealed, created_at: clock.now().0 };
    tx.insert(row.into_active_model()).await?;
    Signer::from_seed(&*seed).ok_or_else(|| SealError::Refused.into())
}

/// What the database keeps of signed heads, the oldest first.
pub async fn stored_anchors(tx: &TenantTx) -> Result<Vec<Anchor>, DbError> {
    let rows = tx.find::<audit_anchor::Entity>().order_by_asc(audit_anchor::Column::Seq).all(tx).await?;
    Ok(rows.into_iter().map(Anchor::from).collect())
}

/// Why a head was not signed.
#[derive(Debug, thiserror::Error)]
pub enum AnchorError {
    #[error("the audit does not hold, and its head is not signed: {0}")]
    Broken(Broken),
    #[error(transparent)]
    Secrets(#[from] SecretsError),
    #[error(transparent)]
    Database(#[from] DbError),
}

/// Signs the head as it is and keeps that, unless it was signed already; gives the newest anchor. Nothing while nothing
/// was ever done.
///
/// The events since the last anchor are read before: a chain that is broken there is not signed.
pub async fn anchor_head(
    database: &Database,
    ring: &Arc<KeyRing>,
    tenant: TenantId,
    clock: &Arc<dyn Clock>,
    random: &Arc<dyn Random>,
) -> Result<Option<Anchor>, AnchorError> {
    let tx = database.read(tenant).await?;
    let Some(head) = tx.find::<audit_head::Entity>().one(&tx).await.map_err(DbError::from)? else {
        return Ok(None);
    };
    let newest = tx.find::<audit_anchor::Entity>().order_by_desc(audit_anchor::Column::Seq);
    let newest = newest.one(&tx).await.map_err(DbError::from)?.map(Anchor::from);
    if let Some(newest) = newest.clone().filter(|newest| newest.seq == head.seq && newest.hash == head.hash) {
        return Ok(Some(newest));
    }
    let mut walk = newest.map_or_else(Walk::default, |newest| Walk::behind(newest.seq, newest.hash));
    walk.read(&tx).await?.map_err(AnchorError::Broken)?;
    walk.end(Some(&head)).map_err(AnchorError::Broken)?;
    drop(tx);
    let (ring, clock, random) = (Arc::clone(ring), Arc::clone(clock), Arc::clone(random));
    let signed = database.write_as(WriteClass::Background, tenant, move |tx| {
        Box::pin(async move {
            let signer = signer(&ring, tx, &*clock, &*random).await?;
            let anchor = signer.sign(tx.tenant(), head.seq, &head.hash, clock.now());
            let row = audit_anchor::Model::from(anchor.clone());
            // Another server may sign the same head at the same moment.
            tx.insert_many_on_conflict_do_nothing(vec![row.into_active_model()]).await?;
            Ok::<_, SecretsError>(anchor)
        })
    });
    Ok(Some(signed.await?))
}
