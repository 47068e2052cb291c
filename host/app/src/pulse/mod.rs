//! Pulse: how the business does, on one page.

pub mod api;
#[cfg(test)]
mod chart_tests;
mod charts;
mod kpis;
mod money;
#[cfg(test)]
mod money_tests;
mod money_views;
mod pages;
mod queries;
mod scope;
#[cfg(test)]
mod tests;
mod views;

use crate::web::route::PageRoutes;

pub fn routes() -> PageRoutes {
    PageRoutes::new().get("/pulse", pages::show_pulse)
}
