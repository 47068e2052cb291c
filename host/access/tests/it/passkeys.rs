//! Passkeys: one answer to one question, of its own person, at this host alone.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use portolan_access::passkeys::testing::Authenticator;
use portolan_access::passkeys::{PasskeyError, Passkeys, Registered, RelyingParty};
use portolan_access::{
    Changer, Client, HOUSE_COLUMNS, KeyRing, NewSession, NewSignInPolicy, SecondFactors, Secrets,
    SignInError, SignedIn, audit::Who, change_sign_in_policy, examine_house, reset_second_factor,
};
use portolan_core::{Clock, Duration, SystemClock, SystemRandom, UserId};
use portolan_db::entity::{passkey, passkey_ceremony, recovery_code, session};
use portolan_db::testing::TestDatabase;
use tempfile::TempDir;
use uuid::Uuid;

use crate::support::{Door, PASSWORD, add, migrate, on_both};

/// What is wrong with an answer, and how it is made so.
type Lie = (&'static str, fn(&mut Authenticator));

const HERE: &str = "https://portolan.example";

/// Somebody with a password, at a host where passkeys can be used.
struct Host {
    door: Door,
    factors: SecondFactors,
    passkeys: Passkeys,
    folder: TempDir,
}

impl Host {
    async fn new(test: &TestDatabase) -> Self {
        let (door, folder) = (Door::new(test).await.with_password().await, TempDir::new().expect("folder"));
        let ring = Arc::new(KeyRing::load_or_create(folder.path(), None, &SystemRandom).expect("ring"));
        let factors = SecondFactors::new(&door.sessions, &ring);
        let passkeys = Passkeys::new(&factors, RelyingParty::at(HERE).expect("a name and https"));
        Self { door, factors, passkeys, folder }
    }

    /// With a passkey that was added in this session, the first second factor.
    async fn with_passkey(test: &TestDatabase) -> (Self, Authenticator, Registered) {
        let host = Self::new(test).await;
        let session = host.sign_in().await.expect("nothing else is asked for");
        let mut device = Authenticator::new(HERE);
        let added = host.add(&host.door.who(&session).await, &mut device).await.expect("added");
        (host, device, added)
    }

    async fn sign_in(&self) -> Result<NewSession, SignInError> {
        self.door.sessions.sign_in_with_password(&self.door.name, PASSWORD, Client::default()).await
    }

    /// The token of a first step.
    async fn first_step(&self) -> String {
        match self.sign_in().await.expect_err("not in yet") {
            SignInError::SecondStep(pending) => pending.token,
            other => panic!("{other}"),
        }
    }

    async fn finish(
        &self,
        who: &SignedIn,
        ceremony: &str,
        name: &str,
        answer: &str,
    ) -> Result<Option<Registered>, PasskeyError> {
        let (passkeys, who) = (self.passkeys.clone(), who.clone());
        let (ceremony, name, answer) = (ceremony.to_owned(), name.to_owned(), answer.to_owned());
        let finished = self.door.database.system_write(move |tx| {
            Box::pin(async move {
                passkeys.finish_registration(tx, &who, &ceremony, &name, &answer, Client::default()).await
            })
        });
        finished.await
    }

    async fn add(&self, who: &SignedIn, device: &mut Authenticator) -> Option<Registered> {
        let question = self.passkeys.begin_registration(who).await.expect("a question");
        let answer = device.create(&question.options);
        self.finish(who, &question.ceremony, " Telephone ", &answer).await.expect("looked at")
    }

    async fn by_passkey(&self, device: &mut Authenticator) -> Result<NewSession, SignInError> {
        let question = self.passkeys.begin_sign_in(&Client::default()).await.expect("a question");
        let answer = device.get(&question.options);
        self.passkeys.finish_sign_in(&question.ceremony, &answer, Client::default()).await
    }

    async fn second_step(&self, device: &mut Authenticator) -> Result<NewSession, SignInError> {
        let pending = self.first_step().await;
        let question = self.passkeys.begin_second_step(&pending).await.expect("a question");
        let answer = device.get(&question.options);
        let finish =
            self.passkeys.finish_second_step(&pending, &question.ceremony, &answer, Client::default());
        Ok(finish.await?.session)
    }

    async fn remove(&self, who: &SignedIn, id: Uuid) -> Result<bool, PasskeyError> {
        let (sessions, who) = (self.door.sessions.clone(), who.clone());
        let removed = self.door.database.system_write(move |tx| {
            Box::pin(async move { sessions.remove_passkey(tx, &who, id, Client::default()).await })
        });
        removed.await
    }

    async fn factors_of_newest(&self) -> String {
        let tx = self.door.database.system_read().await.expect("read");
        let mut all = tx.find::<session::Entity>().all(&tx).await.expect("sessions");
        all.sort_by_key(|session| session.id);
        all.pop().expect("a session").factors
    }
}

#[track_caller]
fn assert_refused<T>(result: Result<T, SignInError>) -> String {
    let Err(error) = result else { panic!("came in") };
    assert!(matches!(error, SignInError::Refused), "{error}");
    error.to_string()
}

#[tokio::test]
async fn a_passkey_is_added_asked_for_and_comes_in_alone_and_as_the_second_step() {
    on_both(migrate, async |test| {
        let (host, mut device, added) = Host::with_passkey(test).await;
        assert_eq!(
            added.codes.as_ref().map(|codes| codes.0.len()),
            Some(10),
            "the first shows recovery codes"
        );
        let signed_in = host.door.who(&added.session).await;
        assert!(signed_in.second_factor, "whoever has just used it has shown it");
        let own = host.door.sessions.own_account(host.door.user).await.expect("list").passkeys;
        assert!(own.len() == 1 && own[0].name == "Telephone" && own[0].last_used_at.is_none());

        host.door.clock.advance(Duration::from_minutes(1));
        let alone = host.by_passkey(&mut device).await.expect("in");
        assert_eq!((alone.user, alone.tenant), (host.door.user, host.door.tenant));
        assert!(host.door.who(&alone).await.second_factor, "it counts as both");
        assert_eq!(host.factors_of_newest().await, "passkey");
        let used =
            host.door.sessions.own_account(host.door.user).await.expect("list").passkeys[0].last_used_at;
        assert_eq!(used, Some(host.door.clock.now()));

        host.door.clock.advance(Duration::from_minutes(1));
        let second = host.second_step(&mut device).await.expect("in");
        assert_eq!(host.factors_of_newest().await, "password+passkey");
        assert!(![&alone.token, &added.session.token].contains(&&second.token), "another token each time");

        // And to show again who one is: under a new token.
        host.door.clock.advance(Duration::from_minutes(20));
        let signed_in = host.door.who(&second).await;
        let question = host.passkeys.begin_step_up(&signed_in).await.expect("a question");
        let answer = device.get(&question.options);
        let shown =
            host.passkeys.finish_step_up(&signed_in, &question.ceremony, &answer, Client::default()).await;
        let shown = shown.expect("shown").session;
        assert_ne!(shown.token, second.token);
        assert!(host.door.sessions.authenticate(&second.token).await.expect("look").is_none());
        assert_eq!(host.door.who(&shown).await.authenticated_at, host.door.clock.now());
        let password = host.factors.step_up(&host.door.who(&shown).await, PASSWORD, Client::default()).await;
        assert!(matches!(password, Err(SignInError::Refused)), "the password alone shows it no more");
    })
    .await;
}

#[tokio::test]
async fn a_second_passkey_shows_no_codes_and_a_device_has_one() {
    on_both(migrate, async |test| {
        let (host, mut device, added) = Host::with_passkey(test).await;
        let other = host.by_passkey(&mut device).await.expect("in");
        let signed_in = host.door.who(&added.session).await;
        let mut second = Authenticator::new(HERE);
        let again = host.add(&signed_in, &mut second).await.expect("added");
        assert!(again.codes.is_none() && again.session.token != added.session.token);
        assert!(host.door.sessions.authenticate(&other.token).await.expect("look").is_some(), "others go on");
        host.by_passkey(&mut second).await.expect("in");
        host.by_passkey(&mut device).await.expect("in");
        // The device is told which it has, and a second answer of it is not taken.
        let signed_in = host.door.who(&again.session).await;
        let question = host.passkeys.begin_registration(&signed_in).await.expect("a question");
        assert_eq!(question.options["publicKey"]["excludeCredentials"].as_array().map(Vec::len), Some(2));
        let selection = &question.options["publicKey"]["authenticatorSelection"];
        assert_eq!(
            (selection["residentKey"].as_str(), selection["userVerification"].as_str()),
            (Some("preferred"), Some("required"))
        );
        let answer = device.create(&question.options);
        let finished =
            host.finish(&signed_in, &question.ceremony, "again", &answer).await.expect("looked at");
        assert!(finished.is_none());
        for name in ["", " \n ", &"x".repeat(61), "a\u{7}b"] {
            let named = host.finish(&signed_in, "", name, "{}").await;
            assert!(matches!(named, Err(PasskeyError::Name)), "{name:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn no_passkey_is_added_by_an_answer_that_is_not_right() {
    on_both(migrate, async |test| {
        let host = Host::new(test).await;
        let signed_in = host.door.who(&host.sign_in().await.expect("in")).await;
        let lies: [Lie; 4] = [
            ("origin", |device| device.origin = "https://portolan.example.evil".to_owned()),
            ("port", |device| device.origin = "https://portolan.example:8443".to_owned()),
            ("host", |device| device.rp_id = "evil.example".to_owned()),
            ("nobody", |device| device.verifies = false),
        ];
        for (what, lie) in lies {
            let mut device = Authenticator::new(HERE);
            lie(&mut device);
            assert!(host.add(&signed_in, &mut device).await.is_none(), "{what}");
        }
        // The answer to another question, to a question of another session, too late, twice, and what is no answer.
        let mut device = Authenticator::new(HERE);
        let older = host.passkeys.begin_registration(&signed_in).await.expect("a question");
        let question = host.passkeys.begin_registration(&signed_in).await.expect("a question");
        let answer = device.create(&older.options);
        for ceremony in [&older.ceremony, &question.ceremony] {
            assert!(host.finish(&signed_in, ceremony, "x", &answer).await.expect("looked at").is_none());
        }
        let question = host.passkeys.begin_registration(&signed_in).await.expect("a question");
        let answer = device.create(&question.options);
        let elsewhere = host.door.who(&host.sign_in().await.expect("in")).await;
        let stolen = host.finish(&elsewhere, &question.ceremony, "x", &answer).await;
        assert!(stolen.expect("looked at").is_none());
        host.door.clock.advance(Duration::from_minutes(5));
        let late = host.finish(&signed_in, &question.ceremony, "x", &answer).await;
        assert!(late.expect("looked at").is_none());
        for nonsense in ["", "null", "{}", "[1]"] {
            let question = host.passkeys.begin_registration(&signed_in).await.expect("a question");
            let finished = host.finish(&signed_in, &question.ceremony, "x", nonsense).await;
            assert!(finished.expect("looked at").is_none(), "{nonsense}");
        }
        assert!(host.door.sessions.own_account(host.door.user).await.expect("list").passkeys.is_empty());
        host.sign_in().await.expect("nothing is asked for");
    })
    .await;
}

#[tokio::test]
async fn nobody_comes_in_by_an_answer_that_is_not_right() {
    on_both(migrate, async |test| {
        let (host, mut device, _) = Host::with_passkey(test).await;
        host.by_passkey(&mut device).await.expect("in");
        let owner = device.user_handle.clone();
        let lies: [Lie; 6] = [
            ("origin", |device| device.origin = "http://portolan.example".to_owned()),
            ("subdomain", |device| device.origin = "https://a.portolan.example".to_owned()),
            ("host", |device| device.rp_id = "evil.example".to_owned()),
            ("nobody", |device| device.verifies = false),
            ("counter", |device| device.counter = 0),
            ("somebody", |device| {
                device.user_handle = UserId::generate(&SystemClock, &SystemRandom).0.as_bytes().to_vec()
            }),
        ];
        let mut told = Vec::new();
        for (what, lie) in lies {
            let counter = device.counter;
            lie(&mut device);
            told.push((what, assert_refused(host.by_passkey(&mut device).await)));
            lie(&mut device);
            told.push((what, assert_refused(host.second_step(&mut device).await)));
            (device.origin, device.rp_id) = (HERE.to_owned(), "portolan.example".to_owned());
            (device.verifies, device.user_handle) = (true, owner.clone());
            device.counter = counter;
        }
        // Without saying whose it is, it comes in nowhere alone, but in the place of a code.
        device.user_handle.clear();
        told.push(("unsaid", assert_refused(host.by_passkey(&mut device).await)));
        device.user_handle = owner;
        // A passkey that nobody has here.
        let mut stranger = Authenticator::new(HERE);
        stranger.user_handle = device.user_handle.clone();
        told.push(("stranger", assert_refused(host.by_passkey(&mut stranger).await)));
        assert!(told.iter().all(|(_, text)| *text == told[0].1), "one answer to all: {told:?}");
        host.by_passkey(&mut device).await.expect("the right one still does");
    })
    .await;
}

#[tokio::test]
async fn an_answer_counts_for_its_own_question_in_its_time_and_once() {
    on_both(migrate, async |test| {
        let (host, mut device, added) = Host::with_passkey(test).await;
        let passkeys = &host.passkeys;
        let client = Client::default;
        let question = passkeys.begin_sign_in(&client()).await.expect("a question");
        let answer = device.get(&question.options);
        passkeys.finish_sign_in(&question.ceremony, &answer, client()).await.expect("in");
        assert_refused(passkeys.finish_sign_in(&question.ceremony, &answer, client()).await);
        // The same answer to a newer question.
        let newer = passkeys.begin_sign_in(&client()).await.expect("a question");
        assert_refused(passkeys.finish_sign_in(&newer.ceremony, &answer, client()).await);
        // A wrong answer uses the question up.
        let right = device.get(&newer.options);
        assert_refused(passkeys.finish_sign_in(&newer.ceremony, &right, client()).await);
        // Too late.
        let late = passkeys.begin_sign_in(&client()).await.expect("a question");
        let answer = device.get(&late.options);
        host.door.clock.advance(Duration::from_minutes(5));
        assert_refused(passkeys.finish_sign_in(&late.ceremony, &answer, client()).await);
        // Each kind of question, answered in the place of each other.
        let signed_in = host.door.who(&added.session).await;
        let pending = host.first_step().await;
        let other = host.first_step().await;
        for place in 0..4 {
            let alone = passkeys.begin_sign_in(&client()).await.expect("a question");
            let second = passkeys.begin_second_step(&pending).await.expect("a question");
            let of_other = passkeys.begin_second_step(&other).await.expect("a question");
            let again = passkeys.begin_step_up(&signed_in).await.expect("a question");
            let questions = [alone, second, of_other, again];
            for (index, question) in questions.iter().enumerate().filter(|(index, _)| *index != place) {
                let answer = device.get(&question.options);
                let ceremony = &question.ceremony;
                let refused = match place {
                    0 => passkeys.finish_sign_in(ceremony, &answer, client()).await.is_err(),
                    1 => passkeys.finish_second_step(&pending, ceremony, &answer, client()).await.is_err(),
                    2 => passkeys.finish_second_step(&other, ceremony, &answer, client()).await.is_err(),
                    _ => passkeys.finish_step_up(&signed_in, ceremony, &answer, client()).await.is_err(),
                };
                assert!(refused, "the question {index} at {place}");
            }
        }
        host.door.clock.advance(Duration::from_minutes(5));
        host.door.sessions.forget_expired().await.expect("forget");
        let tx = host.door.database.system_read().await.expect("read");
        assert!(tx.find::<passkey_ceremony::Entity>().all(&tx).await.expect("questions").is_empty());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_fifty_answers_to_one_question_at_once_one_comes_in() {
    on_both(migrate, async |test| {
        let (host, mut device, _) = Host::with_passkey(test).await;
        for turn in 0..4 {
            let pending = host.first_step().await;
            let question = match turn % 2 {
                0 => host.passkeys.begin_sign_in(&Client::default()).await,
                _ => host.passkeys.begin_second_step(&pending).await,
            };
            let question = question.expect("a question");
            let answer = device.get(&question.options);
            let tries: Vec<_> = (0..50)
                .map(|_| {
                    let (passkeys, pending) = (host.passkeys.clone(), pending.clone());
                    let (ceremony, answer) = (question.ceremony.clone(), answer.clone());
                    tokio::spawn(async move {
                        match turn % 2 {
                            0 => passkeys.finish_sign_in(&ceremony, &answer, Client::default()).await.is_ok(),
                            _ => passkeys
                                .finish_second_step(&pending, &ceremony, &answer, Client::default())
                                .await
                                .is_ok(),
                        }
                    })
                })
                .collect();
            let mut came_in = 0;
            for one in tries {
                came_in += usize::from(one.await.expect("no panic"));
            }
            assert_eq!(came_in, 1, "turn {turn}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_two_copies_of_a_passkey_that_answer_at_once_one_comes_in() {
    on_both(migrate, async |test| {
        let (host, mut device, _) = Host::with_passkey(test).await;
        for turn in 0..5 {
            let mut answers = Vec::new();
            for _ in 0..2 {
                let question = host.passkeys.begin_sign_in(&Client::default()).await.expect("a question");
                // Both count alike.
                device.counter = turn;
                answers.push((question.ceremony, device.get(&question.options)));
            }
            let tries: Vec<_> = answers
                .into_iter()
                .map(|(ceremony, answer)| {
                    let passkeys = host.passkeys.clone();
                    tokio::spawn(async move {
                        passkeys.finish_sign_in(&ceremony, &answer, Client::default()).await.is_ok()
                    })
                })
                .collect();
            let mut came_in = 0;
            for one in tries {
                came_in += usize::from(one.await.expect("no panic"));
            }
            assert_eq!(came_in, 1);
        }
    })
    .await;
}

#[tokio::test]
async fn of_two_second_steps_that_were_asked_at_once_one_counter_ends_one() {
    on_both(migrate, async |test| {
        let (host, mut device, _) = Host::with_passkey(test).await;
        let mut asked = Vec::new();
        for _ in 0..2 {
            let pending = host.first_step().await;
            let question = host.passkeys.begin_second_step(&pending).await.expect("a question");
            asked.push((pending, question));
        }
        // As browsers want it: base64url, like every other bytes of the question.
        let known = &asked[0].1.options["publicKey"]["allowCredentials"][0];
        let id = known["id"].as_str().and_then(|id| URL_SAFE_NO_PAD.decode(id).ok());
        assert_eq!((known["type"].as_str(), id.is_some()), (Some("public-key"), true), "{known}");
        // A copy of the passkey counts as the passkey does.
        let counter = device.counter;
        let mut ended = Vec::new();
        for (pending, question) in asked {
            device.counter = counter;
            let answer = device.get(&question.options);
            let finished =
                host.passkeys.finish_second_step(&pending, &question.ceremony, &answer, Client::default());
            ended.push(finished.await.is_ok());
        }
        assert_eq!(ended, [true, false], "what it is held against is what is stored now");
    })
    .await;
}

#[tokio::test]
async fn another_persons_passkey_is_no_second_step_and_shows_nobody_again() {
    on_both(migrate, async |test| {
        let (host, _, _) = Host::with_passkey(test).await;
        let name = format!("bob-{}", host.door.tenant);
        let bob = add(&host.door.database, &name, host.door.tenant).await.expect("bob");
        let link = host.door.sessions.create_link(host.door.tenant, bob).await.expect("link");
        let session = host.door.sessions.sign_in_with_link(&link, Client::default()).await.expect("in");
        let mut theirs = Authenticator::new(HERE);
        let added = host.add(&host.door.who(&session).await, &mut theirs).await.expect("added");
        assert_refused(host.second_step(&mut theirs).await);
        // Nor is it theirs to rename or remove what is somebody else's.
        let mine = host.door.sessions.own_account(host.door.user).await.expect("list").passkeys[0].id;
        let bobs = host.door.who(&added.session).await;
        assert!(!host.factors.rename_passkey(&bobs, mine, "x", Client::default()).await.expect("looked"));
        assert!(!host.remove(&bobs, mine).await.expect("looked"));
        assert_eq!(host.by_passkey(&mut theirs).await.expect("in").user, bob, "their own it is");
    })
    .await;
}

#[tokio::test]
async fn a_recovery_code_comes_in_where_the_passkey_is_lost() {
    on_both(migrate, async |test| {
        let (host, _, added) = Host::with_passkey(test).await;
        let codes = added.codes.expect("codes");
        let pending = host.first_step().await;
        for wrong in ["000000", "", "SAMP1E-C0DE00-N0TREA-0EVER0"] {
            let tried = host.factors.finish_sign_in(&pending, wrong, Client::default()).await;
            assert!(tried.is_err(), "{wrong}");
        }
        let shown = host.factors.finish_sign_in(&pending, &codes.0[0], Client::default()).await.expect("in");
        assert_eq!(shown.recovery_codes_left, Some(9));
        let pending = host.first_step().await;
        assert!(host.factors.finish_sign_in(&pending, &codes.0[0], Client::default()).await.is_err(), "once");
        // New ones void the old ones, and looking at any is limited.
        let signed_in = host.door.who(&shown.session).await;
        let new = host.factors.renew_recovery_codes(&signed_in, Client::default()).await.expect("new ones");
        for _ in 0..20 {
            let _ = host.factors.finish_sign_in(&pending, &codes.0[1], Client::default()).await;
        }
        assert!(
            host.factors.finish_sign_in(&pending, &new.0[0], Client::default()).await.is_err(),
            "too many"
        );
        host.door.clock.advance(Duration::from_minutes(6));
        host.factors.finish_sign_in(&pending, &new.0[0], Client::default()).await.expect("in");
    })
    .await;
}

#[tokio::test]
async fn the_last_passkey_stays_where_the_company_asks_for_a_second_factor() {
    on_both(migrate, async |test| {
        let (host, mut device, added) = Host::with_passkey(test).await;
        let (user, now) = (host.door.user, host.door.clock.now());
        let new = NewSignInPolicy {
            second_factor_roles: ["owner".to_owned()].into(),
            ..NewSignInPolicy::default()
        };
        let changer = Changer { user, second_factor: true, from: None };
        let changed = host.door.database.write(host.door.tenant, move |tx| {
            Box::pin(async move { change_sign_in_policy(tx, &Who::operator(), changer, new, now).await })
        });
        changed.await.expect("a policy");
        let signed_in = host.door.who(&added.session).await;
        assert!(!signed_in.lacks_second_factor(), "a passkey is one");
        assert!(matches!(host.remove(&signed_in, added.id).await, Err(PasskeyError::LastOne)));
        let mut second = Authenticator::new(HERE);
        let again = host.add(&signed_in, &mut second).await.expect("added");
        let signed_in = host.door.who(&again.session).await;
        assert!(host.remove(&signed_in, added.id).await.expect("removed"));
        assert_refused(host.by_passkey(&mut device).await);
        assert!(matches!(host.remove(&signed_in, again.id).await, Err(PasskeyError::LastOne)));
        host.by_passkey(&mut second).await.expect("in");
    })
    .await;
}

#[tokio::test]
async fn removing_the_last_passkey_forgets_what_it_opened() {
    on_both(migrate, async |test| {
        let (host, mut device, added) = Host::with_passkey(test).await;
        let signed_in = host.door.who(&added.session).await;
        assert!(
            host.factors
                .rename_passkey(&signed_in, added.id, "Key ring", Client::default())
                .await
                .expect("renamed")
        );
        assert_eq!(
            host.door.sessions.own_account(host.door.user).await.expect("list").passkeys[0].name,
            "Key ring"
        );
        assert!(host.remove(&signed_in, added.id).await.expect("removed"));
        assert!(!host.remove(&signed_in, added.id).await.expect("looked"));
        assert_refused(host.by_passkey(&mut device).await);
        let tx = host.door.database.system_read().await.expect("read");
        assert!(tx.find::<recovery_code::Entity>().all(&tx).await.expect("codes").is_empty());
        drop(tx);
        host.sign_in().await.expect("nothing is asked for any more");

        // The operator takes everything away at once.
        let session = host.sign_in().await.expect("in");
        host.add(&host.door.who(&session).await, &mut device).await.expect("added");
        host.first_step().await;
        let user = host.door.user;
        let reset = host
            .door
            .database
            .system_write(move |tx| Box::pin(async move { reset_second_factor(tx, user).await }));
        assert!(reset.await.expect("reset"));
        assert_refused(host.by_passkey(&mut device).await);
        host.sign_in().await.expect("nothing is asked for any more");
    })
    .await;
}

#[tokio::test]
async fn questions_without_a_name_are_limited_by_network_and_kept_sealed() {
    on_both(migrate, async |test| {
        let (host, mut device, _) = Host::with_passkey(test).await;
        let from = |address: &str| Client { address: address.to_owned(), ..Client::default() };
        for _ in 0..30 {
            host.passkeys.begin_sign_in(&from("192.0.2.7")).await.expect("a question");
        }
        let more = host.passkeys.begin_sign_in(&from("192.0.2.7")).await;
        assert!(matches!(more, Err(PasskeyError::TooOften)));
        host.passkeys.begin_sign_in(&from("192.0.2.8")).await.expect("others go on");
        host.door.clock.advance(Duration::from_secs(10));
        let question = host.passkeys.begin_sign_in(&from("192.0.2.7")).await.expect("one more");

        let tx = host.door.database.system_read().await.expect("read");
        let kept = tx.find::<passkey::Entity>().all(&tx).await.expect("passkeys");
        let asked = tx.find::<passkey_ceremony::Entity>().all(&tx).await.expect("questions");
        drop(tx);
        let challenge = question.options["publicKey"]["challenge"].as_str().expect("a challenge");
        for bytes in kept.iter().map(|row| &row.sealed).chain(asked.iter().map(|row| &row.sealed)) {
            let text = String::from_utf8_lossy(bytes);
            assert!(!text.contains(challenge) && !text.contains("cred"), "sealed");
        }
        assert!(!format!("{asked:?}").contains(&question.ceremony), "its hash alone");

        // Changing the master key leaves all of it as good as before.
        let ring = Arc::new(KeyRing::load_or_create(host.folder.path(), None, &SystemRandom).expect("ring"));
        let clock: Arc<dyn Clock> = Arc::new(host.door.clock.clone());
        let secrets = Secrets::new(host.door.database.clone(), ring.clone(), clock, Arc::new(SystemRandom));
        secrets.rotate().await.expect("rotated");
        let tx = host.door.database.system_read().await.expect("read");
        let reports = examine_house(&ring, &tx).await.expect("examined");
        assert_eq!(reports.len(), HOUSE_COLUMNS.len());
        drop(tx);
        host.by_passkey(&mut device).await.expect("in");
    })
    .await;
}
