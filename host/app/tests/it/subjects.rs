//! The customers of a shop: under pseudonyms wherever anything rests, told everything, forgotten for good.

use std::collections::BTreeSet;
use std::sync::Arc;

use bytes::Bytes;
use portolan_access::{PSEUDONYM_PREFIX, Secrets, SystemRole};
use portolan_app::people::{NewTenant, add_with_role, find_person};
use portolan_app::subjects::{self, Identity, Subject};
use portolan_app::web::error::AppError;
use portolan_connector::{ChunkInfo, Continuation, Page, Payload, RawChunk};
use portolan_core::{ConnectionId, Duration};
use portolan_db::Dialect;
use portolan_db::entity::{chunk, connection, document, document_version, person, pseudonym_key, sale_event};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, ConnectionTrait, DbBackend, QueryFilter, Statement};
use serde_json::Value;

use crate::support::*;

/// An id that is found nowhere by chance.
const ADA: &str = "ada-5f0c1d77aa42";
const BEN: &str = "ben-90b1e4c3d815";

/// A shop with two orders of one customer and one of another.
async fn with_customers(test: &TestDatabase, name: &str) -> (TestApp, ConnectionId) {
    let shop = TestApp::new(test, name).await;
    let connection = shop.connect().await;
    say_orders(&shop);
    assert_succeeded(&shop.sync(connection).await);
    (shop, connection)
}

fn say_orders(shop: &TestApp) {
    shop.runtime.clear_pages("orders");
    let prefixed = format!("Customer/{ADA}");
    let orders = [
        order_of("A", 1, 60, ADA),
        order_of("B", 2, 50, &prefixed),
        order_of("C", 4, 40, BEN),
        refund("R", "A", 1, 30),
    ];
    drop(shop.runtime.clone().page("orders", &orders));
}

impl TestApp {
    async fn find_subjects(&self, id: &str) -> Vec<Subject> {
        let tx = self.app.db.read(self.tenant).await.expect("read");
        subjects::find(&self.app, &tx, None, id).await.expect("subjects")
    }

    async fn subject(&self, id: &str) -> Subject {
        let mut found = self.find_subjects(id).await;
        assert_eq!(found.len(), 1, "{id}");
        found.remove(0)
    }

    async fn identity(&self, subject: &Subject) -> Identity {
        let tx = self.app.db.read(self.tenant).await.expect("read");
        subjects::identity(&self.app, &tx, subject).await.expect("an identity")
    }

    async fn export(&self, subject: &Subject) -> Value {
        let tx = self.app.db.read(self.tenant).await.expect("read");
        subjects::export(&self.app, &tx, subject).await.expect("an export")
    }

    async fn forget(&self, subject: &Subject) -> subjects::Erased {
        let (app, subject, now) = (Arc::clone(&self.app), subject.clone(), self.app.clock.now());
        let erased = self.app.db.write(self.tenant, move |tx| {
            Box::pin(async move { subjects::erase(&app, tx, &subject, now).await })
        });
        erased.await.map_err(|error: AppError| error.full_detail()).expect("erased")
    }

    /// What the ledger says of whom.
    async fn figures(&self) -> BTreeSet<(String, Option<String>, String, i64, i64)> {
        let events = self.rows::<sale_event::Entity>().await;
        events
            .into_iter()
            .map(|row| (row.order_key, row.customer_key, row.kind, row.quantity_milli, row.gross_minor))
            .collect()
    }

    async fn customers(&self) -> BTreeSet<String> {
        self.rows::<sale_event::Entity>().await.into_iter().filter_map(|row| row.customer_key).collect()
    }
}

/// Whether a text is found in anything that the database keeps.
async fn rests(test: &TestDatabase, text: &str) -> Option<String> {
    let connection = test.database.migration_connection();
    match test.dialect() {
        Dialect::Sqlite => {
            let file = test.database.file().expect("a file").to_owned();
            for ending in ["", "-wal"] {
                let mut path = file.clone().into_os_string();
                path.push(ending);
                let bytes = std::fs::read(&path).unwrap_or_default();
                if String::from_utf8_lossy(&bytes).contains(text) {
                    return Some(format!("the file {}", path.display()));
                }
            }
            None
        }
        Dialect::Postgres => {
            let query = async |sql: String| {
                let statement = Statement::from_string(DbBackend::Postgres, sql);
                connection.query_all_raw(statement).await.expect("rows")
            };
            let tables =
                "SELECT tablename::text FROM pg_tables WHERE schemaname = current_schema()".to_owned();
            for row in query(tables).await {
                let table: String = row.try_get_by_index(0).expect("a name");
                let found = query(format!(
                    "SELECT 1 AS one FROM \"{table}\" AS t WHERE t::text LIKE '%{text}%' \
                     OR t::text LIKE '%' || encode('{text}', 'hex') || '%' LIMIT 1"
                ));
                if !found.await.is_empty() {
                    return Some(format!("the table {table}"));
                }
            }
            None
        }
    }
}

/// Stored pages, unpacked.
async fn stored_pages(shop: &TestApp) -> String {
    let chunks = shop.rows::<chunk::Entity>().await;
    let unpack = |chunk: chunk::Model| {
        let body = portolan_app::ingest::stage::unpack_body(&chunk.body).expect("a body");
        String::from_utf8(body).expect("text")
    };
    chunks.into_iter().map(unpack).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_rests_under_a_pseudonym_everywhere_and_is_found_by_the_channels_id() {
    on_both(migrate, async |test| {
        let (shop, connection) = with_customers(test, "shop").await;
        let pages = stored_pages(&shop).await;
        assert!(pages.contains("\"A\"") && !pages.contains(ADA) && !pages.contains(BEN), "{pages}");
        assert_eq!(rests(test, ADA).await, None);
        assert!(rests(test, "Harbour shop").await.is_some(), "what rests is found");

        let people = shop.rows::<person::Entity>().await;
        assert_eq!(people.len(), 2);
        let ada = shop.subject(ADA).await;
        assert_eq!(ada, shop.subject(&format!(" Customer/{ADA}")).await, "whichever way it is written");
        assert!(ada.pseudonym.starts_with(PSEUDONYM_PREFIX) && ada.connection_id == connection.0);
        let heads = shop.rows::<document::Entity>().await;
        let of_ada = heads.iter().filter(|head| head.customer_key.as_ref() == Some(&ada.pseudonym)).count();
        assert_eq!(of_ada, 2, "both orders are hers");
        assert_eq!(shop.customers().await.len(), 2);
        assert_eq!(shop.identity(&ada).await, Identity::Known { channel_customer_id: ADA.to_owned() });
        assert_eq!(shop.find_subjects("nobody").await, []);

        // The same customer at another company, and at another connection, is somebody else.
        let (other, _) = with_customers(test, "other").await;
        let elsewhere = other.subject(ADA).await;
        assert_ne!(elsewhere.pseudonym, ada.pseudonym);
        let tx = other.app.db.read(other.tenant).await.expect("read");
        assert!(subjects::identity(&other.app, &tx, &ada).await.is_err(), "not theirs");
        assert!(subjects::export(&other.app, &tx, &ada).await.is_err(), "not theirs");
        drop(tx);
        let second = shop.connect_as("Market").await;
        assert_succeeded(&shop.sync(second).await);
        let both = shop.find_subjects(ADA).await;
        assert_eq!(both.len(), 2);
        assert_ne!(both[0].pseudonym, both[1].pseudonym);
        let tx = shop.app.db.read(shop.tenant).await.expect("read");
        let one = subjects::find(&shop.app, &tx, Some(second.0), ADA).await.expect("subjects");
        assert!(one.len() == 1 && one[0].connection_id == second.0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_erased_stays_so_and_figures_stay_as_they_were() {
    on_both(migrate, async |test| {
        let (shop, connection) = with_customers(test, "shop").await;
        let (ada, before, customers) =
            (shop.subject(ADA).await, shop.figures().await, shop.customers().await);
        let erased = shop.forget(&ada).await;
        assert!(!erased.before);
        let again = shop.forget(&ada).await;
        assert!(again.before && again.erased_at == erased.erased_at, "once is enough");
        let tombstone = Identity::Erased { at: erased.erased_at };
        assert_eq!(shop.identity(&ada).await, tombstone);
        assert_eq!(shop.subject(ADA).await, ada, "the tombstone is found");

        // All of it once more, and an order that is new.
        shop.advance(Duration::from_days(2));
        say_orders(&shop);
        drop(shop.runtime.clone().page("orders", &[order_of("D", 8, 20, ADA)]));
        assert_succeeded(&shop.sync(connection).await);
        assert_eq!(shop.identity(&shop.subject(ADA).await).await, tombstone);
        let row = shop.rows::<person::Entity>().await.into_iter().find(|row| row.id == ada.person_id);
        let row = row.expect("the tombstone");
        assert!(row.key_sealed.is_none() && row.identity_sealed.is_none() && row.erased_at.is_some());
        assert_eq!(shop.rows::<person::Entity>().await.len(), 2, "nobody is made anew");
        assert_eq!(rests(test, ADA).await, None);
        assert!(!stored_pages(&shop).await.contains(ADA));

        let after = shop.figures().await;
        assert!(before.is_subset(&after) && after.len() == before.len() + 1, "{before:?} {after:?}");
        assert_eq!(shop.customers().await, customers, "as many customers as before");
        let ben = shop.subject(BEN).await;
        assert_eq!(shop.identity(&ben).await, Identity::Known { channel_customer_id: BEN.to_owned() });
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_holds_the_persons_documents_and_events_and_nobody_elses() {
    on_both(migrate, async |test| {
        let (shop, _) = with_customers(test, "shop").await;
        let ada = shop.subject(ADA).await;
        let told = shop.export(&ada).await;
        assert_eq!((&told["format"], &told["version"]), (&"portolan-subject".into(), &1.into()));
        assert_eq!(told["identity"]["channel_customer_id"], ADA);
        let documents = told["documents"].as_array().expect("documents");
        let keys: BTreeSet<&str> = documents.iter().filter_map(|document| document["key"].as_str()).collect();
        assert_eq!(keys, ["A", "B", "R"].into(), "her orders, and the refund that names nobody");
        assert!(documents.iter().all(|document| document["versions"][0]["document"].is_object()), "{told}");
        let events = told["sale_events"].as_array().expect("events");
        let orders: BTreeSet<&str> =
            events.iter().filter_map(|event| event["event"]["order_key"].as_str()).collect();
        assert_eq!(orders, ["A", "B"].into());
        let of_hers = |row: &sale_event::Model| ["A", "B"].contains(&row.order_key.as_str());
        assert_eq!(
            events.len(),
            shop.rows::<sale_event::Entity>().await.iter().filter(|row| of_hers(row)).count()
        );
        let ben = shop.subject(BEN).await;
        assert!(!told.to_string().contains(&ben.pseudonym), "{told}");

        shop.forget(&ada).await;
        let told = shop.export(&ada).await;
        assert_eq!(told["identity"], Value::Null);
        assert!(told["erased_at"].is_string() && !told.to_string().contains(ADA), "{told}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn changing_the_keys_makes_nobody_a_stranger() {
    on_both(migrate, async |test| {
        let (shop, connection) = with_customers(test, "shop").await;
        let (ada, before) = (shop.subject(ADA).await, shop.customers().await);
        let app = &shop.app;
        let secrets = Secrets::new(
            app.db.clone(),
            Arc::clone(&app.key_ring),
            Arc::clone(&app.clock),
            Arc::clone(&app.random),
        );
        for _ in 0..2 {
            let old = app.key_ring.active_id();
            let rotating = tokio::spawn({
                let secrets = secrets.clone();
                async move { secrets.rotate().await }
            });
            say_orders(&shop);
            assert_succeeded(&shop.sync(connection).await);
            let rotated = rotating.await.expect("a rotation").expect("rotated");
            assert!(rotated.columns.iter().all(|column| column.closed.is_empty()), "{rotated:?}");
            secrets.rotate().await.expect("the rest");
            secrets.remove_master_key(old).await.expect("nothing needs it");
            assert_eq!(shop.subject(ADA).await, ada);
            assert_eq!(shop.identity(&ada).await, Identity::Known { channel_customer_id: ADA.to_owned() });
            assert_eq!(shop.customers().await, before);
        }
        let findings = portolan_app::system::doctor::examine(app).await.expect("the doctor");
        assert!(findings.iter().all(|finding| finding.problem.is_none()), "{findings:?}");
        assert!(findings.iter().any(|finding| finding.what.contains("person")), "{findings:?}");

        // Without its key no customer is named: another key would make two of each.
        let damaged = app.db.write(shop.tenant, |tx| {
            Box::pin(async move {
                tx.update_many::<pseudonym_key::Entity>()
                    .col_expr(pseudonym_key::Column::Sealed, Expr::value(vec![2_u8; 90]))
                    .exec(tx)
                    .await?;
                Ok::<_, AppError>(())
            })
        });
        damaged.await.map_err(|error| error.full_detail()).expect("damaged");
        let failed = shop.sync(connection).await;
        let told = assert_failed(&failed, "pseudonym_key");
        assert!(told.contains("portolan doctor"), "{told}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_of_before_keeps_its_ids_and_its_numbers() {
    on_both(migrate, async |test| {
        let shop = TestApp::new(test, "shop").await;
        let connection = shop.connect().await;
        let of_before = shop.app.db.write(shop.tenant, move |tx| {
            Box::pin(async move {
                tx.update_many::<connection::Entity>()
                    .col_expr(connection::Column::Pseudonyms, Expr::value(false))
                    .filter(connection::Column::Id.eq(connection.0))
                    .exec(tx)
                    .await?;
                Ok::<_, AppError>(())
            })
        });
        of_before.await.map_err(|error| error.full_detail()).expect("changed");
        say_orders(&shop);
        assert_succeeded(&shop.sync(connection).await);
        let prefixed = format!("Customer/{ADA}");
        assert_eq!(shop.customers().await, [ADA, BEN, prefixed.as_str()].map(str::to_owned).into());
        assert_eq!((shop.rows::<person::Entity>().await.len(), shop.find_subjects(ADA).await.len()), (0, 0));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_tells_who_its_customer_is_to_those_alone_who_may_know() {
    on_both(migrate, async |test| {
        let (shop, _) = with_customers(test, "shop").await;
        let heads = shop.rows::<document::Entity>().await;
        let id = heads.iter().find(|head| head.key == "A").expect("the order").id;
        let member = async |name: &str, role: SystemRole| {
            let tenant = NewTenant {
                slug: "shop".to_owned(),
                currency: "EUR".to_owned(),
                time_zone: "UTC".to_owned(),
            };
            add_with_role(&shop.app, name, None, tenant, role).await.expect("a person");
            let user = find_person(&shop.app, name).await.expect("a person");
            let link = shop.app.sessions.create_link(shop.tenant, user).await.expect("a link");
            let client = portolan_access::Client::default();
            let session = shop.app.sessions.sign_in_with_link(&link, client).await.expect("a session");
            format!("ptl_session={}", session.token)
        };
        let owner = shop.session().await;
        let reads_orders = SystemRole::ALL.iter().copied().filter(|role| {
            let has = |wanted: &str| role.permissions().iter().any(|one| one.as_str() == wanted);
            has("orders:read") && !has("personal:read")
        });
        let kept_from = reads_orders.collect::<Vec<_>>();
        assert!(!kept_from.is_empty());
        for (number, role) in kept_from.into_iter().enumerate() {
            let session = member(&format!("somebody-{number}"), role).await;
            for path in [format!("/orders/{id}"), format!("/api/v1/orders/{id}")] {
                let body = shop.get(&session, &path).await.body;
                assert!(!body.contains(ADA) && !body.contains("Customer in the channel"), "{role}: {body}");
            }
        }
        let page = shop.get(&owner, &format!("/orders/{id}")).await.body;
        assert!(page.contains("Customer in the channel") && page.contains(ADA), "{page}");
        let answer = shop.get(&owner, &format!("/api/v1/orders/{id}")).await.body;
        let answer: Value = serde_json::from_str(&answer).expect("json");
        assert_eq!(answer["channel_customer"]["id"], ADA);

        shop.forget(&shop.subject(ADA).await).await;
        let page = shop.get(&owner, &format!("/orders/{id}")).await.body;
        assert!(page.contains("erased on") && !page.contains(ADA), "{page}");
        let answer = shop.get(&owner, &format!("/api/v1/orders/{id}")).await.body;
        let answer: Value = serde_json::from_str(&answer).expect("json");
        assert!(
            answer["channel_customer"]["id"].is_null() && answer["channel_customer"]["erased_at"].is_string()
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_cannot_be_read_is_not_stored_with_whom_it_names() {
    on_both(migrate, async |test| {
        let shop = TestApp::new(test, "shop").await;
        let connection = shop.connect().await;
        shop.runtime.clone().on_fetch(|request| {
            let info = ChunkInfo {
                stream: request.slice.stream.clone(),
                framing: "json".to_owned(),
                content_type: "application/json".to_owned(),
            };
            let body = Bytes::from(format!(r#"[{{"customer": "{ADA}""#));
            let page = Page::new(vec![RawChunk { info, payload: Payload::Inline(body) }], Continuation::Done);
            (request.slice.stream == "orders").then_some(Ok(page))
        });
        let failed = shop.sync(connection).await;
        let told = assert_failed(&failed, "unreadable_page");
        assert!(told.contains("not stored") && !told.contains(ADA), "{told}");
        assert_eq!(shop.rows::<chunk::Entity>().await.iter().filter(|row| row.stream == "orders").count(), 0);
        assert_eq!(rests(test, ADA).await, None);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_long_unseen_is_named_to_the_day() {
    on_both(migrate, async |test| {
        let (shop, connection) = with_customers(test, "shop").await;
        let unseen = async |days: i64| {
            let tx = shop.app.db.read(shop.tenant).await.expect("read");
            let before = shop.app.clock.now() - Duration::from_days(days);
            subjects::unseen_since(&tx, connection.0, before).await.expect("people")
        };
        assert_eq!(unseen(1).await, []);
        shop.advance(Duration::from_days(10));
        assert_eq!(unseen(5).await.len(), 2);
        shop.runtime.clear_pages("orders");
        drop(shop.runtime.clone().page("orders", &[order_of("C", 4, 40, BEN)]));
        assert_succeeded(&shop.sync(connection).await);
        assert_eq!(unseen(5).await, [shop.subject(ADA).await], "the other was seen again");
        shop.forget(&shop.subject(ADA).await).await;
        assert_eq!(unseen(5).await, [], "whoever is erased is nobody's any more");
        assert!(!shop.rows::<document_version::Entity>().await.is_empty(), "documents stay");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_build_that_names_no_customers_cannot_sync_where_pseudonyms_are_promised() {
    on_both(migrate, async |test| {
        let shop = TestApp::new(test, "shop").await;
        let connection = shop.connect().await;
        let mut silent = manifest();
        silent.streams.iter_mut().for_each(|stream| stream.subject.clear());
        drop(shop.runtime.clone().plugin(silent));
        say_orders(&shop);
        let failed = shop.sync(connection).await;
        assert!(assert_failed(&failed, "subjects_unnamed").contains("Switch to a build"), "says what to do");
        assert_eq!(shop.rows::<chunk::Entity>().await.len(), 0);
        assert_eq!(rests(test, ADA).await, None);
    })
    .await;
}
