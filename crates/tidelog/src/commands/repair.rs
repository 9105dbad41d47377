//! `tidelog repair`: a data directory of which shards are damaged.

use std::error::Error;

use broker::{Env, Finding};
use clap::Args;

use super::output::{Output, Table};
use crate::serve::Settings;

/// Arguments of `tidelog repair`.
#[derive(Args)]
pub(crate) struct Repair {
    /// Give up what cannot be read, for good; without this nothing is given up
    #[arg(long)]
    accept_loss: bool,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    settings: Settings,
}

impl Repair {
    pub(crate) fn run(self) -> Result<(), Box<dyn Error>> {
        let config = self.settings.load()?;
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        let findings = runtime.block_on(broker::repair(&config, Env::real(), self.accept_loss))?;
        if findings.is_empty() {
            eprintln!("no shard is damaged");
        }
        let headings = ["shard", "topic", "partition", "kept below", "records lost"];
        let mut lost = Table::new("partitions", &headings);
        let (mut to_accept, mut beyond_repair) = (0, 0);
        for finding in &findings {
            match finding {
                Finding::BeyondRepair(why) => {
                    beyond_repair += 1;
                    eprintln!("{why}");
                }
                Finding::Loss(loss) => {
                    to_accept += 1;
                    let (unreadable, readable) = (loss.unreadable_entries, loss.readable_entries);
                    eprintln!("{}: {}", loss.group, loss.damage);
                    eprintln!(
                        "{}: {unreadable} entries can't be read, and may have held records of any partition below; with \
                         {readable} behind them they go",
                        loss.group
                    );
                    for partition in &loss.partitions {
                        lost.row([
                            loss.group.to_string().into(),
                            partition.topic.to_string().into(),
                            partition.partition.into(),
                            partition.kept_below.into(),
                            partition.known_records.into(),
                        ]);
                    }
                }
            }
        }
        self.output.table(&lost)?;
        match (beyond_repair, to_accept) {
            (0, 0) => Ok(()),
            (0, _) if self.accept_loss => {
                eprintln!("the broker can be started");
                Ok(())
            }
            (0, _) => Err("nothing was given up: restore the files named, or say --accept-loss".into()),
            _ => Err(format!("{beyond_repair} groups can't be repaired").into()),
        }
    }
}
