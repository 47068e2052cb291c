//! The verbs, each in one transaction.

use std::net::IpAddr;
use std::sync::Arc;

use portolan_access::audit::Who;
use portolan_access::{
    Changer, NewSignInPolicy, SignInPolicy, SignInPolicyError, change_sign_in_policy, custom_roles,
    lift_networks, sign_in_policy,
};
use portolan_core::TenantId;

use crate::App;
use crate::web::actor::{Require, SecurityManage};
use crate::web::error::{AppError, AppResult};

pub async fn read(app: &App, tenant: TenantId) -> AppResult<SignInPolicy> {
    let tx = app.db.read(tenant).await?;
    Ok(sign_in_policy(&tx).await?)
}

/// Names of the tenant's own roles.
pub async fn own_roles(app: &App, tenant: TenantId) -> AppResult<Vec<String>> {
    let tx = app.db.read(tenant).await?;
    Ok(custom_roles(&tx).await?.into_iter().map(|role| role.name).collect())
}

/// Changes the policy, if it admits whoever does.
pub async fn change(
    app: &Arc<App>,
    actor: &Require<SecurityManage>,
    from: Option<IpAddr>,
    new: NewSignInPolicy,
) -> AppResult<SignInPolicy> {
    let (by, now) = (actor.who(), app.clock.now());
    let changer = Changer { user: actor.user, second_factor: actor.signed_in()?.second_factor, from };
    let changed = app.db.write(actor.tenant, move |tx| {
        Box::pin(async move { change_sign_in_policy(tx, &by, changer, new, now).await })
    });
    Ok(changed.await?)
}

/// For the operator: people may come in from anywhere again. Says whether that was not so.
pub async fn let_in_from_anywhere(app: &App, tenant: TenantId) -> AppResult<bool> {
    let now = app.clock.now();
    let lifted = app
        .db
        .write(tenant, move |tx| Box::pin(async move { lift_networks(tx, &Who::operator(), now).await }));
    Ok(lifted.await?)
}

impl From<SignInPolicyError> for AppError {
    fn from(error: SignInPolicyError) -> Self {
        let field = match error {
            SignInPolicyError::Database(error) => return error.into(),
            SignInPolicyError::Role(_) | SignInPolicyError::OwnSecondFactor => "second_factor_roles",
            SignInPolicyError::Session => "session_minutes",
            SignInPolicyError::Idle => "idle_minutes",
            SignInPolicyError::DeviceDays => "device_days",
            SignInPolicyError::Network(_) | SignInPolicyError::NotFromHere(_) => "networks",
        };
        let text = error.to_string();
        let mut letters = text.chars();
        let first = letters.next().map(char::to_uppercase).into_iter().flatten();
        Self::invalid(field, first.chain(letters).chain(['.']).collect::<String>())
    }
}
