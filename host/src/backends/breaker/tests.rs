use super::*;

fn after(start: Instant, seconds: u64) -> Instant {
    start + Duration::from_secs(seconds)
}

/// A call about this user timed out now, one that began after every answer.
fn late(breaker: &Breaker, user: u32, now: Instant) -> Option<Duration> {
    breaker.timed_out(Admission::Normal, Subject::of(&user), after(now, 1), now)
}

fn admit(breaker: &Breaker, user: u32, now: Instant) -> Result<Admission, Duration> {
    breaker.admit(Subject::of(&user), now)
}

fn opened(start: Instant) -> Breaker {
    let breaker = Breaker::new();
    for user in 1..TIMEOUTS {
        assert_eq!(late(&breaker, user, start), None);
        assert_eq!(admit(&breaker, user, start), Ok(Admission::Normal));
    }
    assert_eq!(late(&breaker, 0, start), Some(PAUSE));
    breaker
}

#[test]
fn timeouts_of_one_user_alone_never_open_it() {
    let now = Instant::now();
    let breaker = Breaker::new();
    for _ in 0..10 * TIMEOUTS {
        assert_eq!(late(&breaker, 7, now), None);
    }
    assert_eq!(late(&breaker, 8, now), Some(PAUSE), "now they are of two");
}

#[test]
fn timeouts_of_calls_in_whose_time_others_were_answered_count_nothing() {
    let start = Instant::now();
    let breaker = Breaker::new();
    assert!(!breaker.answered(after(start, 5)));
    for user in 0..10 * TIMEOUTS {
        let subject = Subject::of(&user);
        let late = breaker.timed_out(Admission::Normal, subject, start, after(start, 10));
        assert_eq!(late, None);
    }
    assert_eq!(breaker.circuit(), Circuit::Closed);
}

#[test]
fn probe_that_hangs_keeps_no_other_user_from_probing() {
    let start = Instant::now();
    let breaker = opened(start);
    let now = start + PAUSE;
    for user in 0..PROBES as u32 {
        assert_eq!(admit(&breaker, user, now), Ok(Admission::Probe));
        assert!(admit(&breaker, user, now).is_err(), "one call of each");
    }
    assert!(admit(&breaker, 99, now).is_err(), "they are bounded");
    assert!(breaker.answered(now));
    assert_eq!(admit(&breaker, 99, now), Ok(Admission::Normal));
}

#[test]
fn timeouts_in_a_row_open_it_and_an_answer_starts_the_count_anew() {
    let now = Instant::now();
    let breaker = Breaker::new();
    for _ in 0..3 * TIMEOUTS {
        for user in 1..TIMEOUTS {
            assert_eq!(late(&breaker, user, now), None);
        }
        assert!(!breaker.answered(now), "it was never open");
    }
    assert_eq!(opened(now).circuit(), Circuit::Open);
}

#[test]
fn timeouts_far_apart_never_open_it() {
    let start = Instant::now();
    let breaker = Breaker::new();
    for count in 0..u64::from(TIMEOUTS) * 2 {
        let now = after(start, count * (WINDOW.as_secs() + 1));
        assert_eq!(late(&breaker, count as u32, now), None);
    }
}

#[test]
fn open_breaker_refuses_until_the_pause_is_over_and_then_lets_a_call_probe() {
    let start = Instant::now();
    let breaker = opened(start);
    assert_eq!(admit(&breaker, 1, start), Err(PAUSE));
    let later = start + PAUSE;
    assert_eq!(admit(&breaker, 1, later), Ok(Admission::Probe));
    assert_eq!(breaker.circuit(), Circuit::HalfOpen);
    assert!(breaker.answered(later));
    assert_eq!(breaker.circuit(), Circuit::Closed);
    assert_eq!(admit(&breaker, 1, later), Ok(Admission::Normal));
}

#[test]
fn probe_in_vain_doubles_the_pause_up_to_the_longest() {
    let start = Instant::now();
    let breaker = opened(start);
    let mut now = start;
    let mut pause = PAUSE;
    for _ in 0..10 {
        now += pause;
        assert_eq!(admit(&breaker, 1, now), Ok(Admission::Probe));
        // A call from before the breaker opened changes nothing.
        assert_eq!(late(&breaker, 2, now), None);
        pause = (pause * 2).min(LONGEST_PAUSE);
        let probed = breaker.timed_out(Admission::Probe, Subject::of(&1), now, now);
        assert_eq!(probed, Some(pause));
    }
    assert_eq!(pause, LONGEST_PAUSE);
}

#[test]
fn probe_that_is_given_up_lets_the_next_call_probe() {
    let start = Instant::now();
    let breaker = opened(start);
    let now = start + PAUSE;
    for user in [1, 2] {
        assert_eq!(admit(&breaker, user, now), Ok(Admission::Probe));
    }
    assert!(!breaker.given_up(Admission::Probe, Subject::of(&1_u32)));
    assert!(breaker.given_up(Admission::Probe, Subject::of(&2_u32)));
    assert_eq!(admit(&breaker, 2, now), Ok(Admission::Probe));
}

#[test]
fn late_answer_closes_an_open_breaker() {
    let start = Instant::now();
    let breaker = opened(start);
    assert!(breaker.answered(start));
    assert_eq!(admit(&breaker, 1, start), Ok(Admission::Normal));
}
