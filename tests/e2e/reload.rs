//! Reload: what is new serves at once, what is wrong leaves the old serving, and no
//! request fails on the way.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use countersign_tests::client::{get, post_json};
use countersign_tests::{Done, Folder, Server, artifacts};

use crate::{TEMPLATE, run, template};

fn reload(folder: &Folder) -> Done {
    run(folder, &["reload"], &[])
}

fn reloaded(folder: &Folder) -> String {
    let done = reload(folder);
    assert_eq!(done.code, 0, "{done:?}");
    done.stdout
}

fn status(address: SocketAddr, password: &str) -> u16 {
    let body = format!(r#"{{"username":"ada","password":"{password}"}}"#);
    post_json(address, "/auth/token", &body).status
}

/// The same library in other bytes: what follows the last segment is never mapped.
fn change(file: &Path, number: usize) {
    let mut bytes = fs::read(file).unwrap();
    bytes.extend_from_slice(format!("{number:016}").as_bytes());
    // As a package manager does it: a new file takes the name at once.
    let new = file.with_extension("new");
    fs::write(&new, bytes).unwrap();
    fs::set_permissions(&new, fs::metadata(file).unwrap().permissions()).unwrap();
    fs::rename(new, file).unwrap();
}

#[test]
fn reload_of_a_changed_setting_serves_it_at_once() {
    let folder = Folder::new();
    let server = template(&folder);
    assert_eq!(status(server.address, "door"), 201);
    folder.write(
        "config.yaml",
        TEMPLATE.replace("password: door", "password: gate"),
    );
    let told = reloaded(&folder);
    assert!(told.contains("backend door: configured anew"), "{told}");
    assert_eq!(status(server.address, "door"), 401);
    assert_eq!(status(server.address, "gate"), 201);
}

#[test]
fn reload_by_sighup_is_told_in_the_log() {
    let folder = Folder::new();
    let server = template(&folder);
    folder.write(
        "config.yaml",
        TEMPLATE.replace("password: door", "password: gate"),
    );
    server.send("HUP");
    // The command waits for the reload before it: reloads come one after the other.
    reloaded(&folder);
    assert_eq!(status(server.address, "gate"), 201);
    let (code, log) = server.stop();
    assert_eq!(code, 0);
    assert!(
        log.matches("\"message\":\"reloaded\"").count() >= 2,
        "{log}"
    );
}

#[test]
fn c08_reload_of_a_wrong_configuration_keeps_the_old_serving_and_says_why() {
    let folder = Folder::new();
    let server = template(&folder);
    for (wrong, told) in [
        (
            TEMPLATE.replace("password: door", "passwort: gate"),
            "config.yaml:4:",
        ),
        (
            TEMPLATE.replace("plugin: template", "plugin: missing"),
            "plugin \"missing\" not found",
        ),
        (
            format!("{TEMPLATE}tokens: {{ lifetime: never }}\n"),
            "tokens.lifetime",
        ),
    ] {
        folder.write("config.yaml", wrong);
        let done = reload(&folder);
        assert_eq!(done.code, 78, "{done:?}");
        assert!(done.stderr.contains(told), "{done:?}");
        assert_eq!(status(server.address, "door"), 201);
    }
    let (_, log) = server.stop();
    assert_eq!(
        log.matches("the old configuration goes on serving").count(),
        0,
        "the command found it itself"
    );
}

#[test]
fn c08_reload_that_only_the_server_can_refuse_keeps_the_old_serving() {
    let folder = Folder::new();
    folder.plugin(
        &artifacts::fixture("panics_in_configure"),
        "panics_in_configure",
    );
    let server = template(&folder);
    let more = "  other: { plugin: panics_in_configure, config: {} }\n";
    folder.write("config.yaml", format!("{TEMPLATE}{more}"));
    let done = reload(&folder);
    assert_eq!(done.code, 78, "{done:?}");
    assert!(done.stderr.contains("backend \"other\""), "{done:?}");
    assert_eq!(status(server.address, "door"), 201);
    let (_, log) = server.stop();
    assert!(
        log.contains("the old configuration goes on serving"),
        "{log}"
    );
}

#[test]
fn reload_of_what_only_a_start_can_change_says_so_and_does_the_rest() {
    let folder = Folder::new();
    let server = template(&folder);
    let config = TEMPLATE.replace("password: door", "password: gate");
    folder.write(
        "config.yaml",
        format!("{config}server: {{ public_url: \"https://a.example\" }}\n"),
    );
    let told = run(&folder, &["reload"], &[]).stdout;
    assert!(!told.contains("warning"), "{told}");
    assert_eq!(status(server.address, "gate"), 201);
}

#[test]
fn reload_without_a_server_is_refused_with_what_to_do() {
    let folder = Folder::new();
    folder.plugin(&artifacts::plugin("template"), "template");
    folder.write("config.yaml", TEMPLATE);
    let done = reload(&folder);
    assert_eq!(done.code, 1, "{done:?}");
    assert!(done.stderr.contains("no server runs"), "{done:?}");
}

#[test]
fn p15_reload_of_changed_plugins_under_load_fails_no_request() {
    let folder = Folder::new();
    let server = template(&folder);
    let file = folder.join("plugins/libcountersign_template.so");
    let failed = under_load(server.address, "door", || {
        for number in 0..5 {
            change(&file, number);
            let told = reloaded(&folder);
            assert!(told.contains("backend door: new library"), "{told}");
        }
    });
    assert_eq!(failed, 0, "{}", server.log());
}

#[test]
fn p15_reload_of_an_exclusive_plugin_under_load_fails_no_request() {
    let folder = Folder::new();
    let file = folder.plugin(&artifacts::plugin("db"), "db");
    let server = Server::start(&folder, DB);
    let password = fs::read_to_string(server.state.join("initial-admin-password")).unwrap();
    let body = format!(r#"{{"username":"admin","password":"{}"}}"#, password.trim());
    let login = |address| post_json(address, "/auth/token", &body).status;
    let failed = loaded(server.address, &login, || {
        for number in 0..3 {
            change(&file, number);
            let told = reloaded(&folder);
            assert!(told.contains("backend users: new library"), "{told}");
        }
    });
    assert_eq!(failed, 0, "{}", server.log());
    let (code, log) = server.stop();
    assert_eq!(code, 0);
    assert!(!log.contains("did not shut down cleanly"), "{log}");
}

#[test]
fn p15_exclusive_successor_that_does_not_start_brings_the_old_one_back() {
    let folder = Folder::new();
    let file = folder.plugin(&artifacts::plugin("db"), "db");
    let server = Server::start(&folder, DB);
    let password = fs::read_to_string(server.state.join("initial-admin-password")).unwrap();
    change(&file, 1);
    folder.write(
        "config.yaml",
        format!(
            "{DB}  more: {{ plugin: db, config: {{ url: \"sqlite:///nowhere/users.db\" }} }}\n"
        ),
    );
    let done = reload(&folder);
    assert_eq!(done.code, 78, "{done:?}");
    assert_eq!(server.login("admin", password.trim()).status, 201);
    let (code, _) = server.stop();
    assert_eq!(code, 0);
}

#[test]
fn p15_exclusive_plugin_that_does_not_let_go_keeps_its_file_until_a_restart() {
    let folder = Folder::new();
    let file = folder.plugin(&artifacts::fixture("clings"), "clings");
    let server = Server::start(&folder, CLINGS);
    fs::write(server.state.join("cling"), "").unwrap();
    change(&file, 1);
    for _ in 0..2 {
        let done = reload(&folder);
        assert_eq!(done.code, 78, "{done:?}");
        assert!(done.stderr.contains("may still hold its files"), "{done:?}");
        assert!(done.stderr.contains("restart the server"), "{done:?}");
        assert_eq!(server.login("ada", "x").status, 201);
    }
    fs::remove_file(server.state.join("cling")).unwrap();
}

#[test]
fn p15_exclusive_plugin_that_cannot_be_brought_back_is_told_to_probes_and_mended_by_a_reload() {
    let folder = Folder::new();
    let file = folder.plugin(&artifacts::fixture("clings"), "clings");
    let server = Server::start(&folder, CLINGS);
    let ready = || get(server.admin, "/readyz");
    assert_eq!(ready().status, 200);
    fs::write(server.state.join("broken"), "").unwrap();
    change(&file, 1);
    let done = reload(&folder);
    assert_eq!(done.code, 78, "{done:?}");
    let report = ready();
    assert_eq!(report.status, 503);
    assert_eq!(report.json()["reason"], "unavailable: sin");
    assert_eq!(server.login("ada", "x").status, 503);
    fs::remove_file(server.state.join("broken")).unwrap();
    reloaded(&folder);
    assert_eq!(ready().status, 200);
    assert_eq!(server.login("ada", "x").status, 201);
    let (_, log) = server.stop();
    for text in [
        "could not be brought back",
        "a reload that failed has ended it",
        "plugin libraries stay mapped until a restart",
    ] {
        assert!(log.contains(text), "{text:?} is missing in:\n{log}");
    }
}

const CLINGS: &str = "
plugins: { directories: [plugins] }
backends:
  sin: { plugin: clings }
";

const DB: &str = r#"
plugins: { directories: [plugins] }
backends:
  users: { plugin: db, config: { url: "sqlite://{state}/users.db", hash: "pbkdf2:sha256:1000" } }
"#;

fn under_load(address: SocketAddr, password: &str, work: impl FnOnce()) -> usize {
    loaded(address, &|address| status(address, password), work)
}

/// Logs in without pause on four threads while `work` is done; how many failed.
fn loaded(
    address: SocketAddr,
    login: &(impl Fn(SocketAddr) -> u16 + Sync),
    work: impl FnOnce(),
) -> usize {
    let (done, failed, answered) = (
        AtomicBool::new(false),
        AtomicUsize::new(0),
        AtomicUsize::new(0),
    );
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    let ok = login(address) == 201;
                    answered.fetch_add(1, Ordering::Relaxed);
                    failed.fetch_add(usize::from(!ok), Ordering::Relaxed);
                }
            });
        }
        let finished = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
        done.store(true, Ordering::Relaxed);
        finished.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
    });
    assert!(
        answered.load(Ordering::Relaxed) > 4,
        "nobody logged in meanwhile"
    );
    failed.load(Ordering::Relaxed)
}

#[test]
fn reload_tells_what_check_tells() {
    let folder = Folder::new();
    let server = template(&folder);
    let roles = "{ roles: { registration: [Public] }, plugin: template";
    folder.write("config.yaml", TEMPLATE.replace("{ plugin: template", roles));
    let checked = run(&folder, &["check"], &[]).stdout;
    let warning: Vec<&str> = checked.lines().take(3).collect();
    assert!(
        warning[0].starts_with("warning: `backends.door.roles.registration`"),
        "{checked}"
    );
    let told = reloaded(&folder);
    assert!(told.starts_with(&warning.join("\n")), "{told}");
    let (_, log) = server.stop();
    assert!(log.contains("these roles are given only while"), "{log}");
}
