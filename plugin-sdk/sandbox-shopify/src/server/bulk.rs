//! Bulk operations of one shop: begun by a mutation, made bit by bit while somebody asks how they are, fetched as a
//! file of lines in ranges.
//!
//! The file is not kept: where each object begins is, and what a range needs is written anew. So a large world takes
//! no more memory than its index.

use std::fmt::Write as _;

use std::sync::{Mutex, MutexGuard, PoisonError};

use graphql_parser::query::parse_query;
use portolan_sandbox::ExportOutcome;
use serde_json::{Value, json};

use super::resolve::ShopRoot;
use crate::answer::gid;
use crate::graphql::execute::Root;
use crate::graphql::query::{Arguments, Query};
use crate::graphql::{GraphqlError, GraphqlResult};
use crate::time::instant_text;

/// How bulk operations go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BulkPlan {
    /// Running at once, per shop: five since 2026-04, one before.
    pub at_once: usize,
    /// Root objects that are made from one question about it to the next.
    pub roots_per_poll: usize,
}

impl BulkPlan {
    pub const USUAL: Self = Self { at_once: 5, roots_per_poll: 10_000 };
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Status {
    Created,
    Running,
    Completed,
    Failed(&'static str),
    Canceled,
    Expired,
}

impl Status {
    fn is_over(self) -> bool {
        !matches!(self, Self::Created | Self::Running)
    }
}

#[derive(Debug)]
struct Operation {
    id: u64,
    query: String,
    status: Status,
    /// Objects of the root, by index, once it is running.
    chosen: Vec<u32>,
    /// Where each of them ends in the file, as far as it is made.
    ends: Vec<u64>,
    lines: u64,
    /// Bytes at the end that the file lacks.
    missing: u64,
    /// Addresses that have expired: the next one has this number.
    links: u64,
}

/// Everything a shop was asked to make.
#[derive(Debug, Default)]
pub struct BulkDesk {
    operations: Vec<Operation>,
}

/// What a request may do with the files of its shop.
#[derive(Clone, Copy)]
pub struct Exports<'a> {
    pub desk: &'a Mutex<BulkDesk>,
    pub plan: BulkPlan,
    /// What is to go wrong, of what could.
    pub outcome: &'a dyn Fn(&[ExportOutcome]) -> Option<ExportOutcome>,
    /// Where files are fetched.
    pub files_url: &'a str,
    /// The end of the world.
    pub now: i64,
}

impl Exports<'_> {
    pub fn desk(&self) -> MutexGuard<'_, BulkDesk> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A part of a file.
pub struct Part {
    pub bytes: Vec<u8>,
    pub total: u64,
}

impl BulkDesk {
    /// `bulkOperationRunQuery`.
    pub fn begin(&mut self, arguments: &Arguments, exports: Exports<'_>) -> GraphqlResult<Value> {
        let refused = |code: &str, field: Value, messages: Vec<String>| {
            let errors = messages
                .into_iter()
                .map(|message| json!({ "field": field, "message": message, "code": code }));
            Ok(json!({ "bulkOperation": null, "userErrors": errors.collect::<Vec<_>>() }))
        };
        let text = arguments.text("query").unwrap_or_default();
        let document = match parse_query::<&str>(text) {
            Ok(document) => document,
            Err(error) => {
                return refused("INVALID", json!(["query"]), vec![format!("Invalid bulk query: {error}")]);
            }
        };
        let objections = match Query::new(text, &document, None, &Value::Null) {
            Ok(query) => query.bulk_objections(),
            Err(error) => vec![error.message],
        };
        if !objections.is_empty() {
            return refused("INVALID", json!(["query"]), objections);
        }
        if arguments.get("groupObjects") != Some(&Value::Bool(true)) {
            return Err(GraphqlError::new(
                "BAD_REQUEST",
                "the sandbox writes grouped files only: groupObjects: true",
            ));
        }
        let mut running: Vec<u64> =
            self.operations.iter().filter(|one| !one.status.is_over()).map(|one| one.id).collect();
        if (exports.outcome)(&[ExportOutcome::Busy]).is_some() {
            running.push(1);
        } else if running.len() < exports.plan.at_once {
            let id = 7_000_000_000_000 + self.operations.len() as u64 + 1;
            self.operations.push(Operation {
                id,
                query: text.to_owned(),
                status: Status::Created,
                chosen: Vec::new(),
                ends: Vec::new(),
                lines: 0,
                missing: 0,
                links: 0,
            });
            let begun = self.operations.last().map(|one| one.shown(exports));
            return Ok(json!({ "bulkOperation": begun, "userErrors": [] }));
        }
        let ids = running.into_iter().map(|id| gid("BulkOperation", id)).collect::<Vec<_>>().join(", ");
        let message = format!("A bulk query operation for this app and shop is already in progress: {ids}.");
        refused("OPERATION_IN_PROGRESS", Value::Null, vec![message])
    }

    /// An operation, which has got on since it was last asked about.
    pub fn ask(&mut self, id: u64, shop: &ShopRoot<'_>) -> GraphqlResult<Value> {
        let Some(operation) = self.operations.iter_mut().find(|one| one.id == id) else {
            return Ok(Value::Null);
        };
        operation.get_on(shop)?;
        Ok(operation.shown(shop.exports))
    }

    /// All, in the order in which they were begun.
    pub fn all(&self, exports: Exports<'_>) -> Vec<Value> {
        self.operations.iter().map(|one| one.shown(exports)).collect()
    }

    pub fn newest(&self) -> Option<u64> {
        self.operations.last().map(|one| one.id)
    }

    /// Bytes of the file at an address: from the first up to but not including the second. `None`: there is none.
    pub fn read(
        &mut self,
        (id, link): (u64, u64),
        range: (u64, Option<u64>),
        shop: &ShopRoot<'_>,
    ) -> GraphqlResult<Option<Part>> {
        let found = self.operations.iter_mut().find(|one| one.id == id && one.status == Status::Completed);
        let Some(operation) = found else { return Ok(None) };
        if (shop.exports.outcome)(&[ExportOutcome::LinkExpired]).is_some() {
            operation.links = link + 1;
        }
        if link < operation.links {
            return Ok(None);
        }
        operation.read(range, shop).map(Some)
    }
}

impl Operation {
    fn total(&self) -> u64 {
        self.ends.last().copied().unwrap_or_default() - self.missing
    }

    fn get_on(&mut self, shop: &ShopRoot<'_>) -> GraphqlResult<()> {
        match self.status {
            Status::Created => {
                self.chosen = with_query(&self.query, |query| {
                    let (root, arguments) = query.bulk_root()?;
                    shop.chosen(root.name, &arguments)
                })?;
                self.status = Status::Running;
            }
            Status::Running => {
                let next = self.ends.len();
                let until = (next + shop.exports.plan.roots_per_poll).min(self.chosen.len());
                let mut end = self.ends.last().copied().unwrap_or_default();
                let mut last_line = 0;
                let chosen = &self.chosen[next..until];
                let (ends, lines) = (&mut self.ends, &mut self.lines);
                with_query(&self.query, |query| {
                    for index in chosen {
                        let written = written(query, shop, *index)?;
                        last_line = written.last().map_or(0, |line| line.len() as u64 + 1);
                        *lines += written.len() as u64;
                        end += written.iter().map(|line| line.len() as u64 + 1).sum::<u64>();
                        ends.push(end);
                    }
                    Ok(())
                })?;
                if self.ends.len() == self.chosen.len() {
                    self.complete(last_line, shop.exports);
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn complete(&mut self, last_line: u64, exports: Exports<'_>) {
        use ExportOutcome::{AccessDenied, Canceled, CutShort, Expired, Failed, TimedOut};
        let outcome = (exports.outcome)(&[Failed, TimedOut, AccessDenied, Canceled, Expired, CutShort]);
        self.status = match outcome {
            Some(Failed) => Status::Failed("INTERNAL_SERVER_ERROR"),
            Some(TimedOut) => Status::Failed("TIMEOUT"),
            Some(AccessDenied) => Status::Failed("ACCESS_DENIED"),
            Some(Canceled) => Status::Canceled,
            Some(Expired) => Status::Expired,
            _ => Status::Completed,
        };
        if outcome == Some(CutShort) {
            self.missing = last_line;
        }
    }

    /// A `BulkOperation`.
    fn shown(&self, exports: Exports<'_>) -> Value {
        let Exports { now, files_url, .. } = exports;
        let (status, error) = match self.status {
            Status::Created => ("CREATED", None),
            Status::Running => ("RUNNING", None),
            Status::Completed => ("COMPLETED", None),
            Status::Failed(code) => ("FAILED", Some(code)),
            Status::Canceled => ("CANCELED", None),
            Status::Expired => ("EXPIRED", None),
        };
        let over = self.status.is_over();
        let made = over && self.total() > 0;
        let address = format!("{files_url}/{}-{}.jsonl?Expires={}", self.id, self.links, now + 604_800);
        let whole = made && self.status == Status::Completed;
        json!({
            "__typename": "BulkOperation",
            "id": gid("BulkOperation", self.id),
            "type": "QUERY",
            "status": status,
            "errorCode": error,
            "createdAt": instant_text(now),
            "completedAt": over.then(|| instant_text(now)),
            "objectCount": self.lines.to_string(),
            "rootObjectCount": self.ends.len().to_string(),
            "fileSize": made.then(|| self.total().to_string()),
            "url": whole.then(|| address.clone()),
            "partialDataUrl": (made && !whole).then_some(address),
            "query": self.query,
        })
    }

    fn read(&self, (start, end): (u64, Option<u64>), shop: &ShopRoot<'_>) -> GraphqlResult<Part> {
        let total = self.total();
        let end = end.unwrap_or(total).min(total);
        let first = self.ends.partition_point(|at| *at <= start);
        let mut position = if first == 0 { 0 } else { self.ends[first - 1] };
        let skipped = (start - position.min(start)) as usize;
        let mut text = String::new();
        with_query(&self.query, |query| {
            for (index, at) in self.chosen[first..].iter().zip(&self.ends[first..]) {
                if position >= end {
                    break;
                }
                for line in written(query, shop, *index)? {
                    // Writing into a string cannot fail.
                    let _ = writeln!(text, "{line}");
                }
                position = *at;
            }
            Ok(())
        })?;
        let mut bytes = text.into_bytes();
        bytes.drain(..skipped.min(bytes.len()));
        bytes.truncate(end.saturating_sub(start) as usize);
        Ok(Part { bytes, total })
    }
}

/// The lines of one root object.
fn written(query: &Query<'_>, shop: &ShopRoot<'_>, index: u32) -> GraphqlResult<Vec<String>> {
    let (root, _) = query.bulk_root()?;
    let shop = ShopRoot { asked: query.names(), ..*shop };
    let node = query.node_of(root).ok_or_else(|| GraphqlError::new("BAD_REQUEST", "no node at the root"))?;
    let mut lines = Vec::new();
    query.bulk_lines(shop.write(root.name, index), node, None, &mut lines)?;
    Ok(lines)
}

fn with_query<T>(text: &str, act: impl FnOnce(&Query<'_>) -> GraphqlResult<T>) -> GraphqlResult<T> {
    let refused = |error: String| GraphqlError::new("BAD_REQUEST", error);
    let document = parse_query::<&str>(text).map_err(|error| refused(error.to_string()))?;
    let query = Query::new(text, &document, None, &Value::Null)?;
    act(&query)
}
