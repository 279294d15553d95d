//! What is wrong with the configuration, all of it at once; what is right becomes [`Settings`].

use countersign_sdk::prelude::*;

use crate::config::Config;
use crate::settings::Settings;

/// The settings of a configuration.
///
/// # Errors
/// Every mistake, one a line, with its key and its remedy.
pub(crate) fn settings(_config: Config) -> Result<Settings> {
    Err(AuthError::invalid("not built yet"))
}
