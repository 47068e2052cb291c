//! Lists are read page by page: an opaque cursor, signed and bound to nothing but its place.

use axum::http::StatusCode;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use portolan_access::{DerivedKey, Purpose};
use serde::Serialize;
use sha2::Sha256;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::App;
use crate::web::error::{AppError, AppResult};

const DEFAULT_LIMIT: u64 = 50;
const LARGEST_LIMIT: u64 = 500;
const SIGNATURE_BYTES: usize = 16;

/// Where a page begins and how long it is: `?limit=1..500&cursor=`.
#[derive(Debug, Clone, Copy)]
pub struct PagePlace {
    pub limit: u64,
    /// The item that the page before ended with.
    pub after: Option<Uuid>,
}

impl PagePlace {
    pub fn read(app: &App, limit: Option<u64>, cursor: Option<&str>) -> AppResult<Self> {
        Ok(Self {
            limit: limit.unwrap_or(DEFAULT_LIMIT).clamp(1, LARGEST_LIMIT),
            after: cursor.map(|cursor| open_cursor(app, cursor)).transpose()?,
        })
    }
}

/// One page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct Page<T> {
    pub data: Vec<T>,
    pub page: PageInfo,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct PageInfo {
    /// Send it as `cursor` for the next page.
    pub next_cursor: Option<String>,
    pub has_more: bool,
}

impl<T> Page<T> {
    /// A page of `items`, which holds one more than `limit` where there are more.
    pub fn new(app: &App, mut items: Vec<T>, limit: u64, id_of: impl Fn(&T) -> Uuid) -> Self {
        let has_more = items.len() as u64 > limit;
        items.truncate(limit as usize);
        let next_cursor = items.last().filter(|_| has_more).map(|last| seal_cursor(app, id_of(last)));
        Self { data: items, page: PageInfo { next_cursor, has_more } }
    }
}

/// The cursor after an item.
pub fn seal_cursor(app: &App, id: Uuid) -> String {
    let mut bytes = id.as_bytes().to_vec();
    bytes.extend(signature(&app.key_ring.derive(Purpose::Cursor), id));
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The item of a cursor that this server made.
pub fn open_cursor(app: &App, cursor: &str) -> AppResult<Uuid> {
    let refused = || {
        let mut error =
            AppError::invalid("cursor", "This cursor is not one of ours. Start from the first page.");
        error.status = StatusCode::BAD_REQUEST;
        error
    };
    let bytes = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| refused())?;
    let (id, signed) = bytes.split_at_checked(16).ok_or_else(refused)?;
    let id = Uuid::from_slice(id).map_err(|_| refused())?;
    // One that was made before the master key was changed is still ours.
    let keys = app.key_ring.derive_all(Purpose::Cursor);
    if keys.iter().any(|key| signed == signature(key, id)) { Ok(id) } else { Err(refused()) }
}

/// A forged cursor reveals nothing that its forger may not read; the signature keeps the place
/// ours to change.
fn signature(key: &DerivedKey, id: Uuid) -> [u8; SIGNATURE_BYTES] {
    let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(key.bytes()).expect("any key length");
    mac.update(id.as_bytes());
    let full = mac.finalize().into_bytes();
    let mut short = [0; SIGNATURE_BYTES];
    short.copy_from_slice(&full[..SIGNATURE_BYTES]);
    short
}
