//! `countersign check --probe`: who can be reached, and what the backends know of a user.

use std::fs;

use countersign_tests::oidc::Oidc;
use countersign_tests::{Done, Folder, Server, artifacts, post_json};
use serde_json::{Value, json};

use crate::run;

const BACKENDS: &str = "plugins: { directories: [plugins] }\nbackends:\n";
const ROLES: &str = "roles: { mapping: { \"CN=admins,dc=x\": [Admin], Other: [Viewer] }, pass: [\"*-airflow\"], registration: [Public], sync: replace }";

fn with(backends: &str) -> Folder {
    let folder = Folder::new();
    folder.plugin(&artifacts::fixture("answers"), "answers");
    folder.plugin(&artifacts::fixture("provisions"), "provisions");
    folder.plugin(&artifacts::plugin("template"), "template");
    folder.write("config.yaml", format!("{BACKENDS}{backends}"));
    folder
}

fn probe(folder: &Folder, user: &str) -> Done {
    run(folder, &["check", "--probe", user], &[])
}

fn as_json(folder: &Folder, user: &str) -> Value {
    let done = run(folder, &["check", "--json", "--probe", user], &[]);
    serde_json::from_str(&done.stdout).unwrap_or_else(|error| panic!("{error}: {done:?}"))
}

fn page(done: &Done, lines: &[&str]) {
    for line in lines {
        let found = done.stdout.lines().any(|told| told.contains(line));
        assert!(found, "{line:?} is missing in:\n{}", done.stdout);
    }
}

fn provisioned(dir: &str, rows: &str) -> Folder {
    with(&format!(
        "  dir: {{ plugin: answers, config: {{}}, {dir}, {ROLES} }}\n  users: {{ plugin: provisions, login: false, config: {{ rows: [{rows}] }} }}\n"
    ))
}

#[test]
fn probe_without_a_name_tells_who_can_be_reached() {
    let folder = with(
        "  up: { plugin: answers, config: {} }\n  door: { plugin: template, config: { password: x } }\n",
    );
    let done = run(&folder, &["check", "--probe"], &[]);
    assert_eq!(done.code, 0, "{done:?}");
    page(
        &done,
        &[
            "probe up    reachable, ",
            "probe door  reachable, ",
            "ok: the server can start, and every backend answers",
        ],
    );
}

#[test]
fn backend_that_cannot_be_reached_is_exit_1_and_plain_check_is_content() {
    let folder = with(
        "  up: { plugin: answers, config: {} }\n  down: { plugin: answers, config: { down: true } }\n",
    );
    assert_eq!(run(&folder, &["check"], &[]).code, 0);
    let done = run(&folder, &["check", "--probe"], &[]);
    assert_eq!(done.code, 1, "{done:?}");
    page(
        &done,
        &[
            "probe down  NOT REACHABLE, ",
            "nobody answers at ldaps://down",
        ],
    );
    assert!(done.stderr.contains("cannot be reached: down"), "{done:?}");
    assert!(!done.stdout.contains("ok:"), "{done:?}");
}

#[test]
fn user_is_told_group_by_group_and_role_by_role() {
    let folder = provisioned("registration: true, provision: users", "");
    let done = probe(&folder, "ada");
    assert_eq!(done.code, 0, "{done:?}");
    page(
        &done,
        &[
            "user ada",
            "  dir: knows him, ",
            "    id        id-ada",
            "    username  ada",
            "    e-mail    ada@example.org",
            "    groups    cn=Admins, dc=x  → Admin (mapping, as \"CN=admins,dc=x\")",
            "              team-airflow     → team-airflow (pass \"*-airflow\")",
            "              other            no role (warning: misses the mapping's key \"Other\" only by its case: write the key as the group is written here)",
            "    roles     Admin (mapping), Own (the backend), Public (registration), team-airflow (pass)",
            "    row       in users: no row yet: one would be made",
            "  users: would not be asked (login: false, it only keeps rows)",
        ],
    );
    assert!(!folder.join("state").exists(), "nothing was made");
    let told = &as_json(&folder, "ada")["user"]["backends"][0];
    assert_eq!(told["found"], json!({ "outcome": "known" }));
    assert_eq!(told["user"]["groups"][0]["roles"], json!(["Admin"]));
    assert_eq!(told["user"]["row"]["admitted"], true);
}

#[test]
fn rows_are_told_as_they_are() {
    let row = |more: &str| format!("{{ id: 5, username: Ada, roles: [Viewer]{more} }}");
    for (dir, rows, told, code) in [
        (
            "registration: false, provision: users",
            String::new(),
            "`registration` is false",
            1,
        ),
        (
            "provision: users",
            row(""),
            "none may be taken (provision.link)",
            1,
        ),
        (
            "provision: { backend: users, link: username }",
            row(", active: false"),
            "is inactive",
            1,
        ),
        (
            "provision: { backend: users, link: username }",
            row(""),
            "row 5 \"Ada\" would become his, if nobody has a password",
            0,
        ),
        (
            "provision: { backend: users, link: username, adopt_password_rows: true }",
            row(""),
            "row 5 \"Ada\" would become his",
            0,
        ),
    ] {
        let folder = provisioned(dir, &rows);
        let done = probe(&folder, "ada");
        assert_eq!(done.code, code, "{dir}: {done:?}");
        page(&done, &[told]);
    }
}

#[test]
fn row_that_is_linked_is_his_and_the_store_stays_as_it_is() {
    let folder = provisioned("registration: true, provision: users", "");
    let config = fs::read_to_string(folder.join("config.yaml")).unwrap();
    let server = Server::start(&folder, &config);
    let body = json!({ "username": "ada", "password": "x" }).to_string();
    assert_eq!(
        post_json(server.address, "/auth/dir/token", &body).status,
        201
    );
    let state = server.state.to_str().unwrap().to_owned();
    let probe = || {
        run(
            &folder,
            &["check", "--probe", "ada"],
            &[("COUNTERSIGN_STATE", &state)],
        )
    };
    // Beside the server that runs, and after its end.
    let done = probe();
    assert_eq!(done.code, 0, "{done:?}");
    page(
        &done,
        &[
            "row       in users: row 101 \"ada\" is his, and active",
            "its roles then, as far as users has them: Admin, Own, Public",
        ],
    );
    assert_eq!(server.stop().0, 0);
    let store = fs::read(format!("{state}/store.db")).unwrap();
    assert_eq!(probe().code, 0);
    assert_eq!(fs::read(format!("{state}/store.db")).unwrap(), store);
}

#[test]
fn user_whom_nobody_knows_or_lets_in_is_exit_1() {
    let folder = with("  dir: { plugin: answers, config: {} }\n");
    for (user, told, error) in [
        (
            "nobody",
            "dir: does not know him",
            "no backend knows nobody",
        ),
        (
            "denied",
            "dir: would refuse him: inactive since  yesterday",
            "would not be let in",
        ),
        ("unavailable", "dir: FAILED, ", "the look-up failed in dir"),
    ] {
        let done = probe(&folder, user);
        assert_eq!(done.code, 1, "{done:?}");
        page(&done, &[told]);
        assert!(
            done.stderr.contains(error) && done.stderr.contains("help:"),
            "{done:?}"
        );
    }
    let folder = with(
        "  door: { plugin: template, config: { password: x } }\n  some: { plugin: answers, config: {}, match: { username: \"x.*\" } }\n",
    );
    let done = probe(&folder, "ada");
    assert_eq!(done.code, 0, "who offers no look-up may know him: {done:?}");
    page(
        &done,
        &[
            "door: offers no look-up",
            "some: would not be asked (match.username excludes this name)",
        ],
    );
}

#[test]
fn table_that_the_first_start_will_make_knows_nobody_yet() {
    let folder = Folder::new();
    folder.write("config.yaml", "");
    let done = probe(&folder, "ada");
    assert_eq!(done.code, 1, "{done:?}");
    page(&done, &["users: does not know him, "]);
    assert!(done.stderr.contains("no backend knows ada"), "{done:?}");
    assert!(!folder.join("state").exists(), "nothing was made");
}

#[test]
fn json_without_a_probe_is_a_mistake_of_usage() {
    let folder = with("  dir: { plugin: answers, config: {} }\n");
    assert_eq!(run(&folder, &["check", "--json"], &[]).code, 64);
}

/// An entry of `trust` for this provider.
fn trusting(provider: &Oidc, more: &str) -> String {
    let (issuer, aud) = (&provider.issuer, Oidc::AUDIENCE);
    format!(
        "  - {{ issuer: \"{issuer}\", jwks_url: \"{issuer}/jwks\", audiences: [\"{aud}\"]{more} }}\n"
    )
}

fn up(trust: &str) -> Folder {
    with(&format!(
        "  up: {{ plugin: answers, config: {{}} }}\ntrust:\n{trust}"
    ))
}

#[test]
fn keys_of_trusted_issuers_are_fetched_and_told_with_what_cannot_be_used() {
    let (plain, secure) = (Oidc::start(), Oidc::secure());
    let ca = format!(", tls: {{ ca: \"{}\" }}", secure.ca().display());
    let folder = up(&format!(
        "{}{}",
        trusting(&plain, ""),
        trusting(&secure, &ca)
    ));
    let done = run(&folder, &["check", "--probe"], &[]);
    assert_eq!(done.code, 0, "{done:?}");
    let (first, second) = (&plain.issuer, &secure.issuer);
    page(
        &done,
        &[
            "probe up  reachable, ",
            &format!("probe trust {first}  1 usable key from {first}/jwks, "),
            &format!("probe trust {second}  1 usable key from {second}/jwks, "),
            "  not used: key \"es256-1\" is for ES256, which trust[].algorithms does not name",
            "ok: the server can start, every backend answers, and trusted issuers have keys",
        ],
    );
    let told = &as_json(&folder, "")["trust"];
    assert_eq!(told.as_array().map(Vec::len), Some(2), "{told}");
    assert_eq!(
        (&told[1]["keys"], &told[1]["error"]),
        (&json!(1), &json!(null))
    );
    // Nothing is fetched where nobody asks for it.
    let before = plain.count("/jwks");
    assert_eq!(run(&folder, &["check"], &[]).code, 0);
    assert_eq!(plain.count("/jwks"), before);
}

#[test]
fn issuer_without_keys_is_exit_1_with_the_reason_and_the_remedy() {
    let provider = Oidc::secure();
    let ca = format!(", tls: {{ ca: \"{}\" }}", provider.ca().display());
    let folder = up(&trusting(&provider, ""));
    let stranger = run(&folder, &["check", "--probe"], &[]);
    assert_eq!(stranger.code, 1, "{stranger:?}");
    page(
        &stranger,
        &[
            "NO KEYS from ",
            "UnknownIssuer",
            "in PEM, in trust[].tls.ca",
        ],
    );
    let where_from = format!("no keys of a trusted issuer from {}/jwks", provider.issuer);
    assert!(stranger.stderr.contains(&where_from), "{stranger:?}");

    let folder = up(&trusting(&provider, &ca));
    let weak = json!({ "kty": "RSA", "kid": "weak\u{1b}", "n": "AQAB", "e": "AQAB" });
    for (fault, told) in [
        (json!({ "status": 503 }), "status 503"),
        (json!({ "body": "<html>" }), "is not JSON"),
        (
            json!({ "body": json!({ "keys": [weak] }).to_string() }),
            "no key that can be used",
        ),
    ] {
        provider.reset();
        let mut fault = fault;
        fault["path"] = "/jwks".into();
        provider.fault(&fault);
        let done = run(&folder, &["check", "--probe"], &[]);
        assert_eq!(done.code, 1, "{told}: {done:?}");
        page(&done, &["NO KEYS from ", told]);
        assert!(!done.stdout.contains('\u{1b}') && !done.stdout.contains("ok:"));
    }
    provider.reset();
    let folder = up(&trusting(&provider, &format!("{ca}, algorithms: [ES384]")));
    let done = run(&folder, &["check", "--probe"], &[]);
    assert_eq!(done.code, 1, "{done:?}");
    page(
        &done,
        &[
            "none of the keys can be used",
            "which trust[].algorithms does not name",
        ],
    );
    provider.stop();
    let done = run(&folder, &["check", "--probe"], &[]);
    assert_eq!(done.code, 1, "{done:?}");
    page(&done, &["the key set cannot be fetched: "]);
}
