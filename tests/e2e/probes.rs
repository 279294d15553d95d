//! `/healthz` and `/readyz`.

use std::time::{Duration, Instant};

use countersign_tests::{Folder, Server, artifacts, get, post_json, send};

use crate::{answers, template};

#[test]
fn h15_readiness_names_each_backend_and_the_key() {
    let folder = Folder::new();
    let server = answers(
        &folder,
        "  second: { plugin: answers, config: {}, login: false }\n",
    );
    let answer = get(server.admin, "/readyz");
    assert_eq!(answer.status, 200);
    let report = answer.json();
    assert_eq!(report["status"], "ready");
    for backend in ["first", "second"] {
        assert_eq!(report["backends"][backend]["state"], "ready", "{report}");
    }
    let jwks = get(server.address, "/.well-known/jwks.json").json();
    let kids = jwks["keys"].as_array().unwrap();
    assert!(kids.iter().any(|key| key["kid"] == report["key"]));
}

#[test]
fn h15_liveness_and_readiness_outlast_failing_logins() {
    let folder = Folder::new();
    let server = answers(&folder, "");
    for name in ["unavailable", "fault", "denied"] {
        server.login(name, "x");
    }
    assert_eq!(get(server.admin, "/healthz").status, 200);
    assert_eq!(get(server.admin, "/readyz").status, 200);
}

#[test]
fn h15_open_breaker_of_a_required_backend_ends_readiness_until_a_probe_is_due() {
    let folder = Folder::new();
    folder.plugin(&artifacts::fixture("hangs"), "hangs");
    let backend = |more: &str| format!("{{ plugin: hangs, config: {{}}, timeout: 50ms{more} }}");
    let config = format!(
        "plugins: {{ directories: [plugins] }}\nbackends:\n  needed: {}\n  spare: {}\n",
        backend(""),
        backend(", on_unavailable: next")
    );
    let server = Server::start(&folder, &config);
    let hang = |backend: &str, user: usize| {
        let path = format!("/auth/{backend}/token");
        let body = format!(r#"{{"username":"forever{user}","password":"x"}}"#);
        assert_eq!(post_json(server.address, &path, &body).status, 503);
    };
    // Each pause of the breaker lasts a second at the least.
    (0..6).for_each(|user| hang("spare", user));
    let answer = get(server.admin, "/readyz");
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.json()["backends"]["spare"]["required"], false);
    (0..6).for_each(|user| hang("needed", user));
    let answer = get(server.admin, "/readyz");
    assert_eq!(answer.status, 503, "{answer:?}");
    let report = answer.json();
    assert_eq!(report["reason"], "unavailable: needed");
    assert_eq!(report["backends"]["needed"]["breaker"], "open");
    assert_eq!(get(server.admin, "/healthz").status, 200);
    let begun = Instant::now();
    while get(server.admin, "/readyz").status != 200 {
        assert!(begun.elapsed() < Duration::from_secs(20));
    }
}

#[test]
fn h13_probes_and_metrics_are_not_on_the_public_listener() {
    let folder = Folder::new();
    let server = template(&folder);
    for path in [
        "/healthz", "/readyz", "/metrics", "/debug", "/manage", "/reload",
    ] {
        assert_eq!(get(server.address, path).status, 404, "{path}");
        assert_eq!(post_json(server.address, path, "{}").status, 404, "{path}");
    }
}

#[test]
fn admin_listener_reads_only() {
    let folder = Folder::new();
    let server = template(&folder);
    for path in ["/healthz", "/readyz", "/metrics"] {
        for method in ["POST", "PUT", "DELETE"] {
            let answer = send(server.admin, method, path, &[], b"");
            assert_eq!(answer.status, 405, "{method} {path}");
        }
        assert_eq!(send(server.admin, "HEAD", path, &[], b"").status, 200);
    }
    for path in ["/manage", "/reload", "/auth/token"] {
        assert_eq!(post_json(server.admin, path, "{}").status, 404, "{path}");
    }
}
