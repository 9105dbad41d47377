//! The kafkajs programs of published introductions to message queues, unchanged (`kafkajs/articles`). They name
//! `localhost:9092`; `redirect.js`, loaded before them, sends these connections to the test's broker.

use support::{LIMIT, Program, TestBroker, kafka_tool, node, unique};

fn article(program: &str, broker: &TestBroker) -> Program {
    let hook = concat!(env!("CARGO_MANIFEST_DIR"), "/clients/kafkajs/articles/redirect.js");
    let node_options = format!("--require={hook}");
    node("kafkajs", &format!("articles/{program}"), broker).env("NODE_OPTIONS", &node_options)
}

fn create_topic(name: &str, broker: &TestBroker) {
    let arguments = ["--create", "--if-not-exists", "--topic", name, "--bootstrap-server", &broker.address()];
    kafka_tool("TopicCommand").args(arguments).run();
}

#[test]
fn the_two_microservices_of_article_001_greet_each_other() {
    let broker = TestBroker::with_defaults();
    create_topic("kafka-node", &broker);
    let mut consumer = article("001/consumer.js", &broker).spawn();
    let mut producer = article("001/producer.js", &broker).spawn();

    producer.wait_for_lines("errorCode: 0", 3, LIMIT).unwrap();
    let seen = consumer.wait_for_lines("# Hello consumer from producer: ", 3, LIMIT).unwrap();
    if matches!(broker, TestBroker::Own(_)) {
        let greetings = [1, 2, 3].map(|n| format!("{} # Hello consumer from producer: {n}", n - 1));
        assert_eq!(seen, greetings);
    }
}

#[test]
fn the_order_of_article_003_is_queued_and_processed() {
    let broker = TestBroker::with_defaults();
    create_topic("order-queue", &broker);
    let mut orders = article("003/orders.js", &broker).spawn();
    orders.wait_for_lines("Order sent to queue", 1, LIMIT).unwrap();
    orders.wait_for_lines("Processing order 12345...", 1, LIMIT).unwrap();
}

/// The article sends a bare string, which kafkajs takes for a message without a value: the promise is rejected, and
/// Node ends the program. That is all that its reader sees, on any broker.
#[test]
fn the_string_of_article_004_is_refused_by_kafkajs_itself() {
    let broker = TestBroker::with_defaults();
    create_topic("my-topic", &broker);
    let finished = article("004/hello.js", &broker).finish();
    assert_eq!(finished.status.code(), Some(1));
    let refused = r#"Invalid message without value for topic "my-topic": "Hello World!""#;
    assert!(finished.stderr.contains(refused), "{}", finished.stderr);
    assert!(!finished.stdout.contains("Received message"), "{}", finished.stdout);
}

/// Article 000's application: what both producers send arrives in order, and nothing is missing when the consumer
/// goes away in between.
#[test]
fn the_queue_of_article_000_keeps_its_messages_while_the_consumer_is_away() {
    let broker = TestBroker::with_defaults();
    let topic = unique("messages");
    let part = |name: &str| {
        let app = node("kafkajs", &format!("article-000/{name}/app.js"), &broker);
        app.env("KAFKA_BROKERS", &broker.address())
            .env("KAFKA_TOPIC", &topic)
            .env("INTERVAL_MS", "20")
            .env("WORK_MS", "5")
            .spawn()
    };
    let mut producers = [part("producer"), part("secondary_producer")];
    let mut first = part("consumer");
    first.wait_for_lines("RECEIVED", 20, LIMIT).unwrap();
    assert!(first.terminate(LIMIT).unwrap().success());
    let printed = first.printed();
    let early = numbers(printed.lines().filter(|line| line.contains("RECEIVED")));

    let sent = producers.each_mut().map(|producer| numbers(producer.wait_for_lines("SENT", 50, LIMIT).unwrap()));
    let mut second = part("consumer");
    let late = numbers(second.wait_for_lines("RECEIVED", 100 - early.len(), LIMIT).unwrap());
    let received: Vec<String> = early.into_iter().chain(late).collect();
    for sent in sent {
        let of_one: Vec<&String> = received.iter().filter(|number| sent.contains(number)).collect();
        assert_eq!(of_one, sent.iter().collect::<Vec<_>>());
    }
}

/// The numbers in lines like `[ SENT:     0.123 ]` and `[ RECEIVED: 0.123 | COUNT: 1 ]`.
fn numbers(lines: impl IntoIterator<Item: AsRef<str>>) -> Vec<String> {
    lines.into_iter().filter_map(|line| line.as_ref().split_whitespace().nth(2).map(str::to_owned)).collect()
}
