//! What the kinds of problems mean that the API tells.

use askama::Template;

use crate::parts::Shell;

/// One kind of problem.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProblemRow {
    pub code: String,
    /// The address that names it.
    pub href: String,
    /// "404 Not Found".
    pub status: String,
    pub meaning: String,
    pub next_step: String,
}

/// `GET /api/docs/problems`, and one of them alone below it.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "problems.html")]
pub struct ProblemsPage {
    pub shell: Shell,
    pub problems: Vec<ProblemRow>,
}

impl ProblemsPage {
    pub fn new(problems: Vec<ProblemRow>) -> Self {
        let title = match problems.as_slice() {
            [only] => only.code.clone(),
            _ => "Problems".to_owned(),
        };
        Self { shell: Shell::plain(title), problems }
    }

    pub fn sample() -> Self {
        let stale = ProblemRow {
            code: "stale".into(),
            href: "/api/docs/problems/stale".into(),
            status: "412 Precondition Failed".into(),
            meaning: "The thing has changed since it was read.".into(),
            next_step: "Read it again and send the new ETag.".into(),
        };
        Self::new(vec![stale.clone(), ProblemRow { code: "conflict".into(), ..stale }])
    }
}
