//! What is known of one setting: its name, type, default, bounds, and what it does here.

use crate::rule::Rule;

/// One setting. Tables of them are constants (`crate::table`), so that nothing is parsed at start.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// Kafka's name, or our own for what Kafka does not have.
    pub name: &'static str,
    /// What its values are.
    pub kind: Kind,
    /// The default as text; `None` is Kafka's null.
    pub default: Option<&'static str>,
    /// What a value must keep to beyond its type.
    pub rule: Rule,
    /// Whether it can be changed while the broker runs.
    pub mode: Mode,
    /// What setting it brings about here.
    pub effect: Effect,
    /// One sentence for people.
    pub doc: &'static str,
    /// Broker settings that give the default of this topic or group setting, strongest first.
    pub inherits: &'static [Inherit],
    /// Known, but described only once it is set (Kafka calls these internal).
    pub hidden: bool,
}

/// A broker setting that a topic's or group's setting takes its default from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Inherit {
    /// The broker setting.
    pub name: &'static str,
    /// What one of its units is in ours, e.g. 3,600,000 for hours where we count milliseconds.
    pub unit: i64,
}

/// The types of `ConfigDef`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it all")]
pub enum Kind {
    Boolean,
    String,
    Int,
    Short,
    Long,
    Double,
    /// Separated by commas.
    List,
    /// The name of a Java class.
    Class,
    /// Never shown.
    Password,
}

impl Kind {
    /// The number in a DescribeConfigs response.
    pub fn code(self) -> i8 {
        match self {
            Kind::Boolean => 1,
            Kind::String => 2,
            Kind::Int => 3,
            Kind::Short => 4,
            Kind::Long => 5,
            Kind::Double => 6,
            Kind::List => 7,
            Kind::Class => 8,
            Kind::Password => 9,
        }
    }

    /// The name in Kafka's error messages, in capitals.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Boolean => "BOOLEAN",
            Kind::String => "STRING",
            Kind::Int => "INT",
            Kind::Short => "SHORT",
            Kind::Long => "LONG",
            Kind::Double => "DOUBLE",
            Kind::List => "LIST",
            Kind::Class => "CLASS",
            Kind::Password => "PASSWORD",
        }
    }
}

/// When a setting may change (KIP-226).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Only at start.
    ReadOnly,
    /// While running, for all brokers as one or for a single one.
    ClusterWide,
    /// While running, one broker at a time.
    PerBroker,
}

/// What setting a setting brings about. Each but the first carries the reason that users are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// It does what its documentation says.
    Works,
    /// Accepted and kept; it takes effect with what is named here, which this version lacks.
    Later(&'static str),
    /// Accepted, kept and shown, but there is nothing here for it to steer.
    Idle(&'static str),
    /// Any value but the default is refused.
    Refused(&'static str),
}

impl Setting {
    const fn new(name: &'static str, kind: Kind) -> Self {
        Setting {
            name,
            kind,
            default: None,
            rule: Rule::Any,
            mode: Mode::ReadOnly,
            effect: Effect::Works,
            doc: "",
            inherits: &[],
            hidden: false,
        }
    }

    pub(crate) const fn default(mut self, value: &'static str) -> Self {
        self.default = Some(value);
        self
    }

    pub(crate) const fn rule(mut self, rule: Rule) -> Self {
        self.rule = rule;
        self
    }

    pub(crate) const fn at_least(self, least: i64) -> Self {
        self.rule(Rule::AtLeast(least))
    }

    pub(crate) const fn between(self, least: i64, most: i64) -> Self {
        self.rule(Rule::Between(least, most))
    }

    pub(crate) const fn one_of(self, words: &'static [&'static str]) -> Self {
        self.rule(Rule::OneOf(words))
    }

    /// May change while running, for the whole cluster.
    pub(crate) const fn cluster(mut self) -> Self {
        self.mode = Mode::ClusterWide;
        self
    }

    /// May change while running, broker by broker.
    pub(crate) const fn per_broker(mut self) -> Self {
        self.mode = Mode::PerBroker;
        self
    }

    pub(crate) const fn inherits(mut self, from: &'static [Inherit]) -> Self {
        self.inherits = from;
        self
    }

    pub(crate) const fn hidden(mut self) -> Self {
        self.hidden = true;
        self
    }

    pub(crate) const fn works(self, doc: &'static str) -> Self {
        self.effect(Effect::Works, doc)
    }

    pub(crate) const fn later(self, with: &'static str, doc: &'static str) -> Self {
        self.effect(Effect::Later(with), doc)
    }

    pub(crate) const fn idle(self, reason: &'static str, doc: &'static str) -> Self {
        self.effect(Effect::Idle(reason), doc)
    }

    pub(crate) const fn refused(self, reason: &'static str, doc: &'static str) -> Self {
        self.effect(Effect::Refused(reason), doc)
    }

    const fn effect(mut self, effect: Effect, doc: &'static str) -> Self {
        self.effect = effect;
        self.doc = doc;
        self
    }
}

pub(crate) const fn boolean(name: &'static str) -> Setting {
    Setting::new(name, Kind::Boolean)
}

pub(crate) const fn string(name: &'static str) -> Setting {
    Setting::new(name, Kind::String)
}

pub(crate) const fn int(name: &'static str) -> Setting {
    Setting::new(name, Kind::Int)
}

pub(crate) const fn short(name: &'static str) -> Setting {
    Setting::new(name, Kind::Short)
}

pub(crate) const fn long(name: &'static str) -> Setting {
    Setting::new(name, Kind::Long)
}

pub(crate) const fn double(name: &'static str) -> Setting {
    Setting::new(name, Kind::Double)
}

pub(crate) const fn list(name: &'static str) -> Setting {
    Setting::new(name, Kind::List)
}

pub(crate) const fn class(name: &'static str) -> Setting {
    Setting::new(name, Kind::Class)
}

pub(crate) const fn password(name: &'static str) -> Setting {
    Setting::new(name, Kind::Password)
}
