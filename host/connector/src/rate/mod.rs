//! Rate budgets: what is left of a channel's quota, and the port behind which those who share one meet.
//!
//! [`Budget`] is pure: it knows no clock, no network and no database. Who keeps budgets (in this process, or for all
//! processes of a database) is behind [`RateBudgets`].

mod budget;
mod local;
mod seating;

pub use budget::{Budget, RateLimit, Told};
pub use local::LocalBudgets;
pub use seating::{Seating, Ticket};

use std::sync::Arc;

use async_trait::async_trait;
use portolan_core::Duration;

/// Whose quota it is, in a form that tells nothing about them.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Holder(pub Arc<str>);

/// Keeps the budgets of all quota holders.
#[async_trait]
pub trait RateBudgets: Send + Sync + 'static {
    /// Draws tokens for a request that is about to be sent.
    ///
    /// Errors: milliseconds until the budget holds enough; nothing was drawn.
    async fn draw(&self, holder: &Holder, limit: RateLimit, cost: u32) -> Result<(), u64>;

    /// The channel said how much is left.
    fn observe(&self, holder: &Holder, limit: RateLimit, told: Told);

    /// The channel refused a request because there were too many, although the budget allowed it.
    async fn refused(&self, holder: &Holder, limit: RateLimit, after_ms: Option<u64>);
}

/// Keeps the seats among requests in flight of all quota holders, for processes that share them.
#[async_trait]
pub trait RateSeats: Send + Sync + 'static {
    /// A ticket that no other request has.
    fn ticket(&self) -> Ticket;

    /// Whether the ticket has a seat among so many. Where not, it is to be asked for again soon, or given up.
    async fn sit(&self, holder: &Holder, ticket: Ticket, most: u32, held: Duration) -> bool;

    /// Gives the ticket's seat back, or its place in the queue.
    async fn rise(&self, holder: &Holder, ticket: Ticket);
}
