#!/bin/sh
# Stands in for a broker that fails while it stops.
trap 'exit 2' TERM
echo "kafka 127.0.0.1:1"
while :; do sleep 0.01; done
