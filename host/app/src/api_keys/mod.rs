//! Keys for programs: everybody makes and ends their own; whoever may manage keys sees and ends all of them.

pub mod api;
pub mod ops;
mod pages;
pub mod tokens_api;

use crate::web::route::PageRoutes;

pub fn routes() -> PageRoutes {
    PageRoutes::new()
        .get("/admin/api-keys", pages::list_keys)
        .post("/admin/api-keys", pages::create_key)
        .post("/admin/api-keys/{id}/rotate", pages::rotate_key)
        .post("/admin/api-keys/{id}/revoke", pages::revoke_key)
}
