//! The recordings that lie beside the plugins: what a plugin makes of one, document by document and event by event,
//! lies there, too. So a change of mapping shows as a change of that file, and not only in somebody's figures.
//!
//! Where the change is meant: `PORTOLAN_ACCEPT_RECORDED=1 cargo xtask test`, then read the difference.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use portolan_commerce::cash::{self, PaymentFacts};
use portolan_commerce::document::{BalanceEntry, Dispute, Document, Order, Refund};
use portolan_commerce::ledger::{self, OrderFacts, Version};
use portolan_connector::PluginRuntime;
use portolan_connector::cassette::Cassette;
use portolan_core::{Instant, StoreCalendar};
use portolan_plugin_host::{Outcome, SandboxRuntime};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::support::{options, prebuilt_plugins};

const ACCEPT: &str = "PORTOLAN_ACCEPT_RECORDED";

/// A file that a person reads and a repository carries.
const LARGEST_BYTES: usize = 200 << 10;

#[tokio::test]
async fn shopifys_recordings_are_read_as_they_were() {
    are_read_as_they_were("shopify").await;
}

#[tokio::test]
async fn stripes_recordings_are_read_as_they_were() {
    are_read_as_they_were("stripe").await;
}

async fn are_read_as_they_were(plugin: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../plugins/{plugin}/cassettes"));
    let runtime = SandboxRuntime::new(options()).expect("the sandbox starts");
    let component = std::fs::read(plugins_dir().join(format!("{plugin}.wasm"))).expect("cargo xtask plugins");
    let installed = runtime.install(Bytes::from(component)).await.expect("it installs").plugin;
    let files = std::fs::read_dir(&folder).expect("the recordings").map(|file| file.expect("a file").path());
    let recordings: Vec<PathBuf> =
        files.filter(|file| file.extension().is_some_and(|kind| kind == "json")).collect();
    assert!(!recordings.is_empty(), "{plugin} has a recording");
    for recording in recordings {
        let text = read(&recording);
        assert!(text.len() <= LARGEST_BYTES, "{} is larger than {LARGEST_BYTES} bytes", recording.display());
        let cassette = Cassette::read(&text).expect("a cassette");
        let outcomes = runtime.replay(&installed, &cassette).await.expect("a replay");
        assert!(outcomes.iter().all(|outcome| outcome.skipped == 0), "every record is understood");
        let now = cassette.now().expect("a moment");
        let calendar = StoreCalendar::new(&cassette.time_zone, 0).expect("a zone");
        is_as_told(&recording.with_extension("told.jsonl"), &told(&outcomes, now, &calendar));
    }
}

/// A line for each stream, document and event.
fn told(outcomes: &[Outcome], now: Instant, calendar: &StoreCalendar) -> String {
    let mut told = String::new();
    let mut line = |what: &str, value: Value| {
        writeln!(told, "{}", json!({ what: value })).expect("a text grows");
    };
    let mut facts = Facts::default();
    for outcome in outcomes {
        let Outcome { stream, pages, exchanges, seen, .. } = outcome;
        line("stream", json!([stream, { "pages": pages, "exchanges": exchanges, "seen": seen }]));
        for document in &outcome.documents {
            line("document", json!(document));
            facts.take(document, now);
        }
    }
    facts.sale_events(calendar).into_iter().for_each(|event| line("sale", event));
    facts.cash_events(calendar).into_iter().for_each(|event| line("cash", event));
    told
}

/// What the ledgers are posted from.
#[derive(Default)]
struct Facts {
    orders: BTreeMap<String, Vec<Version<Order>>>,
    refunds: Vec<Version<Refund>>,
    entries: Vec<Version<BalanceEntry>>,
    disputes: Vec<Version<Dispute>>,
}

impl Facts {
    fn take(&mut self, document: &Document, received_at: Instant) {
        let hash: [u8; 32] = Sha256::digest(json!(document).to_string()).into();
        match document.clone() {
            Document::Order(order) => {
                let versions = self.orders.entry(order.key.clone()).or_default();
                versions.push(Version { document: *order, received_at, hash });
            }
            Document::Refund(refund) => self.refunds.push(Version { document: *refund, received_at, hash }),
            Document::BalanceEntry(entry) => {
                self.entries.push(Version { document: entry, received_at, hash })
            }
            Document::Dispute(dispute) => {
                self.disputes.push(Version { document: dispute, received_at, hash })
            }
            _ => {}
        }
    }

    fn sale_events(&self, calendar: &StoreCalendar) -> Vec<Value> {
        let keys: BTreeSet<String> =
            self.orders.keys().cloned().chain(ledger::ledger_keys(&self.refunds)).collect();
        let under = |key: &String| {
            let names = |refund: &&Version<_>| ledger::ledger_keys([*refund]).contains(key);
            let refunds: Vec<_> = self.refunds.iter().filter(names).cloned().collect();
            let orders = self.orders.get(key).map_or(&[][..], Vec::as_slice);
            ledger::standing_events_under(key, &OrderFacts { orders, refunds: &refunds }, calendar)
                .expect("events")
        };
        keys.iter().flat_map(under).map(|event| json!(event)).collect()
    }

    fn cash_events(&self, calendar: &StoreCalendar) -> Vec<Value> {
        let under = |key: &String| {
            let names = |entry: &&Version<_>| cash::ledger_keys([*entry]).contains(key);
            let entries: Vec<_> = self.entries.iter().filter(names).cloned().collect();
            let of_payment = |dispute: &&Version<Dispute>| dispute.document.payment.as_ref() == Some(key);
            let disputes: Vec<_> = self.disputes.iter().filter(of_payment).cloned().collect();
            let facts = PaymentFacts { entries: &entries, disputes: &disputes };
            cash::standing_events_under(key, &facts, calendar).expect("events")
        };
        cash::ledger_keys(&self.entries).iter().flat_map(under).map(|event| json!(event)).collect()
    }
}

/// Holds what is told against the file, or writes it where somebody said that it is meant.
fn is_as_told(file: &Path, told: &str) {
    assert!(told.len() <= LARGEST_BYTES, "{} would be larger than {LARGEST_BYTES} bytes", file.display());
    if std::env::var_os(ACCEPT).is_some() {
        std::fs::write(file, told).expect("write what is told");
    }
    let before = read(file);
    let (before, after): (Vec<&str>, Vec<&str>) = (before.lines().collect(), told.lines().collect());
    let differs = (0..before.len().max(after.len())).find(|at| before.get(*at) != after.get(*at));
    if let Some(at) = differs {
        let line =
            |lines: &[&str]| lines.get(at).map_or_else(|| "nothing".to_owned(), |line| (*line).to_owned());
        panic!(
            "{}:{} is another one: where that is meant, run with {ACCEPT}=1 and read the difference\nbefore: {}\nnow:    {}",
            file.display(),
            at + 1,
            line(&before),
            line(&after)
        );
    }
}

fn read(file: &Path) -> String {
    std::fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

/// As `cargo xtask plugins` leaves them.
fn plugins_dir() -> PathBuf {
    prebuilt_plugins().unwrap_or_else(|| Path::new(env!("CARGO_TARGET_TMPDIR")).join("../plugins"))
}
