//! One's companies, and an agency's clients: made, let people into, released. What an agency may see of a client without
//! belonging to it is its name, whether anybody can come in, and how many; `portolan_access` says the rules.

pub mod api;
mod client_page;
pub mod grants_api;
pub mod ops;
mod pages;
mod reach;

use crate::web::route::PageRoutes;

pub fn routes() -> PageRoutes {
    PageRoutes::new()
        .get("/tenants", pages::show_tenants)
        .post("/tenants", pages::make_client)
        .get("/tenants/{id}", client_page::show_tenant)
        .post("/tenants/{id}/grants", client_page::grant)
        .post("/tenants/{id}/grants/{user_id}/revoke", client_page::revoke)
        .post("/tenants/{id}/release", client_page::release)
}
