//! A member that lacks entries which are purged, or has an empty disk, takes the leader's state.
//!
//! The leader [offers](offer) its state: it describes it, and keeps the files that it names. The other member
//! [fetches](fetch) the description and what it lacks of the files into its [stage], beside its own state, and
//! [installs](install) it with one commit of its manifest.

mod fetch;
mod install;
mod offer;
mod stage;

#[cfg(test)]
pub(crate) use fetch::{Fetched, Request, What};
pub(crate) use fetch::{Here, blocking, fetch, serve};
pub use fetch::{Reading, Source};
pub(crate) use offer::PinId;
pub(crate) use stage::Stage;
