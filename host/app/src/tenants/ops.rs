//! The verbs of agencies and clients, each in one transaction.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use portolan_access::audit::Who;
use portolan_access::{
    AgencyError, ReleasedBy, SystemRole, all_roles_of, grant_in_client, open_client, people_of,
    release_client, revoke_in_client, tenants_of, who_there,
};
use portolan_connector::FieldError;
use portolan_core::{TenantId, UserId};
use portolan_db::entity::tenant;

use super::reach::Client;
use crate::App;
use crate::people::ops::sentence;
use crate::people::{Founding, NewTenant, check_may_have_clients, create_tenant};
use crate::web::actor::Require;
use crate::web::error::{AppError, AppResult};

const LONGEST_NAME_CHARS: usize = 120;
const LONGEST_SLUG_CHARS: usize = 40;

/// A client as it was typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypedClient {
    pub name: String,
    pub slug: String,
    pub reporting_currency: String,
    pub time_zone: String,
    /// Who begins in it: people of the agency.
    pub people: BTreeMap<UserId, SystemRole>,
}

impl TypedClient {
    /// Faults of what nobody else checks, each beside its field.
    fn check(&self) -> AppResult<()> {
        let mut faults = Vec::new();
        let name = self.name.trim();
        if name.is_empty() || name.chars().count() > LONGEST_NAME_CHARS || name.chars().any(char::is_control)
        {
            faults.push(fault("name", "Write a name of 1 to 120 characters."));
        }
        if !is_slug(self.slug.trim()) {
            faults.push(fault(
                "slug",
                "Write 1 to 40 small letters, digits and hyphens, such as harbour-shop.",
            ));
        }
        if faults.is_empty() { Ok(()) } else { Err(AppError::invalid_fields(faults)) }
    }
}

fn fault(path: &str, message: &str) -> FieldError {
    FieldError { path: path.to_owned(), message: message.to_owned() }
}

fn is_slug(text: &str) -> bool {
    let known = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let edges = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    let bytes = text.as_bytes();
    bytes.len() <= LONGEST_SLUG_CHARS
        && bytes.iter().copied().all(known)
        && edges(bytes.first())
        && edges(bytes.last())
}

/// Makes a client of this agency, with everything that a company begins with, and lets its first people in.
pub async fn create_client(
    app: &Arc<App>,
    agency: TenantId,
    by: Who,
    typed: TypedClient,
) -> AppResult<TenantId> {
    typed.check()?;
    let new = NewTenant {
        slug: typed.slug.trim().to_owned(),
        currency: typed.reporting_currency.trim().to_uppercase(),
        time_zone: typed.time_zone.trim().to_owned(),
    };
    let in_task = Arc::clone(app);
    app.db
        .system_write(move |tx| {
            Box::pin(async move {
                check_may_have_clients(tx, agency).await?;
                let begins = by.user().is_some_and(|user| typed.people.contains_key(&user));
                let founding = Founding {
                    name: typed.name.trim().to_owned(),
                    parent: Some(agency),
                    by: who_there(&by, begins),
                };
                let client = create_tenant(&in_task, tx, new, founding).await?;
                open_client(tx, &by, agency, client, &typed.people, in_task.clock.now()).await?;
                Ok::<_, AppError>(client)
            })
        })
        .await
}

/// Lets somebody of the agency into a client, or gives them other roles there.
pub async fn grant(
    app: &App,
    client: &Client,
    by: Who,
    user: UserId,
    roles: BTreeSet<String>,
) -> AppResult<()> {
    if !client.of_agency.contains(&user) {
        return Err(AgencyError::Stranger.into());
    }
    let (agency, now) = (client.agency, app.clock.now());
    let granted = app.db.write(client.tenant, move |tx| {
        Box::pin(async move { grant_in_client(tx, &by, agency, (user, &roles), now).await })
    });
    Ok(granted.await?)
}

/// Takes somebody of the agency out of a client.
pub async fn revoke(app: &App, client: &Client, by: Who, user: UserId) -> AppResult<()> {
    if !client.of_agency.contains(&user) {
        return Err(AppError::not_found("person"));
    }
    let (agency, now) = (client.agency, app.clock.now());
    let revoked = app.db.write(client.tenant, move |tx| {
        Box::pin(async move { revoke_in_client(tx, &by, agency, user, now).await })
    });
    Ok(revoked.await?)
}

/// Ends that the agency looks after the client.
pub async fn release(
    app: &App,
    (agency, client): (TenantId, TenantId),
    by: Who,
    side: ReleasedBy,
) -> AppResult<()> {
    let tx = app.db.system_read().await?;
    let (here, there) = (people_of(&tx, client).await?, people_of(&tx, agency).await?);
    drop(tx);
    let acts_in_both = by.user().is_some_and(|user| here.contains(&user) && there.contains(&user));
    let now = app.clock.now();
    let released = app.db.write(client, move |tx| {
        Box::pin(async move { release_client(tx, (&by, side), agency, acts_in_both, now).await })
    });
    Ok(released.await?)
}

/// One of somebody's companies, with what they hold there.
pub struct OwnTenant {
    pub tenant: tenant::Model,
    pub roles: BTreeSet<String>,
    /// The name of the agency that looks after it.
    pub agency: Option<String>,
}

/// Every company that somebody may go to from their session, by name.
pub async fn own_tenants<G>(app: &App, actor: &Require<G>) -> AppResult<Vec<OwnTenant>> {
    let (tx, user) = (app.db.system_read().await?, actor.user);
    let mut tenants = tenants_of(&tx, user).await?;
    if actor.at_domain() {
        tenants.retain(|tenant| tenant.id == actor.tenant.0);
    }
    let mut agencies = BTreeMap::new();
    for parent in tenants.iter().filter_map(|tenant| tenant.parent_id) {
        agencies.insert(parent, super::reach::name_of(&tx, TenantId(parent)).await?);
    }
    drop(tx);
    let mut own = Vec::new();
    for tenant in tenants {
        let tx = app.db.read(TenantId(tenant.id)).await?;
        let roles = all_roles_of(&tx, user).await?;
        let agency = tenant.parent_id.and_then(|parent| agencies.get(&parent).cloned().flatten());
        own.push(OwnTenant { tenant, roles, agency });
    }
    Ok(own)
}

impl From<AgencyError> for AppError {
    fn from(error: AgencyError) -> Self {
        let said = sentence(&error.to_string());
        match error {
            AgencyError::NoClient => Self::not_found("company"),
            AgencyError::NoOwner | AgencyError::Stranger => Self::invalid("people", said),
            AgencyError::NotOwner => Self::refused(said),
            AgencyError::Member(error) => error.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_name_is_small_letters_digits_and_hyphens_within() {
        for slug in ["a", "harbour-shop", "shop2", "2nd", &"a".repeat(40)] {
            assert!(is_slug(slug), "{slug}");
        }
        let wrong = ["", "-a", "a-", "A", "a b", "ä", "a_b", "a/b", "a\n", "<b>", &"a".repeat(41)];
        for slug in wrong {
            assert!(!is_slug(slug), "{slug:?}");
        }
    }
}
