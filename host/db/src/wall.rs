//! The second wall between tenants, on PostgreSQL: row-level security.
//!
//! The migrations put it up; here a process makes sure that it stands before its first transaction begins,
//! and says at each `BEGIN` as whom it works and for whom. Decided in docs/decisions/0004.

use portolan_core::TenantId;
use sea_orm::{ConnectionTrait, DatabaseConnection, QueryResult, Statement, Value};

use crate::{DbError, Dialect};

/// Owns nothing, is held by every policy. The migrations make it.
const APP_ROLE: &str = "portolan_app";

/// Whether all of a transaction's reads see one moment, and it writes nothing.
pub(crate) const IS_SNAPSHOT: &str = "is_snapshot";

/// As whom transactions work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WorksAs {
    /// [`APP_ROLE`], taken on for the length of each transaction.
    AppRole,
    /// The role that signed in: it is held by the policies as well.
    Login,
}

/// On whose behalf a transaction works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    Tenant(TenantId),
    /// What the house shares: of the tables that carry a tenant only those that serve all at once, such as
    /// the queue and the sessions.
    House,
}

impl Scope {
    /// What a transaction says first, until it ends: what the policies read. It is told whether it [`IS_SNAPSHOT`].
    pub fn announcement(self, works_as: WorksAs) -> Statement {
        let take_on = match works_as {
            WorksAs::AppRole => format!("set_config('role', '{APP_ROLE}', true), "),
            WorksAs::Login => String::new(),
        };
        let (setting, value) = match self {
            Self::Tenant(tenant) => ("app.tenant", tenant.to_string()),
            Self::House => ("app.system", "on".to_owned()),
        };
        let sql = format!(
            "SELECT {take_on}set_config('{setting}', $1, true), \
             current_setting('transaction_isolation') = 'repeatable read' \
             AND current_setting('transaction_read_only') = 'on' AS {IS_SNAPSHOT}"
        );
        Statement::from_sql_and_values(Dialect::Postgres.backend(), sql, [Value::from(value)])
    }
}

/// Makes sure that the wall holds whoever signed in.
///
/// Errors: [`DbError::Unsafe`] with the command that puts it up, unless a trial goes without.
pub(crate) async fn inspect(
    connection: &DatabaseConnection,
    accept_missing: bool,
) -> Result<WorksAs, DbError> {
    let roles = Roles::read(connection).await?;
    let found = match roles.works_as() {
        Ok(works_as) => open_tables(connection).await?.map_or(Ok(works_as), Err),
        Err(problem) => Err(problem),
    };
    match found {
        Ok(works_as) => {
            roles.tell(works_as);
            Ok(works_as)
        }
        Err(problem) if accept_missing => {
            tracing::warn!(
                "TENANTS ARE KEPT APART BY ONE WALL ONLY, as --accept-missing-row-security asks: {problem}"
            );
            Ok(WorksAs::Login)
        }
        Err(problem) => Err(DbError::Unsafe(format!(
            "{problem}. For a trial among people who trust each other, start with --accept-missing-row-security"
        ))),
    }
}

/// Who signed in, and what they may become.
struct Roles {
    login: String,
    /// Policies do not hold it: a superuser, or `BYPASSRLS`.
    login_unbound: bool,
    login_owns_tables: bool,
    app_exists: bool,
    app_unbound: bool,
    may_become_app: bool,
}

impl Roles {
    async fn read(connection: &DatabaseConnection) -> Result<Self, DbError> {
        // Since PostgreSQL 16 a member may be one that must not take on the role.
        let sql = "SELECT login.rolname::text, login.rolsuper OR login.rolbypassrls, \
                   EXISTS (SELECT FROM pg_tables WHERE schemaname = current_schema() AND tableowner = login.rolname), \
                   app.oid IS NOT NULL, COALESCE(app.rolsuper OR app.rolbypassrls, false), \
                   COALESCE(pg_has_role(login.oid, app.oid, CASE \
                   WHEN current_setting('server_version_num')::int >= 160000 THEN 'SET' ELSE 'MEMBER' END), false) \
                   FROM pg_roles AS login LEFT JOIN pg_roles AS app ON app.rolname = $1 \
                   WHERE login.rolname = current_user";
        let statement =
            Statement::from_sql_and_values(Dialect::Postgres.backend(), sql, [Value::from(APP_ROLE)]);
        let row = connection.query_one_raw(statement).await?;
        let row = row.ok_or_else(|| DbError::Unsafe("PostgreSQL does not know its own role".to_owned()))?;
        Ok(Self {
            login: row.try_get_by_index(0)?,
            login_unbound: row.try_get_by_index(1)?,
            login_owns_tables: row.try_get_by_index(2)?,
            app_exists: row.try_get_by_index(3)?,
            app_unbound: row.try_get_by_index(4)?,
            may_become_app: row.try_get_by_index(5)?,
        })
    }

    fn works_as(&self) -> Result<WorksAs, String> {
        let login = &self.login;
        if self.may_become_app && self.app_unbound {
            return Err(format!(
                "row-level security does not hold {APP_ROLE}: run ALTER ROLE {APP_ROLE} NOSUPERUSER NOBYPASSRLS"
            ));
        }
        match (self.may_become_app, self.login_unbound, self.app_exists) {
            (true, _, _) => Ok(WorksAs::AppRole),
            (false, false, _) => Ok(WorksAs::Login),
            (false, true, true) => Err(format!(
                "row-level security does not hold the role {login}, and it may not become {APP_ROLE}: \
                 run GRANT {APP_ROLE} TO \"{login}\""
            )),
            (false, true, false) => Err(format!(
                "row-level security does not hold the role {login}, and there is no role {APP_ROLE} to work as: \
                 run portolan migrate --database-url <the address with the database's owner>"
            )),
        }
    }

    fn tell(&self, works_as: WorksAs) {
        match works_as {
            WorksAs::AppRole => tracing::debug!("row-level security holds {APP_ROLE}, as which we work"),
            WorksAs::Login if self.login_owns_tables => tracing::info!(
                "row-level security holds the role {}, but it owns the tables and could take the policies away: \
                 let a superuser run CREATE ROLE {APP_ROLE}; GRANT {APP_ROLE} TO \"{0}\", then portolan migrate",
                self.login
            ),
            WorksAs::Login => tracing::debug!("row-level security holds the role {}", self.login),
        }
    }
}

/// The tables of tenants whose policies are missing, not forced, or joined by somebody else's, as what to do
/// about them.
async fn open_tables(connection: &DatabaseConnection) -> Result<Option<String>, DbError> {
    let sql = "SELECT c.relname::text FROM pg_class AS c \
               JOIN pg_namespace AS n ON n.oid = c.relnamespace AND n.nspname = current_schema() \
               JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attname = 'tenant_id' AND NOT a.attisdropped \
               WHERE c.relkind IN ('r', 'p') AND NOT (c.relrowsecurity AND c.relforcerowsecurity AND EXISTS \
               (SELECT FROM pg_policy AS p WHERE p.polrelid = c.oid AND p.polname = 'tenant_wall') AND NOT EXISTS \
               (SELECT FROM pg_policy AS p WHERE p.polrelid = c.oid AND p.polname NOT IN ('tenant_wall', 'house_work'))) \
               ORDER BY c.relname";
    let rows = connection.query_all_raw(Statement::from_string(Dialect::Postgres.backend(), sql)).await?;
    let names: Vec<String> =
        rows.iter().map(|row: &QueryResult| row.try_get_by_index(0)).collect::<Result<_, _>>()?;
    if names.is_empty() {
        return Ok(None);
    }
    Ok(Some(format!(
        "row-level security is not forced on {}: run portolan migrate --database-url <the address with the database's owner>",
        names.join(", ")
    )))
}

#[cfg(test)]
mod tests;
