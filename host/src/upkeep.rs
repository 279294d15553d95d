//! What is done while nobody asks: tokens whose place others took are revoked when their time has
//! come, how many of bots are soon over is measured, and what the start has used goes back to the
//! system.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval, sleep};

use crate::clock;
use crate::http::Serving;
use crate::live::Live;
use crate::metering;
use crate::token::Tokens;

/// An overlap ends this much too late at most.
const TICK: Duration = Duration::from_secs(2);

/// How often it is counted, in ticks.
const COUNT: u32 = 15;

/// So long after it a start is over.
const SETTLED: Duration = Duration::from_millis(200);

const DAY: u64 = 86_400;

/// Does not end.
pub async fn upkeep(live: Arc<Live<Serving>>) {
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut until_count = 0;
    let mut is_first = true;
    loop {
        ticks.tick().await;
        let serving = live.latest();
        if let Err(error) = serving.tokens.end_replaced().await {
            tracing::warn!(%error, "tokens whose place others took could not be revoked; tried again");
        }
        if until_count == 0 {
            count(&serving.tokens).await;
            until_count = COUNT;
        }
        until_count -= 1;
        if std::mem::take(&mut is_first) {
            // What keys, store and routes do first is of the start as well.
            sleep(SETTLED).await;
            countersign_abi::give_back_memory();
            // What is done every time comes back at once, rather than with some later request.
            ticks.reset_immediately();
        }
    }
}

async fn count(tokens: &Tokens) {
    let Some(store) = tokens.accounts.store() else {
        return;
    };
    let now = clock::unix_now();
    let until = [now.saturating_add(DAY), now.saturating_add(7 * DAY)];
    match store.count_bot_tokens(now, until).await {
        Ok((live, expiring)) => metering::bot_tokens(live, expiring),
        Err(error) => tracing::debug!(%error, "bots' tokens could not be counted"),
    }
}
