//! Making a data directory of which shards are damaged whole again, while no broker runs on it: what their journal can't
//! give back is given up, and nothing else.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use config::BrokerConfig;
use journal::Journal;
use log::FileCache;
use model::{BrokerId, GroupId};
use raft::Voter;
use shard::Loss;

use crate::directory;
use crate::env::Env;
use crate::error::StartError;
use crate::meta::{self, Meta};
use crate::sizes::Sizes;
use crate::start::{group_dir, journal_options};

/// Segments that are open at a time while a shard is looked at.
const OPEN_SEGMENTS: usize = 64;

/// What is wrong with a shard.
#[derive(Debug)]
pub enum Finding {
    /// Entries of the journal can't be read: it can go on without them.
    Loss(Loss),
    /// It can't be repaired; in a line what is wrong, and what to do.
    BeyondRepair(String),
}

/// Looks what is damaged, and with `accept_loss` gives up what can't be read, so that the next start serves all shards.
/// Shards that are not damaged are not touched.
///
/// # Errors
/// Those of a start: the directory is in use, or what can't be told to be one shard's is damaged.
pub async fn repair(config: &BrokerConfig, env: Env, accept_loss: bool) -> Result<Vec<Finding>, StartError> {
    let dir = config.data_dir();
    let no_data = || StartError::NoData { path: meta::path(&dir) };
    let node_id = Some(config.node_id().0);
    Meta::find(&*env.disk, &dir, node_id)?.ok_or_else(no_data)?;
    let (_lock, meta) = directory::take(&env, &dir, node_id)?;
    let meta = meta.ok_or_else(no_data)?;
    let options = journal_options(config, Sizes::new(config, u64::MAX));
    let identity = *meta.directory_id.as_bytes();
    let (journal, recovery) =
        Journal::open(env.disk.clone(), &dir.join("journal"), identity, options, env.executor.clone())?;
    let me = Voter::new(BrokerId(meta.node_id), meta.directory_id);
    let damaged = recovery.damage.iter().filter_map(|damage| damage.group).collect();
    let found = find(&env, &dir, me, &journal, damaged);
    let done = match found {
        Ok(findings) if accept_loss => accept(&findings, &journal).await.map(|()| findings),
        found => found,
    };
    journal.shutdown().await;
    done
}

/// What is wrong with the shards that have a manifest, or entries that are `damaged`.
fn find(
    env: &Env,
    dir: &Path,
    me: Voter,
    journal: &Journal,
    damaged: BTreeSet<GroupId>,
) -> Result<Vec<Finding>, StartError> {
    let groups = dir.join("groups");
    let failed = |why| StartError::DataDirectory { path: groups.clone(), why };
    let files = FileCache::new(env.disk.clone(), OPEN_SEGMENTS);
    let mut findings = Vec::new();
    if let Some(damage) = journal.group(GroupId::CONTROLLER).damage() {
        let why =
            format!("{damage}; nothing of the controller can be given up: restore the data directory from a backup");
        findings.push(Finding::BeyondRepair(why));
    }
    let names = env.disk.list(&groups).map_err(failed)?;
    let mut shards = damaged;
    shards.extend(names.iter().filter_map(|entry| Some(GroupId(entry.name.parse().ok()?))));
    for group in shards.into_iter().filter(|group| *group != GroupId::CONTROLLER) {
        let options = shard::Options {
            raft: raft::Config::single(group, me),
            disk: env.disk.clone(),
            files: Arc::clone(&files),
            dir: group_dir(dir, group),
            topics: dir.join("topics"),
        };
        match shard::examine(options, journal) {
            Ok(None) => {}
            Ok(Some(loss)) => findings.push(Finding::Loss(loss)),
            Err(why) => findings.push(Finding::BeyondRepair(why.to_string())),
        }
    }
    Ok(findings)
}

async fn accept(findings: &[Finding], journal: &Journal) -> Result<(), StartError> {
    for finding in findings {
        if let Finding::Loss(loss) = finding {
            shard::accept(loss, journal).await.map_err(|why| StartError::Repair { group: loss.group, why })?;
        }
    }
    Ok(())
}
