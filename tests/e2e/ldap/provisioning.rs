//! Users of the directory as rows of Airflow's own table.

use countersign_tests::{Folder, Server};
use serde_json::json;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, SqliteConnection};
use tokio::runtime::Runtime;

use super::*;

const TABLES: &str = include_str!("../../../plugins/db/tests/db/airflow.sql");

/// Airflow's database, and what a test says to it.
pub(crate) struct Rows {
    pub(crate) folder: Folder,
}

impl Rows {
    pub(crate) fn new() -> Self {
        let rows = Rows {
            folder: Folder::new(),
        };
        std::fs::File::create_new(rows.file()).unwrap();
        rows.say(TABLES);
        rows
    }

    pub(crate) fn file(&self) -> std::path::PathBuf {
        self.folder.join("airflow.db")
    }

    pub(super) fn say(&self, statements: &str) {
        self.on(async |own| {
            let statements = AssertSqlSafe(statements.to_owned());
            sqlx::raw_sql(statements).execute(own).await.unwrap();
        });
    }

    /// The first value of the first row of its answer, as text.
    pub(super) fn ask(&self, query: &str) -> Option<String> {
        self.on(async |own| {
            let query = sqlx::query_scalar(AssertSqlSafe(query.to_owned()));
            query.fetch_optional(own).await.unwrap()
        })
    }

    fn on<T>(&self, work: impl AsyncFnOnce(&mut SqliteConnection) -> T) -> T {
        Runtime::new().unwrap().block_on(async {
            let options = SqliteConnectOptions::new().filename(self.file());
            let mut own = options.connect().await.unwrap();
            let done = work(&mut own).await;
            own.close().await.unwrap();
            done
        })
    }

    /// Names of the roles that a user's row has.
    pub(super) fn roles(&self, username: &str) -> String {
        self.ask(&format!(
            "SELECT COALESCE(GROUP_CONCAT(name, ' '), '') FROM (SELECT r.name FROM ab_user u JOIN ab_user_role ur ON ur.user_id = u.id
             JOIN ab_role r ON r.id = ur.role_id WHERE u.username = '{username}' ORDER BY r.name)"
        ))
        .unwrap()
    }

    /// A server whose `corp` provisions into these rows; `corp` are its further keys.
    fn start(&self, corp: &str) -> Server {
        Server::start(
            &self.folder,
            &format!(
                "tokens: {{ subject_backend: airflow, claims: {{ roles: \"{{roles}}\", name: \"{{username}}\" }} }}\n\
             backends:\n  corp: {{ plugin: ldap, config: {{ url: \"{}\", {} }}, {corp} }}\n  \
             airflow: {{ plugin: db, config: {{ url: \"sqlite:///{}\", access: full, hash: \"pbkdf2:sha256:1000\" }} }}\n",
                shared().url,
                service(),
                self.file().display()
            ),
        )
    }
}

/// Registers, with a role of each group.
fn registering(user: &str, sync: &str) -> String {
    let group = |name: &str| format!("\"cn={user}-{name},ou=groups,{}\"", Slapd::BASE);
    format!(
        "provision: airflow, registration: true, roles: {{ sync: {sync}, registration: [Public], mapping: {{ {}: [Op], {}: [Viewer] }} }}",
        group("ops"),
        group("viewers")
    )
}

/// Takes the user out of a group that holds only him.
fn leave(group: &str) {
    shared().modify(&format!(
        "dn: cn={group},ou=groups,{}\nchangetype: delete\n",
        Slapd::BASE
    ));
}

#[test]
fn first_login_makes_the_row_and_the_next_ones_bring_its_roles_up_to_date() {
    add(shared(), "newcomer", &["newcomer-ops", "newcomer-viewers"]);
    let rows = Rows::new();
    let server = rows.start(&registering("newcomer", "replace"));
    let first = claims(&server, "newcomer", "alice-pw");
    let row = "SELECT username || ' ' || email || ' ' || first_name || ' ' || last_name || ' ' || active FROM ab_user WHERE id = ";
    let id = first["sub"].as_str().unwrap();
    assert_eq!(
        rows.ask(&format!("{row}{id}")).unwrap(),
        "newcomer newcomer@example.test Given Of newcomer 1"
    );
    assert_eq!(first["roles"], json!(["Public", "Viewer", "Op"]));
    assert_eq!(rows.roles("newcomer"), "Op Public Viewer");

    leave("newcomer-ops");
    let second = claims(&server, "NEWCOMER", "alice-pw");
    assert_eq!(
        (&second["sub"], &second["name"]),
        (&first["sub"], &json!("newcomer"))
    );
    assert_eq!(second["roles"], json!(["Public", "Viewer"]));
    assert_eq!(rows.roles("newcomer"), "Public Viewer");
    assert_eq!(
        rows.ask("SELECT CAST(COUNT(*) AS TEXT) FROM ab_user")
            .unwrap(),
        "1"
    );
    // Nobody knows a password of the row.
    assert_eq!(
        direct(&server, "airflow", "newcomer", "alice-pw").status,
        401
    );
}

#[test]
fn keep_manual_takes_back_only_what_the_directory_gave() {
    add(shared(), "kept", &["kept-ops", "kept-viewers"]);
    let rows = Rows::new();
    let server = rows.start(&registering("kept", "keep_manual"));
    let id = claims(&server, "kept", "alice-pw")["sub"].clone();
    let id = id.as_str().unwrap();
    rows.say(&format!(
        "INSERT INTO ab_user_role (user_id, role_id) VALUES ({id}, 1)"
    ));
    leave("kept-ops");
    assert_eq!(
        claims(&server, "kept", "alice-pw")["roles"],
        json!(["Admin", "Public", "Viewer"])
    );
    assert_eq!(rows.roles("kept"), "Admin Public Viewer");
}

#[test]
fn inactive_row_is_401_although_the_password_is_right() {
    add(shared(), "leaver", &["leaver-ops"]);
    let rows = Rows::new();
    let server = rows.start(&registering("leaver", "replace"));
    server.token("leaver", "alice-pw");
    rows.say("UPDATE ab_user SET active = FALSE");
    let answer = server.login("leaver", "alice-pw");
    assert_eq!(
        (answer.status, &*answer.body),
        (401, r#"{"detail":"Invalid credentials"}"#)
    );
    rows.say("UPDATE ab_user SET active = TRUE");
    server.token("leaver", "alice-pw");
    let (_, log) = server.stop();
    assert!(log.contains("inactive"), "{log}");
}

#[test]
fn unknown_user_is_401_and_gets_no_row_where_registration_is_off() {
    let rows = Rows::new();
    let server = rows.start("provision: { backend: airflow, link: username }");
    assert_eq!(server.login("alice", "alice-pw").status, 401);
    assert_eq!(
        rows.ask("SELECT CAST(COUNT(*) AS TEXT) FROM ab_user")
            .unwrap(),
        "0"
    );
    rows.say(
        "INSERT INTO ab_user (id, first_name, last_name, username, email, active) VALUES (31, '', '', 'Alice', 'a@x', TRUE)",
    );
    assert_eq!(claims(&server, "alice", "alice-pw")["sub"], "31");
}

#[test]
fn renamed_user_keeps_his_row_and_who_comes_under_his_old_name_does_not_get_it() {
    for corp in [
        registering("moving", "replace"),
        registering("moving", "replace").replace(
            "provision: airflow",
            "provision: { backend: airflow, link: username }",
        ),
    ] {
        add(shared(), "moving", &["moving-ops"]);
        let rows = Rows::new();
        let server = rows.start(&corp);
        let first = claims(&server, "moving", "alice-pw");
        shared().modify(&format!(
            "dn: uid=moving,ou=people,{base}\nchangetype: modrdn\nnewrdn: uid=moved\ndeleteoldrdn: 1\n\n\
             dn: uid=moved,ou=people,{base}\nchangetype: modify\nreplace: mail\nmail: moved@example.test\n",
            base = Slapd::BASE
        ));
        let moved = claims(&server, "moved", "alice-pw");
        assert_eq!(moved["sub"], first["sub"]);
        assert_eq!(moved["roles"], json!(["Public", "Op"]));
        // As with Flask-AppBuilder, names and addresses are of the first login; Airflow's own pages change them.
        assert_eq!(moved["name"], "moving");
        let email = rows.ask("SELECT email FROM ab_user");
        assert_eq!(email.unwrap(), "moving@example.test");

        add(shared(), "moving", &[]);
        let answer = server.login("moving", "alice-pw");
        assert_eq!(answer.status, 401, "{answer:?}");
        assert_eq!(rows.roles("moving"), "Op Public");
        assert_eq!(claims(&server, "moved", "alice-pw")["sub"], first["sub"]);
        let (_, log) = server.stop();
        let refused = audit(&log);
        let refused = refused.iter().find(|line| line["outcome"] == "denied");
        assert!(refused.unwrap().to_string().contains("row"), "{log}");
        delete(&["uid=moved,ou=people", "uid=moving,ou=people"]);
        delete(&["cn=moving-ops,ou=groups"]);
    }
}

#[test]
fn user_made_anew_does_not_get_the_row_of_him_who_had_his_name() {
    add(shared(), "anew", &["anew-ops"]);
    let rows = Rows::new();
    let corp = registering("anew", "replace").replace(
        "provision: airflow",
        "provision: { backend: airflow, link: username }",
    );
    let server = rows.start(&corp);
    server.token("anew", "alice-pw");
    delete(&["uid=anew,ou=people"]);
    add(shared(), "anew", &[]);
    assert_eq!(server.login("anew", "alice-pw").status, 401);
    assert_eq!(rows.roles("anew"), "Op Public");
    // Who operates gives the name free; the old row keeps what Airflow knows of him who has gone.
    rows.say(
        "UPDATE ab_user SET username = 'anew-1', email = 'anew-1@example.test', active = FALSE",
    );
    assert_eq!(
        claims(&server, "anew", "alice-pw")["roles"],
        json!(["Public"])
    );
}

/// Takes entries away.
fn delete(names: &[&str]) {
    for name in names {
        shared().modify(&format!("dn: {name},{}\nchangetype: delete\n", Slapd::BASE));
    }
}
