//! What channels ask for their customers, by an address that is a secret and with a signature over every byte.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use portolan_app::privacy::ops::make_hook;
use portolan_core::{ConnectionId, Duration};
use portolan_db::entity::connection::ConnectionState;
use portolan_db::entity::privacy_request::{self, PrivacyKind, PrivacySource, PrivacyState};
use portolan_db::entity::{audit_event, connection_privacy, mail, person};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::doors::Answer;
use crate::postbox::Postbox;
use crate::support::*;

/// What [`TestApp::connect`] enters as the secret.
const SECRET: &str = "open-sesame";
pub const ADA: i64 = 191_167;
pub const BEN: i64 = 207_119;

/// A shop with two orders of one customer and one of another.
pub async fn with_customers(test: &TestDatabase, name: &str) -> (TestApp, ConnectionId) {
    let shop = TestApp::new(test, name).await;
    let connection = shop.connect().await;
    sell(&shop);
    assert_succeeded(&shop.sync(connection).await);
    (shop, connection)
}

/// What the channel tells from now on.
pub fn sell(shop: &TestApp) {
    shop.runtime.clear_pages("orders");
    let (ada, ben) = (format!("Customer/{ADA}"), format!("Customer/{BEN}"));
    let orders = [order_of("A", 1, 60, &ada), order_of("B", 2, 50, &ada), order_of("C", 4, 40, &ben)];
    drop(shop.runtime.clone().page("orders", &orders));
}

pub fn data_request(id: i64) -> Value {
    json!({ "shop_id": 7, "shop_domain": "harbour", "orders_requested": [1], "customer": { "id": id, "email": "ada@example.org" },
        "data_request": { "id": 9 } })
}

pub fn redact(id: i64) -> Value {
    json!({ "shop_id": 7, "shop_domain": "harbour", "customer": { "id": id, "phone": "+1555" }, "orders_to_redact": [1] })
}

fn shop_redact() -> Value {
    json!({ "shop_id": 7, "shop_domain": "harbour" })
}

fn sign(secret: &str, body: &[u8]) -> String {
    let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(secret.as_bytes()).expect("a key");
    mac.update(body);
    STANDARD.encode(mac.finalize().into_bytes())
}

impl TestApp {
    /// The path of a new address of a connection.
    pub async fn hook(&self, connection: ConnectionId) -> String {
        let address = make_hook(&self.app, self.tenant, self.who(), connection).await.expect("an address");
        assert!(address.starts_with("/hooks/") && address.len() >= 64, "{address}");
        address
    }

    /// As the channel sends it; what the unsigned header says is the caller's.
    async fn tell(&self, path: &str, topic: &str, signature: Option<&str>, body: &[u8]) -> Answer {
        let mut request = Request::post(path)
            .header(header::CONTENT_TYPE, "application/json")
            .header("x-shop-topic", topic);
        if let Some(signature) = signature {
            request = request.header("x-shop-signature", signature);
        }
        self.ask(request.body(Body::from(body.to_vec())).expect("a request")).await
    }

    pub async fn tell_signed(&self, path: &str, body: &Value) -> StatusCode {
        let body = body.to_string();
        self.tell(path, "", Some(&sign(SECRET, body.as_bytes())), body.as_bytes()).await.status
    }

    pub async fn privacy_requests(&self) -> Vec<privacy_request::Model> {
        let mut rows = self.rows::<privacy_request::Entity>().await;
        rows.sort_by_key(|row| row.received_at);
        rows
    }

    pub async fn erased_customers(&self) -> usize {
        self.rows::<person::Entity>().await.iter().filter(|row| row.erased_at.is_some()).count()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_channels_wish_is_stored_and_done_by_what_its_body_says() {
    on_both(migrate, async |test| {
        let (shop, connection) = with_customers(test, "shop").await;
        let path = shop.hook(connection).await;
        // The header is not signed: it lies, and nobody listens.
        let body = data_request(ADA).to_string();
        let told =
            shop.tell(&path, "shop/redact", Some(&sign(SECRET, body.as_bytes())), body.as_bytes()).await;
        assert_eq!((told.status, told.body.as_str()), (StatusCode::OK, ""));
        let rows = shop.privacy_requests().await;
        let row = rows.first().expect("a request");
        assert_eq!(
            (row.kind, row.source, row.state),
            (PrivacyKind::Export, PrivacySource::Shop, PrivacyState::Received)
        );
        assert_eq!(row.due_at - row.received_at, Duration::from_days(30).0);
        assert!(row.subject.is_some() && row.person_id.is_some() && row.starts_at <= row.received_at + 1);
        shop.work().await;
        let row = shop.privacy_requests().await.remove(0);
        assert_eq!(row.state, PrivacyState::Done);
        assert!(row.export.is_some() && row.result.expect("a result").contains("\"persons\":1"));
        assert_eq!(shop.erased_customers().await, 0, "whatever the header said");

        assert_eq!(shop.tell_signed(&path, &redact(BEN)).await, 200);
        shop.work().await;
        assert_eq!(shop.erased_customers().await, 1);
        let row = shop.privacy_requests().await.pop().expect("the second");
        assert_eq!((row.kind, row.state, row.subject), (PrivacyKind::Erase, PrivacyState::Done, None));

        // Who has no id is nobody to erase; it is told and done. Whom nobody knows yet is kept out from the beginning.
        let mut guest = redact(1);
        guest["customer"] = json!({ "email": "guest@example.org" });
        assert_eq!(shop.tell_signed(&path, &guest).await, 200);
        shop.work().await;
        assert_eq!(shop.erased_customers().await, 1);
        assert_eq!(shop.tell_signed(&path, &redact(404)).await, 200);
        shop.work().await;
        let rows = shop.privacy_requests().await;
        assert!(rows.iter().all(|row| row.state == PrivacyState::Done), "{rows:?}");
        shop.runtime.clear_pages("orders");
        drop(shop.runtime.clone().page("orders", &[order_of("Z", 1, 5, "Customer/404")]));
        assert_succeeded(&shop.sync(connection).await);
        let people = shop.rows::<person::Entity>().await;
        assert_eq!((people.len(), shop.erased_customers().await), (3, 2));
        assert!(people.iter().all(|row| row.erased_at.is_none() || row.identity_sealed.is_none()));
        let known = &shop.rows::<connection_privacy::Entity>().await[0];
        assert!(known.hook_received_at.is_some() && known.hook_sha256.is_some());
        assert!(
            !path.contains(known.hook_sha256.as_deref().expect("a hash")),
            "the token itself is not kept"
        );

        let events = shop.rows::<audit_event::Entity>().await;
        let by_channel = events.iter().filter(|event| event.actor_kind == "channel");
        assert!(by_channel.clone().all(|event| event.actor_id == Some(connection.0)));
        assert_eq!(by_channel.count(), 4);
        let told = format!("{events:?}");
        for personal in ["191167", "207119", "ada@example.org", "guest@example.org", "+1555"] {
            assert!(!told.contains(personal), "{personal}: {told}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_signed_too_large_or_at_no_address_is_refused_and_leaves_nothing() {
    on_both(migrate, async |test| {
        let (shop, connection) = with_customers(test, "shop").await;
        let other = TestApp::new(test, "other").await;
        let theirs = other.connect().await;
        let (path, foreign) = (shop.hook(connection).await, other.hook(theirs).await);
        let body = redact(ADA).to_string();
        let signature = sign(SECRET, body.as_bytes());
        let ask = async |path: &str, signature: Option<&str>, body: &[u8]| {
            shop.tell(path, "customers/redact", signature, body).await.status
        };
        assert_eq!(ask(&path, None, body.as_bytes()).await, 401);
        assert_eq!(ask(&path, Some(&sign("another secret", body.as_bytes())), body.as_bytes()).await, 401);
        assert_eq!(ask(&path, Some(&signature), redact(BEN).to_string().as_bytes()).await, 401);
        assert_eq!(ask(&path, Some(&signature), format!("{body} ").as_bytes()).await, 401);
        assert_eq!(ask(&path, Some("%%%"), body.as_bytes()).await, 401);

        // Signed, and still none of ours.
        for (wrong, why) in [
            (
                json!({ "shop_domain": "quayside", "orders_to_redact": [], "customer": { "id": ADA } }),
                "another shop's",
            ),
            (json!({ "shop_domain": "harbour", "customer": { "id": ADA } }), "of no topic"),
            (json!({ "orders_to_redact": [], "customer": { "id": ADA } }), "says no shop"),
            (json!(["shop_domain"]), "no object"),
        ] {
            assert_eq!(shop.tell_signed(&path, &wrong).await, 422, "{why}");
        }
        assert_eq!(ask(&path, Some(&sign(SECRET, b"{nonsense")), b"{nonsense").await, 422);
        let large = json!({ "shop_domain": "harbour", "pad": "x".repeat(70_000) }).to_string();
        assert_eq!(ask(&path, Some(&sign(SECRET, large.as_bytes())), large.as_bytes()).await, 413);

        // Addresses that are none, none any more, or lead to somebody else.
        let token = path.strip_prefix("/hooks/").expect("a token");
        let mut others: Vec<char> = token.chars().collect();
        others[40] = if others[40] == 'A' { 'B' } else { 'A' };
        for wrong in [others.into_iter().collect::<String>(), "x".to_owned(), token[..60].to_owned()] {
            let answer = shop.tell(&format!("/hooks/{wrong}"), "", Some(&signature), body.as_bytes()).await;
            assert_eq!((answer.status, answer.body.as_str()), (StatusCode::NOT_FOUND, ""), "{wrong}");
        }
        let rotated = shop.hook(connection).await;
        assert_eq!(ask(&path, Some(&signature), body.as_bytes()).await, 404, "the old address");
        let get = shop.get("", &rotated).await;
        assert!(get.status.is_client_error(), "{}", get.status);
        for app in [&shop, &other] {
            assert_eq!(app.privacy_requests().await.len(), 0);
        }
        assert_eq!(shop.erased_customers().await, 0);

        // Another company's address leads to that company alone, where nobody is called so.
        let told = other.tell(&foreign, "customers/redact", Some(&signature), body.as_bytes()).await;
        assert_eq!(told.status, 200);
        other.work().await;
        assert_eq!((shop.privacy_requests().await.len(), other.privacy_requests().await.len()), (0, 1));
        assert_eq!(shop.erased_customers().await, 0);

        // A page of another site that a browser opens here changes nothing either.
        let request = Request::post(&rotated)
            .header("x-shop-signature", &signature)
            .header("origin", "https://evil.example")
            .header(header::COOKIE, shop.session().await);
        let crossed = shop.ask(request.body(Body::from(body.clone())).expect("a request")).await;
        assert_eq!(crossed.status, 403, "{}", crossed.body);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_bytes_are_one_request_however_often_and_at_once_they_come() {
    on_both(migrate, async |test| {
        let (shop, connection) = with_customers(test, "shop").await;
        let path = shop.hook(connection).await;
        let wish = redact(ADA);
        let sending = (0..50).map(|_| shop.tell_signed(&path, &wish));
        let answers = futures::future::join_all(sending).await;
        let answers: BTreeSet<u16> = answers.into_iter().map(|status| status.as_u16()).collect();
        assert_eq!(answers, [200].into());
        assert_eq!(shop.privacy_requests().await.len(), 1);
        let jobs = shop.open_jobs().await.into_iter().filter(|job| job.kind == "privacy.run").count();
        assert_eq!(jobs, 1);
        shop.work().await;
        assert_eq!(shop.tell_signed(&path, &redact(ADA)).await, 200);
        shop.work().await;
        assert_eq!(shop.privacy_requests().await.len(), 1, "done, and sent again");
        assert_eq!(shop.erased_customers().await, 1);
        // Long afterwards the same words are said anew.
        shop.advance(Duration::from_days(4));
        assert_eq!(shop.tell_signed(&path, &redact(ADA)).await, 200);
        shop.work().await;
        assert_eq!(shop.privacy_requests().await.len(), 2);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shop_that_is_left_is_paused_and_all_its_customers_are_erased() {
    on_both(migrate, async |test| {
        let mut shop = TestApp::new(test, "shop").await;
        let postbox = Postbox::open().await;
        Arc::get_mut(&mut shop.app).expect("nobody else holds it yet").mail = Some(postbox.mailer());
        let (connection, second) = (shop.connect().await, shop.connect_as("Market").await);
        sell(&shop);
        for id in [connection, second] {
            assert_succeeded(&shop.sync(id).await);
        }
        let tenant = portolan_app::people::NewTenant {
            slug: "shop".to_owned(),
            currency: "EUR".to_owned(),
            time_zone: "UTC".to_owned(),
        };
        portolan_app::people::add_owner(&shop.app, "mara@example.com", None, tenant).await.expect("an owner");
        let before = shop.standing().await;
        let path = shop.hook(connection).await;
        assert_eq!(shop.tell_signed(&path, &shop_redact()).await, 200);
        assert_eq!(shop.connection_row(connection).await.state, ConnectionState::Paused, "at once");
        assert_eq!(shop.connection_row(second).await.state, ConnectionState::Active);
        shop.work().await;
        let people = shop.rows::<person::Entity>().await;
        let erased: BTreeSet<Uuid> =
            people.iter().filter(|row| row.erased_at.is_some()).map(|row| row.connection_id).collect();
        assert_eq!(erased, [connection.0].into(), "the other connection's customers stay");
        assert_eq!(people.iter().filter(|row| row.erased_at.is_some()).count(), 2);
        assert_eq!(shop.standing().await, before, "figures stay");
        let row = shop.privacy_requests().await.remove(0);
        assert_eq!((row.kind, row.state), (PrivacyKind::EraseShop, PrivacyState::Done));
        // The owner is told by mail; of customers it says nothing.
        let mails = postbox.mails();
        assert_eq!(mails.len(), 1, "{mails:?}");
        assert!(
            mails[0].to[0].contains("mara@example.com") && mails[0].text.contains("/admin/privacy"),
            "{mails:?}"
        );
        assert!(!mails[0].text.contains("191167"));
        let tx = shop.app.db.system_read().await.expect("read");
        assert_eq!(tx.find::<mail::Entity>().all(&tx).await.expect("mails"), []);
    })
    .await;
}
