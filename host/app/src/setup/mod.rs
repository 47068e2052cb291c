//! Setting up a host on which nobody is yet: the first owner, a second factor, the company, the first store. The token
//! of the first step is printed by the server; the others are pages of somebody who is signed in.

mod lead;
mod ops;
mod pages;

use crate::web::route::PageRoutes;

pub use lead::lead_to_set_up;
pub use ops::make_first_owner;

const NOBODY_YET: &str = "nobody is there who could sign in; the token that the server printed is the secret";

/// The company's step is the company's own page.
pub fn routes() -> PageRoutes {
    PageRoutes::new()
        .public_get("/setup", pages::show_set_up, NOBODY_YET)
        .public_post("/setup", pages::make_owner, NOBODY_YET)
        .get("/setup/second-factor", pages::show_second_factor)
        .get("/setup/first-data", pages::show_first_data)
}
