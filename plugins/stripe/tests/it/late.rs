//! What changes after it was read: a first sync, then only what is new and what events name, ends where reading
//! everything anew would.

use std::collections::BTreeMap;
use std::sync::Arc;

use portolan_sandbox_stripe::{Options, Sandbox};
use portolan_sdk::Mode;
use portolan_sdk::testing::Output;

use crate::support::{STREAMS, sync, window};
use crate::sync::{instant, newest};

const DAY: i64 = 86_400;

/// The newest version of each document but the entries, as text: later dates win, then later receipt.
fn heads(outputs: &[Output]) -> BTreeMap<String, String> {
    let mut heads = BTreeMap::<String, (i64, String)>::new();
    let mut note = |key: &str, updated_at, text: String| {
        let stands = heads.entry(key.to_owned()).or_insert((i64::MIN, String::new()));
        if updated_at >= stands.0 {
            *stands = (updated_at, text);
        }
    };
    for output in outputs {
        for one in &output.transactions {
            note(&one.key, instant(one.updated_at), format!("{} {} {}", one.kind, one.state, one.amount));
        }
        for one in &output.disputes {
            note(&one.key, instant(one.updated_at), format!("{} {}", one.phase, one.state));
        }
        for one in &output.payouts {
            note(&one.key, instant(one.updated_at), format!("{} {}", one.state, one.amount));
        }
        for one in &output.checkouts {
            note(&one.key, instant(one.updated_at), format!("{} {:?}", one.stage, one.completed_at));
        }
        for one in &output.customers {
            note(
                &one.key,
                instant(one.updated_at),
                if one.deleted { String::new() } else { format!("{:?}", one.country) },
            );
        }
        for one in &output.products {
            note(
                &one.key,
                instant(one.updated_at),
                if one.deleted { String::new() } else { format!("{:?} {:?}", one.price, one.updated_at) },
            );
        }
    }
    // What is deleted is not listed by who comes later.
    heads.into_iter().map(|(key, (_, text))| (key, text)).filter(|(_, text)| !text.is_empty()).collect()
}

/// What the manifest keeps between the end of a window and now.
const LAG_S: i64 = 60;

fn read(sandbox: &Arc<Sandbox>, account: &'static str, since: Option<i64>) -> Vec<Output> {
    let mode = if since.is_some() { Mode::Incremental } else { Mode::Backfill };
    let slice = |stream| window(stream, since, Some(sandbox.now() - LAG_S), mode);
    STREAMS.iter().map(|stream| sync(sandbox, account, &slice(stream)).expect("a sync").output).collect()
}

#[test]
fn what_changes_late_ends_as_if_everything_were_read_anew() {
    let (mut changed, mut deleted) = (0, 0);
    for account in ["demo-kolkata", "demo-berlin", "demo-kuwait"] {
        for seed in 1..3 {
            let sandbox = Arc::new(Sandbox::new(Options { seed, ..Options::tiny() }));
            let until = sandbox.world.until;
            let mut all = Vec::new();
            let mut since = None;
            for days in [75, 50, 25, 0] {
                sandbox.show_at(until - days * DAY);
                all.extend(read(&sandbox, account, since));
                since = Some(until - days * DAY - LAG_S);
            }
            let anew = read(&sandbox, account, None);
            assert_eq!(heads(&all), heads(&anew), "{account} {seed}");
            let facts = |outputs: &[Output]| -> Vec<_> {
                let newest = newest(outputs);
                newest.values().map(|entry| (entry.key.clone(), entry.net, entry.payout.clone())).collect()
            };
            assert_eq!(facts(&all), facts(&anew), "{account} {seed}");
            let first = heads(&all[..STREAMS.len()]);
            changed += heads(&anew)
                .iter()
                .filter(|(key, text)| first.get(*key).is_some_and(|then| then != *text))
                .count();
            deleted += all.iter().flat_map(|output| &output.products).filter(|one| one.deleted).count();
            deleted += all.iter().flat_map(|output| &output.customers).filter(|one| one.deleted).count();
        }
    }
    assert!(changed > 10 && deleted > 0, "{changed} changed, {deleted} deleted");
}
