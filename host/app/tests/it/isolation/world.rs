//! A tenant with one of everything that has an address, and what nobody else may read of it.

use portolan_access::api_keys::NewApiKey;
use portolan_access::data_policies::{self, DataPolicyKind, NewDataPolicy};
use portolan_access::{CustomRole, Effect, Permission, create_role, create_team};
use portolan_app::api_keys::ops as api_keys;
use portolan_app::company::domains::ops::add as add_domain;
use portolan_app::ingest::batch::BatchAim;
use portolan_app::people::ops;
use portolan_app::policies::ops as policies;
use portolan_app::privacy::ops::{Ask, ask};
use portolan_core::{ConnectionId, SystemRandom, id};
use portolan_db::DbError;
use portolan_db::entity::privacy_request::{self, PrivacyKind, PrivacySource};
use portolan_db::entity::{
    api_key, connection, connection_privacy, data_policy, document, identity, identity_provider, invitation,
    person_attribute, plugin_switch, replay, role_grant, shadow_replay, sync, team, tenant_branding,
    tenant_domain, upload,
};
use sea_orm::IntoActiveModel;
use serde_json::json;
use uuid::Uuid;

use crate::batches::post;
use crate::finance::{entry, payout};
use crate::replays::read_again;
use crate::support::*;
use crate::upgrades::{compare, install};
use crate::uploads::give;

/// A tenant with one of everything that has an address.
pub struct World {
    pub shop: TestApp,
    pub connection: String,
    pub sync: String,
    pub order: String,
    pub payout: String,
    pub upload: String,
    pub replay: String,
    pub shadow: String,
    pub person: String,
    pub team: String,
    pub invitation: String,
    pub role: String,
    pub api_key: String,
    pub policy: String,
    /// Somebody else's sign-in that the tenant trusts.
    pub provider: String,
    /// What that one calls the owner.
    pub identity: String,
    /// What is stored of a customer, ready to be taken.
    pub privacy_request: String,
    /// One of the owner's.
    pub session: String,
    /// A remembered browser of the owner's.
    pub device: String,
    /// Of somebody who signs in nowhere here.
    pub passkey: String,
    pub tenant: String,
    /// A domain that waits to be shown.
    pub domain: String,
    /// What nobody else may read: ids, names, keys.
    pub words: Vec<String>,
}

impl World {
    pub async fn new(test: &TestDatabase, name: &str) -> Self {
        let shop = TestApp::new(test, name).await;
        install(&shop, "1.0.0", json!({})).await;
        let connection = shop.connect_as(&format!("{name} counter")).await;
        shop.runtime.clone().page("orders", &[order(&format!("{name}-order"), 2, 60)]);
        shop.runtime.clone().records("orders", None, vec![json!({ "entity": format!("{name}-oddity") })]);
        let sync = shop.sync(connection).await;
        let of_payout = format!("{name}-payout");
        let money = vec![
            payout(&of_payout, 970, 10),
            entry(&format!("{name}-entry"), &of_payout, "sale", (1_000, 30)),
        ];
        post(&shop, connection, money, BatchAim::default()).await;
        let replay = read_again(&shop, connection).await;
        install(&shop, "2.0.0", json!({})).await;
        let shadow = compare(&shop, connection).await;
        let upload = give(&shop, connection, &format!("{name}-sheet.json"), b"[]").await.expect("a file");
        let (team, invitation, role) = people_of(&shop, name).await;
        let (api_key, policy) = (key_of(&shop, name).await, policy_of(&shop, name).await);
        let (provider, identity) = provider_of(&shop, name).await;
        let privacy_request = export_of(&shop, connection).await;
        shop.session().await;
        let session = shop.app.sessions.own_account(shop.user).await.expect("sessions").sessions[0].id;
        let device = shop.remembered_device().await;
        let passkey = shop.somebodys_passkey().await;
        let domain = add_domain(&shop.app, shop.tenant, shop.who(), &format!("{name}.figures.example")).await;
        let domain = domain.expect("a domain").id;
        let documents = shop.rows::<document::Entity>().await;
        let id_of = |kind: &str| {
            let found = documents.iter().find(|document| document.entity == kind);
            found.unwrap_or_else(|| panic!("{kind} in {documents:?}")).id.to_string()
        };
        let mut world = Self {
            connection: connection.to_string(),
            sync: sync.id.to_string(),
            order: id_of("order"),
            payout: id_of("payout"),
            upload: upload.id.to_string(),
            replay: replay.id.to_string(),
            shadow: shadow.id.to_string(),
            person: shop.user.to_string(),
            team: team.to_string(),
            invitation: invitation.to_string(),
            role,
            api_key: api_key.to_string(),
            policy: policy.to_string(),
            provider: provider.to_string(),
            identity: identity.to_string(),
            privacy_request: privacy_request.to_string(),
            session: session.to_string(),
            device: device.to_string(),
            passkey: passkey.to_string(),
            tenant: shop.tenant.to_string(),
            domain: domain.to_string(),
            words: Vec::new(),
            shop,
        };
        let ids = [&world.connection, &world.sync, &world.order, &world.payout, &world.upload, &world.replay];
        let further = [
            &world.shadow,
            &world.team,
            &world.invitation,
            &world.api_key,
            &world.policy,
            &world.provider,
            &world.identity,
            &world.privacy_request,
            &world.session,
            &world.device,
            &world.passkey,
            &world.domain,
        ];
        world.words = ids.into_iter().chain(further).cloned().collect();
        world.words.extend([world.shop.tenant.to_string(), world.shop.user.to_string(), name.to_owned()]);
        world
    }

    /// The address with this tenant's things in it, and `second` in place of those that follow the first.
    pub fn fill(&self, path: &str, second: &Self) -> String {
        let mut filled = String::new();
        let mut owner = self;
        for segment in path.split('/').skip(1) {
            filled.push('/');
            let Some(name) = segment.strip_prefix('{').and_then(|name| name.strip_suffix('}')) else {
                filled.push_str(segment);
                continue;
            };
            match owner.thing(&filled, name) {
                Some(thing) => {
                    filled.push_str(thing);
                    owner = second;
                }
                None => filled.push_str(shared(&filled, name)),
            }
        }
        filled
    }

    /// What stands at this place of an address, where it belongs to a tenant.
    fn thing(&self, before: &str, name: &str) -> Option<&str> {
        let kind = before.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
        match (kind, name) {
            ("connections", "id") => Some(&self.connection),
            ("syncs", "id") => Some(&self.sync),
            ("orders", "id") => Some(&self.order),
            ("payouts", "id") => Some(&self.payout),
            ("replays", "id" | "replay_id") => Some(&self.replay),
            ("upgrade" | "upgrades", "shadow_id") => Some(&self.shadow),
            ("uploads", "upload_id") => Some(&self.upload),
            ("tenants", "id") => Some(&self.tenant),
            ("domains", "domain_id") => Some(&self.domain),
            ("people", "id") | ("grants", "user_id") => Some(&self.person),
            ("teams", "id") => Some(&self.team),
            ("invitations", "id") => Some(&self.invitation),
            ("roles", "name") => Some(&self.role),
            ("api-keys", "id") => Some(&self.api_key),
            ("policies", "id") => Some(&self.policy),
            ("sign-in-providers", "id") => Some(&self.provider),
            ("identities", "id") => Some(&self.identity),
            ("requests", "id") => Some(&self.privacy_request),
            ("sessions", "id") => Some(&self.session),
            ("devices", "id") => Some(&self.device),
            ("passkeys", "id") => Some(&self.passkey),
            _ => None,
        }
    }

    /// Everything that somebody else's request could have changed.
    pub async fn everything(&self) -> String {
        let shop = &self.shop;
        let rows = [
            format!("{:?}", shop.rows::<connection::Entity>().await),
            format!("{:?}", shop.rows::<sync::Entity>().await),
            format!("{:?}", shop.rows::<document::Entity>().await.len()),
            format!("{:?}", shop.rows::<upload::Entity>().await),
            format!("{:?}", shop.rows::<replay::Entity>().await),
            format!("{:?}", shop.rows::<shadow_replay::Entity>().await),
            format!("{:?}", shop.rows::<plugin_switch::Entity>().await),
            format!("{:?}", shop.rows::<role_grant::Entity>().await),
            format!("{:?}", shop.rows::<team::Entity>().await),
            format!("{:?}", shop.rows::<invitation::Entity>().await),
            format!("{:?}", shop.rows::<api_key::Entity>().await),
            format!("{:?}", shop.rows::<data_policy::Entity>().await),
            format!("{:?}", shop.rows::<person_attribute::Entity>().await),
            format!("{:?}", shop.rows::<identity_provider::Entity>().await),
            format!("{:?}", shop.app.sessions.own_account(shop.user).await.map(|own| own.identities)),
            format!("{:?}", shop.rows::<privacy_request::Entity>().await),
            format!("{:?}", shop.rows::<connection_privacy::Entity>().await),
            format!("{:?}", shop.rows::<tenant_branding::Entity>().await),
            format!("{:?}", shop.rows::<tenant_domain::Entity>().await),
        ];
        rows.concat()
    }
}

/// What is stored of a customer, gathered.
async fn export_of(shop: &TestApp, connection: ConnectionId) -> Uuid {
    let wish = Ask {
        kind: PrivacyKind::Export,
        source: PrivacySource::Page,
        connection,
        customer_id: "customer-1".to_owned(),
        at_once: false,
    };
    let asked = ask(&shop.app, shop.tenant, shop.who(), wish).await.expect("a request");
    shop.work().await;
    asked.id
}

/// A team, an invitation and a role of the tenant's own.
async fn people_of(shop: &TestApp, name: &str) -> (Uuid, Uuid, String) {
    let (by, now, team) = (shop.who(), START, id::new_uuid(&shop.clock, &SystemRandom));
    let role = CustomRole {
        name: format!("desk-{name}"),
        description: format!("at the desk of {name}"),
        rules: [(Permission::OrdersRead, Effect::Allow)].into(),
        created_at: now,
    };
    let (made, team_name) = (role.name.clone(), format!("{name} team"));
    let (person, inviter) = (format!("invited-to-{name}"), by.clone());
    ops::change(&shop.app, shop.tenant, move |tx| {
        Box::pin(async move {
            create_role(tx, &by, &role, now).await?;
            create_team(tx, &by, team, &team_name, now).await
        })
    })
    .await
    .expect("a role and a team");
    let roles = ["viewer".to_owned()].into();
    let invited =
        ops::make_invitation(&shop.app, shop.tenant, inviter, person, roles).await.expect("an invitation");
    (team, invited.invitation.id, made)
}

/// A key of the tenant's owner.
async fn key_of(shop: &TestApp, name: &str) -> Uuid {
    let scopes = [Permission::OrdersRead].into();
    let new = NewApiKey { name: format!("{name} export"), scopes, ..NewApiKey::default() };
    let made = api_keys::create(&shop.app, shop.tenant, shop.who(), shop.user, new).await;
    made.expect("a key").row.id
}

/// A provider of the tenant, which knows its owner.
async fn provider_of(shop: &TestApp, name: &str) -> (Uuid, Uuid) {
    let issuer = format!("https://id.{name}.example");
    shop.outside.provider(&issuer);
    let provider = shop.provider_at(&issuer).await.id;
    let row = identity::Model {
        issuer,
        subject: format!("{name}-owner"),
        id: id::new_uuid(&shop.clock, &SystemRandom),
        user_id: shop.user.0,
        linked_at: START.0,
        last_used_at: None,
    };
    let identity = row.id;
    let linked = shop.app.db.system_write(move |tx| {
        Box::pin(async move {
            tx.insert(row.into_active_model()).await?;
            Ok::<_, DbError>(())
        })
    });
    linked.await.expect("linked");
    (provider, identity)
}

/// A policy that applies to nobody.
async fn policy_of(shop: &TestApp, name: &str) -> Uuid {
    let (by, now, policy) = (shop.who(), START, id::new_uuid(&shop.clock, &SystemRandom));
    let new = NewDataPolicy {
        kind: DataPolicyKind::Columns,
        name: format!("policy of {name}"),
        body: json!({ "columns": ["costs"], "effect": "hide" }),
        subjects: [].into(),
    };
    policies::change(&shop.app, shop.tenant, move |tx| {
        Box::pin(async move { data_policies::create(tx, &by, policy, &new, now).await })
    })
    .await
    .expect("a policy");
    policy
}

/// What stands at this place of an address for everybody alike.
fn shared(before: &str, name: &str) -> &'static str {
    match (before, name) {
        ("/api/v1/plugins/" | "/plugins/", "id") | (_, "plugin_id") => "fake",
        ("/api/v1/metrics/", "id") => "net_sales",
        (_, "stream") => "orders",
        (_, "permission") => "orders:read",
        // Every audit begins with it.
        (_, "seq") => "1",
        // Filled before: see `actions`.
        _ => panic!("{before}{{{name}}}: make such a thing here, so that its isolation is tested"),
    }
}
