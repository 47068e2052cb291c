//! `docs/permissions.md` says who may do what. It is written from the code:
//!
//! ```text
//! PORTOLAN_WRITE_DOCS=1 cargo nextest run --workspace -E 'test(the_page_of_permissions_is_up_to_date)'
//! ```

use std::fmt::Write as _;
use std::path::Path;

use portolan_access::{Permission, SystemRole};
use portolan_app::router::route_infos;
use portolan_app::web::route::{Access, RouteInfo};

const WRITE_VARIABLE: &str = "PORTOLAN_WRITE_DOCS";

const INTRODUCTION: &str = "\
# Permissions

Written from the code by a test, which fails when this page is older than it:

```
PORTOLAN_WRITE_DOCS=1 cargo nextest run --workspace -E 'test(the_page_of_permissions_is_up_to_date)'
```

A permission is asked for where a route is registered, by the type of its handler's first argument; a route can't be
registered without. The same names stand in the OpenAPI document as `x-permission`. What a role allows is allowed in one
tenant; what another tenant owns is *not found*, never *forbidden*. Tenants make roles of their own beside these:
[people and roles](guides/people-and-roles.md).
";

fn page() -> String {
    let mut text = INTRODUCTION.to_owned();
    text.push_str("\n## Roles\n\n| role | for whom |\n|---|---|\n");
    for role in SystemRole::ALL {
        writeln!(text, "| {role} | {} |", role.description()).expect("written");
    }
    text.push_str("\n## What each role allows\n\n| permission |");
    for role in SystemRole::ALL {
        write!(text, " {role} |").expect("written");
    }
    text.push_str("\n|---|");
    text.push_str(&"---|".repeat(SystemRole::ALL.len()));
    text.push('\n');
    for permission in Permission::ALL {
        write!(text, "| `{permission}` |").expect("written");
        for role in SystemRole::ALL {
            text.push_str(if role.permissions().contains(permission) { " ● |" } else { "  |" });
        }
        text.push('\n');
    }
    text.push_str("\n## What each permission is for\n\n| permission | |\n|---|---|\n");
    for permission in Permission::ALL {
        writeln!(text, "| `{permission}` | {} |", permission.description()).expect("written");
    }
    let (of_api, pages) = route_infos();
    text.push_str("\n## The API\n\n");
    list_guarded(&mut text, &of_api);
    text.push_str("\n## Pages\n\n");
    list_guarded(&mut text, &pages);
    text.push_str("\n## For everybody\n\n| route | why it needs no permission |\n|---|---|\n");
    for route in sorted(of_api.iter().chain(&pages)) {
        if let Access::Public(reason) = route.access {
            writeln!(text, "| `{} {}` | {reason} |", route.method, route.path).expect("written");
        }
    }
    text.push_str(
        "| `GET /api/docs`, `GET /api/openapi.json` | they describe the API and hold nobody's data |\n",
    );
    text
}

fn list_guarded(text: &mut String, routes: &[RouteInfo]) {
    text.push_str("| route | needs |\n|---|---|\n");
    for route in sorted(routes) {
        let needed = match route.access {
            Access::Public(_) => continue,
            Access::SignedIn => "to be signed in".to_owned(),
            Access::Needs { .. } => {
                let names = route.access.permissions().map(|permission| format!("`{permission}`"));
                names.collect::<Vec<_>>().join(" and ")
            }
        };
        writeln!(text, "| `{} {}` | {needed} |", route.method, route.path).expect("written");
    }
}

fn sorted<'a>(routes: impl IntoIterator<Item = &'a RouteInfo>) -> Vec<&'a RouteInfo> {
    let mut sorted: Vec<_> = routes.into_iter().collect();
    sorted.sort_by_key(|route| (&route.path, route.method));
    sorted
}

#[test]
fn the_page_of_permissions_is_up_to_date() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/permissions.md");
    let page = page();
    if std::env::var_os(WRITE_VARIABLE).is_some() {
        std::fs::write(&file, &page).expect("written");
    }
    let kept = std::fs::read_to_string(&file).unwrap_or_default();
    let at = kept.lines().zip(page.lines()).position(|(kept, new)| kept != new);
    let new = at.and_then(|at| page.lines().nth(at));
    assert!(kept == page, "docs/permissions.md is older than the code, first at line {at:?}: {new:?}");
}
