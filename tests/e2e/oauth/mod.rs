//! The oauth plugin as users of the whole program see it, over a real provider: the plugin built, the
//! server built, tokens that the provider signed.

mod airflow;
mod bed;
mod browser;
mod chain;
mod hosts;
mod opaque;
mod outages;
mod preset;
mod refusals;
mod rotation;
mod secrets;
mod seed;

use std::path::Path;
use std::process::Command;

use countersign_tests::oidc::Oidc;
use countersign_tests::{Answer, Folder, Server, send, token};
use serde_json::{Value, json};

/// Settings of a backend for this provider, as YAML in one line; `more` are further ones, each with a comma before it.
fn settings(provider: &Oidc, more: &str) -> String {
    format!(
        "{{ provider: keycloak, issuer: \"{}\", audiences: [\"{}\"], algorithms: [RS256], allow_http: true, \
         claims: {{ groups: resource_access.airflow.roles }}{more} }}",
        provider.issuer,
        Oidc::AUDIENCE
    )
}

/// A configuration whose one backend is `sso`; nobody is throttled.
fn sso(provider: &Oidc, more: &str) -> String {
    format!(
        "server: {{ throttle: {{ user: 0, address: 0 }} }}\n\
         tokens: {{ claims: {{ roles: \"{{roles}}\", name: \"{{username}}\", mail: \"{{email}}\", first: \"{{first_name}}\", last: \"{{last_name}}\" }} }}\n\
         backends:\n  sso:\n    plugin: oauth\n    roles: {{ pass: [\"*\"] }}\n    config: {}\n",
        settings(provider, more)
    )
}

fn start(folder: &Folder, provider: &Oidc) -> Server {
    Server::start(folder, &sso(provider, ""))
}

/// `POST /auth/token` with a token of the provider, and nothing else.
fn bearer(server: &Server, jwt: &str) -> Answer {
    let authorization = format!("Bearer {jwt}");
    let headers = [("authorization", authorization.as_str())];
    send(server.address, "POST", "/auth/token", &headers, b"")
}

/// Our token for one of the provider's that must be taken.
fn exchanged(server: &Server, jwt: &str) -> String {
    let answer = bearer(server, jwt);
    assert_eq!(answer.status, 201, "{answer:?}\n{}", server.log());
    answer.json()["access_token"].as_str().unwrap().to_owned()
}

/// The claims of our token for one of the provider's that must be taken.
fn claims(server: &Server, jwt: &str) -> Value {
    token::claims(&exchanged(server, jwt))
}

/// 503, when to come again, and nothing of ours or the provider's.
fn is_outage(answer: &Answer) {
    assert_eq!(answer.status, 503, "{answer:?}");
    let pause: u64 = answer.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=60).contains(&pause), "{answer:?}");
    for detail in ["127.0.0.1", "jwks", "refused", "realms"] {
        assert!(!answer.body.contains(detail), "{answer:?}");
    }
}

/// Adds roles to a table in Airflow's shape, each with all the rights of one that is there.
fn add_roles(database: &Path, roles: &[(&str, &str)]) {
    let script = "
import sqlite3, sys, json
d = sqlite3.connect(sys.argv[1], timeout=10)
has_rights = d.execute(\"select 1 from sqlite_master where name='ab_permission_view_role'\").fetchone()
for name, like in json.loads(sys.argv[2]):
    d.execute('insert into ab_role (name) values (?)', (name,))
    if has_rights:
        d.execute('''insert into ab_permission_view_role (permission_view_id, role_id)
            select permission_view_id, (select id from ab_role where name = ?) from ab_permission_view_role
            where role_id = (select id from ab_role where name = ?)''', (name, like))
d.commit()
";
    python(database, script, &json!(roles));
}

/// The names of a user's roles in a table in Airflow's shape; none if there is no such user.
fn roles_of(database: &Path, username: &str) -> Value {
    let script = "
import sqlite3, sys, json
d = sqlite3.connect(sys.argv[1], timeout=10)
user = d.execute('select id from ab_user where username = ?', (json.loads(sys.argv[2]),)).fetchone()
rows = user and d.execute('''select name from ab_role r join ab_user_role u on u.role_id = r.id
    where u.user_id = ? order by name''', user).fetchall()
print(json.dumps(user and [row[0] for row in rows]))
";
    serde_json::from_str(&python(database, script, &json!(username))).unwrap()
}

fn python(database: &Path, script: &str, argument: &Value) -> String {
    let mut python = Command::new("python3");
    python.args(["-c", script]).arg(database);
    let done = python.arg(argument.to_string()).output().unwrap();
    assert!(done.status.success(), "{done:?}");
    String::from_utf8(done.stdout).unwrap()
}
