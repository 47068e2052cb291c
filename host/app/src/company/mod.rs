//! What a company says about itself: its name, the currency of its reports, where its days begin; how it looks; and under
//! which domains it is reached.

pub mod branding;
pub mod domains;
mod ops;
mod pages;

pub use ops::{TypedCompany, change_company};

use uuid::Uuid;

use crate::web::actor::Require;
use crate::web::error::{AppError, AppResult};
use crate::web::route::PageRoutes;

pub fn routes() -> PageRoutes {
    PageRoutes::new()
        .get("/admin/company", pages::show_company)
        .post("/admin/company", pages::save_company)
        .get("/setup/company", pages::show_company_in_set_up)
        .post("/setup/company", pages::save_company_in_set_up)
        .merge(branding::routes())
        .merge(domains::routes())
}

/// Fails unless this is the company that the session or key works for: all others are not found.
pub(crate) fn check_own<G>(actor: &Require<G>, id: Uuid) -> AppResult<()> {
    if id == actor.tenant.0 { Ok(()) } else { Err(AppError::not_found("company")) }
}
