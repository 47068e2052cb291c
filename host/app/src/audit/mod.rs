//! Who did what: the list, one event, and whether anything of it was changed since.
//!
//! Events are written by the verbs of the other slices, in their transactions: `portolan_access::audit`.

pub mod api;
pub mod jobs;
mod list;
pub mod ops;
mod pages;
mod queries;

use crate::web::route::PageRoutes;

pub fn routes() -> PageRoutes {
    PageRoutes::new()
        .get("/admin/audit", list::list_events)
        .get("/admin/audit/verification", pages::verify_audit)
        .get("/admin/audit/{seq}", pages::show_event)
}
