//! Events are written with what they tell or not at all, without a gap, and what is done to them later is found.

use std::collections::BTreeMap;
use std::sync::Arc;

use portolan_access::audit::{self, Anchor, AnchorError, Broken, Fault, Verification, Who};
use portolan_access::{Client, KeyRing, Secrets};
use portolan_core::{Clock, Random, SystemRandom};
use portolan_db::DbError;
use portolan_db::entity::{audit_event, audit_head, audit_signer};
use portolan_db::testing::TestDatabase;
use sea_orm::{ConnectionTrait, QueryOrder, Statement};
use serde_json::json;
use tempfile::TempDir;

use crate::support::{Door, migrate, new_id, on_both};

struct Auditor {
    door: Door,
    ring: Arc<KeyRing>,
    _folder: TempDir,
}

impl Auditor {
    async fn new(test: &TestDatabase) -> Self {
        let folder = TempDir::new().expect("a folder");
        let ring = KeyRing::load_or_create(folder.path(), None, &SystemRandom).expect("a key");
        Self { door: Door::new(test).await, ring: Arc::new(ring), _folder: folder }
    }

    /// One transaction with so many events.
    async fn act(&self, events: usize) {
        let now = self.door.clock.now();
        let who = Who::person(self.door.user);
        let work = self.door.database.write(self.door.tenant, move |tx| {
            Box::pin(async move {
                for number in 0..events {
                    let entry = who.did("sync.start", "sync", number).after(json!({ "number": number }));
                    audit::write(tx, now, entry);
                }
                Ok::<_, DbError>(())
            })
        });
        work.await.expect("written");
    }

    async fn events(&self) -> Vec<audit_event::Model> {
        let tx = self.door.database.read(self.door.tenant).await.expect("read");
        let events = tx.find::<audit_event::Entity>().order_by_asc(audit_event::Column::Seq);
        events.all(&tx).await.expect("events")
    }

    async fn verify(&self, elsewhere: &[Anchor]) -> Verification {
        let tx = self.door.database.read(self.door.tenant).await.expect("read");
        audit::verify(&tx, &self.ring, elsewhere).await.expect("a look")
    }

    async fn anchor(&self) -> Result<Option<Anchor>, AnchorError> {
        let clock: Arc<dyn Clock> = Arc::new(self.door.clock.clone());
        let random: Arc<dyn Random> = Arc::new(SystemRandom);
        audit::anchor_head(&self.door.database, &self.ring, self.door.tenant, &clock, &random).await
    }

    /// As whoever owns the database does it.
    async fn behind_our_back(&self, sql: &str) -> u64 {
        let connection = self.door.database.migration_connection();
        let statement = Statement::from_string(connection.get_database_backend(), sql);
        connection.execute_raw(statement).await.expect("done").rows_affected()
    }
}

#[tokio::test]
async fn an_event_is_there_with_what_it_tells_or_not_at_all() {
    on_both(migrate, async |test| {
        let auditor = Auditor::new(test).await;
        let before = auditor.events().await.len();
        let (now, who) = (auditor.door.clock.now(), Who::person(auditor.door.user));
        let failed = auditor.door.database.write(auditor.door.tenant, move |tx| {
            Box::pin(async move {
                audit::write(tx, now, who.did("sync.start", "sync", 1));
                Err::<(), _>(DbError::Unsafe("not today".to_owned()))
            })
        });
        assert!(failed.await.is_err());
        assert_eq!(auditor.events().await.len(), before, "what did not happen is not told");
        auditor.act(2).await;
        let events = auditor.events().await;
        assert_eq!(events.len(), before + 2);
        let last = events.last().expect("an event");
        assert_eq!((last.action.as_str(), last.subject_id.as_str()), ("sync.start", "1"));
        assert_eq!(last.after.as_deref(), Some(r#"{"number":1}"#));
        assert_eq!(last.actor_id, Some(auditor.door.user.0));
        let numbers: Vec<i64> = events.iter().map(|event| event.seq).collect();
        assert_eq!(numbers, (1..=events.len() as i64).collect::<Vec<_>>());
        assert_eq!(auditor.verify(&[]).await.broken, None);
    })
    .await;
}

#[tokio::test]
async fn an_event_that_cannot_be_written_undoes_what_it_tells() {
    on_both(migrate, async |test| {
        let auditor = Auditor::new(test).await;
        auditor.act(1).await;
        let events = auditor.events().await;
        // A number that is taken already: the head was put back by somebody.
        auditor.behind_our_back("UPDATE audit_head SET seq = seq - 1").await;
        let now = auditor.door.clock.now();
        let who = Who::person(auditor.door.user);
        let undone = auditor.door.database.write(auditor.door.tenant, move |tx| {
            Box::pin(async move {
                let row = portolan_db::entity::team::ActiveModel {
                    id: sea_orm::ActiveValue::Set(new_id()),
                    name: sea_orm::ActiveValue::Set("Night shift".to_owned()),
                    created_at: sea_orm::ActiveValue::Set(0),
                    ..Default::default()
                };
                tx.insert(row).await?;
                audit::write(tx, now, who.did("team.create", "team", 1));
                Ok::<_, DbError>(())
            })
        });
        assert!(undone.await.is_err());
        let tx = auditor.door.database.read(auditor.door.tenant).await.expect("read");
        let teams = tx.find::<portolan_db::entity::team::Entity>().all(&tx).await.expect("teams");
        assert!(teams.is_empty(), "nothing happens that the audit does not tell");
        drop(tx);
        assert_eq!(auditor.events().await, events);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_who_act_at_once_make_one_chain_without_a_gap() {
    on_both(migrate, async |test| {
        let auditor = Arc::new(Auditor::new(test).await);
        let before = auditor.events().await.len();
        let tasks: Vec<_> = (0..40)
            .map(|_| {
                let auditor = Arc::clone(&auditor);
                tokio::spawn(async move { auditor.act(3).await })
            })
            .collect();
        for task in tasks {
            task.await.expect("a task");
        }
        let found = auditor.verify(&[]).await;
        assert_eq!((found.broken, found.events), (None, before as i64 + 120));
    })
    .await;
}

#[tokio::test]
async fn coming_in_and_going_are_told_with_their_session() {
    on_both(migrate, async |test| {
        let auditor = Auditor::new(test).await;
        let door = &auditor.door;
        let link = door.sessions.create_link(door.tenant, door.user).await.expect("a link");
        let client = Client {
            address: "192.0.2.7".to_owned(),
            user_agent: "a browser".to_owned(),
            request_id: "0123".to_owned(),
            ..Client::default()
        };
        let session = door.sessions.sign_in_with_link(&link, client.clone()).await.expect("come in");
        door.sessions.sign_out(&session.token, client.clone()).await.expect("gone");
        door.sessions.sign_out(&session.token, client).await.expect("gone already");
        let events = auditor.events().await;
        let told: Vec<_> = events.iter().map(|event| event.action.as_str()).collect();
        assert_eq!(told, ["member.add", "sign_in_link.create", "session.begin", "session.end"]);
        let begun = &events[2];
        assert_eq!((begun.address.as_str(), begun.request_id.as_str()), ("192.0.2.7", "0123"));
        assert!(begun.session_id.is_some() && begun.session_id == events[3].session_id);
        assert_eq!(begun.subject_id, begun.session_id.expect("a session").to_string());
        for event in &events {
            for secret in [&session.token, &link, &door.name] {
                assert!(!format!("{event:?}").contains(secret.as_str()), "{event:?}");
            }
        }
    })
    .await;
}

#[tokio::test]
async fn the_chain_of_one_tenant_knows_nothing_of_another() {
    on_both(migrate, async |test| {
        let (ours, theirs) = (Auditor::new(test).await, Auditor::new(test).await);
        ours.act(5).await;
        theirs.act(2).await;
        ours.act(1).await;
        for (auditor, count) in [(&ours, 7), (&theirs, 3)] {
            let found = auditor.verify(&[]).await;
            assert_eq!((found.broken, found.events), (None, count));
            assert!(auditor.events().await.iter().all(|event| event.tenant_id == auditor.door.tenant.0));
        }
    })
    .await;
}

#[tokio::test]
async fn heads_are_signed_once_and_found_again_after_keys_have_changed() {
    on_both(migrate, async |test| {
        let auditor = Auditor::new(test).await;
        let first = auditor.anchor().await.expect("signed").expect("an anchor");
        assert_eq!(auditor.anchor().await.expect("looked").as_ref(), Some(&first), "nothing was done since");
        auditor.act(3).await;
        let second = auditor.anchor().await.expect("signed").expect("an anchor");
        assert_eq!((second.seq, second.public_key.as_str()), (first.seq + 3, first.public_key.as_str()));
        let door = &auditor.door;
        let secrets = Secrets::new(
            door.database.clone(),
            Arc::clone(&auditor.ring),
            Arc::new(door.clock.clone()),
            Arc::new(SystemRandom),
        );
        let old = auditor.ring.active_id();
        secrets.rotate().await.expect("rotated");
        secrets.remove_master_key(old).await.expect("nothing needs it");
        let third = auditor.anchor().await.expect("signed").expect("an anchor");
        assert_eq!(third.public_key, first.public_key, "the signer was sealed anew");
        let found = auditor.verify(&[first, second, third.clone()]).await;
        assert_eq!(found.broken, None);
        // Three in the database and the same three elsewhere.
        assert_eq!((found.anchors, found.anchored_seq), (6, Some(third.seq)));
        assert_eq!(found.public_keys, [third.public_key]);
        let told: Vec<_> = auditor.events().await.into_iter().map(|event| event.action).collect();
        assert!(
            told.contains(&"secrets.rotate".to_owned()) && told.contains(&"secrets.remove_key".to_owned())
        );
    })
    .await;
}

#[tokio::test]
async fn what_was_done_to_the_tables_is_found_in_them() {
    on_both(migrate, async |test| {
        const EDIT: &str = "UPDATE audit_event SET address = 'elsewhere' WHERE seq = 3";
        let cases: BTreeMap<&str, (&[&str], Fault, i64)> = BTreeMap::from([
            ("edited", (&[EDIT][..], Fault::Changed, 3)),
            ("taken out", (&["DELETE FROM audit_event WHERE seq = 3"][..], Fault::Missing, 3)),
            (
                "cut off, with its head",
                (
                    &[
                        "DELETE FROM audit_event WHERE seq > 4",
                        "UPDATE audit_head SET seq = 4, hash = (SELECT hash FROM audit_event WHERE seq = 4 \
                         AND audit_event.tenant_id = audit_head.tenant_id)",
                    ][..],
                    Fault::CutOff,
                    7,
                ),
            ),
            ("without its head", (&["DELETE FROM audit_head"][..], Fault::Head, 7)),
            ("signed by nobody we know", (&["DELETE FROM audit_signer"][..], Fault::Stranger, 7)),
        ]);
        for (name, (statements, fault, seq)) in cases {
            let auditor = Auditor::new(test).await;
            auditor.act(6).await;
            let kept = auditor.anchor().await.expect("signed").expect("an anchor");
            assert_eq!(auditor.verify(std::slice::from_ref(&kept)).await.broken, None);
            for sql in statements {
                assert!(auditor.behind_our_back(sql).await > 0, "{sql}");
            }
            let found = auditor.verify(std::slice::from_ref(&kept)).await;
            assert_eq!(found.broken, Some(Broken { seq, fault }), "{name}");
            // The next test is about a chain of its own.
            for table in ["audit_event", "audit_head", "audit_anchor"] {
                auditor.behind_our_back(&format!("DELETE FROM {table}")).await;
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_broken_chain_is_not_signed() {
    on_both(migrate, async |test| {
        let auditor = Auditor::new(test).await;
        auditor.act(2).await;
        auditor.anchor().await.expect("signed");
        auditor.act(2).await;
        auditor.behind_our_back("UPDATE audit_event SET action = 'sync.cancel' WHERE seq = 4").await;
        let refused = auditor.anchor().await;
        assert!(
            matches!(refused, Err(AnchorError::Broken(Broken { seq: 4, fault: Fault::Changed }))),
            "{refused:?}"
        );
    })
    .await;
}

#[tokio::test]
async fn a_copy_of_the_database_holds_nothing_to_sign_with() {
    on_both(migrate, async |test| {
        let auditor = Auditor::new(test).await;
        let anchor = auditor.anchor().await.expect("signed").expect("an anchor");
        let tx = auditor.door.database.read(auditor.door.tenant).await.expect("read");
        let signers = tx.find::<audit_signer::Entity>().all(&tx).await.expect("signers");
        assert_eq!(signers.len(), 1);
        // Longer than a seed: with the header, the nonce and the tag of a sealed value.
        assert_eq!(signers[0].sealed.len(), 1 + 16 + 24 + 32 + 16);
        let head = tx.find::<audit_head::Entity>().one(&tx).await.expect("head").expect("a head");
        drop(tx);
        let folder = TempDir::new().expect("a folder");
        let other = KeyRing::load_or_create(folder.path(), None, &SystemRandom).expect("a key");
        let tx = auditor.door.database.read(auditor.door.tenant).await.expect("read");
        let found = audit::verify(&tx, &other, &[]).await.expect("a look");
        let stranger = Broken { seq: head.seq, fault: Fault::Stranger };
        assert_eq!((found.broken, found.public_keys), (Some(stranger), Vec::new()), "{anchor:?}");
    })
    .await;
}
