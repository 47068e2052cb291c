//! People of a tenant: who belongs to it, in which teams and with which roles, what each may do and why; and how one
//! comes in, leaves, and goes to another tenant.

pub mod api;
mod erase;
mod join;
mod operator;
pub mod ops;
mod pages;
mod role_pages;
pub mod roles_api;
mod team_pages;
pub mod teams_api;

use crate::web::route::PageRoutes;

pub use erase::erase_person;
pub use operator::{
    Founding, NewTenant, OperatorChange, add_client_tenant, add_owner, add_tenant, add_with_role,
    all_tenants, change_member, check_may_have_clients, create_tenant, find_member, find_person, find_tenant,
    first_tenant, list_custom_roles, list_members, reset_second_factor,
};
pub(crate) use pages::{ROLE_FIELD, Sent, chosen, role_fields, words};

const WAY_IN: &str = "it is the way in for whoever was invited; the link itself is the secret";

pub fn routes() -> PageRoutes {
    PageRoutes::new()
        .get("/admin/people", pages::list_people)
        .post("/admin/people", pages::invite_person)
        .get("/admin/people/{id}", pages::show_person)
        .post("/admin/people/{id}/roles", pages::save_roles)
        .post("/admin/people/{id}/ban", pages::ban_person)
        .post("/admin/people/{id}/unban", pages::unban_person)
        .post("/admin/people/{id}/sign-out", pages::sign_out_person)
        .post("/admin/people/{id}/remove", pages::remove_person)
        .post("/admin/invitations/{id}/withdraw", pages::withdraw)
        .post("/admin/leave", pages::leave)
        .post("/admin/teams", team_pages::make_team)
        .get("/admin/teams/{id}", team_pages::show_team)
        .post("/admin/teams/{id}/name", team_pages::name_team)
        .post("/admin/teams/{id}/members", team_pages::save_members)
        .post("/admin/teams/{id}/roles", team_pages::save_roles)
        .post("/admin/teams/{id}/delete", team_pages::remove_team)
        .get("/admin/roles", role_pages::show_roles)
        .get("/admin/roles/new", role_pages::show_new_role)
        .post("/admin/roles/new", role_pages::make_role)
        .get("/admin/roles/{name}", role_pages::show_role)
        .post("/admin/roles/{name}", role_pages::save_role)
        .post("/admin/roles/{name}/delete", role_pages::remove_role)
        .post("/tenants/switch", join::switch_tenant)
        .public_get("/invitations/{token}", join::show_invitation, WAY_IN)
        .public_post("/invitations/{token}", join::accept_invitation, WAY_IN)
}
