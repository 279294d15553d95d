//! Users whom another backend authenticated, found or registered in `ab_user`: what
//! Flask-AppBuilder's `auth_user_oauth` does, never by e-mail, one transaction each.
//!
//! A row of the user's name is his only by an earlier link or as `adopt` allows. A new
//! row has a password that nobody knows, as Flask-AppBuilder 5.3 writes it, and can be
//! told by it. Where nothing is to be written nothing is locked.

mod find;

use std::collections::BTreeSet;

use countersign_sdk::{Adopt, AuthError, Provision, Provisioned, Result, RoleSync};

use crate::Db;
use crate::accounts::{Account, names, roles_query};
use crate::hash::StoredHash;
use crate::profile::Profile;
use crate::roles::{self, Roles};
use crate::sql::{Transaction, with};
use find::{by_id, linked, named};

/// Why a transaction did not come to its end.
enum Stop {
    Answer(AuthError),
    Sql(sqlx::Error),
    /// Somebody else has made the row after we had looked for it.
    Overtaken,
}

impl From<sqlx::Error> for Stop {
    fn from(error: sqlx::Error) -> Self {
        let database = error.as_database_error();
        match database.is_some_and(|error| error.is_unique_violation()) {
            true => Stop::Overtaken,
            false => Stop::Sql(error),
        }
    }
}

impl From<AuthError> for Stop {
    fn from(error: AuthError) -> Self {
        Stop::Answer(error)
    }
}

impl Db {
    /// Finds or registers the user, and brings his roles to what is asked.
    pub(crate) async fn provision_user(&self, wanted: Provision) -> Result<Provisioned> {
        self.require_full_access()?;
        let name = wanted.user.username.clone();
        let hollow = self.hollow_row(&wanted).await?;
        let mut answer = self.find_or_place(&wanted, hollow.as_ref()).await;
        if matches!(&answer, Err(Stop::Overtaken)) {
            // Now it is there to be found.
            answer = self.find_or_place(&wanted, hollow.as_ref()).await;
        }
        match answer {
            Ok(placed) => {
                if let Ok(id) = placed.user.id.parse() {
                    self.count(|counters| counters.success(id));
                }
                Ok(placed)
            }
            Err(Stop::Answer(error)) => Err(error.subject(name)),
            Err(Stop::Overtaken) => Err(denied(
                "the name or the e-mail address was taken at the same moment",
            )
            .subject(name)),
            Err(Stop::Sql(error)) if is_misfit(&error) => {
                Err(denied(format!("the user does not fit into ab_user: {error}")).subject(name))
            }
            Err(Stop::Sql(error)) => Err(self.database.failed("provision a user", &error)),
        }
    }

    async fn find_or_place(
        &self,
        wanted: &Provision,
        hollow: Option<&(String, String)>,
    ) -> Result<Provisioned, Stop> {
        match self.settled(wanted).await? {
            Some(found) => Ok(found),
            None => self.place(wanted, hollow).await,
        }
    }

    /// A user who has his row already, and in it the roles that are asked: most logins.
    /// Only read, since in SQLite a writer waits for every other.
    async fn settled(&self, wanted: &Provision) -> Result<Option<Provisioned>, Stop> {
        let mut transaction = self.database.begin_reading().await?;
        let Some(id) = linked(&mut transaction, wanted).await? else {
            return Ok(None);
        };
        let known = Roles::read(&mut transaction).await?;
        let own = roles::own(&mut transaction, id).await?;
        if due(wanted, &known, &own) != own {
            return Ok(None);
        }
        let mut found = Provisioned::found(self.read_user(&mut transaction, id).await?);
        found.unknown_roles = split(&known, &wanted.user.roles).1;
        Ok(Some(found))
    }

    async fn place(
        &self,
        wanted: &Provision,
        hollow: Option<&(String, String)>,
    ) -> Result<Provisioned, Stop> {
        let mut transaction = self.database.begin().await?;
        let known = Roles::read(&mut transaction).await?;
        let found = match linked(&mut transaction, wanted).await? {
            Some(id) => Some(id),
            None => named(&mut transaction, wanted, hollow).await?,
        };
        let (ids, unknown_roles) = split(&known, &wanted.user.roles);
        let (id, roles) = match found {
            Some(id) => {
                let own = roles::own(&mut transaction, id).await?;
                (id, due(wanted, &known, &own))
            }
            None => (self.register(&mut transaction, wanted).await?, ids),
        };
        roles::assign(&mut transaction, id, &roles).await?;
        let user = self.read_user(&mut transaction, id).await?;
        let mut placed = if found.is_none() {
            self.database.commit_users(transaction).await?;
            Provisioned::created(user)
        } else {
            transaction.commit().await?;
            Provisioned::found(user)
        };
        placed.unknown_roles = unknown_roles;
        Ok(placed)
    }

    async fn read_user(
        &self,
        transaction: &mut Transaction,
        id: i64,
    ) -> Result<countersign_sdk::User, Stop> {
        let row = by_id(transaction, id).await?;
        let row = row.ok_or(sqlx::Error::RowNotFound)?;
        let held = transaction
            .fetch(roles_query(&self.database), &[with("id", id)])
            .await?;
        Ok(row.into_user(names(&held)?))
    }

    async fn register(
        &self,
        transaction: &mut Transaction,
        wanted: &Provision,
    ) -> Result<i64, Stop> {
        if !wanted.register {
            return Err(denied("the user has no row here, and registration is off").into());
        }
        let user = &wanted.user;
        let nobodys = StoredHash::nobodys(self.method)
            .map_err(|error| AuthError::unavailable(format!("random numbers: {error}")))?;
        let profile = Profile {
            email: Profile::email_or_default(Some(user.email.clone()), &user.username),
            username: user.username.clone(),
            first_name: user.first_name.clone(),
            last_name: user.last_name.clone(),
            password: Some(nobodys),
        };
        let misfit = |why| denied(format!("the user cannot be registered: {why}"));
        profile.check().map_err(misfit)?;
        let present = profile.present(transaction, None).await?;
        if present.iter().any(|row| profile.names(row)) {
            return Err(Stop::Overtaken);
        }
        if let Some(row) = present.first() {
            let (email, id) = (&profile.email, &row.id);
            let taken = format!("the e-mail address {email:?} belongs to row {id} of ab_user");
            return Err(denied(taken).into());
        }
        Ok(profile.insert(transaction, None).await?)
    }

    /// The id and hash of the row of this name if its hash is that of the empty password,
    /// which Airflow and Flask-AppBuilder before 5.3 store for users of a directory.
    async fn hollow_row(&self, wanted: &Provision) -> Result<Option<(String, String)>> {
        if wanted.adopt != Adopt::WithoutPassword {
            return Ok(None);
        }
        let row = Account::find(&self.database, &wanted.user.username).await?;
        let Some((id, text)) = row.and_then(|row| Some((row.id, row.hash?))) else {
            return Ok(None);
        };
        let Some(stored) = StoredHash::parse(&text) else {
            return Ok(None);
        };
        let is_hollow = self.cx.cpu(move || stored.verify("")).await?;
        Ok(is_hollow.then_some((id, text)))
    }
}

/// The roles that a row is to have that has these now.
fn due(wanted: &Provision, known: &Roles, own: &BTreeSet<i64>) -> BTreeSet<i64> {
    let (ids, _) = split(known, &wanted.user.roles);
    match wanted.sync {
        RoleSync::Replace => ids,
        RoleSync::KeepManual => {
            let (given, _) = split(known, &wanted.previous_roles);
            own.difference(&given).chain(&ids).copied().collect()
        }
        _ => own.clone(),
    }
}

/// The ids of the roles that the table has, and the names of the others.
fn split(known: &Roles, names: &[String]) -> (BTreeSet<i64>, Vec<String>) {
    let mut unknown = Vec::new();
    let id = |name: &String| {
        known.id(name).or_else(|| {
            unknown.push(name.clone());
            None
        })
    };
    let ids = names.iter().filter_map(id).collect();
    (ids, unknown)
}

fn denied(reason: impl Into<String>) -> AuthError {
    AuthError::denied(reason)
}

/// A column is too narrow, or takes no such letters.
fn is_misfit(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(|error| error.code());
    code.is_some_and(|code| code.len() == 5 && code.starts_with("22"))
}
