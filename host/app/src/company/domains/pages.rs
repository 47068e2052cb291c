//! The page of domains.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use portolan_access::DomainName;
use portolan_admin_ui::pages::{DomainRow, DomainsPage};
use portolan_admin_ui::parts::{Badge, FormField, PostAction, Section, Tone};
use portolan_core::Instant;
use portolan_db::entity::tenant_domain::Model;
use serde::Deserialize;
use uuid::Uuid;

use super::ops;
use super::state::{DomainState, LAPSES_AFTER, Standing};
use crate::App;
use crate::web::actor::{CompanyManage, PageActor, Require};
use crate::web::address::PublicAddress;
use crate::web::confirm::ConfirmForm;
use crate::web::error::{AppError, AppResult, PageResult};
use crate::web::extract::{Form, Path, Query};
use crate::web::html;
use crate::web::viewer::{FlashQuery, Viewer, redirect_after};

const HERE: &str = "/admin/domains";

#[derive(Debug, Deserialize)]
pub struct DomainForm {
    #[serde(default)]
    domain: String,
}

/// What was refused, and where.
#[derive(Debug, Default)]
struct Refused {
    typed: String,
    of_field: Option<String>,
    of_domain: Option<String>,
}

pub async fn show_domains(
    PageActor(actor): PageActor<CompanyManage>,
    State(app): State<Arc<App>>,
    Query(flash): Query<FlashQuery>,
) -> PageResult {
    html(&page(&app, &actor, &flash, Refused::default()).await?)
}

pub async fn add_domain(
    PageActor(actor): PageActor<CompanyManage>,
    State(app): State<Arc<App>>,
    Form(form): Form<DomainForm>,
) -> PageResult {
    match ops::add(&app, actor.tenant, actor.who(), &form.domain).await {
        Ok(_) => Ok(redirect_after(HERE, "domain-added")),
        Err(error) if error.status.is_client_error() => {
            let said = error.fields.first().map_or(error.detail, |field| field.message.clone());
            let refused = Refused { typed: form.domain, of_field: Some(said), ..Refused::default() };
            let page = page(&app, &actor, &FlashQuery::default(), refused).await?;
            Ok((error.status, html(&page)?).into_response())
        }
        Err(error) => Err(error.into()),
    }
}

/// What was seen stands beside the domain.
pub async fn verify_domain(
    PageActor(actor): PageActor<CompanyManage>,
    State(app): State<Arc<App>>,
    Path(id): Path<Uuid>,
) -> PageResult {
    let refused = match ops::verify(&app, actor.tenant, actor.who(), id).await {
        Ok(row) if DomainState::of_stored(&row.state) == DomainState::Verified && row.error.is_none() => {
            return Ok(redirect_after(HERE, "domain-verified"));
        }
        Ok(_) => return Ok(redirect_after(HERE, "domain-looked")),
        Err(error) if error.status == StatusCode::NOT_FOUND => return Err(error.into()),
        Err(error) if error.status.is_client_error() => error,
        Err(error) => return Err(error.into()),
    };
    let said = Refused { of_domain: Some(refused.detail.clone()), ..Refused::default() };
    let page = page(&app, &actor, &FlashQuery::default(), said).await?;
    Ok((refused.status, html(&page)?).into_response())
}

pub async fn remove_domain(
    PageActor(actor): PageActor<CompanyManage>,
    State(app): State<Arc<App>>,
    Path(id): Path<Uuid>,
    Form(form): Form<ConfirmForm>,
) -> PageResult {
    let row = ops::list(&app, actor.tenant).await?.into_iter().find(|row| row.id == id);
    let row = row.ok_or_else(|| AppError::not_found("domain"))?;
    form.check(&for_people(&row.domain))?;
    ops::remove(&app, actor.tenant, actor.who(), id).await?;
    Ok(redirect_after(HERE, "domain-removed"))
}

async fn page(
    app: &App,
    actor: &Require<CompanyManage>,
    flash: &FlashQuery,
    refused: Refused,
) -> AppResult<DomainsPage> {
    let viewer = Viewer::load(app, actor).await?;
    let rows = ops::list(app, actor.tenant).await?;
    let help = "Such as figures.example.com. Any letters; no scheme, port or path.";
    Ok(DomainsPage {
        shell: viewer.shell_after("Domains", Section::Admin, flash),
        host: app.public_address.as_ref().map(PublicAddress::host).map(str::to_owned),
        domains: rows.into_iter().map(|row| domain_row(&viewer, row)).collect(),
        error: refused.of_domain,
        field: FormField::text("domain", "Domain", refused.typed)
            .required()
            .with_help(help)
            .with_error(refused.of_field),
    })
}

fn domain_row(viewer: &Viewer, row: Model) -> DomainRow {
    let here = format!("{HERE}/{}", row.id);
    let domain = for_people(&row.domain);
    let standing = ops::standing(&row);
    DomainRow {
        canonical: (domain != row.domain).then(|| row.domain.clone()),
        state: badge(standing),
        note: note(viewer, standing, row.error.clone()),
        checked: viewer.when_us(row.checked_at),
        record_name: ops::record_name(&row.domain),
        record_text: ops::record_text(&row),
        verify: format!("{here}/verify"),
        remove: PostAction::danger(
            "Remove",
            format!("{here}/remove"),
            domain.as_str(),
            "Its door closes at once, and whoever came in by it is out.",
        ),
        domain,
    }
}

fn for_people(domain: &str) -> String {
    domain.parse::<DomainName>().map_or_else(|_| domain.to_owned(), |domain| domain.for_people())
}

fn badge(standing: Standing) -> Badge {
    let tone = match (standing.state, standing.failing_since) {
        (DomainState::Verified, None) => Tone::Good,
        (DomainState::Verified, Some(_)) => Tone::Warn,
        (DomainState::Pending, _) => Tone::Active,
        (DomainState::Failed | DomainState::Lapsed, _) => Tone::Bad,
    };
    Badge::new(standing.state.as_str(), tone)
}

fn note(viewer: &Viewer, standing: Standing, error: Option<String>) -> Option<String> {
    match (standing.state, standing.failing_since) {
        (DomainState::Pending, _) => Some(error.unwrap_or_else(|| {
            "Make the TXT record below where the domain is managed, then look now.".to_owned()
        })),
        (DomainState::Verified, Some(since)) => {
            let end = Instant(since.0 + LAPSES_AFTER.0);
            let (since, end) = (viewer.date_and_time(since), viewer.date_and_time(end));
            Some(format!("The record is not seen since {since}. The domain lapses after {end}."))
        }
        (DomainState::Verified, None) => error,
        (DomainState::Failed | DomainState::Lapsed, _) => error,
    }
}
