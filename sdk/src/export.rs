//! From an [`AuthPlugin`](crate::AuthPlugin) to what the boundary exports.

use std::marker::PhantomData;
use std::sync::Arc;

use countersign_abi::{
    BoxFuture, Call, Export, Failure, Lease, Operation, Plugin, Request, Services,
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::context::Envelope;
use crate::log::{self, Speaker};
use crate::plugin::{AuthPlugin, Configure};
use crate::runtime::{release, spawn};
use crate::{AuthError, Cx, Result, TokenRequest};

/// Exports a type as the plugin of this library. One per crate; the crate's name,
/// without `countersign-`, is the plugin's.
#[macro_export]
macro_rules! export_plugin {
    ($plugin:ty) => {
        $crate::__private::export!(
            $crate::__private::Exported<$plugin>,
            $crate::__private::SDK_VERSION
        );
    };
}

/// The export of a plugin type.
pub struct Exported<P>(PhantomData<P>);

impl<P: AuthPlugin> Export for Exported<P> {
    fn schema() -> String {
        schemars::schema_for!(<P as Configure>::Config)
            .to_value()
            .to_string()
    }

    fn create(
        services: Arc<dyn Services>,
        envelope: String,
    ) -> BoxFuture<Result<Arc<dyn Plugin>, Failure>> {
        log::install(&services, std::any::type_name::<P>());
        let made = spawn(log::on_behalf(Speaker::new(&services), async move {
            let mut envelope: Envelope = serde_json::from_str(&envelope)
                .map_err(|error| AuthError::fault(format!("the host's envelope: {error}")))?;
            let cx = Cx::new(&envelope, Some(Arc::clone(&services)));
            // The host has validated against the schema; what is left here is what a schema cannot say.
            let config = serde_json::from_value(envelope.config.take()).map_err(|error| {
                AuthError::invalid(format!(
                    "the configuration does not fit: {}",
                    without_values(&error.to_string())
                ))
            })?;
            let plugin = Some(Arc::new(P::configure(config, cx).await?));
            Ok(Running { plugin, services })
        }));
        Box::pin(async move { Ok(Arc::new(made.await?) as Arc<dyn Plugin>) })
    }
}

struct Running<P: AuthPlugin> {
    /// Some until the instance is dropped.
    plugin: Option<Arc<P>>,
    services: Arc<dyn Services>,
}

impl<P: AuthPlugin> Running<P> {
    fn plugin(&self) -> Result<Arc<P>> {
        self.plugin
            .clone()
            .ok_or_else(|| AuthError::fault("the instance is being dropped"))
    }
}

/// The host drops instances on its own threads; the author's `drop` belongs to the
/// plugin's, where a panic is contained and the runtime's context is there.
impl<P: AuthPlugin> Drop for Running<P> {
    fn drop(&mut self) {
        if let Some(plugin) = self.plugin.take() {
            release(log::on_behalf(Speaker::new(&self.services), async move {
                drop(plugin);
            }));
        }
    }
}

impl<P: AuthPlugin> Plugin for Running<P> {
    fn create_token(
        &self,
        request: Request,
        lease: Lease,
    ) -> BoxFuture<Result<Option<countersign_abi::User>, Failure>> {
        let plugin = self.plugin();
        let speaker = Speaker::of_call(&self.services, request.request_id.as_str(), lease);
        let call = spawn(log::on_behalf(speaker, async move {
            plugin?.create_token(TokenRequest::from(request)).await
        }));
        Box::pin(async move { Ok(call.await?.map(Into::into)) })
    }

    fn call(
        &self,
        operation: Operation,
        call: Call,
        lease: Lease,
    ) -> BoxFuture<Result<Value, Failure>> {
        let plugin = self.plugin();
        let speaker = Speaker::of_call(&self.services, call.request_id.as_str(), lease);
        let call = spawn(log::on_behalf(speaker, async move {
            perform(plugin?.as_ref(), operation, call.arguments).await
        }));
        Box::pin(async move { Ok(call.await?) })
    }
}

async fn perform<P: AuthPlugin>(
    plugin: &P,
    operation: Operation,
    arguments: Value,
) -> Result<Value> {
    let text = |key: &str| {
        let text = arguments.get(key).and_then(Value::as_str);
        text.unwrap_or_default().to_owned()
    };
    match operation {
        Operation::Capabilities => Ok(json!(plugin.capabilities())),
        Operation::BeginLogin => Ok(json!(plugin.begin_login(typed(arguments)?).await?)),
        Operation::FinishLogin => Ok(json!(plugin.finish_login(typed(arguments)?).await?)),
        Operation::LogoutUrl => Ok(json!({ "url": plugin.logout_url(typed(arguments)?).await? })),
        Operation::Provision => Ok(json!(plugin.provision(typed(arguments)?).await?)),
        Operation::Manage => plugin.manage(&text("op"), arguments).await,
        Operation::Lookup => Ok(json!(plugin.lookup(&text("username")).await?)),
        Operation::Health => plugin.health().await.map(|()| json!({})),
        Operation::Shutdown => {
            plugin.shutdown().await;
            Ok(json!({}))
        }
    }
}

fn typed<T: DeserializeOwned>(arguments: Value) -> Result<T> {
    serde_json::from_value(arguments).map_err(|error| {
        let why = without_values(&error.to_string());
        AuthError::fault(format!("the host's arguments do not fit: {why}"))
    })
}

/// serde quotes what it found, which may be a secret: a text in quotes, all else in
/// backticks. What it expected comes last, and is the author's.
fn without_values(error: &str) -> String {
    let Some(start) = error.find(['"', '`']) else {
        return error.to_owned();
    };
    if error.starts_with("missing field `") {
        return error.to_owned();
    }
    let expected = error[start..]
        .rfind(", expected ")
        .map_or("", |at| &error[start + at..]);
    format!("{}…{expected}", &error[..start])
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde::Deserialize;
    use serde::de::DeserializeOwned;

    use super::*;

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Settings {
        #[expect(dead_code, reason = "only its errors matter")]
        mode: Mode,
    }

    #[derive(Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Mode {
        Fast,
        Slow,
    }

    fn told<T: DeserializeOwned>(value: Value) -> String {
        without_values(
            &serde_json::from_value::<T>(value)
                .err()
                .unwrap()
                .to_string(),
        )
    }

    #[test]
    fn error_of_a_wrong_value_never_quotes_it() {
        let expected = "invalid type: string …, expected u8";
        assert_eq!(told::<u8>(json!("canary")), expected);
        assert_eq!(
            told::<u8>(json!("a\"canary\"b`, expected canary")),
            expected
        );
        assert_eq!(
            told::<String>(json!(7_340_033)),
            "invalid type: integer …, expected a string"
        );
        assert_eq!(
            told::<Settings>(json!({ "mode": "canary" })),
            "unknown variant …, expected `fast` or `slow`"
        );
        assert_eq!(
            told::<Settings>(json!({ "canary": 1 })),
            "unknown field …, expected `mode`"
        );
    }

    #[test]
    fn error_of_a_missing_value_names_its_field() {
        assert_eq!(told::<Settings>(json!({})), "missing field `mode`");
    }
}
