//! Who may come in, what they may do, and how secrets rest.
//!
//! **Invariants**
//! - Tokens, passwords and keys are stored as hashes or sealed, never as they are: a copy of the database
//!   opens nothing.
//! - What somebody may do is asked of Casbin, by rules that no change of roles outlives ([`Policies`]).
//! - Every wrong answer at the door is the same answer ([`SignInError::Refused`]).
//! - A sealed value opens in its own cell only: moved to another row, column or tenant it is refused.
//! - A key is changed while everybody goes on reading, and taken away only when nothing needs it ([`Secrets`]).
//! - Who changes something is told by the audit, in the same transaction ([`audit`]).
//! - Each purpose has a key of its own, derived from the master key: one that leaks opens nothing else.

mod agencies;
pub mod api_keys;
pub mod audit;
mod client;
mod custom_roles;
pub mod data_policies;
mod devices;
mod domain_name;
mod domains;
mod guesses;
mod invitations;
mod key_ring;
mod links;
mod mail_code;
mod mail_limit;
mod members;
mod network;
pub mod oidc;
mod own_account;
mod own_sessions;
pub mod passkeys;
mod passwords;
mod people;
mod permission;
mod policy;
mod pseudonyms;
mod recovery;
mod recovery_codes;
mod resets;
mod rights;
mod role;
mod sealed;
mod second_factor;
mod second_step;
mod secrets;
mod sessions;
mod set_up;
mod sign_in_policy;
mod signed_in;
mod teams;
mod tenants;
mod token;
mod totp;

pub use agencies::{
    AgencyError, ClientCompany, ReleasedBy, clients_of, grant_in_client, grants_in_client, open_client,
    people_of, release_client, revoke_in_client, who_there,
};
pub use client::{Client, EarlierSession, Factor};
pub use custom_roles::{
    CustomRole, Holders, change_role, create_role, custom_roles, delete_role, find_custom_role,
    holder_counts, holders,
};
pub use devices::{DEVICE_LASTS, DeviceToken, OwnDevice};
pub use domain_name::{DomainName, NotADomain};
pub use domains::{VERIFIED, holder_of_domain};
pub use invitations::{
    AcceptError, INVITATION_LASTS, Invitation, InvitationSeen, invite, open_invitations, withdraw_invitation,
};
pub use key_ring::{DerivedKey, InvalidMasterKeyId, KeyRing, KeyRingError, MasterKeyId, Purpose};
pub use mail_code::{MAIL_CODE_LASTS, MailCode};
pub use mail_limit::{ask_for_mail, forget_mail_limits};
pub use members::{
    Ban, Member, MemberError, all_roles_of, ban, bump_access, check_may_change, lift_ban, members,
    remove_member, set_roles, sign_out_member,
};
pub use network::client_network;
pub use own_account::OwnAccount;
pub use own_sessions::OwnSession;
pub use passwords::{PasswordError, Passwords};
pub use people::{NewPerson, PersonError, add_person, end_sessions, set_password_hash};
pub use permission::{Permission, UnknownPermission};
pub use policy::{Effect, Policies, PolicyError, TenantPolicy};
pub use pseudonyms::{PSEUDONYM_PREFIX, PersonKey, PseudonymKey, SealedPerson};
pub use recovery_codes::RecoveryCodes;
pub use resets::{RESET_LASTS, Reset};
pub use rights::{Explanation, Reason, Rights};
pub use role::{SystemRole, UnknownRole};
pub use sealed::{SealError, SealedBy, SealedCell};
pub use second_factor::{Enrolment, SecondFactorError, SecondFactors, Ways, reset_second_factor};
pub use second_step::{PendingSignIn, Shown};
pub use secrets::{
    AUDIT_SIGNER, CONNECTION_SECRET, ColumnReport, ColumnRotation, DataKeyUse, HOUSE_COLUMNS, HouseColumn,
    HouseRotation, IDENTITY_FLOW, IDENTITY_PROVIDER_SECRET, KeyPart, MAIL, MasterKeyUse, PASSKEY,
    PASSKEY_CEREMONY, PERSON_KEY, PRIVACY_EXPORT, PRIVACY_SUBJECT, PSEUDONYM_KEY, Rotated, SEALED_COLUMNS,
    SECOND_FACTOR_SEED, SealedColumn, Secrets, SecretsError, Shredded, Status, TenantKeys, WRAPPED_KEYS,
    examine, examine_house,
};
pub use sessions::{NewSession, Sessions, SignInError};
pub use set_up::FirstOwner;
pub use sign_in_policy::{
    Changer, NewSignInPolicy, SignInPolicy, SignInPolicyError, change_sign_in_policy, lift_networks,
    sign_in_policy,
};
pub use signed_in::{AuthenticateError, SignedIn};
pub use teams::{
    Team, create_team, delete_team, find_team, rename_team, set_team_members, set_team_roles, teams,
};
pub use tenants::tenants_of;
