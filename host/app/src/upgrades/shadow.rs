//! What two builds make of the same pages, side by side, and what would stand in the ledger for it: posted in
//! memory by the same pure rules, and stored nowhere.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use portolan_commerce::document::{Document, Order, Refund};
use portolan_commerce::ledger::{OrderFacts, Version, ledger_keys, standing_events_under};
use portolan_connector::Normalized;
use portolan_core::{Instant, StoreCalendar};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::compare::differences;
use super::report::{
    DocumentsReport, FieldExample, FieldReport, MoneyReport, Reading, ShadowReport, StreamReport,
};
use super::shadow_cash::{BalanceSide, cash_report};
use crate::ingest::entity_name;
use crate::ingest::head::{DocumentHead, without_provenance};
use crate::ingest::read::Unreadable;

const MOST_REASONS: usize = 5;
const MOST_EXAMPLES: usize = 3;
const MOST_FIELDS: usize = 100;

/// What a build made of one page.
pub type Outcome = Result<Normalized, Unreadable>;

/// Grows page by page.
#[derive(Default)]
pub struct Shadow {
    streams: BTreeMap<String, StreamReport>,
    documents: BTreeMap<&'static str, DocumentsReport>,
    fields: BTreeMap<(&'static str, String), FieldReport>,
    before: Side,
    after: Side,
}

impl Shadow {
    /// Takes up what the two builds made of a page.
    pub fn add(&mut self, stream: &str, received_at: Instant, before: Outcome, after: Outcome) {
        let report = self.stream(stream);
        report.chunks += 1;
        count(&mut report.before, &before);
        count(&mut report.after, &after);
        let before = Read::of(before.map(|normalized| normalized.documents).unwrap_or_default());
        let after = Read::of(after.map(|normalized| normalized.documents).unwrap_or_default());
        self.compare(&before, &after);
        self.before.take(before, received_at);
        self.after.take(after, received_at);
    }

    /// Notes pages of a stream that are not compared.
    pub fn leave_out(&mut self, stream: &str, chunks: u64) {
        self.stream(stream).chunks_left_out += chunks;
    }

    fn stream(&mut self, stream: &str) -> &mut StreamReport {
        let report = self.streams.entry(stream.to_owned()).or_default();
        stream.clone_into(&mut report.stream);
        report
    }

    fn compare(&mut self, before: &Read, after: &Read) {
        let nothing = Vec::new();
        let keys: BTreeSet<&(&'static str, String)> =
            before.of_key.keys().chain(after.of_key.keys()).collect();
        for key in keys {
            let (olds, news) =
                (before.of_key.get(key).unwrap_or(&nothing), after.of_key.get(key).unwrap_or(&nothing));
            let report = self.documents.entry(key.0).or_default();
            key.0.clone_into(&mut report.entity);
            let both = olds.len().min(news.len());
            report.removed += (olds.len() - both) as u64;
            report.added += (news.len() - both) as u64;
            for (old, new) in olds.iter().zip(news) {
                if old == new {
                    report.same += 1;
                    continue;
                }
                report.changed += 1;
                let mut told = BTreeSet::new();
                for difference in differences(old, new) {
                    let field = self.fields.entry((key.0, difference.path.clone())).or_default();
                    if told.insert(difference.path.clone()) {
                        field.documents += 1;
                    }
                    if field.examples.len() < MOST_EXAMPLES {
                        field.examples.push(FieldExample {
                            key: key.1.clone(),
                            before: difference.before,
                            after: difference.after,
                        });
                    }
                }
            }
        }
    }

    /// What the other build would change.
    ///
    /// Errors: sums that do not fit into 64 bits of minor units.
    pub fn finish(self, calendar: &StoreCalendar) -> Result<ShadowReport, String> {
        let (before, unpostable_before) = self.before.standing(calendar);
        let (after, unpostable_after) = self.after.standing(calendar);
        let (cash_before, unpostable_cash_before) = self.before.balance.standing(calendar);
        let (cash_after, unpostable_cash_after) = self.after.balance.standing(calendar);
        let mut fields: Vec<FieldReport> = self
            .fields
            .into_iter()
            .map(|((entity, path), field)| FieldReport { entity: entity.to_owned(), path, ..field })
            .collect();
        fields.sort_by(|left, right| {
            right.documents.cmp(&left.documents).then_with(|| left.path.cmp(&right.path))
        });
        let fields_left_out = fields.len().saturating_sub(MOST_FIELDS) as u64;
        fields.truncate(MOST_FIELDS);
        Ok(ShadowReport {
            streams: self.streams.into_values().collect(),
            documents: self.documents.into_values().collect(),
            fields,
            fields_left_out,
            money: money(&before, &after)?,
            cash: cash_report(&cash_before, &cash_after)?,
            unpostable_before: unpostable_before + unpostable_cash_before,
            unpostable_after: unpostable_after + unpostable_cash_after,
        })
    }
}

fn count(reading: &mut Reading, outcome: &Outcome) {
    let mut tell = |reason: String| {
        if reading.reasons.len() < MOST_REASONS && !reading.reasons.contains(&reason) {
            reading.reasons.push(reason);
        }
    };
    match outcome {
        Ok(normalized) => {
            normalized.skipped.iter().for_each(|skipped| tell(skipped.reason.clone()));
            reading.seen += u64::from(normalized.seen);
            reading.emitted += u64::from(normalized.emitted);
            reading.skipped += u64::from(normalized.seen.saturating_sub(normalized.emitted));
        }
        Err(unreadable) => {
            tell(unreadable.detail.clone());
            reading.failed_chunks += 1;
        }
    }
}

/// The documents of one page.
struct Read {
    of_key: BTreeMap<(&'static str, String), Vec<Value>>,
    documents: Vec<Document>,
}

impl Read {
    fn of(documents: Vec<Document>) -> Self {
        let documents: Vec<Document> = documents.into_iter().map(without_provenance).collect();
        let mut of_key: BTreeMap<(&'static str, String), Vec<Value>> = BTreeMap::new();
        for document in &documents {
            let head = DocumentHead::of(document);
            let value = serde_json::to_value(document).unwrap_or_default();
            of_key.entry((entity_name(head.entity), head.key)).or_default().push(value);
        }
        Self { of_key, documents }
    }
}

/// Everything that one build says of orders, refunds and balances.
#[derive(Default)]
struct Side {
    orders: HashMap<String, Vec<Version<Order>>>,
    refunds: HashMap<String, Vec<Version<Refund>>>,
    balance: BalanceSide,
}

/// Sums by currency and kind.
type Sums = BTreeMap<(String, String), Sum>;

#[derive(Default, Clone, Copy)]
struct Sum {
    events: u64,
    net_minor: i128,
    charged_minor: i128,
}

impl Side {
    fn take(&mut self, read: Read, received_at: Instant) {
        for document in read.documents {
            let text = serde_json::to_string(&document).unwrap_or_default();
            let hash: [u8; 32] = Sha256::digest(text.as_bytes()).into();
            match document {
                Document::Order(order) => {
                    let versions = self.orders.entry(order.key.clone()).or_default();
                    keep(versions, Version { document: *order, received_at, hash });
                }
                Document::Refund(refund) => {
                    let versions = self.refunds.entry(refund.key.clone()).or_default();
                    keep(versions, Version { document: *refund, received_at, hash });
                }
                Document::BalanceEntry(entry) => {
                    self.balance.take_entry(Version { document: entry, received_at, hash });
                }
                Document::Dispute(dispute) => {
                    self.balance.take_dispute(Version { document: dispute, received_at, hash });
                }
                _ => {}
            }
        }
    }

    /// What would stand under every key, and how many keys could not stand.
    fn standing(&self, calendar: &StoreCalendar) -> (Sums, u64) {
        let mut refunds_under: HashMap<String, Vec<Version<Refund>>> = HashMap::new();
        for versions in self.refunds.values() {
            for key in ledger_keys(versions) {
                refunds_under.entry(key).or_default().extend(versions.iter().cloned());
            }
        }
        let keys: BTreeSet<&String> = self.orders.keys().chain(refunds_under.keys()).collect();
        let (mut sums, mut unpostable) = (Sums::new(), 0);
        for key in keys {
            let orders = self.orders.get(key).map_or(&[][..], Vec::as_slice);
            let refunds = refunds_under.get(key).map_or(&[][..], Vec::as_slice);
            let Ok(events) = standing_events_under(key, &OrderFacts { orders, refunds }, calendar) else {
                unpostable += 1;
                continue;
            };
            for event in events.into_iter().filter(|event| !event.test) {
                let group = (event.currency.to_string(), event.kind.as_str().to_owned());
                let sum = sums.entry(group).or_default();
                sum.events += 1;
                sum.net_minor += i128::from(event.gross_minor) - i128::from(event.discount_minor);
                sum.charged_minor += event.charged_minor();
            }
        }
        (sums, unpostable)
    }
}

/// A version that is met again counts once, by its newest receipt.
pub(super) fn keep<T>(versions: &mut Vec<Version<T>>, version: Version<T>) {
    match versions.iter_mut().find(|known| known.hash == version.hash) {
        Some(known) => known.received_at = known.received_at.max(version.received_at),
        None => versions.push(version),
    }
}

fn money(before: &Sums, after: &Sums) -> Result<Vec<MoneyReport>, String> {
    let fits = |amount_minor: i128| {
        i64::try_from(amount_minor).map_err(|_| "A sum of money does not fit into 64 bits.".to_owned())
    };
    let groups: BTreeSet<&(String, String)> = before.keys().chain(after.keys()).collect();
    groups
        .into_iter()
        .map(|group| {
            let of = |sums: &Sums| sums.get(group).copied().unwrap_or_default();
            let (before, after) = (of(before), of(after));
            Ok(MoneyReport {
                currency: group.0.clone(),
                kind: group.1.clone(),
                events_before: before.events,
                events_after: after.events,
                net_minor_before: fits(before.net_minor)?,
                net_minor_after: fits(after.net_minor)?,
                charged_minor_before: fits(before.charged_minor)?,
                charged_minor_after: fits(after.charged_minor)?,
            })
        })
        .collect()
}
