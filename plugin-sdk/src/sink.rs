//! Where `normalize` puts documents: all of a record or nothing, at most 500 a call, and the
//! conservation count kept on the way.

use crate::bindings::exports::portolan::plugin::normalizer::Summary;
use crate::commerce::{
    BalanceEntry, Checkout, Customer, Dispute, Fulfilment, InventoryLevel, Location, Metric, Order, Payout,
    Product, Refund, Skipped, StaffMember, Store, Transaction,
};
use crate::{BadRecord, Error, RecordResult, Result};

/// The most documents in one call to the host.
pub const LARGEST_BATCH: usize = 500;

/// How many documents or dead letters wait before they are handed over. Fewer than may be: so much
/// stays in the processor's cache on both sides, and the instance touches less memory, all of which is
/// new to it.
const USUAL_BATCH: usize = 100;

/// A canonical document that can be put into a [`Sink`].
pub trait Document: Sized + Clone {
    /// Index of its first raw record inside the chunk.
    fn src(&self) -> u32;
    /// Its further raw records.
    fn also(&self) -> &[u32] {
        &[]
    }
    #[doc(hidden)]
    fn buffer(buffers: &mut Buffers) -> &mut Vec<Self>;
}

macro_rules! documents {
    ($($document:ident => $buffer:ident $(, $also:ident)?;)*) => {
        /// Documents that wait to be handed over; one list per entity.
        #[doc(hidden)]
        #[derive(Debug, Clone, Default, PartialEq, Eq)]
        pub struct Buffers {
            $(pub $buffer: Vec<$document>,)*
        }

        /// How long each list was.
        #[derive(Default)]
        struct Mark {
            $($buffer: usize,)*
        }

        impl Buffers {
            fn mark(&self) -> Mark {
                Mark { $($buffer: self.$buffer.len(),)* }
            }

            fn roll_back(&mut self, mark: &Mark) {
                $(self.$buffer.truncate(mark.$buffer);)*
            }

            /// Every raw record that the documents behind the mark were made from.
            fn sources_since(&self, mark: &Mark, mut note: impl FnMut(u32)) {
                $(for document in &self.$buffer[mark.$buffer..] {
                    note(document.src());
                    document.also().iter().copied().for_each(&mut note);
                })*
            }

            fn largest(&self) -> usize {
                0 $(.max(self.$buffer.len()))*
            }

            #[cfg(not(target_arch = "wasm32"))]
            pub(crate) fn append(&mut self, mut other: Self) {
                $(self.$buffer.append(&mut other.$buffer);)*
            }

            fn hand_over(&mut self) {
                $(for batch in self.$buffer.chunks(LARGEST_BATCH) {
                    crate::host::emit::$buffer(batch);
                }
                self.$buffer.clear();)*
            }
        }

        $(impl Document for $document {
            fn src(&self) -> u32 {
                self.src
            }
            $(fn also(&self) -> &[u32] {
                &self.$also
            })?
            fn buffer(buffers: &mut Buffers) -> &mut Vec<Self> {
                &mut buffers.$buffer
            }
        })*
    };
}

documents! {
    Order => orders, also;
    Refund => refunds, also;
    Transaction => transactions;
    BalanceEntry => balance_entries;
    Payout => payouts;
    Dispute => disputes;
    Checkout => checkouts;
    Product => products;
    InventoryLevel => inventory;
    Store => stores;
    Location => locations;
    StaffMember => staff;
    Fulfilment => fulfilments;
    Customer => customers;
    Metric => metrics;
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    Seen,
    Emitted,
    Skipped,
}

/// Takes the documents of one chunk.
pub struct Sink {
    buffers: Buffers,
    skipped: Vec<Skipped>,
    fates: Vec<Fate>,
}

impl Sink {
    pub(crate) fn new() -> Self {
        Self { buffers: Buffers::default(), skipped: Vec::new(), fates: Vec::new() }
    }

    /// Adds a document. Inside [`Sink::record`] it stands only if the whole record does.
    pub fn push<D: Document>(&mut self, document: D) {
        D::buffer(&mut self.buffers).push(document);
    }

    /// Maps one raw record: what it pushes stands if it succeeds, else the record is a dead letter.
    pub fn record(&mut self, src: u32, map: impl FnOnce(&mut Self) -> RecordResult) {
        self.records(&[src], map);
    }

    /// Maps several raw records that make one document: all of them stand or none does. The record
    /// to blame carries the reason; the others say that they went with it.
    pub fn records(&mut self, sources: &[u32], map: impl FnOnce(&mut Self) -> RecordResult) {
        sources.iter().for_each(|src| self.see(*src));
        let mark = self.buffers.mark();
        match map(self) {
            Ok(()) => self.note_emitted(&mark),
            Err(bad) => {
                self.buffers.roll_back(&mark);
                self.skip_all(sources, &bad);
            }
        }
        if self.buffers.largest().max(self.skipped.len()) >= USUAL_BATCH {
            self.hand_over();
        }
    }

    /// Puts one raw record aside as a dead letter.
    pub fn skip(&mut self, src: u32, bad: BadRecord) {
        self.see(src);
        if self.fates[src as usize] == Fate::Seen {
            self.fates[src as usize] = Fate::Skipped;
            self.skipped.push(Skipped { src, path: bad.path, reason: bad.reason });
        }
    }

    fn skip_all(&mut self, sources: &[u32], bad: &BadRecord) {
        for src in sources {
            let blamed = bad.blamed.unwrap_or(*src);
            if blamed == *src {
                self.skip(*src, bad.clone());
            } else {
                let reason = format!("record {blamed} of the same document can't be used: {}", bad.reason);
                self.skip(*src, BadRecord::new(reason));
            }
        }
    }

    fn see(&mut self, src: u32) {
        let needed = src as usize + 1;
        if self.fates.len() < needed {
            self.fates.resize(needed, Fate::Seen);
        }
    }

    fn note_emitted(&mut self, mark: &Mark) {
        let fates = &mut self.fates;
        self.buffers.sources_since(mark, |src| {
            let index = src as usize;
            if fates.len() <= index {
                fates.resize(index + 1, Fate::Seen);
            }
            fates[index] = Fate::Emitted;
        });
    }

    fn hand_over(&mut self) {
        self.buffers.hand_over();
        for batch in self.skipped.chunks(LARGEST_BATCH) {
            crate::host::emit::skip(batch);
        }
        self.skipped.clear();
    }

    /// Hands over the rest and counts: `seen = emitted + skipped`. A record of which nothing came
    /// and that nobody skipped is a dead letter too, for nothing may vanish unseen.
    pub(crate) fn finish(mut self) -> Result<Summary> {
        let start = Mark::default();
        self.note_emitted(&start);
        for src in 0..self.fates.len() as u32 {
            if self.fates[src as usize] == Fate::Seen {
                self.skip(src, BadRecord::new("no document came of this record"));
            }
        }
        self.hand_over();
        let count = |fate| self.fates.iter().filter(|each| **each == fate).count() as u32;
        let summary = Summary {
            seen: self.fates.len() as u32,
            emitted: count(Fate::Emitted),
            skipped: count(Fate::Skipped),
        };
        if summary.emitted + summary.skipped != summary.seen {
            return Err(Error::PluginBug(format!("the count does not add up: {summary:?}")));
        }
        Ok(summary)
    }
}
