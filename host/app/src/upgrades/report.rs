//! What a trial of another build found, as it is kept, shown and answered.

use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What another build would change, over the newest stored pages of each stream.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ShadowReport {
    pub streams: Vec<StreamReport>,
    /// One for each kind of document.
    pub documents: Vec<DocumentsReport>,
    /// Fields that differ, those first that differ most often.
    pub fields: Vec<FieldReport>,
    /// How many further fields differ that are not listed.
    pub fields_left_out: u64,
    /// What would stand in the ledger for these documents, by currency and kind of event.
    pub money: Vec<MoneyReport>,
    /// What would stand in the ledger of the provider's balance for these documents: for each currency all of it, then by
    /// category.
    #[serde(default)]
    pub cash: Vec<CashReport>,
    /// Orders and payments that could not stand in the ledger.
    pub unpostable_before: u64,
    pub unpostable_after: u64,
}

/// What was read of one stream.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StreamReport {
    pub stream: String,
    pub chunks: u64,
    /// Stored pages beyond the newest ones, or beyond what is compared at once.
    pub chunks_left_out: u64,
    pub before: Reading,
    pub after: Reading,
}

/// What one build made of the raw records.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Reading {
    pub seen: u64,
    pub emitted: u64,
    pub skipped: u64,
    /// Pages that it could not read at all.
    pub failed_chunks: u64,
    /// The first few reasons for skipping or failing.
    pub reasons: Vec<String>,
}

/// Documents of one kind.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DocumentsReport {
    pub entity: String,
    pub same: u64,
    pub changed: u64,
    pub added: u64,
    pub removed: u64,
}

/// One field that differs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FieldReport {
    pub entity: String,
    /// `lines[].gross_minor`.
    pub path: String,
    pub documents: u64,
    pub examples: Vec<FieldExample>,
}

/// What a field was and would be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FieldExample {
    /// Of the document.
    pub key: String,
    /// JSON; `absent` where there is none.
    pub before: String,
    pub after: String,
}

/// Events of one kind in one currency. Amounts in minor units; test orders are left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MoneyReport {
    pub currency: String,
    pub kind: String,
    pub events_before: u64,
    pub events_after: u64,
    /// Gross less discounts.
    pub net_minor_before: i64,
    pub net_minor_after: i64,
    /// What buyers are charged.
    pub charged_minor_before: i64,
    pub charged_minor_after: i64,
}

/// Movements of a balance in one currency, in minor units.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CashReport {
    pub currency: String,
    /// Absent where it is all of them together.
    pub category: Option<String>,
    pub entries_before: u64,
    pub entries_after: u64,
    /// Before fees.
    pub gross_minor_before: i64,
    pub gross_minor_after: i64,
    pub fee_minor_before: i64,
    pub fee_minor_after: i64,
    /// Gross less fees.
    pub net_minor_before: i64,
    pub net_minor_after: i64,
}

impl ShadowReport {
    /// Whether the other build says the same of everything.
    pub fn is_unchanged(&self) -> bool {
        let documents = self.documents.iter().all(|row| row.changed + row.added + row.removed == 0);
        let streams = self.streams.iter().all(|row| {
            row.before.skipped == row.after.skipped && row.before.failed_chunks == row.after.failed_chunks
        });
        let cash = self.cash.iter().all(CashReport::is_unchanged);
        documents && streams && cash && self.money.iter().all(MoneyReport::is_unchanged)
    }
}

impl CashReport {
    pub fn is_unchanged(&self) -> bool {
        self.entries_before == self.entries_after
            && self.gross_minor_before == self.gross_minor_after
            && self.fee_minor_before == self.fee_minor_after
            && self.net_minor_before == self.net_minor_after
    }
}

impl MoneyReport {
    pub fn is_unchanged(&self) -> bool {
        self.events_before == self.events_after
            && self.net_minor_before == self.net_minor_after
            && self.charged_minor_before == self.charged_minor_after
    }
}

/// Amounts in minor units.
impl fmt::Display for CashReport {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "payments, {}, {}: {} -> {} entries, gross {} -> {}, fees {} -> {}, net {} -> {}",
            self.category.as_deref().unwrap_or("all"),
            self.currency,
            self.entries_before,
            self.entries_after,
            self.gross_minor_before,
            self.gross_minor_after,
            self.fee_minor_before,
            self.fee_minor_after,
            self.net_minor_before,
            self.net_minor_after
        )
    }
}

/// Amounts in minor units.
impl fmt::Display for MoneyReport {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "sales, {}, {}: {} -> {} events, net {} -> {}, charged {} -> {}",
            self.kind,
            self.currency,
            self.events_before,
            self.events_after,
            self.net_minor_before,
            self.net_minor_after,
            self.charged_minor_before,
            self.charged_minor_after
        )
    }
}
