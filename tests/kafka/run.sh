#!/usr/bin/env bash
# Runs Apache Kafka 4.4.0 in the foreground: one KRaft node with its default settings, as a peer to compare with.
#
#   tests/kafka/run.sh [PORT [DATA_DIR [key=value...]]]
#
# PORT is the clients' port on 127.0.0.1 (default 19092; the controller takes the next one), DATA_DIR a
# directory that is kept (default: a temporary one, removed at the end), key=value broker settings.
# It serves once it prints "Kafka Server started". Needs JDK 17 and Maven; the jars are fetched once.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
port=${1:-19092}
data=${2:-}
shift $(($# < 2 ? $# : 2))

[ -e "$here/target/lib/.complete" ] || {
  mvn -B -q -f "$here/pom.xml" package
  touch "$here/target/lib/.complete"
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
data=${data:-$work/data}
mkdir -p "$data"
{
  echo "process.roles=broker,controller"
  echo "node.id=1"
  echo "listeners=PLAINTEXT://127.0.0.1:$port,CONTROLLER://127.0.0.1:$((port + 1))"
  echo "controller.listener.names=CONTROLLER"
  echo "controller.quorum.voters=1@127.0.0.1:$((port + 1))"
  echo "log.dirs=$data"
  # One node can't hold the three replicas that Kafka's defaults ask of its internal topics.
  echo "offsets.topic.replication.factor=1"
  echo "transaction.state.log.replication.factor=1"
  echo "transaction.state.log.min.isr=1"
  echo "share.coordinator.state.topic.replication.factor=1"
  echo "share.coordinator.state.topic.min.isr=1"
  for setting in "$@"; do echo "$setting"; done
} >"$work/server.properties"

export CLASSPATH="$here/target/lib/*"
java=(java "-Xms${KAFKA_HEAP:-1g}" "-Xmx${KAFKA_HEAP:-1g}" -XX:+UseG1GC "-Dlog4j2.configurationFile=$here/log4j2.properties")
[ -e "$data/meta.properties" ] ||
  "${java[@]}" kafka.tools.StorageTool format --ignore-formatted -t tidelogPeerKafka000000 -c "$work/server.properties"
"${java[@]}" kafka.Kafka "$work/server.properties" &
child=$!
trap 'kill "$child" 2>/dev/null || true; wait "$child" || true; rm -rf "$work"' EXIT
trap 'exit 0' INT TERM
wait "$child"
