//! What this slice asks of DNS. The server has a resolver behind it; tests say what it answers.

use async_trait::async_trait;

/// DNS did not answer, or not in a way that says anything.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NoAnswer(pub String);

#[async_trait]
pub trait TxtLookup: Send + Sync {
    /// The texts of a name's TXT records; none where there is no such name or no such record.
    async fn texts(&self, name: &str) -> Result<Vec<String>, NoAnswer>;
}

/// DNS that is not there: for programs that look nothing up.
#[derive(Debug, Clone, Copy)]
pub struct NoDns;

#[async_trait]
impl TxtLookup for NoDns {
    async fn texts(&self, _: &str) -> Result<Vec<String>, NoAnswer> {
        Err(NoAnswer("this program asks no DNS".to_owned()))
    }
}
