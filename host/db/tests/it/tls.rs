//! PostgreSQL over TLS: what the address asks for is what happens, never less.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use portolan_db::sea_orm::ConnectionTrait;
use portolan_db::{Database, DatabaseConfig, DbError};
use tempfile::TempDir;

/// A PostgreSQL of a test's own that speaks TLS with a certificate of its own for `localhost`.
struct TlsServer {
    folder: TempDir,
    port: u16,
    server: Child,
}

impl TlsServer {
    /// Says so and gives `None` where PostgreSQL's programs or openssl are not installed.
    async fn start() -> Option<Self> {
        let Some(programs) = programs().filter(|_| runs("openssl", &["version"])) else {
            skip("PostgreSQL's programs or openssl are not installed");
            return None;
        };
        let folder = TempDir::new().expect("folder");
        let place = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
        let certificate = place("server.pem");
        let key = place("server.key");
        make_certificates(&place);

        let person = if runs_as_root() { Some("postgres") } else { None };
        if let Some(person) = person {
            assert!(runs("chown", &["-R", person, &place("")]), "hand the folder over");
        }
        let data = place("data");
        let initdb = ["--username=postgres", "--auth=trust", "--no-sync", "-D", &data];
        assert!(quietly(&mut command(&programs.join("initdb"), person, &initdb)), "initdb");
        // `guarded` shows a certificate, everybody else comes in.
        std::fs::write(
            folder.path().join("data/pg_hba.conf"),
            "hostssl guarded all 127.0.0.1/32 cert\nhost all all 127.0.0.1/32 trust\n",
        )
        .expect("who may come in");
        let port =
            std::net::TcpListener::bind("127.0.0.1:0").expect("port").local_addr().expect("port").port();
        let settings = [
            format!("-p{port}"),
            "-clisten_addresses=127.0.0.1".to_owned(),
            "-cunix_socket_directories=".to_owned(),
            "-cssl=on".to_owned(),
            format!("-cssl_cert_file={certificate}"),
            format!("-cssl_key_file={key}"),
            format!("-cssl_ca_file={}", place("authority.pem")),
        ];
        let mut words = vec!["-D", data.as_str()];
        words.extend(settings.iter().map(String::as_str));
        let server = command(&programs.join("postgres"), person, &words)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("start PostgreSQL");
        let server = Self { folder, port, server };
        for _ in 0..200 {
            if runs(
                &programs.join("pg_isready").to_string_lossy(),
                &["-q", "-h127.0.0.1", &format!("-p{port}")],
            ) {
                return Some(server);
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("PostgreSQL did not come up");
    }

    async fn connect(&self, host: &str, parameters: &str) -> Result<Database, DbError> {
        self.connect_to("postgres", host, parameters).await
    }

    async fn connect_to(&self, database: &str, host: &str, parameters: &str) -> Result<Database, DbError> {
        let url = format!("postgres://postgres@{host}:{}/{database}?{parameters}", self.port);
        Database::connect(&DatabaseConfig::new(url)).await
    }
}

impl Drop for TlsServer {
    fn drop(&mut self) {
        let _gone_already = self.server.kill();
        let _gone_already = self.server.wait();
    }
}

#[tokio::test]
async fn an_address_that_asks_for_tls_gets_it_or_nothing() {
    let Some(server) = TlsServer::start().await else { return };
    let own = format!("sslrootcert={}", server.folder.path().join("authority.pem").display());
    for (host, parameters) in [
        ("127.0.0.1", "sslmode=require".to_owned()),
        ("localhost", format!("sslmode=verify-full&{own}")),
        ("127.0.0.1", format!("sslmode=verify-ca&{own}")),
    ] {
        let database = server.connect(host, &parameters).await;
        let database = database.unwrap_or_else(|error| panic!("{host} {parameters}: {error}"));
        database.ping().await.expect("an answer");
        database.close().await.expect("close");
    }
    for (host, parameters, why) in [
        ("localhost", "sslmode=verify-full".to_owned(), "an authority that nobody here knows"),
        ("127.0.0.1", format!("sslmode=verify-full&{own}"), "another name than the certificate's"),
    ] {
        let error = server.connect(host, &parameters).await.expect_err(why);
        assert!(matches!(error, DbError::Unavailable(_)), "{error:?}");
        assert!(error.to_string().contains("certificate"), "{error}");
    }
}

#[tokio::test]
async fn a_certificate_signs_in_where_postgres_asks_for_one() {
    let Some(server) = TlsServer::start().await else { return };
    let place = |name: &str| server.folder.path().join(name).display().to_string();
    let everybody = server.connect("127.0.0.1", "sslmode=require").await.expect("everybody's database");
    let made = "CREATE DATABASE guarded";
    everybody.migration_connection().execute_unprepared(made).await.expect("a database");
    everybody.close().await.expect("close");

    let own = format!("sslmode=verify-ca&sslrootcert={}", place("authority.pem"));
    let shown = format!("{own}&sslcert={}&sslkey={}", place("person.pem"), place("person.key"));
    let guarded = server.connect_to("guarded", "127.0.0.1", &shown).await.expect("signed in");
    guarded.ping().await.expect("an answer");
    guarded.close().await.expect("close");
    let error = server.connect_to("guarded", "127.0.0.1", &own).await.expect_err("no certificate");
    assert!(error.to_string().contains("certificate"), "{error}");
}

#[tokio::test]
async fn a_server_without_tls_is_not_talked_to_in_the_clear() {
    let Ok(url) = std::env::var(portolan_db::testing::POSTGRES_URL_VARIABLE) else {
        return portolan_db::testing::say_skipped();
    };
    let separator = if url.contains('?') { '&' } else { '?' };
    let config = DatabaseConfig {
        accept_data_loss: true,
        ..DatabaseConfig::new(format!("{url}{separator}sslmode=require"))
    };
    match Database::connect(&config).await {
        Ok(database) => database.close().await.expect("close"),
        Err(error) => {
            assert!(matches!(error, DbError::Unavailable(_)), "{error:?}");
            assert!(error.to_string().contains("server does not support TLS"), "{error}");
        }
    }
}

/// An authority, and a certificate of `localhost` that it has signed.
fn make_certificates(place: &impl Fn(&str) -> String) {
    // Without a configuration of its own, openssl adds extensions from the machine's.
    std::fs::write(place("req"), "[req]\ndistinguished_name = name\n[name]\n").expect("configuration");
    let made = |name: &str, words: &[&str]| {
        let (configuration, key, certificate) =
            (place("req"), place(&format!("{name}.key")), place(&format!("{name}.pem")));
        let common =
            ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-config", &configuration];
        let files = ["-keyout", &key, "-out", &certificate];
        assert!(runs("openssl", &[&common[..], &files[..], words].concat()), "the certificate {name}");
    };
    made("authority", &["-subj", "/CN=Test authority", "-addext", "basicConstraints=critical,CA:TRUE"]);
    let (authority, key) = (place("authority.pem"), place("authority.key"));
    let signed = ["-CA", &authority, "-CAkey", &key, "-subj", "/CN=localhost"];
    let names = ["-addext", "basicConstraints=CA:FALSE", "-addext", "subjectAltName=DNS:localhost"];
    made("server", &[&signed[..], &names[..]].concat());
    let signed = ["-CA", &authority, "-CAkey", &key, "-subj", "/CN=postgres"];
    made("person", &[&signed[..], &["-addext", "basicConstraints=CA:FALSE"]].concat());
}

/// Where Debian keeps the programs of the newest PostgreSQL.
fn programs() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").ok()?.flatten();
    let mut folders: Vec<PathBuf> = versions.map(|version| version.path().join("bin")).collect();
    folders.retain(|folder| folder.join("initdb").is_file() && folder.join("postgres").is_file());
    folders.sort();
    folders.pop()
}

/// PostgreSQL refuses to run as root.
fn command(program: &Path, person: Option<&str>, words: &[&str]) -> Command {
    let mut command = match person {
        Some(person) => {
            let mut command = Command::new("setpriv");
            command.args(["--reuid", person, "--regid", person, "--clear-groups", "--pdeathsig", "INT"]);
            command.arg(program);
            command
        }
        None => Command::new(program),
    };
    command.args(words).current_dir("/").env("LC_ALL", "C.UTF-8");
    command
}

fn runs_as_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|id| id.stdout.starts_with(b"0\n"))
}

fn runs(program: &str, words: &[&str]) -> bool {
    quietly(Command::new(program).args(words))
}

fn quietly(command: &mut Command) -> bool {
    let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}

#[expect(clippy::print_stderr, reason = "a test has to say what it did not test")]
fn skip(why: &str) {
    eprintln!("skipped: {why}");
}
