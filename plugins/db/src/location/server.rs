//! A `postgres://` or `mysql://` url. Every option is known by name; the environment of
//! the process (`PGHOST`, `~/.pgpass`) has no say.

use std::fmt;

use countersign_sdk::Result;
use sqlx::mysql::MySqlConnectOptions;
use sqlx::postgres::PgConnectOptions;

use super::wrong;

const POSTGRES_OPTIONS: [&str; 6] = [
    "sslmode",
    "sslrootcert",
    "sslcert",
    "sslkey",
    "host",
    "statement-cache-capacity",
];
const MYSQL_OPTIONS: [&str; 7] = [
    "ssl-mode",
    "ssl-ca",
    "ssl-cert",
    "ssl-key",
    "socket",
    "charset",
    "statement-cache-capacity",
];

/// How to connect to a server.
pub(crate) struct Server {
    pub(crate) options: Options,
    /// Kind, host and database: what may be printed.
    pub(crate) place: String,
}

pub(crate) enum Options {
    Postgres(PgConnectOptions),
    MySql(MySqlConnectOptions),
}

impl Server {
    /// Reads what stands after `postgres://`.
    pub(super) fn postgres(rest: &str) -> Result<Self> {
        let parts = Parts::read(rest, &POSTGRES_OPTIONS)?;
        let options: PgConnectOptions = format!("postgres://{rest}")
            .parse()
            .map_err(|_| unreadable())?;
        let mut options = options.application_name("countersign");
        if !parts.has_port {
            options = options.port(5432);
        }
        if !parts.has_password {
            options = options.password("");
        }
        if !parts.options.contains(&"sslmode") {
            options = options.ssl_mode(sqlx::postgres::PgSslMode::Prefer);
        }
        let place = parts.place("postgres");
        Ok(Server {
            options: Options::Postgres(options),
            place,
        })
    }

    /// Reads what stands after `mysql://`.
    pub(super) fn mysql(rest: &str) -> Result<Self> {
        let parts = Parts::read(rest, &MYSQL_OPTIONS)?;
        let options: MySqlConnectOptions = format!("mysql://{rest}")
            .parse()
            .map_err(|_| unreadable())?;
        let place = parts.place("mysql");
        Ok(Server {
            options: Options::MySql(options),
            place,
        })
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.place)
    }
}

/// A url as far as it must be understood here.
struct Parts<'a> {
    host: &'a str,
    database: &'a str,
    options: Vec<&'a str>,
    has_password: bool,
    has_port: bool,
}

impl<'a> Parts<'a> {
    /// `user[:password]@host[:port]/database[?options]`.
    fn read(rest: &'a str, known: &[&str]) -> Result<Self> {
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, database) = rest.split_once('/').unwrap_or((rest, ""));
        let (user, host) = authority.rsplit_once('@').unwrap_or(("", authority));
        let options: Vec<&str> = query
            .split('&')
            .filter(|pair| !pair.is_empty())
            .map(|pair| pair.split('=').next().unwrap_or_default())
            .collect();
        if options.iter().any(|option| !known.contains(option)) {
            // Not quoted: it may be the rest of a password with a bare `?`.
            return Err(wrong(&format!(
                "an option after ? is unknown; known are {}; a ? in a password is written %3F",
                known.join(", ")
            )));
        }
        if user.split(':').next().unwrap_or_default().is_empty() {
            return Err(wrong("it names no user"));
        }
        if host.is_empty()
            && !options
                .iter()
                .any(|option| ["host", "socket"].contains(option))
        {
            return Err(wrong("it names no host"));
        }
        if database.is_empty() || database.contains('/') {
            return Err(wrong("it names no database"));
        }
        Ok(Parts {
            host,
            database,
            has_password: user.contains(':'),
            has_port: host
                .rsplit_once(':')
                .is_some_and(|(_, port)| port.bytes().all(|byte| byte.is_ascii_digit())),
            options,
        })
    }

    fn place(&self, kind: &str) -> String {
        format!("{kind}://{}/{}", self.host, self.database)
    }
}

fn unreadable() -> countersign_sdk::AuthError {
    wrong(
        "it cannot be read: letters other than A-Z a-z 0-9 - . _ ~ in a password are written \
         %HH, sslmode is one of disable, prefer, require, verify-ca, verify-full, and ssl-mode \
         one of DISABLED, PREFERRED, REQUIRED, VERIFY_CA, VERIFY_IDENTITY",
    )
}
