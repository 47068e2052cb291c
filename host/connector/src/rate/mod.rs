//! Rate budgets: what is left of a channel's quota, and the port behind which those who share one meet.
//!
//! [`Budget`] is pure: it knows no clock, no network and no database. Who keeps budgets (in this process, or for all
//! processes of a database) is behind [`RateBudgets`].

mod budget;
mod local;

pub use budget::{Budget, RateLimit, Told};
pub use local::LocalBudgets;

use std::sync::Arc;

use async_trait::async_trait;

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
