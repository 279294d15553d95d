//! The same into the db plugin: its own SQLite, and PostgreSQL with Airflow's tables.

use std::thread;

use countersign_tests::postgres::Postgres;
use countersign_tests::{Folder, Server, artifacts, post_json, token};
use serde_json::{Value, json};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection};
use tokio::runtime::Runtime;

use super::{claims, login};

const TABLES: &str = include_str!("../../../plugins/db/tests/db/airflow-postgres.sql");
/// Of "row", at a low cost.
const HASH: &str =
    "pbkdf2:sha256:1$salt$bf69db1bc73573357003f0dc02e7e6482bb231ba303da2b91b0970ab8b780c1c";
/// Registers, and gives Public beside what the groups are mapped to.
const REGISTERING: &str = "provision: users, registration: true, roles: { sync: replace, registration: [Public], mapping: { team-airflow: [Viewer], other: [Strange] } }";

/// `dir` authenticates whoever comes, `users` keeps the rows.
struct Bed {
    folder: Folder,
    postgres: Option<Postgres>,
}

impl Bed {
    fn each() -> [Bed; 2] {
        [Bed::sqlite(), Bed::postgres()]
    }

    fn sqlite() -> Self {
        let folder = Folder::new();
        folder.plugin(&artifacts::fixture("answers"), "answers");
        Bed {
            folder,
            postgres: None,
        }
    }

    fn postgres() -> Self {
        let postgres = Postgres::start();
        postgres.run(TABLES);
        Bed {
            postgres: Some(postgres),
            ..Bed::sqlite()
        }
    }

    fn config(&self, dir: &str, more: &str) -> String {
        let url = match &self.postgres {
            None => "sqlite://{state}/users.db",
            Some(postgres) => &postgres.url,
        };
        format!(
            "plugins: {{ directories: [\"{}\", plugins] }}\n\
             tokens: {{ subject_backend: users, claims: {{ roles: \"{{roles}}\", name: \"{{username}}\" }} }}\n{more}\
             backends:\n  dir: {{ plugin: answers, config: {{}}, {dir} }}\n  \
             users: {{ plugin: db, config: {{ url: \"{url}\", access: full, hash: \"pbkdf2:sha256:1000\" }} }}\n",
            artifacts::built().display()
        )
    }

    fn start(&self, dir: &str) -> Server {
        Server::start(&self.folder, &self.config(dir, ""))
    }

    /// A statement on the rows; the first value of the first row of its answer, as text.
    fn rows(&self, statement: &str) -> Option<String> {
        match &self.postgres {
            None => self.query("users.db", statement),
            Some(postgres) => Runtime::new().unwrap().block_on(async {
                let mut own = PgConnection::connect(&postgres.url).await.unwrap();
                let query = sqlx::query_scalar(AssertSqlSafe(statement.to_owned()));
                query.fetch_optional(&mut own).await.unwrap()
            }),
        }
    }

    /// The same on the store.
    fn store(&self, statement: &str) -> Option<String> {
        self.query("store.db", statement)
    }

    /// The row that a user of `dir` is linked to.
    fn linked(&self, name: &str) -> u32 {
        let query = format!("SELECT target_id FROM links WHERE subject = 'id-{name}'");
        self.store(&query).unwrap().parse().unwrap()
    }

    fn query(&self, file: &str, statement: &str) -> Option<String> {
        Runtime::new().unwrap().block_on(async {
            let file = self.folder.join("state").join(file);
            let options = SqliteConnectOptions::new().filename(file);
            let mut own = options.connect().await.unwrap();
            let query = sqlx::query_scalar(AssertSqlSafe(statement.to_owned()));
            let found = query.fetch_optional(&mut own).await.unwrap();
            own.close().await.unwrap();
            found
        })
    }

    fn row(&self, id: u32, name: &str, hash: &str, active: bool) {
        self.rows(&format!(
            "INSERT INTO ab_user (id, first_name, last_name, username, email, password, active)
             VALUES ({id}, '', '', '{name}', '{name}@row.example', {hash}, {active})"
        ));
    }

    fn count(&self, of: &str) -> String {
        self.rows(&format!("SELECT CAST(COUNT(*) AS TEXT) FROM {of}"))
            .unwrap()
    }
}

#[test]
fn users_of_another_backend_become_rows_with_their_mapped_roles() {
    for bed in Bed::each() {
        let server = bed.start(REGISTERING);
        let first = claims(&login(&server, "ada"));
        let id = first["sub"].as_str().unwrap();
        assert_eq!(first["name"], "ada");
        assert_eq!(first["roles"], json!(["Public", "Viewer"]));
        let of_row = format!("FROM ab_user WHERE id = {id}");
        let row =
            "username || ' ' || email || ' ' || CAST(CASE WHEN active THEN 1 ELSE 0 END AS TEXT)";
        assert_eq!(
            bed.rows(&format!("SELECT {row} {of_row}")).unwrap(),
            "ada ada@example.org 1"
        );
        // Nobody knows a password for the row.
        let body = json!({ "username": "ada", "password": "x" }).to_string();
        let answer = post_json(server.address, "/auth/users/token", &body);
        assert_eq!(answer.status, 401, "{answer:?}");
        assert_eq!(claims(&login(&server, "ada"))["sub"], *id);
        assert_ne!(claims(&login(&server, "bea"))["sub"], *id);
        assert_eq!(bed.count("ab_role"), "5", "no role is made");
        let (_, log) = server.stop();
        assert!(
            log.contains("roles that the target does not have were not given")
                && log.contains("Strange"),
            "{log}"
        );
        let counts = "CAST(login_count AS TEXT) || ' ' || CAST(fail_login_count AS TEXT)";
        assert_eq!(
            bed.rows(&format!("SELECT {counts} {of_row}")).unwrap(),
            "2 0"
        );

        // Of the roles that are there, those that we gave go, or all, or none.
        for (sync, by_hand, roles) in [
            ("off", false, json!(["Public", "Viewer"])),
            ("keep_manual", false, json!(["Op"])),
            ("keep_manual", true, json!(["Admin", "Op"])),
            ("replace", false, json!(["Op"])),
        ] {
            if by_hand {
                let admin = format!("INSERT INTO ab_user_role (user_id, role_id) VALUES ({id}, 1)");
                bed.rows(&admin);
            }
            let server = bed.start(&format!(
                "provision: users, roles: {{ sync: {sync}, mapping: {{ other: [Op] }} }}"
            ));
            assert_eq!(claims(&login(&server, "ada"))["roles"], roles, "{sync}");
        }
    }
}

#[test]
fn crash_between_row_and_link_is_healed_in_the_real_table() {
    for bed in Bed::each() {
        for dir in [
            REGISTERING.to_owned(),
            REGISTERING.replace("users,", "{ backend: users, link: username },"),
        ] {
            let server = bed.start(&dir);
            let id = claims(&login(&server, "ada"))["sub"].clone();
            drop(server);
            // What a crash leaves: the note, and the row.
            bed.store("UPDATE links SET target_id = NULL, roles = '[]' RETURNING username");
            let server = bed.start(&dir);
            assert_eq!(claims(&login(&server, "ada"))["sub"], id, "{dir}");
            assert_eq!(bed.count("ab_user WHERE username = 'ada'"), "1");
        }
    }
}

#[test]
fn name_that_is_being_made_for_another_user_is_given_to_nobody_else() {
    for link in ["users", "{ backend: users, link: username }"] {
        let bed = Bed::sqlite();
        let server = bed.start(&format!("provision: {link}, registration: true"));
        bed.store(
            "INSERT INTO links (backend, subject, target, username, roles, created_at, updated_at)
             VALUES ('sso', 'x', 'users', 'ada', '[]', unixepoch(), unixepoch())",
        );
        assert_eq!(login(&server, "ada").status, 401);
        assert_eq!(bed.count("ab_user WHERE username = 'ada'"), "0");
        // The other login came to nothing long ago.
        bed.store("UPDATE links SET updated_at = updated_at - 400");
        assert_eq!(login(&server, "ada").status, 201);
        let (_, log) = server.stop();
        assert!(log.contains("is being made for another user"), "{log}");
    }
}

#[test]
fn row_that_was_deleted_is_a_401_and_stays_deleted() {
    for bed in Bed::each() {
        let server = bed.start(REGISTERING);
        claims(&login(&server, "ada"));
        bed.rows("DELETE FROM ab_user_role");
        bed.rows("DELETE FROM ab_user WHERE username = 'ada'");
        for _ in 0..2 {
            assert_eq!(login(&server, "ada").status, 401);
        }
        assert_eq!(bed.count("ab_user WHERE username = 'ada'"), "0");
        // Somebody else gets its id, as in Airflow's SQLite.
        let id = bed.linked("ada");
        bed.row(id, "root", "NULL", true);
        bed.rows(&format!(
            "INSERT INTO ab_user_role (user_id, role_id) VALUES ({id}, 1)"
        ));
        assert_eq!(login(&server, "ada").status, 401);
        let admin = bed.count(&format!(
            "ab_user_role WHERE user_id = {id} AND role_id = 1"
        ));
        assert_eq!(admin, "1", "his roles are as they were");
        let (_, log) = server.stop();
        assert!(log.contains("linked to the user, is gone"), "{log}");
        assert!(log.contains("has become"), "{log}");
    }
}

#[test]
fn row_in_the_way_is_a_401_with_its_reason() {
    let hash = format!("'{HASH}'");
    for bed in Bed::each() {
        let server = bed.start(REGISTERING);
        bed.row(71, "Owned", &hash, true);
        bed.row(72, "locked", "NULL", false);
        bed.row(73, "bare", "NULL", true);
        bed.row(74, "other", &hash, true);
        bed.rows("UPDATE ab_user SET email = 'mail@example.org' WHERE id = 74");
        let long = "x".repeat(513);
        for name in ["owned", "locked", "bare", "mail", &long] {
            assert_eq!(login(&server, name).status, 401, "{name}");
        }
        let (_, log) = server.stop();
        for reason in [
            "none may be taken",
            "\\\"mail@example.org\\\" belongs to row 74",
            "longer than 512 characters",
        ] {
            assert!(log.contains(reason), "{reason}: {log}");
        }
        let adopting = "provision: { backend: users, link: username }";
        let server = bed.start(adopting);
        assert_eq!(claims(&login(&server, "bare"))["sub"], "73");
        for name in ["owned", "locked", "mail", "nobody-new"] {
            assert_eq!(login(&server, name).status, 401, "{name}");
        }
        drop(server);
        let server =
            bed.start(&adopting.replace("username", "username, adopt_password_rows: true"));
        assert_eq!(claims(&login(&server, "owned"))["sub"], "71");
        assert_eq!(login(&server, "locked").status, 401);
    }
}

#[test]
fn user_who_is_linked_logs_in_while_another_program_writes() {
    let bed = Bed::sqlite();
    let server = bed.start(REGISTERING);
    let id = claims(&login(&server, "ada"))["sub"].clone();
    let runtime = Runtime::new().unwrap();
    let options = SqliteConnectOptions::new().filename(server.state.join("users.db"));
    let mut other = runtime.block_on(options.connect()).unwrap();
    let begin = sqlx::query("BEGIN IMMEDIATE").execute(&mut other);
    runtime.block_on(begin).unwrap();
    assert_eq!(claims(&login(&server, "ada"))["sub"], id);
    assert_eq!(login(&server, "bea").status, 503, "a row cannot be made");
    runtime.block_on(other.close()).unwrap();
    assert_eq!(login(&server, "bea").status, 201);
}

#[test]
fn first_logins_at_once_over_two_hosts_end_in_one_row() {
    let bed = Bed::postgres();
    let store = format!(
        "store: {{ url: \"{}\" }}\n",
        bed.postgres.as_ref().unwrap().url
    );
    let hosts = [(), ()].map(|()| {
        let folder = Folder::new();
        folder.plugin(&artifacts::fixture("answers"), "answers");
        let server = Server::start(&folder, &bed.config(REGISTERING, &store));
        (folder, server)
    });
    for name in ["ada", "bea", "cec"] {
        let subjects: Vec<Value> = thread::scope(|scope| {
            let logins: Vec<_> = (0..16)
                .map(|turn| {
                    let (_, server) = &hosts[turn % 2];
                    scope.spawn(move || claims(&login(server, name))["sub"].clone())
                })
                .collect();
            logins
                .into_iter()
                .map(|login| login.join().unwrap())
                .collect()
        });
        assert!(
            subjects.iter().all(|subject| *subject == subjects[0]),
            "{subjects:?}"
        );
    }
    assert_eq!(bed.count("ab_user"), "3");
    assert_eq!(bed.count("links WHERE target_id IS NOT NULL"), "3");
    let chained = token::claims(&hosts[1].1.token("ada", "x"));
    assert_eq!(chained["roles"], json!(["Public", "Viewer"]));
}
