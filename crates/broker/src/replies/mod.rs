//! The larger responses, put together from what handlers found.

pub(crate) mod produce;
