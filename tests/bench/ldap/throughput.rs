//! Logins through the plugin's `.so` against the same two operations by bare ldap3 on the
//! same server, sixteen in flight on either side: a search on a connection of the service
//! account, and a bind as the user on another, which is kept and bound anew each time.

use std::sync::Arc;
use std::time::Instant;

use countersign_abi::Instance;
use countersign_tests::Folder;
use countersign_tests::slapd::Slapd;
use futures_util::future::join_all;
use ldap3::{Ldap, LdapConnAsync, Scope, SearchEntry};
use tokio::runtime::Runtime;

use super::{PASSWORD, settings};
use crate::plugin;
use crate::sample::median;
use crate::table::{Row, Target};

const IN_FLIGHT: usize = 16;
/// Logins of each worker in a round.
const LOGINS: usize = 60;
const ROUNDS: usize = 11;
const USERS: usize = 200;

pub(super) fn measure() -> Vec<Row> {
    let slapd = Slapd::start();
    slapd.bulk(USERS);
    let folder = Folder::new();
    let runtime = Runtime::new().unwrap();
    let ours = plugin::instance("ldap", settings(&[&slapd.url]), &folder);
    let ours = Arc::new(runtime.block_on(ours));
    let mut bare = runtime.block_on(join_all((0..IN_FLIGHT).map(|_| Bare::open(&slapd.url))));

    let (mut own, mut theirs) = (Vec::new(), Vec::new());
    for round in 0..=ROUNDS {
        let started = Instant::now();
        runtime.block_on(join_all(bare.iter_mut().enumerate().map(bare_logins)));
        let reference = rate(started);
        let started = Instant::now();
        runtime.block_on(join_all((0..IN_FLIGHT).map(|worker| logins(&ours, worker))));
        // The first round opens connections.
        if round > 0 {
            theirs.push(reference);
            own.push(rate(started));
        }
    }
    let ratios = own.iter().zip(&theirs).map(|(own, theirs)| own / theirs);
    vec![Row {
        name: format!("ldap logins, search and bind, {IN_FLIGHT} in flight").into(),
        value: median(ratios.collect()),
        measured: format!("{:.0} a second", median(own)),
        reference: format!("{:.0} bare ldap3", median(theirs)),
        unit: "",
        target: Target::AtLeast(0.85),
        note: String::new(),
    }]
}

fn rate(started: Instant) -> f64 {
    (IN_FLIGHT * LOGINS) as f64 / started.elapsed().as_secs_f64()
}

async fn logins(ours: &Instance, worker: usize) {
    for login in 0..LOGINS {
        let request = plugin::login(&user(worker, login), PASSWORD);
        assert!(ours.create_token(request).await.unwrap().is_some());
    }
}

async fn bare_logins((worker, bare): (usize, &mut Bare)) {
    for login in 0..LOGINS {
        bare.login(&user(worker, login)).await;
    }
}

fn user(worker: usize, login: usize) -> String {
    format!("u{}", (worker * LOGINS + login) % USERS)
}

struct Bare {
    service: Ldap,
    user: Ldap,
}

impl Bare {
    async fn open(url: &str) -> Self {
        let mut service = connect(url).await;
        let [dn, password] = Slapd::SERVICE;
        service
            .simple_bind(dn, password)
            .await
            .unwrap()
            .success()
            .unwrap();
        Bare {
            service,
            user: connect(url).await,
        }
    }

    async fn login(&mut self, name: &str) {
        let filter = format!("(uid={name})");
        let wanted = vec!["uid", "givenName", "sn", "mail", "memberOf", "entryUUID"];
        let found = self
            .service
            .search(Slapd::BASE, Scope::Subtree, &filter, wanted)
            .await;
        let (mut entries, _) = found.unwrap().success().unwrap();
        let entry = SearchEntry::construct(entries.pop().unwrap());
        let bound = self.user.simple_bind(&entry.dn, PASSWORD).await;
        bound.unwrap().success().unwrap();
    }
}

async fn connect(url: &str) -> Ldap {
    let (connection, ldap) = LdapConnAsync::new(url).await.unwrap();
    ldap3::drive!(connection);
    ldap
}
