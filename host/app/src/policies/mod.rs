//! Policies: which rows and columns of the data are kept to some, what is known of people for them, and what somebody
//! sees by all of it. How they hold is in [`crate::web::seen`] and [`crate::channels::seen`].

pub mod api;
mod form;
pub mod ops;
mod pages;
mod text;

use crate::web::route::PageRoutes;

pub fn routes() -> PageRoutes {
    PageRoutes::new()
        .get("/admin/policies", pages::list_policies)
        .post("/admin/policies", pages::make_policy)
        .get("/admin/policies/{id}", pages::show_policy)
        .post("/admin/policies/{id}", pages::save_policy)
        .post("/admin/policies/{id}/delete", pages::remove_policy)
        .post("/admin/people/{id}/attributes", pages::save_person_attributes)
}
