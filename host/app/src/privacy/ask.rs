//! Somebody here asks for a customer: what is found under an id, and what may be asked of it.

use std::sync::Arc;

use portolan_access::audit::Who;
use portolan_core::{ConnectionId, Duration, TenantId};
use portolan_db::TenantTx;
use portolan_db::entity::privacy_request::{self, PrivacyKind, PrivacySource};

use super::names::{Asked, names_of};
use super::store::{NewRequest, store};
use crate::App;
use crate::channels::find_connection;
use crate::subjects::{self, Identity, Subject};
use crate::web::error::{AppError, AppResult};

/// How long an erasure can be taken back, unless it is to be at once.
pub const GRACE: Duration = Duration::from_hours(1);
const LONGEST_ID_CHARS: usize = 200;
/// What somebody reads who asks for nobody.
pub const NOT_FOUND: &str = "Nobody is stored under this id. Look it up at the channel: it is the customer's id, no mail address \
    and no order number.";
/// What somebody reads who asks for somebody erased.
pub const ERASED: &str = "This customer is erased already: what is left are figures of nobody.";

/// What somebody asks of a customer.
#[derive(Debug, Clone)]
pub struct Ask {
    pub kind: PrivacyKind,
    pub source: PrivacySource,
    pub connection: ConnectionId,
    /// As the channel shows it to people, or as its documents name it.
    pub customer_id: String,
    /// An erasure that cannot be taken back.
    pub at_once: bool,
}

/// A customer who was found.
#[derive(Debug)]
pub struct Found {
    pub subject: Subject,
    /// As the channel names them; nothing where they are erased.
    pub customer_id: Option<String>,
}

/// Whom a connection knows by this id, in any way of writing it; nobody, where it was never seen.
pub async fn find(
    app: &App,
    tx: &TenantTx,
    connection: ConnectionId,
    customer_id: &str,
) -> AppResult<Option<Found>> {
    find_connection(tx, connection).await?;
    let typed = customer_id.trim();
    if typed.is_empty() || typed.chars().count() > LONGEST_ID_CHARS {
        let message = format!("Enter the customer's id at the channel, 1 to {LONGEST_ID_CHARS} characters.");
        return Err(AppError::invalid("customer_id", message));
    }
    let found = subjects::find(app, tx, Some(connection.0), typed).await?;
    let Some(subject) = found.into_iter().next() else { return Ok(None) };
    let customer_id = match subjects::identity(app, tx, &subject).await? {
        Identity::Known { channel_customer_id } => Some(channel_customer_id),
        Identity::Erased { .. } => None,
    };
    Ok(Some(Found { subject, customer_id }))
}

/// Stores what somebody asks. Asked again while it is open, it is the same request.
pub async fn ask(app: &Arc<App>, tenant: TenantId, who: Who, ask: Ask) -> AppResult<privacy_request::Model> {
    let in_task = Arc::clone(app);
    app.db
        .write(tenant, move |tx| {
            Box::pin(async move {
                let app = in_task;
                let found = find(&app, tx, ask.connection, &ask.customer_id).await?;
                let found = found.ok_or_else(|| AppError::invalid("customer_id", NOT_FOUND))?;
                let Some(customer) = found.customer_id else {
                    return Err(AppError::invalid("customer_id", ERASED));
                };
                let named =
                    Asked::Of { kind: ask.kind.as_str(), connection: ask.connection.0, customer: &customer };
                let grace = match ask.kind {
                    PrivacyKind::Erase if !ask.at_once => GRACE,
                    _ => Duration::ZERO,
                };
                let new = NewRequest {
                    kind: ask.kind,
                    source: ask.source,
                    connection: ask.connection.0,
                    names: names_of(&app, tx.tenant(), named),
                    person: Some(found.subject.person_id),
                    subject: Some(customer),
                    grace,
                };
                Ok(store(&app, tx, &who, new).await?.row)
            })
        })
        .await
}
