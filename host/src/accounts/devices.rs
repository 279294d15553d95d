//! Devices that wait for their user (RFC 8628): each has shown him a short code, and asks again
//! and again whether he has said yes somewhere else.

use super::lasting::{read, written};
use super::provision::Principal;
use super::store::{Store, StoreError, bounded, is_duplicate, on, seconds};

/// Devices of one network that may wait at once.
const MOST_OF_NETWORK: i64 = 50;

/// Devices that may wait at once.
const MOST: i64 = 100_000;

/// Seconds by which a device that asks too often has to slow down (RFC 8628 section 3.5).
const SLOWER: u64 = 5;

/// A device that begins to wait.
#[derive(Debug, Clone)]
pub struct NewDevice<'a> {
    /// [`opaque::hash`](super::opaque::hash) of its device code.
    pub hash: &'a str,
    /// What the user types, without its hyphen.
    pub user_code: &'a str,
    /// The client that asks.
    pub client: &'a str,
    /// The name of the audience; none = the default one.
    pub audience: Option<&'a str>,
    /// Where it was started; empty = nobody knows.
    pub address: &'a str,
    /// The network of that address, whose devices are counted; empty = nobody knows.
    pub network: &'a str,
    /// When it has waited too long, in seconds since 1970.
    pub expires_at: u64,
    /// Seconds between two polls.
    pub pause: u64,
}

/// A device that waits, as its user is told.
#[derive(Debug, Clone)]
pub struct Waiting {
    /// The client that asks.
    pub client: String,
    /// The name of the audience; none = the default one.
    pub audience: Option<String>,
    /// Where it was started; empty = nobody knows.
    pub address: String,
    /// When it was started, in seconds since 1970.
    pub created_at: u64,
}

/// May a device wait?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Begun {
    /// It waits.
    Waits,
    /// Another one has its user code.
    Again,
    /// Too many do already.
    TooMany,
}

/// What a device is told.
#[derive(Debug)]
pub enum Polled {
    /// The user has not answered yet.
    Pending,
    /// The same, and it asks too often.
    SlowDown,
    /// The user said no.
    Denied,
    /// The user was too late.
    Expired,
    /// The user said yes: who he is, and the name of the audience. It is told once.
    Granted(Box<Principal>, Option<String>),
    /// Nobody knows it, or it has been told.
    Unknown,
}

/// Client, audience, end, pause, last poll, state, principal.
type Row = (String, String, i64, i64, i64, String, String);

impl Store {
    /// A device begins to wait.
    pub async fn put_device(&self, device: &NewDevice<'_>, now: u64) -> Result<Begun, StoreError> {
        const PUT: &str = "INSERT INTO devices (hash, user_code, client, audience, address, network, created_at, expires_at, pause, polled_at, state, principal) \
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0, 'pending', '')";
        let waiting = self.count_devices("", now).await?;
        let here = match device.network {
            "" => 0,
            network => self.count_devices(network, now).await?,
        };
        if waiting >= MOST || here >= MOST_OF_NETWORK {
            return Ok(Begun::TooMany);
        }
        let put = on!(self, pool => bounded(
            sqlx::query(PUT)
                .bind(device.hash).bind(device.user_code).bind(device.client)
                .bind(device.audience.unwrap_or_default()).bind(device.address).bind(device.network).bind(seconds(now))
                .bind(seconds(device.expires_at)).bind(seconds(device.pause))
                .execute(pool)
        ).await.map(drop));
        match put {
            Ok(()) => Ok(Begun::Waits),
            Err(StoreError::Query(error)) if is_duplicate(&error) => Ok(Begun::Again),
            Err(error) => Err(error),
        }
    }

    /// How many wait: of a network, or of all.
    async fn count_devices(&self, network: &str, now: u64) -> Result<i64, StoreError> {
        const COUNT: &str =
            "SELECT COUNT(*) FROM devices WHERE expires_at > $1 AND ($2 = '' OR network = $2)";
        on!(self, pool => bounded(
            sqlx::query_scalar(COUNT).bind(seconds(now)).bind(network).fetch_one(pool)
        ).await)
    }

    /// The device that waits with this code.
    pub async fn waiting(&self, user_code: &str, now: u64) -> Result<Option<Waiting>, StoreError> {
        const WAITING: &str = "SELECT client, audience, address, created_at FROM devices \
            WHERE user_code = $1 AND state = 'pending' AND expires_at > $2";
        let row: Option<(String, String, String, i64)> = on!(self, pool => bounded(
            sqlx::query_as(WAITING).bind(user_code).bind(seconds(now)).fetch_optional(pool)
        ).await)?;
        Ok(row.map(|(client, audience, address, created_at)| Waiting {
            client,
            audience: Some(audience).filter(|name| !name.is_empty()),
            address,
            created_at: u64::try_from(created_at).unwrap_or_default(),
        }))
    }

    /// The user's answer: who says yes, or none for no; false = nobody waits for it any more.
    pub async fn answer_device(
        &self,
        user_code: &str,
        yes: Option<&Principal>,
        now: u64,
    ) -> Result<bool, StoreError> {
        const ANSWER: &str = "UPDATE devices SET state = $2, principal = $3 \
            WHERE user_code = $1 AND state = 'pending' AND expires_at > $4";
        let (state, principal) = match yes {
            Some(principal) => ("granted", written(principal)),
            None => ("denied", String::new()),
        };
        on!(self, pool => bounded(
            sqlx::query(ANSWER)
                .bind(user_code).bind(state).bind(principal).bind(seconds(now))
                .execute(pool)
        ).await.map(|done| done.rows_affected() > 0))
    }

    /// A device asks.
    pub async fn poll_device(
        &self,
        hash: &str,
        client: &str,
        now: u64,
    ) -> Result<Polled, StoreError> {
        const FIND: &str = "SELECT client, audience, expires_at, pause, polled_at, state, principal FROM devices WHERE hash = $1";
        const NOTE: &str = "UPDATE devices SET polled_at = $2, pause = $3 WHERE hash = $1";
        const TAKE: &str = "DELETE FROM devices WHERE hash = $1 AND state = 'granted'";
        let row: Option<Row> = on!(self, pool => bounded(
            sqlx::query_as(FIND).bind(hash).fetch_optional(pool)
        ).await)?;
        let number = |number: i64| u64::try_from(number).unwrap_or_default();
        let Some((asked_by, audience, expires, pause, polled, state, principal)) = row else {
            return Ok(Polled::Unknown);
        };
        if asked_by != client {
            return Ok(Polled::Unknown);
        }
        if number(expires) <= now {
            return Ok(Polled::Expired);
        }
        match state.as_str() {
            "denied" => Ok(Polled::Denied),
            "granted" => {
                let taken = on!(self, pool => bounded(
                    sqlx::query(TAKE).bind(hash).execute(pool)
                ).await.map(|done| done.rows_affected()))?;
                let principal = read(&principal).filter(|_| taken > 0);
                let audience = Some(audience).filter(|name| !name.is_empty());
                Ok(match principal {
                    Some(principal) => Polled::Granted(principal.into(), audience),
                    None => Polled::Unknown,
                })
            }
            _ => {
                let too_soon = number(polled).saturating_add(number(pause)) > now;
                let pause = number(pause) + if too_soon { SLOWER } else { 0 };
                on!(self, pool => bounded(
                    sqlx::query(NOTE)
                        .bind(hash).bind(seconds(now)).bind(seconds(pause))
                        .execute(pool)
                ).await.map(drop))?;
                Ok(match too_soon {
                    true => Polled::SlowDown,
                    false => Polled::Pending,
                })
            }
        }
    }
}
