//! From an [`AuthPlugin`](crate::AuthPlugin) to what the boundary exports.

use std::marker::PhantomData;
use std::sync::Arc;

use countersign_abi::{BoxFuture, Export, Failure, Operation, Plugin, Request, Services};
use serde_json::{Value, json};

use crate::context::Envelope;
use crate::plugin::{AuthPlugin, Configure};
use crate::runtime::spawn;
use crate::{AuthError, Cx, Result, TokenRequest, log};

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
        log::install();
        let made = spawn(log::on_behalf(Arc::clone(&services), async move {
            let mut envelope: Envelope = serde_json::from_str(&envelope)
                .map_err(|error| AuthError::fault(format!("the host's envelope: {error}")))?;
            let cx = Cx::new(&envelope);
            // The host has validated against the schema; what is left here is what a schema cannot say.
            let config = serde_json::from_value(envelope.config.take()).map_err(|error| {
                AuthError::invalid(format!("the configuration does not fit: {error}"))
            })?;
            P::configure(config, cx).await
        }));
        Box::pin(async move {
            let plugin = Arc::new(made.await?);
            Ok(Arc::new(Running { plugin, services }) as Arc<dyn Plugin>)
        })
    }
}

struct Running<P> {
    plugin: Arc<P>,
    services: Arc<dyn Services>,
}

impl<P: AuthPlugin> Plugin for Running<P> {
    fn create_token(
        &self,
        request: Request,
    ) -> BoxFuture<Result<Option<countersign_abi::User>, Failure>> {
        let plugin = Arc::clone(&self.plugin);
        let call = spawn(log::on_behalf(Arc::clone(&self.services), async move {
            plugin.create_token(TokenRequest::from(request)).await
        }));
        Box::pin(async move { Ok(call.await?.map(Into::into)) })
    }

    fn call(&self, operation: Operation, arguments: String) -> BoxFuture<Result<String, Failure>> {
        let plugin = Arc::clone(&self.plugin);
        let call = spawn(log::on_behalf(Arc::clone(&self.services), async move {
            let arguments: Value = serde_json::from_str(&arguments)
                .map_err(|_| AuthError::fault("the host's arguments are not JSON"))?;
            perform(plugin.as_ref(), operation, arguments).await
        }));
        Box::pin(async move { Ok(call.await?.to_string()) })
    }
}

async fn perform<P: AuthPlugin>(
    plugin: &P,
    operation: Operation,
    arguments: Value,
) -> Result<Value> {
    let text = |key: &str| {
        arguments
            .get(key)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    match operation {
        Operation::Capabilities => Ok(json!(plugin.capabilities())),
        Operation::Manage => plugin.manage(&text("op"), arguments).await,
        Operation::Lookup => Ok(json!(plugin.lookup(&text("username")).await?)),
        Operation::Health => plugin.health().await.map(|()| json!({})),
        Operation::Shutdown => {
            plugin.shutdown().await;
            Ok(json!({}))
        }
        Operation::BeginLogin
        | Operation::FinishLogin
        | Operation::LogoutUrl
        | Operation::Provision => Err(AuthError::not_supported(&format!("{operation:?}"))),
    }
}
