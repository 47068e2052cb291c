//! The sales ledger: append-only, signed events with two dates, posted by difference.
//!
//! # Posting by difference
//!
//! Documents change; the ledger only grows. We never ask "what does this new version change?", because
//! the answer would depend on which version came before it, and versions arrive in any order, twice, or
//! years late. We ask two simpler questions, each time anything about an order arrives:
//!
//! 1. Given **all** versions of the order and of its refunds, which events *should* stand?
//!    ([`standing_events`]: a pure function of the facts, whatever their order of arrival.)
//! 2. What has to be appended so that exactly these stand? ([`difference`]: a negated copy of each event
//!    that stands and should not, and each event that should stand and doesn't.)
//!
//! So replaying the same data posts nothing, any order of arrival ends in the same ledger, and a
//! correction never rewrites history: what we reported on 1 March is still there, recorded before.
//!
//! **Example.** An order of two mugs at 10.00 EUR arrives on 1 May, shipped to Austria:
//!
//! | recorded | kind | event date | units | gross | country |
//! |---|---|---|---|---|---|
//! | 1 May | sale | 1 May | 2 | 20.00 | AT |
//!
//! On 3 May a version updated that day has one mug: `edit_remove`, units −1, gross −10.00, is appended.
//! On 4 May the channel corrects the country to DE. No money moved, but the events that should stand are
//! others now: of both events a negated copy (country AT) and a replacement (country DE) are appended,
//! each on the business date of the event itself. All versions together sum to 1 mug and 10.00 EUR,
//! all of it in Germany; as of 3 May, they still sum to 10.00 EUR in Austria.
//!
//! # Which events should stand
//!
//! - **A channel that tells its own history** (agreements in the newest version): that history, and
//!   nothing else; refund documents of such an order post nothing. See `agreements`.
//! - **Every other channel**: the first version is sold when the order was placed; later versions are
//!   edits when they were updated; refunds are dated by themselves; what still stands when the order is
//!   cancelled is taken back then. See `history` and `refunds`.
//! - **Attributes** (country, customer, channel, test, placed at, …) are those of the newest version, on
//!   every event. A deleted order stands for nothing, its refunds included.
//! - **Tax inside prices** (`tax_included`, for lines, shipping, refunds and agreements alike) is taken
//!   out of gross and discount in proportion; gross − discount + tax is what was charged, to the cent.
//! - **A document that disagrees with itself** is taken at its word in total: what its header holds beyond
//!   its lines is spread over them or stands by itself. See `state`, and [`findings`] for who should know.
//! - **Unlike currencies** are never added: a refund in another currency than its order stands by itself,
//!   in its own, and nothing of the order is taken back for it.
//!
//! What holds, and is tested as a property: the events of an order add up to its total minus what was
//! refunded; a full refund nets to zero in every amount; sums over lines, kinds or dates equal the total.
//!
//! # What kinds mean to metrics
//!
//! See [`EventKind`]. In short: gross sales and discounts are the sums of sales and edits up, returns are
//! everything taken back, and `net_sales = gross_sales − discounts − returns = Σ (gross − discount)`.

mod agreements;
mod amounts;
mod difference;
mod event;
mod facts;
mod findings;
mod history;
mod kind;
mod movement;
mod posting;
mod refunds;
mod state;

pub use difference::{LedgerEvent, PostedEvent, Posting, difference, standing};
pub use event::SaleEvent;
pub use facts::{OrderFacts, PostingError, Version, ledger_keys};
pub(crate) use facts::{instant, newest};
pub use findings::{Finding, findings};
pub use kind::{EventKind, UnknownEventKind};
pub use posting::{standing_events, standing_events_under};

#[cfg(test)]
mod tests;
