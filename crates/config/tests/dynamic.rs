//! Broker settings that are changed while running, as Kafka 4.4.0 answers.

use config::validate_dynamic;
use model::ErrorCode;

#[test]
fn a_change_that_cannot_be_is_refused_in_kafkas_words() {
    let invalid_request = ErrorCode::InvalidRequest;
    for (name, value, of_all, code, message) in [
        (
            "num.partitions",
            Some("3"),
            false,
            invalid_request,
            "Cannot update these configs dynamically: [num.partitions]",
        ),
        (
            "listeners",
            Some("PLAINTEXT://:1"),
            true,
            invalid_request,
            "Cannot update these configs at default cluster level, broker id must be specified: [listeners]",
        ),
        (
            "log.retention.ms",
            Some("x"),
            false,
            invalid_request,
            "Invalid value x for configuration log.retention.ms: Not a number of type LONG",
        ),
        (
            "ssl.keystore.password",
            Some("x"),
            false,
            invalid_request,
            "These security configs can be dynamically updated only per-listener using the listener prefix: [ssl.keystore.password]",
        ),
        (
            "min.insync.replicas",
            Some("1"),
            false,
            ErrorCode::InvalidConfig,
            "Broker-level min.insync.replicas cannot be altered while ELR is enabled.",
        ),
        (
            "min.insync.replicas",
            None,
            true,
            ErrorCode::InvalidConfig,
            "Cluster-level min.insync.replicas cannot be removed while ELR is enabled.",
        ),
    ] {
        let error = validate_dynamic(name, value, of_all).expect_err(name);
        assert_eq!((error.code(), error.to_string().as_str()), (code, message), "{name}");
    }
}

#[test]
fn a_change_that_can_be_is_given_back_in_its_plain_form() {
    for (name, value, of_all, plain) in [
        ("log.retention.ms", Some(" +77777 "), false, Some("77777")),
        ("log.retention.ms", None, false, None),
        ("min.insync.replicas", Some("2"), true, Some("2")),
        ("num.io.threads", Some("9"), true, Some("9")),
        ("my.plugin.key", Some(" kept as it is "), false, Some(" kept as it is ")),
    ] {
        assert_eq!(validate_dynamic(name, value, of_all), Ok(plain.map(str::to_owned)), "{name}");
    }
}
