//! Which chunks say a version of a document.
//!
//! A chunk that is read anew, by another build of the plugin or with other settings, may say other things. What it
//! said before and no longer says counts for nothing, unless another chunk still says it. So once everything has
//! been read anew, what counts is what would count had it always been read so, in whatever order it was read; and
//! reading anew without a change changes nothing.
//!
//! Of the chunks that say a version it names the newest itself; the others, which only overlapping fetches bring,
//! are rows of their own.

use std::collections::{BTreeMap, HashMap, HashSet};

use portolan_commerce::document::Document;
use portolan_db::entity::{chunk, document, document_version, version_source};
use portolan_db::{DbError, TenantTx};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, QueryFilter, QuerySelect, Value};
use uuid::Uuid;

use super::head::DocumentHead;
use super::post::{KEYS_PER_STATEMENT, PostContext, PostError, replace_head};
use super::rows;

/// A version that a chunk said and no longer says.
#[derive(Debug, Clone, PartialEq)]
pub struct Stale {
    pub version: Uuid,
    pub entity: String,
    pub key: String,
    /// What it said: whatever that moved is looked at again.
    pub document: Document,
    /// The raw record that it was made from.
    pub src: u32,
}

/// What the chunk said when it was read last, and does not say now.
pub async fn stale_versions(
    tx: &TenantTx,
    chunk: Uuid,
    said: &HashSet<Uuid>,
) -> Result<Vec<Stale>, PostError> {
    let mut before: Vec<Uuid> = tx
        .find::<document_version::Entity>()
        .select_only()
        .column(document_version::Column::Id)
        .filter(document_version::Column::SourceChunkId.eq(chunk))
        .into_tuple()
        .all(tx)
        .await?;
    let further: Vec<Uuid> = tx
        .find::<version_source::Entity>()
        .select_only()
        .column(version_source::Column::VersionId)
        .filter(version_source::Column::ChunkId.eq(chunk))
        .into_tuple()
        .all(tx)
        .await?;
    before.extend(further);
    before.retain(|version| !said.contains(version));
    let mut stale = Vec::with_capacity(before.len());
    for ids in before.chunks(KEYS_PER_STATEMENT) {
        let rows = tx
            .find::<document_version::Entity>()
            .filter(document_version::Column::Id.is_in(ids.iter().copied()))
            .all(tx)
            .await?;
        for row in rows {
            stale.push(Stale {
                version: row.id,
                document: rows::read_document(&row)?,
                src: u32::try_from(row.src).unwrap_or_default(),
                entity: row.entity,
                key: row.key,
            });
        }
    }
    Ok(stale)
}

/// Notes that the chunk no longer says these. Gives the number of those that nobody says any more.
pub async fn let_go(tx: &TenantTx, chunk: Uuid, stale: &[Stale]) -> Result<u64, DbError> {
    let mut unsaid = 0;
    for stale in stale.chunks(KEYS_PER_STATEMENT) {
        let ids: Vec<Uuid> = stale.iter().map(|stale| stale.version).collect();
        tx.delete_many::<version_source::Entity>()
            .filter(version_source::Column::ChunkId.eq(chunk))
            .filter(version_source::Column::VersionId.is_in(ids.iter().copied()))
            .exec(tx)
            .await?;
        let orphans: Vec<Uuid> = tx
            .find::<document_version::Entity>()
            .select_only()
            .column(document_version::Column::Id)
            .filter(document_version::Column::SourceChunkId.eq(chunk))
            .filter(document_version::Column::Id.is_in(ids))
            .into_tuple()
            .all(tx)
            .await?;
        let heirs = newest_of_the_others(tx, &orphans).await?;
        for (version, (received_at, heir)) in &heirs {
            set_source(tx, &[*version], Some(*heir), Some(*received_at)).await?;
            tx.delete_many::<version_source::Entity>()
                .filter(version_source::Column::VersionId.eq(*version))
                .filter(version_source::Column::ChunkId.eq(*heir))
                .exec(tx)
                .await?;
        }
        let nobodys: Vec<Uuid> = orphans.into_iter().filter(|id| !heirs.contains_key(id)).collect();
        set_source(tx, &nobodys, None, None).await?;
        unsaid += nobodys.len() as u64;
    }
    Ok(unsaid)
}

/// Of each version the newest further chunk that says it, with the moment of its receipt.
async fn newest_of_the_others(
    tx: &TenantTx,
    versions: &[Uuid],
) -> Result<HashMap<Uuid, (i64, Uuid)>, DbError> {
    if versions.is_empty() {
        return Ok(HashMap::new());
    }
    let further: Vec<(Uuid, Uuid)> = tx
        .find::<version_source::Entity>()
        .select_only()
        .columns([version_source::Column::VersionId, version_source::Column::ChunkId])
        .filter(version_source::Column::VersionId.is_in(versions.iter().copied()))
        .into_tuple()
        .all(tx)
        .await?;
    let mut received: HashMap<Uuid, i64> = HashMap::new();
    let chunks: Vec<Uuid> = further.iter().map(|(_, chunk)| *chunk).collect();
    for chunks in chunks.chunks(KEYS_PER_STATEMENT) {
        let found: Vec<(Uuid, i64)> = tx
            .find::<chunk::Entity>()
            .select_only()
            .columns([chunk::Column::Id, chunk::Column::ReceivedAt])
            .filter(chunk::Column::Id.is_in(chunks.iter().copied()))
            .into_tuple()
            .all(tx)
            .await?;
        received.extend(found);
    }
    let mut newest: HashMap<Uuid, (i64, Uuid)> = HashMap::new();
    for (version, chunk) in further {
        let Some(received_at) = received.get(&chunk) else { continue };
        let known = newest.entry(version).or_insert((*received_at, chunk));
        *known = (*known).max((*received_at, chunk));
    }
    Ok(newest)
}

/// Notes that the context's chunk says these versions, too. Gives the number of those that it makes newer, or
/// that count again.
///
/// A version that is met again keeps its newest receipt: versions are ordered by it, and the order must
/// not depend on which of two equal ones came first.
pub async fn say_again(tx: &TenantTx, context: &PostContext<'_>, ids: &[Uuid]) -> Result<u64, DbError> {
    use document_version::Column;
    let (chunk, received_at) = (context.chunk.0, context.received_at.0);
    let mut renewed = 0;
    for ids in ids.chunks(KEYS_PER_STATEMENT) {
        let known: Vec<(Uuid, Option<Uuid>, i64)> = tx
            .find::<document_version::Entity>()
            .select_only()
            .columns([Column::Id, Column::SourceChunkId, Column::ReceivedAt])
            .filter(Column::Id.is_in(ids.iter().copied()))
            .into_tuple()
            .all(tx)
            .await?;
        let (mut newest, mut further) = (Vec::new(), Vec::new());
        for (id, source, known_since) in known {
            match source {
                Some(source) if source == chunk && known_since >= received_at => {}
                None => newest.push(id),
                Some(source) if known_since < received_at => {
                    newest.push(id);
                    further.extend((source != chunk).then_some((id, source)));
                }
                Some(_) => further.push((id, chunk)),
            }
        }
        let further = further.into_iter().map(|(version, chunk)| version_source::ActiveModel {
            tenant_id: Set(tx.tenant().0),
            version_id: Set(version),
            chunk_id: Set(chunk),
        });
        tx.insert_many_on_conflict_do_nothing(further).await?;
        set_source(tx, &newest, Some(chunk), Some(received_at)).await?;
        renewed += newest.len() as u64;
    }
    Ok(renewed)
}

/// Where no moment of receipt is given the version keeps its own.
async fn set_source(
    tx: &TenantTx,
    versions: &[Uuid],
    source: Option<Uuid>,
    received_at: Option<i64>,
) -> Result<(), DbError> {
    use document_version::Column;
    if versions.is_empty() {
        return Ok(());
    }
    let mut update = tx
        .update_many::<document_version::Entity>()
        .col_expr(Column::SourceChunkId, Expr::value(source))
        .filter(Column::Id.is_in(versions.iter().copied()));
    if let Some(received_at) = received_at {
        update = update.col_expr(Column::ReceivedAt, Expr::value(received_at));
    }
    update.exec(tx).await?;
    Ok(())
}

/// Sets the heads of these documents by the versions that still count; one without any goes.
pub async fn renew_heads(tx: &TenantTx, context: &PostContext<'_>, stale: &[Stale]) -> Result<(), PostError> {
    let mut keys_of: BTreeMap<&str, HashSet<&str>> = BTreeMap::new();
    for stale in stale {
        keys_of.entry(&stale.entity).or_default().insert(&stale.key);
    }
    for (entity, keys) in keys_of {
        let keys: Vec<&str> = keys.into_iter().collect();
        for keys in keys.chunks(KEYS_PER_STATEMENT) {
            renew_heads_of(tx, context, entity, keys).await?;
        }
    }
    Ok(())
}

async fn renew_heads_of(
    tx: &TenantTx,
    context: &PostContext<'_>,
    entity: &str,
    keys: &[&str],
) -> Result<(), PostError> {
    use document_version::Column;
    let fixed =
        [(Column::ConnectionId, Value::from(context.connection.0)), (Column::Entity, Value::from(entity))];
    let mut newest: HashMap<String, document_version::Model> = HashMap::new();
    for version in tx.find_by_keys::<document_version::Entity>(&fixed, Column::Key, keys).await? {
        let newer =
            |known: &document_version::Model| rows::version_order(known) < rows::version_order(&version);
        if version.source_chunk_id.is_some() && newest.get(&version.key).is_none_or(newer) {
            newest.insert(version.key.clone(), version);
        }
    }
    let gone: Vec<&str> = keys.iter().copied().filter(|key| !newest.contains_key(*key)).collect();
    if !gone.is_empty() {
        tx.delete_many::<document::Entity>()
            .filter(document::Column::ConnectionId.eq(context.connection.0))
            .filter(document::Column::Entity.eq(entity))
            .filter(document::Column::Key.is_in(gone))
            .exec(tx)
            .await?;
    }
    let mut heads = Vec::with_capacity(newest.len());
    for version in newest.values() {
        let head = DocumentHead::of(&rows::read_document(version)?);
        heads.push(rows::into_active_head(rows::head_row(context, head, version)));
    }
    tx.upsert_many(heads, &replace_head()).await?;
    Ok(())
}
