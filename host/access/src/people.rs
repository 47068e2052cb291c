//! Making people and their memberships.

use portolan_core::{Clock, Random, TenantId, UserId};
use portolan_db::entity::{session, set_up_token, user};
use portolan_db::{DbError, SystemTx};
use sea_orm::{ColumnTrait, IntoActiveModel, QueryFilter};
use serde_json::json;

use crate::audit::{self, Who};
use crate::members::join;
use crate::own_sessions::end_sign_ins;
use crate::{MemberError, SystemRole};

pub(crate) const LONGEST_NAME: usize = 200;

/// Somebody to let in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewPerson {
    pub sign_in_name: String,
    pub tenant: TenantId,
    pub role: SystemRole,
}

/// Why a person cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum PersonError {
    #[error("{0:?} cannot be a sign-in name: use 1 to {LONGEST_NAME} characters without spaces")]
    Name(String),
    #[error(transparent)]
    Database(#[from] DbError),
}

/// Makes the person, or finds the one with this name, and gives them this one role in the tenant. Doing
/// it again changes the role.
pub async fn add_person(
    tx: &SystemTx,
    person: NewPerson,
    clock: &dyn Clock,
    random: &dyn Random,
) -> Result<UserId, PersonError> {
    let name = checked_name(&person.sign_in_name).ok_or(PersonError::Name(person.sign_in_name))?;
    let user = match find_user(tx, &name).await? {
        Some(user) => UserId(user.id),
        None => {
            let row = user::Model {
                id: UserId::generate(clock, random).0,
                sign_in_name: name,
                password_hash: None,
                created_at: clock.now().0,
            };
            UserId(tx.insert(row.into_active_model()).await?.id)
        }
    };
    // Whoever is let in on the command line has set the host up; of two at the same moment one waits here.
    tx.delete_many::<set_up_token::Entity>().exec(tx).await.map_err(DbError::from)?;
    join(tx, person.tenant, user, person.role, clock.now()).await?;
    let entry = Who::operator().did("member.add", "person", user);
    let entry = entry.after(json!({ "roles": [person.role.as_str()] }));
    audit::write_in_house(tx, person.tenant, clock.now(), entry);
    Ok(user)
}

/// Ends every session, unused link and first step of a person: whoever came in with the old password goes.
pub async fn end_sessions(tx: &SystemTx, user: UserId) -> Result<(), DbError> {
    tx.delete_many::<session::Entity>().filter(session::Column::UserId.eq(user.0)).exec(tx).await?;
    end_sign_ins(tx, user).await
}

/// Stores the hash that [`crate::Passwords::hash`] made; `None` leaves one-time links as the only way in.
pub async fn set_password_hash(tx: &SystemTx, user: UserId, hash: Option<String>) -> Result<(), DbError> {
    let mut row = user::ActiveModel { id: sea_orm::ActiveValue::Unchanged(user.0), ..Default::default() };
    row.password_hash = sea_orm::ActiveValue::Set(hash);
    tx.update(row).await.map(|_| ())
}

pub(crate) async fn find_user(tx: &SystemTx, normal_name: &str) -> Result<Option<user::Model>, DbError> {
    Ok(tx.find::<user::Entity>().filter(user::Column::SignInName.eq(normal_name)).one(tx).await?)
}

fn checked_name(name: &str) -> Option<String> {
    let normal = normal_name(name);
    let too_long = normal.chars().count() > LONGEST_NAME;
    let strange = normal.chars().any(|letter| letter.is_whitespace() || letter.is_control());
    (!normal.is_empty() && !too_long && !strange).then_some(normal)
}

/// The name as it is kept.
pub(crate) fn name_of_person(name: &str) -> Result<String, MemberError> {
    checked_name(name).ok_or_else(|| MemberError::SignInName(name.chars().take(LONGEST_NAME).collect()))
}

/// Names are the same whatever their case and the spaces around them.
pub(crate) fn normal_name(name: &str) -> String {
    name.trim().to_lowercase()
}
