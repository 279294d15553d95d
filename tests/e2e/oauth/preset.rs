//! `config/airflow.yaml` with its block for single sign-on taken out of the comment.

use countersign_tests::countersign;
use countersign_tests::preset::uncommented;

use crate::ldap::provisioning::Rows;
use crate::run;

#[test]
fn block_passes_check_as_it_is_written() {
    let rows = Rows::new();
    let key = ["--private-key", "jwt.pem", "--public-key", "jwt.pub"];
    let made = [&["keys", "generate", "--format", "pem"][..], &key].concat();
    assert_eq!(countersign(rows.folder.path(), &made, &[], "").code, 0);
    let preset = uncommented("airflow.yaml", "sso");
    let preset = preset.replace("access: counters", "access: full");
    rows.folder.write("config.yaml", preset);
    let database = format!("sqlite:///{}", rows.file().display());
    let public = rows.folder.join("jwt.pub").display().to_string();
    let variables = [
        ("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", database.as_str()),
        ("AIRFLOW_JWT_PUBLIC_KEY", &public),
        ("OAUTH_CLIENT_SECRET", "canary"),
    ];
    let done = run(&rows.folder, &["check"], &variables);
    assert_eq!(done.code, 0, "{done:?}");
    assert!(!done.stderr.contains("warning"), "{}", done.stderr);
    assert!(!format!("{done:?}").contains("canary"), "{done:?}");
}
