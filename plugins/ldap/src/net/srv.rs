//! A domain's servers by DNS (RFC 2782): the lowest priority first, and within one by lot,
//! as the weights say.

use std::collections::hash_map::RandomState;
use std::future::Future;
use std::hash::BuildHasher;
use std::pin::Pin;
use std::time::Duration;

use hickory_resolver::TokioResolver;
use hickory_resolver::proto::rr::RData;

/// One SRV record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) priority: u16,
    pub(crate) weight: u16,
    pub(crate) port: u16,
    pub(crate) target: String,
}

/// What DNS says, and for how long.
pub(crate) type Found = Result<(Vec<Record>, Duration), String>;

/// Whoever can be asked for SRV records.
pub(crate) trait Resolver: Send + Sync {
    fn srv<'a>(&'a self, name: &'a str) -> Pin<Box<dyn Future<Output = Found> + Send + 'a>>;
}

/// The servers that the system's configuration names.
pub(super) struct System;

impl Resolver for System {
    fn srv<'a>(&'a self, name: &'a str) -> Pin<Box<dyn Future<Output = Found> + Send + 'a>> {
        Box::pin(async move {
            // Made anew each time: answers are kept by the caller, and resolv.conf may change.
            let resolver = TokioResolver::builder_tokio().and_then(|builder| builder.build());
            let resolver = resolver.map_err(|error| error.to_string())?;
            let found = resolver.srv_lookup(name).await;
            let found = found.map_err(|error| error.to_string())?;
            let records = found
                .answers()
                .iter()
                .filter_map(|answer| match &answer.data {
                    RData::SRV(srv) => Some(Record {
                        priority: srv.priority,
                        weight: srv.weight,
                        port: srv.port,
                        target: srv.target.to_utf8(),
                    }),
                    _ => None,
                });
            let ttl = found.answers().iter().map(|answer| answer.ttl).min();
            let ttl = Duration::from_secs(ttl.unwrap_or(0).into());
            Ok((records.collect(), ttl))
        })
    }
}

/// In the order in which they are tried. A target of "." says that there is no such service.
pub(super) fn ordered(records: Vec<Record>) -> Vec<Record> {
    ordered_by(records, |below| {
        let lot = RandomState::new().hash_one(0_u8);
        u32::try_from(lot % u64::from(below)).unwrap_or(0)
    })
}

fn ordered_by(mut records: Vec<Record>, mut lot: impl FnMut(u32) -> u32) -> Vec<Record> {
    for record in &mut records {
        record.target = record.target.trim_end_matches('.').to_ascii_lowercase();
    }
    records.retain(|record| !record.target.is_empty() && record.port != 0);
    // Those without weight first, so that they have a small chance (RFC 2782, "Weight").
    records.sort_by_key(|record| (record.priority, record.weight));
    let mut ordered = Vec::with_capacity(records.len());
    while let Some(first) = records.first() {
        let priority = first.priority;
        let peers = records.iter().take_while(|peer| peer.priority == priority);
        let sum: u32 = peers.clone().map(|peer| u32::from(peer.weight)).sum();
        let mut drawn = lot(sum + 1);
        let mut chosen = 0;
        for (index, peer) in peers.enumerate() {
            chosen = index;
            let weight = u32::from(peer.weight);
            if drawn <= weight {
                break;
            }
            drawn -= weight;
        }
        ordered.push(records.remove(chosen));
    }
    ordered
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(priority: u16, weight: u16, target: &str) -> Record {
        Record {
            priority,
            weight,
            port: 636,
            target: target.to_owned(),
        }
    }

    fn names(records: &[Record]) -> Vec<&str> {
        records
            .iter()
            .map(|record| record.target.as_str())
            .collect()
    }

    #[test]
    fn priority_comes_before_weight() {
        let records = vec![
            record(20, 100, "Last.example.com."),
            record(10, 0, "never."),
            record(10, 60, "heavy."),
            record(10, 40, "light."),
            record(5, 0, "."),
        ];
        let high = ordered_by(records.clone(), |below| below - 1);
        assert_eq!(
            names(&high),
            ["heavy", "light", "never", "last.example.com"]
        );
        let low = ordered_by(records, |_| 0);
        assert_eq!(names(&low), ["never", "light", "heavy", "last.example.com"]);
    }

    #[test]
    fn weights_decide_how_often_one_is_first() {
        let records = vec![record(1, 90, "often"), record(1, 10, "seldom")];
        let first = |_: &usize| ordered(records.clone()).swap_remove(0).target == "often";
        let often = (0..2_000).filter(first).count();
        assert!((1_600..1_980).contains(&often), "{often}");
    }
}
