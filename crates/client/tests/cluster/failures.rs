//! Lost answers, restarts, and everything that is no broker.

use std::time::Duration;

use client::{Address, Client, ClientError, Options, ProducerOptions};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::proxy::Proxy;
use crate::support::{TestBroker, client_of, create, producer, value, values};

#[tokio::test(flavor = "multi_thread")]
async fn records_whose_acknowledgement_was_lost_are_not_written_twice() {
    let proxy = Proxy::start().await;
    let broker = TestBroker::with(&[], Some(&proxy.address)).await;
    proxy.leads_to(Some(&broker.address));
    let client = client_of(&proxy.address);
    let topic = create(&client, "t", 2, &[]).await;
    let options = ProducerOptions { batch_bytes: 1000, ..ProducerOptions::default() };
    let mut producer = producer(&client, &topic, options).await;
    proxy.lose_answers_to_produce(3);
    let sent: Vec<String> = (0..200).map(|place| format!("{place:0100}")).collect();
    for text in &sent {
        producer.send(client::Record { partition: Some(1), ..value(text) }).await.unwrap();
    }
    assert_eq!(producer.flush().await.unwrap().records, sent.len() as u64);
    assert_eq!(proxy.losses_to_come(), 0);
    assert_eq!(values(&client, &topic, sent.len()).await, sent);
    let end = client.list_offsets(&topic, &[1], client::OffsetAt::End).await.unwrap()[&1];
    assert_eq!(end, sent.len() as i64);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_of_the_broker_is_waited_for() {
    let proxy = Proxy::start().await;
    let mut broker = TestBroker::with(&[], Some(&proxy.address)).await;
    proxy.leads_to(Some(&broker.address));
    let client = client_of(&proxy.address);
    let topic = create(&client, "t", 1, &[]).await;
    let mut producer = producer(&client, &topic, ProducerOptions::default()).await;
    producer.send(value("before")).await.unwrap();
    producer.flush().await.unwrap();

    proxy.leads_to(None);
    broker.stop().await;
    producer.send(value("meanwhile")).await.unwrap();
    let restart = async {
        broker.start_again().await;
        proxy.leads_to(Some(&broker.address));
    };
    let (written, ()) = tokio::join!(producer.flush(), restart);
    assert_eq!(written.unwrap().records, 2);
    assert_eq!(values(&client, &topic, 2).await, ["before", "meanwhile"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_was_never_reached_is_not_tried_for_long() {
    let nobody = nobody().await;
    let refused = client_of(&nobody).topics().await.unwrap_err().to_string();
    let said = format!("cannot reach {nobody}: connection refused; is the broker running? start one with `tidelog`");
    assert_eq!(refused, said);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_address_that_answers_is_enough() {
    let broker = TestBroker::start().await;
    let bootstrap = vec![nobody().await, broker.address.clone()];
    assert!(Client::new(bootstrap, Options::default()).topics().await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_misadvertised_address_is_told_from_a_broker_that_is_down() {
    let elsewhere = nobody().await;
    let broker = TestBroker::with(&[], Some(&elsewhere)).await;
    let client = broker.client();
    let topic = create(&client, "t", 1, &[]).await;
    let mut producer = producer(&client, &topic, ProducerOptions::default()).await;
    producer.send(value("x")).await.unwrap();
    let said = producer.flush().await.unwrap_err().to_string();
    let begins = format!("{} answered, but tells clients to reach broker 1 at {elsewhere}", broker.address);
    assert!(said.starts_with(&begins), "{said}");
    assert!(said.contains("--advertise HOST:PORT") && said.contains("advertised.listeners"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_speaks_another_protocol_is_recognized() {
    for greeting in ["HTTP/1.1 400 Bad Request\r\n\r\n", "", "SSH-2.0-OpenSSH_9.6\r\n"] {
        let address = answering(greeting).await;
        let said = client_of(&address).topics().await.unwrap_err();
        assert!(matches!(&said, ClientError::NotKafka { address: who, .. } if *who == address), "{said}");
        assert!(said.to_string().contains("is the port right?"), "{said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_never_answers_is_given_up() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address: Address = silent.local_addr().unwrap().to_string().parse().unwrap();
    let options = Options { timeout: Duration::from_millis(100), ..Options::default() };
    let said = Client::new(vec![address.clone()], options).topics().await.unwrap_err().to_string();
    assert!(said.starts_with(&format!("{address} did not answer ApiVersions within 100 ms")), "{said}");
}

/// An address at which nobody listens.
async fn nobody() -> Address {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().to_string().parse().unwrap()
}

/// Somebody who reads a little, says the same to everybody, and hangs up.
async fn answering(greeting: &'static str) -> Address {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string().parse().unwrap();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut some = [0; 8];
            stream.read_exact(&mut some).await.unwrap();
            stream.write_all(greeting.as_bytes()).await.unwrap();
        }
    });
    address
}
