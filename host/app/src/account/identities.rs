//! What a person is called by identity providers: linking and unlinking.

use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::IntoResponse;
use axum_extra::extract::CookieJar;
use portolan_access::oidc::{IdentityError, OwnIdentity, Provider, ProviderHandle, Purpose};
use portolan_admin_ui::pages::{AccountIdentity, LinkProviderPage, LinkableProvider};
use portolan_admin_ui::parts::Section;
use serde::Deserialize;
use uuid::Uuid;

use crate::App;
use crate::security::ops::sentence;
use crate::security::providers::{callback_address, enabled, is_open};
use crate::signin::oidc::trouble;
use crate::web::actor::{Oneself, PageActor};
use crate::web::client::FromWhere;
use crate::web::cookies::with_provider_flow;
use crate::web::error::{AppError, PageResult};
use crate::web::extract::{Form, Path};
use crate::web::html;
use crate::web::step_up::StepUp;
use crate::web::viewer::{Viewer, redirect_after};

#[derive(Debug, Default, Deserialize)]
pub struct LinkForm {
    #[serde(default)]
    provider: String,
}

/// Begins it. The page that follows leads on by a link: a form of ours is not followed to another site.
pub async fn begin_link(
    StepUp(PageActor(actor)): StepUp<PageActor<Oneself>>,
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    jar: CookieJar,
    Form(form): Form<LinkForm>,
) -> PageResult {
    let unknown = || AppError::not_found("provider");
    let handle: ProviderHandle = form.provider.parse().map_err(|_| unknown())?;
    let of_company = enabled(&app, actor.tenant).await?;
    let provider = of_company.into_iter().find(|provider| provider.handle() == handle).ok_or_else(unknown)?;
    let signed_in = actor.signed_in()?;
    let purpose = Purpose::Link { user: signed_in.user, session: signed_in.session };
    let redirect_uri = callback_address(&app, handle)?;
    match app.identities().begin(handle, purpose, None, &redirect_uri).await {
        Ok(started) => {
            let jar = with_provider_flow(&app, &headers, jar, started.browser);
            let viewer = Viewer::load(&app, &actor).await?;
            let title = format!("Link {}", provider.label);
            let page = LinkProviderPage {
                shell: viewer.shell(title, Section::None),
                label: provider.label,
                href: started.url,
            };
            Ok((jar, html(&page)?).into_response())
        }
        Err(error) => trouble(error, None),
    }
}

pub async fn unlink(
    StepUp(PageActor(actor)): StepUp<PageActor<Oneself>>,
    State(app): State<Arc<App>>,
    FromWhere(client): FromWhere,
    Path(id): Path<Uuid>,
) -> PageResult {
    match app.identities().unlink(actor.signed_in()?, id, client).await {
        Ok(true) => Ok(redirect_after("/account", "identity-unlinked")),
        Ok(false) => Err(AppError::not_found("link").into()),
        Err(error @ IdentityError::LastWayIn) => Err(AppError::conflict(sentence(&error)).into()),
        Err(error) => trouble(error, None),
    }
}

/// What is linked, and what could be.
pub fn shown(
    app: &App,
    viewer: &Viewer,
    known: &[Provider],
    own: &[OwnIdentity],
) -> (Vec<AccountIdentity>, Vec<LinkableProvider>) {
    let linkable = known.iter().filter(|provider| is_open(app, provider));
    let linkable = linkable.filter(|provider| own.iter().all(|own| own.issuer != provider.issuer));
    let linkable = linkable.map(|provider| LinkableProvider {
        handle: provider.handle().to_string(),
        label: provider.label.clone(),
    });
    let rows = own.iter().map(|own| AccountIdentity {
        name: known
            .iter()
            .find(|provider| provider.issuer == own.issuer)
            .map_or_else(|| own.issuer.clone(), |provider| provider.label.clone()),
        issuer: own.issuer.clone(),
        since: viewer.when(own.linked_at),
        last_used: own.last_used_at.map(|at| viewer.when(at)),
        unlink: format!("/account/identities/{}/unlink", own.id),
    });
    (rows.collect(), linkable.collect())
}
