//! Upgrades: a connection moves to another build of its plugin when a person says so, having seen what would
//! change. Builds stay side by side; going back is pointing back.

pub mod api;
mod compare;
pub mod jobs;
pub mod ops;
mod pages;
pub mod queries;
pub mod report;
mod run;
mod shadow;
mod shadow_cash;
pub mod switch;
#[cfg(test)]
mod tests;
mod views;

use crate::web::route::PageRoutes;

pub use views::upgrade_notice;

pub fn routes() -> PageRoutes {
    PageRoutes::new()
        .get("/connections/{id}/upgrade", pages::show_upgrade)
        .post("/connections/{id}/upgrade", pages::start_shadow)
        .post("/connections/{id}/upgrade/{shadow_id}/switch", pages::switch_build)
        .post("/connections/{id}/upgrade/{shadow_id}/cancel", pages::cancel_shadow)
        .post("/connections/{id}/rollback", pages::roll_back)
}
