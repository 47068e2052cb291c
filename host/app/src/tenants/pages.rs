//! The page of one's companies; for an agency, its clients as well.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use axum::response::IntoResponse;
use portolan_access::{ClientCompany, Member, Permission, SystemRole, clients_of, members};
use portolan_admin_ui::pages::{ChoiceForm, ClientRow, TenantRow, TenantsPage};
use portolan_admin_ui::parts::{Badge, FieldKind, FormField, Section, SelectOption, Tone};
use portolan_core::UserId;

use super::ops::{self, OwnTenant, TypedClient};
use crate::App;
use crate::people::{Sent, words};
use crate::web::actor::{ClientsManage, Oneself, PageActor, Require};
use crate::web::error::{AppError, AppResult, PageResult};
use crate::web::extract::{Form, Query};
use crate::web::html;
use crate::web::step_up::StepUp;
use crate::web::viewer::{FlashQuery, Viewer, redirect_after};

const HERE: &str = "/tenants";

pub async fn show_tenants(
    PageActor(actor): PageActor<Oneself>,
    State(app): State<Arc<App>>,
    Query(flash): Query<FlashQuery>,
) -> PageResult {
    html(&page(&app, &actor, &flash, &Sent::new(), None).await?)
}

/// A client, whose first owner is chosen among the agency's people.
pub async fn make_client(
    StepUp(PageActor(actor)): StepUp<PageActor<ClientsManage>>,
    State(app): State<Arc<App>>,
    Form(sent): Form<Sent>,
) -> PageResult {
    let value = |name: &str| sent.get(name).cloned().unwrap_or_default();
    let owner = value("owner").parse().map_or(actor.user, UserId);
    let typed = TypedClient {
        name: value("name"),
        slug: value("slug"),
        reporting_currency: value("reporting_currency"),
        time_zone: value("time_zone"),
        people: BTreeMap::from([(owner, SystemRole::Owner)]),
    };
    match ops::create_client(&app, actor.tenant, actor.who(), typed).await {
        Ok(client) => Ok(redirect_after(&format!("{HERE}/{client}"), "client-made")),
        Err(error) if error.status.is_client_error() => {
            let page = page(&app, &actor, &FlashQuery::default(), &sent, Some(&error)).await?;
            Ok((error.status, html(&page)?).into_response())
        }
        Err(error) => Err(error.into()),
    }
}

async fn page<G>(
    app: &App,
    actor: &Require<G>,
    flash: &FlashQuery,
    sent: &Sent,
    error: Option<&AppError>,
) -> AppResult<TenantsPage> {
    let viewer = Viewer::load(app, actor).await?;
    let own = ops::own_tenants(app, actor).await?;
    let is_agency = actor.may(Permission::ClientsManage) && viewer.tenant.parent_id.is_none();
    let clients = clients_of(&app.db.system_read().await?, actor.tenant).await?;
    let people = if is_agency { members(&app.db.read(actor.tenant).await?).await? } else { Vec::new() };
    Ok(TenantsPage {
        shell: viewer.shell_after("Companies", Section::Admin, flash),
        scope: format!("Where {} belongs, and with which roles", viewer.user_name()),
        tenants: own.into_iter().map(|one| tenant_row(one, actor)).collect(),
        clients: is_agency.then(|| clients.into_iter().map(|client| client_row(&viewer, client)).collect()),
        new_client: is_agency.then(|| client_form(&viewer, actor.user, &people, sent, error)),
    })
}

fn tenant_row<G>(own: OwnTenant, actor: &Require<G>) -> TenantRow {
    TenantRow {
        href: format!("{HERE}/{}", own.tenant.id),
        current: own.tenant.id == actor.tenant.0,
        id: own.tenant.id.to_string(),
        name: own.tenant.name,
        roles: words(&own.roles),
        agency: own.agency,
    }
}

fn client_row(viewer: &Viewer, client: ClientCompany) -> ClientRow {
    ClientRow {
        href: format!("{HERE}/{}", client.tenant),
        state: state(&client),
        people: people_text(client.people),
        since: viewer.when(client.founded_at),
        name: client.name,
    }
}

pub(super) fn state(client: &ClientCompany) -> Badge {
    match client.people {
        0 => Badge::new("nobody can come in", Tone::Warn),
        _ => Badge::new("open", Tone::Good),
    }
}

pub(super) fn people_text(people: usize) -> String {
    match people {
        1 => "1 person".to_owned(),
        people => format!("{people} people"),
    }
}

fn client_form(
    viewer: &Viewer,
    oneself: UserId,
    people: &[Member],
    sent: &Sent,
    error: Option<&AppError>,
) -> ChoiceForm {
    let fault = |name: &str| {
        let found = error.and_then(|error| error.fields.iter().find(|field| field.path == name));
        found.map(|field| field.message.clone())
    };
    let typed = |name: &str, present: &str| sent.get(name).cloned().unwrap_or_else(|| present.to_owned());
    let text = |name: &str, label: &str, present: &str, help: &str| {
        let field = FormField::text(name, label, typed(name, present)).required();
        field.with_help(help).with_error(fault(name))
    };
    let chosen = typed("owner", &oneself.to_string());
    let options = people.iter().filter(|member| member.ban.is_none()).map(|member| {
        let id = member.user.to_string();
        SelectOption::new(id.as_str(), member.sign_in_name.as_str(), id == chosen)
    });
    let owner = FormField::new("owner", "Its first owner", FieldKind::Select { options: options.collect() });
    // What is about no field stands beside the first one.
    let of_form = error.filter(|error| error.fields.is_empty()).map(AppError::full_detail);
    let currency = &viewer.tenant.reporting_currency;
    let mut fields = vec![
        text("name", "Name", "", "As it stands on its pages."),
        text("slug", "Short name", "", "Small letters, digits and hyphens, such as harbour-shop. It stays."),
        text("reporting_currency", "Reporting currency", currency, "Three letters, such as EUR.")
            .with_error(fault("currency")),
        text("time_zone", "Time zone", &viewer.tenant.time_zone, "Such as Europe/Berlin."),
        owner
            .with_help("Somebody of this company. They let others in, the client's own people too.")
            .with_error(fault("people")),
    ];
    if of_form.is_some() {
        fields[0].error = of_form;
    }
    ChoiceForm {
        action: HERE.to_owned(),
        legend: "Client company".to_owned(),
        fields,
        button: "Make the company".to_owned(),
    }
}
