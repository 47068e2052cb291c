//! The contract's types ↔ the words of `commerce` and of the port, with the checks that the types
//! alone cannot make.

mod catalogue;
mod check;
mod fault;
mod order;
mod page;
mod payment;
#[cfg(test)]
mod tests;

pub use catalogue::{customer, inventory_level, location, metric, product, staff_member, store};
pub use check::{BadDocument, Check};
pub use fault::fault;
pub use order::{fulfilment, order, refund};
pub use page::{PageCheck, check_report, connection, fetch_request, page, partitions};
pub use payment::{balance_entry, checkout, dispute, payout, transaction};

use portolan_commerce::document::{Document, Skipped};

use crate::bindings::portolan::plugin::commerce as wit;
use crate::text::is_unfit;

/// A document and the raw records that it was made from.
type Converted = Result<(Document, Vec<u32>), BadDocument>;

pub fn skipped(check: &mut Check, item: wit::Skipped) -> Result<Skipped, BadDocument> {
    check.begin("skip", &item.src.to_string());
    // A reason may quote the channel: cut rather than refused.
    let reason: String = item.reason.chars().filter(|character| !is_unfit(*character)).take(500).collect();
    let path: Option<String> =
        item.path.map(|path| path.chars().filter(|character| !is_unfit(*character)).take(200).collect());
    check.spend(size_of::<Skipped>() + reason.len() + path.as_ref().map_or(0, String::len))?;
    Ok(Skipped { src: item.src, path, reason })
}
