//! librdkafka through the `rdkafka` crate, in this process.

mod admin;
mod consume;
mod group;
mod produce;
