//! The page of a team.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::extract::State;
use portolan_access::{
    CustomRole, Member, Permission, Team, create_team, custom_roles, delete_team, find_team, members,
    rename_team, set_team_members, set_team_roles,
};
use portolan_admin_ui::pages::{ChoiceForm, TeamPage};
use portolan_admin_ui::parts::{Fact, FieldKind, FormField, PostAction, Section};
use portolan_core::{UserId, id};
use serde::Deserialize;
use uuid::Uuid;

use super::ops::change;
use super::pages::{Sent, chosen, role_fields, words};
use crate::App;
use crate::web::actor::{PageActor, PeopleManage, PeopleRead};
use crate::web::confirm::ConfirmForm;
use crate::web::error::{AppError, PageResult};
use crate::web::extract::{Form, Path, Query};
use crate::web::html;
use crate::web::step_up::StepUp;
use crate::web::viewer::{FlashQuery, Viewer, redirect_after};

const MEMBER_FIELD: &str = "member.";

#[derive(Debug, Deserialize)]
pub struct NameForm {
    #[serde(default)]
    team_name: String,
}

pub async fn make_team(
    PageActor(actor): PageActor<PeopleManage>,
    State(app): State<Arc<App>>,
    Form(form): Form<NameForm>,
) -> PageResult {
    let team = id::new_uuid(&*app.clock, &*app.random);
    let (by, now) = (actor.who(), app.clock.now());
    change(&app, actor.tenant, move |tx| {
        Box::pin(async move { create_team(tx, &by, team, &form.team_name, now).await })
    })
    .await?;
    Ok(redirect_after(&format!("/admin/teams/{team}"), "team-made"))
}

pub async fn show_team(
    PageActor(actor): PageActor<PeopleRead>,
    State(app): State<Arc<App>>,
    Path(id): Path<Uuid>,
    Query(flash): Query<FlashQuery>,
) -> PageResult {
    let viewer = Viewer::load(&app, &actor).await?;
    let tx = app.db.read(actor.tenant).await?;
    let (team, people, own) = (find_team(&tx, id).await?, members(&tx).await?, custom_roles(&tx).await?);
    drop(tx);
    let in_team = people.iter().filter(|member| team.members.contains(&member.user));
    let manages = actor.may(Permission::PeopleManage);
    let name = team.name.as_str();
    html(&TeamPage {
        shell: viewer.shell_after(name, Section::Admin, &flash),
        facts: vec![
            Fact::new("Members", words(in_team.map(|member| &member.sign_in_name))),
            Fact::new("Roles", words(&team.roles)),
            Fact::new("Made", viewer.date_and_time(team.created_at)),
        ],
        forms: if manages { forms(&team, &people, &own) } else { Vec::new() },
        danger: manages
            .then(|| {
                let help = "Nobody is removed; what they hold by the team alone is gone.";
                PostAction::danger("Delete the team", format!("/admin/teams/{id}/delete"), name, help)
            })
            .into_iter()
            .collect(),
    })
}

fn forms(team: &Team, people: &[Member], own: &[CustomRole]) -> Vec<ChoiceForm> {
    let form = |verb: &str, legend: &str, fields| ChoiceForm {
        action: format!("/admin/teams/{}/{verb}", team.id),
        legend: legend.to_owned(),
        fields,
        button: "Save".to_owned(),
    };
    let member = |member: &Member| {
        let kind = FieldKind::Checkbox { checked: team.members.contains(&member.user) };
        FormField::new(format!("{MEMBER_FIELD}{}", member.user), member.sign_in_name.as_str(), kind)
    };
    vec![
        form("name", "Name", vec![FormField::text("team_name", "Name", team.name.as_str()).required()]),
        form("members", "Members", people.iter().map(member).collect()),
        form("roles", "Roles that everybody in it holds", role_fields(own, &team.roles)),
    ]
}

pub async fn name_team(
    PageActor(actor): PageActor<PeopleManage>,
    State(app): State<Arc<App>>,
    Path(id): Path<Uuid>,
    Form(form): Form<NameForm>,
) -> PageResult {
    let (by, now) = (actor.who(), app.clock.now());
    change(&app, actor.tenant, move |tx| {
        Box::pin(async move { rename_team(tx, &by, id, &form.team_name, now).await })
    })
    .await?;
    Ok(redirect_after(&format!("/admin/teams/{id}"), "team-saved"))
}

pub async fn save_members(
    StepUp(PageActor(actor)): StepUp<PageActor<PeopleManage>>,
    State(app): State<Arc<App>>,
    Path(id): Path<Uuid>,
    Form(sent): Form<Sent>,
) -> PageResult {
    let ids = chosen(&sent, MEMBER_FIELD).into_iter().map(|id| id.parse::<Uuid>().map(UserId));
    let members: BTreeSet<UserId> =
        ids.collect::<Result<_, _>>().map_err(|_| AppError::not_found("person"))?;
    let (by, now) = (actor.who(), app.clock.now());
    change(&app, actor.tenant, move |tx| {
        Box::pin(async move { set_team_members(tx, &by, id, &members, now).await })
    })
    .await?;
    Ok(redirect_after(&format!("/admin/teams/{id}"), "team-saved"))
}

pub async fn save_roles(
    StepUp(PageActor(actor)): StepUp<PageActor<PeopleManage>>,
    State(app): State<Arc<App>>,
    Path(id): Path<Uuid>,
    Form(sent): Form<Sent>,
) -> PageResult {
    let (by, now, roles) = (actor.who(), app.clock.now(), chosen(&sent, "role."));
    change(&app, actor.tenant, move |tx| {
        Box::pin(async move { set_team_roles(tx, &by, id, &roles, now).await })
    })
    .await?;
    Ok(redirect_after(&format!("/admin/teams/{id}"), "team-saved"))
}

pub async fn remove_team(
    PageActor(actor): PageActor<PeopleManage>,
    State(app): State<Arc<App>>,
    Path(id): Path<Uuid>,
    Form(form): Form<ConfirmForm>,
) -> PageResult {
    let tx = app.db.read(actor.tenant).await?;
    form.check(&find_team(&tx, id).await?.name)?;
    drop(tx);
    let (by, now) = (actor.who(), app.clock.now());
    change(&app, actor.tenant, move |tx| Box::pin(async move { delete_team(tx, &by, id, now).await }))
        .await?;
    Ok(redirect_after("/admin/people", "team-deleted"))
}
