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

pub mod audit;
mod key_ring;
mod links;
mod members;
mod passwords;
mod people;
mod permission;
mod policy;
mod role;
mod sealed;
mod secrets;
mod sessions;
mod throttle;
mod token;

pub use key_ring::{DerivedKey, InvalidMasterKeyId, KeyRing, KeyRingError, MasterKeyId, Purpose};
pub use members::{
    Ban, Member, MemberError, all_roles_of, ban, bump_access, check_may_change, lift_ban, members,
    remove_member, set_roles,
};
pub use passwords::{PasswordError, Passwords};
pub use people::{NewPerson, PersonError, add_person, end_sessions, set_password_hash};
pub use permission::{Permission, UnknownPermission};
pub use policy::{Effect, Policies, PolicyError, TenantPolicy};
pub use role::{SystemRole, UnknownRole};
pub use sealed::{SealError, SealedBy, SealedCell};
pub use secrets::{
    AUDIT_SIGNER, CONNECTION_SECRET, ColumnReport, ColumnRotation, DataKeyUse, KeyPart, MasterKeyUse,
    Rotated, SEALED_COLUMNS, SealedColumn, Secrets, SecretsError, Shredded, Status, TenantKeys, WRAPPED_KEYS,
    examine,
};
pub use sessions::{AuthenticateError, Client, Factor, NewSession, Sessions, SignInError, SignedIn};
