//! Installed plugins: what each is, may reach and delivers.

pub mod api;
pub mod ops;
mod pages;
mod queries;
#[cfg(test)]
mod tests;
mod views;

use crate::web::route::PageRoutes;

pub fn routes() -> PageRoutes {
    PageRoutes::new().get("/plugins", pages::list_plugins).get("/plugins/{id}", pages::show_plugin)
}
