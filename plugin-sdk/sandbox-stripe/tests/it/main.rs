//! The sandbox from outside: paging and refusals, answers against the published specification, the world's own sums.

mod answers;
mod published;
mod world;

use portolan_sandbox_stripe::{Question, Sandbox};
use serde_json::Value;

pub const KEY: &str = "Bearer rk_test_sandbox";

pub fn ask(sandbox: &Sandbox, account: &str, path: &str, query: &str) -> (u16, Value) {
    let question =
        Question { account: Some(account), authorization: Some(KEY), path, query, ..Question::default() };
    let reply = sandbox.answer(question);
    (reply.status, serde_json::from_slice(&reply.body).expect("JSON"))
}

/// Every object of a list, page by page.
pub fn everything(sandbox: &Sandbox, account: &str, path: &str, query: &str) -> Vec<Value> {
    let mut all: Vec<Value> = Vec::new();
    loop {
        let after = all.last().and_then(|last| last["id"].as_str());
        let after = after.map(|id| format!("&starting_after={id}")).unwrap_or_default();
        let (status, page) = ask(sandbox, account, path, &format!("{query}{after}"));
        assert_eq!(status, 200, "{page}");
        assert_eq!((page["object"].as_str(), page["url"].as_str()), (Some("list"), Some(path)));
        all.extend(page["data"].as_array().expect("data").iter().cloned());
        if page["has_more"] == false {
            return all;
        }
    }
}
