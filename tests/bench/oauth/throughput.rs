//! An RS256 token in, an EdDSA token out, the provider's keys in the cache; each server on one core, the client
//! on another.

use std::time::Duration;

use countersign_tests::oidc::Oidc;
use countersign_tests::{Folder, get};

use super::{lasting, start};
use crate::bare::Bare;
use crate::load;
use crate::mint::{key, pin, processor_time, unpin};
use crate::sample::median;
use crate::table::{Row, Target};

const ROUNDS: usize = 7;
const ROUND: Duration = Duration::from_millis(1500);
const CONNECTIONS: usize = 32;
const CORE: usize = 0;

pub(super) fn measure() -> Vec<Row> {
    let provider = Oidc::start();
    let folder = Folder::new();
    let key = key(&folder, "EdDSA");
    let signs = format!("algorithm: EdDSA, private_key: \"{}\"", key.display());
    let ours = start(&folder, &provider, &signs, "");
    pin(ours.pid(), CORE);
    let keys = get(provider.address(), "/realms/test/jwks").body;
    let keys = folder.write("jwks.json", keys);
    let [key, keys] = [key.to_str().unwrap(), keys.to_str().unwrap()];
    let arguments = ["bare-bearer", key, keys, &provider.issuer, Oidc::AUDIENCE];
    let bare = Bare::on(CORE, &arguments);
    pin(std::process::id(), 1 - CORE);

    let request = load::bearer(&lasting(&provider, "amelia"));
    let rate = |server| load::throughput(server, &request, 201, CONNECTIONS, ROUND);
    // The first login fetches the keys.
    load::throughput(ours.address, &request, 201, 1, Duration::from_millis(100));
    let (mut own, mut theirs, mut busy) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        theirs.push(rate(bare.address));
        let before = processor_time(ours.pid());
        own.push(rate(ours.address));
        busy.push((processor_time(ours.pid()) - before) / ROUND.as_secs_f64());
    }
    unpin(std::process::id());
    let ratios = own.iter().zip(&theirs).map(|(own, theirs)| own / theirs);
    vec![Row {
        name: "RS256 bearer to EdDSA token, keys cached, one core".into(),
        value: median(ratios.collect()),
        measured: format!("{:.0} a second", median(own)),
        reference: format!("{:.0} bare axum", median(theirs)),
        unit: "",
        target: Target::AtLeast(0.60),
        note: format!("our core was {:.0} % busy", 100.0 * median(busy)),
    }]
}
