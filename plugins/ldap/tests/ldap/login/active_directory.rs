//! Active Directory's names, its sub-codes, and what it says where others say something else.

use countersign_sdk::AuthPlugin;
use serde_json::{Value, json};

use super::{denied, unavailable};
use crate::bed::{instance, logged, login, put_over};
use crate::scripted::{DOMAIN, Directory, On, Reply, Scripted, Seen};

const GUID: [u8; 16] = [
    0x33, 0x22, 0x11, 0x00, 0x55, 0x44, 0x77, 0x66, 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff,
];

/// A domain with the service account, Ada, and these.
fn domain(more: impl FnOnce(&mut Directory)) -> Scripted {
    let mut domain = Directory::active_directory();
    domain.user("svc");
    let ada = domain.user("ada");
    domain.set(&ada, "objectGUID", GUID);
    domain.set(&ada, "msDS-PrincipalName", r"CORP\ada");
    more(&mut domain);
    Scripted::start(domain)
}

fn indirect(server: &Scripted) -> Value {
    json!({
        "url": server.url(),
        "bind_dn": format!("CN=svc,CN=Users,{DOMAIN}"),
        "bind_password": "svc-pw",
        "search": { "base": DOMAIN, "uid_attribute": "sAMAccountName" },
    })
}

fn direct(server: &Scripted, more: Value) -> Value {
    let mut settings = indirect(server);
    let own = json!({ "bind_dn": null, "bind_password": null, "username_format": "{username}" });
    put_over(&mut settings, own);
    put_over(&mut settings, more);
    settings
}

#[tokio::test]
async fn l14_sub_code_is_told_to_the_audit_log_and_the_password_is_nowhere() {
    let server = domain(|_| {});
    let bound = format!("CN=ada,CN=Users,{DOMAIN}");
    for (code, reason) in [
        ("52e", "wrong password"),
        ("525", "there is no such user (Active Directory: data 525)"),
        (
            "530",
            "not permitted at this time (Active Directory: data 530)",
        ),
        (
            "531",
            "not permitted from this workstation (Active Directory: data 531)",
        ),
        (
            "532",
            "the password has expired (Active Directory: data 532)",
        ),
        (
            "533",
            "the account is disabled (Active Directory: data 533)",
        ),
        (
            "701",
            "the account has expired (Active Directory: data 701)",
        ),
        (
            "773",
            "the password must be changed first (Active Directory: data 773)",
        ),
        ("775", "the account is locked (Active Directory: data 775)"),
    ] {
        server.on(On::Bind(bound.clone()), Reply::data(code));
        server.on(On::Bind("ada@corp.test".to_owned()), Reply::data(code));
        let ldap = instance(indirect(&server)).await;
        denied(&ldap, "ADA", "ada-pw", (reason, "ada")).await;
        let ldap = instance(direct(&server, json!({}))).await;
        let typed = "ada@corp.test";
        denied(&ldap, typed, "ada-pw", (reason, typed)).await;
    }
}

#[tokio::test]
async fn principal_name_account_name_and_appended_domain_are_one_user() {
    let server = domain(|_| {});
    let ldap = instance(direct(&server, json!({}))).await;
    let user = login(&ldap, "ada@corp.test", "ada-pw").await.unwrap();
    let user = user.unwrap();
    assert_eq!(user.username, "ada");
    assert_eq!(user.id, "00112233-4455-6677-8899-aabbccddeeff");
    let account = login(&ldap, r"CORP\ada", "ada-pw").await.unwrap();
    assert_eq!(account.as_ref(), Some(&user));
    let appended = json!({ "username_format": null, "append_domain": "corp.test" });
    let ldap = instance(direct(&server, appended)).await;
    let appended = login(&ldap, "ada", "ada-pw").await.unwrap();
    assert_eq!(appended.as_ref(), Some(&user));
    let ldap = instance(indirect(&server)).await;
    assert_eq!(login(&ldap, "ada", "ada-pw").await, Ok(Some(user)));
}

/// A user with these names, in this order of the server's looking.
fn add(ad: &mut Directory, account: &str, principal: Option<&str>) {
    let password = format!("{account}-pw");
    let dn = format!("CN={account},CN=Users,{DOMAIN}");
    ad.entry(
        &dn,
        &[("sAMAccountName", account), ("userPassword", &password)],
    );
    if let Some(principal) = principal {
        ad.set(&dn, "userPrincipalName", principal);
    }
}

#[tokio::test]
async fn principal_name_that_is_anothers_account_name_lets_neither_in() {
    // Whom the server binds as bob@… is not the one whose account is called bob.
    for name in ["bob@corp.test", "bob@example.org"] {
        let server = domain(|ad| {
            add(ad, "mallory", Some(name));
            add(ad, "bob", None);
        });
        let (_, suffix) = name.split_once('@').unwrap();
        let appended = json!({ "username_format": null, "append_domain": suffix });
        let ldap = instance(direct(&server, appended.clone())).await;
        let reason = ("several entries have this name", "bob");
        denied(&ldap, "bob", "mallory-pw", reason).await;
    }
    // Where she is not to be seen, his entry is not hers either.
    let server = domain(|ad| {
        add(ad, "mallory", Some("bob@example.org"));
        add(ad, "bob", None);
    });
    let narrowed = |suffix: &str| {
        json!({
            "username_format": null, "append_domain": suffix,
            "search": { "filter": "(!(sAMAccountName=mallory))" },
        })
    };
    let reason = "the entry found is not the one bound";
    let ldap = instance(direct(&server, narrowed("example.org"))).await;
    denied(&ldap, "bob", "mallory-pw", (reason, "bob")).await;
    // Not even where his account name and his domain make up her principal name.
    let server = domain(|ad| {
        add(ad, "mallory", Some("bob@corp.test"));
        add(ad, "bob", None);
    });
    let ldap = instance(direct(&server, narrowed("corp.test"))).await;
    denied(&ldap, "bob", "mallory-pw", (reason, "bob")).await;
}

#[tokio::test]
async fn account_name_of_another_domain_is_not_the_one_of_this() {
    let server = domain(|ad| {
        add(ad, "far", Some(r"OTHER\ada"));
        add(ad, "eve", None);
    });
    let ldap = instance(direct(&server, json!({}))).await;
    let reason = "the entry found is not the one bound";
    denied(&ldap, r"OTHER\ada", "far-pw", (reason, r"OTHER\ada")).await;
    // Where the server does not say what she is called, her entry's own name must bind, too.
    let eve = login(&ldap, r"CORP\eve", "eve-pw").await.unwrap();
    let eve_dn = format!("CN=eve,CN=Users,{DOMAIN}");
    assert_eq!(eve.unwrap().attributes["dn"], json!(eve_dn));
    assert!(server.seen().contains(&Seen::Bind { name: eve_dn }));
}

#[tokio::test]
async fn l01_empty_password_is_not_sent_where_the_server_would_take_it() {
    let server = domain(|_| {});
    let ldap = instance(direct(&server, json!({}))).await;
    let reason = ("the password contains NUL", "ada@corp.test");
    denied(&ldap, "ada@corp.test", "\0", reason).await;
    assert_eq!(login(&ldap, "ada@corp.test", "").await, Ok(None));
    assert!(server.seen().is_empty(), "{:?}", server.seen());
}

#[tokio::test]
async fn disabled_account_is_told_by_a_lookup() {
    let server = domain(|ad| {
        let eve = ad.user("eve");
        ad.set(&eve, "userAccountControl", "514");
    });
    let ldap = instance(indirect(&server)).await;
    let eve = ldap.lookup("eve").await.unwrap().unwrap();
    assert_eq!(eve.attributes["active"], json!(false));
    assert_eq!(eve.attributes["inactive"], json!("the account is disabled"));
    let ada = ldap.lookup("ada").await.unwrap().unwrap();
    assert!(!ada.attributes.contains_key("active"));
}

#[tokio::test]
async fn result_of_the_search_says_what_to_do() {
    for (code, text, says) in [
        (
            1,
            "000004DC: LdapErr: a successful bind must be completed",
            "`bind_dn`",
        ),
        (10, "0000202B: RefErr", "global catalogue"),
        (50, "", "right to read"),
        (51, "busy", "busy"),
        (32, "0000208D: NameErr", "`search.base`"),
    ] {
        let server = domain(|_| {});
        let referrals = vec!["ldap://dc.other.test/DC=other,DC=test".to_owned()];
        let referrals = if code == 10 { referrals } else { Vec::new() };
        server.on(
            On::Search(DOMAIN.to_owned()),
            Reply::Result(code, text.to_owned(), referrals),
        );
        let ldap = instance(indirect(&server)).await;
        let (why, log) = logged(unavailable(&ldap, "ada", "ada-pw")).await;
        assert!(why.contains(says), "{code}: {why}");
        let is_loud = code != 51;
        assert_eq!(
            log.contains("ERROR") && log.contains(says),
            is_loud,
            "{code}: {log}"
        );
    }
}

#[tokio::test]
async fn expired_service_account_is_an_outage_that_says_so() {
    let server = domain(|_| {});
    let service = On::Bind(format!("CN=svc,CN=Users,{DOMAIN}"));
    server.on(service, Reply::data("532"));
    let ldap = instance(indirect(&server)).await;
    let why = unavailable(&ldap, "ada", "ada-pw").await;
    assert!(why.contains("the password has expired"), "{why}");
    assert!(why.contains("`bind_dn` and `bind_password`"), "{why}");
}
