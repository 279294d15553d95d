#![allow(clippy::unwrap_used)]
use super::*;

const WINDOW: Duration = Duration::from_secs(60);

struct Scene {
    throttle: Throttle,
    now: Instant,
}

impl Scene {
    fn new(user: u32, address: u32) -> Self {
        Scene {
            throttle: Throttle::new(&shapes::Throttle {
                user,
                address,
                window: WINDOW,
            }),
            now: Instant::now(),
        }
    }

    fn admits(&self, address: &str, typed: &str) -> Result<(), Throttled> {
        self.throttle.admit(&attempt(address, typed), self.now)
    }

    fn fails(&self, address: &str, typed: &str, subject: &str) {
        let refusals = [("users".to_owned(), subject.to_owned())];
        self.throttle
            .failed(&attempt(address, typed), &refusals, self.now);
    }

    fn passes(&mut self, seconds: u64) {
        self.now += Duration::from_secs(seconds);
    }
}

fn attempt<'a>(address: &str, typed: &'a str) -> Attempt<'a> {
    Attempt {
        address: Some(address.parse().unwrap()),
        door: "",
        typed,
    }
}

#[test]
fn failures_up_to_the_limit_are_let_through_and_the_next_waits_for_the_window() {
    let mut scene = Scene::new(10, 100);
    for _ in 0..10 {
        assert_eq!(scene.admits("192.0.2.1", "ada"), Ok(()));
        scene.fails("192.0.2.1", "ada", "");
    }
    scene.passes(20);
    let refused = scene.admits("192.0.2.1", "ada").unwrap_err();
    assert_eq!((refused.scope, refused.pause.as_secs()), ("user", 40));
    scene.passes(39);
    assert!(scene.admits("192.0.2.1", "ada").is_err());
    scene.passes(1);
    assert_eq!(scene.admits("192.0.2.1", "ada"), Ok(()));
}

#[test]
fn d11_a_victim_is_kept_out_from_nowhere_but_the_attackers_own_address() {
    let scene = Scene::new(10, 100);
    for _ in 0..1_000 {
        scene.fails("192.0.2.1", "ada", "ada");
    }
    assert!(scene.admits("192.0.2.1", "ada").is_err());
    assert_eq!(scene.admits("192.0.2.2", "ada"), Ok(()));
}

#[test]
fn d11_debt_of_a_burst_is_worked_off_and_never_for_ever() {
    let mut scene = Scene::new(10, 0);
    for _ in 0..35 {
        scene.fails("192.0.2.1", "ada", "");
    }
    let pause = scene.admits("192.0.2.1", "ada").unwrap_err().pause;
    assert_eq!(pause.as_secs(), 3 * 60, "35 - 3 windows of 10 = 5");
    for _ in 0..5_000 {
        scene.fails("192.0.2.1", "ada", "");
    }
    scene.passes(60 * 60);
    assert_eq!(scene.admits("192.0.2.1", "ada"), Ok(()));
}

#[test]
fn d11_success_resets_the_pair_and_leaves_the_address() {
    let scene = Scene::new(3, 5);
    for round in 0..2 {
        for _ in 0..2 {
            assert_eq!(scene.admits("192.0.2.1", "ada"), Ok(()), "{round}");
            scene.fails("192.0.2.1", "ada", "ADA");
        }
        scene
            .throttle
            .succeeded(&attempt("192.0.2.1", "ada"), "users", "ada");
    }
    assert_eq!(scene.admits("192.0.2.1", "ada"), Ok(()));
    scene.fails("192.0.2.1", "ada", "");
    let refused = scene.admits("192.0.2.1", "bob").unwrap_err();
    assert_eq!(refused.scope, "address");
}

#[test]
fn failures_of_many_names_from_one_address_count_for_the_address() {
    let scene = Scene::new(10, 100);
    for user in 0..100 {
        let name = format!("user{user}");
        assert_eq!(scene.admits("192.0.2.1", &name), Ok(()), "{user}");
        scene.fails("192.0.2.1", &name, "");
    }
    assert_eq!(
        scene.admits("192.0.2.1", "fresh").unwrap_err().scope,
        "address"
    );
    assert!(
        scene.admits("192.0.2.1", "").is_err(),
        "a bearer token, too"
    );
    assert_eq!(scene.admits("192.0.2.2", "fresh"), Ok(()));
}

#[test]
fn spellings_of_one_name_share_one_allowance() {
    let scene = Scene::new(4, 100);
    for name in ["ada", "ADA", " Ada ", "aDa"] {
        assert_eq!(scene.admits("192.0.2.1", name), Ok(()));
        scene.fails("192.0.2.1", name, "");
    }
    assert!(scene.admits("192.0.2.1", "adA").is_err());
}

#[test]
fn names_that_one_subject_is_refused_under_share_one_allowance() {
    let scene = Scene::new(4, 100);
    for name in ["ada", "ada@example.org", "ada", "ada@example.org"] {
        assert_eq!(scene.admits("192.0.2.1", name), Ok(()));
        scene.fails("192.0.2.1", name, "Ada");
    }
    assert!(scene.admits("192.0.2.1", "ada").is_err());
    assert!(scene.admits("192.0.2.1", "ada@example.org").is_err());
}

#[test]
fn success_in_another_backend_does_not_reset_what_this_one_refused() {
    let scene = Scene::new(3, 100);
    for _ in 0..3 {
        scene.fails("192.0.2.1", "ada", "ada");
        scene
            .throttle
            .succeeded(&attempt("192.0.2.1", "ada"), "other", "ada");
    }
    assert!(scene.admits("192.0.2.1", "ada").is_err());
}

#[test]
fn refusals_of_several_backends_are_one_failure_of_the_name_and_of_the_address() {
    let scene = Scene::new(3, 3);
    let both = ["dir", "users"].map(|backend| (backend.to_owned(), "Ada".to_owned()));
    let who = attempt("192.0.2.1", "ada");
    for _ in 0..2 {
        scene.throttle.failed(&who, &both, scene.now);
        assert_eq!(scene.admits("192.0.2.1", "ada"), Ok(()));
    }
    scene.throttle.failed(&who, &[], scene.now);
    assert_eq!(scene.admits("192.0.2.1", "ada"), Ok(()), "nobody refused");
    scene.throttle.failed(&who, &both, scene.now);
    assert!(scene.admits("192.0.2.1", "ada").is_err());
}

#[test]
fn ipv6_addresses_of_one_network_are_one_address_and_mapped_ones_are_ipv4() {
    let scene = Scene::new(2, 100);
    scene.fails("2001:db8::1", "ada", "");
    scene.fails("2001:db8::ffff:2", "ada", "");
    assert!(scene.admits("2001:db8::3", "ada").is_err());
    assert_eq!(scene.admits("2001:db8:0:1::3", "ada"), Ok(()));
    scene.fails("192.0.2.1", "ada", "");
    scene.fails("::ffff:192.0.2.1", "ada", "");
    assert!(scene.admits("192.0.2.1", "ada").is_err());
}

#[test]
fn zero_is_no_limit_and_new_limits_keep_the_counts() {
    let scene = Scene::new(0, 0);
    for _ in 0..1_000 {
        scene.fails("192.0.2.1", "ada", "");
    }
    assert_eq!(scene.admits("192.0.2.1", "ada"), Ok(()));
    assert_eq!(scene.throttle.entries(), 0);
    let strict = Scene::new(2, 100);
    for _ in 0..2 {
        strict.fails("192.0.2.1", "ada", "");
    }
    let limits = |user| shapes::Throttle {
        user,
        ..shapes::Throttle::default()
    };
    let looser = strict.throttle.with(&limits(3));
    let who = attempt("192.0.2.1", "ada");
    assert_eq!(looser.admit(&who, strict.now), Ok(()));
    let strict_again = looser.with(&limits(2));
    assert!(strict_again.admit(&who, strict.now).is_err());
}

#[test]
fn attempts_without_an_address_are_not_counted() {
    let scene = Scene::new(1, 1);
    let nowhere = Attempt {
        address: None,
        door: "",
        typed: "ada",
    };
    for _ in 0..10 {
        let refusals = [("users".to_owned(), String::new())];
        scene.throttle.failed(&nowhere, &refusals, scene.now);
    }
    assert_eq!(scene.throttle.admit(&nowhere, scene.now), Ok(()));
}

#[test]
fn a_flood_of_fresh_names_is_bounded_and_does_not_wipe_out_a_full_count() {
    let scene = Scene::new(10, 0);
    for _ in 0..10 {
        scene.fails("192.0.2.1", "ada", "ada");
    }
    for n in 0..50_000_u32 {
        let address = std::net::Ipv4Addr::from_bits(n).to_string();
        scene.fails(&address, &format!("user{n}"), "");
    }
    assert!(scene.admits("192.0.2.1", "ada").is_err());
    assert!(scene.throttle.entries() <= USERS + ADDRESSES);
}
