//! What people do with companies, clients, brands, domains and their own preferences, for the tests of the audit.

use std::sync::Arc;

use portolan_access::{NewPerson, SystemRole, add_person};
use portolan_core::UserId;
use portolan_db::entity::{tenant, tenant_domain};
use sea_orm::{ColumnTrait, QueryFilter};
use serde_json::{Value, json};

use crate::audit::{Sent, Story, id_in};
use crate::branding::LOGO;

async fn add(story: &Story, name: &str) -> UserId {
    let person =
        NewPerson { sign_in_name: name.to_owned(), tenant: story.shop.tenant, role: SystemRole::Viewer };
    let app = Arc::clone(&story.shop.app);
    let added = story.shop.app.db.system_write(move |tx| {
        Box::pin(async move { add_person(tx, person, &*app.clock, &*app.random).await })
    });
    added.await.expect("a person")
}

pub async fn companies_by_api(story: &mut Story) {
    let nothing = || Sent::Json(Value::Null);
    let (own, cleo) = (story.shop.tenant.0, add(story, "cleo").await.0);
    let preferences = Sent::Json(json!({ "theme": "dark" }));
    story.act("put", "/api/v1/account/preferences", &[], preferences, &["preferences.change"]).await;

    let client =
        json!({ "name": "Bakery", "slug": "bakery", "reporting_currency": "EUR", "time_zone": "UTC" });
    let made = story.act("post", "/api/v1/tenants", &[], Sent::Json(client), &["client.create"]).await;
    let client = id_in(&made);
    let grant = Sent::Json(json!({ "person": cleo, "roles": ["viewer"] }));
    let grants = "/api/v1/tenants/{id}/grants";
    story.act("post", grants, &[client], grant, &["client.grant"]).await;
    let revoke = "/api/v1/tenants/{id}/grants/{user_id}";
    story.act("delete", revoke, &[client, cleo], nothing(), &["client.revoke"]).await;
    let release = "/api/v1/tenants/{id}/release";
    story.act("post", release, &[client], nothing(), &["client.release"]).await;
    let change = Sent::Json(json!({ "week_start": 7 }));
    story.act("patch", "/api/v1/tenants/{id}", &[own], change, &["company.change"]).await;

    let branding = "/api/v1/tenants/{id}/branding";
    let looks = Sent::Json(json!({ "name": "open-sesame", "accent": "#0f5280" }));
    story.act("put", branding, &[own], looks, &["branding.change"]).await;
    // The bytes of a small picture.
    let logo = Sent::Json(json!({ "data_base64": "UklGRhIAAABXRUJQVlA4TAYAAAAvAAAAAHg=" }));
    let of_logo = "/api/v1/tenants/{id}/branding/logo";
    story.act("put", of_logo, &[own], logo, &["branding.change"]).await;
    story.act("delete", of_logo, &[own], nothing(), &["branding.change"]).await;
    story.act("delete", branding, &[own], nothing(), &["branding.reset"]).await;

    let domains = "/api/v1/tenants/{id}/domains";
    let domain = Sent::Json(json!({ "domain": "figures.harbour.example" }));
    let made = story.act("post", domains, &[own], domain, &["domain.add"]).await;
    let (verify, domain) = ("/api/v1/tenants/{id}/domains/{domain_id}/verify", id_in(&made));
    story.act("post", verify, &[own, domain], nothing(), &["domain.verify"]).await;
    let one = "/api/v1/tenants/{id}/domains/{domain_id}";
    story.act("delete", one, &[own, domain], nothing(), &["domain.remove"]).await;
}

pub async fn companies_by_pages(story: &mut Story) {
    let nothing = || Sent::Form("");
    let cleo = add(story, "cleo").await.0;
    let form = Sent::Form("theme=dark&start_page=pulse");
    story.act("post", "/account/preferences", &[], form, &["preferences.change"]).await;

    let form =
        format!("name=Bakery&slug=bakery&reporting_currency=eur&time_zone=UTC&owner={}", story.shop.user);
    story.act("post", "/tenants", &[], Sent::Form(&form), &["client.create"]).await;
    let tx = story.shop.app.db.system_read().await.expect("read");
    let made = tx.find::<tenant::Entity>().filter(tenant::Column::Slug.eq("bakery")).one(&tx).await;
    let client = made.expect("read").expect("a client").id;
    drop(tx);
    let form = format!("person={cleo}&role.viewer=true");
    let told = ["client.grant"];
    story.act("post", "/tenants/{id}/grants", &[client], Sent::Form(&form), &told).await;
    let revoke = "/tenants/{id}/grants/{user_id}/revoke";
    story.act("post", revoke, &[client, cleo], nothing(), &["client.revoke"]).await;
    let confirm = Sent::Form("confirm=Bakery");
    story.act("post", "/tenants/{id}/release", &[client], confirm, &["client.release"]).await;

    let here = "/admin/branding";
    let form = Sent::Form("name=open-sesame&mail_sender=Harbour&accent=%230f5280");
    story.act("post", here, &[], form, &["branding.change"]).await;
    let disposition = "Content-Disposition: form-data; name=\"logo\"; filename=\"logo.png\"";
    let file = format!("--b\r\n{disposition}\r\n\r\n{LOGO}\r\n--b--\r\n");
    story.act("post", "/admin/branding/logo", &[], Sent::File(&file), &["branding.change"]).await;
    story.act("post", "/admin/branding/logo/remove", &[], nothing(), &["branding.change"]).await;
    let confirm = Sent::Form("confirm=Shop");
    story.act("post", "/admin/branding/reset", &[], confirm, &["branding.reset"]).await;

    let form = Sent::Form("domain=figures.harbour.example");
    story.act("post", "/admin/domains", &[], form, &["domain.add"]).await;
    let domain = story.shop.rows::<tenant_domain::Entity>().await.pop().expect("a domain").id;
    let verify = "/admin/domains/{domain_id}/verify";
    story.act("post", verify, &[domain], nothing(), &["domain.verify"]).await;
    let (remove, confirm) =
        ("/admin/domains/{domain_id}/remove", Sent::Form("confirm=figures.harbour.example"));
    story.act("post", remove, &[domain], confirm, &["domain.remove"]).await;
}
