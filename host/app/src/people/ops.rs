//! The verbs about people: each in one transaction, by somebody, in their tenant.

use std::collections::BTreeSet;

use portolan_access::audit::Who;
use portolan_access::{
    AcceptError, INVITATION_LASTS, Invitation, MemberError, Permission, UnknownPermission, invite,
};
use portolan_core::TenantId;
use portolan_db::entity::tenant;
use portolan_db::{DbError, TenantTx, Work};
use sea_orm::{ColumnTrait, QueryFilter};
use std::sync::Arc;

use crate::App;
use crate::mail::{Letter, is_mail_address, outbox};
use crate::web::brand::mail_sender_of;
use crate::web::error::{AppError, AppResult};

/// Does one change of who may do what.
pub async fn change<T: Send + 'static>(
    app: &App,
    tenant: TenantId,
    work: impl for<'tx> FnOnce(&'tx TenantTx) -> Work<'tx, T, MemberError> + Send + 'static,
) -> AppResult<T> {
    Ok(app.db.write(tenant, work).await?)
}

/// An invitation with the address of its link, which is not known here any more.
pub struct MadeInvitation {
    pub invitation: Invitation,
    pub link: String,
    /// Whether it is mailed to them.
    pub mailed: bool,
}

pub async fn make_invitation(
    app: &Arc<App>,
    tenant: TenantId,
    by: Who,
    name: String,
    roles: BTreeSet<String>,
) -> AppResult<MadeInvitation> {
    let in_task = Arc::clone(app);
    let (invitation, token, mailed) = app
        .db
        .write(tenant, move |tx| {
            Box::pin(async move {
                let app = in_task;
                let made = invite(tx, &by, &name, &roles, INVITATION_LASTS, (&*app.clock, &*app.random));
                let (invitation, token) = made.await?;
                let mailed = mail_invitation(&app, tx, &invitation, &token).await?;
                Ok::<_, AppError>((invitation, token, mailed))
            })
        })
        .await?;
    let host = app.public_address.as_ref().map(|address| address.as_str()).unwrap_or_default();
    Ok(MadeInvitation { invitation, link: format!("{host}/invitations/{token}"), mailed })
}

/// Mails the link where there is a mail server and the sign-in name is a mail address.
async fn mail_invitation(app: &App, tx: &TenantTx, made: &Invitation, token: &str) -> AppResult<bool> {
    let Some(mailer) = app.mail.as_ref().filter(|_| is_mail_address(&made.sign_in_name)) else {
        return Ok(false);
    };
    let house = tx.host_wide();
    let own = house.find::<tenant::Entity>().filter(tenant::Column::Id.eq(tx.tenant().0)).one(house).await;
    let company = own.map_err(DbError::from)?.map(|row| row.name).unwrap_or_default();
    let link = format!("{}/invitations/{token}", mailer.address);
    let sender = mail_sender_of(tx).await?;
    let letter = Letter::Invitation { to: made.sign_in_name.clone(), company, link, sender };
    outbox::post_for_tenant(app, tx, &letter).await
}

pub fn read_permission(text: &str) -> AppResult<Permission> {
    // What no version knows is no place of the API.
    text.parse().map_err(|_: UnknownPermission| AppError::not_found("permission"))
}

impl From<MemberError> for AppError {
    fn from(error: MemberError) -> Self {
        let said = sentence(&error.to_string());
        match error {
            MemberError::NotMember => Self::not_found("person"),
            MemberError::NoTeam => Self::not_found("team"),
            MemberError::NoRoleNamed(_) => Self::not_found("role"),
            MemberError::NoInvitation => Self::not_found("invitation"),
            MemberError::MayNotGive(_) | MemberError::MoreThanOwn(_) | MemberError::MoreThanSeen => {
                Self::refused(said)
            }
            MemberError::UnknownRole(_)
            | MemberError::OwnerAlone
            | MemberError::OwnerTeam
            | MemberError::NoRole => Self::invalid("roles", said),
            MemberError::Reason => Self::invalid("reason", said),
            MemberError::TeamName | MemberError::RoleName | MemberError::SignInName(_) => {
                Self::invalid("name", said)
            }
            MemberError::RoleDescription => Self::invalid("description", said),
            MemberError::LastOwner
            | MemberError::Themselves
            | MemberError::OwnerDenied(_)
            | MemberError::NameTaken(_)
            | MemberError::RoleHeld(_)
            | MemberError::AlreadyMember(_) => Self::conflict(said),
            MemberError::Database(error) => error.into(),
        }
    }
}

impl From<AcceptError> for AppError {
    fn from(error: AcceptError) -> Self {
        match error {
            AcceptError::Invalid => Self::not_found("invitation"),
            AcceptError::SignInFirst(_) | AcceptError::ProviderAlone | AcceptError::LinkedElsewhere => {
                Self::conflict(sentence(&error.to_string()))
            }
            AcceptError::Member(error) => error.into(),
            AcceptError::Authenticate(error) => error.into(),
        }
    }
}

/// What a library says in small letters, as people read it.
pub fn sentence(said: &str) -> String {
    let mut letters = said.chars();
    let begin: String = letters.next().map(|first| first.to_uppercase().collect()).unwrap_or_default();
    format!("{begin}{}.", letters.as_str())
}
