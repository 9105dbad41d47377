//! librdkafka through the `rdkafka` crate, in this process.

mod consume;
mod group;
mod produce;
