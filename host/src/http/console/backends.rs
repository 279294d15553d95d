//! `/console/backends`: what is loaded, and how it does.

use askama::Template;
use axum::body::Body;
use axum::http::{Response, StatusCode};

use super::BACKENDS;
use super::door::Inside;
use super::shell::{Badge, Shell};
use super::when::When;
use crate::backends::backend::{Backend, Capabilities};
use crate::backends::recent::{LastFailure, Minute};
use crate::config::shapes::Follow;
use crate::http::login::choices;

/// The chart's height; its width is the number of minutes.
const HEIGHT: u32 = 20;

#[derive(Template)]
#[template(path = "console/backends.html")]
struct Page<'a> {
    shell: Shell<'a>,
    backends: Vec<Row<'a>>,
}

struct Row<'a> {
    id: &'a str,
    title: String,
    badge: Badge,
    /// Why it is as it is, if there is more to say.
    doing: Vec<String>,
    plugin: &'a str,
    version: &'a str,
    abi: &'a str,
    sdk: &'a str,
    sha256: &'a str,
    file: String,
    offers: Vec<&'static str>,
    chain: Vec<String>,
    permits: String,
    outcomes: Vec<Outcome>,
    bars: Vec<Bar>,
    /// Calls of the busiest minute.
    most: u32,
    failure: Option<(When, LastFailure)>,
    warnings: &'a [String],
}

/// How many calls ended so.
struct Outcome {
    kind: Kind,
    name: String,
    last_minute: u32,
    hour: u32,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Good,
    Refused,
    Failed,
}

/// A part of one minute's bar.
struct Bar {
    kind: Kind,
    x: usize,
    y: f64,
    height: f64,
}

/// The page.
pub(super) fn show(inside: &Inside) -> Response<Body> {
    let now = inside.visit.now;
    let registry = &inside.serving.tokens.registry;
    let page = Page {
        shell: inside.shell(BACKENDS),
        backends: registry.iter().map(|backend| row(backend, now)).collect(),
    };
    inside.page(StatusCode::OK, &page)
}

fn row(backend: &Backend, now: u64) -> Row<'_> {
    let (state, info) = (backend.state(), backend.plugin.library.info());
    let minutes = backend.minutes(now);
    let most = minutes.iter().map(total).max().unwrap_or_default();
    let badge = match (state.refuses, state.stuck) {
        (true, _) => Badge::new("bad", "unavailable"),
        (false, 0) => Badge::new("good", "ready"),
        (false, _) => Badge::new("late", "ready, with stuck calls"),
    };
    let mut doing = Vec::new();
    if state.circuit.name() != "closed" {
        let circuit = state.circuit.name().replace('_', " ");
        doing.push(format!(
            "its breaker is {circuit}: the last calls all timed out"
        ));
    }
    if state.stuck > 0 {
        doing.push(format!(
            "{} calls are past their time limit, and the plugin has not let go of them",
            state.stuck
        ));
    }
    Row {
        id: &backend.id,
        title: choices::title(backend),
        badge,
        doing,
        plugin: &info.name,
        version: &info.version,
        abi: &info.abi,
        sdk: &info.sdk,
        sha256: backend.plugin.library.sha256(),
        file: backend.plugin.path.display().to_string(),
        offers: offers(&backend.capabilities),
        chain: chain(backend),
        permits: format!("{} in flight, {} free", state.in_flight, state.permits_free),
        outcomes: outcomes(&minutes),
        bars: minutes
            .iter()
            .enumerate()
            .flat_map(|(x, minute)| bars(x, minute, most))
            .collect(),
        most,
        failure: backend
            .last_failure()
            .map(|failure| (When::of(failure.at, now), failure)),
        warnings: &backend.plugin.warnings,
    }
}

fn offers(capabilities: &Capabilities) -> Vec<&'static str> {
    let offered = [
        (capabilities.password, "passwords"),
        (capabilities.bearer, "bearer tokens"),
        (capabilities.browser, "browser login"),
        (capabilities.provision, "provisioning"),
        (capabilities.manage, "user management"),
        (capabilities.lookup, "lookups"),
        (capabilities.exclusive, "exclusive files"),
    ];
    let offered = offered.into_iter().filter(|(is_offered, _)| *is_offered);
    offered.map(|(_, name)| name).collect()
}

/// What the chain does with it.
fn chain(backend: &Backend) -> Vec<String> {
    let settings = &backend.settings;
    if !settings.login {
        return vec!["not asked for logins".to_owned()];
    }
    let follow = |follow| match follow {
        Follow::Stop => "the chain stops",
        Follow::Next => "the next is asked",
    };
    let mut chain = vec![
        format!("refusal: {}", follow(settings.on_denied)),
        format!("outage: {}", follow(settings.on_unavailable)),
        format!(
            "time limit {}",
            humantime::format_duration(settings.timeout)
        ),
    ];
    if let Some(provision) = &settings.provision {
        chain.push(format!("users go into {}", provision.backend));
    }
    chain
}

fn kind(name: &str) -> Kind {
    match name {
        "authenticated" | "done" => Kind::Good,
        "denied" | "invalid" | "not_applicable" | "not_supported" => Kind::Refused,
        _ => Kind::Failed,
    }
}

fn total(minute: &Minute) -> u32 {
    minute.counts().map(|(_, count)| count).sum()
}

/// Those that occurred, for the last whole minute and the last hour.
fn outcomes(minutes: &[Minute]) -> Vec<Outcome> {
    // The last one is not over.
    let whole = minutes.len().checked_sub(2).and_then(|it| minutes.get(it));
    let mut outcomes: Vec<Outcome> = Vec::new();
    for minute in minutes {
        for (place, (name, count)) in minute.counts().enumerate() {
            match outcomes.get_mut(place) {
                Some(outcome) => outcome.hour += count,
                None => outcomes.push(Outcome {
                    kind: kind(name),
                    name: name.replace('_', " "),
                    last_minute: 0,
                    hour: count,
                }),
            }
        }
    }
    if let Some(whole) = whole {
        for (outcome, (_, count)) in outcomes.iter_mut().zip(whole.counts()) {
            outcome.last_minute = count;
        }
    }
    outcomes.retain(|outcome| outcome.hour > 0);
    outcomes
}

/// One minute's bar, its parts one above the other: good ones at the bottom.
fn bars(x: usize, minute: &Minute, most: u32) -> Vec<Bar> {
    let scale = f64::from(HEIGHT) / f64::from(most.max(1));
    let mut below = 0;
    let mut bars = Vec::new();
    for part in [Kind::Good, Kind::Refused, Kind::Failed] {
        let counts = minute.counts().filter(|(name, _)| kind(name) == part);
        let count: u32 = counts.map(|(_, count)| count).sum();
        if count > 0 {
            bars.push(Bar {
                kind: part,
                x,
                y: f64::from(HEIGHT) - f64::from(below + count) * scale,
                height: f64::from(count) * scale,
            });
        }
        below += count;
    }
    bars
}

impl Kind {
    /// Its class in the style sheet.
    fn class(self) -> &'static str {
        match self {
            Kind::Good => "good",
            Kind::Refused => "refused",
            Kind::Failed => "failed",
        }
    }
}
