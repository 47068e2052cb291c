//! The second step: one code comes in once, and nothing comes in without it.

use std::sync::Arc;

use portolan_access::{
    Client, HOUSE_COLUMNS, KeyRing, NewSession, PendingSignIn, RecoveryCodes, SecondFactorError,
    SecondFactors, Secrets, SignInError, SignedIn, examine_house, reset_second_factor,
};
use portolan_core::{Clock, Duration, SystemClock, SystemRandom};
use portolan_db::entity::{pending_sign_in, recovery_code, second_factor, session};
use portolan_db::testing::TestDatabase;
use tempfile::TempDir;

use crate::support::{Door, PASSWORD, add, migrate, on_both};

/// Somebody with a password, a second factor that is on, and the session in which it was set up.
struct Guarded {
    door: Door,
    factors: SecondFactors,
    codes: RecoveryCodes,
    session: NewSession,
    folder: TempDir,
}

impl Guarded {
    async fn new(test: &TestDatabase) -> Self {
        let (door, folder) = (Door::new(test).await.with_password().await, TempDir::new().expect("folder"));
        let factors = SecondFactors::new(&door.sessions, &ring(&folder));
        let session = door.sessions.sign_in_with_password(&door.name, PASSWORD, Client::default());
        let signed_in = who(&door, &session.await.expect("come in")).await;
        factors.begin(&signed_in, Client::default()).await.expect("a seed");
        let code = factors.code_at(door.user, door.clock.now()).await;
        let (codes, session) =
            factors.confirm(&signed_in, &code, Client::default()).await.expect("the first code");
        door.clock.advance(Duration::from_minutes(1));
        Self { door, factors, codes, session, folder }
    }

    async fn code(&self) -> String {
        self.factors.code_at(self.door.user, self.door.clock.now()).await
    }

    async fn first_step(&self) -> PendingSignIn {
        let tried = self.door.sessions.sign_in_with_password(&self.door.name, PASSWORD, Client::default());
        match tried.await.expect_err("not in yet") {
            SignInError::SecondStep(pending) => pending,
            other => panic!("{other}"),
        }
    }

    async fn second_step(
        &self,
        pending: &PendingSignIn,
        code: &str,
    ) -> Result<NewSession, SecondFactorError> {
        let shown = self.factors.finish_sign_in(&pending.token, code, Client::default()).await?;
        Ok(shown.session)
    }
}

fn ring(folder: &TempDir) -> Arc<KeyRing> {
    Arc::new(KeyRing::load_or_create(folder.path(), None, &SystemRandom).expect("ring"))
}

async fn who(door: &Door, session: &NewSession) -> SignedIn {
    door.sessions.authenticate(&session.token).await.expect("look").expect("stands")
}

async fn stands(door: &Door, token: &str) -> bool {
    door.sessions.authenticate(token).await.expect("look").is_some()
}

#[track_caller]
fn assert_refused<T>(result: Result<T, SecondFactorError>) -> String {
    let Err(error) = result else { panic!("came in") };
    assert!(matches!(error, SecondFactorError::Refused), "{error}");
    error.to_string()
}

#[tokio::test]
async fn a_right_password_alone_is_nobodys_session() {
    on_both(migrate, async |test| {
        let guarded = Guarded::new(test).await;
        let door = &guarded.door;
        let pending = guarded.first_step().await;
        assert!(door.sessions.who_is_pending(&pending.token).await.expect("look").is_some());
        assert!(!stands(door, &pending.token).await, "it opens nothing else");
        assert!(door.sessions.still_stands(&pending.token).await.expect("look").is_none());

        let session = guarded.second_step(&pending, &guarded.code().await).await.expect("in");
        assert_ne!(session.token, pending.token, "what comes after is another token");
        let signed_in = who(door, &session).await;
        assert!(signed_in.second_factor && signed_in.user == door.user && signed_in.tenant == door.tenant);
        assert!(
            door.sessions.who_is_pending(&session.token).await.expect("look").is_none(),
            "nor the other way round"
        );
        // Used up, whatever code comes next.
        door.clock.advance(Duration::from_minutes(1));
        assert!(door.sessions.who_is_pending(&pending.token).await.expect("look").is_none());
        assert_refused(guarded.second_step(&pending, &guarded.code().await).await);
    })
    .await;
}

#[tokio::test]
async fn a_link_leads_to_the_second_step_as_well() {
    on_both(migrate, async |test| {
        let guarded = Guarded::new(test).await;
        let door = &guarded.door;
        let link = door.sessions.create_link(door.tenant, door.user).await.expect("link");
        let tried = door.sessions.sign_in_with_link(&link, Client::default()).await;
        let Err(SignInError::SecondStep(pending)) = tried else { panic!("{tried:?}") };
        guarded.second_step(&pending, &guarded.code().await).await.expect("in");
        // The link was used up by its first step.
        let again = door.sessions.sign_in_with_link(&link, Client::default()).await;
        assert!(matches!(again, Err(SignInError::Refused)));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_fifty_who_send_one_code_at_once_one_comes_in() {
    on_both(migrate, async |test| {
        let guarded = Guarded::new(test).await;
        for turn in 0..3 {
            guarded.door.clock.advance(Duration::from_minutes(6));
            // A first step each, and one for all: neither lets a second one in.
            let mut firsts = Vec::new();
            for _ in 0..5 {
                firsts.push(guarded.first_step().await);
            }
            let code = guarded.code().await;
            let tries: Vec<_> = (0..50)
                .map(|number| {
                    let (factors, code) = (guarded.factors.clone(), code.clone());
                    let token = firsts[if turn == 0 { 0 } else { number % firsts.len() }].token.clone();
                    tokio::spawn(
                        async move { factors.finish_sign_in(&token, &code, Client::default()).await },
                    )
                })
                .collect();
            let mut came_in = 0;
            for attempt in tries {
                match attempt.await.expect("task") {
                    Ok(_) => came_in += 1,
                    Err(error) => assert!(matches!(error, SecondFactorError::Refused), "{error}"),
                }
            }
            assert_eq!(came_in, 1, "turn {turn}");
        }
        let tx = guarded.door.database.system_read().await.expect("read");
        let sessions = tx.find::<session::Entity>().all(&tx).await.expect("sessions");
        assert_eq!(sessions.len(), 4, "three, and the one that set it up");
    })
    .await;
}

#[tokio::test]
async fn wrong_used_and_old_codes_hear_the_same() {
    on_both(migrate, async |test| {
        let guarded = Guarded::new(test).await;
        let clock = &guarded.door.clock;
        let used = guarded.code().await;
        guarded.second_step(&guarded.first_step().await, &used).await.expect("in");
        let pending = guarded.first_step().await;
        let mut answers = vec![assert_refused(guarded.second_step(&pending, &used).await)];
        clock.advance(Duration::from_secs(30));
        // Still inside the window, and still used.
        answers.push(assert_refused(guarded.second_step(&pending, &used).await));
        let old = guarded.code().await;
        clock.advance(Duration::from_minutes(1));
        answers.push(assert_refused(guarded.second_step(&pending, &old).await));
        for wrong in ["", "12345", "abcdef"] {
            answers.push(assert_refused(guarded.second_step(&pending, wrong).await));
            clock.advance(Duration::from_minutes(2));
        }
        answers.push(assert_refused(guarded.second_step(&pending, "000000-000000-000000-000000").await));
        answers.dedup();
        assert_eq!(answers.len(), 1, "{answers:?}");
    })
    .await;
}

#[tokio::test]
async fn the_code_of_the_step_before_is_taken_and_never_an_older_one_after_it() {
    on_both(migrate, async |test| {
        let guarded = Guarded::new(test).await;
        let before = guarded.code().await;
        guarded.door.clock.advance(Duration::from_secs(30));
        let typed = format!(" {} {} ", &before[..3], &before[3..]);
        guarded.second_step(&guarded.first_step().await, &typed).await.expect("people are slow");
        // The present one is newer, so it counts; the one before is over for good.
        let present = guarded.code().await;
        guarded.second_step(&guarded.first_step().await, &present).await.expect("newer");
        assert_refused(guarded.second_step(&guarded.first_step().await, &before).await);
    })
    .await;
}

#[tokio::test]
async fn five_tries_in_five_minutes_and_no_right_code_helps_afterwards() {
    on_both(migrate, async |test| {
        let guarded = Guarded::new(test).await;
        let clock = &guarded.door.clock;
        let pending = guarded.first_step().await;
        for _ in 0..5 {
            assert_refused(guarded.second_step(&pending, "not a code").await);
            clock.advance(Duration::from_secs(30));
        }
        // Counted for the account, by the database: another process and another first step are no way round.
        let elsewhere = SecondFactors::new(&guarded.door.sessions, &ring(&guarded.folder));
        let other = guarded.first_step().await;
        let code = guarded.code().await;
        assert_refused(elsewhere.finish_sign_in(&other.token, &code, Client::default()).await);
        // Two and a half minutes have passed: the first of the five is forgotten after as much again.
        clock.advance(Duration::from_secs(149));
        assert_refused(guarded.second_step(&pending, &guarded.code().await).await);
        clock.advance(Duration::from_secs(1));
        guarded.second_step(&pending, &guarded.code().await).await.expect("one try is due");
        // A right one costs nothing, a wrong one does.
        clock.advance(Duration::from_secs(1));
        assert_refused(guarded.second_step(&guarded.first_step().await, "not a code").await);
        assert_refused(guarded.second_step(&guarded.first_step().await, &guarded.codes.0[0]).await);
    })
    .await;
}

#[tokio::test]
async fn a_first_step_is_over_after_ten_minutes_and_with_the_password() {
    on_both(migrate, async |test| {
        let guarded = Guarded::new(test).await;
        let door = &guarded.door;
        let late = guarded.first_step().await;
        door.clock.advance(Duration::from_minutes(10));
        assert!(door.sessions.who_is_pending(&late.token).await.expect("look").is_none());
        assert_refused(guarded.second_step(&late, &guarded.code().await).await);
        door.sessions.forget_expired().await.expect("forget");
        let tx = door.database.system_read().await.expect("read");
        assert!(tx.find::<pending_sign_in::Entity>().all(&tx).await.expect("pending").is_empty());
        drop(tx);

        let pending = guarded.first_step().await;
        let signed_in = who(door, &guarded.session).await;
        door.change_password(&signed_in, PASSWORD, "another harbour, 1488").await.expect("change");
        assert_refused(guarded.second_step(&pending, &guarded.code().await).await);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_recovery_code_comes_in_once_and_says_how_many_are_left() {
    on_both(migrate, async |test| {
        let guarded = Guarded::new(test).await;
        assert_eq!(guarded.codes.0.len(), 10);
        let code = guarded.codes.0[3].to_lowercase().replace('-', " ");
        let pending = guarded.first_step().await;
        let tries: Vec<_> = (0..5)
            .map(|_| {
                let (factors, token, code) = (guarded.factors.clone(), pending.token.clone(), code.clone());
                tokio::spawn(async move { factors.finish_sign_in(&token, &code, Client::default()).await })
            })
            .collect();
        let mut left = Vec::new();
        for attempt in tries {
            left.extend(attempt.await.expect("task").ok().map(|shown| shown.recovery_codes_left));
        }
        assert_eq!(left, [Some(9)]);
        guarded.door.clock.advance(Duration::from_minutes(6));
        assert_refused(guarded.second_step(&guarded.first_step().await, &code).await);

        let signed_in = who(&guarded.door, &guarded.session).await;
        let renewed =
            guarded.factors.renew_recovery_codes(&signed_in, Client::default()).await.expect("new ones");
        assert_refused(guarded.second_step(&guarded.first_step().await, &guarded.codes.0[4]).await);
        guarded.second_step(&guarded.first_step().await, &renewed.0[9]).await.expect("a new one");
        let own = guarded.door.sessions.own_account(guarded.door.user).await.expect("look");
        assert_eq!(own.recovery_codes_left, 9);
    })
    .await;
}

#[tokio::test]
async fn setting_up_needs_a_code_and_ends_the_sessions_that_came_without() {
    on_both(migrate, async |test| {
        let (door, folder) = (Door::new(test).await.with_password().await, TempDir::new().expect("folder"));
        let factors = SecondFactors::new(&door.sessions, &ring(&folder));
        let sign_in = async || {
            door.sessions.sign_in_with_password(&door.name, PASSWORD, Client::default()).await.expect("in")
        };
        let (mine, other) = (sign_in().await, sign_in().await);
        let signed_in = who(&door, &mine).await;
        assert!(!signed_in.second_factor);
        assert_eq!(factors.enrolment(door.user).await.expect("look"), None);
        factors.begin(&signed_in, Client::default()).await.expect("a seed");
        let first = factors.enrolment(door.user).await.expect("look").expect("waits");
        factors.begin(&signed_in, Client::default()).await.expect("another seed, while nothing is confirmed");
        let enrolment = factors.enrolment(door.user).await.expect("look").expect("waits");
        assert_ne!(first, enrolment);
        assert!(enrolment.url.starts_with("otpauth://totp/Portolan:ada-"), "{}", enrolment.url);

        assert_refused(factors.confirm(&signed_in, "000000x", Client::default()).await);
        assert_eq!(door.sessions.own_account(door.user).await.expect("look").code_since, None);
        sign_in().await;
        let code = factors.code_at(door.user, door.clock.now()).await;
        let (_, session) = factors.confirm(&signed_in, &code, Client::default()).await.expect("on");
        assert_ne!(session.token, mine.token);
        assert!(who(&door, &session).await.second_factor);
        assert!(!stands(&door, &mine.token).await, "under its new token alone");
        assert!(!stands(&door, &other.token).await);
        assert!(matches!(
            factors.begin(&signed_in, Client::default()).await,
            Err(SecondFactorError::AlreadyOn)
        ));
        assert_refused(factors.confirm(&signed_in, &code, Client::default()).await);
        assert_eq!(factors.enrolment(door.user).await.expect("look"), None, "the seed is shown no more");
        // The code that switched it on was used.
        let pending = door.sessions.sign_in_with_password(&door.name, PASSWORD, Client::default()).await;
        let Err(SignInError::SecondStep(pending)) = pending else { panic!("{pending:?}") };
        assert_refused(factors.finish_sign_in(&pending.token, &code, Client::default()).await);
    })
    .await;
}

#[tokio::test]
async fn switching_off_needs_a_code_and_the_operator_needs_none() {
    on_both(migrate, async |test| {
        let guarded = Guarded::new(test).await;
        let door = &guarded.door;
        let signed_in = who(door, &guarded.session).await;
        assert_refused(guarded.factors.switch_off(&signed_in, "123", Client::default()).await);
        guarded.factors.switch_off(&signed_in, &guarded.code().await, Client::default()).await.expect("off");
        assert_refused(guarded.factors.switch_off(&signed_in, &guarded.codes.0[0], Client::default()).await);
        assert!(matches!(
            guarded.factors.renew_recovery_codes(&signed_in, Client::default()).await,
            Err(SecondFactorError::NotOn)
        ));
        door.sessions.sign_in_with_password(&door.name, PASSWORD, Client::default()).await.expect("in");
        let tx = door.database.system_read().await.expect("read");
        assert!(tx.find::<recovery_code::Entity>().all(&tx).await.expect("codes").is_empty());
        drop(tx);

        let lost = Guarded::new(test).await;
        let user = lost.door.user;
        let reset = async || {
            let done = lost
                .door
                .database
                .system_write(move |tx| Box::pin(async move { reset_second_factor(tx, user).await }));
            done.await.expect("reset")
        };
        assert!(reset().await);
        assert!(!reset().await);
        lost.door
            .sessions
            .sign_in_with_password(&lost.door.name, PASSWORD, Client::default())
            .await
            .expect("in");
    })
    .await;
}

#[tokio::test]
async fn showing_again_who_one_is_gives_the_session_a_new_token() {
    on_both(migrate, async |test| {
        let guarded = Guarded::new(test).await;
        let door = &guarded.door;
        let signed_in = who(door, &guarded.session).await;
        door.clock.advance(Duration::from_minutes(20));
        // With a second factor the password is not enough.
        for wrong in [PASSWORD, "000", ""] {
            let refused = guarded.factors.step_up(&signed_in, wrong, Client::default()).await;
            assert!(matches!(refused, Err(SignInError::Refused)), "{wrong}");
        }
        let shown = guarded
            .factors
            .step_up(&signed_in, &guarded.code().await, Client::default())
            .await
            .expect("shown");
        assert!(!stands(door, &guarded.session.token).await);
        let again = who(door, &shown.session).await;
        assert_eq!((again.session, again.authenticated_at), (signed_in.session, door.clock.now()));
        assert!(again.authenticated_at > signed_in.authenticated_at);

        // Without one it is what there is.
        let plain = Door::new(test).await.with_password().await;
        let factors = SecondFactors::new(&plain.sessions, &ring(&guarded.folder));
        let session = plain.sessions.sign_in_with_password(&plain.name, PASSWORD, Client::default()).await;
        let signed_in = who(&plain, &session.expect("in")).await;
        assert!(matches!(
            factors.step_up(&signed_in, "wrong", Client::default()).await,
            Err(SignInError::Refused)
        ));
        let shown = factors.step_up(&signed_in, PASSWORD, Client::default()).await.expect("shown");
        assert!(stands(&plain, &shown.session.token).await);
    })
    .await;
}

#[tokio::test]
async fn people_see_and_end_their_own_sessions_and_no_others() {
    on_both(migrate, async |test| {
        let door = Door::new(test).await.with_password().await;
        let other_user =
            add(&door.database, &format!("bob-{}", door.tenant), door.tenant).await.expect("bob");
        let link = door.sessions.create_link(door.tenant, other_user).await.expect("link");
        let theirs = door.sessions.sign_in_with_link(&link, Client::default()).await.expect("in");
        let their_id = who(&door, &theirs).await.session;
        let mut mine = Vec::new();
        for number in 0..4 {
            let (address, user_agent) = (format!("192.0.2.{number}"), "Dinghy".to_owned());
            let client = Client { address, user_agent, ..Client::default() };
            let session =
                door.sessions.sign_in_with_password(&door.name, PASSWORD, client).await.expect("in");
            mine.push((who(&door, &session).await.session, session.token));
            door.clock.advance(Duration::from_minutes(2));
        }
        let listed = door.sessions.own_account(door.user).await.expect("list").sessions;
        assert_eq!(listed.len(), 4);
        assert_eq!((listed[0].address.as_str(), listed[0].user_agent.as_str()), ("192.0.2.3", "Dinghy"));
        let signed_in = door.sessions.authenticate(&mine[3].1).await.expect("look").expect("stands");
        assert!(
            !door
                .sessions
                .end_session(&signed_in, their_id, Client::default())
                .await
                .expect("not theirs to end")
        );
        assert!(stands(&door, &theirs.token).await);
        assert!(door.sessions.end_session(&signed_in, mine[0].0, Client::default()).await.expect("end"));
        assert!(!stands(&door, &mine[0].1).await);
        assert_eq!(door.sessions.end_other_sessions(&signed_in, Client::default()).await.expect("end"), 2);
        assert!(stands(&door, &mine[3].1).await && stands(&door, &theirs.token).await);
        assert_eq!(door.sessions.own_account(door.user).await.expect("list").sessions.len(), 1);

        let elsewhere = door.sessions.sign_in_with_password(&door.name, PASSWORD, Client::default()).await;
        let new = "another harbour, 1488";
        let wrong = door.change_password(&signed_in, "wrong", new).await;
        assert!(matches!(wrong, Err(SignInError::Refused)));
        for easy in ["short", "password1234", "Acme and Acme"] {
            let refused = door.change_password(&signed_in, PASSWORD, easy).await;
            assert!(matches!(refused, Err(SignInError::Password(_))), "{easy}");
        }
        door.change_password(&signed_in, PASSWORD, new).await.expect("changed");
        assert!(!stands(&door, &elsewhere.expect("in").token).await);
        assert!(stands(&door, &mine[3].1).await, "whoever changed it stays");
        door.sessions.sign_in_with_password(&door.name, new, Client::default()).await.expect("the new one");
    })
    .await;
}

#[tokio::test]
async fn neither_seed_nor_code_nor_token_is_stored_as_it_is() {
    on_both(migrate, async |test| {
        let guarded = Guarded::new(test).await;
        let pending = guarded.first_step().await;
        let tx = guarded.door.database.system_read().await.expect("read");
        let stored = format!(
            "{:?} {:?} {:?}",
            tx.find::<second_factor::Entity>().all(&tx).await.expect("factors"),
            tx.find::<recovery_code::Entity>().all(&tx).await.expect("codes"),
            tx.find::<pending_sign_in::Entity>().all(&tx).await.expect("pending"),
        );
        assert!(!stored.contains(&pending.token) && !format!("{pending:?}").contains(&pending.token));
        for code in &guarded.codes.0 {
            assert!(!stored.contains(code) && !stored.contains(&code.replace('-', "")));
            assert!(!format!("{:?}", guarded.codes).contains(code));
        }
    })
    .await;
}

#[tokio::test]
async fn a_seed_opens_for_its_own_person_alone() {
    on_both(migrate, async |test| {
        let (one, other) = (Guarded::new(test).await, Guarded::new(test).await);
        // Both rings are of one file, so that nothing but the binding is in the way.
        let factors = SecondFactors::new(&other.door.sessions, &ring(&one.folder));
        let (from, to) = (one.door.user, other.door.user);
        let moved = one.door.database.system_write(move |tx| {
            Box::pin(async move {
                use sea_orm::ConnectionTrait;
                let sql = "UPDATE second_factor SET sealed = \
                           (SELECT sealed FROM second_factor WHERE user_id = $1) WHERE user_id = $2";
                let moved = tx.execute_raw(tx.statement(sql, [from.0.into(), to.0.into()])).await?;
                Ok::<_, portolan_db::DbError>(moved.rows_affected())
            })
        });
        assert_eq!(moved.await.expect("moved"), 1);
        let code = one.code().await;
        let pending = other.first_step().await;
        let tried = factors.finish_sign_in(&pending.token, &code, Client::default()).await;
        assert!(matches!(tried, Err(SecondFactorError::Secrets(_))), "{tried:?}");
    })
    .await;
}

#[tokio::test]
async fn seeds_go_with_the_master_key_when_it_is_changed() {
    on_both(migrate, async |test| {
        let guarded = Guarded::new(test).await;
        let operator = ring(&guarded.folder);
        let before = operator.active_id();
        let database = guarded.door.database.clone();
        let secrets = Secrets::new(database, operator.clone(), Arc::new(SystemClock), Arc::new(SystemRandom));
        let status = secrets.status().await.expect("status");
        assert_eq!((status.master_keys[0].id, status.master_keys[0].values), (before, 1));
        let rotated = secrets.rotate().await.expect("rotate");
        assert_eq!(rotated.house.len(), HOUSE_COLUMNS.len());
        assert_eq!((rotated.house[0].resealed, rotated.house[0].closed.len()), (1, 0));
        secrets.remove_master_key(before).await.expect("nothing needs it");
        // The server that was running all along opens what was sealed anew.
        guarded.second_step(&guarded.first_step().await, &guarded.code().await).await.expect("in");

        let tx = guarded.door.database.system_read().await.expect("read");
        let reports = examine_house(&operator, &tx).await.expect("examine");
        assert_eq!((reports[0].total, reports[0].readable), (1, 1));
        let stranger = TempDir::new().expect("folder");
        let reports = examine_house(&ring(&stranger), &tx).await.expect("examine");
        assert_eq!((reports[0].total, reports[0].readable, reports[0].closed.len()), (1, 0, 1));
        drop(tx);
        // A key that a seed needs stays.
        let needed = operator.active_id();
        operator.add_key(&SystemRandom).expect("another key");
        assert!(secrets.remove_master_key(needed).await.is_err());
        let rest = secrets.rotate().await.expect("the rest");
        assert!(rest.resumed && rest.house[0].resealed == 1);
        secrets.remove_master_key(needed).await.expect("nothing needs it");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_fifty_who_send_one_recovery_code_at_once_one_comes_in() {
    on_both(migrate, async |test| {
        let guarded = Guarded::new(test).await;
        let mut firsts = Vec::new();
        for _ in 0..5 {
            firsts.push(guarded.first_step().await);
        }
        let code = guarded.codes.0[3].clone();
        let tries: Vec<_> = (0..50)
            .map(|number| {
                let (factors, code) = (guarded.factors.clone(), code.clone());
                let token = firsts[number % firsts.len()].token.clone();
                tokio::spawn(async move { factors.finish_sign_in(&token, &code, Client::default()).await })
            })
            .collect();
        let mut came_in = 0;
        for attempt in tries {
            match attempt.await.expect("task") {
                Ok(shown) => {
                    assert_eq!(shown.recovery_codes_left, Some(9));
                    came_in += 1;
                }
                Err(error) => assert!(matches!(error, SecondFactorError::Refused), "{error}"),
            }
        }
        assert_eq!(came_in, 1);
    })
    .await;
}
