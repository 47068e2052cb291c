//! How often passwords may be guessed, by whom, and who is not kept out by it.

use std::sync::Arc;

use portolan_access::{Client, SignInError};
use portolan_core::{Duration, Random, SystemRandom, UserId};
use portolan_db::entity::{familiar_place, guess_budget};
use portolan_db::testing::TestDatabase;

use crate::support::{Door, PASSWORD, add, migrate, on_both};

/// A door with a password that costs next to nothing.
async fn cheap_door(test: &TestDatabase) -> Door {
    let door = Door::new(test).await;
    let sessions = door.sessions.clone().with_cheap_passwords();
    Door { sessions, ..door }.with_password().await
}

fn at(address: &str) -> Client {
    Client { address: address.to_owned(), ..Client::default() }
}

impl Door {
    /// Whether the password was looked at, and whether it let somebody in.
    async fn guess(&self, name: &str, password: &str, address: &str) -> (bool, bool) {
        let before = self.sessions.passwords().looked_at();
        let came_in = match self.sessions.sign_in_with_password(name, password, at(address)).await {
            Ok(_) => true,
            Err(SignInError::Refused) => false,
            Err(error) => panic!("{error}"),
        };
        (self.sessions.passwords().looked_at() > before, came_in)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_fifty_guesses_at_once_ten_are_looked_at() {
    on_both(migrate, async |test| {
        let door = Arc::new(cheap_door(test).await);
        for name in [door.name.clone(), "nobody".to_owned()] {
            let before = door.sessions.passwords().looked_at();
            let guessing: Vec<_> = (0..50)
                .map(|number| {
                    let (door, name) = (Arc::clone(&door), name.clone());
                    let address = format!("198.51.100.{number}");
                    tokio::spawn(async move { door.guess(&name, "wrong", &address).await.1 })
                })
                .collect();
            for guess in guessing {
                assert!(!guess.await.expect("a guess"));
            }
            assert_eq!(door.sessions.passwords().looked_at() - before, 10, "{name}");
        }
    })
    .await;
}

#[tokio::test]
async fn guessing_makes_a_name_rest_even_for_the_right_password() {
    on_both(migrate, async |test| {
        let door = cheap_door(test).await;
        for number in 0..10 {
            assert_eq!(door.guess(&door.name, "wrong", &format!("198.51.100.{number}")).await, (true, false));
        }
        assert_eq!(door.guess(&door.name, PASSWORD, "198.51.100.99").await, (false, false));
        // Of no address nothing is counted but the name.
        assert_eq!(door.guess(&door.name, PASSWORD, "").await, (false, false));
        // Another one is another name.
        assert_eq!(door.guess("nobody", PASSWORD, "198.51.100.99").await, (true, false));
        door.clock.advance(Duration::from_minutes(5));
        assert_eq!(door.guess(&door.name, PASSWORD, "198.51.100.99").await, (true, true));
    })
    .await;
}

#[tokio::test]
async fn a_stranger_keeps_nobody_out_of_where_they_were_before() {
    on_both(migrate, async |test| {
        let door = cheap_door(test).await;
        let home = "2001:db8:7:7::1";
        assert_eq!(door.guess(&door.name, PASSWORD, home).await, (true, true));
        for number in 0..40 {
            door.guess(&door.name, "wrong", &format!("198.51.100.{number}")).await;
        }
        assert_eq!(door.guess(&door.name, PASSWORD, "198.51.100.99").await, (false, false));
        // Anywhere in the network of the same subscriber.
        assert_eq!(door.guess(&door.name, PASSWORD, "2001:db8:7:7:aaaa::2").await, (true, true));
        // What they mistype there is theirs, and comes to an end as well.
        for _ in 0..10 {
            assert_eq!(door.guess(&door.name, "wrong", home).await, (true, false));
        }
        assert_eq!(door.guess(&door.name, PASSWORD, home).await, (false, false));
        door.clock.advance(Duration::from_minutes(5));
        assert_eq!(door.guess(&door.name, PASSWORD, home).await, (true, true));
        // A place is one person's: it opens nothing for others.
        let other = add(&door.database, "grace", door.tenant).await.expect("somebody else");
        assert_ne!(other, door.user);
        for number in 0..10 {
            door.guess("grace", "wrong", &format!("198.51.100.{number}")).await;
        }
        assert_eq!(door.guess("grace", "wrong", home).await, (false, false));
        // After ninety days it is any place.
        door.clock.advance(Duration::from_hours(24 * 91));
        for number in 0..10 {
            door.guess(&door.name, "wrong", &format!("203.0.113.{number}")).await;
        }
        assert_eq!(door.guess(&door.name, PASSWORD, home).await, (false, false));
    })
    .await;
}

#[tokio::test]
async fn one_network_tries_thirty_names_and_then_one_each_half_minute() {
    on_both(migrate, async |test| {
        let door = cheap_door(test).await;
        let mut looked_at = 0;
        for number in 0..60 {
            let address = format!("2001:db8:1:1::{number}");
            looked_at += usize::from(door.guess(&format!("name-{number}"), "wrong", &address).await.0);
        }
        assert_eq!(looked_at, 30);
        assert!(door.guess("another", "wrong", "2001:db8:1:2::1").await.0, "a neighbour is somebody else");
        // What was not looked at cost the name nothing.
        for number in 0..10 {
            assert!(door.guess("name-59", "wrong", &format!("198.51.100.{number}")).await.0);
        }
        door.clock.advance(Duration::from_secs(60));
        let again = [("a", true), ("b", true), ("c", false)];
        for (name, due) in again {
            assert_eq!(door.guess(name, "wrong", "2001:db8:1:1::1").await.0, due, "{name}");
        }
    })
    .await;
}

#[tokio::test]
async fn right_passwords_cost_nothing() {
    on_both(migrate, async |test| {
        let door = cheap_door(test).await;
        for number in 0..50 {
            assert_eq!(door.guess(&door.name, PASSWORD, &format!("198.51.100.{number}")).await, (true, true));
        }
    })
    .await;
}

#[tokio::test]
async fn a_clock_that_is_set_back_keeps_nobody_out() {
    on_both(migrate, async |test| {
        let door = cheap_door(test).await;
        for _ in 0..12 {
            door.guess(&door.name, "wrong", "198.51.100.7").await;
        }
        assert_eq!(door.guess(&door.name, PASSWORD, "198.51.100.7").await, (false, false));
        door.clock.advance(Duration(-Duration::from_hours(5).0));
        assert_eq!(door.guess(&door.name, PASSWORD, "198.51.100.7").await, (true, true));
    })
    .await;
}

#[tokio::test]
async fn in_no_span_are_there_more_guesses_than_the_budget_gives() {
    on_both(migrate, async |test| {
        let door = cheap_door(test).await;
        let (mut now_s, mut admitted) = (0_i64, Vec::new());
        for number in 0..250 {
            let pause = i64::try_from(SystemRandom.next_u64() % 240).expect("small");
            // Now and then a long rest: what is saved up meanwhile is no more than ten.
            let pause = if number % 60 == 59 { 7_200 } else { pause };
            door.clock.advance(Duration::from_secs(pause));
            now_s += pause;
            let address = format!("198.51.{}.{}", number / 200, number % 200);
            if door.guess(&door.name, "wrong", &address).await.0 {
                admitted.push(now_s);
            }
        }
        for (first, from) in admitted.iter().enumerate() {
            for (last, until) in admitted.iter().enumerate().skip(first) {
                let (count, span_s) = (last - first + 1, until - from);
                let most = 10 + usize::try_from(span_s / 300).expect("small");
                assert!(count <= most, "{count} within {span_s} s");
            }
        }
        assert!(admitted.len() > 40, "{}", admitted.len());
    })
    .await;
}

#[tokio::test]
async fn what_is_counted_names_nobody_and_goes_when_its_time_is_over() {
    on_both(migrate, async |test| {
        let door = cheap_door(test).await;
        door.guess("somebody@example.com", "wrong", "198.51.100.7").await;
        door.guess(&door.name, PASSWORD, "198.51.100.7").await;
        let rows = async || {
            let tx = door.database.system_read().await.expect("read");
            let budgets = tx.find::<guess_budget::Entity>().all(&tx).await.expect("budgets");
            (budgets, tx.find::<familiar_place::Entity>().all(&tx).await.expect("places"))
        };
        let (budgets, places) = rows().await;
        let stored = format!("{budgets:?} {places:?}");
        assert!(budgets.len() >= 3 && places.len() == 1, "{stored}");
        assert!(!stored.contains("somebody") && !stored.contains("198.51") && !stored.contains(&door.name));
        door.sessions.forget_expired().await.expect("forget");
        assert!(!rows().await.0.is_empty(), "what was spent counts on");
        door.clock.advance(Duration::from_minutes(5));
        door.sessions.forget_expired().await.expect("forget");
        let (budgets, places) = rows().await;
        assert!(budgets.is_empty() && places.len() == 1, "{budgets:?}");
        door.clock.advance(Duration::from_hours(24 * 90));
        door.sessions.forget_expired().await.expect("forget");
        assert!(rows().await.1.is_empty());
    })
    .await;
}

/// Nobody learns by the work that is done whether a name exists.
#[tokio::test]
async fn a_name_that_nobody_has_costs_the_same_work() {
    on_both(migrate, async |test| {
        let door = cheap_door(test).await;
        let mut took_us = [Vec::new(), Vec::new()];
        for number in 0..1_000 {
            door.clock.advance(Duration::from_minutes(5));
            let unknown = number % 2;
            let name = if unknown == 0 { door.name.clone() } else { format!("nobody-{number}") };
            let before = door.sessions.passwords().looked_at();
            let begun = portolan_core::Clock::monotonic(&portolan_core::SystemClock);
            let refused = door.sessions.sign_in_with_password(&name, "wrong", at("198.51.100.7")).await;
            let ended = portolan_core::Clock::monotonic(&portolan_core::SystemClock);
            assert!(matches!(refused, Err(SignInError::Refused)));
            assert_eq!(door.sessions.passwords().looked_at() - before, 1, "one password each: {name}");
            took_us[unknown].push(ended.0 - begun.0);
        }
        let [known, unknown] = took_us.map(|mut times| {
            times.sort_unstable();
            times[times.len() / 2]
        });
        // Loose, so that a busy machine doesn't fail it: hashing or not hashing is a factor of hundreds.
        assert!(known < unknown * 4 && unknown < known * 4, "medians of {known} and {unknown} µs");
    })
    .await;
}

#[tokio::test]
async fn a_hash_and_its_decoy_cost_the_same() {
    // With the product's own settings: what is compared above with cheap ones.
    let test = TestDatabase::sqlite(migrate).await;
    let door = Door::new(&test).await.with_password().await;
    let user: UserId = door.user;
    assert!(!door.sessions.own_password_is_right(user, "wrong").await.expect("looked at"));
    let mut took_us = [i64::MAX; 2];
    for number in 0..6 {
        let unknown = number % 2;
        let name = if unknown == 0 { door.name.as_str() } else { "nobody" };
        let begun = portolan_core::Clock::monotonic(&portolan_core::SystemClock);
        assert_eq!(door.guess(name, "wrong", "198.51.100.7").await, (true, false));
        let took = portolan_core::Clock::monotonic(&portolan_core::SystemClock).0 - begun.0;
        took_us[unknown] = took_us[unknown].min(took);
    }
    let [known, unknown] = took_us;
    assert!(known < unknown * 3 && unknown < known * 3, "{known} and {unknown} µs");
}
