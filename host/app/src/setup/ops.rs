//! Making the first owner, with their company, in one transaction.

use std::sync::Arc;

use portolan_access::audit::{self, Who};
use portolan_access::{
    Client, NewPerson, NewSession, PersonError, SystemRole, add_person, set_password_hash,
};

use crate::App;
use crate::people::ops::sentence;
use crate::people::{NewTenant, first_tenant};
use crate::web::error::{AppError, AppResult};

/// What the company is called until its step says otherwise.
const COMPANY: &str = "company";

/// Makes the owner and signs them in; `None` where the token opens nothing. Of many who try at once, one is the owner.
///
/// Errors: a name or a password that cannot be taken, beside its field. The token is as good as before then.
pub async fn make_first_owner(
    app: &Arc<App>,
    token: &str,
    name: &str,
    password: &str,
    client: Client,
) -> AppResult<Option<NewSession>> {
    // Hashing costs memory and time: nobody has it done without the token.
    if !app.sessions.set_up_token_is_valid(token).await? {
        return Ok(None);
    }
    let hash = match app.sessions.passwords().hash_new(password, &[name.to_owned()]).await {
        Ok(hash) => hash,
        Err(error) if error.is_of_choice() => {
            return Err(AppError::invalid("password", sentence(&error.to_string())));
        }
        Err(error) => return Err(AppError::internal(error)),
    };
    let (in_task, token, sign_in_name) = (Arc::clone(app), token.to_owned(), name.to_owned());
    app.db
        .system_write(move |tx| {
            Box::pin(async move {
                let app = in_task;
                let Some(right) = app.sessions.use_set_up_token(tx, &token).await? else { return Ok(None) };
                let new = NewTenant { slug: COMPANY.into(), currency: "EUR".into(), time_zone: "UTC".into() };
                let tenant = first_tenant(&app, tx, new).await?;
                let person = NewPerson { sign_in_name, tenant, role: SystemRole::Owner };
                let user =
                    add_person(tx, person, &*app.clock, &*app.random).await.map_err(|error| match error {
                        PersonError::Database(error) => error.into(),
                        PersonError::Name(_) => AppError::invalid("name", sentence(&error.to_string())),
                    })?;
                set_password_hash(tx, user, Some(hash)).await?;
                let entry = Who::operator().did("person.set_password", "person", user);
                audit::write_in_house(tx, tenant, app.clock.now(), entry);
                let session = app.sessions.begin_as_first_owner(tx, right, user, tenant, client).await?;
                Ok::<_, AppError>(Some(session))
            })
        })
        .await
}
