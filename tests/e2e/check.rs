//! `countersign check`: what an operator reads of his configuration, right or wrong.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use countersign_tests::{Folder, Server, artifacts, countersign, get, token};

use crate::run;

#[test]
fn check_of_the_defaults_passes_and_makes_nothing() {
    let folder = Folder::new();
    let done = countersign(folder.path(), &["check"], &[], "");
    assert_eq!(done.code, 0, "{done:?}");
    assert!(
        done.stdout.contains("ok: the server can start"),
        "{}",
        done.stdout
    );
    assert_eq!(
        fs::read_dir(folder.path()).unwrap().count(),
        0,
        "check changes nothing"
    );
}

#[test]
fn check_beside_a_running_server_passes() {
    let folder = Folder::new();
    let server = Server::start(
        &folder,
        "backends:\n  users: { plugin: db, config: { url: \"sqlite://{state}/users.db\" } }\n",
    );
    let done = run(
        &folder,
        &["check"],
        &[("COUNTERSIGN_STATE", server.state.to_str().unwrap())],
    );
    assert_eq!(done.code, 0, "{done:?}");
}

#[test]
fn c01_all_mistakes_are_told_in_one_run_with_their_places() {
    let folder = Folder::new();
    folder.write("config.yaml", "server: { lisen: 1 }\ntokens:\n  lifetime: soon\n  leeway: 10s\nbackends:\n  bad:\n    plugin: nowhere\n");
    let done = run(&folder, &["check"], &[]);
    assert_eq!(done.code, 78, "{done:?}");
    for expected in [
        "lisen",
        "listen",
        "config.yaml:1:",
        "tokens.lifetime",
        "config.yaml:3:",
        "nowhere",
        "config.yaml:7:",
    ] {
        assert!(
            done.stderr.contains(expected),
            "{expected:?} is missing in:\n{}",
            done.stderr
        );
    }
}

#[test]
fn c01_broken_yaml_is_told_with_its_line() {
    for (text, expected) in [
        ("server: {", "config.yaml:"),
        ("server:\n\tlisten: x\n", "tab"),
        ("a: 1\na: 2\n", "config.yaml:2:"),
        ("tokens: { audience: ${A:-b} }\n", "quote"),
        ("tokens:\n  audience: ${NOT_SET}\n", "NOT_SET"),
        ("- a\n", "config.yaml:1:"),
    ] {
        let folder = Folder::new();
        folder.write("config.yaml", text);
        let done = run(&folder, &["check"], &[]);
        assert_eq!(done.code, 78, "{text:?}: {done:?}");
        assert!(
            done.stderr.contains(expected),
            "{text:?}: {expected:?} is missing in:\n{}",
            done.stderr
        );
        assert!(done.stderr.contains("error:"), "{}", done.stderr);
    }
}

#[test]
fn c01_setting_that_a_plugin_refuses_is_told_with_its_place() {
    let folder = Folder::new();
    folder.write(
        "config.yaml",
        "backends:\n  users:\n    plugin: db\n    config:\n      url: sqlite:///nowhere/at/all.db\n  more:\n    plugin: db\n    config: { url: \"${DB}\" }\n",
    );
    let done = run(&folder, &["check"], &[("DB", "sqlite:///nowhere.db")]);
    assert_eq!(done.code, 78, "{done:?}");
    for place in [
        "  --> config.yaml:5:12\n",
        "  --> config.yaml:8:20 via DB\n",
    ] {
        assert!(done.stderr.contains(place), "{place}: {}", done.stderr);
    }
}

#[test]
fn presets_pass_with_what_their_users_have() {
    let folder = Folder::new();
    let config = |name: &str| artifacts::repository().join("config").join(name);
    let made = run(
        &folder,
        &[
            "keys",
            "generate",
            "--private-key",
            "private.der",
            "--public-key",
            "public.der",
        ],
        &[("COUNTERSIGN_CONFIG", "")],
    );
    assert_eq!(made.code, 0, "{made:?}");
    let path = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    let (private, public) = (path("private.der"), path("public.der"));
    let open_metadata = [
        ("RSA_PRIVATE_KEY_FILE_PATH", private.as_str()),
        ("RSA_PUBLIC_KEY_FILE_PATH", &public),
        ("JWT_KEY_ID", "own"),
    ];
    let done = run(
        &folder,
        &[
            "check",
            "--config",
            config("openmetadata.yaml").to_str().unwrap(),
        ],
        &open_metadata,
    );
    assert_eq!(done.code, 0, "{done:?}");
    // Stands in for Airflow's: the same tables, in a file that exists.
    let add = ["users", "add", "ada", "--password-stdin"];
    let environment = [("COUNTERSIGN_STATE", "state"), ("COUNTERSIGN_CONFIG", "")];
    assert_eq!(
        countersign(folder.path(), &add, &environment, "x\n").code,
        0
    );
    let database = format!("sqlite://{}", path("state/users.db"));
    let airflow = [
        ("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", database.as_str()),
        ("AIRFLOW_JWT_PUBLIC_KEY", &public),
    ];
    let done = run(
        &folder,
        &[
            "check",
            "--config",
            config("airflow.yaml").to_str().unwrap(),
        ],
        &airflow,
    );
    assert_eq!(done.code, 0, "{done:?}");
}

/// The variables that OpenMetadata's own guides set for each provider.
#[test]
fn openmetadatas_providers_pass_with_its_own_variables() {
    let folder = Folder::new();
    let config = artifacts::repository().join("config/openmetadata.yaml");
    let config = config.to_str().unwrap();
    let (private, public) = ("private.der", "public.der");
    let keys = [
        "keys",
        "generate",
        "--private-key",
        private,
        "--public-key",
        public,
    ];
    let made = run(&folder, &keys, &[("COUNTERSIGN_CONFIG", "")]);
    assert_eq!(made.code, 0, "{made:?}");
    let path = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    let (private, public) = (path(private), path(public));
    let tenant = "https://login.microsoftonline.com/9f0b1c2d-0000-4000-8000-0123456789ab";
    for (provider, authority, id) in [
        ("google", "https://accounts.google.com", "google"),
        ("okta", "https://example.okta.com/oauth2/default", "okta"),
        ("auth0", "https://example.eu.auth0.com", "auth0"),
        ("azure", tenant, "azure"),
        (
            "aws-cognito",
            "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Abc123",
            "aws_cognito",
        ),
        (
            "custom-oidc",
            "https://sso.example.com/realms/main",
            "custom_oidc",
        ),
    ] {
        let environment = [
            ("RSA_PRIVATE_KEY_FILE_PATH", private.as_str()),
            ("RSA_PUBLIC_KEY_FILE_PATH", &public),
            ("JWT_KEY_ID", "own"),
            ("AUTHENTICATION_PROVIDER", provider),
            ("AUTHENTICATION_AUTHORITY", authority),
            ("AUTHENTICATION_CLIENT_ID", "om"),
            ("AUTHENTICATION_CLIENT_TYPE", "confidential"),
            ("OIDC_CLIENT_ID", "om"),
            ("OIDC_CLIENT_SECRET", "c4n4ry"),
            ("AUTHORIZER_ENFORCE_PRINCIPAL_DOMAIN", "true"),
        ];
        let done = run(&folder, &["check", "--config", config], &environment);
        assert_eq!(done.code, 0, "{provider}: {done:?}");
        let shown = ["config", "show", "--origin", "--config", config];
        let shown = run(&folder, &shown, &environment);
        let backend = format!("  {id}:");
        let is_there = shown.stdout.lines().any(|line| line.starts_with(&backend));
        assert!(is_there, "{provider}: {}", shown.stdout);
        let all = format!("{done:?}{shown:?}");
        assert!(!all.contains("c4n4ry"), "{provider}: {all}");
    }
    // What only the plugin can know of a provider is told with the variable's name.
    let common = [
        ("RSA_PRIVATE_KEY_FILE_PATH", private.as_str()),
        ("RSA_PUBLIC_KEY_FILE_PATH", &public),
        ("AUTHENTICATION_PROVIDER", "custom-oidc"),
        ("AUTHENTICATION_AUTHORITY", "http://sso.example.com"),
        ("AUTHENTICATION_CLIENT_ID", "om"),
    ];
    let done = run(&folder, &["check", "--config", config], &common);
    assert!(
        done.code == 78 && done.stderr.contains("AUTHENTICATION_AUTHORITY"),
        "{done:?}"
    );
}

#[test]
fn m12_server_leaves_no_core_dump() {
    let folder = Folder::new();
    folder.plugin(&artifacts::plugin("template"), "template");
    let server = Server::start(&folder, crate::TEMPLATE);
    let limits = fs::read_to_string(format!("/proc/{}/limits", server.pid())).unwrap();
    let core = limits
        .lines()
        .find(|line| line.starts_with("Max core file size"))
        .unwrap();
    assert_eq!(core.split_whitespace().nth(4), Some("0"), "{core}");
}

#[test]
fn seeds_openssl_commands_make_keys_that_sign() {
    let folder = Folder::new();
    folder.plugin(&artifacts::plugin("template"), "template");
    for command in [
        "genrsa -out private_key.pem 2048",
        "pkcs8 -topk8 -inform PEM -outform DER -in private_key.pem -out private_key.der -nocrypt",
        "rsa -in private_key.pem -pubout -outform DER -out public_key.der",
    ] {
        assert!(
            Command::new("openssl")
                .args(command.split(' '))
                .current_dir(folder.path())
                .output()
                .unwrap()
                .status
                .success(),
            "{command}"
        );
    }
    fs::set_permissions(
        folder.join("private_key.der"),
        fs::Permissions::from_mode(0o600),
    )
    .unwrap();
    // OpenMetadata's block, with its own variable names and defaults.
    let block = r#"
jwtTokenConfiguration:
  rsapublicKeyFilePath: ${RSA_PUBLIC_KEY_FILE_PATH:-"./conf/public_key.der"}
  rsaprivateKeyFilePath: ${RSA_PRIVATE_KEY_FILE_PATH:-"./conf/private_key.der"}
  jwtissuer: ${JWT_ISSUER:-"open-metadata.org"}
  keyId: ${JWT_KEY_ID:-"Gb389a-9f76-gdjs-a92j-0242bk94356"}
"#;
    let environment = [
        ("RSA_PUBLIC_KEY_FILE_PATH", "public_key.der"),
        ("RSA_PRIVATE_KEY_FILE_PATH", "private_key.der"),
        ("JWT_KEY_ID", "my-own-kid"),
    ];
    let server = Server::with(
        &folder,
        &format!("{}{block}", crate::TEMPLATE),
        &environment,
    );
    let jwt = server.token("ada", "door");
    assert_eq!(
        (
            token::header(&jwt)["kid"].as_str(),
            token::claims(&jwt)["iss"].as_str()
        ),
        (Some("my-own-kid"), Some("open-metadata.org"))
    );
    let published = get(server.address, "/api/v1/system/config/jwks").json();
    assert_eq!(published["keys"][0]["kid"], "my-own-kid");
}
