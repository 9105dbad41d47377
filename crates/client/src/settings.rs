//! Settings of topics (DescribeConfigs).

use wire::StrBytes;
use wire::messages::DescribeConfigsRequest;
use wire::messages::describe_configs_request::DescribeConfigsResource;
use wire::messages::describe_configs_response::DescribeConfigsResourceResult;

use crate::topics::text;
use crate::{Client, ClientError};

/// A topic among Kafka's resource types.
const TOPIC: i8 = 2;

/// The source of a value that the topic itself was given.
const DYNAMIC_TOPIC_CONFIG: i8 = 1;

/// A setting with the value that holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Kafka's name of it.
    pub name: String,
    /// None for what is secret, or has no value.
    pub value: Option<String>,
    /// Whether the topic itself says so, and not the broker or the default.
    pub is_own: bool,
}

impl Client {
    /// All settings of a topic, by name.
    ///
    /// # Errors
    /// What the broker refuses, such as an unknown topic.
    pub async fn topic_settings(&self, topic: &str) -> Result<Vec<Setting>, ClientError> {
        let resource = DescribeConfigsResource::default()
            .with_resource_type(TOPIC)
            .with_resource_name(text(topic))
            .with_configuration_keys(None);
        let request = DescribeConfigsRequest::default().with_resources(vec![resource]);
        let result = self.ask(&request).await?.results.into_iter().next();
        let result = result.ok_or_else(|| ClientError::Invalid("an empty answer to DescribeConfigs".to_owned()))?;
        let what = || format!("describing the settings of {topic}");
        ClientError::check(result.error_code, what, result.error_message.as_ref())?;
        Ok(result.configs.iter().map(setting).collect())
    }
}

fn setting(described: &DescribeConfigsResourceResult) -> Setting {
    Setting {
        name: described.name.to_string(),
        value: described.value.as_ref().map(StrBytes::to_string),
        is_own: described.config_source == DYNAMIC_TOPIC_CONFIG,
    }
}
