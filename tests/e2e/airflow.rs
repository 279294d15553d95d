//! The main job: an unmodified Airflow 3 accepts our tokens by configuration
//! alone, while a db backend reads the very database that it runs on.

use std::net::SocketAddr;

use countersign_tests::airflow::{self, Airflow, Facts};
use countersign_tests::slapd::Slapd;
use countersign_tests::{Folder, Server, artifacts, countersign, post_json, send, token};

/// What Airflow takes beside RS256. Airflow reads the JWKS once and takes five seconds to start, so
/// that one server publishes the keys of all, and a second one signs with each.
const OTHERS: [&str; 3] = ["ES256", "ES384", "EdDSA"];

/// The db backend on Airflow's live database.
fn config(facts: &Facts, keys: &str, more: &str) -> String {
    format!(
        "plugins: {{ directories: [\"{}\"] }}\nbackends:\n  users: {{ plugin: db, config: {{ url: \"{}\" }} }}\nkeys: {{ {keys} }}\n{more}",
        artifacts::built().display(),
        facts["AIRFLOW_DB_URL"],
    )
}

/// `keys.extra_public` with Airflow's own key and those of the other algorithms.
fn published(folder: &Folder, facts: &Facts) -> String {
    let own = (&facts["AIRFLOW_OWN_PUBLIC_KEY"], &*facts["AIRFLOW_OWN_KID"]);
    let others = OTHERS.map(|algorithm| (generate(folder, algorithm), algorithm));
    let entries = [own]
        .into_iter()
        .chain(others.iter().map(|(file, kid)| (file, *kid)));
    let entries: Vec<_> = entries
        .map(|(file, kid)| format!("{{ file: \"{file}\", kid: \"{kid}\" }}"))
        .collect();
    format!("extra_public: [{}]", entries.join(", "))
}

/// Makes `<algorithm>.key`, and its public half, whose path is the answer.
fn generate(folder: &Folder, algorithm: &str) -> String {
    let public = folder.join(&format!("{algorithm}.pub"));
    let public = public.to_str().unwrap();
    let private = format!("{algorithm}.key");
    let arguments = ["keys", "generate", "--algorithm", algorithm];
    let files = ["--private-key", &private, "--public-key", public];
    let done = countersign(folder.path(), &[&arguments[..], &files].concat(), &[], "");
    assert_eq!(done.code, 0, "{done:?}");
    public.to_owned()
}

fn status(airflow: SocketAddr, path: &str, jwt: &str) -> u16 {
    send(
        airflow,
        "GET",
        path,
        &[("authorization", &format!("Bearer {jwt}"))],
        b"",
    )
    .status
}

#[test]
fn airflow_accepts_our_tokens_and_goes_on_with_its_own() {
    let folder = Folder::new();
    let home = folder.join("airflow");
    let facts = airflow::prepare(&home);
    let published = published(&folder, &facts);
    let server = Server::start(&folder, &config(&facts, &published, ""));
    let jwks = format!("http://{}/.well-known/jwks.json", server.address);
    let own = [
        facts["AIRFLOW_OWN_KEY"].as_str(),
        facts["AIRFLOW_OWN_KID"].as_str(),
    ];
    let options = [
        "--jwks-url",
        &jwks,
        "--own-key",
        own[0],
        "--own-kid",
        own[1],
        "--set",
        "api_auth.jwt_leeway=0",
    ];
    let running = Airflow::start(&home, &options);
    let airflow = running.address();

    for (who, id, connections) in [
        ("ADMIN", "1", 200),
        ("VIEWER", "2", 403),
        ("LEGACY", "4", 200),
    ] {
        let name = &facts[&format!("AIRFLOW_{who}")];
        let jwt = server.token(name, &facts[&format!("AIRFLOW_{who}_PASSWORD")]);
        assert_eq!(token::claims(&jwt)["sub"], id, "{who}");
        assert_eq!(status(airflow, "/ui/auth/me", &jwt), 200, "{who}");
        assert_eq!(status(airflow, "/api/v2/pools", &jwt), 200, "{who}");
        assert_eq!(
            status(airflow, "/api/v2/connections", &jwt),
            connections,
            "{who}"
        );
    }
    let inactive = server.login(
        &facts["AIRFLOW_INACTIVE"],
        &facts["AIRFLOW_INACTIVE_PASSWORD"],
    );
    assert_eq!(inactive.status, 401);
    assert_eq!(status(airflow, "/api/v2/pools", "nonsense"), 403);

    // Airflow's own token API works beside ours, with the four settings.
    let body = format!(
        r#"{{"username":"{}","password":"{}"}}"#,
        facts["AIRFLOW_ADMIN"], facts["AIRFLOW_ADMIN_PASSWORD"]
    );
    let answer = post_json(airflow, "/auth/token", &body);
    assert_eq!(answer.status, 201, "{answer:?}");
    let theirs = answer.json()["access_token"].as_str().unwrap().to_owned();
    assert_eq!(
        token::header(&theirs)["kid"],
        facts["AIRFLOW_OWN_KID"].as_str()
    );
    assert_eq!(status(airflow, "/api/v2/pools", &theirs), 200);

    expired_token_is_401(&server, airflow, &facts);
    tokens_of_other_algorithms_are_accepted(&folder, airflow, &facts);
    users_of_another_backend_are_airflows_users(&server, airflow, &facts);
    user_of_a_directory_is_airflows_user(&server, airflow, &facts);
    airflowctl_prints_our_token(&home, &server, airflow, &facts);
    logins_are_counted_in_airflows_table(&home, &facts);
}

/// The same keys in a second server whose tokens live two seconds.
fn expired_token_is_401(server: &Server, airflow: SocketAddr, facts: &Facts) {
    let other = Folder::new();
    copy_keys(&server.state, &other.join("state"));
    let short = Server::start(&other, &config(facts, "", "tokens: { lifetime: 2s }\n"));
    let jwt = short.token(&facts["AIRFLOW_ADMIN"], &facts["AIRFLOW_ADMIN_PASSWORD"]);
    let expires = token::claims(&jwt)["exp"].as_u64().unwrap();
    // Until it expires the answer is 200, from then on 401: asked again and again, no pause is guessed.
    loop {
        match status(airflow, "/api/v2/pools", &jwt) {
            200 => assert!(now() <= expires + 1, "still accepted after {expires}"),
            expired => {
                assert_eq!(expired, 401);
                assert!(now() >= expires, "refused before {expires}");
                break;
            }
        }
    }
}

/// Airflow goes by the `alg` of each published key: no setting of its own names an algorithm.
fn tokens_of_other_algorithms_are_accepted(folder: &Folder, airflow: SocketAddr, facts: &Facts) {
    for algorithm in OTHERS {
        let file = folder.join(&format!("{algorithm}.key"));
        let keys = format!(
            "algorithm: {algorithm}, kid: {algorithm}, private_key: \"{}\"",
            file.display()
        );
        let own = Folder::new();
        let server = Server::start(&own, &config(facts, &keys, ""));
        let jwt = server.token(&facts["AIRFLOW_ADMIN"], &facts["AIRFLOW_ADMIN_PASSWORD"]);
        assert_eq!(token::header(&jwt)["alg"], algorithm);
        assert_eq!(status(airflow, "/api/v2/pools", &jwt), 200, "{algorithm}");
    }
}

/// Whom only another backend knows gets a row in Airflow's live database, and with it the
/// rights of the role that his group is mapped to.
fn users_of_another_backend_are_airflows_users(
    server: &Server,
    airflow: SocketAddr,
    facts: &Facts,
) {
    for (name, role, connections) in [("ada", "Viewer", 403), ("bea", "Op", 200)] {
        let other = Folder::new();
        copy_keys(&server.state, &other.join("state"));
        other.plugin(&artifacts::fixture("answers"), "answers");
        let config = format!(
            "plugins: {{ directories: [\"{}\", plugins] }}\n\
             tokens: {{ subject_backend: users }}\n\
             backends:\n  dir: {{ plugin: answers, config: {{}}, provision: users, registration: true, roles: {{ mapping: {{ team-airflow: [{role}] }} }} }}\n  \
             users: {{ plugin: db, config: {{ url: \"{}\", access: full }} }}\n",
            artifacts::built().display(),
            facts["AIRFLOW_DB_URL"],
        );
        let host = Server::start(&other, &config);
        let body = format!(r#"{{"username":"{name}","password":"x"}}"#);
        let mut subjects = Vec::new();
        for _ in 0..2 {
            let answer = post_json(host.address, "/auth/dir/token", &body);
            assert_eq!(answer.status, 201, "{name}: {answer:?}");
            let jwt = answer.json()["access_token"].as_str().unwrap().to_owned();
            subjects.push(token::claims(&jwt)["sub"].as_str().unwrap().to_owned());
            assert_eq!(status(airflow, "/ui/auth/me", &jwt), 200, "{name}");
            assert_eq!(status(airflow, "/api/v2/pools", &jwt), 200, "{name}");
            let rights = status(airflow, "/api/v2/connections", &jwt);
            assert_eq!(rights, connections, "{name} is {role}");
        }
        assert!(subjects[0].parse::<u64>().unwrap() > 4, "{subjects:?}");
        assert_eq!(subjects[0], subjects[1]);
    }
}

/// The same with a real directory, whose groups give the rights.
fn user_of_a_directory_is_airflows_user(server: &Server, airflow: SocketAddr, facts: &Facts) {
    let slapd = Slapd::start();
    let (base, [account, password]) = (Slapd::BASE, Slapd::SERVICE);
    let other = Folder::new();
    copy_keys(&server.state, &other.join("state"));
    let config = format!(
        "tokens: {{ subject_backend: users }}\n\
         backends:\n  corp:\n    plugin: ldap\n    \
         config: {{ url: \"{}\", tls: {{ ca: \"{}\" }}, bind_dn: \"{account}\", bind_password: {password}, search: {{ base: \"{base}\" }} }}\n    \
         provision: users\n    registration: true\n    \
         roles: {{ sync: replace, registration: [Viewer], mapping: {{ \"cn=admins,ou=groups,{base}\": [Op] }} }}\n    \
         on_denied: next\n  \
         users: {{ plugin: db, config: {{ url: \"{}\", access: full }} }}\n",
        slapd.secure_url,
        slapd.ca.display(),
        facts["AIRFLOW_DB_URL"],
    );
    let host = Server::start(&other, &config);
    for (name, password, connections) in [("alice", "alice-pw", 200), ("carol", "carol-pw", 403)] {
        let jwt = host.token(name, password);
        let id = token::claims(&jwt)["sub"].as_str().unwrap().to_owned();
        assert!(id.parse::<u64>().unwrap() > 4, "{name} is {id}");
        assert_eq!(status(airflow, "/ui/auth/me", &jwt), 200, "{name}");
        assert_eq!(status(airflow, "/api/v2/pools", &jwt), 200, "{name}");
        let rights = status(airflow, "/api/v2/connections", &jwt);
        assert_eq!(rights, connections, "{name}");
        assert_eq!(token::claims(&host.token(name, password))["sub"], *id);
    }
    // Whom the directory does not know, Airflow's table does.
    let viewer = host.token(&facts["AIRFLOW_VIEWER"], &facts["AIRFLOW_VIEWER_PASSWORD"]);
    assert_eq!(token::claims(&viewer)["sub"], "2");
}

fn airflowctl_prints_our_token(
    home: &std::path::Path,
    server: &Server,
    airflow: SocketAddr,
    facts: &Facts,
) {
    let url = format!("http://{}", server.address);
    let password = &facts["AIRFLOW_ADMIN_PASSWORD"];
    let output = airflow::ctl(
        home,
        &[
            "auth",
            "token",
            "--api-url",
            &url,
            "--username",
            &facts["AIRFLOW_ADMIN"],
            "--password",
            password,
        ],
    );
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}");
    let jwt = text.trim();
    assert_eq!(token::claims(jwt)["iss"], url.as_str());
    assert_eq!(status(airflow, "/api/v2/pools", jwt), 200);
}

fn logins_are_counted_in_airflows_table(home: &std::path::Path, facts: &Facts) {
    let script = format!(
        "import sqlite3; print(sqlite3.connect('{}').execute('select login_count from ab_user where username=?', ('{}',)).fetchone()[0])",
        facts["AIRFLOW_DB"], facts["AIRFLOW_LEGACY"]
    );
    let output = std::process::Command::new("python3")
        .args(["-c", &script])
        .current_dir(home)
        .output()
        .unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap().trim(), "1");
}

#[test]
fn airflows_export_is_imported_with_its_ids() {
    let folder = Folder::new();
    let home = folder.join("airflow");
    let facts = airflow::prepare(&home);
    let export = folder.join("users.json");
    let output = airflow::cli(&home, &["users", "export", export.to_str().unwrap()]);
    assert!(output.status.success(), "{output:?}");
    folder.write(
        "config.yaml",
        "backends:\n  users: { plugin: db, config: { url: \"sqlite://{state}/users.db\" } }\n",
    );
    let state = folder.join("state");
    let run = |arguments: &[&str], input: &str| {
        let environment = [
            ("COUNTERSIGN_STATE", state.to_str().unwrap()),
            ("COUNTERSIGN_CONFIG", "config.yaml"),
        ];
        let done = countersign(folder.path(), arguments, &environment, input);
        assert_eq!(done.code, 0, "{arguments:?}: {done:?}");
        done.stdout
    };
    run(&["users", "import", export.to_str().unwrap()], "");
    let listed: serde_json::Value =
        serde_json::from_str(&run(&["users", "list", "--json"], "")).unwrap();
    let ids: Vec<_> = listed
        .as_array()
        .unwrap()
        .iter()
        .map(|user| {
            (
                user["id"].to_string().replace('"', ""),
                user["username"].clone(),
            )
        })
        .collect();
    assert!(
        ids.contains(&("2".into(), facts["AIRFLOW_VIEWER"].as_str().into())),
        "{ids:?}"
    );
}

fn copy_keys(from: &std::path::Path, to: &std::path::Path) {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;
    for folder in [to.to_path_buf(), to.join("keys")] {
        fs::create_dir(&folder).unwrap();
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o700)).unwrap();
    }
    for entry in fs::read_dir(from.join("keys")).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), to.join("keys").join(entry.file_name())).unwrap();
    }
}

fn now() -> u64 {
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap()
        .as_secs()
}
