//! The money itself: payouts, whether their entries add up to them, and what went off on the way.

pub mod api;
pub mod links;
mod list;
mod payout;
pub mod queries;
mod views;

use crate::web::route::PageRoutes;

pub use views::words;

pub fn routes() -> PageRoutes {
    PageRoutes::new().get("/finance", list::list_payouts).get("/finance/payouts/{id}", payout::show_payout)
}
