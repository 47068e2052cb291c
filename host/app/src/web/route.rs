//! Routes that say who may call them. Registering a route reads its permission from its handler's own signature, so
//! that none is forgotten, and none is described otherwise than it is asked for.
//!
//! A handler whose first argument is neither [`Require`] nor [`PageActor`] can be registered as public alone, with the
//! reason.

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::handler::Handler;
use axum::routing::{MethodRouter, get, post};
use portolan_access::Permission;
use utoipa::openapi::OpenApi;
use utoipa::openapi::extensions::Extensions;
use utoipa::openapi::path::{Operation, PathItem};
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouter};

use crate::App;
use crate::web::actor::{Grant, PageActor, Require};
use crate::web::step_up::StepUp;

/// Beside an operation of the OpenAPI document: the permission that it asks for, or two with a space between.
const PERMISSION_KEY: &str = "x-permission";
/// Likewise: why it asks for none.
const PUBLIC_KEY: &str = "x-public";
/// In place of a permission, where being signed in is enough.
pub const SIGNED_IN: &str = "signed-in";

/// An argument that lets nobody by without a permission.
pub trait Guard {
    const ACCESS: Access;
}

impl<G: Grant> Guard for Require<G> {
    const ACCESS: Access = match G::NEEDS {
        Some(permission) => Access::Needs { permission, also: G::ALSO },
        None => Access::SignedIn,
    };
}

impl<G: Grant> Guard for PageActor<G> {
    const ACCESS: Access = Require::<G>::ACCESS;
}

impl<A: Guard> Guard for StepUp<A> {
    const ACCESS: Access = A::ACCESS;
}

/// A handler whose first argument is a [`Guard`]. `Arguments` tells handlers of unlike signatures apart.
pub trait Guarded<Arguments> {
    const ACCESS: Access;
}

/// Says it for as many further arguments as handlers have.
macro_rules! guarded_with {
    ($($argument:ident),*) => {
        impl<F, R, Who, $($argument),*> Guarded<(Who, $($argument,)*)> for F
        where
            F: FnOnce(Who, $($argument),*) -> R,
            Who: Guard,
        {
            const ACCESS: Access = Who::ACCESS;
        }
    };
}

guarded_with!();
guarded_with!(A);
guarded_with!(A, B);
guarded_with!(A, B, C);
guarded_with!(A, B, C, D);
guarded_with!(A, B, C, D, E);
guarded_with!(A, B, C, D, E, F2);

/// Who may call a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Whoever is signed in and may do this; both, where there are two.
    Needs { permission: Permission, also: Option<Permission> },
    /// Whoever is signed in: it concerns themselves alone.
    SignedIn,
    /// Everybody, for this reason.
    Public(&'static str),
}

impl Access {
    /// What somebody has to be allowed; nothing where everybody is.
    pub fn permissions(self) -> impl Iterator<Item = Permission> {
        let (permission, also) = match self {
            Self::Needs { permission, also } => (Some(permission), also),
            Self::SignedIn | Self::Public(_) => (None, None),
        };
        permission.into_iter().chain(also)
    }
}

/// A route as lists and tests see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteInfo {
    pub method: &'static str,
    pub path: String,
    pub access: Access,
}

/// The API's routes of a slice, each with its entry in the OpenAPI document.
pub struct ApiRoutes {
    router: OpenApiRouter<Arc<App>>,
    infos: Vec<RouteInfo>,
}

/// One operation with the handler that answers it; made by `guarded!`.
pub struct ApiRoute {
    route: UtoipaMethodRouter<Arc<App>>,
    access: Access,
}

impl ApiRoute {
    pub fn guarded<H: Guarded<Arguments>, Arguments>(
        route: UtoipaMethodRouter<Arc<App>>,
        _handler: &H,
    ) -> Self {
        Self { route, access: H::ACCESS }
    }
}

/// The route of one API handler, with the permission that its first argument names.
macro_rules! guarded {
    ($handler:ident) => {
        $crate::web::route::ApiRoute::guarded(utoipa_axum::routes!($handler), &$handler)
    };
}
pub(crate) use guarded;

impl Default for ApiRoutes {
    fn default() -> Self {
        Self::new()
    }
}

impl ApiRoutes {
    pub fn new() -> Self {
        Self { router: OpenApiRouter::new(), infos: Vec::new() }
    }

    /// Routes that are described in this document.
    pub fn in_document(document: OpenApi) -> Self {
        Self { router: OpenApiRouter::with_openapi(document), infos: Vec::new() }
    }

    pub fn with(mut self, route: ApiRoute) -> Self {
        let (schemas, mut paths, methods) = route.route;
        for (path, item) in &mut paths.paths {
            for (method, operation) in operations_of(item) {
                mark(operation, route.access);
                self.infos.push(RouteInfo { method, path: path.clone(), access: route.access });
            }
        }
        Self { router: self.router.routes((schemas, paths, methods)), infos: self.infos }
    }

    /// A route for everybody, signed in or not. The reason stands in the documents.
    pub fn with_public(self, route: UtoipaMethodRouter<Arc<App>>, reason: &'static str) -> Self {
        self.with(ApiRoute { route, access: Access::Public(reason) })
    }

    pub fn merge(mut self, other: Self) -> Self {
        self.infos.extend(other.infos);
        Self { router: self.router.merge(other.router), infos: self.infos }
    }

    pub fn into_parts(self) -> (Router<Arc<App>>, OpenApi, Vec<RouteInfo>) {
        let (router, document) = self.router.split_for_parts();
        (router, document, self.infos)
    }
}

fn operations_of(item: &mut PathItem) -> impl Iterator<Item = (&'static str, &mut Operation)> {
    [
        ("GET", &mut item.get),
        ("PUT", &mut item.put),
        ("POST", &mut item.post),
        ("PATCH", &mut item.patch),
        ("DELETE", &mut item.delete),
    ]
    .into_iter()
    .filter_map(|(method, operation)| Some((method, operation.as_mut()?)))
}

fn mark(operation: &mut Operation, access: Access) {
    let (key, value) = match access {
        Access::Needs { .. } => {
            let names: Vec<&str> = access.permissions().map(Permission::as_str).collect();
            (PERMISSION_KEY, names.join(" "))
        }
        Access::SignedIn => (PERMISSION_KEY, SIGNED_IN.to_owned()),
        Access::Public(reason) => (PUBLIC_KEY, reason.to_owned()),
    };
    operation.extensions.get_or_insert_default().merge(Extensions::from_iter([(key, value)]));
}

/// The pages of a slice.
#[derive(Default)]
pub struct PageRoutes {
    router: Router<Arc<App>>,
    infos: Vec<RouteInfo>,
}

impl PageRoutes {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn get<H, T, Arguments>(self, path: &str, handler: H) -> Self
    where
        H: Handler<T, Arc<App>> + Guarded<Arguments>,
        T: 'static,
    {
        self.add("GET", path, get(handler), H::ACCESS)
    }

    pub fn post<H, T, Arguments>(self, path: &str, handler: H) -> Self
    where
        H: Handler<T, Arc<App>> + Guarded<Arguments>,
        T: 'static,
    {
        self.add("POST", path, post(handler), H::ACCESS)
    }

    /// A form that brings a file: it may be larger than other requests.
    pub fn post_file<H, T, Arguments>(self, path: &str, handler: H, largest_bytes: usize) -> Self
    where
        H: Handler<T, Arc<App>> + Guarded<Arguments>,
        T: 'static,
    {
        let route = post(handler).layer(DefaultBodyLimit::max(largest_bytes));
        self.add("POST", path, route, H::ACCESS)
    }

    /// A page for everybody, signed in or not. The reason stands in the documents.
    pub fn public_get<H, T>(self, path: &str, handler: H, reason: &'static str) -> Self
    where
        H: Handler<T, Arc<App>>,
        T: 'static,
    {
        self.add("GET", path, get(handler), Access::Public(reason))
    }

    pub fn public_post<H, T>(self, path: &str, handler: H, reason: &'static str) -> Self
    where
        H: Handler<T, Arc<App>>,
        T: 'static,
    {
        self.add("POST", path, post(handler), Access::Public(reason))
    }

    pub fn merge(mut self, other: Self) -> Self {
        self.infos.extend(other.infos);
        Self { router: self.router.merge(other.router), infos: self.infos }
    }

    pub fn into_parts(self) -> (Router<Arc<App>>, Vec<RouteInfo>) {
        (self.router, self.infos)
    }

    fn add(
        mut self,
        method: &'static str,
        path: &str,
        route: MethodRouter<Arc<App>>,
        access: Access,
    ) -> Self {
        self.infos.push(RouteInfo { method, path: path.to_owned(), access });
        Self { router: self.router.route(path, route), infos: self.infos }
    }
}
