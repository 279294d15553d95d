//! Users whom another backend authenticated, found or registered in `ab_user`: what
//! Flask-AppBuilder's `auth_user_oauth` does, never by e-mail, one transaction each.
//!
//! A row of the user's name is his only by an earlier link or as `adopt` allows. A new
//! row has a password that nobody knows, as Flask-AppBuilder 5.3 writes it.

use std::collections::BTreeSet;

use countersign_sdk::{Adopt, AuthError, Provision, Provisioned, Result, RoleSync};

use crate::Db;
use crate::accounts::{Account, names, roles_query};
use crate::hash::StoredHash;
use crate::profile::Profile;
use crate::roles::{self, Roles};
use crate::sql::{Transaction, with};

/// Why a transaction did not come to its end.
enum Stop {
    Answer(AuthError),
    Sql(sqlx::Error),
}

impl From<sqlx::Error> for Stop {
    fn from(error: sqlx::Error) -> Self {
        Stop::Sql(error)
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
        let mut answer = self.place(&wanted, hollow.as_ref()).await;
        if matches!(&answer, Err(Stop::Sql(error)) if is_taken(error)) {
            // Somebody else has written the same row: now it is there to be found.
            answer = self.place(&wanted, hollow.as_ref()).await;
        }
        match answer {
            Ok(placed) => {
                if let Ok(id) = placed.user.id.parse() {
                    self.count(|counters| counters.success(id));
                }
                Ok(placed)
            }
            Err(Stop::Answer(error)) => Err(error.subject(name)),
            Err(Stop::Sql(error)) if is_taken(&error) => Err(denied(
                "the name or the e-mail address was taken at the same moment",
            )
            .subject(name)),
            Err(Stop::Sql(error)) if is_misfit(&error) => {
                Err(denied(format!("the user does not fit into ab_user: {error}")).subject(name))
            }
            Err(Stop::Sql(error)) => Err(self.database.failed("provision a user", &error)),
        }
    }

    async fn place(
        &self,
        wanted: &Provision,
        hollow: Option<&(String, String)>,
    ) -> Result<Provisioned, Stop> {
        let mut transaction = self.database.begin().await?;
        let known = Roles::read(&mut transaction).await?;
        let (ids, unknown_roles) = split(&known, &wanted.user.roles);
        let found = match linked(&mut transaction, wanted).await? {
            Some(row) => Some(row),
            None => named(&mut transaction, wanted, hollow).await?,
        };
        let created = found.is_none();
        let id = match found.as_ref().and_then(|row| row.row) {
            Some(id) => {
                self.sync(&mut transaction, wanted, &known, id, &ids)
                    .await?;
                id
            }
            None => {
                let id = self.register(&mut transaction, wanted).await?;
                roles::assign(&mut transaction, id, &ids).await?;
                id
            }
        };
        let row = by_id(&mut transaction, id)
            .await?
            .ok_or(sqlx::Error::RowNotFound)?;
        let held = transaction
            .fetch(roles_query(&self.database), &[with("id", id)])
            .await?;
        let user = row.into_user(names(&held)?);
        if created {
            self.database.commit_users(transaction).await?;
        } else {
            transaction.commit().await?;
        }
        let mut placed = if created {
            Provisioned::created(user)
        } else {
            Provisioned::found(user)
        };
        placed.unknown_roles = unknown_roles;
        Ok(placed)
    }

    async fn sync(
        &self,
        transaction: &mut Transaction,
        wanted: &Provision,
        known: &Roles,
        id: i64,
        ids: &BTreeSet<i64>,
    ) -> Result<(), Stop> {
        match wanted.sync {
            RoleSync::Replace => {
                roles::assign(transaction, id, ids).await?;
            }
            RoleSync::KeepManual => {
                let (given, _) = split(known, &wanted.previous_roles);
                let own = roles::own(transaction, id).await?;
                let kept = own.difference(&given).chain(ids).copied().collect();
                roles::assign(transaction, id, &kept).await?;
            }
            _ => {}
        }
        Ok(())
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
        if let Some(row) = profile.present(transaction, None).await?.first() {
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

/// The row that the user was linked to before. `None`: no link, or its row is gone.
async fn linked(
    transaction: &mut Transaction,
    wanted: &Provision,
) -> Result<Option<Account>, Stop> {
    let Some(id) = wanted.id.as_deref().and_then(|id| id.parse().ok()) else {
        return Ok(None);
    };
    let row = by_id(transaction, id).await?;
    if row.is_none() && !wanted.register {
        return Err(denied(format!("row {id} of ab_user, linked to the user, is gone")).into());
    }
    row.map(active).transpose()
}

/// The row of his name, as far as it may be taken.
async fn named(
    transaction: &mut Transaction,
    wanted: &Provision,
    hollow: Option<&(String, String)>,
) -> Result<Option<Account>, Stop> {
    let profile = Profile {
        username: wanted.user.username.clone(),
        // No row is looked for by its address.
        email: String::new(),
        first_name: String::new(),
        last_name: String::new(),
        password: None,
    };
    if profile.username.is_empty() || profile.username.contains('\0') {
        return Err(denied("the username is empty or contains NUL").into());
    }
    let mut rows = profile.present(transaction, None).await?;
    rows.retain(|row| !row.username.is_empty());
    let Some(row) = rows.pop() else {
        return Ok(None);
    };
    let id = &row.id;
    if !rows.is_empty() {
        return Err(denied("the name is that of several rows of ab_user").into());
    }
    if !profile.names(&row) {
        let equal = format!("the database holds the name equal to that of row {id} of ab_user");
        return Err(denied(equal).into());
    }
    match wanted.adopt {
        Adopt::Any => active(row).map(Some),
        Adopt::WithoutPassword if has_no_password(&row, hollow) => active(row).map(Some),
        Adopt::WithoutPassword => Err(denied(format!(
            "the name is that of row {id} of ab_user, which has a password of its own"
        ))
        .into()),
        _ => Err(denied(format!(
            "the name is that of row {id} of ab_user, which is not linked to the user"
        ))
        .into()),
    }
}

/// Can nobody log in to this row with a password, here or in Airflow? A hash of a kind
/// that is not known here may be known there.
fn has_no_password(row: &Account, hollow: Option<&(String, String)>) -> bool {
    match &row.hash {
        None => true,
        Some(text) if text.starts_with(['!', '*']) => true,
        Some(text) => hollow.is_some_and(|(id, known)| *id == row.id && known == text),
    }
}

fn active(row: Account) -> Result<Account, Stop> {
    if row.active {
        return Ok(row);
    }
    Err(denied(format!("row {} of ab_user is inactive", row.id)).into())
}

async fn by_id(transaction: &mut Transaction, id: i64) -> sqlx::Result<Option<Account>> {
    let query = format!(
        "{} WHERE id = :id",
        crate::accounts::select(transaction.dialect())
    );
    let rows = transaction.fetch(&query, &[with("id", id)]).await?;
    rows.first().map(Account::read).transpose()
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

/// A unique column has the value already.
fn is_taken(error: &sqlx::Error) -> bool {
    error
        .as_database_error()
        .is_some_and(|error| error.is_unique_violation())
}

/// A column is too narrow, or takes no such letters.
fn is_misfit(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(|error| error.code());
    code.is_some_and(|code| code.len() == 5 && code.starts_with("22"))
}
