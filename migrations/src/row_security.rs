//! The second wall between tenants, on PostgreSQL: policies on every table that has a `tenant_id`, forced on
//! the tables' owner too, and a role that owns nothing for the application to work as.
//!
//! Made from the tables that are there, at the end of every migration: a new table has its policy without
//! anybody thinking of it. Why so, and what it is worth: docs/decisions/0004.

use sea_orm_migration::sea_orm::{ConnectionTrait, DbBackend, DbErr, QueryResult, Statement, Value};

/// Tables that carry a tenant and serve work over all tenants: who signs in or comes with a key, under which domain, and the queue. No table with what
/// a tenant sells, buys or knows is one of them.
const HOUSE_TABLES: [&str; 10] = [
    "api_key",
    "api_token",
    "job",
    "lane",
    "membership",
    "pending_sign_in",
    "schedule",
    "session",
    "sign_in_link",
    "tenant_domain",
];

/// The tenant of the transaction; none outside one. An ended transaction leaves the empty text behind. Asked
/// once per statement, not once per row: that is what the `SELECT` is for.
const OWN_ROWS: &str = "tenant_id = (SELECT nullif(current_setting('app.tenant', true), '')::uuid)";

/// Only the transactions of the house set it.
const HOUSE_WORKS: &str = "(SELECT current_setting('app.system', true)) = 'on'";

/// Tables that lack a policy, or have one that is not ours. `$1` names the tables of the house.
///
/// A change of [`OWN_ROWS`] or [`HOUSE_WORKS`] needs new names of policies here: old ones are told by them.
const OPEN_TABLES: &str = "SELECT c.relname::text FROM pg_class AS c \
    JOIN pg_namespace AS n ON n.oid = c.relnamespace AND n.nspname = current_schema() \
    JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attname = 'tenant_id' AND NOT a.attisdropped \
    WHERE c.relkind IN ('r', 'p') AND NOT (c.relrowsecurity AND c.relforcerowsecurity AND \
    (SELECT string_agg(p.polname::text, ',' ORDER BY p.polname::text COLLATE \"C\") FROM pg_policy AS p \
    WHERE p.polrelid = c.oid) IS NOT DISTINCT FROM \
    CASE WHEN position(',' || c.relname || ',' IN $1) > 0 THEN 'house_work,tenant_wall' ELSE 'tenant_wall' END) \
    ORDER BY c.relname";

/// Whether there is a role for the application that may not use the tables yet.
const ROLE_LACKS_RIGHTS: &str = "SELECT EXISTS (SELECT FROM pg_roles AS app \
    JOIN pg_class AS c ON c.relkind IN ('r', 'p') \
    JOIN pg_namespace AS n ON n.oid = c.relnamespace AND n.nspname = current_schema() \
    JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attname = 'tenant_id' AND NOT a.attisdropped \
    WHERE app.rolname = 'portolan_app' AND NOT has_table_privilege(app.oid, c.oid, 'DELETE'))";

/// Makes the role where this role may, and lets this role become it. Roles belong to the whole server: another
/// database's migration may make it at the same moment. An owner that may not make roles is held by the
/// forced policies itself.
const MAKE_ROLE: &str = "DO $$ BEGIN \
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'portolan_app') THEN BEGIN \
    CREATE ROLE portolan_app NOLOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS; \
    EXCEPTION WHEN insufficient_privilege OR duplicate_object OR unique_violation THEN NULL; END; END IF; \
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'portolan_app') \
    AND NOT pg_has_role(current_user, 'portolan_app', 'MEMBER') THEN BEGIN \
    EXECUTE format('GRANT portolan_app TO %I', current_user); \
    EXCEPTION WHEN insufficient_privilege OR unique_violation THEN NULL; END; END IF; END $$";

/// Rows may be read and written; tables may not be emptied or changed, nor the record of migrations.
const GRANT_RIGHTS: &str = "DO $$ DECLARE own text; BEGIN \
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'portolan_app') THEN \
    EXECUTE format('GRANT USAGE ON SCHEMA %I TO portolan_app', current_schema()); \
    FOR own IN SELECT format('%I.%I', schemaname, tablename) FROM pg_tables \
    WHERE schemaname = current_schema() AND pg_has_role(current_user, tableowner, 'USAGE') LOOP \
    EXECUTE 'GRANT SELECT, INSERT, UPDATE, DELETE ON ' || own || ' TO portolan_app'; END LOOP; \
    REVOKE INSERT, UPDATE, DELETE ON seaql_migrations FROM portolan_app; \
    END IF; END $$";

/// Whether nothing is left to do; changes nothing.
pub async fn stands<C: ConnectionTrait>(connection: &C) -> Result<bool, DbErr> {
    if connection.get_database_backend() != DbBackend::Postgres {
        return Ok(true);
    }
    let lacks = Statement::from_string(DbBackend::Postgres, ROLE_LACKS_RIGHTS);
    let lacks = connection.query_one_raw(lacks).await?;
    let lacks = lacks.map_or(Ok(false), |row| row.try_get_by_index::<bool>(0))?;
    Ok(!lacks && open_tables(connection).await?.is_empty())
}

/// Brings role, rights and policies to where they should be. Does nothing on SQLite, which knows none of them.
pub async fn raise<C: ConnectionTrait>(connection: &C) -> Result<(), DbErr> {
    if connection.get_database_backend() != DbBackend::Postgres {
        return Ok(());
    }
    connection.execute_unprepared(MAKE_ROLE).await?;
    for table in open_tables(connection).await? {
        for policy in policies(connection, &table).await? {
            let drop = format!("DROP POLICY {} ON {}", quoted(&policy), quoted(&table));
            connection.execute_unprepared(&drop).await?;
        }
        let name = quoted(&table);
        connection
            .execute_unprepared(&format!(
                "ALTER TABLE {name} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY; \
                 CREATE POLICY tenant_wall ON {name} USING ({OWN_ROWS}) WITH CHECK ({OWN_ROWS})"
            ))
            .await?;
        if HOUSE_TABLES.contains(&table.as_str()) {
            let create = format!(
                "CREATE POLICY house_work ON {name} USING ({HOUSE_WORKS}) WITH CHECK ({HOUSE_WORKS})"
            );
            connection.execute_unprepared(&create).await?;
        }
    }
    connection.execute_unprepared(GRANT_RIGHTS).await?;
    Ok(())
}

async fn open_tables<C: ConnectionTrait>(connection: &C) -> Result<Vec<String>, DbErr> {
    names(connection, OPEN_TABLES, format!(",{},", HOUSE_TABLES.join(","))).await
}

async fn policies<C: ConnectionTrait>(connection: &C, table: &str) -> Result<Vec<String>, DbErr> {
    let sql =
        "SELECT policyname::text FROM pg_policies WHERE schemaname = current_schema() AND tablename = $1";
    names(connection, sql, table.to_owned()).await
}

async fn names<C: ConnectionTrait>(connection: &C, sql: &str, value: String) -> Result<Vec<String>, DbErr> {
    let statement = Statement::from_sql_and_values(DbBackend::Postgres, sql, [Value::from(value)]);
    let rows = connection.query_all_raw(statement).await?;
    rows.iter().map(|row: &QueryResult| row.try_get_by_index(0)).collect()
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
