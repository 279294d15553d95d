//! The documented example on a live Airflow: its table is the one that Airflow runs on, and Airflow itself
//! says what the token is worth.

use countersign_tests::airflow::{Airflow, prepare};
use countersign_tests::{Folder, Server, get, send, token};
use serde_json::json;

use super::*;

#[test]
fn airflow_takes_the_user_and_the_roles_of_the_single_sign_on() {
    let provider = seed::provider();
    let folder = Folder::new();
    let home = folder.join("airflow");
    let facts = prepare(&home);
    let table = Path::new(&facts["AIRFLOW_DB"]);
    let roles = [
        ("airflow_admin", "Admin"),
        ("airflow_op", "Op"),
        ("airflow_public", "Viewer"),
    ];
    add_roles(table, &roles);
    let config = seed::config(&folder, &provider, &facts["AIRFLOW_DB_URL"]);
    let server = Server::start(&folder, &config);
    assert_eq!(get(server.address, "/.well-known/jwks.json").status, 200);
    let jwks = format!("http://{}/.well-known/jwks.json", server.address);
    let running = Airflow::start(&home, &["--jwks-url", &jwks]);
    let asks = |path: &str, jwt: &str| {
        let authorization = format!("Bearer {jwt}");
        let headers = [("authorization", authorization.as_str())];
        send(running.address(), "GET", path, &headers, b"").status
    };

    for (user, role, connections) in [
        ("amelia", "airflow_admin", 200),
        ("oscar", "airflow_op", 200),
        ("bob", "airflow_public", 403),
        ("carol", "airflow_public", 403),
    ] {
        let tokens = provider.login(user, &["--resource", "urn:testbed:aud:airflow"]);
        let theirs = tokens["access_token"].as_str().unwrap();
        let ours = exchanged(&server, theirs);
        assert_eq!(roles_of(table, user), json!([role]), "{user}");
        let id: u64 = token::claims(&ours)["sub"]
            .as_str()
            .unwrap()
            .parse()
            .unwrap();
        assert!(id > 4, "{user} is a new row of Airflow's table: {id}");
        assert_eq!(asks("/ui/auth/me", &ours), 200, "{user}");
        assert_eq!(asks("/api/v2/pools", &ours), 200, "{user}");
        let rights = asks("/api/v2/connections", &ours);
        assert_eq!(rights, connections, "{user} is {role}");
        // The provider's own token opens nothing: only ours does.
        assert_ne!(asks("/api/v2/pools", theirs), 200, "{user}");
    }
    // Names and passwords of Airflow's table go on beside it.
    let viewer = server.token(&facts["AIRFLOW_VIEWER"], &facts["AIRFLOW_VIEWER_PASSWORD"]);
    assert_eq!(token::claims(&viewer)["sub"], "2");
    assert_eq!(asks("/api/v2/pools", &viewer), 200);
    // What Airflow's own example lets in: it does not look at the signature.
    let forged = json!({ "user": "amelia", "alg": "none", "claims": { "aud": "airflow" } });
    assert_eq!(bearer(&server, &provider.forge(&forged)).status, 401);
}
