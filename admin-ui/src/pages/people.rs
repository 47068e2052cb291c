//! People of a company: who belongs to it, with which roles and teams, and who was invited.

use askama::Template;

use super::EXTREME_TEXT;
use crate::parts::{
    Badge, Empty, Fact, FieldKind, FormField, Link, Notice, PostAction, ProviderButton, Section, Shell, Tone,
    When,
};

/// Fields that are chosen from, in a form of their own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChoiceForm {
    pub action: String,
    pub legend: String,
    pub fields: Vec<FormField>,
    pub button: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonRow {
    pub name: String,
    pub href: String,
    pub state: Badge,
    /// "analyst, finance".
    pub roles: String,
    pub teams: String,
    pub joined_at: When,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvitationRow {
    pub name: String,
    pub roles: String,
    pub expires_at: When,
    pub withdraw: Option<PostAction>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TeamRow {
    pub name: String,
    pub href: String,
    pub members: String,
    pub roles: String,
}

/// A link that is shown once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FreshInvitation {
    pub name: String,
    pub link: String,
    /// Whether it is on its way by mail.
    pub mailed: bool,
    pub expires_at: When,
}

/// `GET /admin/people`.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "people.html")]
pub struct PeoplePage {
    pub shell: Shell,
    /// Whether they are led to the company's own page.
    pub manages_company: bool,
    pub scope: String,
    /// Whether they may say how people sign in.
    pub sees_security: bool,
    pub fresh: Option<FreshInvitation>,
    pub people: Vec<PersonRow>,
    pub invitations: Vec<InvitationRow>,
    pub teams: Vec<TeamRow>,
    /// Absent for whoever may only look.
    pub invite: Option<ChoiceForm>,
    pub new_team: Option<ChoiceForm>,
    /// Whatever the person may do, they may leave.
    pub leave: PostAction,
}

impl PeoplePage {
    fn no_teams(&self) -> Empty {
        Empty::nothing_yet(
            "teams",
            "A team gives its roles to everybody in it, and takes them when they leave it.",
        )
    }

    pub fn sample() -> Self {
        let person = |name: &str, roles: &str, state: Badge| PersonRow {
            name: name.into(),
            href: "/admin/people/01932f1c-0000-7000-8000-000000000001".into(),
            state,
            roles: roles.into(),
            teams: "Accounts".into(),
            joined_at: When::sample(),
        };
        let action = "/admin/people/leave";
        Self {
            shell: Shell::new("People", Section::Admin, "Harbour & Sons", "owner"),
            manages_company: true,
            sees_security: true,
            scope: "Who belongs to Harbour & Sons, and what they may do".into(),
            fresh: None,
            people: vec![
                person("ada@example.com", "owner", Badge::new("member", Tone::Good)),
                person("ben@example.com", "analyst, finance", Badge::new("member", Tone::Good)),
                person("cleo@example.com", "viewer", Badge::new("banned", Tone::Bad)),
            ],
            invitations: vec![InvitationRow {
                name: "dora@example.com".into(),
                roles: "viewer".into(),
                expires_at: When::sample(),
                withdraw: Some(PostAction::new("Withdraw", "/admin/invitations/sample/withdraw")),
            }],
            teams: vec![TeamRow {
                name: "Accounts".into(),
                href: "/admin/teams/sample".into(),
                members: "2 people".into(),
                roles: "finance".into(),
            }],
            invite: Some(ChoiceForm {
                action: "/admin/people".into(),
                legend: "Roles".into(),
                fields: vec![
                    FormField::text("name", "Sign-in name", "").required(),
                    FormField::new("role.viewer", "viewer", FieldKind::Checkbox { checked: true }),
                    FormField::new("role.finance", "finance", FieldKind::Checkbox { checked: false }),
                ],
                button: "Make an invitation".into(),
            }),
            new_team: Some(ChoiceForm {
                action: "/admin/teams".into(),
                legend: "New team".into(),
                fields: vec![FormField::text("name", "Name", "").required()],
                button: "Make the team".into(),
            }),
            leave: PostAction::danger(
                "Leave the company",
                action,
                "Harbour & Sons",
                "Your sessions here end.",
            ),
        }
    }

    pub fn sample_invited() -> Self {
        Self {
            fresh: Some(FreshInvitation {
                name: "dora@example.com".into(),
                link: "https://portolan.example/invitations/0192f0c100007000800000000000000abcdef".into(),
                mailed: false,
                expires_at: When::sample(),
            }),
            ..Self::sample()
        }
    }

    /// What whoever may only look sees.
    pub fn sample_empty() -> Self {
        Self { invitations: Vec::new(), teams: Vec::new(), invite: None, new_team: None, ..Self::sample() }
    }

    pub fn sample_extreme() -> Self {
        let mut page = Self::sample();
        page.people[0].name = EXTREME_TEXT.into();
        page.people[1].roles = EXTREME_TEXT.into();
        page.teams[0].name = EXTREME_TEXT.into();
        page.invitations[0].name = EXTREME_TEXT.into();
        if let Some(form) = &mut page.invite {
            form.fields[0].error = Some(EXTREME_TEXT.into());
        }
        page
    }
}

/// One permission of somebody, with the reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PermissionRow {
    pub permission: String,
    pub description: String,
    pub state: Badge,
    /// "analyst allows it; night-shift, by the team Counter, denies it".
    pub why: String,
}

/// `GET /admin/people/{id}`.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "person.html")]
pub struct PersonPage {
    pub shell: Shell,
    pub state: Badge,
    pub notice: Option<Notice>,
    pub facts: Vec<Fact>,
    pub teams: Vec<Link>,
    /// Absent for whoever may not change them.
    pub roles: Option<ChoiceForm>,
    pub ban: Option<ChoiceForm>,
    pub unban: Option<PostAction>,
    pub permissions: Vec<PermissionRow>,
    /// Destructive ones, at the end of the page.
    pub danger: Vec<PostAction>,
}

impl PersonPage {
    pub fn sample() -> Self {
        let row = |permission: &str, allowed: bool, why: &str| PermissionRow {
            permission: permission.into(),
            description: "See orders, their documents and ledger events.".into(),
            state: if allowed { Badge::new("may", Tone::Good) } else { Badge::new("may not", Tone::Neutral) },
            why: why.into(),
        };
        let here = "/admin/people/01932f1c-0000-7000-8000-000000000001";
        Self {
            shell: Shell::new("ben@example.com", Section::Admin, "Harbour & Sons", "owner"),
            state: Badge::new("member", Tone::Good),
            notice: None,
            facts: vec![Fact::new("Joined", "3 Mar 2026"), Fact::new("Roles", "analyst, finance")],
            teams: vec![Link::new("Accounts", "/admin/teams/sample")],
            roles: Some(ChoiceForm {
                action: format!("{here}/roles"),
                legend: "Roles".into(),
                fields: vec![
                    FormField::new("role.analyst", "analyst", FieldKind::Checkbox { checked: true })
                        .with_help(
                            "Asks questions and builds reports; sees orders, not what providers paid out.",
                        ),
                    FormField::new("role.viewer", "viewer", FieldKind::Checkbox { checked: false }),
                ],
                button: "Save the roles".into(),
            }),
            ban: Some(ChoiceForm {
                action: format!("{here}/ban"),
                legend: "Ban".into(),
                fields: vec![FormField::text("reason", "Reason", "").required()],
                button: "Ban".into(),
            }),
            unban: None,
            permissions: vec![
                row("orders:read", true, "analyst allows it"),
                row("finance:read", false, "finance allows it; night-shift, by the team Counter, denies it"),
                row("audit:read", false, "no role allows it"),
            ],
            danger: vec![PostAction::danger(
                "Remove",
                format!("{here}/remove"),
                "ben@example.com",
                "They are out.",
            )],
        }
    }

    pub fn sample_banned() -> Self {
        let notice = Notice::new(Tone::Bad, "Banned since 3 Mar 2026", "Lost their laptop.");
        Self {
            state: Badge::new("banned", Tone::Bad),
            notice: Some(notice),
            ban: None,
            unban: Some(PostAction::primary("Let in again", "/admin/people/sample/unban")),
            ..Self::sample()
        }
    }

    /// What whoever may only look sees.
    pub fn sample_empty() -> Self {
        Self { roles: None, ban: None, teams: Vec::new(), danger: Vec::new(), ..Self::sample() }
    }

    pub fn sample_extreme() -> Self {
        let mut page = Self::sample_banned();
        page.shell.title = EXTREME_TEXT.into();
        page.notice = Some(Notice::new(Tone::Bad, "Banned", EXTREME_TEXT));
        page.permissions[1].why = EXTREME_TEXT.into();
        page
    }
}

/// `GET /admin/teams/{id}`.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "team.html")]
pub struct TeamPage {
    pub shell: Shell,
    pub facts: Vec<Fact>,
    /// Name, members, roles; nothing for whoever may only look.
    pub forms: Vec<ChoiceForm>,
    pub danger: Vec<PostAction>,
}

impl TeamPage {
    pub fn sample() -> Self {
        let here = "/admin/teams/sample";
        let checkbox =
            |name: &str, label: &str, checked| FormField::new(name, label, FieldKind::Checkbox { checked });
        let form = |verb: &str, legend: &str, fields| ChoiceForm {
            action: format!("{here}/{verb}"),
            legend: legend.into(),
            fields,
            button: "Save".into(),
        };
        Self {
            shell: Shell::new("Accounts", Section::Admin, "Harbour & Sons", "owner"),
            facts: vec![Fact::new("Members", "ben@example.com"), Fact::new("Roles", "finance")],
            forms: vec![
                form("name", "Name", vec![FormField::text("name", "Name", "Accounts").required()]),
                form("members", "Members", vec![checkbox("member.1", "ben@example.com", true)]),
                form("roles", "Roles", vec![checkbox("role.finance", "finance", true)]),
            ],
            danger: vec![PostAction::danger(
                "Delete",
                format!("{here}/delete"),
                "Accounts",
                "Nobody is removed.",
            )],
        }
    }

    /// What whoever may only look sees.
    pub fn sample_empty() -> Self {
        Self { forms: Vec::new(), danger: Vec::new(), ..Self::sample() }
    }

    pub fn sample_extreme() -> Self {
        let mut page = Self::sample();
        page.shell.title = EXTREME_TEXT.into();
        page.forms[1].fields[0].label = EXTREME_TEXT.into();
        page
    }
}

/// What an invitation's link shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InvitationState {
    /// Whoever presses the button is in.
    Open,
    /// Somebody of this name signs in here already: they do so first.
    SignInFirst { href: String },
    /// Used, withdrawn or too old.
    Gone,
}

/// `GET /invitations/{token}`.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "invitation.html")]
pub struct InvitationPage {
    pub shell: Shell,
    pub tenant_name: String,
    pub sign_in_name: String,
    pub action: String,
    pub state: InvitationState,
    pub error: Option<String>,
    /// Identity providers of the company, to join by.
    pub providers: Vec<ProviderButton>,
}

impl InvitationPage {
    pub fn sample() -> Self {
        Self {
            shell: Shell::plain("Invitation"),
            tenant_name: "Harbour & Sons".into(),
            sign_in_name: "dora@example.com".into(),
            action: "/invitations/sample".into(),
            state: InvitationState::Open,
            error: None,
            providers: ProviderButton::samples("Join"),
        }
    }

    pub fn sample_known() -> Self {
        let href = "/sign-in?next=/invitations/sample".into();
        Self { state: InvitationState::SignInFirst { href }, ..Self::sample() }
    }

    pub fn sample_gone() -> Self {
        let providers = Vec::new();
        Self { state: InvitationState::Gone, error: Some(EXTREME_TEXT.into()), providers, ..Self::sample() }
    }
}
