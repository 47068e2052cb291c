//! What each kind of problem means: the pages that `type` of problem+json leads to.

use axum::http::StatusCode;
use portolan_admin_ui::pages::{ProblemRow, ProblemsPage};

use crate::web::error::{AppError, PageResult};
use crate::web::extract::Path;
use crate::web::html;
use crate::web::problem::{PROBLEMS, ProblemKind, address};

pub async fn list_problems() -> PageResult {
    html(&ProblemsPage::new(PROBLEMS.iter().map(row).collect()))
}

pub async fn show_problem(Path(code): Path<String>) -> PageResult {
    let problem = PROBLEMS.iter().find(|problem| problem.code == code);
    let problem = problem.ok_or_else(|| AppError::not_found("kind of problem"))?;
    html(&ProblemsPage::new(vec![row(problem)]))
}

fn row(problem: &ProblemKind) -> ProblemRow {
    let name = StatusCode::from_u16(problem.status).ok().and_then(|status| status.canonical_reason());
    ProblemRow {
        code: problem.code.to_owned(),
        href: address(problem.code),
        status: format!("{} {}", problem.status, name.unwrap_or_default()),
        meaning: problem.meaning.to_owned(),
        next_step: problem.next_step.to_owned(),
    }
}
