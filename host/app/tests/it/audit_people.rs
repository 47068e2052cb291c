//! What people do to one another and to their own accounts, for the tests of the audit.

use std::sync::Arc;

use axum::body::Body;
use axum::http::{Request, header};
use portolan_access::oidc::ProviderHandle;
use portolan_access::{NewPerson, SystemRole, add_person};
use portolan_app::people::{NewTenant, add_owner};
use portolan_core::{Duration, UserId};
use portolan_db::entity::{data_policy, identity_provider, invitation, session, team};
use sea_orm::{ColumnTrait, QueryFilter};
use serde_json::{Value, json};

use crate::audit::{Sent, Story, id_in, json_of};
use crate::doors::Answer;
use crate::sign_in_by_provider::{CLIENT_SECRET_IN_FORM, href_to};
use crate::support::*;

/// Of tests alone; the word that no event may hold is in it.
const PASSWORD: &str = "open-sesame, open-sesame";

impl Story {
    async fn add(&self, name: &str, role: SystemRole) -> UserId {
        let person = NewPerson { sign_in_name: name.to_owned(), tenant: self.shop.tenant, role };
        let app = Arc::clone(&self.shop.app);
        let added = self.shop.app.db.system_write(move |tx| {
            Box::pin(async move { add_person(tx, person, &*app.clock, &*app.random).await })
        });
        added.await.expect("a person")
    }

    /// Somebody's session that they don't use; its public name.
    async fn elsewhere(&self) -> Uuid {
        let known = self.sessions().await;
        self.shop.session().await;
        self.sessions().await.into_iter().find(|id| !known.contains(id)).expect("a session")
    }

    /// A form of the door, sent by whoever holds the cookie.
    async fn submit(&self, path: &str, cookie: &str, form: &str) -> Answer {
        let request = Request::post(path)
            .header(header::COOKIE, cookie)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header("sec-fetch-site", "same-origin");
        self.shop.ask(request.body(Body::from(form.to_owned())).expect("a request")).await
    }

    async fn sessions(&self) -> Vec<Uuid> {
        let tx = self.shop.app.db.system_read().await.expect("read");
        let own = tx.find::<session::Entity>().filter(session::Column::UserId.eq(self.shop.user.0));
        own.all(&tx).await.expect("sessions").into_iter().map(|row| row.id).collect()
    }

    /// Goes on with the cookie of an answer.
    fn keep(&mut self, cookie: Option<String>) {
        let cookie = cookie.expect("a new token");
        self.session = cookie.split(';').next().expect("a pair").to_owned();
    }

    /// A code that was not used yet.
    async fn code(&self) -> String {
        self.shop.advance(Duration::from_secs(60));
        let code = self.shop.app.second_factors().code_at(self.shop.user, self.shop.app.clock.now()).await;
        format!("code={code}")
    }
}

pub async fn people_by_api(story: &mut Story) {
    let nothing = || Sent::Json(Value::Null);
    story.add("second", SystemRole::Owner).await;
    let ana = story.add("ana", SystemRole::Viewer).await.0;
    let route = |verb: &str| format!("/api/v1/people/{{id}}{verb}");
    let roles = Sent::Json(json!({ "roles": ["analyst"] }));
    story.act("put", &route("/roles"), &[ana], roles, &["member.set_roles"]).await;
    let ban = Sent::Json(json!({ "reason": "open-sesame was told to strangers" }));
    story.act("post", &route("/ban"), &[ana], ban, &["member.ban"]).await;
    story.act("post", &route("/unban"), &[ana], nothing(), &["member.lift_ban"]).await;
    story.act("delete", &route("/sessions"), &[ana], nothing(), &["member.sign_out"]).await;

    let invite = Sent::Json(json!({ "name": "open-sesame@example.com", "roles": ["viewer"] }));
    let made = story.act("post", "/api/v1/invitations", &[], invite, &["invitation.create"]).await;
    let withdraw = "/api/v1/invitations/{id}";
    story.act("delete", withdraw, &[id_in(&made)], nothing(), &["invitation.withdraw"]).await;

    let role = Sent::Json(json!({ "name": "desk", "rules": { "orders:read": "allow" } }));
    story.act("post", "/api/v1/roles", &[], role, &["role.create"]).await;
    let (route_of_role, desk) = ("/api/v1/roles/{name}", "/api/v1/roles/desk");
    let role = Sent::Json(json!({ "rules": { "orders:read": "deny" } }));
    story.act_at("put", route_of_role, desk, role, None, &["role.change"]).await;
    story.act_at("delete", route_of_role, desk, nothing(), None, &["role.delete"]).await;

    let name = |name: &str| Sent::Json(json!({ "name": name }));
    let team = story.act("post", "/api/v1/teams", &[], name("Counter"), &["team.create"]).await;
    let team = id_in(&team);
    story.act("patch", "/api/v1/teams/{id}", &[team], name("Quay"), &["team.rename"]).await;
    let members = Sent::Json(json!({ "members": [ana] }));
    story.act("put", "/api/v1/teams/{id}/members", &[team], members, &["team.set_members"]).await;
    let roles = Sent::Json(json!({ "roles": ["finance"] }));
    story.act("put", "/api/v1/teams/{id}/roles", &[team], roles, &["team.set_roles"]).await;
    story.act("delete", "/api/v1/teams/{id}", &[team], nothing(), &["team.delete"]).await;
    let known = Sent::Json(json!({ "attributes": { "countries": ["PT"] } }));
    story.act("put", &route("/attributes"), &[ana], known, &["member.set_attributes"]).await;
    let policy = |effect: &str| {
        let columns = json!({ "columns": ["costs"], "effect": effect });
        Sent::Json(json!({ "name": "Costs", "columns": columns, "applies_to": { "people": [ana] } }))
    };
    let made = story.act("post", "/api/v1/policies", &[], policy("mask"), &["data_policy.create"]).await;
    let (of_one, made) = ("/api/v1/policies/{id}", id_in(&made));
    story.act("put", of_one, &[made], policy("hide"), &["data_policy.change"]).await;
    story.act("delete", of_one, &[made], nothing(), &["data_policy.delete"]).await;
    story.act("delete", &route(""), &[ana], nothing(), &["member.remove"]).await;
}

pub async fn account_by_api(story: &mut Story) {
    let nothing = || Sent::Json(Value::Null);
    // Showing who one is counts for minutes alone.
    story.session = story.shop.session().await;
    let route = "/api/v1/account/sessions";
    let other = story.elsewhere().await;
    story.act("delete", "/api/v1/account/sessions/{id}", &[other], nothing(), &["session.end"]).await;
    let open = story.sessions().await.len();
    assert!(open > 1, "what was open before this one");
    story.act("delete", route, &[], nothing(), &vec!["session.end"; open - 1]).await;
    story.act("delete", route, &[], nothing(), &[]).await;
    story.elsewhere().await;
    let password = Sent::Json(json!({ "new_password": PASSWORD }));
    let told = ["session.end", "person.set_password"];
    story.act("put", "/api/v1/account/password", &[], password, &told).await;
    let policy = json!({
        "second_factor_roles": ["viewer"], "session_minutes": 60, "idle_minutes": 30, "networks": [],
    });
    let route = "/api/v1/security-policy";
    story.act("put", route, &[], Sent::Json(policy), &["sign_in_policy.change"]).await;
}

pub async fn people_by_pages(story: &mut Story) {
    let nothing = || Sent::Form("");
    let ana = story.add("ana", SystemRole::Viewer).await.0;
    let route = |verb: &str| format!("/admin/people/{{id}}/{verb}");
    let roles = Sent::Form("role.analyst=true");
    story.act("post", &route("roles"), &[ana], roles, &["member.set_roles"]).await;
    let ban = Sent::Form("reason=open-sesame");
    story.act("post", &route("ban"), &[ana], ban, &["member.ban"]).await;
    story.act("post", &route("unban"), &[ana], nothing(), &["member.lift_ban"]).await;
    story.act("post", &route("sign-out"), &[ana], nothing(), &["member.sign_out"]).await;
    let invite = Sent::Form("name=open-sesame&role.viewer=true");
    story.act("post", "/admin/people", &[], invite, &["invitation.create"]).await;
    let made = story.shop.rows::<invitation::Entity>().await.pop().expect("an invitation").id;
    let route_of_one = "/admin/invitations/{id}/withdraw";
    story.act("post", route_of_one, &[made], nothing(), &["invitation.withdraw"]).await;

    let role = "rule.orders:read=allow";
    let new = format!("name=desk&{role}");
    story.act("post", "/admin/roles/new", &[], Sent::Form(&new), &["role.create"]).await;
    story.act("post", "/admin/roles/desk", &[], Sent::Form(role), &["role.change"]).await;
    let confirm = Sent::Form("confirm=desk");
    story.act("post", "/admin/roles/desk/delete", &[], confirm, &["role.delete"]).await;

    story.act("post", "/admin/teams", &[], Sent::Form("team_name=Counter"), &["team.create"]).await;
    let team = story.shop.rows::<team::Entity>().await.pop().expect("a team").id;
    let route_of_team = |verb: &str| format!("/admin/teams/{{id}}/{verb}");
    let name = Sent::Form("team_name=Quay");
    story.act("post", &route_of_team("name"), &[team], name, &["team.rename"]).await;
    let members = format!("member.{ana}=true");
    story.act("post", &route_of_team("members"), &[team], Sent::Form(&members), &["team.set_members"]).await;
    let roles = Sent::Form("role.finance=true");
    story.act("post", &route_of_team("roles"), &[team], roles, &["team.set_roles"]).await;
    let known = Sent::Form("attributes=countries+%3D+PT%2C+DE");
    story.act("post", &route("attributes"), &[ana], known, &["member.set_attributes"]).await;
    let form = |effect: &str| {
        format!("name=Costs&kind=columns&keeps=costs&effect={effect}&applies.person:{ana}=true")
    };
    story.act("post", "/admin/policies", &[], Sent::Form(&form("mask")), &["data_policy.create"]).await;
    let policy = story.shop.rows::<data_policy::Entity>().await.pop().expect("a policy").id;
    let of_one = "/admin/policies/{id}";
    story.act("post", of_one, &[policy], Sent::Form(&form("hide")), &["data_policy.change"]).await;
    let gone = "/admin/policies/{id}/delete";
    story.act("post", gone, &[policy], Sent::Form("confirm=Costs"), &["data_policy.delete"]).await;
    let confirm = Sent::Form("confirm=Quay");
    story.act("post", &route_of_team("delete"), &[team], confirm, &["team.delete"]).await;
    let confirm = Sent::Form("confirm=ana");
    story.act("post", &route("remove"), &[ana], confirm, &["member.remove"]).await;
}

pub async fn account_by_pages(story: &mut Story) {
    let device = story.shop.remembered_device().await;
    let route = "/account/devices/{id}/forget";
    story.act("post", route, &[device], Sent::Form(""), &["device.forget"]).await;
    let nothing = || Sent::Form("");
    story.session = story.shop.session().await;
    let other = story.elsewhere().await;
    story.act("post", "/account/sessions/{id}/end", &[other], nothing(), &["session.end"]).await;
    let open = story.sessions().await.len();
    let told = vec!["session.end"; open - 1];
    story.act("post", "/account/sessions/end-others", &[], nothing(), &told).await;
    let form = format!("new_password={0}&repeated={0}", PASSWORD.replace(' ', "+"));
    story.act("post", "/account/password", &[], Sent::Form(&form), &["person.set_password"]).await;

    let policy = Sent::Form("role=viewer&session_minutes=60&idle_minutes=30&networks=");
    story.act("post", "/admin/security", &[], policy, &["sign_in_policy.change"]).await;

    providers_by_pages(story).await;
    second_factor_on(story).await;
    let codes = "/account/recovery-codes";
    story.act("post", codes, &[], nothing(), &["recovery_codes.renew"]).await;
    let code = story.code().await;
    let again = story.act("post", "/sign-in/again", &[], Sent::Form(&code), &["session.step_up"]).await;
    story.keep(again.cookie);
    let code = story.code().await;
    let off = "/account/second-factor/off";
    story.act("post", off, &[], Sent::Form(&code), &["second_factor.switch_off"]).await;

    // The same person elsewhere: here it is told that they went, there that they came.
    let other =
        NewTenant { slug: "other".to_owned(), currency: "EUR".to_owned(), time_zone: "UTC".to_owned() };
    let there = add_owner(&story.shop.app, "shop", None, other).await.expect("another company");
    let form = format!("tenant={there}");
    let gone = story.act("post", "/tenants/switch", &[], Sent::Form(&form), &["session.end"]).await;
    story.keep(gone.cookie);
    let form = format!("tenant={}", story.shop.tenant);
    let back = story.act("post", "/tenants/switch", &[], Sent::Form(&form), &["session.begin"]).await;
    story.keep(back.cookie);
}

/// Whom the company trusts, and what they call its people.
async fn providers_by_pages(story: &mut Story) {
    let app = Arc::get_mut(&mut story.shop.app).expect("nobody else holds it now");
    app.public_address = Some("http://portolan.example".parse().expect("an address"));
    let provider = story.shop.outside.provider("https://id.example");
    let form = "label=Harbour&issuer=https%3A%2F%2Fid.example&client_id=portolan-test\
                &client_secret=open-sesame&enabled=true";
    let told = ["identity_provider.create"];
    story.act("post", "/admin/sign-in-providers", &[], Sent::Form(form), &told).await;
    let stored = story.shop.rows::<identity_provider::Entity>().await.pop().expect("a provider").id;
    let route = "/admin/sign-in-providers/{id}";
    let form =
        format!("label=Harbour&client_id=portolan-test&client_secret={}&enabled=true", CLIENT_SECRET_IN_FORM);
    story.act("post", route, &[stored], Sent::Form(&form), &["identity_provider.change"]).await;
    let check = "/admin/sign-in-providers/{id}/check";
    story.act("post", check, &[stored], Sent::Form(""), &["identity_provider.check"]).await;

    // Going there changes nothing; coming back links.
    let handle = ProviderHandle { tenant: story.shop.tenant, id: stored };
    let form = format!("provider={handle}");
    let gone = story.act("post", "/account/identities/link", &[], Sent::Form(&form), &[]).await;
    let flow = gone.cookie.expect("a cookie");
    let there = href_to(&gone.body, "https://id.example/");
    let back = provider.authorize(&there, "owner-there");
    let before = story.events().await.len();
    let request = Request::get(back.strip_prefix("http://portolan.example").expect("ours"));
    let cookies = format!("{}; {}", story.session, flow.split(';').next().expect("a pair"));
    let linked =
        story.shop.ask(request.header(header::COOKIE, cookies).body(Body::empty()).expect("a request")).await;
    assert_eq!(linked.location.as_deref(), Some("/account?done=identity-linked"), "{}", linked.body);
    let told = story.events().await.split_off(before);
    let actions: Vec<&str> = told.iter().map(|event| event.action.as_str()).collect();
    assert_eq!(actions, ["identity.link"]);
    let own = story.shop.app.sessions.own_account(story.shop.user).await.expect("read").identities[0].id;
    let unlink = "/account/identities/{id}/unlink";
    story.act("post", unlink, &[own], Sent::Form(""), &["identity.unlink"]).await;
    let delete = "/admin/sign-in-providers/{id}/delete";
    let confirm = Sent::Form("confirm=Harbour");
    story.act("post", delete, &[stored], confirm, &["identity_provider.delete"]).await;
}

async fn second_factor_on(story: &mut Story) {
    let set_up = "/account/second-factor";
    story.act("post", set_up, &[], Sent::Form(""), &["second_factor.set_up"]).await;
    let code = story.code().await;
    let confirm = "/account/second-factor/confirm";
    let on = story.act("post", confirm, &[], Sent::Form(&code), &["second_factor.switch_on"]).await;
    story.keep(on.cookie);
}

/// The last thing that they do here.
pub async fn leave_by_page(story: &mut Story) {
    story.add("second", SystemRole::Owner).await;
    story.session = story.shop.session().await;
    story.act("post", "/admin/leave", &[], Sent::Form("confirm=Shop"), &["member.remove"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_comes_in_by_an_invitation_a_link_or_a_second_step_is_told() {
    on_both(migrate, async |test| {
        let mut story = Story::new(TestApp::new(test, "shop").await).await;
        let invite = Sent::Json(json!({ "name": "open-sesame", "roles": ["viewer"] }));
        let made = story.act("post", "/api/v1/invitations", &[], invite, &["invitation.create"]).await;
        let link = json_of(&made)["link"].as_str().expect("a link").to_owned();
        let before = story.events().await.len();
        let joined = story.submit(&link, "", "").await;
        assert_eq!(joined.status, 303, "{}", joined.body);
        let token = story.shop.app.sessions.create_link(story.shop.tenant, story.shop.user).await;
        let by_link = story.submit(&format!("/sign-in/link/{}", token.expect("a link")), "", "").await;
        assert_eq!(by_link.status, 303, "{}", by_link.body);
        let told = story.events().await.split_off(before);
        let actions: Vec<&str> = told.iter().map(|event| event.action.as_str()).collect();
        assert_eq!(actions, ["invitation.accept", "session.begin", "sign_in_link.create", "session.begin"]);
        assert!(told[0].actor_id.is_some() && told[0].actor_id != Some(story.shop.user.0), "who joined");
        assert_eq!((told[0].actor_id, told[0].session_id), (told[1].actor_id, None));
        assert_eq!(told[0].request_id, joined.headers["x-request-id"].to_str().expect("text"));

        // A first step is no session, and told by nothing; the second says by what they came.
        let (path, told) = ("/account/sessions/end-others", ["session.end"]);
        story.act("post", path, &[], Sent::Form(""), &told).await;
        second_factor_on(&mut story).await;
        let before = story.events().await.len();
        let token = story.shop.app.sessions.create_link(story.shop.tenant, story.shop.user).await;
        let first = format!("/sign-in/link/{}", token.expect("a link"));
        let pending = story.submit(&first, "", "").await.cookie.expect("a first step");
        let pending = pending.split(';').next().expect("a pair");
        let second = story.submit("/sign-in/second-step", pending, &story.code().await).await;
        assert_eq!(second.status, 303, "{}", second.body);
        let told = story.events().await.split_off(before);
        let actions: Vec<&str> = told.iter().map(|event| event.action.as_str()).collect();
        assert_eq!(actions, ["sign_in_link.create", "session.begin"]);
        assert_eq!(told[1].after.as_deref(), Some(r#"{"factors":"link+totp"}"#));
    })
    .await;
}
