//! `tidelog config effective`: what a broker would go by, and who said so.

use std::error::Error;

use clap::Args;
use config::{EffectiveValue, Origin};

use super::super::output::{Output, Table, print_text};
use crate::serve::Settings;

/// Arguments of `tidelog config effective`.
#[derive(Args)]
pub(crate) struct Effective {
    #[command(flatten)]
    settings: Settings,
    /// Also settings that stand at their default
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    output: Output,
}

impl Effective {
    pub(super) fn run(&self) -> Result<(), Box<dyn Error>> {
        let config = self.settings.load()?;
        let is_shown = |value: &EffectiveValue| self.all || value.origin != Origin::Default;
        let shown: Vec<EffectiveValue> = config.effective().into_iter().filter(is_shown).collect();
        match self.output.is_json() {
            true => self.output.table(&table(&shown))?,
            false => print_text(&file(&shown))?,
        }
        Ok(())
    }
}

fn table(shown: &[EffectiveValue]) -> Table {
    let mut table = Table::new("settings", &["setting", "value", "origin"]);
    for value in shown {
        table.row([value.setting.name.into(), value.value.as_deref().into(), value.origin.to_string().into()]);
    }
    table
}

/// As it could stand in a file of settings.
fn file(shown: &[EffectiveValue]) -> String {
    if shown.is_empty() {
        return "# every setting stands at its default; --all shows them\n".to_owned();
    }
    let line =
        |value: &EffectiveValue| format!("{} = {}", value.setting.name, value.value.as_deref().unwrap_or_default());
    let width = shown.iter().map(|value| line(value).len()).max().unwrap_or(0);
    shown.iter().map(|value| format!("{:width$}  # {}\n", line(value), value.origin)).collect()
}
