//! The pages of roles: the matrix, why somebody may do something, and roles of the tenant's own.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use portolan_access::{
    CustomRole, Effect, Holders, Member, Permission, Rights, SystemRole, change_role, create_role,
    custom_roles, delete_role, find_custom_role, holders, members,
};
use portolan_admin_ui::pages::{ChoiceForm, MatrixRow, RoleColumn, RolePage, RoleSays, RolesPage};
use portolan_admin_ui::parts::{FieldKind, FormField, Link, Notice, PostAction, Section, SelectOption, Tone};
use portolan_core::UserId;
use serde::Deserialize;
use uuid::Uuid;

use super::ops::{change, read_permission};
use super::pages::{Sent, find_member, why};
use crate::App;
use crate::web::actor::{PageActor, PeopleRead, Require, RolesManage};
use crate::web::confirm::ConfirmForm;
use crate::web::error::{AppError, AppResult, PageResult};
use crate::web::extract::{Form, Path, Query};
use crate::web::html;
use crate::web::step_up::StepUp;
use crate::web::viewer::{FlashQuery, Viewer, redirect_after};

const RULE_FIELD: &str = "rule.";

#[derive(Debug, Default, Deserialize)]
pub struct RolesQuery {
    done: Option<String>,
    /// Whom to explain.
    person: Option<String>,
    permission: Option<String>,
}

pub async fn show_roles(
    PageActor(actor): PageActor<PeopleRead>,
    State(app): State<Arc<App>>,
    Query(query): Query<RolesQuery>,
) -> PageResult {
    let viewer = Viewer::load(&app, &actor).await?;
    let tx = app.db.read(actor.tenant).await?;
    let (own, people) = (custom_roles(&tx).await?, members(&tx).await?);
    let answer = match (&query.person, &query.permission) {
        (Some(person), Some(permission)) => {
            let person = person.parse::<Uuid>().map_err(|_| AppError::not_found("person"))?;
            let member = find_member(&tx, UserId(person)).await?;
            Some(explain(&Rights::load(&tx).await?, &member, read_permission(permission)?))
        }
        _ => None,
    };
    drop(tx);
    let flash = FlashQuery { done: query.done.clone() };
    html(&RolesPage {
        shell: viewer.shell_after("Roles", Section::Admin, &flash),
        scope: "What each role allows; a denial wins over whatever else allows".to_owned(),
        roles: columns(&own),
        rows: Permission::ALL.iter().map(|permission| matrix_row(*permission, &own)).collect(),
        question: question(&people, &query),
        answer,
        new_role: actor.may(Permission::RolesManage).then(|| Link::new("New role", "/admin/roles/new")),
        policies: actor.may(Permission::PoliciesManage).then(|| Link::new("Policies", "/admin/policies")),
    })
}

fn columns(own: &[CustomRole]) -> Vec<RoleColumn> {
    let of_system = SystemRole::ALL.iter().map(|role| RoleColumn {
        name: role.to_string(),
        description: role.description().to_owned(),
        href: None,
    });
    let of_tenant = own.iter().map(|role| RoleColumn {
        href: Some(format!("/admin/roles/{}", role.name)),
        name: role.name.clone(),
        description: role.description.clone(),
    });
    of_system.chain(of_tenant).collect()
}

fn matrix_row(permission: Permission, own: &[CustomRole]) -> MatrixRow {
    let of_system = SystemRole::ALL.iter().map(|role| match role.permissions().contains(&permission) {
        true => RoleSays::Allows,
        false => RoleSays::Nothing,
    });
    let of_tenant = own.iter().map(|role| match role.rules.get(&permission) {
        Some(Effect::Allow) => RoleSays::Allows,
        Some(Effect::Deny) => RoleSays::Denies,
        None => RoleSays::Nothing,
    });
    MatrixRow {
        permission: permission.to_string(),
        description: permission.description().to_owned(),
        cells: of_system.chain(of_tenant).collect(),
    }
}

fn question(people: &[Member], query: &RolesQuery) -> Vec<FormField> {
    let select =
        |name: &str, label: &str, options| FormField::new(name, label, FieldKind::Select { options });
    let people = people.iter().map(|member| {
        let id = member.user.to_string();
        let asked = query.person.as_deref() == Some(id.as_str());
        SelectOption::new(id, member.sign_in_name.as_str(), asked)
    });
    let permissions = Permission::ALL.iter().map(|permission| {
        let asked = query.permission.as_deref() == Some(permission.as_str());
        SelectOption::new(permission.as_str(), permission.as_str(), asked)
    });
    vec![
        select("person", "Person", people.collect()),
        select("permission", "May they do this?", permissions.collect()),
    ]
}

fn explain(rights: &Rights, member: &Member, permission: Permission) -> Notice {
    let explained = rights.explain(member.user, permission);
    let (tone, may) = if explained.allowed { (Tone::Good, "may") } else { (Tone::Warn, "may not") };
    let title = format!("{} {may} do {permission}", member.sign_in_name);
    Notice::new(tone, title, format!("Why: {}.", why(&explained)))
}

pub async fn show_new_role(
    PageActor(actor): PageActor<RolesManage>,
    State(app): State<Arc<App>>,
) -> PageResult {
    html(&role_page(&app, &actor, None, &Sent::new(), &FlashQuery::default()).await?)
}

pub async fn make_role(
    StepUp(PageActor(actor)): StepUp<PageActor<RolesManage>>,
    State(app): State<Arc<App>>,
    Form(sent): Form<Sent>,
) -> PageResult {
    let name = sent.get("name").map(|name| name.trim().to_owned()).unwrap_or_default();
    let (by, now) = (actor.who(), app.clock.now());
    let made = match read_role(&app, name, &sent) {
        Ok(role) => {
            change(&app, actor.tenant, move |tx| {
                Box::pin(async move { create_role(tx, &by, &role, now).await })
            })
            .await
        }
        Err(error) => Err(error),
    };
    match made {
        Ok(()) => Ok(redirect_after("/admin/roles", "role-saved")),
        Err(error) => not_saved(&app, &actor, None, &sent, error).await,
    }
}

pub async fn show_role(
    PageActor(actor): PageActor<PeopleRead>,
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    Query(flash): Query<FlashQuery>,
) -> PageResult {
    html(&role_page(&app, &actor, Some(&name), &Sent::new(), &flash).await?)
}

pub async fn save_role(
    StepUp(PageActor(actor)): StepUp<PageActor<RolesManage>>,
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    Form(sent): Form<Sent>,
) -> PageResult {
    let (by, now) = (actor.who(), app.clock.now());
    let saved = match read_role(&app, name.clone(), &sent) {
        Ok(role) => {
            change(&app, actor.tenant, move |tx| {
                Box::pin(async move { change_role(tx, &by, &role, now).await })
            })
            .await
        }
        Err(error) => Err(error),
    };
    match saved {
        Ok(()) => Ok(redirect_after("/admin/roles", "role-saved")),
        Err(error) => not_saved(&app, &actor, Some(&name), &sent, error).await,
    }
}

pub async fn remove_role(
    StepUp(PageActor(actor)): StepUp<PageActor<RolesManage>>,
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    Form(form): Form<ConfirmForm>,
) -> PageResult {
    let tx = app.db.read(actor.tenant).await?;
    find_custom_role(&tx, &name).await?;
    drop(tx);
    form.check(&name)?;
    let (by, now) = (actor.who(), app.clock.now());
    change(&app, actor.tenant, move |tx| Box::pin(async move { delete_role(tx, &by, &name, now).await }))
        .await?;
    Ok(redirect_after("/admin/roles", "role-deleted"))
}

/// The form again, with what was typed and why it was not taken.
async fn not_saved<G>(
    app: &App,
    actor: &Require<G>,
    name: Option<&str>,
    sent: &Sent,
    error: AppError,
) -> PageResult {
    if !error.status.is_client_error() || error.status == StatusCode::NOT_FOUND {
        return Err(error.into());
    }
    let mut page = role_page(app, actor, name, sent, &FlashQuery::default()).await?;
    page.error = Some(Notice::new(Tone::Bad, "Not saved", error.full_detail()));
    Ok((error.status, html(&page)?).into_response())
}

fn read_role(app: &App, name: String, sent: &Sent) -> AppResult<CustomRole> {
    let mut rules = BTreeMap::new();
    for (field, value) in sent {
        let Some(permission) = field.strip_prefix(RULE_FIELD) else { continue };
        let permission = read_permission(permission)?;
        match value.as_str() {
            "" => {}
            "allow" => {
                rules.insert(permission, Effect::Allow);
            }
            "deny" => {
                rules.insert(permission, Effect::Deny);
            }
            _ => return Err(AppError::invalid(field, "Choose one of the three.")),
        }
    }
    let description = sent.get("description").cloned().unwrap_or_default();
    Ok(CustomRole { name, description, rules, created_at: app.clock.now() })
}

/// The form of a role: of a new one where it has no name, with what was typed before what is stored.
async fn role_page<G>(
    app: &App,
    actor: &Require<G>,
    name: Option<&str>,
    typed: &Sent,
    flash: &FlashQuery,
) -> AppResult<RolePage> {
    let viewer = Viewer::load(app, actor).await?;
    let tx = app.db.read(actor.tenant).await?;
    let (stored, held_by) = match name {
        Some(name) => (Some(find_custom_role(&tx, name).await?), holders(&tx, name).await?),
        None => (None, Holders::default()),
    };
    drop(tx);
    let manages = actor.may(Permission::RolesManage);
    let here = name.map_or("/admin/roles/new".to_owned(), |name| format!("/admin/roles/{name}"));
    Ok(RolePage {
        shell: viewer.shell_after(name.unwrap_or("New role"), Section::Admin, flash),
        holders: told_holders(&held_by),
        form: manages.then(|| ChoiceForm {
            action: here.clone(),
            legend: "What it allows and denies".to_owned(),
            fields: fields(stored.as_ref(), typed),
            button: "Save the role".to_owned(),
        }),
        error: None,
        danger: name
            .filter(|_| manages)
            .map(|name| {
                let help = "Nobody may hold it any more before it can go.";
                PostAction::danger("Delete the role", format!("{here}/delete"), name, help)
            })
            .into_iter()
            .collect(),
    })
}

fn fields(stored: Option<&CustomRole>, typed: &Sent) -> Vec<FormField> {
    let said = |field: &str, stored: &str| typed.get(field).cloned().unwrap_or_else(|| stored.to_owned());
    let mut fields = Vec::new();
    if stored.is_none() {
        let name = FormField::text("name", "Name", said("name", "")).required();
        fields.push(name.with_help("Small letters, digits and hyphens. It stays."));
    }
    let description = stored.map(|role| role.description.as_str()).unwrap_or_default();
    fields.push(FormField::text("description", "Description", said("description", description)));
    fields.extend(Permission::ALL.iter().map(|permission| {
        let name = format!("{RULE_FIELD}{permission}");
        let rule = stored.and_then(|role| role.rules.get(permission)).map(|effect| effect.as_str());
        let chosen = said(&name, rule.unwrap_or_default());
        let options = [("", "says nothing"), ("allow", "allows"), ("deny", "denies")];
        let options = options.map(|(value, text)| SelectOption::new(value, text, value == chosen));
        let kind = FieldKind::Select { options: options.to_vec() };
        FormField::new(name, permission.as_str(), kind).with_help(permission.description())
    }));
    fields
}

fn told_holders(holders: &Holders) -> String {
    if holders.is_empty() {
        return "Nobody holds it".to_owned();
    }
    let teams = holders.teams.iter().map(|team| format!("the team {team}"));
    let told: Vec<String> = holders.people.iter().cloned().chain(teams).collect();
    format!("Held by {}", told.join(", "))
}
