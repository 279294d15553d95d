//! `config/deploy/`: what its files name exists, and what they configure starts.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::process::Command;

use countersign_tests::artifacts::repository;
use countersign_tests::postgres::Postgres;
use countersign_tests::{Folder, Server, countersign, get};

const FILES: [&str; 7] = [
    "Dockerfile",
    "compose.yaml",
    "countersign.service",
    "hosts/compose.yaml",
    "hosts/kubernetes.yaml",
    "install.sh",
    "kubernetes.yaml",
];

fn read(file: &str) -> String {
    fs::read_to_string(repository().join("config/deploy").join(file)).unwrap()
}

/// The `countersign.yaml` in a manifest's ConfigMap.
fn config_map(manifest: &str) -> String {
    let manifest = read(manifest);
    let after = manifest.split("  countersign.yaml: |\n").nth(1).unwrap();
    let lines = after.lines().map_while(|line| line.strip_prefix("    "));
    lines.map(|line| format!("{line}\n")).collect()
}

/// Secrets as a projected volume shows them: links into a folder that is changed as one.
fn projected(folder: &Folder, secrets: &[(&str, Vec<u8>)]) {
    for (name, secret) in secrets {
        let file = folder.write(&format!("secrets/..2026/{name}"), secret);
        fs::set_permissions(file, fs::Permissions::from_mode(0o440)).unwrap();
        symlink(
            format!("..data/{name}"),
            folder.join(&format!("secrets/{name}")),
        )
        .unwrap();
    }
    symlink("..2026", folder.join("secrets/..data")).unwrap();
}

#[test]
fn config_map_serves_with_secrets_of_a_projected_volume() {
    let folder = Folder::new();
    let key = ["keys", "generate", "--format", "pem"];
    let files = ["--private-key", "signing.pem", "--public-key", "public.pem"];
    let made = countersign(
        folder.path(),
        &[&key[..], &files].concat(),
        &[("COUNTERSIGN_STATE", "state")],
        "",
    );
    assert_eq!(made.code, 0, "{made:?}");
    let secret = folder.join("secrets").display().to_string();
    let key = fs::read(folder.join("signing.pem")).unwrap();
    let url = b"sqlite://{state}/users.db".to_vec();
    projected(&folder, &[("signing.pem", key), ("users-url", url)]);
    let config = config_map("kubernetes.yaml");
    assert!(config.contains("/run/secrets/countersign"), "{config}");
    let config = config.replace("/run/secrets/countersign", &secret);
    let url = format!("{secret}/users-url");
    let environment = [(
        "COUNTERSIGN_BACKENDS__USERS__CONFIG__URL_FILE",
        url.as_str(),
    )];
    let server = Server::with(&folder, &config, &environment);
    let password = fs::read_to_string(server.state.join("initial-admin-password")).unwrap();
    server.token("admin", password.trim());
}

#[test]
fn hosts_of_the_manifest_publish_the_same_keys() {
    let postgres = Postgres::start();
    let secrets = Folder::new();
    let kek = secrets.write("kek", "Y291bnRlcnNpZ24tdGVzdHMtb25lLWtlay0zMi1ieXQ=\n");
    fs::set_permissions(&kek, fs::Permissions::from_mode(0o440)).unwrap();
    let [store, users] = [
        ("store-url", postgres.url.clone()),
        ("users-url", "sqlite://{state}/users.db".to_owned()),
    ]
    .map(|(name, url)| secrets.write(name, url).display().to_string());
    let kek = kek.display().to_string();
    let config = config_map("hosts/kubernetes.yaml");
    // Those that the manifest sets.
    let environment = [
        ("COUNTERSIGN_STORE__KEK_FILE", kek.as_str()),
        ("COUNTERSIGN_STORE__URL_FILE", &store),
        ("COUNTERSIGN_BACKENDS__USERS__CONFIG__URL_FILE", &users),
    ];
    for (name, _) in environment {
        assert!(read("hosts/kubernetes.yaml").contains(name), "{name}");
    }
    let folders = [Folder::new(), Folder::new()];
    let hosts = folders
        .each_ref()
        .map(|folder| Server::with(folder, &config, &environment));
    let sets = hosts
        .each_ref()
        .map(|host| get(host.address, "/.well-known/jwks.json").body);
    assert_eq!(sets[0], sets[1]);
    for host in &hosts {
        assert_eq!(get(host.admin, "/readyz").status, 200);
    }
}

#[test]
fn probes_of_the_manifest_are_answered() {
    let folder = Folder::new();
    let server = crate::template(&folder);
    let manifest = read("kubernetes.yaml");
    let paths: BTreeSet<_> = manifest
        .split("path: ")
        .skip(1)
        .map(|rest| rest.split(',').next().unwrap())
        .collect();
    assert_eq!(paths.len(), 2, "{paths:?}");
    for path in paths {
        assert_eq!(get(server.admin, path).status, 200, "{path}");
    }
}

#[test]
fn health_check_of_the_image_tells_a_server_from_none() {
    let folder = Folder::new();
    let server = crate::template(&folder);
    let dockerfile = read("Dockerfile");
    let command = dockerfile
        .lines()
        .find_map(|line| line.strip_prefix("HEALTHCHECK ")?.split_once("CMD "))
        .unwrap()
        .1;
    let words: Vec<String> = serde_json::from_str(command).unwrap();
    let port = format!("/{} ", server.admin.port());
    let check = words[2].replace("/8091 ", &port);
    assert_ne!(check, words[2]);
    let healthy = || {
        let check = Command::new(&words[0]).args([&words[1], &check]).output();
        check.unwrap().status.success()
    };
    assert!(healthy());
    server.stop();
    assert!(!healthy());
}

#[test]
fn variables_that_are_named_are_keys_of_the_configuration() {
    let folder = Folder::new();
    let mut named = BTreeSet::new();
    for file in FILES {
        let text = read(file);
        for rest in text.split("COUNTERSIGN_").skip(1) {
            let end = rest.find(|c: char| !c.is_ascii_uppercase() && c != '_');
            named.insert(rest[..end.unwrap_or(rest.len())].to_owned());
        }
    }
    assert!(named.contains("SERVER__PLAIN_HTTP"), "{named:?}");
    let defaults = repository().join("config/countersign.yaml");
    let config = [("COUNTERSIGN_CONFIG", defaults.to_str().unwrap())];
    for name in named {
        // LISTEN is read by config/countersign.yaml itself; a name without end is prose.
        if ["", "CONFIG", "STATE", "LISTEN"].contains(&name.as_str()) {
            continue;
        }
        let key = name.trim_end_matches("_FILE").to_lowercase();
        let arguments = ["config", "explain", &key.replace("__", ".")];
        let done = countersign(folder.path(), &arguments, &config, "");
        assert_eq!(done.code, 0, "COUNTERSIGN_{name}: {done:?}");
    }
}

#[test]
fn commands_of_the_unit_exist() {
    let folder = Folder::new();
    let unit = read("countersign.service");
    let commands: Vec<Vec<&str>> = unit
        .lines()
        .filter_map(|line| line.split_once("=/usr/local/bin/countersign "))
        .map(|(_, arguments)| arguments.split(' ').collect())
        .collect();
    assert_eq!(commands.len(), 2, "start and reload");
    for arguments in commands {
        let help = [&arguments[..], &["--help"]].concat();
        let done = countersign(folder.path(), &help, &[], "");
        assert_eq!(done.code, 0, "{arguments:?}: {done:?}");
    }
}

#[test]
fn image_holds_no_secret_and_does_not_run_as_root() {
    let dockerfile = read("Dockerfile");
    assert!(dockerfile.contains("\nUSER 10001:10001\n"));
    assert!(read("kubernetes.yaml").contains("runAsUser: 10001"));
    for line in dockerfile.lines().filter(|line| !line.starts_with('#')) {
        let line = line.to_lowercase();
        assert!(
            !line.contains("password") && !line.contains("secret"),
            "{line}"
        );
    }
}
