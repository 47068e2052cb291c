//! One struct per page, and one for each part of a page that is refreshed while it is open.
//!
//! A `…Page` is the whole document. A `…Body` is what a page's live region holds: the application
//! answers a request that carries `HX-Request: true` with the body alone.

mod account;
mod api_keys;
mod audit;
mod company;
mod connection_detail;
mod connection_form;
mod connection_mapping;
mod connection_settings;
mod connections;
mod coverage;
mod drift;
mod finance;
mod forgot;
mod message;
mod order;
mod orders;
mod people;
mod plugins;
mod policies;
mod problems;
mod pulse;
mod rates;
mod roles;
mod security;
mod set_up;
mod sign_in;
mod stored_data;
mod sync;
mod syncs;
mod upgrade;

pub use account::{
    AccountDevice, AccountPage, AccountPasskey, AccountSession, NewPasskeyPage, RecoveryCard,
    RecoveryCodesPage, SecondFactorCard, SecondFactorPage,
};
pub use api_keys::{ApiKeyRow, ApiKeysPage, NewApiKeyView, ScopeChoice};
pub use audit::{AuditEventPage, AuditEventRow, AuditPage, AuditVerificationPage};
pub use company::CompanyPage;
pub use connection_detail::{
    CheckView, ConnectionBody, ConnectionPage, EgressRow, HeldRow, SecretRow, StreamRow, UploadForm,
    UploadRow,
};
pub use connection_form::{ConnectionFormPage, Consent, ConsentItem};
pub use connection_mapping::{ConnectionMappingPage, FileLook, PreviewFault, PreviewRow, PreviewView};
pub use connection_settings::{ConflictRow, ConnectionSettingsPage};
pub use connections::{ConnectionChoicePage, ConnectionRow, ConnectionsBody, ConnectionsPage, PluginChoice};
pub use coverage::{CoverageMonth, CoverageRow};
pub use drift::{DriftPath, DriftRow};
pub use finance::{CategoryRow, EntryRow, FinancePage, PayoutPage, PayoutRow};
pub use forgot::{ForgotPage, ForgotState, ResetPage, ResetState};
pub use message::ErrorPage;
pub use order::{
    EventRow, LineageRow, OrderLineRow, OrderPage, OrderPayments, PaymentEntryRow, PaymentTotalRow,
    RefundRow, VersionRow,
};
pub use orders::{OrderRow, OrdersPage};
pub use people::{
    ChoiceForm, FreshInvitation, InvitationPage, InvitationRow, InvitationState, PeoplePage, PermissionRow,
    PersonPage, PersonRow, TeamPage, TeamRow,
};
pub use plugins::{PluginPage, PluginRow, PluginStreamRow, PluginsPage};
pub use policies::{PoliciesPage, PolicyPage, PolicyRow};
pub use problems::{ProblemRow, ProblemsPage};
pub use pulse::{
    FreshnessRow, Kpi, KpiValue, MoneyFlow, MoneyKind, MoneyStep, PulseBody, PulseFilter, PulseMoney,
    PulsePage, RangePreset, SparklineView, TopProductRow, TopProducts,
};
pub use rates::{RatePairRow, RatesPage};
pub use roles::{MatrixRow, RoleColumn, RolePage, RoleSays, RolesPage};
pub use security::{RoleChoice, SecurityPage};
pub use set_up::{SetUpDataPage, SetUpFactorPage, SetUpPage, SetUpState, SetUpStep};
pub use sign_in::{
    AgainPage, AskedFor, CodeByMail, SecondStepPage, SignInLinkPage, SignInLinkState, SignInPage,
};
pub use stored_data::{ReplayRow, StoredData, StoredStream};
pub use sync::{QuarantineRow, SliceRow, SyncBody, SyncPage};
pub use syncs::{SyncRow, SyncsBody, SyncsPage};
pub use upgrade::{
    ShadowCashRow, ShadowDocumentRow, ShadowFieldRow, ShadowMoneyRow, ShadowStreamRow, ShadowView,
    SwitchForm, SwitchRow, UpgradeBody, UpgradePage,
};

/// Every sample of every page with the name of its file: normal, empty and extreme ones.
pub fn samples() -> Vec<(&'static str, askama::Result<String>)> {
    use askama::Template;
    vec![
        ("sign-in", SignInPage::sample().render()),
        ("sign-in-error", SignInPage::sample_error().render()),
        ("sign-in-link", SignInLinkPage::sample().render()),
        ("sign-in-link-used", SignInLinkPage::sample_used().render()),
        ("sign-in-second-step", SecondStepPage::sample().render()),
        ("sign-in-second-step-refused", SecondStepPage::sample().refused().render()),
        ("sign-in-second-step-passkey", SecondStepPage::sample_passkey().render()),
        ("sign-in-second-step-mail", SecondStepPage::by_mail(None, false).render()),
        ("sign-in-second-step-mailed", SecondStepPage::by_mail(None, true).refused().render()),
        ("sign-in-again-passkey", AgainPage::sample_passkey().render()),
        ("sign-in-again", AgainPage::sample().render()),
        ("sign-in-again-password", AgainPage::sample_password().render()),
        ("sign-in-again-link", AgainPage::sample_link().render()),
        ("sign-in-forgot", ForgotPage::new(ForgotState::Ask).render()),
        ("sign-in-forgot-asked", ForgotPage::new(ForgotState::Asked).render()),
        ("sign-in-forgot-no-mail", ForgotPage::new(ForgotState::NoMail).render()),
        ("sign-in-reset", ResetPage::sample().render()),
        ("sign-in-reset-refused", ResetPage::sample_refused().render()),
        ("sign-in-reset-gone", ResetPage::new(ResetState::Gone, "").render()),
        ("sign-in-reset-done", ResetPage::new(ResetState::Done, "").render()),
        ("set-up", SetUpPage::sample().render()),
        ("set-up-refused", SetUpPage::sample_refused().render()),
        ("set-up-no-token", SetUpPage::new(SetUpState::NoToken).render()),
        ("set-up-wrong-token", SetUpPage::new(SetUpState::WrongToken).render()),
        ("set-up-done", SetUpPage::new(SetUpState::Done).render()),
        ("set-up-second-factor", SetUpFactorPage::new(false, "/setup/company").render()),
        ("set-up-second-factor-on", SetUpFactorPage::new(true, "/setup/company").render()),
        ("set-up-company", CompanyPage::sample_set_up().render()),
        ("set-up-first-data", SetUpDataPage::new().render()),
        ("company", CompanyPage::sample().render()),
        ("company-extreme", CompanyPage::sample_extreme().render()),
        ("account", AccountPage::sample().render()),
        ("account-empty", AccountPage::sample_empty().render()),
        ("account-extreme", AccountPage::sample_extreme().render()),
        ("account-passkey", NewPasskeyPage::sample().render()),
        ("account-passkey-refused", NewPasskeyPage::sample_refused().render()),
        ("account-passkey-unavailable", NewPasskeyPage::sample_unavailable().render()),
        ("account-second-factor", SecondFactorPage::sample().render()),
        ("account-second-factor-refused", SecondFactorPage::sample_refused().render()),
        ("account-recovery-codes", RecoveryCodesPage::sample().render()),
        ("account-recovery-codes-renewed", RecoveryCodesPage::sample_renewed().render()),
        ("problems", ProblemsPage::sample().render()),
        ("pulse", PulsePage::sample().render()),
        ("pulse-empty", PulsePage::sample_empty().render()),
        ("pulse-extreme", PulsePage::sample_extreme().render()),
        ("api-keys", ApiKeysPage::sample().render()),
        ("api-keys-made", ApiKeysPage::sample_made().render()),
        ("api-keys-empty", ApiKeysPage::sample_empty().render()),
        ("api-keys-extreme", ApiKeysPage::sample_extreme().render()),
        ("security", SecurityPage::sample().render()),
        ("security-empty", SecurityPage::sample_empty().render()),
        ("security-extreme", SecurityPage::sample_extreme().render()),
        ("audit", AuditPage::sample().render()),
        ("audit-empty", AuditPage::sample_empty().render()),
        ("audit-extreme", AuditPage::sample_extreme().render()),
        ("audit-event", AuditEventPage::sample().render()),
        ("audit-event-empty", AuditEventPage::sample_empty().render()),
        ("audit-event-extreme", AuditEventPage::sample_extreme().render()),
        ("audit-verification", AuditVerificationPage::sample().render()),
        ("audit-verification-broken", AuditVerificationPage::sample_broken().render()),
        ("connections", ConnectionsPage::sample().render()),
        ("connections-empty", ConnectionsPage::sample_empty().render()),
        ("connections-extreme", ConnectionsPage::sample_extreme().render()),
        ("connections-new", ConnectionChoicePage::sample().render()),
        ("connections-new-empty", ConnectionChoicePage::sample_empty().render()),
        ("connections-new-shopify", ConnectionFormPage::sample().render()),
        ("connections-new-shopify-errors", ConnectionFormPage::sample_errors().render()),
        ("connection", ConnectionPage::sample().render()),
        ("connection-empty", ConnectionPage::sample_empty().render()),
        ("connection-extreme", ConnectionPage::sample_extreme().render()),
        ("connection-mapping", ConnectionMappingPage::sample().render()),
        ("connection-mapping-empty", ConnectionMappingPage::sample_empty().render()),
        ("connection-mapping-extreme", ConnectionMappingPage::sample_extreme().render()),
        ("connection-settings", ConnectionSettingsPage::sample().render()),
        ("connection-settings-conflict", ConnectionSettingsPage::sample_conflict().render()),
        ("connection-upgrade", UpgradePage::sample().render()),
        ("connection-upgrade-running", UpgradePage::sample_running().render()),
        ("connection-upgrade-empty", UpgradePage::sample_empty().render()),
        ("connection-upgrade-extreme", UpgradePage::sample_extreme().render()),
        ("syncs", SyncsPage::sample().render()),
        ("syncs-empty", SyncsPage::sample_empty().render()),
        ("sync", SyncPage::sample().render()),
        ("sync-failed", SyncPage::sample_failed().render()),
        ("sync-empty", SyncPage::sample_empty().render()),
        ("orders", OrdersPage::sample().render()),
        ("orders-empty", OrdersPage::sample_empty().render()),
        ("orders-extreme", OrdersPage::sample_extreme().render()),
        ("order", OrderPage::sample().render()),
        ("order-empty", OrderPage::sample_empty().render()),
        ("order-extreme", OrderPage::sample_extreme().render()),
        ("plugins", PluginsPage::sample().render()),
        ("plugins-empty", PluginsPage::sample_empty().render()),
        ("plugin", PluginPage::sample().render()),
        ("finance", FinancePage::sample().render()),
        ("finance-empty", FinancePage::sample_empty().render()),
        ("finance-extreme", FinancePage::sample_extreme().render()),
        ("payout", PayoutPage::sample().render()),
        ("payout-empty", PayoutPage::sample_empty().render()),
        ("payout-extreme", PayoutPage::sample_extreme().render()),
        ("rates", RatesPage::sample().render()),
        ("rates-empty", RatesPage::sample_empty().render()),
        ("rates-extreme", RatesPage::sample_extreme().render()),
        ("people", PeoplePage::sample().render()),
        ("people-invited", PeoplePage::sample_invited().render()),
        ("people-empty", PeoplePage::sample_empty().render()),
        ("people-extreme", PeoplePage::sample_extreme().render()),
        ("person", PersonPage::sample().render()),
        ("person-banned", PersonPage::sample_banned().render()),
        ("person-empty", PersonPage::sample_empty().render()),
        ("person-extreme", PersonPage::sample_extreme().render()),
        ("team", TeamPage::sample().render()),
        ("team-empty", TeamPage::sample_empty().render()),
        ("team-extreme", TeamPage::sample_extreme().render()),
        ("roles", RolesPage::sample().render()),
        ("roles-empty", RolesPage::sample_empty().render()),
        ("roles-extreme", RolesPage::sample_extreme().render()),
        ("role", RolePage::sample().render()),
        ("role-extreme", RolePage::sample_extreme().render()),
        ("policies", PoliciesPage::sample().render()),
        ("policies-empty", PoliciesPage::sample_empty().render()),
        ("policies-extreme", PoliciesPage::sample_extreme().render()),
        ("policy", PolicyPage::sample().render()),
        ("policy-empty", PolicyPage::sample_empty().render()),
        ("policy-extreme", PolicyPage::sample_extreme().render()),
        ("invitation", InvitationPage::sample().render()),
        ("invitation-known", InvitationPage::sample_known().render()),
        ("invitation-gone", InvitationPage::sample_gone().render()),
        ("error", ErrorPage::sample().render()),
        ("not-found", ErrorPage::sample_not_found().render()),
    ]
}

/// What live regions are refreshed with.
pub fn body_samples() -> Vec<(&'static str, askama::Result<String>)> {
    use askama::Template;
    vec![
        ("pulse", PulsePage::sample().body.render()),
        ("connections", ConnectionsPage::sample().body.render()),
        ("connection", ConnectionPage::sample().body.render()),
        ("syncs", SyncsPage::sample().body.render()),
        ("sync", SyncPage::sample().body.render()),
        ("connection-upgrade", UpgradePage::sample().body.render()),
    ]
}

/// Hostile and over-long text that no page may break on.
pub(crate) const EXTREME_TEXT: &str = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)> \
    Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft 中文長名稱 \u{202e}rtl";

#[cfg(test)]
mod tests;
