//! `tidelog config`: what the broker would go by, and who said so.

use std::error::Error;
use std::io::{self, Write};

use clap::Args;
use config::{EffectiveValue, Origin};

use crate::serve::Settings;

/// Arguments of `tidelog config`.
#[derive(Args)]
pub(crate) struct PrintConfig {
    #[command(flatten)]
    settings: Settings,
    /// Also settings that stand at their default
    #[arg(long)]
    all: bool,
}

impl PrintConfig {
    pub(crate) fn run(self) -> Result<(), Box<dyn Error>> {
        let config = self.settings.load()?;
        let is_shown = |value: &EffectiveValue| self.all || value.origin != Origin::Default;
        let shown: Vec<EffectiveValue> = config.effective().into_iter().filter(is_shown).collect();
        let line =
            |value: &EffectiveValue| format!("{} = {}", value.setting.name, value.value.as_deref().unwrap_or_default());
        let width = shown.iter().map(|value| line(value).len()).max().unwrap_or(0);
        let mut out = io::stdout().lock();
        for value in &shown {
            writeln!(out, "{:width$}  # {}", line(value), value.origin)?;
        }
        if shown.is_empty() {
            writeln!(out, "# every setting stands at its default; --all shows them")?;
        }
        Ok(())
    }
}
