//! Where an order's figures come from: from each ledger event to the raw record and the build of the plugin that
//! read it.
//!
//! Events are posted by difference, a batch of a chunk at a time, and each batch has a posting version of its own.
//! So an event leads to the chunk that had it posted, and that chunk to those versions of the order and its
//! refunds that it says.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use portolan_core::Instant;
use portolan_db::TenantTx;
use portolan_db::entity::{chunk, document_version, plugin, posting, sale_event, version_source};
use sea_orm::{ColumnTrait, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

use super::queries::{OrderRecord, refund_versions_of};
use crate::ingest::build_of;
use crate::web::error::AppResult;

/// Where one version of a document comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionOrigin {
    pub version: Uuid,
    pub entity: String,
    pub key: String,
    pub hash: String,
    /// Whether a stored page still says it, so that it counts.
    pub counts: bool,
    /// The page that said it first.
    pub chunk: Uuid,
    /// Index of the raw record inside that page.
    pub record: i64,
    pub plugin: Option<Build>,
}

/// A build of a plugin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Build {
    pub id: String,
    pub version: String,
    pub sha256: String,
}

/// Events that were posted together, and why.
#[derive(Debug, Clone)]
pub struct PostingOrigin {
    pub posting_version: i64,
    pub recorded_at: Instant,
    pub events: Vec<sale_event::Model>,
    /// Whether it is known what had them posted. Without a source it is that a complete pass of the channel did not
    /// show the document.
    pub noted: bool,
    /// The stored page that had them posted.
    pub source: Option<Source>,
}

/// The stored page that had events posted.
#[derive(Debug, Clone)]
pub struct Source {
    pub chunk: Uuid,
    pub stream: String,
    pub received_at: Instant,
    pub sha256: String,
    pub plugin: Option<Build>,
    /// Versions of the order and its refunds that it says, as indexes into [`Lineage::versions`].
    pub versions: Vec<usize>,
}

/// Where an order's figures come from.
#[derive(Debug, Clone, Default)]
pub struct Lineage {
    pub versions: Vec<VersionOrigin>,
    /// Oldest first.
    pub postings: Vec<PostingOrigin>,
}

/// Traces every event of an order.
pub async fn trace(tx: &TenantTx, record: &OrderRecord) -> AppResult<Lineage> {
    let connection = record.head.connection_id;
    let events = tx
        .find::<sale_event::Entity>()
        .filter(sale_event::Column::ConnectionId.eq(connection))
        .filter(sale_event::Column::OrderKey.eq(record.head.key.as_str()))
        .order_by_asc(sale_event::Column::PostingVersion)
        .order_by_asc(sale_event::Column::Id)
        .all(tx)
        .await?;
    let mut events_of: BTreeMap<i64, Vec<sale_event::Model>> = BTreeMap::new();
    for event in events {
        events_of.entry(event.posting_version).or_default().push(event);
    }
    let postings = tx
        .find::<posting::Entity>()
        .filter(posting::Column::PostingVersion.is_in(events_of.keys().copied()))
        .all(tx)
        .await?;
    let postings: HashMap<i64, posting::Model> =
        postings.into_iter().map(|posting| (posting.posting_version, posting)).collect();
    let mut rows = record.version_rows.clone();
    rows.extend(refund_versions_of(tx, record).await?);
    let chunks = chunks_of(tx, &rows, &postings).await?;
    let builds = builds(tx).await?;
    let further = further_sources(tx, &rows).await?;
    let versions = rows.iter().map(|row| origin(row, &chunks, &builds)).collect();
    let postings = events_of.into_iter().map(|(posting_version, events)| {
        let posting = postings.get(&posting_version);
        let recorded_at = Instant(events.first().map_or(0, |event| event.recorded_at));
        let source = posting.and_then(|posting| {
            let chunk = chunks.get(&posting.chunk_id)?;
            let says = |row: &document_version::Model| {
                let named = [Some(row.chunk_id), row.source_chunk_id].contains(&Some(posting.chunk_id));
                named || further.contains(&(row.id, posting.chunk_id))
            };
            Some(Source {
                chunk: posting.chunk_id,
                stream: chunk.stream.clone(),
                received_at: Instant(chunk.received_at),
                sha256: chunk.sha256.clone(),
                plugin: builds.get(&posting.plugin_build).cloned(),
                versions: (0..rows.len()).filter(|index| says(&rows[*index])).collect(),
            })
        });
        PostingOrigin { posting_version, recorded_at, events, noted: posting.is_some(), source }
    });
    Ok(Lineage { versions, postings: postings.collect() })
}

/// A chunk without its body.
struct ChunkFacts {
    stream: String,
    received_at: i64,
    sha256: String,
    plugin_sha256: String,
}

async fn chunks_of(
    tx: &TenantTx,
    versions: &[document_version::Model],
    postings: &HashMap<i64, posting::Model>,
) -> AppResult<HashMap<Uuid, ChunkFacts>> {
    let mut ids: BTreeSet<Uuid> = versions.iter().map(|version| version.chunk_id).collect();
    ids.extend(postings.values().map(|posting| posting.chunk_id));
    let found: Vec<(Uuid, String, i64, String, String)> = tx
        .find::<chunk::Entity>()
        .select_only()
        .columns([
            chunk::Column::Id,
            chunk::Column::Stream,
            chunk::Column::ReceivedAt,
            chunk::Column::Sha256,
            chunk::Column::PluginSha256,
        ])
        .filter(chunk::Column::Id.is_in(ids))
        .into_tuple()
        .all(tx)
        .await?;
    let facts = found.into_iter().map(|(id, stream, received_at, sha256, plugin_sha256)| {
        (id, ChunkFacts { stream, received_at, sha256, plugin_sha256 })
    });
    Ok(facts.collect())
}

/// Every build that was ever installed, by the half of its hash that versions and postings name.
async fn builds(tx: &TenantTx) -> AppResult<HashMap<Uuid, Build>> {
    let rows = tx.host_wide().find::<plugin::Entity>().all(tx.host_wide()).await?;
    let builds = rows
        .into_iter()
        .map(|row| (build_of(&row.sha256), Build { id: row.id, version: row.version, sha256: row.sha256 }));
    Ok(builds.collect())
}

async fn further_sources(
    tx: &TenantTx,
    versions: &[document_version::Model],
) -> AppResult<BTreeSet<(Uuid, Uuid)>> {
    let rows = tx
        .find::<version_source::Entity>()
        .filter(version_source::Column::VersionId.is_in(versions.iter().map(|version| version.id)))
        .all(tx)
        .await?;
    Ok(rows.into_iter().map(|row| (row.version_id, row.chunk_id)).collect())
}

fn origin(
    row: &document_version::Model,
    chunks: &HashMap<Uuid, ChunkFacts>,
    builds: &HashMap<Uuid, Build>,
) -> VersionOrigin {
    // What is older than the mark was made by the build that read its page, which nobody had read anew then.
    let build =
        row.plugin_build.or_else(|| chunks.get(&row.chunk_id).map(|chunk| build_of(&chunk.plugin_sha256)));
    VersionOrigin {
        version: row.id,
        entity: row.entity.clone(),
        key: row.key.clone(),
        hash: row.hash.clone(),
        counts: row.source_chunk_id.is_some(),
        chunk: row.chunk_id,
        record: row.src,
        plugin: build.and_then(|build| builds.get(&build).cloned()),
    }
}

impl VersionOrigin {
    /// "order 1001".
    pub fn name(&self) -> String {
        format!("{} {}", self.entity.replace('_', " "), self.key)
    }
}
