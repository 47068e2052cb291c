//! Codes by mail: for whoever has nothing better where their company asks for a second factor, and lets one count.

use portolan_access::audit::Who;
use portolan_access::{
    Changer, Client, MailCode, NewSession, NewSignInPolicy, SecondFactorError, SecondFactors, SignInError,
    add_person, change_sign_in_policy, set_password_hash,
};
use portolan_access::{KeyRing, NewPerson, SystemRole};
use portolan_core::{Duration, SystemClock, SystemRandom};
use portolan_db::entity::{mail_code, mail_code_tries, session};
use portolan_db::testing::TestDatabase;
use std::sync::Arc;
use tempfile::TempDir;

use crate::support::{Door, PASSWORD, migrate, on_both};

/// Somebody with a mail address and a password alone, whose company asks owners for a second factor.
struct Mailed {
    door: Door,
    factors: SecondFactors,
    _folder: TempDir,
}

impl Mailed {
    async fn new(test: &TestDatabase, mail_codes: bool) -> Self {
        let mut door = Door::new(test).await;
        door.sessions = door.sessions.with_mail();
        door.name = format!("ada-{}@example.com", door.tenant);
        let person =
            NewPerson { sign_in_name: door.name.clone(), tenant: door.tenant, role: SystemRole::Owner };
        let hash = door.sessions.passwords().hash(PASSWORD).await.expect("hash");
        door.user = door
            .database
            .system_write(move |tx| {
                Box::pin(async move {
                    let user = add_person(tx, person, &SystemClock, &SystemRandom).await?;
                    set_password_hash(tx, user, Some(hash)).await?;
                    Ok::<_, portolan_access::PersonError>(user)
                })
            })
            .await
            .expect("somebody");
        let folder = TempDir::new().expect("folder");
        let ring = Arc::new(KeyRing::load_or_create(folder.path(), None, &SystemRandom).expect("ring"));
        let factors = SecondFactors::new(&door.sessions, &ring);
        let mailed = Self { door, factors, _folder: folder };
        mailed.ask(mail_codes).await;
        mailed
    }

    async fn ask(&self, mail_codes: bool) {
        let new = NewSignInPolicy {
            second_factor_roles: ["owner".to_owned()].into(),
            mail_codes,
            ..NewSignInPolicy::default()
        };
        let changer = Changer { user: self.door.user, second_factor: true, from: None };
        let now = portolan_core::Clock::now(&self.door.clock);
        let changed = self.door.database.write(self.door.tenant, move |tx| {
            Box::pin(async move { change_sign_in_policy(tx, &Who::operator(), changer, new, now).await })
        });
        changed.await.expect("a policy");
    }

    async fn sign_in(&self) -> Result<NewSession, SignInError> {
        self.door.sessions.sign_in_with_password(&self.door.name, PASSWORD, Client::default()).await
    }

    async fn first_step(&self) -> String {
        match self.sign_in().await.expect_err("not in yet") {
            SignInError::SecondStep(pending) => pending.token,
            other => panic!("{other}"),
        }
    }

    async fn send(&self, token: &str) -> Option<MailCode> {
        let (sessions, token) = (self.door.sessions.clone(), token.to_owned());
        let made = self
            .door
            .database
            .system_write(move |tx| Box::pin(async move { sessions.make_mail_code(tx, &token).await }));
        made.await.expect("looked at")
    }

    async fn finish(&self, token: &str, code: &str) -> Result<NewSession, SecondFactorError> {
        let shown = self.factors.finish_sign_in(token, code, Client::default()).await?;
        Ok(shown.session)
    }
}

/// Another code than this one.
fn wrong(code: &str) -> String {
    format!("{:06}", (code.parse::<u32>().expect("digits") + 1) % 1_000_000)
}

#[track_caller]
fn assert_refused(result: Result<NewSession, SecondFactorError>) -> String {
    let Err(error) = result else { panic!("came in") };
    assert!(matches!(error, SecondFactorError::Refused), "{error}");
    error.to_string()
}

#[tokio::test]
async fn a_mailed_code_is_a_second_step_once_where_the_company_lets_it_count() {
    on_both(migrate, async |test| {
        let mailed = Mailed::new(test, true).await;
        let first = mailed.first_step().await;
        assert_refused(mailed.finish(&first, "000000").await);
        let MailCode { to, code } = mailed.send(&first).await.expect("a code");
        assert!(to == mailed.door.name && code.len() == 6);
        let tx = mailed.door.database.system_read().await.expect("read");
        let kept = tx.find::<mail_code::Entity>().all(&tx).await.expect("codes");
        assert!(kept.len() == 1 && !format!("{kept:?}").contains(&code), "its hash alone");
        drop(tx);
        // It belongs to one first step.
        let other = mailed.first_step().await;
        assert_refused(mailed.finish(&other, &code).await);
        let spaced = format!(" {} {} ", &code[..3], &code[3..]);
        let session = mailed.finish(&first, &spaced).await.expect("in");
        assert_refused(mailed.finish(&first, &code).await);
        let signed_in = mailed.door.who(&session).await;
        assert!(signed_in.second_factor && !signed_in.lacks_second_factor());
        let tx = mailed.door.database.system_read().await.expect("read");
        let all = tx.find::<session::Entity>().all(&tx).await.expect("sessions");
        assert_eq!(all.last().expect("a session").factors, "password+mail_code");
        drop(tx);
        // From the next request on it counts no more where the company says so.
        mailed.ask(false).await;
        assert!(mailed.door.who(&session).await.lacks_second_factor());
        let session = mailed.sign_in().await.expect("to set up a second factor");
        assert!(mailed.door.who(&session).await.lacks_second_factor());
    })
    .await;
}

#[tokio::test]
async fn nobody_is_asked_for_a_mailed_code_who_need_not_or_cannot() {
    on_both(migrate, async |test| {
        let mailed = Mailed::new(test, false).await;
        mailed.sign_in().await.expect("the company does not let it count");
        mailed.ask(true).await;
        mailed.first_step().await;
        let mut silent = mailed.door.clone();
        silent.sessions = portolan_access::Sessions::new(
            mailed.door.database.clone(),
            Arc::new(mailed.door.clock.clone()),
            Arc::new(SystemRandom),
        );
        let client = Client::default();
        let signed_in = silent.sessions.sign_in_with_password(&silent.name, PASSWORD, client).await;
        signed_in.expect("nothing can be sent");
        // Whose name is no address, and who is not asked for a second factor.
        for (name, role) in [("ada", SystemRole::Owner), ("eve@example.com", SystemRole::Viewer)] {
            let name =
                if role == SystemRole::Owner { format!("{name}-{}", silent.tenant) } else { name.to_owned() };
            let user = crate::support::add_as(&silent.database, &name, silent.tenant, role).await;
            let link = mailed.door.sessions.create_link(silent.tenant, user.expect("somebody")).await;
            let signed_in =
                mailed.door.sessions.sign_in_with_link(&link.expect("link"), Client::default()).await;
            signed_in.expect("nothing is asked for");
        }
    })
    .await;
}

#[tokio::test]
async fn three_wrong_codes_lock_all_of_a_person_for_half_an_hour() {
    on_both(migrate, async |test| {
        let mailed = Mailed::new(test, true).await;
        let first = mailed.first_step().await;
        let code = mailed.send(&first).await.expect("a code").code;
        let mut told = Vec::new();
        for _ in 0..3 {
            told.push(assert_refused(mailed.finish(&first, &wrong(&code)).await));
        }
        told.push(assert_refused(mailed.finish(&first, &code).await));
        assert!(told.iter().all(|text| *text == told[0]), "one answer to all");
        // Another first step, after the minute between two mails: no code is sent, and none looked at.
        mailed.door.clock.advance(Duration::from_minutes(2));
        let other = mailed.first_step().await;
        assert!(mailed.send(&other).await.is_none());
        mailed.door.clock.advance(Duration::from_minutes(28));
        let later = mailed.first_step().await;
        let code = mailed.send(&later).await.expect("a code").code;
        // A wrong one again, and the right one forgives it.
        assert_refused(mailed.finish(&later, &wrong(&code)).await);
        mailed.finish(&later, &code).await.expect("in");
        let tx = mailed.door.database.system_read().await.expect("read");
        let tries = tx.find::<mail_code_tries::Entity>().all(&tx).await.expect("tries");
        assert!(tries.len() == 1 && tries[0].wrong == 0 && tries[0].locked_until == 0);
        drop(tx);
        mailed.door.sessions.forget_expired().await.expect("forget");
        let tx = mailed.door.database.system_read().await.expect("read");
        assert!(tx.find::<mail_code_tries::Entity>().all(&tx).await.expect("tries").is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_code_ends_with_its_ten_minutes_and_with_a_newer_one() {
    on_both(migrate, async |test| {
        let mailed = Mailed::new(test, true).await;
        let first = mailed.first_step().await;
        let older = mailed.send(&first).await.expect("a code").code;
        assert!(mailed.send(&first).await.is_none(), "one a minute");
        mailed.door.clock.advance(Duration::from_secs(60));
        let newer = mailed.send(&first).await.expect("a code").code;
        if older != newer {
            assert_refused(mailed.finish(&first, &older).await);
        }
        mailed.door.clock.advance(Duration::from_minutes(10));
        assert_refused(mailed.finish(&first, &newer).await);
        // Two an hour; who asks for a third waits for an hour, by whichever first step.
        let again = mailed.first_step().await;
        assert!(mailed.send(&again).await.is_none());
        mailed.door.clock.advance(Duration::from_minutes(59));
        let again = mailed.first_step().await;
        assert!(mailed.send(&again).await.is_none(), "the hour is not over");
        mailed.door.clock.advance(Duration::from_minutes(1));
        let again = mailed.first_step().await;
        let code = mailed.send(&again).await.expect("a code").code;
        mailed.finish(&again, &code).await.expect("in");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_fifty_who_send_one_mailed_code_at_once_one_comes_in() {
    on_both(migrate, async |test| {
        let mailed = Mailed::new(test, true).await;
        let first = mailed.first_step().await;
        let code = mailed.send(&first).await.expect("a code").code;
        let tries: Vec<_> = (0..50)
            .map(|_| {
                let (factors, token, code) = (mailed.factors.clone(), first.clone(), code.clone());
                tokio::spawn(
                    async move { factors.finish_sign_in(&token, &code, Client::default()).await.is_ok() },
                )
            })
            .collect();
        let mut came_in = 0;
        for one in tries {
            came_in += usize::from(one.await.expect("no panic"));
        }
        assert_eq!(came_in, 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_fifty_wrong_mailed_codes_at_once_three_are_looked_at() {
    on_both(migrate, async |test| {
        let mailed = Mailed::new(test, true).await;
        let mut firsts = Vec::new();
        for _ in 0..5 {
            firsts.push(mailed.first_step().await);
        }
        let code = mailed.send(&firsts[0]).await.expect("a code").code;
        let tries: Vec<_> = (0..50)
            .map(|number| {
                let (factors, code) = (mailed.factors.clone(), wrong(&code));
                let token = firsts[number % firsts.len()].clone();
                tokio::spawn(
                    async move { factors.finish_sign_in(&token, &code, Client::default()).await.is_ok() },
                )
            })
            .collect();
        for one in tries {
            assert!(!one.await.expect("no panic"));
        }
        assert_refused(mailed.finish(&firsts[0], &code).await);
    })
    .await;
}
