//! Settings of topics, brokers and what else has some (DescribeConfigs, IncrementalAlterConfigs).

use std::fmt;

use model::{BrokerId, ErrorCode};
use wire::StrBytes;
use wire::messages::describe_configs_request::DescribeConfigsResource;
use wire::messages::describe_configs_response::DescribeConfigsResourceResult;
use wire::messages::incremental_alter_configs_request::{AlterConfigsResource, AlterableConfig};
use wire::messages::{DescribeConfigsRequest, IncrementalAlterConfigsRequest, Request};

use crate::topics::text;
use crate::{Client, ClientError};

/// What has settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resource {
    /// A topic.
    Topic(String),
    /// One broker.
    Broker(BrokerId),
    /// All brokers: what holds for each that is told nothing else.
    AllBrokers,
    /// The levels of one broker's loggers.
    Loggers(BrokerId),
    /// A subscription to client metrics (KIP-714).
    ClientMetrics(String),
    /// A group.
    Group(String),
}

/// Where a value comes from, as KIP-226 orders them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SettingSource {
    /// The topic was told so.
    Topic,
    /// The broker was told so, while it ran.
    Broker,
    /// All brokers were told so, while they ran.
    AllBrokers,
    /// The broker was started with it.
    Start,
    /// Nobody said anything.
    Default,
    /// The broker was told this level, while it ran.
    Logger,
    /// The subscription was told so.
    ClientMetrics,
    /// The group was told so.
    Group,
    /// A source that this client does not know.
    Unknown,
}

/// A setting with the value that holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Kafka's name of it.
    pub name: String,
    /// None for what is secret, or has no value.
    pub value: Option<String>,
    /// Who said so.
    pub source: SettingSource,
    /// Whether it can only be given when a broker is started.
    pub is_read_only: bool,
    /// Whether its value is never told.
    pub is_secret: bool,
    /// Kafka's word for the type of its values.
    pub kind: &'static str,
    /// What it does.
    pub about: Option<String>,
}

/// A change of one setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingChange {
    /// Kafka's name of it.
    pub name: String,
    /// The new value; none takes back what was said.
    pub value: Option<String>,
}

/// What becomes of a setting; lists may get and lose elements.
pub(crate) enum Change {
    Set(String),
    Delete,
    Append(String),
    Subtract(String),
}

impl Resource {
    /// As Kafka numbers types (`ConfigResource.Type`).
    fn kind(&self) -> i8 {
        match self {
            Resource::Topic(_) => 2,
            Resource::Broker(_) | Resource::AllBrokers => 4,
            Resource::Loggers(_) => 8,
            Resource::ClientMetrics(_) => 16,
            Resource::Group(_) => 32,
        }
    }

    fn name(&self) -> String {
        match self {
            Resource::Topic(name) | Resource::ClientMetrics(name) | Resource::Group(name) => name.clone(),
            Resource::Broker(id) | Resource::Loggers(id) => id.to_string(),
            Resource::AllBrokers => String::new(),
        }
    }

    /// Who alone can answer.
    fn broker(&self) -> Option<BrokerId> {
        match self {
            Resource::Broker(id) | Resource::Loggers(id) => Some(*id),
            _ => None,
        }
    }
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Resource::Topic(name) => write!(f, "topic {name}"),
            Resource::Broker(id) => write!(f, "broker {id}"),
            Resource::AllBrokers => write!(f, "all brokers"),
            Resource::Loggers(id) => write!(f, "the loggers of broker {id}"),
            Resource::ClientMetrics(name) => write!(f, "client metrics {name}"),
            Resource::Group(name) => write!(f, "group {name}"),
        }
    }
}

impl SettingSource {
    /// In a word, for people.
    pub fn name(self) -> &'static str {
        match self {
            SettingSource::Topic => "topic",
            SettingSource::Broker => "broker",
            SettingSource::AllBrokers => "all brokers",
            SettingSource::Start => "broker's start",
            SettingSource::Default => "default",
            SettingSource::Logger => "logger",
            SettingSource::ClientMetrics => "client metrics",
            SettingSource::Group => "group",
            SettingSource::Unknown => "unknown",
        }
    }

    /// From `DescribeConfigsResponse.ConfigSource`.
    fn from_code(code: i8) -> Self {
        match code {
            1 => SettingSource::Topic,
            2 => SettingSource::Broker,
            3 => SettingSource::AllBrokers,
            4 => SettingSource::Start,
            5 => SettingSource::Default,
            6 => SettingSource::Logger,
            7 => SettingSource::ClientMetrics,
            8 => SettingSource::Group,
            _ => SettingSource::Unknown,
        }
    }
}

impl Client {
    /// All settings of `resource`, by name.
    ///
    /// # Errors
    /// [`ClientError::UnknownTopic`], or what the broker refuses.
    pub async fn settings(&self, resource: &Resource) -> Result<Vec<Setting>, ClientError> {
        let asked = DescribeConfigsResource::default()
            .with_resource_type(resource.kind())
            .with_resource_name(text(&resource.name()))
            .with_configuration_keys(None);
        let request = DescribeConfigsRequest::default().with_resources(vec![asked]).with_include_documentation(true);
        let result = self.ask_of(resource, &request).await?.results.into_iter().next();
        let result = result.ok_or_else(|| ClientError::Invalid("an empty answer to DescribeConfigs".to_owned()))?;
        let what = || format!("describing the settings of {resource}");
        self.check_setting(resource, result.error_code, what, result.error_message.as_ref()).await?;
        let mut settings: Vec<Setting> = result.configs.iter().map(setting).collect();
        settings.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(settings)
    }

    /// Changes settings of `resource`, all or none (KIP-339). With `only_check` nothing is changed.
    ///
    /// # Errors
    /// [`ClientError::UnknownTopic`], or what the broker refuses, such as a value out of range.
    pub async fn change_settings(
        &self,
        resource: &Resource,
        changes: &[SettingChange],
        only_check: bool,
    ) -> Result<(), ClientError> {
        let change = |change: &SettingChange| {
            let what = change.value.clone().map_or(Change::Delete, Change::Set);
            (change.name.clone(), what)
        };
        self.alter_settings(resource, &changes.iter().map(change).collect::<Vec<_>>(), only_check).await
    }

    pub(crate) async fn alter_settings(
        &self,
        resource: &Resource,
        changes: &[(String, Change)],
        only_check: bool,
    ) -> Result<(), ClientError> {
        let configs = changes.iter().map(|(name, change)| {
            let (operation, value) = match change {
                Change::Set(value) => (0, Some(value)),
                Change::Delete => (1, None),
                Change::Append(value) => (2, Some(value)),
                Change::Subtract(value) => (3, Some(value)),
            };
            let value = value.map(|value| text(value));
            AlterableConfig::default().with_name(text(name)).with_config_operation(operation).with_value(value)
        });
        let asked = AlterConfigsResource::default()
            .with_resource_type(resource.kind())
            .with_resource_name(text(&resource.name()))
            .with_configs(configs.collect());
        let request =
            IncrementalAlterConfigsRequest::default().with_resources(vec![asked]).with_validate_only(only_check);
        let result = self.ask_of(resource, &request).await?.responses.into_iter().next();
        let result = result.ok_or_else(|| ClientError::Invalid("an empty answer to AlterConfigs".to_owned()))?;
        let what = || format!("changing the settings of {resource}");
        self.check_setting(resource, result.error_code, what, result.error_message.as_ref()).await
    }

    /// Asks the broker that it is about, or any.
    async fn ask_of<R: Request>(&self, resource: &Resource, request: &R) -> Result<R::Response, ClientError> {
        let Some(broker) = resource.broker() else { return self.ask(request).await };
        let brokers = self.describe_cluster().await?.brokers;
        if !brokers.iter().any(|known| known.id == broker) {
            let known: Vec<String> = brokers.iter().map(|broker| broker.id.to_string()).collect();
            return Err(ClientError::Invalid(format!("there is no broker {broker}, but {}", known.join(", "))));
        }
        self.topics().await?; // which tells where brokers are
        self.broker(broker).await?.call(request).await
    }

    async fn check_setting(
        &self,
        resource: &Resource,
        code: i16,
        what: impl FnOnce() -> String,
        message: Option<&StrBytes>,
    ) -> Result<(), ClientError> {
        match resource {
            Resource::Topic(name) if ErrorCode::from_code(code) == ErrorCode::UnknownTopicOrPartition => {
                Err(self.unknown(name).await)
            }
            _ => ClientError::check(code, what, message),
        }
    }
}

fn setting(described: &DescribeConfigsResourceResult) -> Setting {
    Setting {
        name: described.name.to_string(),
        value: described.value.as_ref().map(StrBytes::to_string),
        source: SettingSource::from_code(described.config_source),
        is_read_only: described.read_only,
        is_secret: described.is_sensitive,
        kind: kind(described.config_type),
        about: described.documentation.as_ref().map(StrBytes::to_string).filter(|text| !text.is_empty()),
    }
}

/// From `DescribeConfigsResponse.ConfigType`.
fn kind(code: i8) -> &'static str {
    match code {
        1 => "boolean",
        2 => "string",
        3 => "int",
        4 => "short",
        5 => "long",
        6 => "double",
        7 => "list",
        8 => "class",
        9 => "password",
        _ => "unknown",
    }
}
