//! Keys are changed while everybody goes on reading and writing, and go only when nothing needs them.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use portolan_access::{CONNECTION_SECRET, SEALED_COLUMNS, SecretsError, TenantKeys, examine};
use portolan_core::{Random, SeededRandom, SystemRandom};
use portolan_db::Database;
use portolan_db::entity::connection_secret;
use sea_orm::{ConnectionTrait, IntoActiveModel, QueryFilter};

use crate::support::{migrate, on_both};
use crate::vault::{Place, Vault, open_all, put, put_old};

/// Each process with a ring of its own: the readers find the new keys by themselves.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_read_fails_while_keys_are_rotated_and_removed_under_load() {
    on_both(migrate, async |test| {
        let vault = Vault::new(test, 3).await;
        let serving = vault.ring();
        let mut places: Vec<(usize, Place)> = Vec::new();
        for (number, tenant) in vault.tenants.iter().enumerate() {
            for _ in 0..4 {
                let connection = vault.connect(*tenant).await;
                for field in ["token", "webhook secret"] {
                    let place = (connection, field.to_owned());
                    let plain = format!("{number}|{field}|0");
                    // Half of them as an installation of before has them.
                    if field == "token" {
                        put_old(&vault.database, &serving, *tenant, place.clone(), &plain).await;
                    } else {
                        put(&vault.database, &serving, *tenant, place.clone(), plain).await;
                    }
                    places.push((number, place));
                }
            }
        }
        let stop = Arc::new(AtomicBool::new(false));
        let (reads, failed) = (Arc::new(AtomicU64::new(0)), Arc::new(Mutex::new(Vec::new())));
        let mut working = Vec::new();
        for reader in 0..3 {
            let (database, ring, tenants) = (vault.database.clone(), vault.ring(), vault.tenants.clone());
            let (stop, reads, failed) = (stop.clone(), reads.clone(), failed.clone());
            working.push(tokio::spawn(async move {
                let mut turn = reader;
                while !stop.load(Ordering::SeqCst) {
                    turn += 1;
                    let number = turn % tenants.len();
                    let opened = open_all(&database, &ring, tenants[number]).await;
                    let own = |opened: &BTreeMap<Place, String>| {
                        opened.len() == 8
                            && opened.values().all(|plain| plain.starts_with(&format!("{number}|")))
                    };
                    if !opened.as_ref().is_ok_and(own) {
                        failed.lock().expect("failures").push(format!("{opened:?}"));
                    }
                    reads.fetch_add(1, Ordering::SeqCst);
                }
            }));
        }
        let writing = {
            let (database, ring, tenants) = (vault.database.clone(), vault.ring(), vault.tenants.clone());
            let (stop, places) = (stop.clone(), places.clone());
            tokio::spawn(async move {
                let random = SeededRandom::new(5);
                let mut last: BTreeMap<Place, String> = BTreeMap::new();
                while !stop.load(Ordering::SeqCst) {
                    let (number, place) = &places[random.next_u64() as usize % places.len()];
                    let plain = format!("{number}|{}|{}", place.1, random.next_u64());
                    put(&database, &ring, tenants[*number], place.clone(), plain.clone()).await;
                    last.insert(place.clone(), plain);
                }
                last
            })
        };
        // The operator's command is another process.
        let operator = vault.ring();
        let secrets = vault.secrets(operator.clone());
        for _ in 0..3 {
            let before = operator.active_id();
            let rotated = secrets.rotate().await.expect("rotate");
            assert!(!rotated.resumed);
            assert_ne!(rotated.master_key, before);
            assert_eq!(rotated.columns.len(), 3 * SEALED_COLUMNS.len());
            assert!(rotated.columns.iter().all(|column| column.closed.is_empty()), "{rotated:?}");
            // What was being written while the keys changed may need a second look.
            let mut removed = secrets.remove_master_key(before).await;
            for _ in 0..20 {
                if removed.is_ok() {
                    break;
                }
                assert!(matches!(removed, Err(SecretsError::Needed { .. })), "{removed:?}");
                secrets.rotate().await.expect("the rest");
                removed = secrets.remove_master_key(before).await;
            }
            removed.expect("nothing needs it any more");
        }
        stop.store(true, Ordering::SeqCst);
        for task in working {
            task.await.expect("reader");
        }
        let written = writing.await.expect("writer");
        assert!(reads.load(Ordering::SeqCst) > 20, "{} reads", reads.load(Ordering::SeqCst));
        assert!(written.len() > 3, "{} places written", written.len());
        assert_eq!(
            *failed.lock().expect("failures"),
            Vec::<String>::new(),
            "of {} reads",
            reads.load(Ordering::SeqCst)
        );

        // What was written last is what stands, whoever sealed it anew in between.
        for (number, tenant) in vault.tenants.iter().enumerate() {
            let opened = open_all(&vault.database, &serving, *tenant).await.expect("all open");
            for (of, place) in &places {
                if *of == number {
                    let first = format!("{number}|{}|0", place.1);
                    assert_eq!(opened[place], *written.get(place).unwrap_or(&first));
                }
            }
            let tx = vault.database.read(*tenant).await.expect("read");
            for report in examine(&operator, &tx).await.expect("examine") {
                assert_eq!(report.total, report.readable, "{report:?}");
            }
        }
    })
    .await;
}

#[tokio::test]
async fn what_the_first_version_sealed_opens_before_and_after_its_rotation() {
    on_both(migrate, async |test| {
        let vault = Vault::new(test, 1).await;
        let (tenant, ring) = (vault.tenants[0], vault.ring());
        let place = (vault.connect(tenant).await, "token".to_owned());
        put_old(&vault.database, &ring, tenant, place.clone(), "open-sesame").await;
        let stored = async || open_all(&vault.database, &ring, tenant).await.expect("open")[&place].clone();
        assert_eq!(stored().await, "open-sesame");

        let secrets = vault.secrets(ring.clone());
        let first = ring.active_id();
        let before = secrets.status().await.expect("status");
        assert_eq!((before.master_keys[0].values, before.data_keys.len()), (1, 0));
        let refused = secrets.remove_master_key(first).await.expect_err("the active key stays");
        assert!(refused.to_string().contains("rotate"), "{refused}");

        let rotated = secrets.rotate().await.expect("rotate");
        assert_eq!(rotated.columns[0].resealed, 1);
        assert_eq!(stored().await, "open-sesame");
        let after = secrets.status().await.expect("status");
        assert_eq!(
            after.master_keys.iter().map(|key| (key.data_keys, key.values)).collect::<Vec<_>>(),
            [(1, 0), (0, 0)]
        );
        assert_eq!(
            after.data_keys.iter().map(|key| (key.version, key.values)).collect::<Vec<_>>(),
            [(Some(1), 1)]
        );
        secrets.remove_master_key(first).await.expect("nothing needs it");
        assert_eq!(stored().await, "open-sesame");
    })
    .await;
}

#[tokio::test]
async fn a_rotation_that_died_with_its_new_key_is_finished_with_it() {
    on_both(migrate, async |test| {
        let vault = Vault::new(test, 2).await;
        let ring = vault.ring();
        for tenant in &vault.tenants {
            let place = (vault.connect(*tenant).await, "token".to_owned());
            put(&vault.database, &ring, *tenant, place, "secret".to_owned()).await;
        }
        let secrets = vault.secrets(ring.clone());
        let first = ring.active_id();
        let second = vault.ring().add_key(&SystemRandom).expect("key");
        let finished = secrets.rotate().await.expect("rotate");
        assert!(finished.resumed);
        assert_eq!((finished.master_key, finished.rewrapped), (second, 2));
        let resealed = finished.columns.iter().filter(|column| column.column == CONNECTION_SECRET);
        assert_eq!(resealed.map(|column| column.resealed).collect::<Vec<_>>(), [1, 1]);
        assert_eq!(ring.ids(), [second, first]);
        assert!(!secrets.rotate().await.expect("rotate").resumed, "a whole one is not gone on with");
    })
    .await;
}

/// Stopped anywhere, again and again: between its transactions, with keys and values of several rotations.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rotation_that_is_stopped_anywhere_is_finished_by_the_next() {
    on_both(migrate, async |test| {
        let vault = Vault::new(test, 2).await;
        let ring = vault.ring();
        for tenant in &vault.tenants {
            let connection = vault.connect(*tenant).await;
            for number in 0..120 {
                let place = (connection, format!("field {number}"));
                put_old(&vault.database, &ring, *tenant, place, &format!("secret {number}")).await;
            }
        }
        let random = SeededRandom::new(11);
        for _ in 0..12 {
            let secrets = vault.secrets(vault.ring());
            let rotating = tokio::spawn(async move { secrets.rotate().await });
            tokio::time::sleep(std::time::Duration::from_micros(random.next_u64() % 60_000)).await;
            rotating.abort();
            drop(rotating.await);
            for tenant in &vault.tenants {
                let opened = open_all(&vault.database, &ring, *tenant).await.expect("all open, half way");
                assert_eq!(opened.len(), 120);
                assert!(opened.iter().all(|(place, plain)| plain[7..] == place.1[6..]));
            }
        }
        let secrets = vault.secrets(ring.clone());
        secrets.rotate().await.expect("the rest");
        let status = secrets.status().await.expect("status");
        assert_eq!(
            status.data_keys.iter().map(|key| (key.newest, key.values)).collect::<Vec<_>>(),
            [(true, 120); 2]
        );
        for key in &status.master_keys[1..] {
            assert_eq!((key.data_keys, key.values), (0, 0), "{status:?}");
            secrets.remove_master_key(key.id).await.expect("nothing needs it");
        }
        assert_eq!(ring.ids().len(), 1);
        for tenant in &vault.tenants {
            assert_eq!(open_all(&vault.database, &ring, *tenant).await.expect("all open").len(), 120);
        }
    })
    .await;
}

#[tokio::test]
async fn a_key_that_something_needs_is_not_removed() {
    on_both(migrate, async |test| {
        let vault = Vault::new(test, 1).await;
        let (tenant, ring) = (vault.tenants[0], vault.ring());
        let place = (vault.connect(tenant).await, "token".to_owned());
        put(&vault.database, &ring, tenant, place.clone(), "secret".to_owned()).await;
        let first = ring.active_id();
        vault.ring().add_key(&SystemRandom).expect("key");
        let secrets = vault.secrets(ring.clone());
        let refused = secrets.remove_master_key(first).await.expect_err("it is needed");
        assert!(matches!(refused, SecretsError::Needed { data_keys: 1, values: 0, .. }), "{refused}");
        put_old_by(&vault, first, place).await;
        let refused = secrets.remove_master_key(first).await.expect_err("it is needed twice");
        assert!(matches!(refused, SecretsError::Needed { data_keys: 1, values: 1, .. }), "{refused}");
        secrets.rotate().await.expect("rotate");
        secrets.remove_master_key(first).await.expect("nothing needs it");
        assert_eq!(open_all(&vault.database, &ring, tenant).await.expect("open").len(), 2);
    })
    .await;
}

/// One more value, sealed by a process of the first version that knows the old key alone.
async fn put_old_by(vault: &Vault, key: portolan_access::MasterKeyId, place: Place) {
    let file = std::fs::read_to_string(vault.folder.path().join("master.key")).expect("file");
    let lines: Vec<&str> = file.lines().filter(|line| !line.starts_with('#')).collect();
    let old = lines.last().expect("the old key");
    let ring = portolan_access::KeyRing::load_or_create(vault.folder.path(), Some(old), &SystemRandom);
    let ring = Arc::new(ring.expect("ring"));
    assert_eq!(ring.active_id(), key);
    put_old(&vault.database, &ring, vault.tenants[0], (place.0, "older".to_owned()), "secret").await;
}

#[tokio::test]
async fn the_doctor_counts_what_opens_and_names_what_does_not() {
    on_both(migrate, async |test| {
        let vault = Vault::new(test, 1).await;
        let (tenant, ring) = (vault.tenants[0], vault.ring());
        let connection = vault.connect(tenant).await;
        for number in 0..5 {
            put(&vault.database, &ring, tenant, (connection, format!("field {number}")), "secret".to_owned())
                .await;
        }
        put_old(&vault.database, &ring, tenant, (connection, "old".to_owned()), "secret").await;
        damage(&vault.database, tenant, "field 3").await;
        let tx = vault.database.read(tenant).await.expect("read");
        let reports = examine(&ring, &tx).await.expect("examine");
        assert_eq!((reports[0].table, reports[0].total, reports[0].readable), ("tenant_key", 1, 1));
        let values = &reports[1];
        assert_eq!((values.total, values.readable), (6, 5));
        let by_key: Vec<(String, u64)> = values.by_key.clone().into_iter().collect();
        assert_eq!(by_key, [("data key 1".to_owned(), 5), (format!("master key {}", ring.active_id()), 1)]);
        assert_eq!(
            values.closed.iter().map(|(row, _)| row.clone()).collect::<Vec<_>>(),
            [format!("{connection}/field 3")]
        );
        drop(tx);

        // Damage does not keep the others from being sealed anew, is told, and is left as it is.
        let rotated = vault.secrets(ring.clone()).rotate().await.expect("rotate");
        assert_eq!(
            (rotated.columns[0].resealed, rotated.columns[0].closed.len(), rotated.columns[0].left),
            (5, 1, 0)
        );
        assert_eq!(rotated.forgotten, 0, "the damaged value may come back from a backup");

        // With another master key nothing opens, and the reason says so.
        let elsewhere = tempfile::TempDir::new().expect("folder");
        let other =
            portolan_access::KeyRing::load_or_create(elsewhere.path(), None, &SystemRandom).expect("ring");
        let tx = vault.database.read(tenant).await.expect("read");
        let reports = examine(&other, &tx).await.expect("examine");
        let filled: Vec<_> = reports.iter().filter(|report| report.total > 0).collect();
        assert!(filled.len() == 2 && filled.iter().all(|report| report.readable == 0), "{reports:?}");
        assert!(reports[0].closed[0].1.to_string().contains("restore the key file"), "{reports:?}");
    })
    .await;
}

async fn damage(database: &Database, tenant: portolan_core::TenantId, field: &'static str) {
    let changed = database.write(tenant, move |tx| {
        Box::pin(async move {
            use sea_orm::ColumnTrait;
            let row =
                tx.find::<connection_secret::Entity>().filter(connection_secret::Column::Field.eq(field));
            let row = row.one(tx).await?.expect("the row");
            let mut bytes = row.sealed.clone();
            *bytes.last_mut().expect("a byte") ^= 1;
            let mut row = row.into_active_model();
            row.sealed = sea_orm::ActiveValue::Set(bytes);
            tx.update(row).await.map(|_| ())
        })
    });
    changed.await.map_err(|error: portolan_db::DbError| error).expect("damaged");
}

#[tokio::test]
async fn a_shredded_tenant_opens_nowhere_and_its_neighbour_everywhere() {
    on_both(migrate, async |test| {
        let vault = Vault::new(test, 2).await;
        let ring = vault.ring();
        for tenant in &vault.tenants {
            let connection = vault.connect(*tenant).await;
            put(&vault.database, &ring, *tenant, (connection, "token".to_owned()), "secret".to_owned()).await;
            put_old(&vault.database, &ring, *tenant, (connection, "old".to_owned()), "secret").await;
        }
        let secrets = vault.secrets(ring.clone());
        secrets.rotate().await.expect("two versions of keys are gone as well");
        put_old(
            &vault.database,
            &ring,
            vault.tenants[0],
            (vault.connect(vault.tenants[0]).await, "old".to_owned()),
            "s",
        )
        .await;
        let shredded = secrets.shred(vault.tenants[0]).await.expect("shred");
        assert_eq!((shredded.data_keys, shredded.emptied), (1, 1));
        let tx = vault.database.read(vault.tenants[0]).await.expect("read");
        let reports = examine(&ring, &tx).await.expect("examine");
        assert_eq!((reports[1].total, reports[1].readable), (3, 0));
        let keys = TenantKeys::load(&ring, &tx).await.expect("keys");
        for row in tx.find::<connection_secret::Entity>().all(&tx).await.expect("rows") {
            let name = format!("{}/{}", row.connection_id, row.field);
            let cell = portolan_access::CONNECTION_SECRET.cell(vault.tenants[0], &name);
            assert!(keys.open(cell, &row.sealed).is_err());
        }
        drop(tx);
        assert_eq!(open_all(&vault.database, &ring, vault.tenants[1]).await.expect("open").len(), 2);
        // No key of the ring brings it back: the data key is nowhere.
        let tx = vault.database.read(vault.tenants[0]).await.expect("read");
        let stored =
            tx.statement("SELECT count(*) FROM tenant_key WHERE tenant_id = $1", [vault.tenants[0].0.into()]);
        let stored = tx.query_one_raw(stored).await.expect("query").expect("row");
        assert_eq!(stored.try_get_by_index::<i64>(0).expect("count"), 0);
    })
    .await;
}
