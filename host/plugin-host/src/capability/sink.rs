//! `sink`: what normalize emits, checked on arrival, and the conservation count at the end.

use portolan_commerce::document::{Document, Skipped};

use crate::bindings::exports::portolan::plugin::normalizer::Summary;
use crate::bindings::portolan::plugin::commerce as wit;
use crate::bindings::portolan::plugin::sink::Host;
use crate::convert::{self, BadDocument, Check};
use crate::limits::Stop;
use crate::state::HostState;

/// Documents of one call of the interface, as wit/commerce.wit promises.
const LARGEST_BATCH: usize = 500;

/// The output of one normalize call.
pub struct Sink {
    documents: Vec<Document>,
    skipped: Vec<Skipped>,
    /// Raw records that contributed to a document, in order of arrival.
    covered: Vec<u32>,
    check: Check,
    rows_left: usize,
    max_rows: usize,
}

impl Sink {
    pub fn new(max_rows: usize, max_bytes: usize) -> Self {
        Self {
            documents: Vec::new(),
            skipped: Vec::new(),
            covered: Vec::new(),
            check: Check::new(max_bytes),
            rows_left: max_rows,
            max_rows,
        }
    }

    pub fn into_output(self) -> (Vec<Document>, Vec<Skipped>) {
        (self.documents, self.skipped)
    }

    /// Whether every raw record that the plugin says it saw is accounted for.
    ///
    /// Errors: a sentence with the numbers that do not agree.
    pub fn reconcile(&self, summary: &Summary) -> Result<(), String> {
        let Summary { seen, emitted, skipped } = *summary;
        if u64::from(seen) != u64::from(emitted) + u64::from(skipped) {
            return Err(format!(
                "normalize saw {seen} raw records but emitted {emitted} and skipped {skipped}"
            ));
        }
        let mut covered = self.covered.clone();
        covered.sort_unstable();
        covered.dedup();
        let mut skips: Vec<u32> = self.skipped.iter().map(|skip| skip.src).collect();
        skips.sort_unstable();
        skips.dedup();
        if let Some(beyond) = covered.last().max(skips.last()).filter(|last| **last >= seen) {
            return Err(format!(
                "normalize names raw record {beyond}, but it saw {seen} (they count from 0)"
            ));
        }
        // A record whose order was emitted and whose refund was skipped was emitted.
        skips.retain(|src| covered.binary_search(src).is_err());
        if covered.len() as u64 != u64::from(emitted) {
            return Err(format!(
                "normalize says it emitted {emitted} raw records, but the documents name {} of them",
                covered.len()
            ));
        }
        if skips.len() as u64 != u64::from(skipped) {
            return Err(format!(
                "normalize says it skipped {skipped} raw records, but it gave reasons for {} of them",
                skips.len()
            ));
        }
        Ok(())
    }

    fn take<T>(
        &mut self,
        batch: Vec<T>,
        convert: impl Fn(&mut Check, T) -> Result<(Document, Vec<u32>), BadDocument>,
    ) -> Result<(), Stop> {
        if batch.len() > LARGEST_BATCH {
            return Err(Stop::Output {
                detail: format!(
                    "it emitted {} documents in one call, the contract allows {LARGEST_BATCH}: use the SDK's sink, or hand over smaller batches",
                    batch.len()
                ),
            });
        }
        self.spend(batch.len())?;
        for item in batch {
            self.check.spend(size_of::<Document>()).map_err(BadDocument::stop)?;
            let (document, records) = convert(&mut self.check, item).map_err(BadDocument::stop)?;
            self.covered.extend(records);
            self.documents.push(document);
        }
        Ok(())
    }

    fn skip(&mut self, items: Vec<wit::Skipped>) -> Result<(), Stop> {
        self.spend(items.len())?;
        for item in items {
            let skipped = convert::skipped(&mut self.check, item).map_err(BadDocument::stop)?;
            self.skipped.push(skipped);
        }
        Ok(())
    }

    fn spend(&mut self, rows: usize) -> Result<(), Stop> {
        self.rows_left = self.rows_left.checked_sub(rows).ok_or_else(|| Stop::Output {
            detail: format!(
                "normalize emitted more than {} documents from one chunk: let fetch return smaller chunks",
                self.max_rows
            ),
        })?;
        Ok(())
    }
}

/// One function of the interface: hand the batch to the sink, remember why if it stops the call.
macro_rules! emit {
    ($name:ident, $item:ty, $convert:path) => {
        fn $name(&mut self, batch: Vec<$item>) -> wasmtime::Result<()> {
            self.sink.take(batch, $convert).map_err(|stop| self.meter.stop(stop))
        }
    };
}

impl Host for HostState {
    emit!(orders, wit::Order, convert::order);
    emit!(refunds, wit::Refund, convert::refund);
    emit!(transactions, wit::Transaction, convert::transaction);
    emit!(balance_entries, wit::BalanceEntry, convert::balance_entry);
    emit!(payouts, wit::Payout, convert::payout);
    emit!(disputes, wit::Dispute, convert::dispute);
    emit!(checkouts, wit::Checkout, convert::checkout);
    emit!(products, wit::Product, convert::product);
    emit!(inventory, wit::InventoryLevel, convert::inventory_level);
    emit!(stores, wit::Store, convert::store);
    emit!(locations, wit::Location, convert::location);
    emit!(staff, wit::StaffMember, convert::staff_member);
    emit!(fulfilments, wit::Fulfilment, convert::fulfilment);
    emit!(customers, wit::Customer, convert::customer);
    emit!(metrics, wit::Metric, convert::metric);

    fn skip(&mut self, items: Vec<wit::Skipped>) -> wasmtime::Result<()> {
        self.sink.skip(items).map_err(|stop| self.meter.stop(stop))
    }
}

#[cfg(test)]
mod tests;
