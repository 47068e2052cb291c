//! What only somebody may do who has shown within ten minutes who they are: `StepUp<Require<…>>` in a handler of the
//! API, `StepUp<PageActor<…>>` in one of a page.
//!
//! A session lasts for hours, and a browser is left open. Whoever finds it should not be able to take the account over.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use portolan_access::SignedIn;
use portolan_core::Duration;

use crate::App;
use crate::web::actor::{Grant, PageActor, Require};
use crate::web::error::{AppError, AppResult, PageError};
use crate::web::next::to_step_up;

const FRESH_FOR: Duration = Duration::from_minutes(10);

/// An actor who has shown within ten minutes who they are. Everybody else is asked to: a page leads there and back, the
/// API answers `step_up_required`.
#[derive(Debug)]
pub struct StepUp<A>(pub A);

/// Somebody whose session knows when they last showed who they are.
pub trait Actor {
    /// Whether it is about the person's own account, which all their companies share.
    const OF_ACCOUNT: bool;

    /// Fails where it is a program, which has no session.
    fn signed_in(&self) -> AppResult<&SignedIn>;

    /// The answer to somebody for whom that is too long ago.
    fn ask(parts: &Parts) -> Response;

    /// The answer to somebody for whom it is not enough who vouches for them.
    fn refuse(error: AppError) -> Response;
}

impl<G: Grant> Actor for Require<G> {
    const OF_ACCOUNT: bool = G::NEEDS.is_none();

    fn signed_in(&self) -> AppResult<&SignedIn> {
        Require::signed_in(self)
    }

    fn ask(_: &Parts) -> Response {
        AppError::step_up_required().into_response()
    }

    fn refuse(error: AppError) -> Response {
        error.into_response()
    }
}

impl<G: Grant> Actor for PageActor<G> {
    const OF_ACCOUNT: bool = G::NEEDS.is_none();

    fn signed_in(&self) -> AppResult<&SignedIn> {
        self.0.signed_in()
    }

    fn ask(parts: &Parts) -> Response {
        to_step_up(parts).into_response()
    }

    fn refuse(error: AppError) -> Response {
        PageError(error).into_response()
    }
}

impl<A> FromRequestParts<Arc<App>> for StepUp<A>
where
    A: Actor + FromRequestParts<Arc<App>> + Send,
    A::Rejection: IntoResponse,
{
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Self::Rejection> {
        let actor = A::from_request_parts(parts, app).await.map_err(IntoResponse::into_response)?;
        let signed_in = actor.signed_in().map_err(IntoResponse::into_response)?;
        if A::OF_ACCOUNT {
            check_own(app, signed_in).await.map_err(A::refuse)?;
        }
        if is_fresh(app, signed_in) { Ok(Self(actor)) } else { Err(A::ask(parts)) }
    }
}

/// What a company's provider says is that company's trust alone: where somebody belongs to others as well, it does not
/// change how they come in there.
async fn check_own(app: &App, signed_in: &SignedIn) -> AppResult<()> {
    if signed_in.by_provider_alone && app.sessions.belongs_elsewhere(signed_in.user, signed_in.tenant).await?
    {
        return Err(AppError::refused(
            "You came in by your company's provider alone, and this is about all your companies. Sign in with your \
             password or a one-time link, then do it.",
        ));
    }
    Ok(())
}

/// Where it depends on what was sent whether it is asked for.
pub fn check_fresh(app: &App, signed_in: &SignedIn) -> AppResult<()> {
    if is_fresh(app, signed_in) { Ok(()) } else { Err(AppError::step_up_required()) }
}

fn is_fresh(app: &App, signed_in: &SignedIn) -> bool {
    app.clock.now().since(signed_in.authenticated_at) <= FRESH_FOR
}
