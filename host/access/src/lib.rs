//! Who somebody is and what they may do: passwords, sessions, links, permissions, the key ring.

pub mod key_ring;
pub mod password;
pub mod permission;
pub mod session;
pub mod token;

pub use key_ring::{KeyError, KeyRing, Purpose, SealedCell};
pub use password::{PasswordError, PasswordHashing};
pub use permission::{Permission, Role, allows};
pub use session::{NewSession, Sessions, SignInError, SignedIn};
