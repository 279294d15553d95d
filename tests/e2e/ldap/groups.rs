//! Groups of groups, in the time that a whole login may take.

use std::time::{Duration, Instant};

use countersign_tests::Folder;
use countersign_tests::fault::{Fault, Way};

use super::*;

#[test]
fn climbing_that_outlasts_the_backends_timeout_is_an_outage_at_that_time_and_no_throttle_count() {
    let slapd = shared();
    add(slapd, "climber", &["climb-0"]);
    for level in 1..8 {
        slapd.add(&format!(
            "dn: cn=climb-{level},ou=groups,{base}\nobjectClass: groupOfNames\n\
             member: cn=climb-{below},ou=groups,{base}\n",
            base = Slapd::BASE,
            below = level - 1
        ));
    }
    let fault = Fault::before(slapd.address());
    let folder = Folder::new();
    let url = format!("ldap://{}", fault.address);
    let config = format!("{}, groups: {{ nested: recursive }}", service());
    let top = format!("\"cn=climb-7,ou=groups,{}\"", Slapd::BASE);
    let more = format!(", timeout: 1s, roles: {{ mapping: {{ {top}: [Top] }} }}");
    let config = corp(&url, &config, &more);
    let throttle = "server: { throttle: { user: 3, address: 5 } }";
    let server = Server::start(&folder, &format!("{throttle}\n{config}"));
    assert_eq!(
        claims(&server, "climber", "alice-pw")["roles"],
        json!(["Top"])
    );
    // Each step in its own time, all of them too late.
    fault.set(Way::Latency(Duration::from_millis(100)));
    for _ in 0..4 {
        let begun = Instant::now();
        let answer = server.login("climber", "alice-pw");
        assert_eq!(answer.status, 503, "{answer:?}");
        let took = begun.elapsed();
        assert!(took < Duration::from_secs(2), "{took:?}");
    }
    fault.set(Way::Open);
    assert_eq!(
        claims(&server, "climber", "alice-pw")["roles"],
        json!(["Top"])
    );
}
