//! Events: what happened, with the object as it was then, in the words of an old version of the API.

use serde_json::{Value, json};

use super::View;
use crate::world::Subject;

impl View<'_> {
    pub fn event(&self, index: usize) -> Value {
        let event = &self.account.events[index];
        // Of a deletion, the last state before it.
        let then = if event.kind.ends_with(".deleted") { event.created - 1 } else { event.created };
        let then = View { account: self.account, now: then };
        json!({
            "id": event.id,
            "object": "event",
            "api_version": "2020-08-27",
            "created": event.created,
            "data": { "object": then.subject(event.subject) },
            "livemode": false,
            "pending_webhooks": 0,
            "request": { "id": null, "idempotency_key": null },
            "type": event.kind,
        })
    }

    fn subject(&self, subject: Subject) -> Value {
        match subject {
            Subject::Charge(index) => self.charge(index),
            Subject::Refund(index) => self.refund(index, false),
            Subject::Dispute(index) => self.dispute(index, false),
            Subject::Intent(index) => self.intent(index, false),
            Subject::Payout(index) => self.payout(index),
            Subject::Customer(index) => self.customer(index),
            Subject::Product(index) => self.product(index, false),
        }
    }
}
