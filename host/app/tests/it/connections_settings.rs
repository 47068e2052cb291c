//! Changing a connection after it was made: over the API and in its form.

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use portolan_app::channels::context::load_context;
use portolan_app::connections::change::{ConnectionChange, change_connection, revision};
use portolan_app::connections::ops::{set_secret, set_state};
use portolan_app::syncs::ops::{Trigger, start_sync};
use portolan_app::system::doctor;
use portolan_connector::{AuthKind, Fault};
use portolan_core::ConnectionId;
use portolan_db::DbError;
use portolan_db::entity::connection::{self, ConnectionState};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, QueryFilter};
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::doors::Answer;
use crate::support::*;

impl TestApp {
    /// Sends a form as a browser does.
    pub async fn post_form(&self, session: &str, path: &str, fields: &[(&str, &str)]) -> Answer {
        let encoded = |text: &str| -> String { text.bytes().map(|byte| format!("%{byte:02X}")).collect() };
        let pairs: Vec<String> =
            fields.iter().map(|(name, text)| format!("{}={}", encoded(name), encoded(text))).collect();
        let request = Request::post(path)
            .header(header::COOKIE, session)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header("sec-fetch-site", "same-origin");
        self.ask(request.body(Body::from(pairs.join("&"))).expect("a request")).await
    }

    async fn patch(&self, session: &str, id: ConnectionId, tag: Option<&str>, body: &Value) -> Answer {
        let mut request = Request::patch(format!("/api/v1/connections/{id}"))
            .header(header::COOKIE, session)
            .header(header::CONTENT_TYPE, "application/json")
            .header("sec-fetch-site", "same-origin");
        if let Some(tag) = tag {
            request = request.header(header::IF_MATCH, format!("\"{tag}\""));
        }
        self.ask(request.body(Body::from(body.to_string())).expect("a request")).await
    }

    async fn revision_of(&self, id: ConnectionId) -> String {
        revision(&self.connection_row(id).await)
    }

    /// What the plugin would be handed as its secret.
    async fn token_of(&self, id: ConnectionId) -> String {
        let row = self.connection_row(id).await;
        let tx = self.app.db.read(self.tenant).await.expect("read");
        let context = load_context(&self.app, &tx, &row).await.expect("a context");
        context.secrets.iter().find(|(field, _)| field == "token").expect("a token").1.expose().to_owned()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_over_the_api_needs_the_revision_that_was_read() {
    on_both(migrate, async |test| {
        let shop = TestApp::new(test, "shop").await;
        let id = shop.connect().await;
        let session = shop.session().await;
        let rename = json!({ "label": "Quay shop" });
        let missing = shop.patch(&session, id, None, &rename).await;
        assert_eq!((missing.status.as_u16(), &missing.problem()["code"]), (428, &json!("revision_required")));
        let tag = shop.revision_of(id).await;
        let changed = shop.patch(&session, id, Some(&tag), &rename).await;
        assert_eq!(changed.status, 200, "{}", changed.body);
        assert!(changed.body.contains("Quay shop") && !changed.body.contains("open-sesame"));
        assert_eq!(shop.token_of(id).await, "open-sesame", "what is not sent stays");

        let stale = shop.patch(&session, id, Some(&tag), &json!({ "label": "Pier shop" })).await;
        assert_eq!((stale.status.as_u16(), &stale.problem()["code"]), (412, &json!("stale")));
        let again = shop.patch(&session, id, Some(&tag), &rename).await;
        assert_eq!(again.status, 200, "who sends the same again overwrites nobody");
        assert_eq!(shop.connection_row(id).await.label, "Quay shop");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_changes_at_the_same_moment_one_is_told() {
    on_both(migrate, async |test| {
        let shop = TestApp::new(test, "shop").await;
        let id = shop.connect().await;
        let seen = shop.revision_of(id).await;
        let change = |label: &str| ConnectionChange {
            revision: seen.clone(),
            label: Some(label.to_owned()),
            ..ConnectionChange::default()
        };
        let (one, other) = tokio::join!(
            change_connection(&shop.app, shop.tenant, shop.who(), id, change("One")),
            change_connection(&shop.app, shop.tenant, shop.who(), id, change("Other")),
        );
        let refused: Vec<u16> =
            [one, other].into_iter().filter_map(Result::err).map(|error| error.status.as_u16()).collect();
        assert!(refused == [412] || refused == [409], "{refused:?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_address_asks_for_the_secret_again_and_whether_it_is_the_same_account() {
    on_both(migrate, async |test| {
        let shop = TestApp::new(test, "shop").await;
        shop.runtime.clone().page("orders", &[order("A", 1, 60)]);
        let id = shop.connect().await;
        assert_succeeded(&shop.sync(id).await);
        let session = shop.session().await;
        let tag = shop.revision_of(id).await;
        let moved = shop.patch(&session, id, Some(&tag), &json!({ "config": { "shop": "elsewhere" } })).await;
        assert_eq!(moved.status, 422);
        let told = &moved.problem()["errors"][0];
        assert_eq!(told["pointer"], "token");
        assert_eq!(moved.problem()["errors"][1]["pointer"], "same_account", "all is asked at once");
        assert!(told["message"].as_str().is_some_and(|told| told.contains("elsewhere.shops.example")));

        let config = json!({ "shop": "elsewhere", "token": "new-sesame" });
        let other = shop.patch(&session, id, Some(&tag), &json!({ "config": config })).await;
        assert_eq!(
            (other.status.as_u16(), &other.problem()["errors"][0]["pointer"]),
            (422, &json!("same_account"))
        );
        assert_eq!(shop.token_of(id).await, "open-sesame", "nothing of a refused change is stored");

        let meant = json!({ "config": config, "same_account": true });
        assert_eq!(shop.patch(&session, id, Some(&tag), &meant).await.status, 200);
        assert_eq!(shop.token_of(id).await, "new-sesame");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_follows_no_address_that_was_changed_back_in_between() {
    on_both(migrate, async |test| {
        let shop = TestApp::new(test, "shop").await;
        let id = shop.connect().await;
        let session = shop.session().await;
        let seen = shop.revision_of(id).await;
        let at_home = shop.connection_row(id).await.config;
        let away = json!({ "config": { "shop": "elsewhere", "token": "other-sesame" } });
        assert_eq!(shop.patch(&session, id, Some(&seen), &away).await.status, 200);

        let (began, has_began) = tokio::sync::oneshot::channel();
        let (release, released) = tokio::sync::oneshot::channel();
        // While somebody puts the first address back, the change below has read the other one.
        let back = shop.app.db.write(shop.tenant, move |tx| {
            Box::pin(async move {
                let row = tx.update_many::<connection::Entity>();
                let row = row.col_expr(connection::Column::Config, Expr::value(at_home));
                row.filter(connection::Column::Id.eq(id.0)).exec(tx).await?;
                began.send(()).expect("somebody listens");
                released.await.expect("released");
                Ok::<_, DbError>(())
            })
        });
        let overtaken = async {
            has_began.await.expect("began");
            let change = ConnectionChange {
                revision: seen.clone(),
                config: Some(json!({ "shop": "elsewhere" })),
                ..ConnectionChange::default()
            };
            let changed = change_connection(&shop.app, shop.tenant, shop.who(), id, change);
            let wait = async {
                tokio::time::sleep(std::time::Duration::from_millis(300)).await;
                release.send(()).expect("somebody waits");
            };
            tokio::join!(changed, wait).0
        };
        let (back, overtaken) = tokio::join!(back, overtaken);
        back.expect("put back");
        let refused = overtaken.expect_err("the stored secret was not entered for that address");
        assert_eq!((refused.status.as_u16(), refused.fields[0].path.as_str()), (422, "token"));
        assert!(shop.connection_row(id).await.config.contains("harbour"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tag_names_the_whole_answer_and_a_change_needs_the_settings_in_it_alone() {
    on_both(migrate, async |test| {
        let shop = TestApp::new(test, "shop").await;
        let id = shop.connect().await;
        let session = shop.session().await;
        let path = format!("/api/v1/connections/{id}");
        let asked = async |known: &str| {
            let request = Request::get(&path).header(header::COOKIE, &session);
            let request = request.header(header::IF_NONE_MATCH, known).body(Body::empty());
            let router = portolan_app::router::router(std::sync::Arc::clone(&shop.app));
            let response = router.oneshot(request.expect("a request")).await.expect("an answer");
            let tag = response.headers()[header::ETAG].to_str().expect("a tag").to_owned();
            (response.status().as_u16(), tag)
        };
        let (_, first) = asked("\"none\"").await;
        assert_eq!(asked(&first).await, (304, first.clone()));
        set_state(&shop.app, shop.tenant, shop.who(), id, ConnectionState::Paused).await.expect("a state");
        let (status, paused) = asked(&first).await;
        assert!(status == 200 && paused != first, "another state is another answer");
        let (field, value) = ("token".to_owned(), "new-sesame".to_owned());
        shop.advance(portolan_core::Duration::from_secs(1));
        set_secret(&shop.app, shop.tenant, shop.who(), id, field, value).await.expect("a secret");
        assert_eq!(asked(&paused).await.0, 200, "a secret of another time is another answer");

        let seen = Some(first.trim_matches('"'));
        let renamed = shop.patch(&session, id, seen, &json!({ "label": "Quay" })).await;
        assert_eq!(renamed.status, 200, "the settings are those that were read");
        assert_eq!(shop.patch(&session, id, seen, &json!({ "label": "Pier" })).await.status, 412);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_form_moves_a_shop_however_its_questions_are_answered() {
    on_both(migrate, async |test| {
        let shop = TestApp::new(test, "shop").await;
        shop.runtime.clone().page("orders", &[order("A", 1, 60)]);
        let id = shop.connect().await;
        assert_succeeded(&shop.sync(id).await);
        let session = shop.session().await;
        let revision = shop.revision_of(id).await;
        let send = async |token: &str, same: bool| {
            let mut fields = vec![
                ("revision", revision.as_str()),
                ("label", "Harbour shop"),
                ("shop", "elsewhere"),
                ("token", token),
            ];
            fields.extend(same.then_some(("same_account", "true")));
            shop.post_form(&session, &format!("/connections/{id}/settings"), &fields).await
        };
        for (token, same) in [("", false), ("new-sesame", false), ("", true)] {
            let asked = send(token, same).await;
            assert_eq!(asked.status, 422);
            assert!(asked.body.contains("name=\"same_account\""), "{token:?}, {same}");
            assert_eq!(asked.body.contains("Enter it again"), token.is_empty());
        }
        assert_eq!(send("new-sesame", true).await.status, 200);
        assert_eq!(shop.token_of(id).await, "new-sesame");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn days_stay_once_sales_are_posted_and_settings_while_a_sync_reads_by_them() {
    on_both(migrate, async |test| {
        let shop = TestApp::new(test, "shop").await;
        shop.runtime.clone().page("orders", &[order("A", 1, 60)]);
        let id = shop.connect().await;
        let session = shop.session().await;
        let zone = json!({ "time_zone": "Asia/Kolkata" });
        let tag = shop.revision_of(id).await;
        assert_eq!(shop.patch(&session, id, Some(&tag), &zone).await.status, 200, "nothing is imported yet");

        let sync = start_sync(&shop.app, shop.tenant, shop.who(), id, Trigger::Manual).await.expect("a sync");
        let tag = shop.revision_of(id).await;
        let open = shop.patch(&session, id, Some(&tag), &json!({ "time_zone": "UTC" })).await;
        assert_eq!(open.status, 409, "{}", open.body);
        let renamed = shop.patch(&session, id, Some(&tag), &json!({ "label": "Quay" })).await;
        assert_eq!(renamed.status, 200, "a name is read by no sync");
        shop.work().await;
        assert_succeeded(&shop.sync_row(sync).await);

        let tag = shop.revision_of(id).await;
        let late = shop.patch(&session, id, Some(&tag), &json!({ "time_zone": "UTC" })).await;
        assert_eq!(
            (late.status.as_u16(), &late.problem()["errors"][0]["pointer"]),
            (422, &json!("time_zone"))
        );
        let page = shop.get(&session, &format!("/connections/{id}/settings")).await.body;
        assert!(!page.contains("name=\"time_zone\"") && page.contains("Its days stay: Asia/Kolkata"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_settings_form_shows_what_is_stored_but_no_secret_and_keeps_it() {
    on_both(migrate, async |test| {
        let shop = TestApp::new(test, "shop").await;
        let id = shop.connect().await;
        let session = shop.session().await;
        let here = format!("/connections/{id}/settings");
        let page = shop.get(&session, &here).await;
        assert_eq!(page.status, 200);
        assert!(page.body.contains("value=\"harbour\"") && page.body.contains("Leave empty to keep it"));
        assert!(page.body.contains("by shop.") && !page.body.contains("open-sesame"));

        let revision = shop.revision_of(id).await;
        let fields = [
            ("revision", revision.as_str()),
            ("label", "Quay shop"),
            ("time_zone", "UTC"),
            ("day_cutover_minutes", "240"),
            ("shop", "harbour"),
            ("token", ""),
        ];
        let saved = shop.post_form(&session, &here, &fields).await;
        assert_eq!(
            saved.location.as_deref(),
            Some(format!("{here}?done=settings-saved").as_str()),
            "{}",
            saved.body
        );
        let row = shop.connection_row(id).await;
        assert_eq!((row.label.as_str(), row.day_cutover_minutes), ("Quay shop", 240));
        assert_eq!(shop.token_of(id).await, "open-sesame");

        let mut wrong = fields;
        wrong[3].1 = "9999";
        wrong[4].1 = "two.labels";
        let refused = shop.post_form(&session, &here, &wrong).await;
        assert_eq!(refused.status, 422);
        assert!(refused.body.contains("value=\"two.labels\""), "nothing that was typed is lost");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_that_was_overtaken_shows_what_differs_and_may_be_sent_again() {
    on_both(migrate, async |test| {
        let shop = TestApp::new(test, "shop").await;
        let id = shop.connect().await;
        let session = shop.session().await;
        let here = format!("/connections/{id}/settings");
        let seen = shop.revision_of(id).await;
        let form = |revision: &str| {
            [
                ("revision", revision.to_owned()),
                ("label", "Mine".to_owned()),
                ("time_zone", "UTC".to_owned()),
                ("day_cutover_minutes", "0".to_owned()),
                ("shop", "harbour".to_owned()),
            ]
        };
        let send = async |revision: &str| {
            let fields = form(revision);
            let fields: Vec<(&str, &str)> =
                fields.iter().map(|(name, text)| (*name, text.as_str())).collect();
            shop.post_form(&session, &here, &fields).await
        };
        let theirs = json!({ "label": "Theirs" });
        assert_eq!(shop.patch(&session, id, Some(&seen), &theirs).await.status, 200);
        let conflict = send(&seen).await;
        assert_eq!(conflict.status, 409);
        for told in ["Somebody else changed", "Theirs", "Mine", "value=\"Mine\""] {
            assert!(conflict.body.contains(told), "{told}");
        }
        assert_eq!(shop.connection_row(id).await.label, "Theirs");
        let now = shop.revision_of(id).await;
        assert!(conflict.body.contains(&now), "sent again it is a decision");
        assert!(send(&now).await.status.is_redirection());
        assert_eq!(shop.connection_row(id).await.label, "Mine");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_secret_is_checked_at_once_and_wakes_the_connection_when_it_passes() {
    on_both(migrate, async |test| {
        let shop = TestApp::new(test, "shop").await;
        let id = shop.connect().await;
        portolan_app::connections::ops::set_state(
            &shop.app,
            shop.tenant,
            shop.who(),
            id,
            ConnectionState::NeedsAuth,
        )
        .await
        .expect("a state");
        let session = shop.session().await;
        let here = format!("/connections/{id}/settings");
        let replace = async |token: &str| {
            let revision = shop.revision_of(id).await;
            let fields = [
                ("revision", revision.as_str()),
                ("label", "Harbour shop"),
                ("time_zone", "UTC"),
                ("day_cutover_minutes", "0"),
                ("shop", "harbour"),
                ("token", token),
            ];
            shop.post_form(&session, &here, &fields).await
        };
        let refusal =
            Fault::Auth { kind: AuthKind::Invalid, missing: Vec::new(), detail: "no such token".to_owned() };
        shop.runtime.clone().check_fault(refusal);
        let refused = replace("wrong-sesame").await;
        assert_eq!(refused.status, StatusCode::OK);
        assert!(
            refused.body.contains("Saved, but the check failed") && refused.body.contains("no such token")
        );
        assert!(!refused.body.contains("wrong-sesame"));
        assert_eq!(shop.connection_row(id).await.state, ConnectionState::NeedsAuth);

        let passed = replace("right-sesame").await;
        assert!(passed.body.contains("Saved, and the channel accepts it"), "{}", passed.body);
        assert!(!passed.body.contains("right-sesame"));
        assert_eq!(shop.connection_row(id).await.state, ConnectionState::Active);
        assert_eq!(shop.token_of(id).await, "right-sesame");
    })
    .await;
}

/// Rows of before keep working, and the doctor names them.
#[tokio::test(flavor = "multi_thread")]
async fn a_stored_field_that_nobody_declares_is_kept_until_it_is_changed() {
    on_both(migrate, async |test| {
        let shop = TestApp::new(test, "shop").await;
        let session = shop.session().await;
        let id = shop.connect().await;
        let told = async || {
            let findings = doctor::examine(&shop.app).await.expect("the doctor");
            let settings =
                findings.into_iter().find(|finding| finding.what.ends_with("settings of connections"));
            settings.expect("a finding").detail
        };
        assert_eq!(told().await, None);
        shop.app
            .db
            .write(shop.tenant, move |tx| {
                Box::pin(async move {
                    let config = json!({ "shop": "harbour", "tokn": "misplaced-sesame" }).to_string();
                    tx.update_many::<connection::Entity>()
                        .col_expr(connection::Column::Config, Expr::value(config))
                        .filter(connection::Column::Id.eq(id.0))
                        .exec(tx)
                        .await?;
                    Ok::<_, DbError>(())
                })
            })
            .await
            .expect("stored");
        let detail = told().await.expect("named");
        assert!(detail.contains("tokn of Harbour shop") && !detail.contains("misplaced"), "{detail}");

        let tag = shop.revision_of(id).await;
        let renamed = shop.patch(&session, id, Some(&tag), &json!({ "label": "Quay shop" })).await;
        assert_eq!(renamed.status, 200, "{}", renamed.body);
        let tag = shop.revision_of(id).await;
        let changed = json!({ "config": { "shop": "harbour", "tokn": "changed" } });
        assert_eq!(shop.patch(&session, id, Some(&tag), &changed).await.status, 422);
        let dropped = json!({ "config": { "shop": "harbour" } });
        let answer = shop.patch(&session, id, Some(&tag), &dropped).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        assert_eq!(told().await, None);
    })
    .await;
}
