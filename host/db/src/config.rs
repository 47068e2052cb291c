//! Which database, and how many connections to it.

use std::path::Path;

/// How to reach the database.
#[derive(Debug, Clone)]
pub struct DatabaseConfig {
    /// `sqlite://<path>` or `postgres://…`.
    pub url: String,
    /// Connections that only read; two at least, as a fold reads through two.
    pub readers: u32,
    /// Connections that write; SQLite has exactly one, whatever stands here.
    pub writers: u32,
    /// Accepts a PostgreSQL that acknowledges before it has written (`fsync = off` and the like).
    /// For throw-away databases of tests; a product sets it only where its operator asks for it.
    pub accept_data_loss: bool,
    /// Accepts a PostgreSQL whose row-level security does not hold us. For trials, where the operator asks.
    pub accept_missing_row_security: bool,
}

impl DatabaseConfig {
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            readers: 4,
            writers: 8,
            accept_data_loss: false,
            accept_missing_row_security: false,
        }
    }

    /// The embedded database in this file; its folder must exist.
    pub fn sqlite(path: &Path) -> Self {
        let path = path.to_string_lossy().replace('%', "%25").replace('?', "%3F").replace('#', "%23");
        Self::new(format!("sqlite://{path}"))
    }
}
