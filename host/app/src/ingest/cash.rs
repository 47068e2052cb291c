//! The part of a batch that moves the cash ledger: entries of a provider's balance, and the disputes that say
//! how contested money stands. As for sales, all versions of what stands under a ledger key decide.

use std::collections::BTreeMap;

use portolan_commerce::cash::{
    CashEvent, Finding, PaymentFacts, findings, ledger_keys, standing_events_under,
};
use portolan_commerce::document::{BalanceEntry, Dispute, Document, Entity, Skipped};
use portolan_commerce::ledger::{PostedEvent, Posting, Version, difference};
use portolan_db::TenantTx;
use portolan_db::entity::cash_event;
use sea_orm::Value;
use uuid::Uuid;

use super::history::{joined, load_versions, standing_under};
use super::post::{KEYS_PER_STATEMENT, PostContext, PostError};

/// What a batch brings for the cash ledger.
#[derive(Debug, Default)]
pub(super) struct CashBatch {
    pub(super) entries: Vec<(Uuid, Version<BalanceEntry>)>,
    pub(super) disputes: Vec<(Uuid, Version<Dispute>)>,
    /// The ledger keys that these documents move, and the documents, each with the raw record to blame.
    source_of_key: BTreeMap<String, u32>,
    source_of_entry: BTreeMap<String, u32>,
    source_of_dispute: BTreeMap<String, u32>,
}

/// Everything known under one ledger key: the payment's entries and disputes, its posted events.
#[derive(Default)]
pub(super) struct CashHistory {
    entries: Vec<Version<BalanceEntry>>,
    disputes: Vec<Version<Dispute>>,
    posted: Vec<PostedEvent<CashEvent>>,
}

/// The ledger key that a document moves, where it moves one.
pub(super) fn cash_key(document: &Document) -> Option<&str> {
    match document {
        Document::BalanceEntry(entry) => Some(portolan_commerce::cash::ledger_key(entry)),
        Document::Dispute(dispute) => dispute.payment.as_deref(),
        _ => None,
    }
}

impl CashBatch {
    /// The ledger keys that the batch moves.
    pub(super) fn keys(&self) -> impl Iterator<Item = &String> {
        self.source_of_key.keys()
    }

    /// Notes what a document moves. The first record is to blame.
    pub(super) fn touch(&mut self, document: &Document, src: u32) {
        if let Some(key) = cash_key(document) {
            self.source_of_key.entry(key.to_owned()).or_insert(src);
        }
        match document {
            Document::BalanceEntry(entry) => {
                self.source_of_entry.entry(entry.key.clone()).or_insert(src);
            }
            Document::Dispute(dispute) => {
                self.source_of_dispute.entry(dispute.key.clone()).or_insert(src);
            }
            _ => {}
        }
    }

    /// The history of every ledger key that the batch moves, with the batch's own versions in it, and those
    /// keys under which its documents stood before. Asks nothing where the batch brings nothing.
    pub(super) async fn load_history(
        &mut self,
        tx: &TenantTx,
        context: &PostContext<'_>,
    ) -> Result<BTreeMap<String, CashHistory>, PostError> {
        let entry_keys: Vec<String> = self.source_of_entry.keys().cloned().collect();
        let mut entries =
            load_versions::<BalanceEntry>(tx, context, Entity::BalanceEntry, &entry_keys).await?;
        for (_, version) in &entries {
            let src = self.source_of_entry[&version.document.key];
            for key in ledger_keys([version]) {
                self.source_of_key.entry(key).or_insert(src);
            }
        }
        let dispute_keys: Vec<String> = self.source_of_dispute.keys().cloned().collect();
        let mut disputes = load_versions::<Dispute>(tx, context, Entity::Dispute, &dispute_keys).await?;
        for (_, version) in &disputes {
            let src = self.source_of_dispute[&version.document.key];
            if let Some(payment) = &version.document.payment {
                self.source_of_key.entry(payment.clone()).or_insert(src);
            }
        }
        let keys: Vec<String> = self.source_of_key.keys().cloned().collect();
        let further = standing_under(tx, context, Entity::BalanceEntry, &keys, &self.source_of_entry).await?;
        entries.extend(load_versions::<BalanceEntry>(tx, context, Entity::BalanceEntry, &further).await?);
        let further = standing_under(tx, context, Entity::Dispute, &keys, &self.source_of_dispute).await?;
        disputes.extend(load_versions::<Dispute>(tx, context, Entity::Dispute, &further).await?);

        let mut history = by_key(
            joined(entries, std::mem::take(&mut self.entries)),
            joined(disputes, std::mem::take(&mut self.disputes)),
        );
        let of_connection = (cash_event::Column::ConnectionId, Value::from(context.connection.0));
        for keys in keys.chunks(KEYS_PER_STATEMENT) {
            let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
            let events = tx.find_by_keys::<cash_event::Entity>(
                std::slice::from_ref(&of_connection),
                cash_event::Column::PaymentKey,
                &keys,
            );
            for row in events.await? {
                let key = row.payment_key.clone();
                history.entry(key).or_default().posted.push(row.into_posted()?);
            }
        }
        Ok(history)
    }

    /// What every ledger key of the batch lacks, or has and should not.
    pub(super) fn differences(
        &self,
        context: &PostContext<'_>,
        mut history: BTreeMap<String, CashHistory>,
        quarantined: &mut Vec<Skipped>,
    ) -> Vec<Posting<CashEvent>> {
        let mut postings = Vec::new();
        let mut odd = Vec::new();
        for (key, src) in &self.source_of_key {
            let CashHistory { entries, disputes, posted } = history.remove(key).unwrap_or_default();
            let facts = PaymentFacts { entries: &entries, disputes: &disputes };
            odd.extend(findings(key, &facts, context.calendar));
            match standing_events_under(key, &facts, context.calendar) {
                Ok(should_stand) => postings.extend(difference(should_stand, &posted)),
                Err(error) => {
                    quarantined.push(Skipped { src: *src, path: None, reason: format!("{key}: {error}") });
                }
            }
        }
        tell(context, odd);
        postings
    }
}

/// An entry that moved stands under its newest payment alone: whoever decides needs all versions.
fn by_key(
    entries: Vec<Version<BalanceEntry>>,
    disputes: Vec<Version<Dispute>>,
) -> BTreeMap<String, CashHistory> {
    let mut history: BTreeMap<String, CashHistory> = BTreeMap::new();
    for versions in by_document(entries, |entry| &entry.key).into_values() {
        for key in ledger_keys(&versions) {
            history.entry(key).or_default().entries.extend(versions.iter().cloned());
        }
    }
    for versions in by_document(disputes, |dispute| &dispute.key).into_values() {
        let mut payments: Vec<String> =
            versions.iter().filter_map(|version| version.document.payment.clone()).collect();
        payments.sort();
        payments.dedup();
        for payment in payments {
            history.entry(payment).or_default().disputes.extend(versions.iter().cloned());
        }
    }
    history
}

fn by_document<T>(versions: Vec<Version<T>>, key: fn(&T) -> &String) -> BTreeMap<String, Vec<Version<T>>> {
    let mut documents: BTreeMap<String, Vec<Version<T>>> = BTreeMap::new();
    for version in versions {
        documents.entry(key(&version.document).clone()).or_default().push(version);
    }
    documents
}

/// One line for each thing that is odd, however many documents have it.
fn tell(context: &PostContext<'_>, odd: Vec<Finding>) {
    let mut counted: BTreeMap<String, (Finding, usize)> = BTreeMap::new();
    for finding in odd {
        let word = match &finding {
            Finding::UnknownCategory { word, .. } | Finding::UnknownDisputeState { word, .. } => word.clone(),
            Finding::EntryInOtherCurrency { payout_key, .. } => payout_key.clone(),
        };
        counted.entry(word).or_insert((finding, 0)).1 += 1;
    }
    for (finding, documents) in counted.into_values() {
        tracing::warn!(connection.id = %context.connection, documents, %finding, "a balance is told in unknown words");
    }
}
