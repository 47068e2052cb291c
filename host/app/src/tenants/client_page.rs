//! One company as its page among companies shows it: one's own with its agency, or a client with who of the agency works in
//! it, for whoever manages people there. Whoever does not sees of a client what the list says.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use portolan_access::{Member, ReleasedBy, SystemRole, clients_of, custom_roles, grants_in_client, members};
use portolan_admin_ui::pages::{ChoiceForm, GrantRow, TenantPage};
use portolan_admin_ui::parts::{Fact, FieldKind, FormField, PostAction, Section, SelectOption};
use portolan_core::{TenantId, UserId};
use portolan_db::entity::tenant;
use uuid::Uuid;

use super::api::sides;
use super::ops;
use super::pages::{people_text, state};
use super::reach::{Client, find, name_of, reach};
use crate::App;
use crate::people::{ROLE_FIELD, Sent, chosen, role_fields, words};
use crate::web::actor::{ClientsManage, Oneself, PageActor, Require};
use crate::web::client::AskedFrom;
use crate::web::confirm::ConfirmForm;
use crate::web::error::{AppError, AppResult, PageResult};
use crate::web::extract::{Form, Path, Query};
use crate::web::html;
use crate::web::step_up::StepUp;
use crate::web::viewer::{FlashQuery, Viewer, redirect_after};

const LIST: &str = "/tenants";

pub async fn show_tenant(
    PageActor(actor): PageActor<Oneself>,
    State(app): State<Arc<App>>,
    AskedFrom(from): AskedFrom,
    Path(id): Path<Uuid>,
    Query(flash): Query<FlashQuery>,
) -> PageResult {
    html(&page(&app, &actor, from, TenantId(id), &flash).await?)
}

pub async fn grant(
    StepUp(PageActor(actor)): StepUp<PageActor<ClientsManage>>,
    State(app): State<Arc<App>>,
    AskedFrom(from): AskedFrom,
    Path(id): Path<Uuid>,
    Form(sent): Form<Sent>,
) -> PageResult {
    let client = reach(&app, &actor, from, TenantId(id)).await?;
    let person = sent.get("person").and_then(|person| person.parse().ok()).map(UserId);
    let granted = match person {
        Some(person) => ops::grant(&app, &client, actor.who(), person, chosen(&sent, ROLE_FIELD)).await,
        None => Err(AppError::invalid("people", "Choose somebody.")),
    };
    settle(&app, &actor, from, client.tenant, granted, "client-granted").await
}

pub async fn revoke(
    StepUp(PageActor(actor)): StepUp<PageActor<ClientsManage>>,
    State(app): State<Arc<App>>,
    AskedFrom(from): AskedFrom,
    Path((id, user_id)): Path<(Uuid, Uuid)>,
) -> PageResult {
    let client = reach(&app, &actor, from, TenantId(id)).await?;
    let revoked = ops::revoke(&app, &client, actor.who(), UserId(user_id)).await;
    if revoked.is_ok() && user_id == actor.user.0 {
        return Ok(redirect_after(LIST, "client-revoked"));
    }
    settle(&app, &actor, from, client.tenant, revoked, "client-revoked").await
}

pub async fn release(
    StepUp(PageActor(actor)): StepUp<PageActor<Oneself>>,
    State(app): State<Arc<App>>,
    Path(id): Path<Uuid>,
    Form(form): Form<ConfirmForm>,
) -> PageResult {
    let id = TenantId(id);
    let (agency, side) = sides(&app, &actor, id).await?;
    form.check(&find(&app.db.system_read().await?, id).await?.name)?;
    ops::release(&app, (agency, id), actor.who(), side).await?;
    Ok(redirect_after(LIST, "client-released"))
}

/// Back to the client's page; with what was refused, where something was.
async fn settle<G>(
    app: &App,
    actor: &Require<G>,
    from: Option<IpAddr>,
    id: TenantId,
    done: AppResult<()>,
    code: &str,
) -> PageResult {
    match done {
        Ok(()) => Ok(redirect_after(&format!("{LIST}/{id}"), code)),
        Err(error) if error.status.is_client_error() && error.status != StatusCode::NOT_FOUND => {
            let mut page = page(app, actor, from, id, &FlashQuery::default()).await?;
            page.error = Some(error.full_detail());
            Ok((error.status, html(&page)?).into_response())
        }
        Err(error) => Err(error.into()),
    }
}

async fn page<G>(
    app: &App,
    actor: &Require<G>,
    from: Option<IpAddr>,
    id: TenantId,
    flash: &FlashQuery,
) -> AppResult<TenantPage> {
    let viewer = Viewer::load(app, actor).await?;
    let tx = app.db.system_read().await?;
    let row = find(&tx, id).await?;
    if id == actor.tenant {
        let agency = match row.parent_id {
            Some(agency) => name_of(&tx, TenantId(agency)).await?,
            None => None,
        };
        drop(tx);
        return own_page(app, actor, &viewer, &row, agency, flash).await;
    }
    let (_, side) = sides(app, actor, id).await?;
    let client = clients_of(&tx, actor.tenant).await?.into_iter().find(|client| client.tenant == id);
    let client = client.ok_or_else(|| AppError::not_found("company"))?;
    drop(tx);
    let mut page = TenantPage {
        shell: viewer.shell_after(client.name.as_str(), Section::Admin, flash),
        scope: "A client: its data is seen by whoever belongs to it".to_owned(),
        state: Some(state(&client)),
        facts: vec![
            Fact::new("Short name", client.slug.as_str()),
            Fact::new("Can come in", people_text(client.people)),
            Fact::new("Made", viewer.date_and_time(client.founded_at)),
        ],
        error: None,
        grants: None,
        grant: None,
        danger: release_action(&row, side),
    };
    // Whoever may not let people in there sees the rest all the same.
    if let Ok(client) = reach(app, actor, from, id).await {
        fill_in_people(app, actor, &client, &mut page).await?;
    }
    Ok(page)
}

async fn own_page<G>(
    app: &App,
    actor: &Require<G>,
    viewer: &Viewer,
    row: &tenant::Model,
    agency: Option<String>,
    flash: &FlashQuery,
) -> AppResult<TenantPage> {
    let own = ops::own_tenants(app, actor).await?.into_iter().find(|own| own.tenant.id == row.id);
    let roles = own.map(|own| own.roles).unwrap_or_default();
    let owns = roles.contains(SystemRole::Owner.as_str());
    let looked_after = agency.is_some();
    let agency = agency.unwrap_or_else(|| "nobody but itself".to_owned());
    Ok(TenantPage {
        shell: viewer.shell_after(row.name.as_str(), Section::Admin, flash),
        scope: "The company that you look at".to_owned(),
        state: None,
        facts: vec![
            Fact::new("Short name", row.slug.as_str()),
            Fact::new("Your roles", words(&roles)),
            Fact::new("Looked after by", agency),
        ],
        error: None,
        grants: None,
        grant: None,
        danger: if owns && looked_after { release_action(row, ReleasedBy::Client) } else { Vec::new() },
    })
}

fn release_action(row: &tenant::Model, side: ReleasedBy) -> Vec<PostAction> {
    let label = match side {
        ReleasedBy::Agency => "Release the client",
        ReleasedBy::Client => "Leave the agency",
    };
    let help = "The agency looks after the company no more. Whoever belongs to it stays in it until its owners say otherwise.";
    vec![PostAction::danger(label, format!("{LIST}/{}/release", row.id), row.name.as_str(), help)]
}

async fn fill_in_people<G>(
    app: &App,
    actor: &Require<G>,
    client: &Client,
    page: &mut TenantPage,
) -> AppResult<()> {
    let tx = app.db.read(client.tenant).await?;
    let (granted, own) = (grants_in_client(&tx, &client.of_agency).await?, custom_roles(&tx).await?);
    drop(tx);
    let of_agency = members(&app.db.read(actor.tenant).await?).await?;
    let here = format!("{LIST}/{}/grants", client.tenant);
    let options = of_agency.iter().filter(|member| member.ban.is_none()).map(|member| {
        SelectOption::new(member.user.to_string(), member.sign_in_name.as_str(), member.user == actor.user)
    });
    let person = FormField::new("person", "Who", FieldKind::Select { options: options.collect() });
    let mut fields =
        vec![person.with_help("Somebody of the agency. Who is in already gets these roles and no others.")];
    fields.extend(role_fields(&own, &[SystemRole::Viewer.to_string()].into()));
    page.grants = Some(granted.into_iter().map(|member| grant_row(&here, member)).collect());
    page.grant = Some(ChoiceForm {
        action: here,
        legend: "Who, and with which roles".to_owned(),
        fields,
        button: "Let them in".to_owned(),
    });
    Ok(())
}

fn grant_row(here: &str, member: Member) -> GrantRow {
    GrantRow {
        revoke: format!("{here}/{}/revoke", member.user),
        roles: words(&member.roles),
        banned: member.ban.is_some(),
        name: member.sign_in_name,
    }
}
