//! The page `docs/reference/configuration.md`, made of the tables so that it cannot lag behind them.
//! A test compares; `cargo run -p config --example reference > docs/reference/configuration.md` writes.

use std::collections::BTreeMap;
use std::fmt::Write;

use crate::setting::{Effect, Mode, Setting};
use crate::table;

/// The whole page.
pub fn reference_page() -> String {
    let mut page = INTRODUCTION.to_owned();
    page += "\n## Broker settings\n";
    for (subject, settings) in table::BROKER_BY_SUBJECT {
        let working: Vec<_> = settings.iter().filter(|setting| setting.effect == Effect::Works).collect();
        if !working.is_empty() {
            section(&mut page, subject, &working, Columns::Broker);
        }
    }
    page += "\n## Topic settings\n\n";
    page += "Each does what it says, or refuses every value but its default. A topic that does not set one goes by the broker's setting in the third column.\n\n";
    let shown: Vec<_> = table::TOPIC.iter().filter(|setting| !setting.hidden).collect();
    rows(&mut page, &shown, Columns::Inheriting);
    page += "\n## Group settings\n\n";
    page += "For groups of the new protocols, which are still to come: until then every value but the default is refused. Classic groups bring their own timeouts. Bounds \
             are the broker's `group.*.min.*` and `group.*.max.*`: a value outside is refused, and one that new bounds \
             left outside is used clamped.\n\n";
    let shown: Vec<_> = table::GROUP.iter().filter(|setting| !setting.hidden).collect();
    rows(&mut page, &shown, Columns::Inheriting);
    grouped(&mut page, LATER, |effect| if let Effect::Later(with) = effect { Some(with) } else { None });
    grouped(&mut page, IDLE, |effect| if let Effect::Idle(reason) = effect { Some(reason) } else { None });
    grouped(&mut page, REFUSED, |effect| if let Effect::Refused(reason) = effect { Some(reason) } else { None });
    page
}

const INTRODUCTION: &str = "# Configuration

A broker needs no configuration. What is said about a setting counts in this order, the first wins:

1. a flag of its own: `--data-dir`, `--durability`, `--node-id`, `--listen HOST:PORT` (repeatable; stands for `listeners`), `--advertise HOST:PORT` (stands for `advertised.listeners`), `--cluster` (`cluster.nodes`), `--join` (`cluster.join`), `--cluster-listen` (`cluster.listen`)
2. `--set key=value`
3. an environment variable: `TIDELOG_`, then the key in capitals with `_` for dots and dashes
4. the configuration file
5. the default

A running broker's dynamic settings (`tidelog config set broker`, `kafka-configs --alter --entity-type brokers`) win over them all. `tidelog config effective --all` prints every setting with its value and where it comes from. An unknown key or a bad value stops the start, with what would be right.

Keys are Kafka's. In the file they may be flat or in tables:

```toml
data-dir = \"/var/lib/tidelog\"
num.partitions = 3

[log.retention]
hours = 24
check.interval.ms = 60000

# Where one key begins with another, TOML wants quotes.
\"max.connections\" = 2000
\"max.connections.per.ip\" = 100
```

Names, types and bounds are those of Apache Kafka 4.4.0, and so are the defaults, but for: `listeners` (this machine only), `max.decompressed.message.bytes` (smaller), `log.dir` (see `data-dir`), and `node.id`, `process.roles`, `controller.listener.names` (which Kafka wants to be told).

*Changes*: **start** counts when the broker starts; **cluster** can be changed while it runs, for all brokers or one; **broker** can be changed while it runs, one broker at a time.
";

const LATER: (&str, &str) = (
    "Accepted, takes effect later",
    "At the start these are checked, kept and shown, and a line in the log names those that were given; they begin to count with what they belong to, which this version does not have yet. While the broker runs, any value but the default is refused.",
);

const IDLE: (&str, &str) = (
    "Accepted, means nothing here",
    "At the start these are checked, kept and shown, so that configurations made for Kafka work, and a line in the log names those that were given; but there is nothing for them to steer. While the broker runs, any value but the default is refused.",
);

const REFUSED: (&str, &str) = (
    "Refused",
    "These are known and shown with their defaults; any other value is refused, since it would ask for what the broker does not do.",
);

#[derive(Clone, Copy)]
enum Columns {
    Broker,
    Inheriting,
    Short,
}

/// The broker's settings of one kind of effect, by the reason that goes with it.
fn grouped(page: &mut String, (title, explained): (&str, &str), reason: impl Fn(Effect) -> Option<&'static str>) {
    let mut groups: BTreeMap<&str, Vec<&Setting>> = BTreeMap::new();
    for setting in table::broker() {
        if let Some(reason) = reason(setting.effect) {
            groups.entry(reason).or_default().push(setting);
        }
    }
    page.push_str(&format!("\n## {title}\n\n{explained}\n"));
    for (reason, settings) in groups {
        section(page, &capitalized(reason), &settings, Columns::Short);
    }
}

fn section(page: &mut String, title: &str, settings: &[&Setting], columns: Columns) {
    page.push_str(&format!("\n### {title}\n\n"));
    rows(page, settings, columns);
}

fn rows(page: &mut String, settings: &[&Setting], columns: Columns) {
    page.push_str(match columns {
        Columns::Broker => "|setting|type|default|allowed|changes|what it does|\n|---|---|---|---|---|---|\n",
        Columns::Inheriting => {
            "|setting|type|broker's setting|default|allowed|effect|what it does|\n|---|---|---|---|---|---|---|\n"
        }
        Columns::Short => "|setting|type|default|what it is in Kafka|\n|---|---|---|---|\n",
    });
    for setting in settings {
        let (name, kind, default) = (setting.name, setting.kind.name().to_lowercase(), default_of(setting));
        let (allowed, doc) = (cell(&setting.rule.to_string()), cell(setting.doc));
        let written = match columns {
            Columns::Broker => {
                writeln!(page, "|`{name}`|{kind}|{default}|{allowed}|{}|{doc}|", changes(setting.mode))
            }
            Columns::Inheriting => {
                let from: Vec<String> = setting.inherits.iter().map(|from| format!("`{}`", from.name)).collect();
                let effect = match setting.effect {
                    Effect::Works => "works".to_owned(),
                    Effect::Later(with) => format!("later, with {with}"),
                    Effect::Idle(reason) => format!("none: {reason}"),
                    Effect::Refused(reason) => format!("refused: {reason}"),
                };
                writeln!(page, "|`{name}`|{kind}|{}|{default}|{allowed}|{effect}|{doc}|", from.join(", "))
            }
            Columns::Short => writeln!(page, "|`{name}`|{kind}|{default}|{doc}|"),
        };
        written.expect("a string takes what is written to it");
    }
}

fn default_of(setting: &Setting) -> String {
    match setting.default {
        None => "unset".to_owned(),
        Some("") => "empty".to_owned(),
        Some(default) => format!("`{default}`"),
    }
}

fn changes(mode: Mode) -> &'static str {
    match mode {
        Mode::ReadOnly => "start",
        Mode::ClusterWide => "cluster",
        Mode::PerBroker => "broker",
    }
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

fn capitalized(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_in_the_documentation_is_the_one_made_of_the_tables() {
        let written = include_str!("../../../docs/reference/configuration.md");
        assert!(
            written == reference_page(),
            "run: cargo run -p config --example reference > docs/reference/configuration.md"
        );
    }

    #[test]
    fn the_page_names_every_setting_that_is_shown() {
        let page = reference_page();
        for setting in table::broker().iter().copied().chain(table::TOPIC).chain(table::GROUP).filter(|it| !it.hidden) {
            assert!(page.contains(&format!("|`{}`|", setting.name)), "{}", setting.name);
        }
    }
}
