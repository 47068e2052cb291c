//! What people ask for customers in the privacy centre: looked for, taken back, handed out, erased, kept for so long.

use std::collections::BTreeSet;

use axum::body::Body;
use axum::http::{Request, header};
use portolan_access::SystemRole;
use portolan_app::privacy::ops::{Ask, ask};
use portolan_core::{ConnectionId, Duration};
use portolan_db::entity::privacy_request::{self, PrivacyKind, PrivacySource, PrivacyState};
use portolan_db::entity::{audit_event, document, person, sale_event};
use serde_json::{Value, json};

use crate::audit::json_of;
use crate::doors::Answer;
use crate::isolation::{World, sign_in_as};
use crate::privacy::{ADA, BEN, data_request, redact, sell, with_customers};
use crate::support::*;

impl TestApp {
    async fn wish(
        &self,
        kind: PrivacyKind,
        connection: ConnectionId,
        customer: i64,
        at_once: bool,
    ) -> privacy_request::Model {
        let wish =
            Ask { kind, source: PrivacySource::Page, connection, customer_id: customer.to_string(), at_once };
        ask(&self.app, self.tenant, self.who(), wish).await.expect("a request")
    }

    async fn privacy_request(&self, id: Uuid) -> privacy_request::Model {
        let rows = self.rows::<privacy_request::Entity>().await;
        rows.into_iter().find(|row| row.id == id).expect("the request")
    }

    async fn send_form_of_privacy(&self, session: &str, path: &str, form: &[(&str, &str)]) -> Answer {
        let mut body = form_urlencoded::Serializer::new(String::new());
        body.extend_pairs(form);
        let request = Request::post(path)
            .header(header::COOKIE, session)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header("sec-fetch-site", "same-origin");
        self.ask(request.body(Body::from(body.finish())).expect("a request")).await
    }

    async fn put_json(&self, session: &str, path: &str, body: &Value) -> Answer {
        let request = Request::put(path)
            .header(header::COOKIE, session)
            .header(header::CONTENT_TYPE, "application/json")
            .header("sec-fetch-site", "same-origin");
        self.ask(request.body(Body::from(body.to_string())).expect("a request")).await
    }

    async fn delete(&self, session: &str, path: &str) -> Answer {
        let request =
            Request::delete(path).header(header::COOKIE, session).header("sec-fetch-site", "same-origin");
        self.ask(request.body(Body::empty()).expect("a request")).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_erasure_waits_an_hour_in_which_it_can_be_taken_back() {
    on_both(migrate, async |test| {
        let (shop, connection) = with_customers(test, "shop").await;
        let session = shop.session().await;
        let asked = json!({ "kind": "erase", "connection_id": connection, "customer_id": ADA.to_string() });
        let answer = shop.post_json(&session, "/api/v1/privacy/requests", &asked.to_string()).await;
        assert_eq!(answer.status, 202, "{}", answer.body);
        let first = json_of(&answer);
        assert_eq!((&first["state"], &first["kind"]), (&json!("received"), &json!("erase")));
        assert!(!answer.body.contains(&ADA.to_string()), "it names nobody: {}", answer.body);
        let again = shop.post_json(&session, "/api/v1/privacy/requests", &asked.to_string()).await;
        assert_eq!(json_of(&again)["id"], first["id"], "asked twice, it is one request");
        shop.work().await;
        assert_eq!(shop.erased_customers().await, 0, "not yet");
        let here = format!("/api/v1/privacy/requests/{}", first["id"].as_str().expect("an id"));
        let taken_back = shop.delete(&session, &here).await;
        assert_eq!((taken_back.status.as_u16(), &json_of(&taken_back)["state"]), (200, &json!("cancelled")));
        assert_eq!(shop.delete(&session, &here).await.status, 409, "once");
        shop.advance(Duration::from_hours(2));
        shop.work().await;
        assert_eq!(shop.erased_customers().await, 0, "it was taken back");

        let second = shop.wish(PrivacyKind::Erase, connection, ADA, false).await;
        assert_ne!(json!(second.id), first["id"]);
        shop.advance(Duration::from_hours(2));
        shop.work().await;
        assert_eq!(shop.privacy_request(second.id).await.state, PrivacyState::Done);
        assert_eq!(shop.erased_customers().await, 1);
        let session = shop.session().await;
        let refused = shop.post_json(&session, "/api/v1/privacy/requests", &asked.to_string()).await;
        assert!(refused.status == 422 && refused.body.contains("erased already"), "{}", refused.body);

        // At once there is nothing to take back.
        let third = shop.wish(PrivacyKind::Erase, connection, BEN, true).await;
        shop.work().await;
        assert_eq!(shop.privacy_request(third.id).await.state, PrivacyState::Done);
        assert_eq!(shop.erased_customers().await, 2);
        assert_eq!(
            shop.delete(&session, &format!("/api/v1/privacy/requests/{}", third.id)).await.status,
            409
        );
        for wrong in ["404", "", "ada@example.org", &"9".repeat(201)] {
            let asked =
                json!({ "kind": "export", "connection_id": connection, "customer_id": wrong }).to_string();
            assert_eq!(
                shop.post_json(&session, "/api/v1/privacy/requests", &asked).await.status,
                422,
                "{wrong}"
            );
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_channel_asks_for_cannot_be_taken_back() {
    on_both(migrate, async |test| {
        let (shop, connection) = with_customers(test, "shop").await;
        let path = shop.hook(connection).await;
        assert_eq!(shop.tell_signed(&path, &redact(ADA)).await, 200);
        let session = shop.session().await;
        let id = shop.privacy_requests().await[0].id;
        let refused = shop.delete(&session, &format!("/api/v1/privacy/requests/{id}")).await;
        assert_eq!(refused.status, 409, "{}", refused.body);
        let page = shop.get(&session, "/admin/privacy").await;
        assert!(page.body.contains("the channel") && !page.body.contains("Take back"), "{}", page.body);
        shop.work().await;
        assert_eq!(shop.erased_customers().await, 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_erased_is_found_nowhere_and_figures_stay() {
    on_both(migrate, async |test| {
        let (shop, connection) = with_customers(test, "shop").await;
        let (before, events) = (shop.standing().await, shop.rows::<sale_event::Entity>().await.len());
        // What was handed out of them goes with them.
        let export = shop.wish(PrivacyKind::Export, connection, ADA, false).await;
        shop.work().await;
        assert!(shop.privacy_request(export.id).await.export.is_some());
        shop.wish(PrivacyKind::Erase, connection, ADA, true).await;
        shop.work().await;
        let handed_out = shop.privacy_request(export.id).await;
        assert_eq!((handed_out.export, handed_out.subject, handed_out.export_until), (None, None, None));
        let session = shop.session().await;
        let gone = shop.get(&session, &format!("/api/v1/privacy/requests/{}/export", export.id)).await;
        assert_eq!(gone.status, 404, "{}", gone.body);
        // The channel tells the same once more, and something new.
        shop.advance(Duration::from_days(1));
        sell(&shop);
        drop(shop.runtime.clone().page("orders", &[order_of("D", 1, 10, &format!("Customer/{ADA}"))]));
        assert_succeeded(&shop.sync(connection).await);
        assert_eq!(shop.erased_customers().await, 1);
        assert_eq!(shop.rows::<person::Entity>().await.len(), 2);
        for row in shop.rows::<person::Entity>().await.iter().filter(|row| row.erased_at.is_some()) {
            assert_eq!((&row.key_sealed, &row.identity_sealed), (&None, &None));
        }
        let after = shop.standing().await;
        assert!(before.iter().all(|(key, amounts)| after.get(key) == Some(amounts)), "{before:?} {after:?}");
        assert!(shop.rows::<sale_event::Entity>().await.len() > events);
        assert!(
            shop.rows::<document::Entity>().await.iter().all(|head| !format!("{head:?}").contains("191167"))
        );
        let session = shop.session().await;
        let found = shop
            .send_form_of_privacy(
                &session,
                "/admin/privacy/find",
                &[("connection_id", &connection.to_string()), ("customer_id", &ADA.to_string())],
            )
            .await;
        assert!(found.status == 200 && found.body.contains("erased already"), "{}", found.body);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_holds_the_customers_orders_nobody_elses_and_is_forgotten_after_a_week() {
    on_both(migrate, async |test| {
        let (shop, connection) = with_customers(test, "shop").await;
        let session = shop.session().await;
        let row = shop.wish(PrivacyKind::Export, connection, ADA, false).await;
        let here = format!("/api/v1/privacy/requests/{}/export", row.id);
        assert_eq!(shop.get(&session, &here).await.status, 409, "not ready");
        shop.work().await;
        let sealed = shop.privacy_request(row.id).await.export.expect("an export");
        assert!(!String::from_utf8_lossy(&sealed).contains("191167"), "it rests sealed");
        let answer = shop.get(&session, &here).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        assert!(answer.headers["content-disposition"].to_str().expect("text").contains("attachment"));
        assert_eq!(answer.headers["cache-control"], "no-store");
        let export = json_of(&answer);
        assert_eq!(export["customer_id"], ADA.to_string());
        let persons = export["persons"].as_array().expect("persons");
        assert_eq!(persons.len(), 1);
        let documents = persons[0]["documents"].as_array().expect("documents");
        let keys: BTreeSet<&str> = documents.iter().filter_map(|one| one["key"].as_str()).collect();
        assert_eq!(keys, ["A", "B"].into(), "C is another's: {export}");
        assert!(!answer.body.contains(&BEN.to_string()));
        let file = shop.get(&session, &format!("/admin/privacy/requests/{}/export", row.id)).await;
        assert_eq!((file.status.as_u16(), file.body == answer.body), (200, true));
        let events = shop.rows::<audit_event::Entity>().await;
        assert_eq!(events.iter().filter(|event| event.action == "privacy_request.download").count(), 2);

        shop.advance(Duration::from_days(8));
        let session = shop.session().await;
        assert_eq!(shop.get(&session, &here).await.status, 404, "its days are over");
        shop.work().await;
        assert_eq!(shop.privacy_request(row.id).await.export, None, "and it is forgotten");
        assert!(shop.privacy_request(row.id).await.subject.is_some());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn customers_who_were_not_seen_for_longer_than_they_are_kept_are_erased_once_a_day() {
    on_both(migrate, async |test| {
        let (shop, connection) = with_customers(test, "shop").await;
        let session = shop.session().await;
        let set = async |days: Value| {
            let body = json!({ "connection_id": connection, "days": days });
            shop.put_json(&session, "/api/v1/privacy/retention", &body).await.status.as_u16()
        };
        for wrong in [json!(0), json!(-1), json!(3_651), json!("x")] {
            assert!([400, 422].contains(&set(wrong.clone()).await), "{wrong}");
        }
        assert_eq!(set(json!(30)).await, 204);
        let told = json_of(&shop.get(&session, "/api/v1/privacy/retention").await);
        assert_eq!(
            (&told[0]["days"], &told[0]["persons"], &told[0]["would_erase"]),
            (&json!(30), &json!(2), &json!(0))
        );
        shop.advance(Duration::from_days(20));
        // One of them buys again.
        shop.runtime.clear_pages("orders");
        drop(shop.runtime.clone().page("orders", &[order_of("E", 1, 5, &format!("Customer/{BEN}"))]));
        assert_succeeded(&shop.sync(connection).await);
        shop.advance(Duration::from_days(20));
        let session = shop.session().await;
        let told = json_of(&shop.get(&session, "/api/v1/privacy/retention").await);
        assert_eq!(told[0]["would_erase"], 1, "{told}");
        let told = json_of(&shop.get(&session, "/api/v1/privacy/retention?days=300").await);
        assert_eq!(told[0]["would_erase"], 0, "{told}");
        shop.work().await;
        assert_eq!(shop.erased_customers().await, 1);
        let events = shop.rows::<audit_event::Entity>().await;
        let event = events.iter().find(|event| event.action == "customers.erase").expect("told");
        assert_eq!(event.actor_kind, "server");
        assert!(event.after.as_deref().expect("after").contains("\"persons\":1"), "{event:?}");
        // Without an end again, nobody goes.
        let body = json!({ "connection_id": connection, "days": null });
        assert_eq!(shop.put_json(&session, "/api/v1/privacy/retention", &body).await.status, 204);
        shop.advance(Duration::from_days(400));
        shop.work().await;
        assert_eq!(shop.erased_customers().await, 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_owners_and_admins_come_near_and_only_when_they_have_just_shown_who_they_are() {
    on_both(migrate, async |test| {
        let world = World::new(test, "harbour").await;
        let shop = &world.shop;
        for role in SystemRole::ALL {
            let cookie = sign_in_as(&world, *role).await;
            let may = matches!(role, SystemRole::Owner | SystemRole::Admin);
            let wanted = if may { 200 } else { 403 };
            for path in ["/admin/privacy", "/api/v1/privacy/requests", "/api/v1/privacy/retention"] {
                assert_eq!(shop.get(&cookie, path).await.status, wanted, "{path} as {role}");
            }
            assert_eq!(shop.get(&cookie, "/orders").await.body.contains("/admin/privacy"), may, "{role}");
        }
        let session = shop.session().await;
        shop.advance(Duration::from_minutes(11));
        let stale = shop.post_json(&session, "/api/v1/privacy/requests", "{}").await;
        assert_eq!(stale.problem()["code"], "step_up_required");
        let export = format!("/api/v1/privacy/requests/{}/export", world.privacy_request);
        assert_eq!(shop.get(&session, &export).await.problem()["code"], "step_up_required");
        let put = shop.put_json(&session, "/api/v1/privacy/retention", &json!({})).await;
        assert_eq!(put.problem()["code"], "step_up_required");
        let hook = format!("/api/v1/connections/{}/privacy-hook", world.connection);
        assert_eq!(shop.post_json(&session, &hook, "").await.problem()["code"], "step_up_required");
        let led = shop.send_form_of_privacy(&session, "/admin/privacy/requests", &[("kind", "export")]).await;
        assert_eq!(led.status, 303);
        assert!(led.location.expect("a place").starts_with("/sign-in/again"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_finds_asks_and_keeps_what_was_typed() {
    on_both(migrate, async |test| {
        let (shop, connection) = with_customers(test, "shop").await;
        let (session, id) = (shop.session().await, connection.to_string());
        let find = async |customer: &str| {
            let form = [("connection_id", id.as_str()), ("customer_id", customer)];
            shop.send_form_of_privacy(&session, "/admin/privacy/find", &form).await
        };
        let found = find("Customer/191167").await;
        assert!(found.status == 200 && found.body.contains("knows the customer 191167"), "{}", found.body);
        assert!(found.body.contains("Erase at once"), "{}", found.body);
        let nobody = find("404").await;
        assert!(
            nobody.status == 200
                && nobody.body.contains("Not found")
                && !nobody.body.contains("Erase at once")
        );
        let empty = find(" ").await;
        assert!(empty.status == 422 && empty.body.contains("Enter the customer"), "{}", empty.body);
        let wrong = shop
            .send_form_of_privacy(
                &session,
                "/admin/privacy/find",
                &[("connection_id", "x"), ("customer_id", "typed")],
            )
            .await;
        assert!(wrong.status == 422 && wrong.body.contains("value=\"typed\""), "{}", wrong.body);

        let form = [
            ("kind", "erase"),
            ("at_once", "true"),
            ("connection_id", id.as_str()),
            ("customer_id", "191167"),
        ];
        let unsure = shop.send_form_of_privacy(&session, "/admin/privacy/requests", &form).await;
        assert!(unsure.status == 422 && unsure.body.contains("to confirm"), "{}", unsure.body);
        assert_eq!(shop.privacy_requests().await.len(), 0);
        let sure: Vec<_> = form.into_iter().chain([("confirm", "191167")]).collect();
        assert_eq!(shop.send_form_of_privacy(&session, "/admin/privacy/requests", &sure).await.status, 303);
        shop.work().await;
        assert_eq!(shop.erased_customers().await, 1);
        let page = shop.get(&session, "/admin/privacy?done=privacy-erasing").await;
        assert!(page.body.contains("Erasing") && page.body.contains("not kept any more"), "{}", page.body);

        let form = [("retention_connection_id", id.as_str()), ("days", "1"), ("do", "preview")];
        let preview = shop.send_form_of_privacy(&session, "/admin/privacy/retention", &form).await;
        assert!(preview.body.contains("0 of 1 customers would be erased today"), "{}", preview.body);
        let form = [("retention_connection_id", id.as_str()), ("days", "4000"), ("do", "save")];
        let refused = shop.send_form_of_privacy(&session, "/admin/privacy/retention", &form).await;
        assert!(refused.status == 422 && refused.body.contains("value=\"4000\""), "{}", refused.body);
        let form = [("retention_connection_id", id.as_str()), ("days", "400"), ("do", "save")];
        assert_eq!(shop.send_form_of_privacy(&session, "/admin/privacy/retention", &form).await.status, 303);
        assert!(shop.get(&session, "/admin/privacy").await.body.contains("400 days"));

        let made = shop.send_form_of_privacy(&session, &format!("/connections/{id}/privacy-hook"), &[]).await;
        assert!(
            made.status == 200 && made.body.contains("/hooks/") && made.body.contains("customers/redact")
        );
        let later = shop.get(&session, "/admin/privacy").await;
        assert!(!later.body.contains("/hooks/") && later.body.contains("nothing came yet"), "{}", later.body);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_are_listed_page_by_page_and_one_that_failed_is_begun_again() {
    on_both(migrate, async |test| {
        let (shop, connection) = with_customers(test, "shop").await;
        let path = shop.hook(connection).await;
        for number in 0..5 {
            let mut body = data_request(ADA);
            body["data_request"]["id"] = json!(number);
            assert_eq!(shop.tell_signed(&path, &body).await, 200);
        }
        let session = shop.session().await;
        let first = json_of(&shop.get(&session, "/api/v1/privacy/requests?limit=3").await);
        let cursor = first["page"]["next_cursor"].as_str().expect("more");
        let second =
            json_of(&shop.get(&session, &format!("/api/v1/privacy/requests?limit=3&cursor={cursor}")).await);
        let ids = |page: &Value| {
            page["data"].as_array().expect("rows").iter().map(|row| row["id"].to_string()).collect::<Vec<_>>()
        };
        let (a, b) = (ids(&first), ids(&second));
        assert_eq!((a.len(), b.len(), a.iter().chain(&b).collect::<BTreeSet<_>>().len()), (3, 2, 5));
        shop.work().await;

        let id = shop.privacy_requests().await[0].id;
        let again = format!("/api/v1/privacy/requests/{id}/retry");
        assert_eq!(shop.post_json(&session, &again, "").await.status, 409, "it is done");
        let failed = privacy_request::ActiveModel {
            tenant_id: sea_orm::ActiveValue::Set(shop.tenant.0),
            id: sea_orm::ActiveValue::Set(id),
            state: sea_orm::ActiveValue::Set(PrivacyState::Failed),
            export: sea_orm::ActiveValue::Set(None),
            ..Default::default()
        };
        let marked = shop
            .app
            .db
            .write(shop.tenant, move |tx| Box::pin(async move { tx.update(failed).await.map(|_| ()) }));
        marked.await.expect("failed");
        let page = shop.get(&session, "/admin/privacy").await;
        assert!(page.body.contains("Try again"), "{}", page.body);
        assert_eq!(shop.post_json(&session, &again, "").await.status, 202);
        shop.work().await;
        let row = shop.privacy_request(id).await;
        assert_eq!((row.state, row.export.is_some()), (PrivacyState::Done, true));
    })
    .await;
}
