//! Changes that are planned on the newest image, applied, and planned again where another change came first.

use model::ErrorCode;

use super::Controller;
use crate::apply::{Outcome, Refusal};
use crate::command::{Command, CreateShards, ShardWish};
use crate::error::SubmitError;
use crate::image::ClusterImage;

/// How often a plan is made anew when what it was based on changed meanwhile. Each time another
/// proposer got through, so this only runs out under a storm of changes to one and the same thing.
const MAX_PLANS: usize = 10;

/// How changes of one kind are planned.
pub(super) struct Plans<Shards, Plan, Carried, Done> {
    /// The shards that there must be first.
    pub(super) shards: Shards,
    /// A plan for each item, or why there can be none.
    pub(super) plan: Plan,
    /// The command that carries out plans.
    pub(super) command: Carried,
    /// What it did, for each.
    pub(super) done: Done,
}

impl Controller {
    /// Plans and carries out a change for each item; each stands or falls by itself.
    pub(super) async fn carry_out<Item, Planned, Made>(
        &self,
        items: &[Item],
        plans: Plans<
            impl Fn(&ClusterImage, &[&Item]) -> Vec<ShardWish>,
            impl Fn(&ClusterImage, &[&Item]) -> Vec<Result<Planned, Refusal>>,
            impl Fn(Vec<Planned>) -> Command,
            impl Fn(Outcome) -> Result<Vec<Result<Made, Refusal>>, SubmitError>,
        >,
    ) -> Result<Vec<Result<Made, Refusal>>, SubmitError> {
        let mut results: Vec<_> = items.iter().map(|_| Err(Refusal::stale("not planned yet"))).collect();
        for _ in 0..MAX_PLANS {
            let open: Vec<usize> = (0..items.len()).filter(|at| is_open(&results[*at])).collect();
            if open.is_empty() {
                break;
            }
            let open_items: Vec<&Item> = open.iter().map(|at| &items[*at]).collect();
            self.create_shards((plans.shards)(&self.image(), &open_items)).await?;
            let (mut places, mut planned) = (Vec::new(), Vec::new());
            for (at, plan) in open.into_iter().zip((plans.plan)(&self.image(), &open_items)) {
                match plan {
                    Ok(plan) => {
                        places.push(at);
                        planned.push(plan);
                    }
                    Err(refusal) => results[at] = Err(refusal),
                }
            }
            if planned.is_empty() {
                continue;
            }
            let done = (plans.done)(self.submit((plans.command)(planned)).await?)?;
            places.into_iter().zip(done).for_each(|(at, result)| results[at] = result);
        }
        results.iter_mut().filter(|result| is_open(result)).for_each(|result| *result = Err(overtaken()));
        Ok(results)
    }

    async fn create_shards(&self, wishes: Vec<ShardWish>) -> Result<(), SubmitError> {
        if wishes.is_empty() {
            return Ok(());
        }
        match self.submit(Command::CreateShards(CreateShards { wishes })).await {
            // Members that do not exist: the plan says so, item by item, in Kafka's words.
            Ok(_) | Err(SubmitError::Refused(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }
}

fn is_open<T>(result: &Result<T, Refusal>) -> bool {
    matches!(result, Err(refusal) if refusal.is_stale())
}

fn overtaken() -> Refusal {
    Refusal::new(ErrorCode::RequestTimedOut, "The cluster's metadata keeps changing, try again.")
}
