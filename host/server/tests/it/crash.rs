//! A server that is killed again and again in the middle of a sync ends with the same ledger.

use std::thread::sleep;
use std::time::Duration;

use portolan_core::{Random as _, SeededRandom};

use crate::support::Portolan;
use crate::till::{import, ledger_of};

const KILLS: u64 = 50;
const ORDERS: usize = 25_000;
/// It is killed at a random moment up to this long after it is up.
const LONGEST_LIFE_MS: u64 = 1_200;
const CONNECTION: &str = "Online retail";
const SEED: u64 = 20_261_120;

#[tokio::test(flavor = "multi_thread")]
async fn a_server_killed_fifty_times_ends_with_the_ledger_of_an_undisturbed_one() {
    let undisturbed = tokio::task::spawn_blocking(|| {
        let portolan = imported();
        let server = portolan.serve();
        finish(&portolan);
        drop(server);
        portolan
    })
    .await
    .expect("undisturbed run");
    let disturbed = tokio::task::spawn_blocking(|| {
        let portolan = imported();
        let random = SeededRandom::new(SEED);
        for _ in 0..KILLS {
            let life = Duration::from_millis(random.next_u64() % LONGEST_LIFE_MS);
            if has_given_up(&portolan) {
                let mut sync = portolan.command(&["sync", "run", CONNECTION]).spawn().expect("start a sync");
                sleep(life);
                sync.kill().expect("kill the sync");
                sync.wait().expect("the killed sync");
            } else {
                let server = portolan.serve();
                server.wait_until_up();
                sleep(life);
                server.kill();
            }
        }
        // Only the server that comes up next finds out whether the last kill was the third in a row.
        let server = portolan.serve();
        portolan.wait_for_sync_of(CONNECTION);
        drop(server);
        if has_given_up(&portolan) {
            portolan.run(&["sync", "run", CONNECTION]);
        }
        let sync = portolan.wait_for_sync_of(CONNECTION);
        assert_eq!(sync["state"], "succeeded", "{sync:#}");
        portolan
    })
    .await
    .expect("disturbed run");
    let expected = ledger_of(&undisturbed.database()).await;
    let found = ledger_of(&disturbed.database()).await;
    assert_eq!(expected.len(), found.len(), "as many events");
    assert!(expected == found, "the same events");
}

/// A till's export that waits for its first sync.
fn imported() -> Portolan {
    let portolan = Portolan::embedded();
    import(&portolan, ORDERS);
    portolan
}

/// Three deaths in a row without any progress end a sync. Somebody then asks for it again.
fn has_given_up(portolan: &Portolan) -> bool {
    let newest = portolan.syncs().into_iter().find(|sync| sync["connection"] == CONNECTION);
    newest.is_some_and(|sync| sync["state"] == "failed")
}

fn finish(portolan: &Portolan) {
    let sync = portolan.wait_for_sync_of(CONNECTION);
    assert_eq!(sync["state"], "succeeded", "{sync:#}");
    assert_eq!(sync["documents"], ORDERS);
}
