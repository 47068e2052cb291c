//! Domains of a company's own. Whoever shows by a TXT record that a domain is theirs is reached under it: the host answers there,
//! requests from there count as its own, and the sign-in page shows the company's brand. Certificates are the proxy's in
//! front.
//!
//! **Invariants**
//! - Claiming a domain keeps it from nobody. One company has it at a time: the one that has shown it, until its record is
//!   gone for three days.
//! - What a domain is called is compared in one form: small ASCII letters, punycode.
//! - A request is of a domain by its `Host` header alone, and only while that domain is verified.

pub mod api;
pub mod jobs;
pub mod lookup;
pub mod name;
pub mod ops;
mod pages;
pub mod state;

use crate::web::route::PageRoutes;

pub fn routes() -> PageRoutes {
    PageRoutes::new()
        .get("/admin/domains", pages::show_domains)
        .post("/admin/domains", pages::add_domain)
        .post("/admin/domains/{domain_id}/verify", pages::verify_domain)
        .post("/admin/domains/{domain_id}/remove", pages::remove_domain)
}
