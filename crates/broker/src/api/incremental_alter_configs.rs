//! IncrementalAlterConfigs (key 44), versions 0 and 1 (KIP-339): settings are set, taken back, or,
//! where they are lists, added to and taken from.

use wire::messages::incremental_alter_configs_request::{AlterConfigsResource, AlterableConfig};
use wire::messages::incremental_alter_configs_response::AlterConfigsResourceResponse;
use wire::messages::{IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse};

use crate::dispatch::Context;
use crate::settings::{Operation, Wish};
use crate::text::{string, text};

/// Changes settings, each resource by itself.
pub(crate) async fn handle(
    context: Context,
    request: IncrementalAlterConfigsRequest,
) -> IncrementalAlterConfigsResponse {
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
    IncrementalAlterConfigsResponse::default().with_responses(responses.collect())
}

fn wish(resource: &AlterConfigsResource) -> Wish {
    Wish {
        kind: resource.resource_type,
        name: string(&resource.resource_name),
        replace: false,
        settings: resource.configs.iter().map(|setting| (string(&setting.name), operation(setting))).collect(),
    }
}

fn operation(setting: &AlterableConfig) -> Operation {
    let value = setting.value.as_ref().map(string);
    match setting.config_operation {
        0 => Operation::Set(value),
        1 => Operation::Delete,
        2 => Operation::Append(value),
        3 => Operation::Subtract(value),
        other => Operation::Unknown(other),
    }
}
