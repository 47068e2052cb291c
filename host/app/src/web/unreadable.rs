//! A body that cannot be read: told in the reader's words, without the values that were sent. They may be secrets in a
//! wrong place, and what is said in an answer ends in logs.

use axum::extract::rejection::JsonRejection;

use crate::web::error::AppError;

/// Before a text in quotes that was sent.
const BEFORE_TEXT: &str = "string \"";
/// Before a word in backticks that was sent.
const BEFORE_WORD: &str = "unknown variant `";

impl From<JsonRejection> for AppError {
    fn from(rejection: JsonRejection) -> Self {
        Self::unreadable(&rejection.body_text())
    }
}

impl AppError {
    /// What serde says of a body, less what stood in it.
    pub fn unreadable(said: &str) -> Self {
        let said = without(said, BEFORE_TEXT, '"', |rest| rest.rfind("\", expected"));
        let said = without(&said, BEFORE_WORD, '`', |rest| rest.rfind("`, expected"));
        Self::bad_request(said)
    }
}

/// Replaces what stands between `before` and its end; all that follows where the end is not found.
fn without(said: &str, before: &str, close: char, end_of: impl Fn(&str) -> Option<usize>) -> String {
    let Some((head, rest)) = said.split_once(before) else { return said.to_owned() };
    let tail = end_of(rest).map(|end| &rest[end..]).unwrap_or_default();
    let closed = if tail.is_empty() { close.to_string() } else { String::new() };
    format!("{head}{before}…{closed}{tail}")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Choice {
        One,
        Two,
    }

    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "read for its errors alone")]
    struct Body {
        #[serde(default)]
        number: i64,
        #[serde(default)]
        list: Vec<BTreeMap<String, u8>>,
        choice: Option<Choice>,
    }

    proptest! {
        #[test]
        fn no_text_that_was_sent_is_told_again(secret in "[a-zA-Z0-9\"`,: \\\\]{12,40}", at in 0..3_usize) {
            let value = serde_json::Value::String(secret.clone());
            let name = ["number", "list", "choice"][at];
            let body = serde_json::json!({ name: value }).to_string();
            let said = serde_json::from_str::<Body>(&body).expect_err("no such value").to_string();
            let error = AppError::unreadable(&said);
            prop_assert!(!error.detail.contains(&secret), "{}", error.detail);
            prop_assert!(!error.detail.contains(&secret.escape_debug().to_string()), "{}", error.detail);
            prop_assert!(error.detail.contains("expected") && error.detail.contains("line 1"), "{}", error.detail);
        }
    }

    #[test]
    fn the_rest_stays_as_it_was_said() {
        let said = "invalid type: string \"open\", expected u8 at line 1 column 9";
        assert_eq!(
            AppError::unreadable(said).detail,
            "invalid type: string \"…\", expected u8 at line 1 column 9"
        );
        for kept in ["missing field `name` at line 1 column 2", "unknown field `x`, expected `y`"] {
            assert_eq!(AppError::unreadable(kept).detail, kept);
        }
    }
}
