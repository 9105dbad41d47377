//! AlterConfigs (key 33), versions 0 to 2: the whole set of a resource's settings is replaced. Old
//! clients use it; it is answered for all that IncrementalAlterConfigs knows but loggers.

use wire::messages::alter_configs_response::AlterConfigsResourceResponse;
use wire::messages::{AlterConfigsRequest, AlterConfigsResponse};

use crate::dispatch::Context;
use crate::settings::{Operation, Wish};
use crate::text::{string, text};

/// Replaces settings, each resource by itself.
pub(crate) async fn handle(context: Context, request: AlterConfigsRequest) -> AlterConfigsResponse {
    let wish = |resource: &wire::messages::alter_configs_request::AlterConfigsResource| Wish {
        kind: resource.resource_type,
        name: string(&resource.resource_name),
        replace: true,
        settings: resource
            .configs
            .iter()
            .map(|setting| (string(&setting.name), Operation::Set(setting.value.as_ref().map(string))))
            .collect(),
    };
    let wishes: Vec<Wish> = request.resources.iter().map(wish).collect();
    let results = context.broker.alter_settings(&wishes, request.validate_only).await;
    let responses = request.resources.into_iter().zip(results).map(|(resource, result)| {
        let response = AlterConfigsResourceResponse::default()
            .with_resource_type(resource.resource_type)
            .with_resource_name(resource.resource_name);
        match result {
            Ok(()) => response.with_error_message(None),
            Err(why) => response.with_error_code(why.code.code()).with_error_message(Some(text(why.message))),
        }
    });
    AlterConfigsResponse::default().with_responses(responses.collect())
}
