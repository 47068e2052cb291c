//! What a company says about itself: its name, the currency of its reports, where its days begin.

mod ops;
mod pages;

use crate::web::route::PageRoutes;

pub fn routes() -> PageRoutes {
    PageRoutes::new()
        .get("/admin/company", pages::show_company)
        .post("/admin/company", pages::save_company)
        .get("/setup/company", pages::show_company_in_set_up)
        .post("/setup/company", pages::save_company_in_set_up)
}
