//! The cash ledger: what a payment provider's balance did. Append-only, signed events, posted by
//! difference as those of the sales ledger are (see [`ledger`](crate::ledger)).
//!
//! # Which events should stand
//!
//! A provider tells its balance entry by entry, and one entry is one event: its newest version, dated by
//! itself. A deleted entry stands for nothing. Entries of one payment (the charge, its refunds, disputes
//! and fees) are posted together under the payment's key, because each is also dated by the payment it
//! belongs to: a dispute of May counts against the payments of March. An entry without a payment is posted
//! under its own key. One that moves to another payment is posted anew under both keys.
//!
//! **Example.** A charge of 10.00 USD on 1 May settles as 9.15 EUR, of which the provider keeps 0.45. On
//! 10 May the buyer gets the 10.00 USD back; the euro has lost value, so 9.22 EUR leave the balance:
//!
//! | category | event date | payment date | amount | fee | net | charged |
//! |---|---|---|---|---|---|---|
//! | sale | 1 May | 1 May | 9.15 EUR | 0.45 | 8.70 | 10.00 USD |
//! | refund | 10 May | 1 May | −9.22 EUR | 0 | −9.22 | −10.00 USD |
//!
//! What the buyer paid nets to zero in USD; in EUR −0.07 of exchange and the fee of 0.45 are left. Nothing is
//! ever added across the two currencies.
//!
//! # What holds
//!
//! Amounts are those of the balance and its currency, signed as the balance moves: `net = amount − fee`. A
//! payout is the sum of `net` of the other entries that name it: [`payout_check`] says whether it is. Which
//! order a payment paid for is told by [`match_payment`], and never guessed.

mod category;
mod dispute;
mod event;
mod findings;
mod link;
mod payout;
mod posting;
mod totals;

pub use category::{BalanceCategory, UnknownBalanceCategory};
pub use dispute::{DisputePhase, DisputeReason, DisputeState, UnknownDisputeState};
pub use event::CashEvent;
pub use findings::{Finding, findings};
pub use link::{OrderClues, PaymentClues, PaymentLink, match_payment, spellings};
pub use payout::{PayoutCheck, is_payout_itself, payout_check};
pub use posting::{PaymentFacts, ledger_key, ledger_keys, standing_events_under};
pub use totals::{CashTotals, totals};

#[cfg(test)]
mod tests;
