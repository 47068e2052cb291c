//! Who may come in, what they may do, and how secrets rest.
//!
//! **Invariants**
//! - Tokens, passwords and keys are stored as hashes or sealed, never as they are: a copy of the database
//!   opens nothing.
//! - Every wrong answer at the door is the same answer ([`SignInError::Refused`]).
//! - A sealed value opens in its own cell only: moved to another row, column or tenant it is refused.
//! - A key is changed while everybody goes on reading, and taken away only when nothing needs it ([`Secrets`]).
//! - Each purpose has a key of its own, derived from the master key: one that leaks opens nothing else.

mod key_ring;
mod links;
mod passwords;
mod people;
mod permission;
mod sealed;
mod secrets;
mod sessions;
mod throttle;
mod token;

pub use key_ring::{DerivedKey, InvalidMasterKeyId, KeyRing, KeyRingError, MasterKeyId, Purpose};
pub use passwords::{PasswordError, Passwords};
pub use people::{NewPerson, PersonError, add_person, end_sessions, set_password_hash};
pub use permission::{Permission, Role, UnknownRole, allows};
pub use sealed::{SealError, SealedBy, SealedCell};
pub use secrets::{
    CONNECTION_SECRET, ColumnReport, ColumnRotation, DataKeyUse, KeyPart, MasterKeyUse, Rotated,
    SEALED_COLUMNS, SealedColumn, Secrets, SecretsError, Shredded, Status, TenantKeys, WRAPPED_KEYS, examine,
};
pub use sessions::{NewSession, Sessions, SignInError, SignedIn};
