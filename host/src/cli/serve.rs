//! `countersign serve`: the program's story from configuration to the last answer.

use std::io::{IsTerminal, Write as _, stderr};
use std::sync::Arc;

use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot, watch};

use super::announce::announce;
use super::failure::{CONFIGURATION, Failure, INTERNAL};
use super::ingestion;
use super::setup::Setup;
use crate::accounts::first_admin;
use crate::backends::supervisor;
use crate::config::Config;
use crate::config::compat::openmetadata::ingestion::Ingestion;
use crate::config::shapes::Limits;
use crate::drains::Drains;
use crate::hardening;
use crate::http::admin::Probes;
use crate::http::control::Reloaded;
use crate::http::{self, Face};
use crate::keys::{Asked, Mode};
use crate::live::Live;
use crate::metering;
use crate::reload::{ReloadError, Reloader};
use crate::seeding;
use crate::server::tls::{Certificates, Pair};
use crate::server::{self, Options, Phase};
use crate::start;
use crate::state;
use crate::telemetry::otel;
use crate::upkeep;

pub(super) fn run(setup: &Setup) -> Result<(), Failure> {
    hardening::keep_memory_private();
    let (config, ingestion) = {
        // Dropped here: schema, origins and merged tree would stay as long as the server.
        let loaded = setup.load()?;
        setup.logging(&loaded);
        (loaded.config, loaded.ingestion)
    };
    let _lock = state::lock(&config.state)?;
    otel::start(&setup.sources.environment);
    let served = Setup::runtime()?.block_on(serve(setup, config, ingestion));
    otel::stop();
    served
}

async fn serve(
    setup: &Setup,
    mut config: Config,
    ingestion: Vec<Ingestion>,
) -> Result<(), Failure> {
    let read = config.clone();
    let public = bind(&mut config.server.listen, "server.listen").await?;
    let admin = bind(&mut config.admin.listen, "admin.listen").await?;
    let config = &config;
    let internal = |error: std::io::Error| {
        Failure::new(
            INTERNAL,
            error,
            "check the process's limits and the state folder",
        )
    };
    let (reload, asked) = mpsc::channel(1);
    let (keys, ordered) = mpsc::channel(1);
    let stop = server::stop_on_signals({
        let reload = reload.clone();
        // A reload that waits already will read what there is by then.
        move || drop(reload.try_send(oneshot::channel().0))
    });
    let stop = stop.map_err(internal)?;

    let tls = &config.server.tls;
    let pair = tls.is_on().then(|| Pair::read(tls)).transpose()?;
    let page = metering::install().map_err(|error| {
        Failure::new(
            INTERNAL,
            error,
            "this is a mistake of the program; please report it",
        )
    })?;
    if let Some(page) = page.clone() {
        tokio::spawn(page.tidy());
    }
    let starting = start::start(config, &setup.libraries, Mode::Serve, progress).await;
    let serving = starting.map_err(|error| setup.placed(error))?;
    let first = first_admin::make(&serving.tokens.registry, &config.state).await;
    first.map_err(|error| {
        Failure::new(
            CONFIGURATION,
            error,
            "check the state folder; the table is still new, so the next start tries again",
        )
    })?;

    let seeded = seeding::seed(&serving.tokens, config).await;
    seeded.map_err(|error| Failure::new(CONFIGURATION, &error, error.help()))?;

    let socket = server::bind_socket(&state::socket(&config.state)).map_err(internal)?;
    announce(config, &serving.tokens);
    let store = serving.tokens.accounts.store().map(AsRef::as_ref);
    for judged in ingestion::judge(ingestion, &serving.tokens, store).await {
        judged.log();
    }
    let live = Arc::new(Live::new(serving));
    let upkeep = tokio::spawn(upkeep::upkeep(Arc::clone(&live)));
    let certificates = pair.map(Certificates::new);
    let looking = certificates.clone().map(Certificates::keep_looking);
    let looking = looking.map(tokio::spawn);
    let drains = Drains::default();
    let reloader = Reloader {
        drains: drains.clone(),
        live: Arc::clone(&live),
        libraries: Arc::clone(&setup.libraries),
        load: Arc::new({
            let setup = setup.clone();
            move || setup.load().map(|loaded| (loaded.config, loaded.notices))
        }),
        certificates: certificates.clone(),
        read,
        config: config.clone(),
    };
    let probes = Probes {
        live: Arc::clone(&live),
        draining: Arc::new({
            let stop = stop.clone();
            move || *stop.borrow() > Phase::Running
        }),
        page,
    };
    let reloading = tokio::spawn(keep_up(setup.clone(), reloader, asked, ordered));
    server::make_room(config.server.limits.connections);
    let options = Options {
        limits: config.server.limits.clone(),
        tls: certificates.map(|own| own.acceptor()).transpose()?,
        uncounted: Box::new({
            let live = Arc::clone(&live);
            move |address| live.latest().proxies.trusts(address)
        }),
    };
    let probed = Options {
        limits: Limits::internal(),
        tls: None,
        uncounted: Box::new(|_| true),
    };
    // Probes are answered until the last client has gone.
    let (ended, end) = watch::channel(Phase::Running);
    let public_routes = http::router(Face::new(Arc::clone(&live)));
    let control = http::control::routes(Arc::clone(&live), config.state.clone(), reload, keys);
    let limits = probed.limits.clone();
    tokio::join!(
        async {
            tokio::join!(
                server::serve_tcp(public, public_routes, options, stop.clone()),
                server::serve_unix(socket, control, &limits, stop),
            );
            let _ = ended.send(Phase::Now);
        },
        server::serve_tcp(admin, http::admin::routes(probes), probed, end),
    );
    if let Some(looking) = looking {
        looking.abort();
    }
    upkeep.abort();
    reloading.abort();
    let _ = reloading.await;
    supervisor::retire(live.latest().tokens.registry.iter()).await;
    drains.all_ended().await;
    if let Some(store) = live.latest().tokens.accounts.store() {
        store.close().await;
    }
    let _ = std::fs::remove_file(state::socket(&config.state));
    tracing::info!("stopped");
    Ok(())
}

/// One change after the other: reloads, what is asked of the keys, and what the time brings them.
async fn keep_up(
    setup: Setup,
    mut reloader: Reloader,
    mut asked: mpsc::Receiver<oneshot::Sender<Reloaded>>,
    mut ordered: mpsc::Receiver<(Asked, oneshot::Sender<Reloaded>)>,
) {
    loop {
        let due = reloader.tick().await;
        tokio::select! {
            Some(asking) = asked.recv() => reload(&setup, &mut reloader, asking).await,
            Some((order, asking)) = ordered.recv() => {
                let done = reloader.order(&order).await;
                let told = done.map(|told| json!(told)).map_err(|error| {
                    tracing::warn!(%error, "the keys stay what they are");
                    json!({ "detail": chain(&error), "help": error.help() })
                });
                let _ = asking.send(told);
            }
            () = due.passed() => {}
            else => break,
        }
    }
}

/// The log has what whoever asked is told.
async fn reload(setup: &Setup, reloader: &mut Reloader, asking: oneshot::Sender<Reloaded>) {
    tracing::info!("reloading");
    let told = match reloader.reload().await {
        Ok(news) => {
            tracing::info!(%news, "reloaded");
            Ok(news)
        }
        Err(error) => {
            let failure = not_reloaded(setup, error).await.to_string();
            tracing::error!("not reloaded, the old configuration goes on serving: {failure}");
            Err(json!({ "report": failure }))
        }
    };
    let _ = asking.send(told);
}

/// An error and its causes, in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |error| error.source());
    let causes = causes.map(|cause| format!(": {cause}"));
    format!("{error}{}", causes.collect::<String>())
}

/// Why, with places. Reads files: not for a thread that answers requests.
async fn not_reloaded(setup: &Setup, error: ReloadError) -> Failure {
    let ReloadError::Start(error) = error else {
        return error.into();
    };
    let setup = setup.clone();
    let placed = tokio::task::spawn_blocking(move || setup.placed(error)).await;
    placed.unwrap_or_else(|_| ReloadError::Panicked.into())
}

/// Binds before the slow steps: a port that is taken should be told at once. Port 0
/// becomes the port that the system chose.
async fn bind(listen: &mut String, key: &str) -> Result<TcpListener, Failure> {
    let bound = TcpListener::bind(listen.as_str()).await;
    let bound = bound.and_then(|listener| Ok((listener.local_addr()?, listener)));
    let (address, listener) = bound.map_err(|error| {
        let variable = key.to_uppercase().replace('.', "__");
        Failure::new(
            CONFIGURATION,
            format!("{key}: cannot listen on {listen}: {error}"),
            format!(
                "stop what listens there, or set {key} (COUNTERSIGN_{variable}) to another address"
            ),
        )
    })?;
    if listen.ends_with(":0") {
        *listen = address.to_string();
    }
    Ok(listener)
}

/// A line for a step that takes a while.
fn progress(step: &str) {
    if stderr().is_terminal() {
        let _ = writeln!(stderr(), "{step} …");
    } else {
        tracing::info!("{step}");
    }
}
