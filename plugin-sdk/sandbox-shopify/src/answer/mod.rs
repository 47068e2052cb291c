//! World objects as the JSON that Shopify's schema describes. Connections are plain arrays here:
//! the executor makes pages of them.

pub mod catalogue;
pub mod history;
pub mod money;
pub mod order;
pub mod stock;

/// A global id: `gid://shopify/Order/1`.
pub fn gid(kind: &str, id: u64) -> String {
    format!("gid://shopify/{kind}/{id}")
}

/// The number at the end of a global id of this kind.
pub fn parse_gid(kind: &str, text: &str) -> Option<u64> {
    text.strip_prefix("gid://shopify/")?.strip_prefix(kind)?.strip_prefix('/')?.parse().ok()
}
