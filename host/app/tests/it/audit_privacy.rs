//! What is asked for customers, for the tests of the audit.

use portolan_core::ConnectionId;
use portolan_db::entity::privacy_request::{self, PrivacyState};
use sea_orm::ActiveValue::Set;
use serde_json::json;

use crate::audit::{Sent, Story, id_in};
use crate::support::*;

impl Story {
    /// The newest request, as one that failed.
    async fn failed_request(&self) -> Uuid {
        let requests = self.shop.privacy_requests().await;
        let id = requests.last().expect("a request").id;
        let row = privacy_request::ActiveModel {
            tenant_id: Set(self.shop.tenant.0),
            id: Set(id),
            state: Set(PrivacyState::Failed),
            ..Default::default()
        };
        let tenant = self.shop.tenant;
        let marked = self
            .shop
            .app
            .db
            .write(tenant, move |tx| Box::pin(async move { tx.update(row).await.map(|_| ()) }));
        marked.await.expect("failed");
        id
    }
}

pub async fn privacy_by_api(story: &mut Story, connection: ConnectionId) {
    let asked = json!({ "kind": "erase", "connection_id": connection, "customer_id": "customer-1" });
    let (all, one) = ("/api/v1/privacy/requests", "/api/v1/privacy/requests/{id}");
    let made = story.act("post", all, &[], Sent::Json(asked.clone()), &["privacy_request.create"]).await;
    let nothing = || Sent::Json(serde_json::Value::Null);
    story.act("delete", one, &[id_in(&made)], nothing(), &["privacy_request.cancel"]).await;
    story.act("post", all, &[], Sent::Json(asked), &["privacy_request.create"]).await;
    let id = story.failed_request().await;
    let retry = "/api/v1/privacy/requests/{id}/retry";
    story.act("post", retry, &[id], nothing(), &["privacy_request.retry"]).await;
    let days = Sent::Json(json!({ "connection_id": connection, "days": 365 }));
    story.act("put", "/api/v1/privacy/retention", &[], days, &["connection.set_retention"]).await;
    let hook = "/api/v1/connections/{id}/privacy-hook";
    story.act("post", hook, &[connection.0], nothing(), &["privacy_hook.make"]).await;
}

pub async fn privacy_by_pages(story: &mut Story, connection: ConnectionId) {
    let whom = format!("connection_id={connection}&customer_id=customer-1");
    story.act("post", "/admin/privacy/find", &[], Sent::Form(&whom), &[]).await;
    let (all, erase) = ("/admin/privacy/requests", format!("kind=erase&{whom}"));
    story.act("post", all, &[], Sent::Form(&erase), &["privacy_request.create"]).await;
    let id = story.shop.privacy_requests().await.last().expect("a request").id;
    let cancel = "/admin/privacy/requests/{id}/cancel";
    story.act("post", cancel, &[id], Sent::Form(""), &["privacy_request.cancel"]).await;
    story.act("post", all, &[], Sent::Form(&erase), &["privacy_request.create"]).await;
    let id = story.failed_request().await;
    let retry = "/admin/privacy/requests/{id}/retry";
    story.act("post", retry, &[id], Sent::Form(""), &["privacy_request.retry"]).await;
    let days = format!("retention_connection_id={connection}&days=365&do=save");
    story
        .act("post", "/admin/privacy/retention", &[], Sent::Form(&days), &["connection.set_retention"])
        .await;
    let hook = "/connections/{id}/privacy-hook";
    story.act("post", hook, &[connection.0], Sent::Form(""), &["privacy_hook.make"]).await;
}
