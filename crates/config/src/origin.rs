//! Where a value comes from.

use std::fmt;

/// Who said it. Later variants win over earlier ones.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// Nobody: the built-in value.
    Default,
    /// The configuration file.
    File {
        /// Its path as it was given.
        path: String,
        /// From 1.
        line: usize,
    },
    /// An environment variable, by its name.
    Environment(String),
    /// `--set key=value`.
    Set,
    /// A flag of its own, such as `--data-dir`.
    Flag(&'static str),
    /// Set while running, as the default of all brokers.
    ClusterDefault,
    /// Set while running, for this broker.
    Dynamic,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Default => f.write_str("default"),
            Origin::File { path, line } => write!(f, "{path}:{line}"),
            Origin::Environment(name) => write!(f, "environment {name}"),
            Origin::Set => f.write_str("--set"),
            Origin::Flag(flag) => f.write_str(flag),
            Origin::ClusterDefault => f.write_str("cluster default"),
            Origin::Dynamic => f.write_str("set on this broker"),
        }
    }
}
