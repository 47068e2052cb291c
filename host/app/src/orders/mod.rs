//! Orders: the list, the document, what the ledger says of it.

mod agreement;
pub mod api;
mod customer;
mod detail;
mod kept;
mod lineage;
pub mod lineage_api;
mod list;
mod payment_views;
mod payments;
pub mod payments_api;
mod queries;
#[cfg(test)]
mod tests;
mod views;

use crate::web::route::PageRoutes;

pub fn routes() -> PageRoutes {
    PageRoutes::new().get("/orders", list::list_orders).get("/orders/{id}", detail::show_order)
}
