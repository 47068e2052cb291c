//! How a channel tells that a customer wants to know what is stored of them, or wants to be forgotten.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Verification;
use crate::config::text_of;

/// What the host receives by one address per connection. Which topic it is, is judged by the signed body alone: a header that
/// nobody signs may say anything.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PrivacyWebhooks {
    pub verification: Verification,
    /// Where a body says whose it is, and what has to say the same: one secret may sign for many accounts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<PrivacyAccount>,
    pub topics: Vec<PrivacyTopic>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PrivacyAccount {
    /// JSON pointer into the body.
    pub pointer: String,
    /// A field of the configuration, no secret.
    pub field: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PrivacyTopic {
    /// As the channel names it, for whoever registers it.
    pub topic: String,
    pub asks: PrivacyAsks,
    /// JSON pointers that a body of this topic has, all of them.
    #[serde(default)]
    pub has: Vec<String>,
    /// JSON pointers of which it has none.
    #[serde(default)]
    pub lacks: Vec<String>,
    /// JSON pointer to the customer's id; where the body has none it is about nobody whom we know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PrivacyAsks {
    /// What is stored of a customer.
    Export,
    /// To erase a customer.
    Erase,
    /// To erase all customers of the account.
    EraseAll,
}

/// What a body turned out to ask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrivacyWish {
    pub asks: PrivacyAsks,
    /// As the body writes it: in one of the ways that the streams' subjects know.
    pub customer_id: Option<String>,
}

impl PrivacyWebhooks {
    /// What a body asks; nothing where it is of no topic.
    pub fn judge(&self, body: &Value) -> Option<PrivacyWish> {
        let topic = self.topics.iter().find(|topic| topic.fits(body))?;
        let customer = topic.customer.as_ref().and_then(|pointer| id_at(body, pointer));
        Some(PrivacyWish { asks: topic.asks, customer_id: customer })
    }

    /// Whether a body is about the account that this configuration is of.
    pub fn is_of_account(&self, body: &Value, config: &Value) -> bool {
        let Some(account) = &self.account else { return true };
        let said = id_at(body, &account.pointer);
        said.is_some() && said == text_of(config, &account.field)
    }
}

impl PrivacyTopic {
    fn fits(&self, body: &Value) -> bool {
        let has = |pointer: &String| body.pointer(pointer).is_some();
        body.is_object() && self.has.iter().all(has) && !self.lacks.iter().any(has)
    }
}

/// A text or a whole number, as text.
fn id_at(body: &Value, pointer: &str) -> Option<String> {
    match body.pointer(pointer)? {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) if number.is_u64() || number.is_i64() => Some(number.to_string()),
        _ => None,
    }
}
