//! The example that Countersign was made for, as its documentation shows it: a token of the single sign-on
//! becomes a user in Airflow's table with the roles that the provider says, and a token that Airflow accepts.

use countersign_tests::oidc::{Oidc, Options};
use countersign_tests::{Folder, Server, artifacts};
use serde_json::json;

use super::*;

/// The example as the plugin's README shows it beside Airflow's.
fn documented() -> String {
    let readme = artifacts::repository().join("plugins/oauth/README.md");
    let readme = std::fs::read_to_string(readme).unwrap();
    let (_, rest) = readme.split_once("```yaml\n").unwrap();
    rest.split_once("```").unwrap().0.to_owned()
}

/// A provider as the example has it: https, Keycloak's path, the client `airflow`.
pub(super) fn provider() -> Oidc {
    let client = json!({
        "client_id": "airflow", "client_secret": "airflow-secret", "grant_types": ["authorization_code"],
        "redirect_uris": ["http://127.0.0.1:9/callback"],
    });
    Oidc::with(Options {
        path: "/realms/main",
        tls: true,
        config: json!({ "clients": [client] }),
        ..Options::default()
    })
}

/// The example with this provider and this secret in the place of those that are not there, and its table.
pub(super) fn config(folder: &Folder, provider: &Oidc, table: &str) -> String {
    folder.write("ca.pem", std::fs::read(provider.ca()).unwrap());
    let secret = folder.write("sso", "airflow-secret\n");
    let mut backends = documented();
    for (shown, real) in [
        ("https://sso.example.com/realms/main", &*provider.issuer),
        ("/run/secrets/sso", secret.to_str().unwrap()),
    ] {
        assert_eq!(backends.matches(shown).count(), 1, "{backends}");
        backends = backends.replace(shown, real);
    }
    format!(
        "tokens: {{ subject_backend: users, claims: {{ roles: \"{{roles}}\", name: \"{{username}}\" }} }}\n\
         {backends}  users: {{ plugin: db, config: {{ url: \"{table}\", access: full }} }}\n"
    )
}

#[test]
fn documented_example_turns_single_sign_on_into_airflows_user_and_roles() {
    let provider = provider();
    let folder = Folder::new();
    let server = Server::start(
        &folder,
        &config(&folder, &provider, "sqlite://{state}/users.db"),
    );
    let table = server.state.join("users.db");
    let roles = ["airflow_admin", "airflow_op", "airflow_public"];
    add_roles(&table, &roles.map(|role| (role, "")));

    for (user, expected) in [
        ("amelia", json!(["airflow_admin"])), // of three roles the one that holds "airflow"
        ("oscar", json!(["airflow_op"])),
        ("bob", json!(["airflow_public"])),   // has only Viewer
        ("carol", json!(["airflow_public"])), // has none
    ] {
        let access = provider.login(user, &["--resource", "urn:testbed:aud:airflow"]);
        let access = access["access_token"].as_str().unwrap();
        let first = claims(&server, access);
        assert_eq!(first["roles"], expected, "{user}");
        assert_eq!(first["name"], user);
        assert_eq!(roles_of(&table, user), expected, "{user}");
        // The same person again is the same row.
        assert_eq!(claims(&server, access)["sub"], first["sub"], "{user}");
        // An ID token for the client of that name says the same of him.
        let options = ["--client", "airflow", "--secret", "airflow-secret"];
        let options = [&options[..], &["--redirect", "http://127.0.0.1:9/callback"]].concat();
        let identity = provider.login(user, &options);
        let identity = claims(&server, identity["id_token"].as_str().unwrap());
        assert_eq!(identity["sub"], first["sub"], "{user}");
    }
}

#[test]
fn roles_follow_the_provider_at_each_login() {
    let provider = provider();
    let folder = Folder::new();
    let server = Server::start(
        &folder,
        &config(&folder, &provider, "sqlite://{state}/users.db"),
    );
    let table = server.state.join("users.db");
    add_roles(&table, &[("airflow_op", ""), ("airflow_public", "")]);
    let has = |roles: Value| {
        let changed =
            json!({ "aud": "airflow", "resource_access": { "airflow": { "roles": roles } } });
        provider.forge(&json!({ "user": "oscar", "claims": changed }))
    };
    for (roles, expected) in [
        (json!(["airflow_op"]), json!(["airflow_op"])),
        (json!([]), json!(["airflow_public"])),
        (json!(["airflow_op", "Admin"]), json!(["airflow_op"])),
    ] {
        claims(&server, &has(roles.clone()));
        assert_eq!(roles_of(&table, "oscar"), expected, "{roles}");
    }
}

#[test]
fn name_that_a_user_gives_himself_takes_nobodys_row() {
    let provider = provider();
    let folder = Folder::new();
    let server = Server::start(
        &folder,
        &config(&folder, &provider, "sqlite://{state}/users.db"),
    );
    add_roles(&server.state.join("users.db"), &[("airflow_public", "")]);
    let of = |user: &str, more: Value| {
        let mut all = json!({ "aud": "airflow", "resource_access": {} });
        all.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        provider.forge(&json!({ "user": user, "claims": all }))
    };
    let carol = claims(&server, &of("carol", json!({})));
    let renamed = bearer(
        &server,
        &of("bob", json!({ "preferred_username": "carol" })),
    );
    // Whatever the answer is, it is not Carol's.
    if renamed.status == 201 {
        let taken = token::claims(renamed.json()["access_token"].as_str().unwrap());
        assert_ne!(taken["sub"], carol["sub"]);
    }
    let local = bearer(
        &server,
        &of("bob", json!({ "preferred_username": "admin" })),
    );
    if local.status == 201 {
        let taken = token::claims(local.json()["access_token"].as_str().unwrap());
        assert_ne!(taken["sub"], "1", "the first account is nobody's to take");
    }
    // Carol herself may change her name, and stays who she is.
    let later = of("carol", json!({ "preferred_username": "caroline" }));
    assert_eq!(claims(&server, &later)["sub"], carol["sub"]);
}
