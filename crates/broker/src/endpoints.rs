//! Where clients reach the brokers.

use controller::ClusterImage;
use model::BrokerId;

use crate::broker::Broker;
use crate::listener::Listener;

/// A broker's address for clients of one listener.
pub(crate) struct BrokerEndpoint {
    pub(crate) id: BrokerId,
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) rack: Option<String>,
}

impl Broker {
    /// The live brokers' addresses, for a client that came in through `listener`.
    pub(crate) fn endpoints<'a>(
        &self,
        image: &'a ClusterImage,
        listener: &'a Listener,
    ) -> impl Iterator<Item = BrokerEndpoint> + use<'a> {
        image.live_brokers().filter_map(|broker| {
            let endpoint = broker.listeners.get(&listener.name)?;
            Some(BrokerEndpoint {
                id: broker.id,
                host: endpoint.host.clone(),
                port: endpoint.port,
                rack: broker.rack.clone(),
            })
        })
    }

    /// One broker's address, for a client that came in through `listener`.
    pub(crate) fn endpoint(&self, image: &ClusterImage, listener: &Listener, id: BrokerId) -> Option<BrokerEndpoint> {
        self.endpoints(image, listener).find(|broker| broker.id == id)
    }
}

/// Brokers as responses name them.
pub(crate) fn wire_ids(ids: &[BrokerId]) -> Vec<wire::messages::BrokerId> {
    ids.iter().map(|id| wire::messages::BrokerId(id.0)).collect()
}
