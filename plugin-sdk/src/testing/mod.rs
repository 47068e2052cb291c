//! A host for native tests: `cargo test` runs a connector against recorded answers and files, with
//! the same rules the real host has, and without a component.
//!
//! ```ignore
//! let host = Host::new().answer("GET /orders", Answer::json(r#"{"orders": []}"#));
//! let run = host.sync::<Shop>(&connection("{}"), &slice("orders"))?;
//! assert_eq!(run.output.orders.len(), 0);
//! ```

mod answer;
mod cassette;
mod cut;
mod run;
mod stub;

pub use answer::{Answer, Call};
pub use cassette::{Cassette, Replayed};
pub use cut::{Aim, cut_delimited};
pub use run::{NOW, Run, connection, event, request, slice};
pub use stub::{Host, Output};
pub(crate) use stub::{emit, imports};

#[cfg(test)]
mod tests;
