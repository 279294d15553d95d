//! One call through the boundary (into the plugin's runtime and back) against the
//! same source linked into this program, 64 tasks in flight on either side.

use std::sync::Arc;
use std::time::Instant;

use countersign_sdk::{AuthPlugin, Configure, TokenRequest, testing};
use countersign_tests::Folder;
use serde_json::json;
use tokio::runtime::Runtime;

use crate::plugin;
use crate::sample::median;
use crate::table::{Row, Target};

#[path = "../../plugins/template/src/lib.rs"]
#[allow(unreachable_pub)] // public in its own crate
mod template;

use template::Template;

const ROUNDS: usize = 30;
const TASKS: usize = 64;
const CALLS: usize = 400;

pub(crate) fn measure() -> Vec<Row> {
    let folder = Folder::new();
    let runtime = Runtime::new().unwrap();
    let config = json!({ "password": "door" });
    let loaded = runtime.block_on(plugin::instance("template", config.clone(), &folder));
    let linked = async {
        let config = serde_json::from_value(config).unwrap();
        Template::configure(config, testing::cx(folder.path())).await
    };
    let linked = runtime.block_on(linked).unwrap();
    let (loaded, linked) = (Arc::new(loaded), Arc::new(linked));
    let request = plugin::login("ada", "door");

    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        theirs.push(microseconds(&runtime, || {
            let (linked, request) = (Arc::clone(&linked), request.clone());
            async move {
                for _ in 0..CALLS {
                    let user = linked.create_token(TokenRequest::from(request.clone()));
                    assert!(user.await.unwrap().is_some());
                }
            }
        }));
        ours.push(microseconds(&runtime, || {
            let (loaded, request) = (Arc::clone(&loaded), request.clone());
            async move {
                for _ in 0..CALLS {
                    let user = loaded.create_token(request.clone());
                    assert!(user.await.unwrap().is_some());
                }
            }
        }));
    }
    let more = ours.iter().zip(&theirs).map(|(ours, theirs)| ours - theirs);
    vec![Row {
        name: "one call through the ABI, 64 in flight".into(),
        value: median(more.collect()),
        measured: format!("{:.2} µs", median(ours)),
        reference: format!("{:.2} µs linked in", median(theirs)),
        unit: " µs",
        target: Target::AtMost(2.0),
        note: String::new(),
    }]
}

/// Wall time per call of all tasks together.
fn microseconds<F>(runtime: &Runtime, task: impl Fn() -> F) -> f64
where
    F: Future<Output = ()> + Send + 'static,
{
    runtime.block_on(async {
        let start = Instant::now();
        let tasks: Vec<_> = (0..TASKS).map(|_| tokio::spawn(task())).collect();
        for task in tasks {
            task.await.unwrap();
        }
        start.elapsed().as_secs_f64() * 1e6 / (TASKS * CALLS) as f64
    })
}
