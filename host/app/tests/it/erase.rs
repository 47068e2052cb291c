//! Whoever wants to be forgotten is: in page, in API and by the operator.

use axum::body::Body;
use axum::http::{Request, header};
use portolan_access::{Client, SystemRole};
use portolan_app::people::{NewTenant, add_with_role, find_person};
use portolan_core::UserId;
use portolan_db::entity::{api_key, audit_event, invitation, membership, second_factor, session, user};
use sea_orm::{ColumnTrait, QueryFilter};
use serde_json::json;

use crate::doors::Answer;
use crate::support::*;

impl TestApp {
    async fn join(&self, name: &str, role: SystemRole) -> UserId {
        let shop =
            NewTenant { slug: "shop".to_owned(), currency: "EUR".to_owned(), time_zone: "UTC".to_owned() };
        add_with_role(&self.app, name, None, shop, role).await.expect("a person");
        find_person(&self.app, name).await.expect("a person")
    }

    async fn session_of(&self, user: UserId) -> String {
        let link = self.app.sessions.create_link(self.tenant, user).await.expect("a link");
        let session = self.app.sessions.sign_in_with_link(&link, Client::default()).await.expect("a session");
        format!("ptl_session={}", session.token)
    }

    async fn erase(&self, session: &str, confirm: &str) -> Answer {
        let path = format!("/api/v1/account?confirm={confirm}");
        let request =
            Request::delete(path).header(header::COOKIE, session).header("sec-fetch-site", "same-origin");
        self.ask(request.body(Body::empty()).expect("a request")).await
    }

    /// What the house knows of somebody: rows that name or belong to them.
    async fn known_of(&self, user: UserId) -> usize {
        let tx = self.app.db.system_read().await.expect("read");
        let found = [
            tx.find::<user::Entity>().filter(user::Column::Id.eq(user.0)).all(&tx).await.expect("rows").len(),
            tx.find::<session::Entity>()
                .filter(session::Column::UserId.eq(user.0))
                .all(&tx)
                .await
                .expect("rows")
                .len(),
            tx.find::<membership::Entity>()
                .filter(membership::Column::UserId.eq(user.0))
                .all(&tx)
                .await
                .expect("rows")
                .len(),
            tx.find::<second_factor::Entity>()
                .filter(second_factor::Column::UserId.eq(user.0))
                .all(&tx)
                .await
                .expect("rows")
                .len(),
            tx.find_across_tenants::<api_key::Entity>()
                .filter(api_key::Column::CreatedBy.eq(user.0))
                .all(&tx)
                .await
                .expect("rows")
                .len(),
        ];
        found.iter().sum()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_erased_is_known_to_nobody_and_the_audit_keeps_an_id() {
    on_both(migrate, async |test| {
        let (shop, other) = (TestApp::new(test, "shop").await, TestApp::new(test, "other").await);
        let owner = shop.session().await;
        let invite = json!({ "name": "ana@example.com", "roles": ["finance"] }).to_string();
        assert_eq!(shop.post_json(&owner, "/api/v1/invitations", &invite).await.status, 201);
        let ana = shop.join("ana@example.com", SystemRole::Manager).await;
        let elsewhere =
            NewTenant { slug: "other".to_owned(), currency: "EUR".to_owned(), time_zone: "UTC".to_owned() };
        add_with_role(&shop.app, "ana@example.com", None, elsewhere, SystemRole::Viewer)
            .await
            .expect("there too");
        let session = shop.session_of(ana).await;
        let key = json!({ "name": "Export", "scopes": ["orders:read"] }).to_string();
        let key = shop.post_json(&session, "/api/v1/api-keys", &key).await;
        assert_eq!(key.status, 201, "{}", key.body);
        let token = session.split_once('=').expect("a pair").1;
        let signed_in = shop.app.sessions.authenticate(token).await.expect("a look").expect("a session");
        shop.app.second_factors().begin(&signed_in, Client::default()).await.expect("a seed");

        for wrong in ["", "somebody", "ana"] {
            let refused = shop.erase(&session, wrong).await;
            assert_eq!(
                (refused.status.as_u16(), &refused.problem()["errors"][0]["pointer"]),
                (422, &json!("confirm"))
            );
        }
        assert!(shop.known_of(ana).await >= 5);
        assert_eq!(shop.erase(&session, "Ana@example.com").await.status, 204);

        assert_eq!(shop.known_of(ana).await, 0);
        assert!(shop.rows::<invitation::Entity>().await.is_empty());
        assert_eq!(shop.get(&session, "/api/v1/account").await.status, 401);
        for tenant in [&shop, &other] {
            let events = tenant.rows::<audit_event::Entity>().await;
            assert!(!format!("{events:?}").contains("ana@"), "{events:?}");
            let gone = events.iter().find(|event| event.action == "member.remove").expect("told");
            assert_eq!(gone.actor_id, Some(ana.0));
        }
        let again = shop.join("ana@example.com", SystemRole::Viewer).await;
        assert_ne!(again, ana, "the name is free, and nobody's any more");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_owner_of_a_company_cannot_be_erased_from_it() {
    on_both(migrate, async |test| {
        let shop = TestApp::new(test, "shop").await;
        let session = shop.session().await;
        let refused = shop.erase(&session, "shop").await;
        assert_eq!(refused.status, 409, "{}", refused.body);
        assert!(refused.body.contains("somebody else an owner first"), "{}", refused.body);
        assert_eq!(shop.get(&session, "/api/v1/account").await.status, 200, "nothing has happened");

        shop.join("bea", SystemRole::Owner).await;
        let page = shop.get(&session, "/account").await;
        assert!(page.body.contains("Delete my account"), "{}", page.body);
        let form = Request::post("/account/erase")
            .header(header::COOKIE, &session)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header("sec-fetch-site", "same-origin");
        let gone = shop.ask(form.body(Body::from("confirm=shop")).expect("a request")).await;
        assert_eq!((gone.status.as_u16(), gone.location.as_deref()), (303, Some("/sign-in")));
        assert_eq!(shop.known_of(shop.user).await, 0);
    })
    .await;
}
