//! A plugin's file under test: taken through the stages of the host's loader, and
//! called across the same boundary.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::fmt;
use std::fs::{self, DirBuilder, File};
use std::future::Future;
use std::hash::BuildHasher;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use countersign_abi::{Call, Failure, Info, Library, Operation, Sealed};
use serde_json::{Map, Value, json};
use tokio::time::timeout;

use super::recorder::{Line, Measurement, Recorder};
use super::{block_on, build};
use crate::{AuthError, Result, TokenRequest, User};

/// How long the host lets an instance be made.
const CONFIGURE_LIMIT: Duration = Duration::from_secs(30);

/// How long the host waits for an answer, by default.
const CALL_LIMIT: Duration = Duration::from_secs(10);

/// A plugin's file, loaded as the host loads it. It stays loaded until the test's
/// process ends; the same bytes are loaded once.
#[derive(Clone, Debug)]
pub struct Plugin {
    library: Library,
    schema: Value,
}

/// One configured instance of a [`Plugin`].
pub struct Instance {
    inner: countersign_abi::Instance,
    recorder: Arc<Recorder>,
    /// Its own state folder, unless the test has given it one.
    _state: Option<Folder>,
}

/// Why a file is not a plugin that the host would load, and what to do about it.
#[derive(Clone)]
pub struct LoadError(String);

impl Plugin {
    /// The plugin of the package whose test calls this: cargo builds it, in the test's
    /// profile and with the package's default features, and it is loaded.
    ///
    /// # Errors
    ///
    /// What the compiler says, or why the host would refuse the file.
    pub fn built() -> Result<Self, LoadError> {
        build::built()
            .map_err(LoadError)
            .and_then(|file| Self::load(&file))
    }

    /// Loads a file: sealed copy, inspection, opening, ABI check, schema. Owner, mode and
    /// pin, which are the operator's, are not looked at.
    ///
    /// # Errors
    ///
    /// What the host would say of it.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, LoadError> {
        let path = path.as_ref();
        let failed = |error: &dyn fmt::Display| LoadError(format!("{}: {error}", path.display()));
        let file = File::open(path).map_err(|error| failed(&error))?;
        let sealed = Sealed::of(&file, "test", &std::env::temp_dir());
        let library = library(sealed.map_err(|error| failed(&error))?)
            .map_err(|error| failed(&format_args!("{error}\nhelp: {}", error.help())))?;
        let schema = library
            .schema()
            .map_err(|failure| failed(&failure.detail))?;
        let schema = serde_json::from_str(&schema)
            .map_err(|_| failed(&"its configuration's schema is not JSON"))?;
        Ok(Plugin { library, schema })
    }

    /// What the file says of itself: `countersign plugins inspect` prints the same.
    pub fn info(&self) -> &Info {
        self.library.info()
    }

    /// The JSON Schema that the host checks a configuration against.
    pub fn schema(&self) -> &Value {
        &self.schema
    }

    /// Makes an instance named `test`, with an empty state folder of its own.
    ///
    /// The host checks the configuration against [`schema`](Self::schema) first and names
    /// file and line of each mistake. Here it goes to serde, which refuses the same wrong
    /// types and unknown keys, but knows nothing of a schema's `range`, `length` or `pattern`.
    ///
    /// # Errors
    ///
    /// What `configure` answers, or `Unavailable` after 30 seconds.
    pub fn configure(&self, config: Value) -> Result<Instance> {
        let state = Folder::new();
        let instance = self.make(&state.0, config, false)?;
        Ok(Instance {
            _state: Some(state),
            ..instance
        })
    }

    /// Makes an instance in a state folder of yours, such as the one of an instance before.
    ///
    /// # Errors
    ///
    /// As for [`configure`](Self::configure).
    pub fn configure_in(&self, state: &Path, config: Value) -> Result<Instance> {
        self.make(state, config, false)
    }

    /// The same as under `countersign check`: [`Cx::is_check`](crate::Cx::is_check) is true,
    /// and the instance should create and change nothing.
    ///
    /// # Errors
    ///
    /// As for [`configure`](Self::configure).
    pub fn check_in(&self, state: &Path, config: Value) -> Result<Instance> {
        self.make(state, config, true)
    }

    fn make(&self, state: &Path, config: Value, check: bool) -> Result<Instance> {
        let envelope =
            json!({ "config": config, "backend": "test", "state": state, "check": check });
        let recorder = Arc::new(Recorder::default());
        let services = Arc::clone(&recorder);
        let made = self.library.create(services, &envelope.to_string());
        Ok(Instance {
            inner: ended(made, CONFIGURE_LIMIT)?,
            recorder,
            _state: None,
        })
    }
}

impl Instance {
    /// Asks who is asking, as the host does.
    ///
    /// # Errors
    ///
    /// What the plugin answers; `Unavailable` after 10 seconds; `Fault` where the host
    /// would not take the answer: a panic, a user without an id, a text beyond its limit.
    pub fn create_token(&self, request: TokenRequest) -> Result<Option<User>> {
        let answer = ended(self.inner.create_token(request.into()), CALL_LIMIT)?;
        answer.map(user).transpose()
    }

    /// Calls an optional operation: its arguments and its answer as [`Operation`] says.
    ///
    /// # Errors
    ///
    /// What the plugin answers; `NotSupported` where it does not offer the operation;
    /// `Unavailable` after 10 seconds.
    pub fn call(&self, operation: Operation, arguments: Value) -> Result<Value> {
        let call = Call {
            request_id: "test".to_owned(),
            millis_left: u64::try_from(CALL_LIMIT.as_millis()).unwrap_or(u64::MAX),
            arguments,
        };
        ended(self.inner.call(operation, &call), CALL_LIMIT)
    }

    /// All log lines so far.
    pub fn logs(&self) -> Vec<Line> {
        self.recorder.lines()
    }

    /// All measurements so far.
    pub fn metrics(&self) -> Vec<Measurement> {
        self.recorder.measurements()
    }

    /// All panics so far: place and text.
    pub fn panics(&self) -> Vec<String> {
        self.recorder.panics()
    }
}

impl fmt::Debug for Instance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Instance").finish_non_exhaustive()
    }
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// As readable as the text itself: `unwrap` prints it.
impl fmt::Debug for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for LoadError {}

/// A new folder, removed at the end.
struct Folder(PathBuf);

impl Folder {
    #[expect(clippy::expect_used, reason = "a test wants the panic")]
    fn new() -> Self {
        let name = format!(
            "countersign-testing-{:016x}",
            RandomState::new().hash_one(())
        );
        let path = std::env::temp_dir().join(name);
        let made = DirBuilder::new().mode(0o700).create(&path);
        made.expect("a state folder among the temporary files");
        Folder(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// The same bytes are the same library, as in the host.
fn library(sealed: Sealed) -> Result<Library, countersign_abi::LoadError> {
    static LOADED: Mutex<Option<HashMap<String, Library>>> = Mutex::new(None);
    let mut loaded = LOADED.lock().unwrap_or_else(PoisonError::into_inner);
    let loaded = loaded.get_or_insert_default();
    let hash = sealed.sha256();
    if let Some(library) = loaded.get(&hash) {
        return Ok(library.clone());
    }
    let library = sealed.inspect()?.open()?.check()?;
    loaded.insert(hash, library.clone());
    Ok(library)
}

/// Waits for an answer, but no longer than the host would.
fn ended<T: Send>(
    answer: impl Future<Output = Result<T, Failure>> + Send,
    limit: Duration,
) -> Result<T> {
    match block_on(async { timeout(limit, answer).await }) {
        Ok(answer) => answer.map_err(AuthError::from),
        Err(_) => Err(AuthError::unavailable(format!(
            "no answer within {} s",
            limit.as_secs()
        ))),
    }
}

fn user(user: countersign_abi::User) -> Result<User> {
    if user.id.is_empty() {
        return Err(AuthError::fault("the user has no id"));
    }
    let attributes: Map<String, Value> = match user.attributes_json.as_str() {
        "" => Map::new(),
        json => serde_json::from_str(json)
            .map_err(|_| AuthError::fault("the user's attributes are no JSON object"))?,
    };
    Ok(User {
        id: user.id,
        username: user.username,
        email: user.email,
        first_name: user.first_name,
        last_name: user.last_name,
        roles: user.roles,
        groups: user.groups,
        attributes,
    })
}
