use std::sync::Arc;

use portolan_connector::{BucketScope, RateBucket};
use portolan_core::{ConnectionId, Duration, Instant, ManualClock};

use super::{Account, Buckets, Caller};

fn bucket(scope: BucketScope) -> RateBucket {
    RateBucket { id: "api".to_owned(), scope, capacity: 10.0, refill_per_second: 2.0, concurrency: None }
}

fn connection(last: char) -> ConnectionId {
    format!("01890a5d-ac96-774b-bcce-b302099a805{last}").parse().expect("an id")
}

/// Connections with an even number belong to one account, those with an odd one to another.
fn by(connection_number: char, plugin_id: &str) -> Caller<'_> {
    let account = Account::numbered(connection_number as u8 % 2);
    Caller { plugin_id, account, connection: connection(connection_number) }
}

#[test]
fn a_bucket_of_the_account_is_shared_by_its_connections() {
    let buckets = Buckets::new(Arc::new(ManualClock::at(Instant(0))));
    let bucket = bucket(BucketScope::Account);
    assert_eq!(buckets.draw(by('2', "p"), &bucket, 10), Ok(()));
    assert!(buckets.draw(by('4', "p"), &bucket, 1).is_err());
    assert_eq!(buckets.draw(by('1', "p"), &bucket, 1), Ok(()), "another account has its own");
    assert_eq!(buckets.draw(by('2', "q"), &bucket, 1), Ok(()), "another plugin has its own");
    buckets.observe(by('4', "p"), &bucket, 5);
    assert_eq!(buckets.draw(by('2', "p"), &bucket, 5), Ok(()), "what one is told counts for all");
}

#[test]
fn a_spent_bucket_says_how_long_to_wait() {
    let clock = ManualClock::at(Instant(0));
    let buckets = Buckets::new(Arc::new(clock.clone()));
    let bucket = bucket(BucketScope::Connection);
    assert_eq!(buckets.draw(by('1', "p"), &bucket, 10), Ok(()));
    assert_eq!(buckets.draw(by('1', "p"), &bucket, 1), Err(500));
    assert_eq!(buckets.draw(by('2', "p"), &bucket, 1), Ok(()), "another connection has its own");
    clock.advance(Duration::from_ms(500));
    assert_eq!(buckets.draw(by('1', "p"), &bucket, 1), Ok(()));
}

#[test]
fn a_bucket_of_the_plugin_is_shared_by_its_connections() {
    let buckets = Buckets::new(Arc::new(ManualClock::at(Instant(0))));
    let bucket = bucket(BucketScope::Plugin);
    assert_eq!(buckets.draw(by('1', "p"), &bucket, 10), Ok(()));
    assert!(buckets.draw(by('2', "p"), &bucket, 1).is_err());
    assert_eq!(buckets.draw(by('1', "q"), &bucket, 1), Ok(()), "another plugin has its own");
}

#[test]
fn what_the_channel_says_is_believed() {
    let buckets = Buckets::new(Arc::new(ManualClock::at(Instant(0))));
    let bucket = bucket(BucketScope::Connection);
    buckets.observe(by('1', "p"), &bucket, 2);
    assert_eq!(buckets.draw(by('1', "p"), &bucket, 3), Err(500));
    buckets.observe(by('1', "p"), &bucket, 1_000);
    for _ in 0..100 {
        assert_eq!(buckets.draw(by('1', "p"), &bucket, 10), Ok(()));
    }
    assert_eq!(buckets.draw(by('1', "p"), &bucket, 3), Err(1_500));
}

#[test]
fn a_cost_above_the_capacity_waits_for_a_full_bucket() {
    let buckets = Buckets::new(Arc::new(ManualClock::at(Instant(0))));
    let bucket = bucket(BucketScope::Connection);
    assert_eq!(buckets.draw(by('1', "p"), &bucket, 50), Ok(()));
    assert_eq!(buckets.draw(by('1', "p"), &bucket, 50), Err(5_000));
}
