//! Documents on their way into the ledger: everything about them that needs no database, done before a
//! transaction begins, because people wait behind one.
//!
//! A chunk's documents are cut into batches: a transaction posts one or several, each as a whole. What moves under one ledger key, an
//! order with its refunds or a payment with its fees and disputes, and all their versions, is in one batch: so no
//! batch posts what the next takes back.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};

use portolan_commerce::document::{Document, Order, Refund, Skipped};
use portolan_commerce::ledger::Version;
use portolan_core::TenantId;
use portolan_db::entity::{document, document_version};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::cash::{CashBatch, cash_key};
use super::head::{DocumentHead, source_index, without_provenance};
use super::labels::Labels;
use super::post::PostContext;
use super::rows;
use super::sources::Stale;

/// How much one batch posts. A group that has to be posted together may be larger.
#[derive(Debug, Clone, Copy)]
pub struct BatchAim {
    pub documents: usize,
    /// Of their stored text.
    pub bytes: usize,
}

impl Default for BatchAim {
    /// Bounds what somebody who saves something waits behind by its number of documents and their size, not by time:
    /// how long posting them takes is the database's.
    fn default() -> Self {
        Self { documents: 256, bytes: 1 << 20 }
    }
}

/// A chunk's documents, ready to be posted batch by batch.
#[derive(Debug, Default)]
pub struct Prepared {
    pub batches: VecDeque<Batch>,
    pub documents: u64,
    /// Documents that cannot be stored, with the reason.
    pub quarantined: Vec<Skipped>,
}

/// What is posted together.
#[derive(Debug, Default)]
pub struct Batch {
    /// Each version once.
    pub(super) versions: Vec<document_version::Model>,
    /// The newest head of each document.
    pub(super) heads: Vec<document::Model>,
    pub(super) orders: Vec<(Uuid, Version<Order>)>,
    pub(super) refunds: Vec<(Uuid, Version<Refund>)>,
    /// The ledger keys that these documents move, each with the raw record to blame.
    pub(super) source_of_order: BTreeMap<String, u32>,
    pub(super) source_of_refund: BTreeMap<String, u32>,
    pub(super) cash: CashBatch,
    pub(super) labels: Labels,
    /// What the chunk said before and no longer says.
    pub(super) stale: Vec<Stale>,
}

impl Prepared {
    /// The versions that the chunk says.
    pub fn versions(&self) -> HashSet<Uuid> {
        self.batches.iter().flat_map(|batch| &batch.versions).map(|version| version.id).collect()
    }

    /// Has the versions let go that the chunk no longer says: each together with what else moves what it stood
    /// under, or by itself where nothing else does.
    pub fn let_go(&mut self, stale: Vec<Stale>, aim: BatchAim) {
        if stale.is_empty() {
            return;
        }
        let mut batch_of: HashMap<(String, String), usize> = HashMap::new();
        for (index, batch) in self.batches.iter().enumerate() {
            let orders = batch.source_of_order.keys().map(|key| (LEDGER.to_owned(), key.clone()));
            let payments = batch.cash.keys().map(|key| (CASH.to_owned(), key.clone()));
            let heads = batch.heads.iter().map(|head| (head.entity.clone(), head.key.clone()));
            batch_of.extend(orders.chain(payments).chain(heads).map(|group| (group, index)));
        }
        let mut alone = Batch::default();
        for stale in stale {
            let group = match group_of(&stale.document) {
                Some((ledger, key)) => (ledger.to_owned(), key.to_owned()),
                None => (stale.entity.clone(), stale.key.clone()),
            };
            match batch_of.get(&group) {
                Some(index) => self.batches[*index].stale.push(stale),
                None => alone.stale.push(stale),
            }
            if alone.stale.len() >= aim.documents {
                self.batches.push_back(std::mem::take(&mut alone));
            }
        }
        if !alone.stale.is_empty() {
            self.batches.push_back(alone);
        }
    }
}

/// The groups of what moves under a key of the sales ledger, and of the cash ledger.
const LEDGER: &str = "ledger";
const CASH: &str = "cash";

/// Reads heads, writes texts, computes hashes, and cuts the documents into batches.
pub fn prepare(
    tenant: TenantId,
    context: &PostContext<'_>,
    documents: Vec<Document>,
    aim: BatchAim,
) -> Prepared {
    let mut prepared = Prepared { documents: documents.len() as u64, ..Prepared::default() };
    let mut groups: Vec<Vec<Item>> = Vec::new();
    let mut group_of: HashMap<(&'static str, String), usize> = HashMap::new();
    for document in documents {
        let src = source_index(&document);
        match Item::of(tenant, context, document) {
            Ok(item) => {
                let group = *group_of.entry(item.group()).or_insert_with(|| {
                    groups.push(Vec::new());
                    groups.len() - 1
                });
                groups[group].push(item);
            }
            Err(reason) => prepared.quarantined.push(Skipped { src, path: None, reason }),
        }
    }
    let mut batch: Vec<Item> = Vec::new();
    let mut bytes = 0;
    for group in groups {
        let group_bytes: usize = group.iter().map(|item| item.version.body.len()).sum();
        let full = batch.len() + group.len() > aim.documents || bytes + group_bytes > aim.bytes;
        if full && !batch.is_empty() {
            prepared.batches.push_back(Batch::of(std::mem::take(&mut batch)));
            bytes = 0;
        }
        batch.extend(group);
        bytes += group_bytes;
    }
    if !batch.is_empty() {
        prepared.batches.push_back(Batch::of(batch));
    }
    prepared
}

/// A document with its rows.
struct Item {
    src: u32,
    document: Document,
    hash: [u8; 32],
    version: document_version::Model,
    head: document::Model,
}

impl Item {
    /// Errors: why a document has no text; none that a plugin emits is known to.
    fn of(tenant: TenantId, context: &PostContext<'_>, document: Document) -> Result<Self, String> {
        let src = source_index(&document);
        let document = without_provenance(document);
        let head = DocumentHead::of(&document);
        let body = serde_json::to_string(&document).map_err(|error| error.to_string())?;
        let hash: [u8; 32] = Sha256::digest(body.as_bytes()).into();
        let version = rows::version_row(tenant.0, context, &head, src, &hash, body);
        let head = rows::head_row(context, head, &version);
        Ok(Self { src, document, hash, version, head })
    }

    /// What has to be posted together: the ledger key, or the document by itself.
    fn group(&self) -> (&'static str, String) {
        match group_of(&self.document) {
            Some((ledger, key)) => (ledger, key.to_owned()),
            None => ("", format!("{} {}", self.version.entity, self.version.key)),
        }
    }
}

/// The key of a ledger that a document moves, with the group of that ledger.
fn group_of(document: &Document) -> Option<(&'static str, &str)> {
    match document {
        Document::Order(order) => Some((LEDGER, &order.key)),
        Document::Refund(refund) => Some((LEDGER, ledger_key(refund))),
        document => cash_key(document).map(|key| (CASH, key)),
    }
}

/// A return without an order has a ledger of its own.
fn ledger_key(refund: &Refund) -> &str {
    refund.order.as_ref().unwrap_or(&refund.key)
}

impl Batch {
    fn of(items: Vec<Item>) -> Self {
        let mut batch = Self::default();
        let mut kept: HashSet<Uuid> = HashSet::with_capacity(items.len());
        let mut newest: HashMap<(String, String), usize> = HashMap::with_capacity(items.len());
        for Item { src, document, hash, version, head } in items {
            batch.touch(&document, src);
            if !kept.insert(version.id) {
                continue;
            }
            let received_at = portolan_core::Instant(version.received_at);
            match document {
                Document::Order(order) => {
                    batch.labels.add(&order, head.occurred_at.unwrap_or(version.updated_at));
                    batch.orders.push((version.id, Version { document: *order, received_at, hash }));
                }
                Document::Refund(refund) => {
                    batch.refunds.push((version.id, Version { document: *refund, received_at, hash }));
                }
                Document::BalanceEntry(entry) => {
                    batch.cash.entries.push((version.id, Version { document: entry, received_at, hash }));
                }
                Document::Dispute(dispute) => {
                    batch.cash.disputes.push((version.id, Version { document: dispute, received_at, hash }));
                }
                _ => {}
            }
            batch.versions.push(version);
            match newest.get(&(head.entity.clone(), head.key.clone())) {
                None => {
                    newest.insert((head.entity.clone(), head.key.clone()), batch.heads.len());
                    batch.heads.push(head);
                }
                Some(&index) if rows::head_order(&batch.heads[index]) <= rows::head_order(&head) => {
                    batch.heads[index] = head;
                }
                Some(_) => {}
            }
        }
        batch
    }

    /// Notes what a document moves. The first record is to blame: what the chunk says now before what it said.
    pub(super) fn touch(&mut self, document: &Document, src: u32) {
        match document {
            Document::Order(order) => {
                self.source_of_order.entry(order.key.clone()).or_insert(src);
            }
            Document::Refund(refund) => {
                self.source_of_order.entry(ledger_key(refund).to_owned()).or_insert(src);
                self.source_of_refund.entry(refund.key.clone()).or_insert(src);
            }
            document => self.cash.touch(document, src),
        }
    }
}
