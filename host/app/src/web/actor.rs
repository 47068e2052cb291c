//! The signed-in person, with the permission that a handler declares in its signature.
//!
//! `Require<SyncsRun>` cannot be forgotten: without it a handler has no tenant to act in.

use std::marker::PhantomData;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use axum_extra::extract::CookieJar;
use portolan_access::audit::Who;
use portolan_access::{AuthenticateError, Permission, PolicyError, SignInError, SignedIn};
use portolan_analytics::Visibility;
use portolan_core::{TenantId, UserId};

use crate::App;
use crate::web::caller::Caller;
use crate::web::client::{address_in, address_of};
use crate::web::domain::domain_in;
use crate::web::error::{AppError, AppResult, PageError, SECOND_FACTOR_REQUIRED};
use crate::web::next::{is_below, to_sign_in};
use crate::web::request_id;
use crate::web::seen::{check_address, visibility};
use crate::web::viewer::redirect_after;

/// By https, and without.
pub const SESSION_COOKIES: [&str; 2] = ["__Host-ptl_session", "ptl_session"];

/// The cookie of a session: host-only, `Secure` where the page came over https. Where the public address is
/// https it says so in its name, and browsers take it from nobody else: no sister domain, no plain http.
pub fn session_cookie(app: &App) -> &'static str {
    match &app.public_address {
        Some(address) if address.is_https() => SESSION_COOKIES[0],
        _ => SESSION_COOKIES[1],
    }
}

/// What the session's cookie holds.
pub fn session_token(headers: &HeaderMap, app: &App) -> Option<String> {
    CookieJar::from_headers(headers).get(session_cookie(app)).map(|cookie| cookie.value().to_owned())
}

/// A permission as a type.
pub trait Grant: Send + Sync + 'static {
    const NEEDS: Option<Permission>;
    /// What is needed beside it.
    const ALSO: Option<Permission> = None;
    /// Which of the company's rules of signing in have to be met.
    const MEETS: Meets = Meets::Everything;
}

/// Rules of a company about signing in, as far as a route asks for them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meets {
    /// The second factor that is asked for, and the networks.
    Everything,
    /// The networks: for setting up that second factor.
    Networks,
    /// For going to another company.
    Nothing,
}

/// Both at once.
impl<G: Grant, H: Grant> Grant for (G, H) {
    const NEEDS: Option<Permission> = G::NEEDS;
    const ALSO: Option<Permission> = H::NEEDS;
}

/// Nothing but to be signed in: for what concerns the person alone, such as leaving or their keys. No program's key is
/// enough.
#[derive(Debug)]
pub struct Oneself;

impl Grant for Oneself {
    const NEEDS: Option<Permission> = None;
}

/// [`Oneself`], also for whoever lacks the second factor that their company asks for: what they need to set it up.
#[derive(Debug)]
pub struct SettingUp;

impl Grant for SettingUp {
    const NEEDS: Option<Permission> = None;
    const MEETS: Meets = Meets::Networks;
}

/// [`Oneself`], whatever the company asks for: what leads out of it.
#[derive(Debug)]
pub struct GoingElsewhere;

impl Grant for GoingElsewhere {
    const NEEDS: Option<Permission> = None;
    const MEETS: Meets = Meets::Nothing;
}

/// Declares the types that handlers name in their signatures, one per permission.
macro_rules! grants {
    ($($name:ident),* $(,)?) => {$(
        #[doc = concat!("May do what [`Permission::", stringify!($name), "`] says.")]
        #[derive(Debug)]
        pub struct $name;

        impl $name {
            pub const PERMISSION: Permission = Permission::$name;
        }

        impl Grant for $name {
            const NEEDS: Option<Permission> = Some(Self::PERMISSION);
        }
    )*};
}

grants!(
    AnalyticsQuery,
    OrdersRead,
    FinanceRead,
    FinanceTotals,
    CostsRead,
    PersonalRead,
    RatesManage,
    ConnectionsRead,
    ConnectionsWrite,
    SyncsRead,
    SyncsRun,
    RawRecordsRead,
    PluginsRead,
    PluginsManage,
    CompanyManage,
    ClientsManage,
    PeopleManage,
    PeopleRead,
    RolesManage,
    PoliciesManage,
    SecurityManage,
    PrivacyManage,
    AuditRead,
    ApiKeysManage,
    SystemRead,
);

/// Somebody who is signed in and may do `G`.
#[derive(Debug)]
pub struct Require<G> {
    pub user: UserId,
    pub tenant: TenantId,
    caller: Caller,
    address: String,
    seen: Visibility,
    grant: PhantomData<G>,
}

impl<G> Require<G> {
    /// Whether they may do something else as well: for what a page shows beside what it is for.
    pub fn may(&self, permission: Permission) -> bool {
        self.caller.may(permission)
    }

    /// What they see of the data. Whatever reads the ledgers or documents for them asks by it.
    pub const fn seen(&self) -> &Visibility {
        &self.seen
    }

    /// The session that they are known by; a program has none.
    pub fn signed_in(&self) -> AppResult<&SignedIn> {
        match &self.caller {
            Caller::Person(signed_in) => Ok(signed_in),
            Caller::Program(_) => Err(AppError::for_people()),
        }
    }

    /// Whether they came in under a company's own domain, whose holder can read what is sent there.
    pub const fn at_domain(&self) -> bool {
        matches!(&self.caller, Caller::Person(signed_in) if signed_in.at_domain)
    }

    /// Who acts, and from where: for the verbs, which tell the audit.
    pub fn who(&self) -> Who {
        let (actor, session) = self.caller.actor();
        Who { actor, session, address: self.address.clone(), request_id: request_id::current() }
    }
}

impl<G: Grant> Require<G> {
    async fn from_caller(parts: &mut Parts, app: &App) -> Result<Self, AppError> {
        let caller = Caller::of_parts(parts, app).await?.ok_or_else(AppError::unauthenticated)?;
        tracing::Span::current()
            .record("user.id", tracing::field::display(caller.user()))
            .record("tenant.id", tracing::field::display(caller.tenant()));
        app.limits.take_of_caller(&caller, &parts.extensions)?;
        check_domain(&caller, domain_in(&parts.extensions))?;
        // What concerns a person alone is no program's.
        if G::NEEDS.is_none() && caller.is_program() {
            return Err(AppError::for_people());
        }
        caller.check_meets(G::MEETS, address_in(&parts.extensions))?;
        check_account(&caller, parts)?;
        for needed in G::NEEDS.into_iter().chain(G::ALSO) {
            if !caller.may(needed) {
                return Err(AppError::forbidden(needed.as_str()));
            }
        }
        let (user, tenant, address) = (caller.user(), caller.tenant(), address_of(parts));
        let seen = visibility(&caller.restrictions(), |permission| caller.may(permission));
        check_address(app, tenant, &seen, parts).await?;
        Ok(Self { user, tenant, caller, address, seen, grant: PhantomData })
    }
}

/// Under a company's own domain somebody works for that company; and a session that was begun there is good nowhere else.
fn check_domain(caller: &Caller, under: Option<TenantId>) -> AppResult<()> {
    let begun_there = match caller {
        Caller::Person(signed_in) => signed_in.at_domain,
        Caller::Program(_) => under.is_some(),
    };
    let fits = under.is_none_or(|holder| holder == caller.tenant()) && begun_there == under.is_some();
    if fits { Ok(()) } else { Err(AppError::unauthenticated()) }
}

/// An account is one for all companies: nothing of it is changed in a session that one company's domain could have read.
fn check_account(caller: &Caller, parts: &Parts) -> AppResult<()> {
    let at_domain = matches!(caller, Caller::Person(signed_in) if signed_in.at_domain);
    let of_account = ["/account", "/api/v1/account"].iter().any(|root| is_below(parts.uri.path(), root));
    let changes = !matches!(parts.method, Method::GET | Method::HEAD);
    if at_domain && of_account && changes {
        let detail = "You came in under your company's own domain. Your account is one for all your companies: change it \
            at this server's own address.";
        return Err(AppError::refused(detail));
    }
    Ok(())
}

impl<G: Grant> FromRequestParts<Arc<App>> for Require<G> {
    type Rejection = AppError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Self::Rejection> {
        Self::from_caller(parts, app).await
    }
}

/// The same for a page: whoever is not signed in is sent to the sign-in page, and from there back.
#[derive(Debug)]
pub struct PageActor<G>(pub Require<G>);

impl<G: Grant> FromRequestParts<Arc<App>> for PageActor<G> {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Self::Rejection> {
        if parts.headers.contains_key(AUTHORIZATION) {
            return Err(PageError(AppError::for_people()).into_response());
        }
        match Require::from_caller(parts, app).await {
            Ok(actor) => Ok(Self(actor)),
            Err(error) if error.status == StatusCode::UNAUTHORIZED => Err(to_sign_in(parts).into_response()),
            // Before anything else they set it up.
            Err(error) if error.code == SECOND_FACTOR_REQUIRED => {
                Err(redirect_after("/account", "second-factor-required"))
            }
            Err(error) => Err(PageError(error).into_response()),
        }
    }
}

impl From<SignInError> for AppError {
    fn from(error: SignInError) -> Self {
        match error {
            SignInError::Refused | SignInError::SecondStep(_) => Self::unauthenticated(),
            SignInError::ProviderAlone => Self::refused(
                "You came in by your company's provider alone, which does not count in another company. Sign in there \
                 by its own, or with your password.",
            ),
            SignInError::SecondFactor(error) => error.into(),
            SignInError::Database(error) => error.into(),
            SignInError::Password(error) => Self::internal(error),
        }
    }
}

impl From<AuthenticateError> for AppError {
    fn from(error: AuthenticateError) -> Self {
        match error {
            AuthenticateError::Database(error) | AuthenticateError::Policy(PolicyError::Database(error)) => {
                error.into()
            }
            AuthenticateError::Policy(error) => Self::internal(error),
        }
    }
}
