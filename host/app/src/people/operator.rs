//! Tenants and the people in them, as far as an operator makes them on the command line.

use std::collections::BTreeSet;
use std::sync::Arc;

use portolan_access::audit::{self, Who};
use portolan_access::{
    CustomRole, Member, MemberError, NewPerson, PersonError, SystemRole, add_person, all_roles_of, ban,
    custom_roles, end_sessions, lift_ban, members, reset_second_factor as forget_second_factor,
    set_password_hash, set_roles,
};
use portolan_core::calendar::StoreCalendar;
use portolan_core::{Currency, RatePolicy, TenantId, UserId};
use portolan_db::entity::{ledger_head, membership, tenant, user};
use portolan_db::{DbError, SystemTx};
use sea_orm::ActiveValue::Set;
use sea_orm::{ColumnTrait, QueryFilter, QueryOrder, QuerySelect};

use super::ops;
use crate::App;
use crate::web::error::{AppError, AppResult};

/// The tenant that a new owner joins; created where it does not exist.
#[derive(Debug, Clone)]
pub struct NewTenant {
    pub slug: String,
    pub currency: String,
    pub time_zone: String,
}

/// Adds a person with the owner role, and the tenant where it is new. Doing it again changes
/// nothing but the password, if one is given.
pub async fn add_owner(
    app: &Arc<App>,
    name: &str,
    password: Option<&str>,
    new_tenant: NewTenant,
) -> AppResult<TenantId> {
    add_with_role(app, name, password, new_tenant, SystemRole::Owner).await
}

/// The same with another role. Whoever belongs to the tenant already holds this role alone afterwards.
pub async fn add_with_role(
    app: &Arc<App>,
    name: &str,
    password: Option<&str>,
    new_tenant: NewTenant,
    role: SystemRole,
) -> AppResult<TenantId> {
    let currency = checked(&new_tenant)?;
    let password_hash = match password {
        Some(password) => {
            let about = [name.to_owned(), new_tenant.slug.clone()];
            let hash = app.sessions.passwords().hash_new(password, &about).await;
            Some(hash.map_err(|error| AppError::invalid("password", error.to_string()))?)
        }
        None => None,
    };
    let (app_in_task, sign_in_name) = (Arc::clone(app), name.to_owned());
    app.db
        .system_write(move |tx| {
            Box::pin(async move {
                let app = app_in_task;
                let tenant = find_or_create_tenant(&app, tx, new_tenant, currency).await?;
                let person = NewPerson { sign_in_name, tenant, role };
                let user =
                    add_person(tx, person, &*app.clock, &*app.random).await.map_err(|error| match error {
                        PersonError::Database(error) => error.into(),
                        PersonError::Name(_) => AppError::invalid("name", error.to_string()),
                    })?;
                if password_hash.is_some() {
                    let entry = Who::operator().did("person.set_password", "person", user);
                    audit::write_in_house(tx, tenant, app.clock.now(), entry);
                    set_password_hash(tx, user, password_hash).await?;
                    end_sessions(tx, user).await?;
                }
                Ok(tenant)
            })
        })
        .await
}

async fn find_or_create_tenant(
    app: &App,
    tx: &SystemTx,
    new: NewTenant,
    currency: Currency,
) -> AppResult<TenantId> {
    let known =
        tx.find::<tenant::Entity>().filter(tenant::Column::Slug.eq(new.slug.as_str())).one(tx).await?;
    if let Some(known) = known {
        return Ok(TenantId(known.id));
    }
    let id = TenantId::generate(&*app.clock, &*app.random);
    tx.insert(tenant::ActiveModel {
        id: Set(id.0),
        name: Set(display_name(&new.slug)),
        slug: Set(new.slug),
        reporting_currency: Set(currency.to_string()),
        rate_policy: Set(RatePolicy::default().to_string()),
        rates_changed_at: Set(0),
        time_zone: Set(new.time_zone),
        week_start: Set(1),
        fiscal_start_month: Set(1),
        created_at: Set(app.clock.now().0),
        access_version: Set(0),
    })
    .await?;
    let head = ledger_head::ActiveModel {
        tenant_id: Set(id.0),
        posting_version: Set(0),
        data_version: Set(0),
        folded_version: Set(0),
    };
    tx.act_for(id).await?;
    tx.insert_many(vec![head]).await?;
    audit::write_in_house(tx, id, app.clock.now(), Who::operator().did("tenant.create", "tenant", id));
    Ok(id)
}

/// The tenant of the first owner: the one that the operator has made before, if it is the only one, or this new one.
pub async fn first_tenant(app: &App, tx: &SystemTx, new: NewTenant) -> AppResult<TenantId> {
    let tenants = tx.find::<tenant::Entity>().limit(2).all(tx).await.map_err(DbError::from)?;
    if let [only] = tenants.as_slice() {
        return Ok(TenantId(only.id));
    }
    let currency = checked(&new)?;
    find_or_create_tenant(app, tx, new, currency).await
}

/// "harbour-and-sons" is shown as "Harbour and sons" until somebody changes it.
fn display_name(slug: &str) -> String {
    let words = slug.replace(['-', '_'], " ");
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// A person by name, whether or not they belong to a company.
pub async fn find_person(app: &App, name: &str) -> AppResult<UserId> {
    let tx = app.db.system_read().await?;
    let found = tx.find::<user::Entity>().filter(user::Column::SignInName.eq(name.trim().to_lowercase()));
    let found = found.one(&tx).await?.ok_or_else(|| AppError::not_found("person; its name"))?;
    Ok(UserId(found.id))
}

/// A person by name, with their first tenant.
pub async fn find_member(app: &App, name: &str) -> AppResult<(UserId, TenantId)> {
    let missing = || AppError::not_found("person; add one with: portolan user add NAME. This name");
    let tx = app.db.system_read().await?;
    let user = tx
        .find::<user::Entity>()
        .filter(user::Column::SignInName.eq(name.trim().to_lowercase()))
        .one(&tx)
        .await?
        .ok_or_else(missing)?;
    let membership = tx
        .find::<membership::Entity>()
        .filter(membership::Column::UserId.eq(user.id))
        .one(&tx)
        .await?
        .ok_or_else(missing)?;
    Ok((UserId(user.id), TenantId(membership.tenant_id)))
}

/// Takes a person's second factor away and ends their sessions: for whoever has lost everything. Says whether there was
/// one.
pub async fn reset_second_factor(app: &App, name: &str) -> AppResult<bool> {
    let (user, _) = find_member(app, name).await?;
    let now = app.clock.now();
    app.db
        .system_write(move |tx| {
            Box::pin(async move {
                let reset = forget_second_factor(tx, user).await?;
                if reset {
                    end_sessions(tx, user).await?;
                    let everywhere =
                        tx.find::<membership::Entity>().filter(membership::Column::UserId.eq(user.0));
                    for member in everywhere.all(tx).await? {
                        let entry = Who::operator().did("second_factor.reset", "person", user);
                        audit::write_in_house(tx, TenantId(member.tenant_id), now, entry);
                    }
                }
                Ok::<_, AppError>(reset)
            })
        })
        .await
}

/// The tenant with this slug; the only one, where none is named.
pub async fn find_tenant(app: &App, slug: Option<&str>) -> AppResult<TenantId> {
    let tenants = all_tenants(app).await?;
    match slug {
        Some(slug) => tenants
            .into_iter()
            .find(|tenant| tenant.slug == slug)
            .map(|tenant| TenantId(tenant.id))
            .ok_or_else(|| AppError::not_found("tenant")),
        None => match tenants.as_slice() {
            [only] => Ok(TenantId(only.id)),
            [] => Err(AppError::conflict("There is no tenant yet. Add one with: portolan user add NAME")),
            _ => {
                let names: Vec<&str> = tenants.iter().map(|tenant| tenant.slug.as_str()).collect();
                Err(AppError::invalid("tenant", format!("Say which with --tenant: {}.", names.join(", "))))
            }
        },
    }
}

/// Every tenant of this host, by slug.
pub async fn all_tenants(app: &App) -> AppResult<Vec<tenant::Model>> {
    let tx = app.db.system_read().await?;
    Ok(tx
        .find::<tenant::Entity>()
        .order_by_asc(tenant::Column::Slug)
        .all(&tx)
        .await
        .map_err(DbError::from)?)
}

/// Everybody in a tenant, with what they hold by themselves and by teams.
pub async fn list_members(app: &App, tenant: TenantId) -> AppResult<Vec<(Member, BTreeSet<String>)>> {
    let tx = app.db.read(tenant).await?;
    let mut listed = Vec::new();
    for member in members(&tx).await? {
        let all = all_roles_of(&tx, member.user).await?;
        listed.push((member, all));
    }
    Ok(listed)
}

/// What an operator does to somebody in a tenant. It is done with the rights of an owner: the rules that hold for people
/// hold here, too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OperatorChange {
    Roles(BTreeSet<String>),
    Ban { reason: String },
    Unban,
}

pub async fn change_member(
    app: &Arc<App>,
    tenant: TenantId,
    name: &str,
    change: OperatorChange,
) -> AppResult<()> {
    let (name, now) = (name.trim().to_lowercase(), app.clock.now());
    ops::change(app, tenant, move |tx| {
        Box::pin(async move {
            let all = members(tx).await?;
            let whom =
                all.iter().find(|member| member.sign_in_name == name).ok_or(MemberError::NotMember)?.user;
            let by = Who::operator();
            match change {
                OperatorChange::Roles(roles) => set_roles(tx, &by, whom, &roles, now).await,
                OperatorChange::Ban { reason } => ban(tx, &by, whom, &reason, now).await,
                OperatorChange::Unban => lift_ban(tx, &by, whom, now).await,
            }
        })
    })
    .await
}

/// The tenant's own roles.
pub async fn list_custom_roles(app: &App, tenant: TenantId) -> AppResult<Vec<CustomRole>> {
    Ok(custom_roles(&app.db.read(tenant).await?).await?)
}

/// Makes a tenant without anybody in it, or finds the one with this slug.
pub async fn add_tenant(app: &Arc<App>, new_tenant: NewTenant) -> AppResult<TenantId> {
    let currency = checked(&new_tenant)?;
    let in_task = Arc::clone(app);
    app.db
        .system_write(move |tx| {
            Box::pin(async move { find_or_create_tenant(&in_task, tx, new_tenant, currency).await })
        })
        .await
}

fn checked(new_tenant: &NewTenant) -> AppResult<Currency> {
    StoreCalendar::new(&new_tenant.time_zone, 0)
        .map_err(|error| AppError::invalid("time_zone", error.to_string()))?;
    let currency = new_tenant.currency.parse::<Currency>();
    currency.map_err(|error| AppError::invalid("currency", error.to_string()))
}
