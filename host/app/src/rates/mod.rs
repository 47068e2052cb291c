//! Exchange rates: what is known of them, and by which of them a tenant's amounts are converted.

pub mod api;
pub mod ops;
mod pages;
pub mod queries;
pub mod read;

use crate::web::route::PageRoutes;

pub fn routes() -> PageRoutes {
    PageRoutes::new()
        .get("/rates", pages::show_rates)
        .post_file("/rates/import", pages::import_rates, read::LARGEST_FILE_BYTES)
        .post("/rates/policy", pages::set_policy)
}
