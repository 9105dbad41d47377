//! Who may connect and do what. What would make a broker safer than it is must be refused while it is not
//! there: a user who sets it would trust it.

use super::{NO_ACLS, NO_CLIENT_LOGIN, NO_JVM, NO_KERBEROS, SECURITY, SECURITY_NOT_YET};
use crate::rule::Rule;
use crate::setting::{Setting, boolean, class, double, int, list, long, password, short, string};

/// In the order of their names.
#[rustfmt::skip]
pub(super) const SETTINGS: &[Setting] = &[
    string("authorizer.class.name").default("")
        .refused(NO_ACLS, "What decides who may do what; empty lets everyone do everything."),
    long("connections.max.reauth.ms").default("0")
        .later(SECURITY, "How long a log-in lasts; 0 is for ever."),
    long("delegation.token.expiry.check.interval.ms").default("3600000").at_least(1)
        .refused(SECURITY_NOT_YET, "How often delegation tokens are checked for their age."),
    long("delegation.token.expiry.time.ms").default("86400000").at_least(1)
        .refused(SECURITY_NOT_YET, "How long a delegation token lasts unless renewed."),
    long("delegation.token.max.lifetime.ms").default("604800000").at_least(1)
        .refused(SECURITY_NOT_YET, "How long a delegation token lasts at most."),
    password("delegation.token.secret.key")
        .refused(SECURITY_NOT_YET, "Secret that delegation tokens are signed with."),
    class("principal.builder.class").default("org.apache.kafka.common.security.authenticator.DefaultKafkaPrincipalBuilder").per_broker()
        .refused(NO_JVM, "Java class that makes principals of connections."),
    class("sasl.client.callback.handler.class")
        .refused(NO_JVM, "Java class for SASL as a client."),
    list("sasl.enabled.mechanisms").default("GSSAPI").per_broker()
        .refused(SECURITY_NOT_YET, "SASL mechanisms that clients may log in by."),
    password("sasl.jaas.config").per_broker()
        .refused(SECURITY_NOT_YET, "Users and secrets, in the format of JAAS."),
    string("sasl.kerberos.kinit.cmd").default("/usr/bin/kinit").per_broker()
        .refused(NO_KERBEROS, "Path of kinit."),
    long("sasl.kerberos.min.time.before.relogin").default("60000").per_broker()
        .refused(NO_KERBEROS, "Time between two refreshes of a ticket."),
    list("sasl.kerberos.principal.to.local.rules").default("DEFAULT").per_broker()
        .refused(NO_KERBEROS, "Rules that make short names of principals."),
    string("sasl.kerberos.service.name").per_broker()
        .refused(NO_KERBEROS, "Kerberos name of the broker."),
    double("sasl.kerberos.ticket.renew.jitter").default("0.05").per_broker()
        .refused(NO_KERBEROS, "Random part of the time of renewal."),
    double("sasl.kerberos.ticket.renew.window.factor").default("0.8").per_broker()
        .refused(NO_KERBEROS, "Part of a ticket's life after which it is renewed."),
    class("sasl.login.callback.handler.class")
        .refused(NO_JVM, "Java class for logging in."),
    class("sasl.login.class")
        .refused(NO_JVM, "Java class that logs in."),
    int("sasl.login.connect.timeout.ms")
        .refused(NO_CLIENT_LOGIN, "How long a connection to the identity provider may take."),
    int("sasl.login.read.timeout.ms")
        .refused(NO_CLIENT_LOGIN, "How long its answer may take."),
    short("sasl.login.refresh.buffer.seconds").default("300").per_broker()
        .refused(NO_CLIENT_LOGIN, "Time before the end of a credential at which it is renewed."),
    short("sasl.login.refresh.min.period.seconds").default("60").per_broker()
        .refused(NO_CLIENT_LOGIN, "Time between two renewals at least."),
    double("sasl.login.refresh.window.factor").default("0.8").per_broker()
        .refused(NO_CLIENT_LOGIN, "Part of a credential's life after which it is renewed."),
    double("sasl.login.refresh.window.jitter").default("0.05").per_broker()
        .refused(NO_CLIENT_LOGIN, "Random part of that."),
    long("sasl.login.retry.backoff.max.ms").default("10000")
        .refused(NO_CLIENT_LOGIN, "Longest wait before another log-in."),
    long("sasl.login.retry.backoff.ms").default("100")
        .refused(NO_CLIENT_LOGIN, "First wait before another log-in."),
    string("sasl.mechanism.controller.protocol").default("GSSAPI")
        .refused(NO_CLIENT_LOGIN, "SASL mechanism towards controllers."),
    string("sasl.mechanism.inter.broker.protocol").default("GSSAPI").per_broker()
        .refused(NO_CLIENT_LOGIN, "SASL mechanism between brokers."),
    boolean("sasl.oauthbearer.allow.unverified.audience").default("false")
        .refused(SECURITY_NOT_YET, "Whether tokens for any audience are taken."),
    boolean("sasl.oauthbearer.allow.unverified.issuer").default("false")
        .refused(SECURITY_NOT_YET, "Whether tokens of any issuer are taken."),
    string("sasl.oauthbearer.assertion.algorithm").default("RS256").rule(Rule::OneOfAnyCase(&["ES256", "RS256"]))
        .refused(NO_CLIENT_LOGIN, "Algorithm that assertions are signed with."),
    string("sasl.oauthbearer.assertion.claim.aud")
        .refused(NO_CLIENT_LOGIN, "Audience in assertions."),
    int("sasl.oauthbearer.assertion.claim.exp.seconds").default("300").between(0, 86_400)
        .refused(NO_CLIENT_LOGIN, "How long assertions last."),
    string("sasl.oauthbearer.assertion.claim.iss")
        .refused(NO_CLIENT_LOGIN, "Issuer in assertions."),
    boolean("sasl.oauthbearer.assertion.claim.jti.include").default("false")
        .refused(NO_CLIENT_LOGIN, "Whether assertions carry an id."),
    int("sasl.oauthbearer.assertion.claim.nbf.seconds").default("60").between(0, 3600)
        .refused(NO_CLIENT_LOGIN, "How far back assertions hold."),
    string("sasl.oauthbearer.assertion.claim.sub")
        .refused(NO_CLIENT_LOGIN, "Subject in assertions."),
    string("sasl.oauthbearer.assertion.file")
        .refused(NO_CLIENT_LOGIN, "File with an assertion."),
    string("sasl.oauthbearer.assertion.private.key.file")
        .refused(NO_CLIENT_LOGIN, "File with the key that signs assertions."),
    password("sasl.oauthbearer.assertion.private.key.passphrase")
        .refused(NO_CLIENT_LOGIN, "Passphrase of that key."),
    string("sasl.oauthbearer.assertion.template.file")
        .refused(NO_CLIENT_LOGIN, "File with a template of assertions."),
    string("sasl.oauthbearer.client.credentials.client.id")
        .refused(NO_CLIENT_LOGIN, "Client id at the identity provider."),
    password("sasl.oauthbearer.client.credentials.client.secret")
        .refused(NO_CLIENT_LOGIN, "Client secret at the identity provider."),
    int("sasl.oauthbearer.clock.skew.seconds").default("30")
        .refused(SECURITY_NOT_YET, "How far clocks may differ when a token's times are checked."),
    list("sasl.oauthbearer.expected.audience").default("")
        .refused(SECURITY_NOT_YET, "Audiences that a token must name one of."),
    string("sasl.oauthbearer.expected.issuer")
        .refused(SECURITY_NOT_YET, "Issuer that a token must name."),
    long("sasl.oauthbearer.jwks.endpoint.refresh.ms").default("3600000")
        .refused(SECURITY_NOT_YET, "How often the keys of the identity provider are fetched."),
    long("sasl.oauthbearer.jwks.endpoint.retry.backoff.max.ms").default("10000")
        .refused(SECURITY_NOT_YET, "Longest wait before they are fetched again."),
    long("sasl.oauthbearer.jwks.endpoint.retry.backoff.ms").default("100")
        .refused(SECURITY_NOT_YET, "First wait before they are fetched again."),
    string("sasl.oauthbearer.jwks.endpoint.url")
        .refused(SECURITY_NOT_YET, "Where the keys of the identity provider are."),
    class("sasl.oauthbearer.jwt.retriever.class").default("org.apache.kafka.common.security.oauthbearer.DefaultJwtRetriever")
        .refused(NO_JVM, "Java class that fetches tokens."),
    class("sasl.oauthbearer.jwt.validator.class").default("org.apache.kafka.common.security.oauthbearer.DefaultJwtValidator")
        .refused(NO_JVM, "Java class that checks tokens."),
    string("sasl.oauthbearer.scope")
        .refused(NO_CLIENT_LOGIN, "Scope to ask the identity provider for."),
    string("sasl.oauthbearer.scope.claim.name").default("scope")
        .refused(SECURITY_NOT_YET, "Claim that holds the scope."),
    string("sasl.oauthbearer.sub.claim.name").default("sub")
        .refused(SECURITY_NOT_YET, "Claim that holds the subject."),
    string("sasl.oauthbearer.token.endpoint.url")
        .refused(NO_CLIENT_LOGIN, "Where the identity provider gives tokens."),
    class("sasl.server.callback.handler.class")
        .refused(NO_JVM, "Java class for SASL as a server."),
    int("sasl.server.max.receive.size").default("524288")
        .later(SECURITY, "Largest request before a client has logged in."),
    string("security.inter.broker.protocol").default("PLAINTEXT").one_of(&["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"])
        .refused(SECURITY_NOT_YET, "Protocol between brokers."),
    string("security.providers")
        .refused(NO_JVM, "Java classes that provide algorithms."),
    boolean("ssl.allow.dn.changes").default("false")
        .refused(SECURITY_NOT_YET, "Whether a new certificate may bear another name."),
    boolean("ssl.allow.san.changes").default("false")
        .refused(SECURITY_NOT_YET, "Whether a new certificate may bear other alternative names."),
    list("ssl.cipher.suites").default("").per_broker()
        .refused(SECURITY_NOT_YET, "Cipher suites; empty for the library's choice."),
    string("ssl.client.auth").default("none").one_of(&["required", "requested", "none"]).per_broker()
        .refused(SECURITY_NOT_YET, "Whether clients must show a certificate."),
    list("ssl.enabled.protocols").default("TLSv1.2,TLSv1.3").per_broker()
        .refused(SECURITY_NOT_YET, "Versions of TLS."),
    string("ssl.endpoint.identification.algorithm").default("https").per_broker()
        .refused(SECURITY_NOT_YET, "How host names are checked against certificates."),
    class("ssl.engine.factory.class").per_broker()
        .refused(NO_JVM, "Java class that makes TLS engines."),
    password("ssl.key.password").per_broker()
        .refused(SECURITY_NOT_YET, "Password of the private key."),
    string("ssl.keymanager.algorithm").default("SunX509").per_broker()
        .refused(NO_JVM, "Java's key manager."),
    password("ssl.keystore.certificate.chain").per_broker()
        .refused(SECURITY_NOT_YET, "Certificate chain in PEM."),
    password("ssl.keystore.key").per_broker()
        .refused(SECURITY_NOT_YET, "Private key in PEM."),
    string("ssl.keystore.location").per_broker()
        .refused(SECURITY_NOT_YET, "File with key and certificates."),
    password("ssl.keystore.password").per_broker()
        .refused(SECURITY_NOT_YET, "Password of that file."),
    string("ssl.keystore.type").default("JKS").per_broker()
        .refused(SECURITY_NOT_YET, "Format of that file."),
    string("ssl.principal.mapping.rules").default("DEFAULT")
        .refused(SECURITY_NOT_YET, "Rules that make users of certificate names."),
    string("ssl.protocol").default("TLSv1.3").per_broker()
        .refused(SECURITY_NOT_YET, "Version of TLS to begin with."),
    string("ssl.provider").per_broker()
        .refused(NO_JVM, "Java's provider of TLS."),
    string("ssl.secure.random.implementation").per_broker()
        .refused(NO_JVM, "Java's source of randomness."),
    string("ssl.trustmanager.algorithm").default("PKIX").per_broker()
        .refused(NO_JVM, "Java's trust manager."),
    password("ssl.truststore.certificates").per_broker()
        .refused(SECURITY_NOT_YET, "Trusted certificates in PEM."),
    string("ssl.truststore.location").per_broker()
        .refused(SECURITY_NOT_YET, "File with trusted certificates."),
    password("ssl.truststore.password").per_broker()
        .refused(SECURITY_NOT_YET, "Password of that file."),
    string("ssl.truststore.type").default("JKS").per_broker()
        .refused(SECURITY_NOT_YET, "Format of that file."),
];
