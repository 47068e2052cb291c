//! One's own account: password, second factor, sessions.

use askama::Template;

use crate::parts::{Badge, CodeField, PostAction, QrDrawing, Section, Shell, Tone, When};

/// `GET /account`.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "account.html")]
pub struct AccountPage {
    pub shell: Shell,
    pub name: String,
    /// Some come in by links alone.
    pub has_password: bool,
    pub old_password_error: Option<String>,
    pub new_password_error: Option<String>,
    /// Codes of an authenticator.
    pub second_factor: Option<SecondFactorCard>,
    /// Where there is any second factor.
    pub recovery: Option<RecoveryCard>,
    pub passkeys: Vec<AccountPasskey>,
    /// Why none can be added here.
    pub no_passkeys: Option<String>,
    /// Why one stays.
    pub passkey_error: Option<String>,
    pub sessions: Vec<AccountSession>,
    pub erase: PostAction,
    /// Browsers in which no code is asked for.
    pub devices: Vec<AccountDevice>,
}

/// A browser that is remembered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountDevice {
    pub browser: String,
    pub address: String,
    pub since: When,
    pub last_used: When,
    pub until: When,
    /// Where its end is posted to.
    pub forget: String,
}

/// What lets somebody in who has lost the others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecoveryCard {
    /// "9 recovery codes are left".
    pub codes_left: String,
    /// Time to make new ones.
    pub few_codes: bool,
}

/// A passkey of one's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountPasskey {
    pub name: String,
    pub since: When,
    pub last_used: Option<When>,
    /// Where another name is posted to.
    pub rename: String,
    /// Where its end is posted to.
    pub remove: String,
    /// What was refused of a name.
    pub error: Option<String>,
}

/// An authenticator that is on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecondFactorCard {
    pub since: When,
    /// Switches it off.
    pub code: CodeField,
}

/// A browser that is signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountSession {
    pub browser: String,
    pub address: String,
    pub since: When,
    pub last_seen: When,
    /// The one that looks.
    pub this: bool,
    /// Where its end is posted to.
    pub end: String,
}

impl AccountPage {
    fn factor_badge(&self) -> Badge {
        match self.recovery {
            Some(_) => Badge::new("on", Tone::Good),
            None => Badge::new("off", Tone::Warn),
        }
    }

    fn has_others(&self) -> bool {
        self.sessions.iter().any(|session| !session.this)
    }

    pub fn sample() -> Self {
        Self {
            shell: Shell::new("Profile and security", Section::None, "Harbour & Sons", "owner"),
            name: "owner".into(),
            has_password: true,
            old_password_error: None,
            new_password_error: None,
            second_factor: Some(SecondFactorCard {
                since: when("3 Mar 2026"),
                code: CodeField::new("Code", None),
            }),
            recovery: Some(RecoveryCard { codes_left: "9 recovery codes are left".into(), few_codes: false }),
            passkeys: vec![passkey("Telephone"), passkey("Key ring")],
            no_passkeys: None,
            passkey_error: None,
            sessions: vec![
                session("Firefox on Linux", "192.0.2.7", true),
                session("Safari on iPhone", "2001:db8::17", false),
            ],
            erase: PostAction::danger(
                "Delete my account",
                "/account/erase",
                "owner",
                "You leave every company, and your name, password, second factor and keys are forgotten for good.",
            ),
            devices: vec![device("Firefox on Linux")],
        }
    }

    /// Nothing set up, nobody else signed in.
    pub fn sample_empty() -> Self {
        let mut page = Self::sample();
        page.has_password = false;
        page.second_factor = None;
        page.recovery = None;
        page.passkeys = Vec::new();
        page.no_passkeys = Some("The public address of this server is not said.".into());
        page.devices = Vec::new();
        page.sessions.truncate(1);
        page
    }

    pub fn sample_extreme() -> Self {
        let mut page = Self::sample();
        page.name = super::EXTREME_TEXT.into();
        page.old_password_error = Some("This is not your password.".into());
        page.new_password_error = Some("The password is too short: use at least 12 characters.".into());
        page.second_factor = Some(SecondFactorCard {
            since: when("3 Mar 2026"),
            code: CodeField::new("Code", Some("This code is not right.".into())),
        });
        page.recovery = Some(RecoveryCard { codes_left: "No recovery code is left".into(), few_codes: true });
        page.passkeys = (0..20).map(|_| passkey(super::EXTREME_TEXT)).collect();
        page.passkeys[1].error = Some(super::EXTREME_TEXT.into());
        page.passkey_error = Some(super::EXTREME_TEXT.into());
        page.devices = (0..20).map(|_| device(super::EXTREME_TEXT)).collect();
        page.sessions = (0..40).map(|number| session(super::EXTREME_TEXT, "", number == 0)).collect();
        page
    }
}

/// `GET /account/passkeys/new`: a script asks the browser for a passkey, and posts `ceremony` and `answer` beside `name`.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "new_passkey.html")]
pub struct NewPasskeyPage {
    pub shell: Shell,
    pub name: String,
    /// Why none can be added here.
    pub unavailable: Option<String>,
    pub error: Option<String>,
    /// Whether it is the first second factor: other sessions end, and recovery codes are shown.
    pub first: bool,
}

impl NewPasskeyPage {
    pub fn sample() -> Self {
        Self {
            shell: Shell::new("Add a passkey", Section::None, "Harbour & Sons", "owner"),
            name: "Firefox on Linux".into(),
            unavailable: None,
            error: None,
            first: true,
        }
    }

    pub fn sample_refused() -> Self {
        let error = Some("The passkey's answer is not right.".into());
        Self { name: super::EXTREME_TEXT.into(), error, first: false, ..Self::sample() }
    }

    pub fn sample_unavailable() -> Self {
        Self { unavailable: Some("Browsers use passkeys over https alone.".into()), ..Self::sample() }
    }
}

/// `GET /account/second-factor`: the seed, and its first code.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "second_factor.html")]
pub struct SecondFactorPage {
    pub shell: Shell,
    pub drawing: Option<QrDrawing>,
    /// The same to type, in groups.
    pub key: String,
    pub code: CodeField,
    /// Where to go afterwards, sent as `next`; to the account where absent.
    pub next: Option<String>,
}

impl SecondFactorPage {
    pub fn sample() -> Self {
        let url = "otpauth://totp/Portolan:owner?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Portolan";
        Self {
            shell: Shell::new("Set up a second factor", Section::None, "Harbour & Sons", "owner"),
            drawing: QrDrawing::new(url),
            key: "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ".into(),
            code: CodeField::new("Code that it shows", None),
            next: None,
        }
    }

    pub fn sample_refused() -> Self {
        let code = CodeField::new("Code that it shows", Some("This code is not right.".into()));
        Self { drawing: None, code, next: Some("/setup/company".into()), ..Self::sample() }
    }
}

/// What is shown once, after the second factor was switched on or new codes were asked for.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "recovery_codes.html")]
pub struct RecoveryCodesPage {
    pub shell: Shell,
    pub name: String,
    pub made_on: String,
    pub codes: Vec<String>,
    /// Whether the second factor was switched on with it.
    pub first: bool,
    /// Where to go once they are kept.
    pub next: String,
}

impl RecoveryCodesPage {
    pub fn sample() -> Self {
        Self {
            shell: Shell::new("Recovery codes", Section::None, "Harbour & Sons", "owner"),
            name: "owner".into(),
            made_on: "2026-03-03".into(),
            codes: (0..10).map(|number| format!("SAMP1E-C0DE0{number}-N0TREA-{number}EVER0")).collect(),
            first: true,
            next: "/account".into(),
        }
    }

    pub fn sample_renewed() -> Self {
        Self { first: false, name: super::EXTREME_TEXT.into(), ..Self::sample() }
    }
}

fn passkey(name: &str) -> AccountPasskey {
    let id = "0198c5a0-0000-7000-8000-000000000000";
    AccountPasskey {
        name: name.into(),
        since: when("3 Mar 2026"),
        last_used: (name != "Key ring").then(|| when("09:12")),
        rename: format!("/account/passkeys/{id}/rename"),
        remove: format!("/account/passkeys/{id}/remove"),
        error: None,
    }
}

fn device(browser: &str) -> AccountDevice {
    AccountDevice {
        browser: browser.into(),
        address: "192.0.2.7".into(),
        since: when("3 Mar 2026"),
        last_used: when("09:12"),
        until: when("2 Apr 2026"),
        forget: "/account/devices/0198c5a0-0000-7000-8000-000000000000/forget".into(),
    }
}

fn session(browser: &str, address: &str, this: bool) -> AccountSession {
    AccountSession {
        browser: browser.into(),
        address: address.into(),
        since: when("09:12"),
        last_seen: when("4 min ago"),
        this,
        end: "/account/sessions/0198c5a0-0000-7000-8000-000000000000/end".into(),
    }
}

fn when(text: &str) -> When {
    When { text: text.into(), full: "3 March 2026 14:05:09 UTC".into(), iso: "2026-03-03T14:05:09Z".into() }
}
