//! A Samba domain controller in Active Directory's place: its matching rule, its primary
//! groups, its names, and its words for a refused bind. Where it cannot run (the script's head says
//! what it needs), [`WITHOUT`] leaves these tests out; nothing else does.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

use countersign_sdk::Kind;
use serde_json::{Value, json};

use super::groups_of;
use crate::bed;

/// Set to anything, it says that this machine cannot run Samba.
const WITHOUT: &str = "COUNTERSIGN_TEST_WITHOUT_SAMBA";

struct Domain {
    facts: BTreeMap<String, String>,
    /// It ends when its standard input does: with this process.
    _child: Child,
}

/// One for all tests; none where somebody said that it cannot run.
fn domain() -> Option<&'static Domain> {
    static DOMAIN: OnceLock<Result<Domain, ()>> = OnceLock::new();
    if std::env::var_os(WITHOUT).is_some() {
        eprintln!("left out: {WITHOUT} is set");
        return None;
    }
    let domain = DOMAIN.get_or_init(start);
    Some(domain.as_ref().unwrap_or_else(|()| {
        panic!("no Samba, of which its script has told why; {WITHOUT}=1 leaves these tests out")
    }))
}

fn start() -> Result<Domain, ()> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/testbed/samba/samba.sh");
    let name = format!("countersign-samba-{}", std::process::id());
    let mut child = Command::new(script)
        .arg("run")
        .arg(std::env::temp_dir().join(name))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let facts: BTreeMap<_, _> = lines
        .map_while(Result::ok)
        .take(4)
        .filter_map(|line| {
            let (key, value) = line.split_once('=')?;
            Some((key.to_owned(), value.to_owned()))
        })
        .collect();
    if facts.len() < 4 {
        drop(child.stdin.take());
        child.wait().unwrap();
        return Err(());
    }
    Ok(Domain {
        facts,
        _child: child,
    })
}

impl Domain {
    fn settings(&self, more: Value) -> Value {
        let mut settings = json!({
            "url": self.facts["AD_URL"],
            "bind_dn": self.facts["AD_SERVICE"],
            "bind_password": self.facts["AD_SERVICE_PASSWORD"],
            "search": { "base": self.facts["AD_BASE"], "uid_attribute": "sAMAccountName" },
        });
        bed::put_over(&mut settings, more);
        settings
    }
}

fn dn(name: &str) -> String {
    format!("CN={name},CN=Users,DC=corp,DC=test")
}

#[tokio::test]
async fn chain_and_climbing_find_the_same_groups_through_a_ring() {
    let Some(domain) = domain() else { return };
    // Samba's own: Domain Users is in the built-in group Users.
    let builtin = "CN=Users,CN=Builtin,DC=corp,DC=test".to_owned();
    for nested in ["chain", "recursive", "auto"] {
        let settings = domain.settings(json!({ "groups": { "nested": nested } }));
        let mut all = ["Domain Users", "Everything", "Ops", "People", "Staff"]
            .map(dn)
            .to_vec();
        all.push(builtin.clone());
        all.sort();
        assert_eq!(groups_of(settings, "ada").await.unwrap(), all, "{nested}");
    }
}

#[tokio::test]
async fn direct_groups_are_member_of_and_the_primary_group() {
    let Some(domain) = domain() else { return };
    let ada = groups_of(domain.settings(json!({})), "ada").await.unwrap();
    assert_eq!(ada, ["Domain Users", "Ops"].map(dn));
    let grace = groups_of(domain.settings(json!({})), "grace")
        .await
        .unwrap();
    assert_eq!(grace, [dn("Domain Users")]);
}

#[tokio::test]
async fn user_binds_by_his_principal_name_and_an_account_with_its_domain() {
    let Some(domain) = domain() else { return };
    for more in [
        json!({ "bind_dn": null, "bind_password": null, "append_domain": "corp.test" }),
        json!({ "bind_dn": null, "bind_password": null, "username_format": "CORP\\{username}" }),
        json!({ "bind_dn": "CORP\\svc" }),
    ] {
        let ldap = bed::instance(domain.settings(more.clone())).await;
        let user = bed::login(&ldap, "ada", "ada-pw").await.unwrap().unwrap();
        assert_eq!(user.email, "ada@corp.test", "{more}");
        assert_eq!(user.groups, ["Domain Users", "Ops"].map(dn), "{more}");
        let refused = bed::login(&ldap, "ada", "wrong").await.unwrap_err();
        assert_eq!(refused.kind(), Kind::Denied, "{more}");
    }
}

#[tokio::test]
async fn l14_refusals_are_denied_with_the_servers_own_reason() {
    let Some(domain) = domain() else { return };
    let ldap = bed::instance(domain.settings(json!({}))).await;
    for _ in 0..3 {
        bed::login(&ldap, "locked", "wrong").await.unwrap_err();
    }
    for (name, password, why) in [
        ("ada", "wrong", "wrong password"),
        ("disabled", "disabled-pw", "data 533"),
        ("expired", "expired-pw", "data 701"),
        ("mustchange", "mustchange-pw", "data 773"),
        ("locked", "locked-pw", "data 775"),
    ] {
        let refused = bed::login(&ldap, name, password).await.unwrap_err();
        assert_eq!(refused.kind(), Kind::Denied, "{name}: {refused:?}");
        let detail = refused.detail();
        assert!(detail.contains(why), "{name}: {detail}");
    }
}
