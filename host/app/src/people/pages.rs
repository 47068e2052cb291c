//! The pages of people: the list, and one person with what they may do and why.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect};
use portolan_access::{
    CustomRole, Explanation, Member, Permission, Rights, SystemRole, Team, ban, custom_roles, lift_ban,
    members, open_invitations, remove_member, set_roles, sign_out_member, teams, withdraw_invitation,
};
use portolan_admin_ui::pages::{
    ChoiceForm, FreshInvitation, InvitationRow, PeoplePage, PermissionRow, PersonPage, PersonRow, TeamRow,
};
use portolan_admin_ui::parts::{Badge, Fact, FieldKind, FormField, Link, Notice, PostAction, Section, Tone};
use portolan_core::UserId;
use portolan_db::TenantTx;
use serde::Deserialize;
use uuid::Uuid;

use super::ops::{self, MadeInvitation, change};
use crate::App;
use crate::web::actor::{Oneself, PageActor, PeopleManage, PeopleRead, Require};
use crate::web::confirm::ConfirmForm;
use crate::web::error::{AppError, AppResult, PageResult};
use crate::web::extract::{Form, Path, Query};
use crate::web::html;
use crate::web::step_up::StepUp;
use crate::web::viewer::{FlashQuery, Viewer, redirect_after};

pub(crate) const ROLE_FIELD: &str = "role.";

/// A form whose fields are not known by name.
pub(crate) type Sent = BTreeMap<String, String>;

pub async fn list_people(
    PageActor(actor): PageActor<PeopleRead>,
    State(app): State<Arc<App>>,
    Query(flash): Query<FlashQuery>,
) -> PageResult {
    html(&people_page(&app, &actor, &flash).await?)
}

/// Shows the link at once: it is not known any more when the page is asked for again.
pub async fn invite_person(
    StepUp(PageActor(actor)): StepUp<PageActor<PeopleManage>>,
    State(app): State<Arc<App>>,
    Form(sent): Form<Sent>,
) -> PageResult {
    let name = sent.get("name").cloned().unwrap_or_default();
    let roles = chosen(&sent, ROLE_FIELD);
    let made = ops::make_invitation(&app, actor.tenant, actor.who(), name, roles).await;
    let mut page = people_page(&app, &actor, &FlashQuery::default()).await?;
    match made {
        Ok(MadeInvitation { invitation, link, mailed }) => {
            let viewer = Viewer::load(&app, &actor).await?;
            let expires_at = viewer.when(invitation.expires_at);
            let name = invitation.sign_in_name;
            page.fresh = Some(FreshInvitation { name, link, mailed, expires_at });
            html(&page)
        }
        Err(error) if error.status.is_client_error() => {
            if let Some(form) = &mut page.invite {
                form.fill_again(&sent);
                form.fields[0].error = Some(error.full_detail());
            }
            Ok((error.status, html(&page)?).into_response())
        }
        Err(error) => Err(error.into()),
    }
}

pub async fn withdraw(
    PageActor(actor): PageActor<PeopleManage>,
    State(app): State<Arc<App>>,
    Path(id): Path<Uuid>,
) -> PageResult {
    let (by, now) = (actor.who(), app.clock.now());
    change(&app, actor.tenant, move |tx| {
        Box::pin(async move { withdraw_invitation(tx, &by, id, now).await })
    })
    .await?;
    Ok(redirect_after("/admin/people", "invitation-withdrawn"))
}

pub async fn show_person(
    PageActor(actor): PageActor<PeopleRead>,
    State(app): State<Arc<App>>,
    Path(id): Path<UserId>,
    Query(flash): Query<FlashQuery>,
) -> PageResult {
    html(&person_page(&app, &actor, id, &flash).await?)
}

pub async fn save_roles(
    StepUp(PageActor(actor)): StepUp<PageActor<PeopleManage>>,
    State(app): State<Arc<App>>,
    Path(id): Path<UserId>,
    Form(sent): Form<Sent>,
) -> PageResult {
    let (by, now, roles) = (actor.who(), app.clock.now(), chosen(&sent, ROLE_FIELD));
    let saved = change(&app, actor.tenant, move |tx| {
        Box::pin(async move { set_roles(tx, &by, id, &roles, now).await })
    })
    .await;
    settle(&app, &actor, id, saved, "roles-saved").await
}

#[derive(Debug, Deserialize)]
pub struct BanForm {
    #[serde(default)]
    reason: String,
}

pub async fn ban_person(
    PageActor(actor): PageActor<PeopleManage>,
    State(app): State<Arc<App>>,
    Path(id): Path<UserId>,
    Form(form): Form<BanForm>,
) -> PageResult {
    let (by, now) = (actor.who(), app.clock.now());
    let banned = change(&app, actor.tenant, move |tx| {
        Box::pin(async move { ban(tx, &by, id, &form.reason, now).await })
    });
    settle(&app, &actor, id, banned.await, "person-banned").await
}

pub async fn unban_person(
    PageActor(actor): PageActor<PeopleManage>,
    State(app): State<Arc<App>>,
    Path(id): Path<UserId>,
) -> PageResult {
    let (by, now) = (actor.who(), app.clock.now());
    let let_in =
        change(&app, actor.tenant, move |tx| Box::pin(async move { lift_ban(tx, &by, id, now).await })).await;
    settle(&app, &actor, id, let_in, "person-let-in").await
}

pub async fn sign_out_person(
    PageActor(actor): PageActor<PeopleManage>,
    State(app): State<Arc<App>>,
    Path(id): Path<UserId>,
) -> PageResult {
    let (by, now) = (actor.who(), app.clock.now());
    let signed_out = change(&app, actor.tenant, move |tx| {
        Box::pin(async move { sign_out_member(tx, &by, id, now).await })
    });
    settle(&app, &actor, id, signed_out.await, "person-signed-out").await
}

pub async fn remove_person(
    PageActor(actor): PageActor<PeopleManage>,
    State(app): State<Arc<App>>,
    Path(id): Path<UserId>,
    Form(form): Form<ConfirmForm>,
) -> PageResult {
    let tx = app.db.read(actor.tenant).await?;
    form.check(&find_member(&tx, id).await?.sign_in_name)?;
    drop(tx);
    let (by, now) = (actor.who(), app.clock.now());
    change(&app, actor.tenant, move |tx| Box::pin(async move { remove_member(tx, &by, id, now).await }))
        .await?;
    Ok(redirect_after("/admin/people", "person-removed"))
}

/// Leaving needs no permission, and ends what is open here.
pub async fn leave(
    PageActor(actor): PageActor<Oneself>,
    State(app): State<Arc<App>>,
    Form(form): Form<ConfirmForm>,
) -> PageResult {
    form.check(&Viewer::load(&app, &actor).await?.tenant.name)?;
    let (by, user, now) = (actor.who(), actor.user, app.clock.now());
    change(&app, actor.tenant, move |tx| Box::pin(async move { remove_member(tx, &by, user, now).await }))
        .await?;
    Ok(Redirect::to("/sign-in").into_response())
}

/// Back to the person, or their page again with what was wrong.
async fn settle<G>(
    app: &App,
    actor: &Require<G>,
    id: UserId,
    outcome: AppResult<()>,
    done: &str,
) -> PageResult {
    match outcome {
        Ok(()) => Ok(redirect_after(&format!("/admin/people/{id}"), done)),
        Err(error) if error.status.is_client_error() && error.status != StatusCode::NOT_FOUND => {
            let mut page = person_page(app, actor, id, &FlashQuery::default()).await?;
            page.notice = Some(Notice::new(Tone::Bad, "Not saved", error.full_detail()));
            Ok((error.status, html(&page)?).into_response())
        }
        Err(error) => Err(error.into()),
    }
}

pub(super) async fn find_member(tx: &TenantTx, id: UserId) -> AppResult<Member> {
    let found = members(tx).await?.into_iter().find(|member| member.user == id);
    found.ok_or_else(|| AppError::not_found("person"))
}

async fn people_page<G>(app: &App, actor: &Require<G>, flash: &FlashQuery) -> AppResult<PeoplePage> {
    let viewer = Viewer::load(app, actor).await?;
    let tx = app.db.read(actor.tenant).await?;
    let (people, teams, own) = (members(&tx).await?, teams(&tx).await?, custom_roles(&tx).await?);
    let open = open_invitations(&tx, app.clock.now()).await?;
    drop(tx);
    let manages = actor.may(Permission::PeopleManage);
    let shell = viewer.shell_after("People", Section::Admin, flash);
    let tenant = viewer.tenant.name.as_str();
    Ok(PeoplePage {
        shell,
        manages_company: actor.may(Permission::CompanyManage),
        sees_security: actor.may(Permission::SecurityManage),
        scope: format!("Who belongs to {tenant}, and what they may do"),
        fresh: None,
        invitations: open
            .into_iter()
            .map(|one| InvitationRow {
                name: one.sign_in_name,
                roles: words(&one.roles),
                expires_at: viewer.when(one.expires_at),
                withdraw: manages
                    .then(|| PostAction::new("Withdraw", format!("/admin/invitations/{}/withdraw", one.id))),
            })
            .collect(),
        teams: teams
            .iter()
            .map(|team| TeamRow {
                name: team.name.clone(),
                href: format!("/admin/teams/{}", team.id),
                members: match team.members.len() {
                    1 => "1 person".to_owned(),
                    many => format!("{many} people"),
                },
                roles: words(&team.roles),
            })
            .collect(),
        people: people
            .into_iter()
            .map(|member| PersonRow {
                href: format!("/admin/people/{}", member.user),
                state: state_badge(&member),
                roles: words(&member.roles),
                teams: words(teams_of(&teams, member.user).map(|team| &team.name)),
                joined_at: viewer.when(member.joined_at),
                name: member.sign_in_name,
            })
            .collect(),
        invite: manages.then(|| invite_form(&own)),
        new_team: manages.then(|| ChoiceForm {
            action: "/admin/teams".to_owned(),
            legend: "New team".to_owned(),
            fields: vec![FormField::text("team_name", "Name", "").required()],
            button: "Make the team".to_owned(),
        }),
        leave: PostAction::danger(
            "Leave the company",
            "/admin/leave",
            tenant,
            "You are out at once, and come back when somebody invites you.",
        ),
    })
}

fn invite_form(own: &[CustomRole]) -> ChoiceForm {
    let name = FormField::text("name", "Sign-in name", "").required();
    let name = name.with_help("What they will sign in with: a mail address, for example.");
    let mut fields = vec![name];
    fields.extend(role_fields(own, &BTreeSet::from([SystemRole::Viewer.to_string()])));
    ChoiceForm {
        action: "/admin/people".to_owned(),
        legend: "Who, and with which roles".to_owned(),
        fields,
        button: "Make an invitation".to_owned(),
    }
}

async fn person_page<G>(
    app: &App,
    actor: &Require<G>,
    id: UserId,
    flash: &FlashQuery,
) -> AppResult<PersonPage> {
    let viewer = Viewer::load(app, actor).await?;
    let tx = app.db.read(actor.tenant).await?;
    let member = find_member(&tx, id).await?;
    let (teams, own, rights) = (teams(&tx).await?, custom_roles(&tx).await?, Rights::load(&tx).await?);
    drop(tx);
    let manages = actor.may(Permission::PeopleManage);
    let here = format!("/admin/people/{id}");
    let name = member.sign_in_name.clone();
    let permissions = Permission::ALL.iter().map(|permission| permission_row(&rights, id, *permission));
    let ban_form = || ChoiceForm {
        action: format!("{here}/ban"),
        legend: "Ban".to_owned(),
        fields: vec![FormField::text("reason", "Reason", "").required()],
        button: "Ban".to_owned(),
    };
    Ok(PersonPage {
        shell: viewer.shell_after(name.as_str(), Section::Admin, flash),
        state: state_badge(&member),
        notice: member.ban.as_ref().map(|ban| {
            let title = format!("Banned since {}", viewer.date_and_time(ban.at));
            Notice::new(Tone::Bad, title, ban.reason.as_str())
        }),
        facts: vec![
            Fact::new("Joined", viewer.date_and_time(member.joined_at)),
            Fact::new("Roles", words(&member.roles)),
        ],
        teams: teams_of(&teams, id)
            .map(|team| Link::new(team.name.as_str(), format!("/admin/teams/{}", team.id)))
            .collect(),
        roles: manages.then(|| ChoiceForm {
            action: format!("{here}/roles"),
            legend: "Roles".to_owned(),
            fields: role_fields(&own, &member.roles),
            button: "Save the roles".to_owned(),
        }),
        ban: (manages && member.ban.is_none() && id != actor.user).then(ban_form),
        sees: actor
            .may(Permission::PoliciesManage)
            .then(|| Link::new("What data they see", format!("/admin/policies?person={id}"))),
        actions: manages
            .then(|| match member.ban {
                Some(_) => PostAction::primary("Let in again", format!("{here}/unban")),
                None => PostAction::new("Sign out everywhere", format!("{here}/sign-out")),
            })
            .into_iter()
            .collect(),
        permissions: permissions.collect(),
        danger: manages
            .then(|| {
                let help = "They are out at once. What they did stays.";
                PostAction::danger("Remove", format!("{here}/remove"), name.as_str(), help)
            })
            .into_iter()
            .collect(),
    })
}

fn permission_row(rights: &Rights, user: UserId, permission: Permission) -> PermissionRow {
    let explained = rights.explain(user, permission);
    PermissionRow {
        permission: permission.to_string(),
        description: permission.description().to_owned(),
        state: match explained.allowed {
            true => Badge::new("may", Tone::Good),
            false => Badge::new("may not", Tone::Neutral),
        },
        why: why(&explained),
    }
}

/// "analyst allows it; night-shift, by the team Counter, denies it".
pub(super) fn why(explained: &Explanation) -> String {
    let mut told: Vec<String> = explained
        .reasons
        .iter()
        .filter_map(|reason| {
            let by = reason.team.as_ref().map(|team| format!(", by the team {team},")).unwrap_or_default();
            let verb = match reason.effect? {
                portolan_access::Effect::Allow => "allows",
                portolan_access::Effect::Deny => "denies",
            };
            Some(format!("{}{by} {verb} it", reason.role))
        })
        .collect();
    if explained.banned {
        told.insert(0, "banned people may nothing".to_owned());
    }
    if told.is_empty() { "no role of theirs speaks of it".to_owned() } else { told.join("; ") }
}

fn state_badge(member: &Member) -> Badge {
    match member.ban {
        Some(_) => Badge::new("banned", Tone::Bad),
        None => Badge::new("member", Tone::Good),
    }
}

fn teams_of(teams: &[Team], user: UserId) -> impl Iterator<Item = &Team> {
    teams.iter().filter(move |team| team.members.contains(&user))
}

/// A box for each role, ticked where it is held.
pub(crate) fn role_fields(own: &[CustomRole], held: &BTreeSet<String>) -> Vec<FormField> {
    let of_system = SystemRole::ALL.iter().map(|role| (role.as_str(), role.description()));
    let of_tenant = own.iter().map(|role| (role.name.as_str(), role.description.as_str()));
    let field = |(name, description): (&str, &str)| {
        let kind = FieldKind::Checkbox { checked: held.contains(name) };
        let field = FormField::new(format!("{ROLE_FIELD}{name}"), name, kind);
        if description.is_empty() { field } else { field.with_help(description) }
    };
    of_system.chain(of_tenant).map(field).collect()
}

/// What was ticked of fields that begin alike.
pub(crate) fn chosen(sent: &Sent, prefix: &str) -> BTreeSet<String> {
    let ticked = sent.iter().filter(|(_, value)| value.as_str() == "true");
    ticked.filter_map(|(name, _)| name.strip_prefix(prefix).map(str::to_owned)).collect()
}

/// "analyst, finance"; a dash where there is nothing.
pub(crate) fn words<'a>(names: impl IntoIterator<Item = &'a String>) -> String {
    let names: Vec<&str> = names.into_iter().map(String::as_str).collect();
    if names.is_empty() { "–".to_owned() } else { names.join(", ") }
}
